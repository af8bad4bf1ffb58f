"""How each host receives: its parser behind the seam it feeds, as the host itself drives it.

A receiver's `open` begins a stream, `feed` takes bytes as they come from the network, and `stanzas`
counts what was delivered. What the host finds wrong becomes `Refused`. Everything of a host is
imported when its receiver is made, so that one interpreter needs only the host it has.
"""

from __future__ import annotations

import logging
import xml.etree.ElementTree as ET
import xml.parsers.expat
import xml.sax
from collections.abc import Callable
from typing import Any, Protocol


class Refused(Exception):
    """The host takes the stream for wrong; the text is the condition or type of its error."""


class Receiver(Protocol):
    """What all of them do."""

    stanzas: int

    def open(self) -> None:
        """Begin a new stream."""

    def feed(self, data: bytes) -> None:
        """Take bytes; raises Refused."""


class Etree:
    """`XMLPullParser` as slixmpp and others drive it."""

    def open(self) -> None:
        """Begin a new stream."""
        self.stanzas = self.depth = 0
        self.root: ET.Element | None = None
        self.parser = ET.XMLPullParser(("start", "end"))

    def feed(self, data: bytes) -> None:
        """Take bytes; raises Refused."""
        self.parser.feed(data)
        try:
            for event, element in self.parser.read_events():
                if event == "start":
                    if self.root is None:
                        self.root = element
                    self.depth += 1
                else:
                    self.depth -= 1
                    if self.depth == 1:
                        self.stanzas += 1
                        self.root.clear()
        except ET.ParseError as error:
            raise Refused(type(error).__name__) from error


class Expat:
    """`ParserCreate`, with namespaces."""

    def open(self) -> None:
        """Begin a new stream."""
        self.stanzas = self.depth = 0
        self.parser = xml.parsers.expat.ParserCreate(namespace_separator=" ")
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1

    def _end(self, name: str) -> None:
        self.depth -= 1
        self.stanzas += self.depth == 1

    def feed(self, data: bytes) -> None:
        """Take bytes; raises Refused."""
        try:
            self.parser.Parse(data)
        except xml.parsers.expat.ExpatError as error:
            raise Refused(type(error).__name__) from error


class Sax(xml.sax.ContentHandler):
    """`xml.sax.make_parser`, with namespaces, as pyjabber drives it."""

    def open(self) -> None:
        """Begin a new stream."""
        self.stanzas = self.depth = 0
        self.parser = xml.sax.make_parser()
        self.parser.setFeature(xml.sax.handler.feature_namespaces, True)
        self.parser.setFeature(xml.sax.handler.feature_external_ges, False)
        self.parser.setContentHandler(self)

    def startElementNS(self, name: Any, qname: Any, attrs: Any) -> None:
        """A start tag."""
        self.depth += 1

    def endElementNS(self, name: Any, qname: Any) -> None:
        """An end tag."""
        self.depth -= 1
        self.stanzas += self.depth == 1

    def feed(self, data: bytes) -> None:
        """Take bytes; raises Refused."""
        try:
            self.parser.feed(data)
        except xml.sax.SAXParseException as error:
            raise Refused(type(error).__name__) from error


class Slixmpp:
    """slixmpp's `XMLStream`, without a connection: its own `data_received`."""

    def __init__(self) -> None:
        """Make the stream."""
        from slixmpp.xmlstream import XMLStream

        logging.getLogger("slixmpp").setLevel(logging.CRITICAL)
        self.stream: Any = XMLStream()
        self.stream.start_stream_handler = lambda root: None
        self.stream._spawn_event = self._deliver
        self.stream.send = self._refuse
        self.stream.disconnect = lambda *arguments, **options: None

    def _deliver(self, stanza: Any) -> None:
        self.stanzas += 1

    def _refuse(self, error: Any) -> None:
        self.error = error["condition"]

    def open(self) -> None:
        """Begin a new stream."""
        self.stanzas = 0
        self.error: str | None = None
        self.stream.init_parser()

    def feed(self, data: bytes) -> None:
        """Take bytes; raises Refused."""
        self.stream.data_received(data)
        if self.error is not None:
            raise Refused(self.error)


