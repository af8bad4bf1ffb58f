"""xml.etree.ElementTree, as a program that reads a stream with it would."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

from bench.subjects import Chunks


def stanzas(chunks: Chunks) -> Iterator[ET.Element]:
    """Each stanza as it is complete; the root is cleared behind it."""
    parser: Any = ET.XMLPullParser(("start", "end"))
    root = None
    depth = 0
    for chunk in (*chunks, None):
        if chunk is None:
            parser.close()
        else:
            parser.feed(chunk)
        for event, element in parser.read_events():
            if event == "start":
                if depth == 0:
                    root = element
                depth += 1
            else:
                depth -= 1
                if depth == 1 and root is not None:
                    yield element
                    root.clear()


def pull_parser(chunks: Chunks) -> int:
    """The baseline: XMLPullParser, start and end, the root cleared per stanza."""
    parser: Any = ET.XMLPullParser(("start", "end"))
    feed, read_events = parser.feed, parser.read_events
    count = depth = 0
    root = ET.Element("")
    for chunk in (*chunks, None):
        if chunk is None:
            parser.close()  # newer versions of expat may hold the last events back until then
        else:
            feed(chunk)
        for event, element in read_events():
            if event == "start":
                if depth == 0:
                    root = element
                depth += 1
            else:
                depth -= 1
                if depth == 1:
                    count += 1
                    root.clear()
    return count
