"""xml.sax with the features, properties and handlers that aioxmpp sets."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any
from xml import sax
from xml.sax import handler

from bench.subjects import Collector, Subject


class LexicalHandler:
    """As aioxmpp's, which raises what these handlers leave alone."""

    def comment(self, content: str) -> None:
        """Handle a comment."""

    def startDTD(self, name: str, public: str, system: str) -> None:
        """Handle the beginning of a DTD."""

    def endDTD(self) -> None:
        """Handle the end of a DTD."""

    def startCDATA(self) -> None:
        """Handle the beginning of a CDATA section."""

    def endCDATA(self) -> None:
        """Handle the end of a CDATA section."""


class Counting(handler.ContentHandler):
    """Keeps nothing but the depth, to know where a stanza ends."""

    def __init__(self, got: list[Any]) -> None:
        super().__init__()
        self.depth = 0
        self.got = got

    def startElementNS(self, name: Any, qname: Any, attributes: Any) -> None:
        """Handle a start tag; the attributes are taken, as every user of them does."""
        dict(attributes)
        self.depth += 1

    def endElementNS(self, name: Any, qname: Any) -> None:
        """Handle an end tag."""
        self.depth -= 1
        if self.depth == 1:
            self.got.append(None)

    def characters(self, content: str) -> None:
        """Handle text, or a part of it."""


class Recording(Counting):
    """Builds trees."""

    def startElementNS(self, name: Any, qname: Any, attributes: Any) -> None:
        """Begin an element."""
        if self.depth == 1:
            self.builder = ET.TreeBuilder()
        if self.depth:
            self.builder.start(clark(name), {clark(k): v for k, v in dict(attributes).items()})
        self.depth += 1

    def endElementNS(self, name: Any, qname: Any) -> None:
        """End an element; its root is the stanza."""
        self.depth -= 1
        if self.depth:
            self.builder.end(clark(name))
        if self.depth == 1:
            self.got.append(self.builder.close())

    def characters(self, content: str) -> None:
        """Add text."""
        if self.depth > 1:
            self.builder.data(content)


def clark(name: tuple[str | None, str]) -> str:
    """A SAX name as `{namespace}local`."""
    namespace, local = name
    return f"{{{namespace}}}{local}" if namespace else local


class SaxReader(Collector):
    """One incremental reader with its handler."""

    __slots__ = ("_feed",)

    def __init__(self, create: Callable[[], Any], handler_type: Callable[[Any], Any]) -> None:
        super().__init__()
        reader = create()
        reader.setFeature(handler.feature_namespaces, True)
        reader.setFeature(handler.feature_external_ges, False)
        reader.setProperty(handler.property_lexical_handler, LexicalHandler())
        reader.setContentHandler(handler_type(self.got))
        self._feed = reader.feed

    def feed(self, data: bytes) -> list[Any]:
        """One item for each stanza that is complete with these bytes."""
        self._feed(data)
        return self.take()


def subject(create: Callable[[], Any]) -> Subject:
    """The subject for what makes an XMLReader."""
    return Subject(
        open=lambda: SaxReader(create, Counting),
        record=lambda: SaxReader(create, Recording),
        content=lambda element: element,
    )


def stock() -> Subject:
    """The standard library's."""
    return subject(sax.make_parser)


def adapter() -> Subject:
    """The same surface on xmppfast."""
    from xmppfast.adapters.sax import create_parser

    return subject(create_parser)