class Twisted:
    """Twisted Words' `XmlStream`, on which wokkel builds, too."""

    def open(self) -> None:
        """Begin a new stream."""
        from twisted.words.xish import xmlstream

        self.stanzas = 0
        self.failure: Any = None
        self.stream: Any = xmlstream.XmlStream()
        self.stream.transport = self
        self.stream.connectionMade()
        self.stream.stream.ElementEvent = self._deliver
        self.stream.addObserver(xmlstream.STREAM_ERROR_EVENT, self._refuse)

    def _deliver(self, element: Any) -> None:
        self.stanzas += 1

    def _refuse(self, failure: Any) -> None:
        self.failure = failure

    def loseConnection(self) -> None:
        """There is none."""

    def feed(self, data: bytes) -> None:
        """Take bytes; raises Refused."""
        self.stream.dataReceived(data)
        if self.failure is not None:
            raise Refused(self.failure.type.__name__)


class Nbxmpp:
    """nbxmpp's `NodeBuilder`, fed with text as its TCP connection and its dispatcher do it."""

    def __init__(self) -> None:
        """Import what is needed of it."""
        from nbxmpp import dispatcher
        from nbxmpp.util import utf8_decode

        self.dispatcher = dispatcher
        self.decode = utf8_decode

    def open(self) -> None:
        """Begin a new stream."""
        self.stanzas = -1  # the header comes first
        self.rest = b""
        self.parser = self.dispatcher.NodeBuilder(dispatch_depth=2, finished=False)
        self.parser.dispatch = self._deliver

    def _deliver(self, node: Any) -> None:
        self.stanzas += 1

    def feed(self, data: bytes) -> None:
        """Take bytes; raises Refused."""
        try:
            text, self.rest = self.decode(self.rest + data)
            if not text.isprintable():  # else there is nothing to find; its search takes long
                text = self.dispatcher.INVALID_XML_RX.sub("\ufffd", text)
            self.parser.Parse(text)
        except (xml.parsers.expat.ExpatError, ValueError) as error:
            raise Refused(type(error).__name__) from error


class Aioxmpp:
    """aioxmpp's `make_parser` and `XMPPXMLProcessor`, with the errors of its stream.

    No class of stanzas is registered: each one is delivered as the exception that says so.
    """

    def __init__(self) -> None:
        """Import what is needed of it."""
        import aioxmpp.protocol
        import aioxmpp.xml
        import aioxmpp.xso

        logging.getLogger("aioxmpp").setLevel(logging.CRITICAL)
        self.aioxmpp = aioxmpp

    def open(self) -> None:
        """Begin a new stream."""
        self.stanzas = 0
        self.processor = self.aioxmpp.xml.XMPPXMLProcessor()
        self.processor.stanza_parser = self.aioxmpp.xso.XSOParser()
        self.processor.on_exception = self._deliver
        # Receiving is the part of the protocol that is of interest here.
        self._parser = self.aioxmpp.xml.make_parser()
        self._parser.setContentHandler(self.processor)
        self._logger = logging.getLogger("aioxmpp")

    def _deliver(self, error: Exception) -> None:
        self.stanzas += 1

    def feed(self, data: bytes) -> None:
        """Take bytes; raises Refused."""
        try:
            self.aioxmpp.protocol.XMLStream._rx_feed(self, data)
        except self.aioxmpp.errors.StreamError as error:
            raise Refused(error.condition.value[1]) from error


RECEIVERS: dict[str, Callable[[], Receiver]] = {
    "etree": Etree,
    "expat": Expat,
    "sax": Sax,
    "slixmpp": Slixmpp,
    "aioxmpp": Aioxmpp,
    "nbxmpp": Nbxmpp,
    "twisted": Twisted,
}

# What is installed for each, and the environment it runs in.
ADAPTERS = {
    "etree": "etree",
    "expat": "expat",
    "sax": "sax",
    "slixmpp": "slixmpp",
    "aioxmpp": "sax",
    "nbxmpp": "nbxmpp",
    "twisted": "domish",
}
ENVIRONMENTS = {
    "etree": "current",
    "expat": "current",
    "sax": "current",
    "slixmpp": "current",
    "aioxmpp": "system",
    "nbxmpp": "system",
    "twisted": "current",
}
