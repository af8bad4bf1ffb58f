"""Recorded sessions come out as their stanzas, byte for byte, however they are cut."""

from __future__ import annotations

import functools
import random
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import pytest
from shared_data import DATA, capture_names, needs_data, records
from streams import Reading, content, cut, error_definitions, every_split, fault, outline

pytestmark = needs_data

ERRORS = error_definitions()

# What the raw scripts sent that no XMPP parser may accept: the error, its offset, and how many
# events come before it. The records beside the captures are a general XML parser's.
FAULTS = {
    "abrupt-eof-mid-tag": ("UNFINISHED", 494, 5),
    "amp-bare": ("REFERENCE", 495, 5),
    "bad-utf8": ("NOT_UTF8", 514, 5),
    "bom": ("TEXT_BEFORE_ROOT", 0, 0),
    "cdata-end-in-text": ("CDATA_END", 516, 5),
    "charref-nul": ("REFERENCE_CHAR", 514, 5),
    "charref-surrogate": ("REFERENCE_CHAR", 514, 5),
    "close-no-stream": ("MARKUP", 0, 0),
    "comment-in-stream": ("COMMENT", 478, 5),
    "control-char": ("CHAR", 514, 5),
    "data-after-close": ("AFTER_ROOT", 494, 6),
    "doctype": ("DOCTYPE", 21, 0),
    "dup-attr": ("DUPLICATE", 504, 5),
    "dup-ns-attr": ("DUPLICATE", 519, 5),
    "entity-ref": ("ENTITY", 514, 5),
    "flash-policy": ("CHAR", 22, 2),
    "http-get": ("TEXT_BEFORE_ROOT", 0, 0),
    "leading-newline": ("XML_DECLARATION_PLACE", 1, 0),
    "leading-space": ("XML_DECLARATION_PLACE", 1, 0),
    "lt-in-attr": ("LT_IN_VALUE", 492, 5),
    "mismatched-tag": ("MISMATCH", 494, 5),
    "nul-byte": ("CHAR", 0, 0),
    "overlong-utf8": ("NOT_UTF8", 514, 5),
    "pi-in-stream": ("INSTRUCTION", 478, 5),
    "text-between-stanzas": ("TEXT_IN_STREAM", 478, 5),
    "tls-hello": ("CHAR", 0, 0),
    "ufffe": ("CHAR", 514, 5),
    "unbound-prefix": ("PREFIX", 488, 5),
    "unquoted-attr": ("TAG", 490, 5),
    "utf16": ("NOT_UTF8", 0, 0),
    "utf8-surrogate": ("NOT_UTF8", 514, 5),
    "xmldecl-1.1": ("XML_VERSION", 0, 0),
    "xmldecl-latin1": ("ENCODING", 0, 0),
}

# What those scripts sent last before most of the faults.
PRESENCE = b"<presence/>"


class Capture(NamedTuple):
    """One direction of a recorded session, and what is to come of it.

    A new stream begins after some count of events, which is where `restart` is called from inside
    the loop. Where white space of the old stream comes before it, it begins at an offset.
    """

    data: bytes
    chunks: list[bytes]
    outlines: list[tuple[str, bytes]]
    tags: list[str | None]
    restarts: frozenset[int]
    breaks: frozenset[int]
    fault: tuple[str, int] | None


def expected_fault(name: str, direction: str) -> tuple[str, int, int] | None:
    """Error, offset and count of events before it."""
    if direction == "c2s":
        for case, expected in FAULTS.items():
            if name.endswith(f"-raw-{case}"):
                return expected
        if name.endswith("-directtls-attempt"):
            return ("CHAR", 0, 0)
    return None


@functools.cache
def capture(name: str, direction: str) -> Capture:
    """Read a capture and turn its records into events."""
    data = (DATA / "captures" / name / f"{direction}.bin").read_bytes()
    wrong = expected_fault(name, direction)
    outlines: list[tuple[str, bytes]] = []
    tags: list[str | None] = []
    restarts = set()
    breaks = set()
    stream = 1
    for record in records(f"captures/{name}/stanzas.jsonl"):
        if record["d"] != direction or record.get("kind") in ("space", "text"):
            continue
        if wrong and len(outlines) == wrong[2]:
            break
        begin, end = record["o"], record["o"] + record["n"]
        if record["s"] != stream:
            stream = record["s"]
            if data[begin - 1 : begin] == b">":
                restarts.add(len(outlines))
            else:
                breaks.add(begin)
        if wrong and data.startswith(PRESENCE, begin):
            # The records count what follows up to the error as part of it.
            end = begin + len(PRESENCE)
        kind = {"open": "StreamStart", "close": "StreamEnd"}.get(record.get("kind"), "Stanza")
        outlines.append((kind, data[begin:end]))
        tags.append(record.get("name"))
    if name.endswith("-raw-stream-in-stream") and direction == "c2s":
        # The records take it for a new stream. No parser can know that.
        outlines.append(("Stanza", b"<stream:stream/>"))
        tags.append("{http://etherx.jabber.org/streams}stream")
    chunks = [
        data[record["o"] : record["o"] + record["n"]]
        for record in records(f"captures/{name}/chunks.jsonl")
        if record.get("d") == direction
    ]
    return Capture(
        data=data,
        chunks=chunks,
        outlines=outlines,
        tags=tags,
        restarts=frozenset(restarts),
        breaks=frozenset(breaks),
        fault=wrong[:2] if wrong else None,
    )


