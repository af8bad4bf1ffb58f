"""The beginning and the end of a stream; see _tokenizer.pyi for what each name means."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, TypeVar, final, overload

from ._expat_element import attribute_dict, shown
from ._expat_names import SEPARATOR, XML_NAMESPACE, clark

_T = TypeVar("_T")

_LANG = f"{{{XML_NAMESPACE}}}lang"


@final
class StreamStart:
    """The stream header (RFC 6120 section 4.7): the start tag of the root element."""

    __slots__ = ("__weakref__", "_attrib", "_declarations", "_name", "_raw")
    __match_args__: ClassVar[tuple[str, ...]] = ("tag",)

    _name: str  # as expat reports it
    _attrib: Mapping[str, str]
    _declarations: tuple[tuple[str | None, str | None], ...]
    _raw: bytes

    def __init__(self) -> None:
        raise TypeError("StreamStart objects come from a StreamParser")

    @property
    def tag(self) -> str:
        """Clark name of the root element."""
        return clark(self._name)

    @property
    def name(self) -> str:
        """Local name of the root element."""
        return self._name.rpartition(SEPARATOR)[2]

    @property
    def xmlns(self) -> str | None:
        """Namespace name of the root element."""
        return self._name.rpartition(SEPARATOR)[0] or None

    @property
    def attrib(self) -> Mapping[str, str]:
        """Attributes by Clark name, without namespace declarations."""
        return self._attrib

    @overload
    def get(self, key: str) -> str | None: ...
    @overload
    def get(self, key: str, default: _T) -> str | _T: ...
    def get(self, key: str, default: object = None) -> object:
        """Value of the attribute with that Clark name."""
        return self._attrib.get(key, default)

    @property
    def to(self) -> str | None:
        """Attribute `to`."""
        return self._attrib.get("to")

    @property
    def from_(self) -> str | None:
        """Attribute `from`."""
        return self._attrib.get("from")

    @property
    def id(self) -> str | None:
        """Attribute `id`."""
        return self._attrib.get("id")

    @property
    def version(self) -> str | None:
        """Attribute `version`."""
        return self._attrib.get("version")

    @property
    def lang(self) -> str | None:
        """Attribute `xml:lang`."""
        return self._attrib.get(_LANG)

    @property
    def default_namespace(self) -> str | None:
        """The header's `xmlns`; None if it has none."""
        return dict(self._declarations).get(None)

    @property
    def content_namespace(self) -> str | None:
        """Namespace of the stanzas (RFC 6120 section 4.8.2)."""
        default, own = self.default_namespace, self.xmlns
        if default != own or default is None:
            return default
        return next((uri for uri in self.prefixes.values() if uri != own), None)

    @property
    def prefixes(self) -> Mapping[str, str]:
        """Namespace names by the prefix that the header declares for them."""
        return MappingProxyType({p: uri for p, uri in self._declarations if p and uri})

    @property
    def raw(self) -> bytes:
        """The header's bytes as received, with the XML declaration if there is one."""
        return self._raw

    def __repr__(self) -> str:
        return shown(self, self._attrib)

    @property
    def start_tag(self) -> bytes:
        """The header's bytes without the XML declaration."""
        if self._raw.startswith(b"<?"):
            return self._raw[self._raw.index(b"?>") + 2 :].lstrip()
        return self._raw

    @property
    def root(self) -> str:
        """The root element's name as written."""
        end = len(self.start_tag)
        return self.start_tag[1:end].split(None, 1)[0].rstrip(b"/>").decode()

    @property
    def declarations(self) -> tuple[tuple[str, str], ...]:
        """Every declared prefix, "" for the default namespace, with its namespace name."""
        return tuple((prefix or "", uri or "") for prefix, uri in self._declarations)


def make_stream_start(
    raw: bytes,
    name: str,
    reported: list[str],
    declarations: tuple[tuple[str | None, str | None], ...],
) -> StreamStart:
    """A header from what expat said of it."""
    start: StreamStart = object.__new__(StreamStart)
    start._raw = raw
    start._name = name
    start._attrib = MappingProxyType(attribute_dict(reported))
    start._declarations = declarations
    return start


@final
class StreamEnd:
    """The end tag of the root element. Its `raw` is empty if the header closed itself."""

    __slots__ = ("__weakref__", "_raw")

    _raw: bytes

    def __init__(self) -> None:
        raise TypeError("StreamEnd objects come from a StreamParser")

    @property
    def raw(self) -> bytes:
        """The end tag's bytes as received."""
        return self._raw

    def __repr__(self) -> str:
        return "<StreamEnd>"


def make_stream_end(raw: bytes) -> StreamEnd:
    """The end of a stream."""
    end: StreamEnd = object.__new__(StreamEnd)
    end._raw = raw
    return end
