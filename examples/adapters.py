"""Programs written for other parsers, with xmppfast under them.

    python examples/adapters.py

slixmpp, Twisted Words and nbxmpp are switched in the same way: xmppfast.adapters.slixmpp.install().
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
import xml.sax
from typing import Any
from xml.sax import handler

from xmppfast.adapters import etree, sax

HEADER = b"<s:stream xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams'>"
IQ = b"<iq type='result' id='1'/>"


def pull() -> None:
    """A program on ElementTree's pull parser."""
    parser: Any = ET.XMLPullParser(("start", "end"))
    parser.feed(HEADER + IQ)
    print("ElementTree:", [(event, element.tag) for event, element in parser.read_events()])


class Stanzas(handler.ContentHandler):
    """Prints what is at depth 1."""

    depth = 0

    def startElementNS(self, name: Any, qname: Any, attributes: Any) -> None:
        """Handle a start tag."""
        if self.depth == 1:
            print("SAX:", name, dict(attributes))
        self.depth += 1

    def endElementNS(self, name: Any, qname: Any) -> None:
        """Handle an end tag."""
        self.depth -= 1


def handle() -> None:
    """A program on SAX."""
    reader: Any = xml.sax.make_parser()
    reader.setFeature(handler.feature_namespaces, True)
    reader.setContentHandler(Stanzas())
    reader.feed(HEADER)
    reader.feed(IQ)
    try:
        reader.feed(b"<message><body>&copy;</body></message>")
    except xml.sax.SAXParseException as error:
        print("SAX refuses:", error.getMessage(), "at line", error.getLineNumber())


with etree.installed(), sax.installed():
    pull()
    handle()
print("switched back:", ET.XMLPullParser is not etree.XMLPullParser)
