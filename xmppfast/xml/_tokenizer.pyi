"""The stanza-event API; both backends have exactly this surface."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from typing import ClassVar, TypeVar, final, overload

from typing_extensions import Buffer

from .limits import Limits

_T = TypeVar("_T")

def kernels() -> tuple[str, ...]:
    """Names of the kernels this processor can run, slowest first."""

def kernel() -> str:
    """Name of the kernel that new parsers use."""

def use_kernel(name: str) -> None:
    """Have new parsers use that kernel; ValueError for one that is not in `kernels()`."""

class Element:
    """An element of a stanza: a view of the stanza's bytes, made when asked for, immutable.

    Names are Clark names, "{namespace}local", or plain "local" outside any namespace. Elements are
    equal when their tags, attributes, text and children are (with the children's tails).
    """

    __match_args__: ClassVar[tuple[str, ...]] = ("tag",)

    @property
    def tag(self) -> str:
        """Clark name."""
    @property
    def name(self) -> str:
        """Local name."""
    @property
    def xmlns(self) -> str | None:
        """Namespace name; None outside any namespace."""
    @property
    def attrib(self) -> Mapping[str, str]:
        """Attributes by Clark name in document order, read-only, without namespace declarations."""
    @property
    def text(self) -> str | None:
        """Text before the first child; None if there is none."""
    @property
    def tail(self) -> str | None:
        """Text between this element's end and the next tag; None if there is none."""
    @property
    def raw(self) -> bytes:
        """The element's bytes as received."""
    @overload
    def get(self, key: str) -> str | None: ...
    @overload
    def get(self, key: str, default: _T) -> str | _T:
        """Value of the attribute with that Clark name."""
    def __len__(self) -> int: ...
    def __bool__(self) -> bool:
        """Always True, with or without children."""
    def __iter__(self) -> Iterator[Element]: ...
    @overload
    def __getitem__(self, index: int) -> Element: ...
    @overload
    def __getitem__(self, index: slice) -> list[Element]: ...
    def __eq__(self, other: object) -> bool: ...
    def __hash__(self) -> int: ...
    def find(self, path: str, namespaces: Mapping[str, str] | None = None) -> Element | None:
        """First match of a path in ElementTree's path language."""
    def findall(self, path: str, namespaces: Mapping[str, str] | None = None) -> list[Element]:
        """All matches of a path, in document order."""
    def iterfind(self, path: str, namespaces: Mapping[str, str] | None = None) -> Iterator[Element]:
        """`findall` as an iterator."""
    @overload
    def findtext(
        self, path: str, default: None = None, namespaces: Mapping[str, str] | None = None
    ) -> str | None: ...
    @overload
    def findtext(
        self, path: str, default: _T, namespaces: Mapping[str, str] | None = None
    ) -> str | _T:
        """Text of the first match: "" if it has none, `default` if nothing matches."""
    def iter(self, tag: str | None = None) -> Iterator[Element]:
        """The element and all inside it in document order, or those with that tag."""
    def itertext(self) -> Iterator[str]:
        """All text inside this element, in document order."""
    def to_etree(self) -> ET.Element:
        """A new, genuine ElementTree tree with the same content."""

@final
class Stanza(Element):
    """A complete element at depth 1 of a stream, or one from `parse`."""

    @property
    def to(self) -> str | None:
        """Attribute `to`."""
    @property
    def from_(self) -> str | None:
        """Attribute `from`."""
    @property
    def type(self) -> str | None:
        """Attribute `type`."""
    @property
    def id(self) -> str | None:
        """Attribute `id`."""
    @property
    def lang(self) -> str | None:
        """Attribute `xml:lang` of the stanza itself."""
    @property
    def payload(self) -> str | None:
        """Tag of the first child element; None if there is none."""
    def forward(
        self, *, from_: str | None = ..., to: str | None = ..., xmlns: str | None = ...
    ) -> bytes:
        """The stanza's bytes with attributes of its start tag changed, the rest as received.

        A string sets or replaces the attribute, None removes it, and one not given stays. Prefixes
        of the stream header that the stanza leans on are declared on it. `xmlns` is the default
        namespace declaration. Raises ValueError for text that XML can't carry.
        """

@final
class StreamStart:
    """The stream header (RFC 6120 section 4.7): the start tag of the root element."""

    __match_args__: ClassVar[tuple[str, ...]] = ("tag",)

    @property
    def tag(self) -> str:
        """Clark name of the root element."""
    @property
    def name(self) -> str:
        """Local name of the root element."""
    @property
    def xmlns(self) -> str | None:
        """Namespace name of the root element."""
    @property
    def attrib(self) -> Mapping[str, str]:
        """Attributes by Clark name, without namespace declarations."""
    @overload
    def get(self, key: str) -> str | None: ...
    @overload
    def get(self, key: str, default: _T) -> str | _T:
        """Value of the attribute with that Clark name."""
    @property
    def to(self) -> str | None:
        """Attribute `to`."""
    @property
    def from_(self) -> str | None:
        """Attribute `from`."""
    @property
    def id(self) -> str | None:
        """Attribute `id`."""
    @property
    def version(self) -> str | None:
        """Attribute `version`."""
    @property
    def lang(self) -> str | None:
        """Attribute `xml:lang`."""
    @property
    def default_namespace(self) -> str | None:
        """The header's `xmlns`; None if it has none."""
    @property
    def content_namespace(self) -> str | None:
        """Namespace of the stanzas (RFC 6120 section 4.8.2).

        That is the default namespace, unless it is the root element's own: then the first other one
        that the header declares with a prefix, or None.
        """
    @property
    def prefixes(self) -> Mapping[str, str]:
        """Namespace names by the prefix that the header declares for them."""
    @property
    def raw(self) -> bytes:
        """The header's bytes as received, with the XML declaration if there is one."""

@final
class StreamEnd:
    """The end tag of the root element. Its `raw` is empty if the header closed itself."""

    @property
    def raw(self) -> bytes:
        """The end tag's bytes as received."""

@final
class StreamParser:
    """Bytes of an XMPP stream in, events out; see `feed`.

    Once the stream is found wrong, every call raises that `StreamError` again.
    """

    def __init__(self, *, limits: Limits = ...) -> None: ...
    @property
    def limits(self) -> Limits:
        """The bounds this parser holds the stream to."""
    def feed(self, data: Buffer | str) -> Iterator[StreamStart | Stanza | StreamEnd]:
        """Take more bytes; the iterator tokenizes them as it is read.

        A `StreamError` is raised by the iterator, after everything that was complete before it.
        What an iterator leaves unread, the next one begins with. Raises TypeError for other types
        and ValueError after `close`.
        """
    def restart(self) -> None:
        """Begin a new stream with the next unread byte (RFC 6120 section 4.3.3).

        White space in front of the new stream's header belongs to the old one. Raises ValueError
        after `close`.
        """
    def close(self) -> None:
        """End of input: drop what is unread; StreamError if it ends inside a stanza or tag."""

def parse(data: Buffer | str, *, limits: Limits = ...) -> Stanza:
    """Read one whole element; an XML declaration may precede it, white space surround it.

    Raises StreamError as a stream would.
    """

def tostring(
    element: Element | ET.Element,
    *,
    xmlns: str | None = None,
    prefixes: Mapping[str, str] | None = None,
) -> bytes:
    """Serialize an element, without its tail, to UTF-8.

    xmlns     default namespace where the bytes will stand, usually the stream's content namespace
    prefixes  namespace names by prefix declared there, as in `StreamStart.prefixes`

    Only namespaces that are not in scope are declared. Raises ValueError for names or text that XML
    can't carry, TypeError for anything but elements and strings inside.
    """

def escape(text: str) -> str:
    """Write the five characters that XML predefines entities for as references.

    The result can stand in text and in attribute values. Raises ValueError for characters that XML
    can't carry.
    """
