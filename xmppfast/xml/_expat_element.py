"""Stanzas and the elements inside them; see _tokenizer.pyi for what each name means.

A stanza keeps its bytes and what expat said of its start tag. Its inside is read, once and whole,
when something in it is first asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pyexpat import ParserCreate
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, TypeVar, final, overload

from ._expat_names import SEPARATOR, XML_NAMESPACE, clark
from ._expat_writer import KEEP, Kept, forwarded

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from ._expat_header import StreamStart

_T = TypeVar("_T")

_LANG = f"{{{XML_NAMESPACE}}}lang"
# A path that is no more than a tag: characters in a namespace name don't count.
_TAG_PATH = re.compile(r"(?!\{\*?\})(?:[^{/*\[@.]|\{[^}]*(?:\}|$))*+")
START_TAG = re.compile(rb"<[^'\">]*+(?:(?:'[^']*+'|\"[^\"]*+\")[^'\">]*+)*+>")
# In a start tag: values, and as the group, names.
NAMES = re.compile(rb"'[^']*'|\"[^\"]*\"|([^<>/=\s'\"]+)")


def attribute_dict(reported: list[str]) -> dict[str, str]:
    """Attributes by Clark name from expat's flat list."""
    names = [clark(name) if SEPARATOR in name else name for name in reported[::2]]
    return dict(zip(names, reported[1::2], strict=True))


def shown(element: Element | StreamStart, attributes: Mapping[str, str]) -> str:
    """A `repr` that long values don't make long."""
    facts = [element.tag, *(f"{name}={value[:60]!r}" for name, value in attributes.items())]
    return f"<{type(element).__name__} {' '.join(facts)[:500]}>"


