"""lxml.etree's XMLPullParser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

from bench.subjects import Subject


class PullReader:
    """As the standard library's, but a stanza is removed when the next one is complete.

    The parser is ahead of its events: to clear the root would also cut off what it is in the middle
    of, be it a stanza or the white space behind one.
    """

    __slots__ = ("_before", "_depth", "_parser")

    def __init__(self) -> None:
        self._parser: Any = etree.XMLPullParser(("start", "end"))
        self._before: Any = None
        self._depth = 0

    def feed(self, data: bytes) -> Iterator[Any]:
        """The elements that are complete with these bytes."""
        self._parser.feed(data)
        for event, element in self._parser.read_events():
            if event == "start":
                self._depth += 1
            else:
                self._depth -= 1
                if self._depth == 1:
                    if self._before is not None:
                        self._before.getparent().remove(self._before)
                    self._before = element
                    yield element


def _write(element: Any) -> bytes:
    written: bytes = etree.tostring(element, with_tail=False)
    return written


def _forward(element: Any, sender: str) -> bytes:
    element.set("from", sender)
    return _write(element)


def stock() -> Subject:
    """Start and end events."""
    return Subject(open=PullReader, content=lambda element: element, write=_write, forward=_forward)
