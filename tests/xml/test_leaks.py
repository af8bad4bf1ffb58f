"""Whatever is done with the compiled backend, over and over: memory does not grow.

Blocks of Python objects are counted exactly, memory by tracemalloc, which also sees the extension's
own allocations; a million stanzas by the size of the process.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from streams import FOOTER, HEADER, bytewise

STATM = Path("/proc/self/statm")
PAGE = 4096  # bytes; of the smallest pages there are

STANZAS = (
    b"<message to='a@b/c' from='d@e' id='1' type='chat' xml:lang='en'><body>a &amp; \xc3\xa9</body>"
    b"<x xmlns='urn:x' a='&lt;'>tail<y/>s</x></message>\n"
    b"<p:iq xmlns:p='urn:p' p:id='2'><stream:error stream:x='1'><![CDATA[<>]]></stream:error>"
    b"</p:iq>"
    b"<presence/>"
)
STREAM = HEADER + STANZAS + FOOTER
WRONG = [
    HEADER + STANZAS + end
    for end in (
        b"<a></b>",
        b"<a>&nbsp;",
        b"<a b='' b=''/>",
        b"<!-- -->",
        b"text",
        b"<a>\xff",
        b"<q:a/>",
        b"<a><b",
        b"<" + 2000 * b"a",
        300 * b"<a>",
    )
]


def everything(xml: Any, element: Any) -> Iterator[Any]:
    """All that can be asked of a stanza."""
    yield from (element.to, element.from_, element.type, element.id, element.lang, element.payload)
    yield from (element.forward(from_="x'&\n", to=None, xmlns="urn:y"), element.forward())
    yield from (xml.tostring(element), xml.tostring(element, xmlns="u", prefixes={"p": "urn:p"}))
    tree = element.to_etree()
    yield from (tree, xml.tostring(tree), element.find("*/*"), element.findtext("{*}body"))
    yield list(element.findall(".//y[1]"))
    for inner in element.iter():
        yield from (inner.tag, inner.name, inner.xmlns, inner.text, inner.tail, inner.raw)
        yield from (dict(inner.attrib), inner.get("a"), inner.get("{urn:p}id"), len(inner))
        yield from (list(inner), inner[:1], repr(inner), hash(inner), inner == element)
        yield list(inner.itertext())


def read_everything(xml: Any) -> None:
    for event in xml.StreamParser().feed(STREAM):
        if isinstance(event, xml.Stanza):
            for _ in everything(xml, event):
                pass
        elif isinstance(event, xml.StreamStart):
            _ = (event.tag, dict(event.attrib), dict(event.prefixes), event.content_namespace)
            _ = (event.to, event.from_, event.id, event.version, event.lang, event.raw, repr(event))


def read_errors(xml: Any) -> None:
    for source in WRONG:
        parser = xml.StreamParser()
        for _ in range(2):
            with suppress(xml.StreamError):
                for _ in parser.feed(source):
                    pass
                parser.close()
        with suppress(xml.StreamError):
            xml.parse(source)


def read_bytewise(xml: Any) -> None:
    parser = xml.StreamParser()
    for byte in bytewise(STREAM):
        for _ in parser.feed(byte):
            pass


def leave_unread(xml: Any) -> None:
    parser = xml.StreamParser()
    events = parser.feed(STREAM)
    next(events)
    kept = next(events)[1]
    parser.feed(STREAM[:300])
    parser.restart()
    next(parser.feed(STREAM[: len(HEADER) + 100]))
    assert kept.tag


def write_wrongly(xml: Any) -> None:
    stanza = xml.parse("<a b='c'>d</a>")
    for attempt in (
        lambda: stanza.forward(to="\0"),
        lambda: xml.escape("\ufffe"),
        lambda: xml.tostring("text"),
        lambda: xml.parse(1),
        lambda: stanza.find("["),
        lambda: stanza[3],
    ):
        with pytest.raises((ValueError, TypeError, SyntaxError, IndexError)):
            attempt()


def growth(work: Callable[[], None], rounds: int) -> tuple[int, int]:
    """Blocks and bytes that are there after the rounds and weren't before."""

    def state() -> tuple[int, int]:
        gc.collect()
        return sys.getallocatedblocks(), tracemalloc.get_traced_memory()[0]

    state()
    before = state()
    for _ in range(rounds):
        work()
    after = state()
    return after[0] - before[0], after[1] - before[1]


@pytest.mark.parametrize(
    "work", [read_everything, read_errors, read_bytewise, leave_unread, write_wrongly]
)
def test_nothing_is_left_behind(kernels, work):
    rounds = 400
    xml = kernels[-1]
    tracemalloc.start()
    try:
        for _ in range(rounds):
            work(xml)  # fills the caches, whose size is bounded
        blocks, size = growth(lambda: work(xml), rounds)
    finally:
        tracemalloc.stop()
    # What is lost in each round comes to as many as there are rounds, in objects or in bytes.
    assert blocks < rounds // 2, f"{blocks} blocks more after {rounds} rounds"
    assert size < 8 * rounds, f"{size} bytes more after {rounds} rounds"


def test_a_million_stanzas(kernels):
    xml = kernels[-1]
    parser = xml.StreamParser()
    for _ in parser.feed(HEADER):
        pass
    chunk = 1000 * b"<message to='a@b/c' id='1'><body>text</body></message>"
    sizes = []
    read = 0
    for number in range(1000):
        for stanza in parser.feed(chunk):
            read += stanza.id == "1"
        if number % 100 == 99:
            sizes.append(int(STATM.read_text().split()[1]) * PAGE if STATM.exists() else 0)
    assert read == 1_000_000
    assert sizes[-1] - sizes[0] < 2**20, sizes