class Element:
    """An element of a stanza; immutable."""

    __slots__ = (
        "__weakref__",
        "_attrib",
        "_children",
        "_name",
        "_reported",
        "_source",
        "_start",
        "_stop",
        "_tail",
        "_text",
    )
    __match_args__: ClassVar[tuple[str, ...]] = ("tag",)

    _name: str  # as expat reports it
    _reported: list[str]
    _attrib: Mapping[str, str]
    _text: str | None
    _tail: str | None
    _children: list[Element]
    _source: bytes
    _start: int
    _stop: int

    def __init__(self) -> None:
        raise TypeError(f"{type(self).__name__} objects come from a StreamParser or parse()")

    @property
    def tag(self) -> str:
        """Clark name."""
        return clark(self._name)

    @property
    def name(self) -> str:
        """Local name."""
        return self._name.rpartition(SEPARATOR)[2]

    @property
    def xmlns(self) -> str | None:
        """Namespace name; None outside any namespace."""
        return self._name.rpartition(SEPARATOR)[0] or None

    @property
    def attrib(self) -> Mapping[str, str]:
        """Attributes by Clark name in document order, read-only, without namespace declarations."""
        return self._attrib

    @property
    def text(self) -> str | None:
        """Text before the first child; None if there is none."""
        return self._text

    @property
    def tail(self) -> str | None:
        """Text between this element's end and the next tag; None if there is none."""
        return self._tail

    @property
    def raw(self) -> bytes:
        """The element's bytes as received."""
        return self._source[self._start : self._stop]

    @overload
    def get(self, key: str) -> str | None: ...
    @overload
    def get(self, key: str, default: _T) -> str | _T: ...
    def get(self, key: str, default: object = None) -> object:
        """Value of the attribute with that Clark name."""
        return self.attrib.get(key, default)

    def __len__(self) -> int:
        return len(self._children)

    def __bool__(self) -> bool:
        """Always True, with or without children."""
        return True

    def __iter__(self) -> Iterator[Element]:
        return iter(self._children)

    @overload
    def __getitem__(self, index: int) -> Element: ...
    @overload
    def __getitem__(self, index: slice) -> list[Element]: ...
    def __getitem__(self, index: int | slice) -> Element | list[Element]:
        return self._children[index]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Element):
            return NotImplemented
        pairs = [(self, other)]
        while pairs:
            one, two = pairs.pop()
            if one is two:
                continue
            if one._name != two._name or one._text != two._text or one.attrib != two.attrib:
                return False
            ones, twos = one._children, two._children
            if len(ones) != len(twos):
                return False
            pairs.extend(zip(ones, twos, strict=True))
            if any(a._tail != b._tail for a, b in zip(ones, twos, strict=True)):
                return False
        return True

    def __hash__(self) -> int:
        attributes = frozenset(self.attrib.items())
        return hash((self._name, self.text, attributes, len(self._children)))

    def __repr__(self) -> str:
        return shown(self, self.attrib)

    def find(self, path: str, namespaces: Mapping[str, str] | None = None) -> Element | None:
        """First match of a path in ElementTree's path language."""
        return next(self.iterfind(path, namespaces), None)

    def findall(self, path: str, namespaces: Mapping[str, str] | None = None) -> list[Element]:
        """All matches of a path, in document order."""
        return list(self.iterfind(path, namespaces))

    def iterfind(self, path: str, namespaces: Mapping[str, str] | None = None) -> Iterator[Element]:
        """`findall` as an iterator."""
        if namespaces is None and _TAG_PATH.fullmatch(path):
            return (child for child in self._children if child.tag == path)
        return self._search(path, namespaces)

    def _search(self, path: str, namespaces: Mapping[str, str] | None) -> Iterator[Element]:
        from xml.etree import ElementPath

        # ElementPath tells elements apart by their hashes: it is to see those of ElementTree.
        tree = self.to_etree()
        ours = dict(zip(tree.iter(), self.iter(), strict=True))
        mapping = dict(namespaces) if namespaces else None
        return (ours[found] for found in ElementPath.iterfind(tree, path, mapping))

    @overload
    def findtext(
        self, path: str, default: None = None, namespaces: Mapping[str, str] | None = None
    ) -> str | None: ...
    @overload
    def findtext(
        self, path: str, default: _T, namespaces: Mapping[str, str] | None = None
    ) -> str | _T: ...
    def findtext(
        self, path: str, default: object = None, namespaces: Mapping[str, str] | None = None
    ) -> object:
        """Text of the first match: "" if it has none, `default` if nothing matches."""
        found = self.find(path, namespaces)
        return default if found is None else found.text or ""

    def iter(self, tag: str | None = None) -> Iterator[Element]:
        """The element and all inside it in document order, or those with that tag."""
        wanted = None if tag == "*" else tag
        stack = [self]
        while stack:
            element = stack.pop()
            if wanted is None or element.tag == wanted:
                yield element
            stack.extend(reversed(element._children))

    def itertext(self) -> Iterator[str]:
        """All text inside this element, in document order."""
        stack: list[Element | str] = [self]
        while stack:
            part = stack.pop()
            if isinstance(part, str):
                yield part
                continue
            if part._text:
                yield part._text
            for child in reversed(part._children):
                if child._tail:
                    stack.append(child._tail)
                stack.append(child)

    def to_etree(self) -> ET.Element:
        """A new, genuine ElementTree tree with the same content."""
        from xml.etree.ElementTree import Element as TreeElement
        from xml.etree.ElementTree import SubElement

        root = TreeElement(self.tag, dict(self.attrib))
        root.text = self.text
        stack = [(self, root)]
        while stack:
            element, made = stack.pop()
            for child in element._children:
                copy = SubElement(made, child.tag, dict(child.attrib))
                copy.text = child._text
                copy.tail = child._tail
                if child._children:
                    stack.append((child, copy))
        return root

    def __getattr__(self, name: str) -> object:
        # Called for a slot that was not filled yet.
        if name == "_attrib":
            self._attrib = MappingProxyType(attribute_dict(self._reported))
            return self._attrib
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


