"""slixmpp with our parser: its own data_received, and what it makes of a stream."""

from __future__ import annotations

import importlib
import sys
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from captured import chunks, streams
from hosts import host
from shared_data import needs_data
from streams import HEADER

from xmppfast import Limits
from xmppfast.adapters import slixmpp as adapter

host("slixmpp")
XMLStream = host("slixmpp.xmlstream.xmlstream").XMLStream
tostring_module = host("slixmpp.xmlstream.tostring")


class Stream:
    """As much of slixmpp's stream as its data_received needs; what it is told is written down."""

    default_ns = "jabber:client"
    stream_ns = "http://etherx.jabber.org/streams"
    namespace_map: dict[str, str] = {}  # noqa: RUF012
    use_cdata = False
    disconnect_reason = ""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.on_stanza: Any = None
        XMLStream.init_parser(self)

    def start_stream_handler(self, root: ET.Element) -> None:
        """The stream header."""
        self.told.append(("start", root.tag, dict(root.attrib)))

    def _spawn_event(self, stanza: ET.Element) -> None:
        assert type(stanza) is ET.Element
        self.told.append(("stanza", content(stanza)))
        if self.on_stanza:
            self.on_stanza(stanza)

    def abort(self) -> None:
        """The end of the stream."""
        self.told.append("end")

    def send(self, error: Any) -> None:
        """An error for the peer."""
        self.told.append(("error", error["condition"]))

    def disconnect(self) -> None:
        """After an error."""

    def read(self, pieces: Any) -> list[Any]:
        """All that it was told."""
        for piece in pieces:
            XMLStream.data_received(self, piece)
        return self.told


def content(element: ET.Element) -> list[tuple[Any, ...]]:
    """All there is in a tree, without the tail of its root: that depends on what came with it."""
    found = [(e.tag, dict(e.attrib), e.text, e.tail) for e in element.iter()]
    return [found[0][:3], *found[1:]]


@pytest.fixture
def installed():
    """Slixmpp with our parser."""
    with adapter.installed():
        yield


def with_stock(pieces: Any) -> list[Any]:
    """What slixmpp does with its own parser."""
    return Stream().read(pieces)


def with_ours(pieces: Any, **options: Any) -> list[Any]:
    """What it does with ours."""
    with adapter.installed(**options):
        return Stream().read(pieces)


@needs_data
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_recorded_streams_read_the_same(size):
    count = 0
    for stream in streams():
        if stream.name.startswith("errors-") or (size == 1 and len(stream.data) > 50_000):
            continue
        pieces = list(chunks(stream.data, size))
        # At once, as otherwise it may hold something back.
        assert with_ours(pieces) == with_stock([stream.data]), stream.name
        count += 1
    assert count > 100


def test_a_stream_from_its_header_to_its_end():
    pieces = [HEADER, "<message><body>\u00e9</body></message> <iq/>", b"<presence/", b"></str"]
    pieces.append("eam:stream>")
    told = with_ours(pieces)
    assert [what[0] for what in told[:-1]] == ["start", "stanza", "stanza", "stanza"]
    assert told[-1] == "end"
    assert told == with_stock(pieces)


def test_an_error_is_answered_after_what_came_before_it():
    document = HEADER + b"<iq/><presence/><message>]]></message><iq/>"
    told = with_ours([document])
    assert [what[0] for what in told] == ["start", "stanza", "stanza", "error"]
    assert told == with_stock([document])


@pytest.mark.usefixtures("installed")
def test_a_stream_that_begins_anew_inside_a_handler():
    stream = Stream()

    def restart(stanza: ET.Element) -> None:
        if stanza.tag.endswith("success"):
            XMLStream.init_parser(stream)

    stream.on_stanza = restart
    parser = stream.parser
    stream.read([HEADER + b"<success/>"])
    assert stream.parser is not parser
    stream.read([HEADER, b"<iq/>", b"</stream:stream>"])
    assert [what[0] for what in stream.told[:-1]] == ["start", "stanza", "start", "stanza"]


@pytest.mark.usefixtures("installed")
def test_the_root_stays_empty():
    stream = Stream()
    stream.read([HEADER, b"<a/>" * 10])
    assert len(stream.xml_root) == 0


def test_options_are_for_the_parsers_made():
    document = HEADER + b"<!-- x --><a/>text<a><b/></a>"
    assert [what[0] for what in with_ours([document])] == ["start", "error"]
    told = with_ours([document], compat=True)
    assert told == with_stock([document])
    told = with_ours([HEADER + b"<a><b/></a>"], limits=Limits(depth=1))
    assert told[-1] == ("error", "not-well-formed")


def test_install_and_back():
    stanzabase = importlib.import_module("slixmpp.xmlstream.stanzabase")
    stock = XMLStream.init_parser, tostring_module.tostring, stanzabase.tostring
    adapter.install()
    adapter.install()
    with adapter.installed():
        assert tostring_module.tostring is stanzabase.tostring is adapter.tostring
    assert XMLStream.init_parser is not stock[0]
    late = type(tostring_module)("late")
    exec("from slixmpp.xmlstream.tostring import tostring", vars(late))
    sys.modules["late"] = late
    try:
        adapter.uninstall()
        assert vars(late)["tostring"] is stock[1]
    finally:
        del sys.modules["late"]
    adapter.uninstall()
    assert (XMLStream.init_parser, tostring_module.tostring, stanzabase.tostring) == stock
