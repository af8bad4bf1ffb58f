"""The pull parser beside ElementTree's own."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest
from captured import chunks, streams
from shared_data import needs_data

from xmppfast.adapters import etree

ALL = ("start", "end", "start-ns", "end-ns")


def content(element: ET.Element) -> list[tuple[Any, ...]]:
    """All there is in a tree, in document order."""
    return [(e.tag, dict(e.attrib), e.text, e.tail, len(e)) for e in element.iter()]


def read(make: Any, pieces: Any) -> tuple[list[Any], Any, bool]:
    """The events' names, the tree, and whether an error ended it."""
    parser = make(ALL)
    events: list[Any] = []
    root = None
    for piece in pieces:
        parser.feed(piece)
        try:
            for event, about in parser.read_events():
                if root is None and event == "start":
                    root = about
                events.append((event, about.tag if ET.iselement(about) else about))
        except ET.ParseError:
            return events, None if root is None else content(root), True
    return events, None if root is None else content(root), False


@needs_data
@pytest.mark.parametrize("size", [1, 7, 4096, 1 << 30])
def test_recorded_streams_read_as_by_elementtree(size):
    count = 0
    for stream in streams():
        if stream.name.startswith("errors-"):  # what XMPP forbids, some of it good XML
            continue
        pieces = list(chunks(stream.data, size))
        assert read(etree.XMLPullParser, pieces) == read(ET.XMLPullParser, pieces), stream.name
        count += 1
    assert count > 100
