"""Streams for tests: their beginnings, ways to cut them, and what a parser makes of them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

HEADER = (
    b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    b" to='example.org' version='1.0'>"
)
FOOTER = b"</stream:stream>"
STREAM = "{http://etherx.jabber.org/streams}stream"

_ERRORS_DEF = Path(__file__).parent.parent / "src_c" / "errors.def"


def error_definitions() -> dict[str, tuple[str, str]]:
    """Condition and text by code, as the tokenizer's own table has them."""
    source = _ERRORS_DEF.read_text(encoding="utf-8")
    lines = re.findall(r'^XF_ERROR\((\w+), (\w+), "(.*?)"\)', source, re.MULTILINE)
    return {code: (condition.replace("_", "-"), text) for code, condition, text in lines}


class Fault(NamedTuple):
    """A StreamError as plain values."""

    condition: str
    text: str
    offset: int
    line: int
    column: int


class Reading(NamedTuple):
    """Everything a parser said about some input."""

    events: list[Any]
    fault: Fault | None


def fault(error: Any) -> Fault:
    """The observable values of a StreamError."""
    return Fault(error.condition.value, error.text, error.offset, error.line, error.column)


def place(data: bytes, offset: int) -> tuple[int, int]:
    """Line and column of an offset, both from 1, columns in bytes."""
    before = data[:offset]
    return before.count(b"\n") + 1, offset - (before.rfind(b"\n") + 1) + 1


def content(element: Any) -> list[tuple[Any, ...]]:
    """An element's content, flat and in document order, of ours or of ElementTree."""
    rows: list[tuple[Any, ...]] = []
    stack = [(0, element)]
    while stack:
        level, here = stack.pop()
        tail = here.tail if level else None
        rows.append((level, here.tag, list(here.attrib.items()), here.text, tail))
        stack.extend((level + 1, child) for child in reversed(list(here)))
    return rows


def describe(event: Any) -> tuple[Any, ...]:
    """All that can be seen of an event."""
    kind = type(event).__name__
    if kind == "Stanza":
        return (
            kind,
            event.raw,
            event.to,
            event.from_,
            event.type,
            event.id,
            event.lang,
            event.payload,
            content(event),
        )
    if kind == "StreamStart":
        return (
            kind,
            event.raw,
            event.tag,
            event.name,
            event.xmlns,
            list(event.attrib.items()),
            event.to,
            event.from_,
            event.id,
            event.version,
            event.lang,
            event.default_namespace,
            event.content_namespace,
            dict(event.prefixes),
        )
    return (kind, event.raw)


def outline(event: Any) -> tuple[Any, ...]:
    """An event's kind and bytes: cheap, for the many readings of every-split tests."""
    return (type(event).__name__, event.raw)


def read(
    xml: Any,
    chunks: Iterable[Any],
    *,
    limits: Any = None,
    restart_after: Collection[int] = (),
    see: Callable[[Any], Any] = describe,
) -> Reading:
    """Feed the chunks and close; `restart_after` has the counts of events that end a stream."""
    parser = xml.StreamParser(limits=limits) if limits is not None else xml.StreamParser()
    events: list[Any] = []
    try:
        for chunk in chunks:
            for event in parser.feed(chunk):
                events.append(see(event))
                if len(events) in restart_after:
                    parser.restart()
        parser.close()
    except xml.StreamError as error:
        return Reading(events, fault(error))
    return Reading(events, None)


def bytewise(data: bytes) -> Iterator[bytes]:
    """One byte at a time."""
    return (data[i : i + 1] for i in range(len(data)))


def cut(data: bytes, offsets: Iterable[int]) -> list[bytes]:
    """The data cut at these offsets."""
    edges = [0, *sorted(offsets), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


def every_split(data: bytes) -> Iterator[list[bytes]]:
    """The data in two pieces, in all ways."""
    return ([data[:i], data[i:]] for i in range(1, len(data)))


def stanzas(xml: Any, data: bytes, **keywords: Any) -> list[Any]:
    """The stanzas of a stream given without its header and end."""
    parser = xml.StreamParser(**keywords)
    return [e for e in parser.feed(HEADER + data) if isinstance(e, xml.Stanza)]