def pieces(chunks: Iterable[bytes], breaks: frozenset[int]) -> Iterator[tuple[int, bytes]]:
    """The chunks with their offsets, cut at the breaks too."""
    begin = 0
    for chunk in chunks:
        inside = [at - begin for at in breaks if begin < at < begin + len(chunk)]
        at = begin
        for piece in cut(chunk, inside):
            yield at, piece
            at += len(piece)
        begin = at


def events_of(xml: Any, it: Capture, chunks: Iterable[bytes]) -> Iterator[Any]:
    """The events of a capture; raises its error."""
    # Some of the raw scripts' stanzas are beyond the defaults.
    limits = xml.Limits(
        stanza_bytes=4_000_000,
        depth=30_000,
        attributes=20_000,
        children=200_000,
        name_bytes=200_000,
    )
    parser = xml.StreamParser(limits=limits)
    count = 0
    for at, piece in pieces(chunks, it.breaks):
        if at in it.breaks:
            parser.restart()
        for event in parser.feed(piece):
            yield event
            count += 1
            if count in it.restarts:
                parser.restart()
    parser.close()


def read_capture(xml: Any, it: Capture, chunks: Iterable[bytes]) -> Reading:
    """Kind and bytes of all events, and the error."""
    events: list[Any] = []
    try:
        events.extend(outline(event) for event in events_of(xml, it, chunks))
    except xml.StreamError as error:
        return Reading(events, fault(error))
    return Reading(events, None)


def directions() -> list[Any]:
    """All captures, both ways."""
    return [pytest.param(n, d, id=f"{n}-{d}") for n in capture_names() for d in ("c2s", "s2c")]


# Longer ones are fed in small pieces instead, to keep the suite quick.
BYTEWISE = 30_000
EVERY_SPLIT = 1_000
RANDOM_CUTS = 40


@pytest.mark.parametrize(("name", "direction"), directions())
def test_a_capture(xml, name, direction):
    it = capture(name, direction)
    assert b"".join(it.chunks) == it.data
    whole = read_capture(xml, it, [it.data])
    assert whole.events == it.outlines
    if it.fault is None:
        assert whole.fault is None
    else:
        code, offset = it.fault
        assert whole.fault is not None
        assert (whole.fault.condition, whole.fault.text) == ERRORS[code]
        assert whole.fault.offset == offset
    assert read_capture(xml, it, it.chunks) == whole
    size = 1 if len(it.data) <= BYTEWISE else 23
    small = (it.data[i : i + size] for i in range(0, len(it.data), size))
    assert read_capture(xml, it, small) == whole
    edges = [random.randrange(len(it.data) + 1) for _ in range(RANDOM_CUTS)]
    assert read_capture(xml, it, cut(it.data, edges)) == whole, edges


@pytest.mark.parametrize(("name", "direction"), directions())
def test_the_raw_pieces_are_the_input(xml, name, direction):
    """What the events leave out of the bytes before an error is white space."""
    it = capture(name, direction)
    position = 0
    for _, raw in read_capture(xml, it, [it.data]).events:
        at = it.data.index(raw, position)
        assert it.data[position:at].strip(b" \t\r\n") == b""
        position = at + len(raw)
    if it.fault is None:
        assert it.data[position:].strip(b" \t\r\n") == b""


def short_captures() -> list[Any]:
    """Those short enough for every split, each content once."""
    found: dict[bytes, Any] = {}
    if DATA.is_dir():
        for name in capture_names():
            for direction in ("c2s", "s2c"):
                data = capture(name, direction).data
                if len(data) <= EVERY_SPLIT:
                    case = pytest.param(name, direction, id=f"{name}-{direction}")
                    # The answers to the raw scripts differ in the stream's id only.
                    found.setdefault(data[-200:], case)
    return list(found.values())


@pytest.mark.parametrize(("name", "direction"), short_captures())
def test_a_short_capture_at_every_split(xml, name, direction):
    it = capture(name, direction)
    whole = read_capture(xml, it, [it.data])
    for chunks in every_split(it.data):
        assert read_capture(xml, it, chunks) == whole, len(chunks[0])


@pytest.mark.parametrize(("name", "direction"), directions())
def test_content_of_a_capture(xml, name, direction):
    """Names are the records', and content is what ElementTree reads of the same bytes."""
    it = capture(name, direction)
    count = 0
    header = b""
    try:
        for event in events_of(xml, it, [it.data]):
            if isinstance(event, xml.StreamStart):
                header = event.raw
                root = ET.fromstring(header if header.endswith(b"/>") else header + closing(header))
                assert event.tag == it.tags[count] == root.tag
                assert dict(event.attrib) == root.attrib
            elif isinstance(event, xml.Stanza):
                (tree,) = ET.fromstring(header + event.raw + closing(header))
                assert event.tag == it.tags[count]
                assert content(event) == content(tree)
            count += 1
    except xml.StreamError:
        assert it.fault is not None
    assert count == len(it.outlines)


def closing(header: bytes) -> bytes:
    """End tag for a stream header."""
    name = header[header.rindex(b"<") + 1 :].split(None, 1)[0].rstrip(b">")
    return b"</" + name + b">"
