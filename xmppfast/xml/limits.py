"""How much a peer may ask of the parser."""

from __future__ import annotations

# The tokenizer keeps offsets in 32 bits and reads ahead of the stanza it is in.
_MOST = 2**31 - 1


class Limits:
    """Bounds on what a stream may contain; going past one is a `policy-violation` that names it.

    stanza_bytes  bytes of one stanza, or of the stream header with its XML declaration;
                  at least 10,000 (RFC 6120 section 13.12)
    depth         levels of elements in a stanza; the stanza itself is the first
    attributes    attributes of one element, namespace declarations included
    children      elements inside one stanza, on all levels
    name_bytes    bytes of one element or attribute name, its prefix included
    namespaces    namespace declarations in scope at one place, those of the header included

    Raises ValueError for a value that is no usable bound.
    """

    __slots__ = ("attributes", "children", "depth", "name_bytes", "namespaces", "stanza_bytes")

    def __init__(
        self,
        *,
        stanza_bytes: int = 512 * 1024,
        depth: int = 256,
        attributes: int = 256,
        children: int = 20_000,
        name_bytes: int = 1024,
        namespaces: int = 128,
    ) -> None:
        values = {
            "stanza_bytes": (stanza_bytes, 10_000),
            "depth": (depth, 1),
            "attributes": (attributes, 1),
            "children": (children, 0),
            "name_bytes": (name_bytes, 1),
            "namespaces": (namespaces, 1),
        }
        for name, (value, least) in values.items():
            if not isinstance(value, int) or isinstance(value, bool):
                raise TypeError(f"{name} must be an int, not {type(value).__name__}")
            if not least <= value <= _MOST:
                raise ValueError(f"{name} must be between {least} and {_MOST}, not {value}")
            object.__setattr__(self, name, value)

    stanza_bytes: int
    depth: int
    attributes: int
    children: int
    name_bytes: int
    namespaces: int

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("Limits are immutable")

    def _key(self) -> tuple[int, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Limits) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={getattr(self, name)}" for name in self.__slots__)
        return f"Limits({values})"
