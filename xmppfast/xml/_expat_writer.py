"""Elements to bytes; see _tokenizer.pyi for what each name means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from ._expat_names import XML_NAMESPACE, XMLNS_NAMESPACE, check_text, is_ncname

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from ._expat_element import Element


class Kept(Enum):
    """Type of `KEEP`, the default of what `Stanza.forward` can change."""

    KEEP = "as received"


KEEP: Final = Kept.KEEP

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"})
# A literal carriage return would be read as a line feed, white space in a value as a space.
_TEXT_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_VALUE_ESCAPES = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        "'": "&apos;",
        "\t": "&#9;",
        "\n": "&#10;",
        "\r": "&#13;",
    }
)


def escape(text: str) -> str:
    """Write the five characters that XML predefines entities for as references."""
    if not isinstance(text, str):
        raise TypeError(f"escape() takes a str, not {type(text).__name__}")
    check_text(text)
    return text.translate(_ESCAPES)


def _text(text: object) -> str:
    if not isinstance(text, str):
        raise TypeError(f"text must be a str, not {type(text).__name__}")
    check_text(text)
    return text.translate(_TEXT_ESCAPES)


def _value(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"an attribute value must be a str, not {type(value).__name__}")
    check_text(value)
    return f"'{value.translate(_VALUE_ESCAPES)}'"


@lru_cache(1024)
def _split(clark: str) -> tuple[str, str]:
    """Namespace name ("" for none) and local name of a Clark name."""
    uri, local = "", clark
    if clark.startswith("{"):
        uri, brace, local = clark[1:].rpartition("}")
        if not brace or not uri:
            raise ValueError(f"not a Clark name: {clark!r}")
        check_text(uri)
    if uri == XMLNS_NAMESPACE or not is_ncname(local):
        raise ValueError(f"not a name that XML can carry: {clark!r}")
    return uri, local


class _Scope:
    """Namespaces in scope of one element: the default one, and names by prefix."""

    __slots__ = ("default", "prefixes")

    def __init__(self, default: str, prefixes: Mapping[str, str]) -> None:
        self.default = default
        self.prefixes = prefixes

    def prefix(self, uri: str) -> str | None:
        """The first prefix bound to that namespace."""
        if uri == XML_NAMESPACE:
            return "xml"
        return next((prefix for prefix, bound in self.prefixes.items() if bound == uri), None)


def tostring(
    element: Element | ET.Element,
    *,
    xmlns: str | None = None,
    prefixes: Mapping[str, str] | None = None,
) -> bytes:
    """Serialize an element, without its tail, to UTF-8."""
    for prefix, uri in (prefixes or {}).items():
        if not is_ncname(prefix):
            raise ValueError(f"not a namespace prefix: {prefix!r}")
        check_text(uri)
    scope = _Scope(xmlns or "", dict(prefixes or {}))
    return "".join(_pieces(element, scope)).encode()


def _pieces(root: Element | ET.Element, scope: _Scope) -> Iterator[str]:
    # What is yet to be written, last first: elements with their scope, and finished text.
    todo: list[str | tuple[Any, _Scope]] = [(root, scope)]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            yield item
            continue
        element, outer = item
        name, start_tag, inner = _start_tag(element, outer)
        text = element.text
        children = list(element)
        if not text and not children:
            yield start_tag + "/>"
            continue
        yield f"{start_tag}>{_text(text) if text else ''}"
        todo.append(f"</{name}>")
        for child in reversed(children):
            tail = getattr(child, "tail", None)
            if tail:
                todo.append(_text(tail))
            todo.append((child, inner))


def _start_tag(element: Any, outer: _Scope) -> tuple[str, str, _Scope]:
    """Name as written, the start tag without its end, and what is in scope inside."""
    _check_element(element)
    scope = outer
    uri, name = _split(element.tag)
    written: list[str] = []
    declared: list[str] = []
    if uri != scope.default:
        prefix = scope.prefix(uri) if uri else None
        if prefix:
            name = f"{prefix}:{name}"
        else:
            scope = _Scope(uri, scope.prefixes)
            declared.append(f" xmlns={_value(uri)}")
    for key, value in element.attrib.items():
        if not isinstance(key, str):
            raise TypeError(f"an attribute name must be a str, not {type(key).__name__}")
        uri, local = _split(key)
        if uri:
            prefix = scope.prefix(uri)
            if prefix is None:
                prefix = _free_prefix(scope.prefixes)
                scope = _Scope(scope.default, {**scope.prefixes, prefix: uri})
                declared.append(f" xmlns:{prefix}={_value(uri)}")
            local = f"{prefix}:{local}"
        elif local == "xmlns":
            raise ValueError(f"not a name that XML can carry: {key!r}")
        written.append(f" {local}={_value(value)}")
    return name, "".join(["<", name, *declared, *written]), scope


def _check_element(element: object) -> None:
    from xml.etree.ElementTree import Element as TreeElement

    from ._expat_element import Element

    if not isinstance(element, (Element, TreeElement)):
        raise TypeError(f"tostring() takes elements, not {type(element).__name__}")
    if not isinstance(element.tag, str):
        raise TypeError(f"a tag must be a str, not {type(element.tag).__name__}")


def _free_prefix(taken: Mapping[str, str]) -> str:
    number = 0
    while f"ns{number}" in taken:
        number += 1
    return f"ns{number}"


# What follows reads bytes that expat has accepted: every tag in them is well-formed.

_TAG = re.compile(
    rb"<!\[CDATA\[.*?\]\]>"
    rb"|<(?P<end>/)?(?P<name>[^\s/>]+)(?P<attributes>(?:[^'\"/>]|'[^']*'|\"[^\"]*\")*+)(?P<empty>/)?>",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(rb"\s+([^\s=]+)\s*=\s*('[^']*'|\"[^\"]*\")")


def forwarded(raw: bytes, header: bytes, changes: Mapping[str, str | Kept | None]) -> bytes:
    """A stanza's bytes with attributes changed and the header's prefixes it leans on declared.

    header   start tag of the root element
    changes  value, None to remove it, or `KEEP` by attribute name
    """
    tag = _TAG.match(raw)
    assert tag is not None
    attributes_start, attributes_end = tag.span("attributes")
    parts = [raw[:attributes_start]]
    pending = {name.encode(): value for name, value in changes.items() if value is not KEEP}
    end = attributes_start
    for attribute in _ATTRIBUTE.finditer(raw, attributes_start, attributes_end):
        end = attribute.end()
        if attribute[1] not in pending:
            parts.append(attribute[0])
            continue
        value = pending.pop(attribute[1])
        if value is not None:
            parts += (raw[attribute.start() : attribute.start(2)], _value(value).encode())
    for name, value in pending.items():
        if value is not None:
            parts.append(b" %s=%s" % (name, _value(value).encode()))
    parts += _leaned_on(raw, header)
    parts.append(raw[end:])
    return b"".join(parts)


def _leaned_on(raw: bytes, header: bytes) -> list[bytes]:
    """Declarations of the header for prefixes that a stanza uses outside of its own."""
    declarations = {
        attribute[1][6:]: b" " + attribute[0].lstrip()
        for attribute in _ATTRIBUTE.finditer(header)
        if attribute[1].startswith(b"xmlns:") and attribute[1] != b"xmlns:xml"
    }
    if not any(prefix + b":" in raw for prefix in declarations):
        return []
    used: set[bytes] = set()
    scopes: list[frozenset[bytes]] = [frozenset()]
    for tag in _TAG.finditer(raw):
        if tag["end"]:
            scopes.pop()
        elif tag["name"]:
            names = [name for name, _ in _ATTRIBUTE.findall(tag["attributes"])]
            declared = {name[6:] for name in names if name.startswith(b"xmlns:")}
            scope = scopes[-1] | declared if declared else scopes[-1]
            used.update(
                {name.partition(b":")[0] for name in (tag["name"], *names) if b":" in name} - scope
            )
            if not tag["empty"]:
                scopes.append(scope)
    return [declaration for prefix, declaration in declarations.items() if prefix in used]
