"""A stanza that has arrived, and isn't delivered: expat's parsers, and ours in their place.

Each library that is installed here gets the same bytes as they may come from the network: a stream
header, then a stanza of one tag in two reads. docs/held_back.md explains what happens.
"""

from __future__ import annotations

import importlib
import logging
import pyexpat
import warnings
import xml.etree.ElementTree as ET
import xml.sax
from collections.abc import Callable
from typing import Any

HEADER = (
    "<stream:stream from='example.com' id='s1' version='1.0' xmlns='jabber:client'"
    " xmlns:stream='http://etherx.jabber.org/streams'>"
)
READS = ["<presence from='juliet@example.com/balcony'", " type='unavailable'/>"]
STANZA = "".join(READS)

Feed = Callable[[str], object]
Deliver = Callable[[], None]
module: Callable[[str], Any] = importlib.import_module


def etree(deliver: Deliver) -> Feed:
    """ElementTree's pull parser."""
    parser: Any = ET.XMLPullParser(["start", "end"])
    depth = 0

    def feed(data: str) -> None:
        nonlocal depth
        parser.feed(data)
        for event, _ in parser.read_events():
            depth += 1 if event == "start" else -1
            if (event, depth) == ("end", 1):
                deliver()

    return feed


def expat(deliver: Deliver) -> Feed:
    """The parser of the standard library under most of the others."""
    parser = module("xml.parsers.expat").ParserCreate()
    parser.EndElementHandler = lambda name: deliver()
    feed: Feed = parser.Parse
    return feed


def slixmpp(deliver: Deliver) -> Feed:
    """The stream of slixmpp, and what is built on it: slidge, poezio, bots."""
    stream = module("slixmpp.xmlstream").XMLStream()
    stream.start_stream_handler = lambda root: None
    stream._spawn_event = lambda stanza: deliver()
    stream.init_parser()
    return lambda data: stream.data_received(data.encode())


def aioxmpp(deliver: Deliver) -> Feed:
    """The SAX parser that aioxmpp makes."""

    class Handler(xml.sax.ContentHandler):
        def endElementNS(self, name: tuple[str | None, str], qname: str | None) -> None:
            deliver()

    parser = module("aioxmpp.xml").make_parser()
    parser.setContentHandler(Handler())
    return lambda data: parser.feed(data.encode())


def nbxmpp(deliver: Deliver) -> Feed:
    """The builder of nodes of nbxmpp, in Gajim."""
    builder = module("nbxmpp.simplexml").NodeBuilder(dispatch_depth=2, finished=False)
    builder.dispatch = lambda node: deliver() if node.getName() == "presence" else None
    feed: Feed = builder.Parse
    return feed


def twisted(deliver: Deliver) -> Feed:
    """Twisted Words' stream of elements, and wokkel on it."""
    stream = module("twisted.words.xish.domish").elementStream()
    stream.DocumentStartEvent = lambda root: None
    stream.ElementEvent = lambda element: deliver()
    return lambda data: stream.parse(data.encode())


HOSTS: list[tuple[Callable[[Deliver], Feed], str]] = [
    (etree, "etree"),
    (expat, "expat"),
    (slixmpp, "slixmpp"),
    (aioxmpp, "sax"),
    (nbxmpp, "nbxmpp"),
    (twisted, "domish"),
]


def delivered(host: Callable[[Deliver], Feed]) -> str:
    """When the stanza came out, in words."""
    count = 0

    def deliver() -> None:
        nonlocal count
        count += 1

    feed = host(deliver)
    feed(HEADER)
    for data in READS:
        feed(data)
    if count:
        return "delivered with its last byte"
    feed(" ")
    if count:
        return "HELD BACK until the next byte"
    feed("<r xmlns='urn:xmpp:sm:3'/>")
    if count:
        return "HELD BACK, a keepalive later, too, until the next stanza"
    return "HELD BACK, a keepalive and the next stanza later, too"


def main() -> None:
    """Every host with its own parser, and with ours in its place."""
    logging.disable()
    warnings.simplefilter("ignore")  # theirs, about each other's versions
    print(f"{pyexpat.EXPAT_VERSION}; in two reads: {STANZA}")
    for host, name in HOSTS:
        try:
            stock = delivered(host)
        except (ImportError, ValueError) as error:  # PyGObject raises the latter
            print(f"{host.__name__:8} not here: {error}")
            continue
        with module(f"xmppfast.adapters.{name}").installed():
            ours = delivered(host)
        print(f"{host.__name__:8} its parser: {stock}\n{'':8} ours:       {ours}")


if __name__ == "__main__":
    main()
