"""xml.etree.ElementTree's XMLPullParser, as a program that reads a stream with it would."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from bench.subjects import Chunks, Subject

_EVENTS = ("start", "end")


class PullReader:
    """Start and end events are taken; the root is cleared behind every stanza."""

    __slots__ = ("_depth", "_parser", "_root")

    def __init__(self, parser: Any) -> None:
        self._parser = parser
        self._root: Any = None
        self._depth = 0

    def feed(self, data: bytes) -> Iterator[Any]:
        """The elements that are complete with these bytes."""
        self._parser.feed(data)
        return self.complete()

    def complete(self) -> Iterator[Any]:
        """The elements whose events wait."""
        for event, element in self._parser.read_events():
            if event == "start":
                if self._depth == 0:
                    self._root = element
                self._depth += 1
            else:
                self._depth -= 1
                if self._depth == 1:
                    yield element
                    self._root.clear()


def read(parser_type: Callable[[Any], Any], chunks: Chunks) -> int:
    """Count the stanzas of a whole stream; XMLPullParser, or one with its surface."""
    parser = parser_type(_EVENTS)
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


def pull_parser(chunks: Chunks) -> int:
    """The baseline: XMLPullParser, start and end, the root cleared per stanza."""
    return read(ET.XMLPullParser, chunks)


def stanzas(chunks: Chunks) -> Iterator[ET.Element]:
    """Each stanza of a whole stream as it is complete."""
    parser: Any = ET.XMLPullParser(_EVENTS)
    reader = PullReader(parser)
    for chunk in chunks:
        yield from reader.feed(chunk)
    parser.close()
    yield from reader.complete()


def subject(parser_type: Callable[[Any], Any], tostring: Callable[[Any], bytes]) -> Subject:
    """The subject for a parser with the surface of XMLPullParser, and its serializer."""

    def forward(element: Any, sender: str) -> bytes:
        element.set("from", sender)
        return tostring(element)

    return Subject(
        open=lambda: PullReader(parser_type(_EVENTS)),
        content=lambda element: element,
        read=partial(read, parser_type),
        write=tostring,
        forward=forward,
    )


def stock() -> Subject:
    """The standard library's."""
    return subject(ET.XMLPullParser, ET.tostring)


def adapter() -> Subject:
    """The same surface on xmppfast."""
    from xmppfast.adapters import etree

    return subject(etree.XMLPullParser, etree.tostring)