@final
class Stanza(Element):
    """A complete element at depth 1 of a stream, or one from `parse`."""

    __slots__ = ("_header", "_payload")

    _header: StreamStart | None
    _payload: str | None  # as expat reports it

    @property
    def raw(self) -> bytes:
        """The stanza's bytes as received."""
        return self._source

    @property
    def tail(self) -> None:
        """None: what lies between stanzas is part of none."""
        return None

    @property
    def to(self) -> str | None:
        """Attribute `to`."""
        return self.attrib.get("to")

    @property
    def from_(self) -> str | None:
        """Attribute `from`."""
        return self.attrib.get("from")

    @property
    def type(self) -> str | None:
        """Attribute `type`."""
        return self.attrib.get("type")

    @property
    def id(self) -> str | None:
        """Attribute `id`."""
        return self.attrib.get("id")

    @property
    def lang(self) -> str | None:
        """Attribute `xml:lang` of the stanza itself."""
        return self.attrib.get(_LANG)

    @property
    def payload(self) -> str | None:
        """Tag of the first child element; None if there is none."""
        return None if self._payload is None else clark(self._payload)

    def forward(
        self,
        *,
        from_: str | Kept | None = KEEP,
        to: str | Kept | None = KEEP,
        xmlns: str | Kept | None = KEEP,
    ) -> bytes:
        """The stanza's bytes with attributes of its start tag changed, the rest as received."""
        header = self._header.start_tag if self._header else b""
        changes = {"xmlns": xmlns, "to": to, "from": from_}
        return forwarded(self._source, header, changes)

    def __getattr__(self, name: str) -> object:
        if name in ("_text", "_children"):
            root = _InsideReader(self).root()
            self._text = root._text
            self._children = root._children
            return getattr(root, name)
        return super().__getattr__(name)


class _InsideReader:
    """Has expat read a stanza again, behind its stream header, and makes elements of it."""

    def __init__(self, stanza: Stanza) -> None:
        self._source = stanza._source
        self._open: list[Element] = []
        self._closed: Element | None = None
        self._texts: list[str] = []
        self._expat = expat = ParserCreate("UTF-8", SEPARATOR)
        expat.ordered_attributes = True
        expat.buffer_text = True
        header = stanza._header.start_tag if stanza._header else b""
        if header:
            expat.Parse(header, False)
        self._header_size = len(header)
        expat.StartElementHandler = self._start
        expat.EndElementHandler = self._end
        expat.CharacterDataHandler = self._texts.append

    def root(self) -> Element:
        """The stanza's element."""
        self._expat.Parse(self._source, False)
        # The handlers refer to this reader.
        del self._expat
        assert self._closed is not None
        return self._closed

    def _flush(self) -> None:
        text = "".join(self._texts)
        self._texts.clear()
        if self._closed is None:
            self._open[-1]._text = text
        else:
            self._closed._tail = text

    def _start(self, name: str, attributes: list[str]) -> None:
        if self._texts:
            self._flush()
        element: Element = object.__new__(Element)
        element._name = name
        element._reported = attributes
        element._text = None
        element._tail = None
        element._children = []
        element._source = self._source
        element._start = self._expat.CurrentByteIndex - self._header_size
        if self._open:
            self._open[-1]._children.append(element)
        self._open.append(element)
        self._closed = None

    def _end(self, _name: str) -> None:
        if self._texts:
            self._flush()
        element = self._closed = self._open.pop()
        index = self._expat.CurrentByteIndex - self._header_size
        if element._text is None and not element._children:
            element._stop = element_end(self._source, element._start, index)
        else:
            element._stop = self._source.index(b">", index) + 1


def element_end(data: bytes, start: int, index: int) -> int:
    """Index behind the last tag of an element without text or children.

    start  index of its start tag
    index  where expat reports its end: the end tag's "<", or behind an empty-element tag
    """
    if not data.startswith(b"</", index):
        return index
    if data.startswith(b"/>", index - 2):
        tag = START_TAG.match(data, start)
        if tag and tag.end() == index:
            return index
    return data.index(b">", index) + 1
