"""Each event comes with the very byte that completes it, wherever the input is cut."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from captured import cut_stanzas, tags_by
from shared_data import needs_data

from xmppfast.adapters import etree, expat
from xmppfast.adapters._etree import StanzaPullParser

Feed = Callable[[bytes], int]
"""Takes bytes; returns how many starts and ends of elements it reported."""


def pull_parser(parser: etree.PullParser) -> Feed:
    """An ElementTree parser; the root is cleared like slixmpp does it."""
    roots = []

    def feed(data: bytes) -> int:
        parser.feed(data)
        events = list(parser.read_events())
        if not roots:
            roots.append(events[0][1])
        roots[0].clear()
        return len(events)

    return feed


def expat_parser() -> Feed:
    """Handlers that count."""
    parser = expat.ParserCreate(namespace_separator=" ")
    count = 0

    def handle(*_: object) -> None:
        nonlocal count
        count += 1

    def feed(data: bytes) -> int:
        before = count
        parser.Parse(data)
        return count - before

    parser.StartElementHandler = parser.EndElementHandler = handle
    return feed


@needs_data
@pytest.mark.parametrize(
    "make", [lambda: pull_parser(etree.XMLPullParser(("start", "end"))), expat_parser],
    ids=["etree", "expat"],
)
def test_every_tag_of_every_recorded_stanza(make):
    feeds: dict[bytes, Feed] = {}
    for header, stanza, places in cut_stanzas():
        if header not in feeds:
            feeds[header] = make()
            assert feeds[header](header) == 1
        feed = feeds[header]
        complete = tags_by(stanza)
        for cut in places:
            assert feed(stanza[:cut]) == complete[cut], (stanza, cut)
            assert feed(stanza[cut:]) == complete[-1] - complete[cut], (stanza, cut)
    assert len(feeds) > 50


@needs_data
def test_every_recorded_stanza_as_slixmpp_gets_it():
    feeds: dict[bytes, Feed] = {}
    for header, stanza, places in cut_stanzas():
        if header not in feeds:
            feeds[header] = pull_parser(StanzaPullParser())
            assert feeds[header](header) == 1
        feed = feeds[header]
        for cut in places:
            assert feed(stanza[:cut]) == (2 if cut == len(stanza) else 0), (stanza, cut)
            assert feed(stanza[cut:]) == (0 if cut == len(stanza) else 2), (stanza, cut)
    assert len(feeds) > 50


def test_the_last_byte_of_a_tag_is_enough():
    feed = expat_parser()
    reported = [feed(bytes([byte])) for byte in b"<a><b x='>'>t</b ><c/> </a>"]
    expected = [0] * 27
    expected[2] = expected[11] = expected[17] = expected[26] = 1
    expected[21] = 2
    assert reported == expected
