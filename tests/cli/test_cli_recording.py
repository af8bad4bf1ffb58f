"""Where events stand in a recording, and where a new stream begins in it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import chain

import pytest
from shared_data import DATA, capture_names, needs_data
from streams import bytewise, cut, every_split

from xmppfast import StreamCondition, StreamError, StreamParser
from xmppfast.cli.recording import Recording

NAMESPACES = b"xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
HEADER = b"<stream:stream " + NAMESPACES + b">"
DECLARATION = b"<?xml version='1.0'?>"
PROCEED = b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
END = b"</stream:stream>"

Rows = list[tuple[int, int, str, int]]


def rows(chunks: Iterable[bytes], *, chunk_size: int = 65536, restarts: bool = True) -> Rows:
    """Stream, offset, kind and length of every event."""
    recording = Recording(StreamParser(), chunk_size=chunk_size, restarts=restarts)
    events = [placed for chunk in chunks for placed in recording.read(chunk)]
    events += recording.close()
    return [(e.stream, e.offset, type(e.event).__name__, len(e.event.raw)) for e in events]


def failure(chunks: Iterable[bytes], *, restarts: bool = True) -> StreamError:
    """The error that reading these chunks ends with."""
    with pytest.raises(StreamError) as caught:
        rows(chunks, restarts=restarts)
    return caught.value


def laid_out(*pieces: tuple[int, str, bytes]) -> tuple[bytes, Rows]:
    """The pieces as one recording, and the events expected; white space has the kind ""."""
    data, expected = b"", []
    for stream, kind, piece in pieces:
        if kind:
            expected.append((stream, len(data), kind, len(piece)))
        data += piece
    return data, expected


RECORDINGS = {
    "one stream": laid_out(
        (1, "StreamStart", DECLARATION + b"\n" + HEADER),
        (1, "", b" \n"),
        (1, "Stanza", b"<presence/>"),
        (1, "Stanza", b"<message><body>a</body></message>"),
        (1, "", b"\n"),
        (1, "StreamEnd", END),
        (1, "", b"\n"),
    ),
    "restart with a declaration": laid_out(
        (1, "StreamStart", HEADER),
        (1, "Stanza", PROCEED),
        (2, "StreamStart", DECLARATION + HEADER),
        (2, "Stanza", b"<a/>"),
    ),
    "restart with a header alone": laid_out(
        (1, "StreamStart", DECLARATION + HEADER),
        (1, "Stanza", b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
        (2, "StreamStart", HEADER),
        (3, "StreamStart", HEADER),
        (3, "StreamEnd", END),
    ),
    "white space before the declaration of a new stream": laid_out(
        (1, "StreamStart", HEADER),
        (1, "Stanza", PROCEED),
        (1, "", b"\r\n \t"),
        (2, "StreamStart", DECLARATION + HEADER),
    ),
    "another prefix in each stream": laid_out(
        (1, "StreamStart", b"<s:stream xmlns:s='http://etherx.jabber.org/streams'>"),
        (2, "StreamStart", DECLARATION + b"<stream xmlns='http://etherx.jabber.org/streams'>"),
        (3, "StreamStart", b"<stream\nxmlns='http://etherx.jabber.org/streams'>"),
        (3, "Stanza", b"<streams/>"),
    ),
    "a name that begins as the root's does": laid_out(
        (1, "StreamStart", HEADER),
        (1, "Stanza", b"<stream:streams/>"),
        (1, "Stanza", b"<stream:stream-like></stream:stream-like>"),
    ),
    "what looks like a header inside of a stanza": laid_out(
        (1, "StreamStart", b"<stream xmlns='http://etherx.jabber.org/streams'>"),
        (1, "Stanza", b"<a><![CDATA[<?xml <stream >]]><stream ></stream><stream/></a>"),
        (2, "StreamStart", b"<stream>"),
    ),
    "'>' in the header": laid_out(
        (1, "StreamStart", b"<r a='>' b='/>'>"),
        (2, "StreamStart", b"<r a='>>'>"),
        (2, "Stanza", b"<s/>"),
    ),
    "a header that closes itself": laid_out(
        (1, "StreamStart", b"<r/>"),
        (1, "StreamEnd", b""),
        (1, "", b"\n"),
    ),
}


@pytest.mark.parametrize("name", RECORDINGS)
def test_every_event_has_its_stream_and_offset(name: str) -> None:
    data, expected = RECORDINGS[name]
    assert rows([data]) == expected


@pytest.mark.parametrize("name", RECORDINGS)
def test_cutting_the_recording_changes_nothing(name: str) -> None:
    data, expected = RECORDINGS[name]
    assert rows(bytewise(data)) == expected
    for chunks in every_split(data):
        assert rows(chunks) == expected


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 7, 64])
@pytest.mark.parametrize("name", RECORDINGS)
def test_the_size_of_what_is_fed_changes_nothing(name: str, chunk_size: int) -> None:
    data, expected = RECORDINGS[name]
    assert rows([data], chunk_size=chunk_size) == expected


def test_no_event_waits_for_more_than_its_last_byte() -> None:
    data, expected = RECORDINGS["one stream"]
    recording = Recording(StreamParser(), chunk_size=1, restarts=True)
    seen = [
        (at + 1, len(placed.event.raw))
        for at, byte in enumerate(bytewise(data))
        for placed in recording.read(byte)
    ]
    assert seen == [(offset + size, size) for _, offset, _, size in expected]


def test_without_restarts_a_declaration_is_an_error() -> None:
    error = failure([HEADER + PROCEED + DECLARATION + HEADER], restarts=False)
    assert error.condition is StreamCondition.NOT_WELL_FORMED
    assert error.offset == len(HEADER + PROCEED)


def test_without_restarts_a_header_is_a_stanza() -> None:
    inner = HEADER + END
    assert rows([HEADER + inner], restarts=False) == [
        (1, 0, "StreamStart", len(HEADER)),
        (1, len(HEADER), "Stanza", len(inner)),
    ]


@pytest.mark.parametrize("restarts", [True, False])
def test_nothing_begins_behind_the_end_of_a_stream(restarts: bool) -> None:
    data = HEADER + END
    for chunks in ([data + HEADER], [data, HEADER], list(bytewise(data + HEADER))):
        error = failure(chunks, restarts=restarts)
        assert (error.condition, error.offset) == (StreamCondition.NOT_WELL_FORMED, len(data))


def test_a_beginning_held_back_at_the_end_of_input_is_read() -> None:
    for held in (b"<", b"<?x", b"<?xml", b"<stream:str", b"<stream:stream"):
        error = failure([HEADER + b"<a/>" + held])
        assert error.condition is StreamCondition.NOT_WELL_FORMED
        assert error.offset >= len(HEADER) + 4


def test_offsets_of_errors_count_over_restarts() -> None:
    data = HEADER + PROCEED + b" " + DECLARATION + HEADER + b"\n<a></b>"
    for chunks in ([data], list(bytewise(data)), cut(data, [90, 200])):
        error = failure(chunks)
        assert (error.offset, error.line, error.column) == (data.index(b"</b>"), 2, 4)


def test_the_bytes_around_an_error_are_at_hand() -> None:
    data = HEADER + b"<a/>" * 100 + b"<b>&x;" + b"." * 1000
    for chunks in ([data], list(bytewise(data))):
        recording = Recording(StreamParser(), chunk_size=4096, restarts=True)
        with pytest.raises(StreamError) as caught:
            list(chain.from_iterable(map(recording.read, chunks)))
        begin, around = recording.around_error()
        at = caught.value.offset - begin
        assert around == data[begin : begin + len(around)]
        assert around[at:].startswith(b"&x")
        assert at >= 100


def well_formed_captures() -> list[tuple[str, str]]:
    """Sessions and directions that expat reads to the end, but for those made to be refused."""
    found = []
    for name in capture_names():
        meta = json.loads((DATA / "captures" / name / "meta.json").read_text(encoding="utf-8"))
        for direction, facts in meta["xml"].items():
            if facts["error"] is None and not meta["raw_script"]:
                found.append((name, direction))
    return found


@needs_data
@pytest.mark.parametrize(("name", "direction"), well_formed_captures())
def test_captures_are_read_to_their_end(name: str, direction: str) -> None:
    folder = DATA / "captures" / name
    kinds = {"open": "StreamStart", "close": "StreamEnd", None: "Stanza"}
    with (folder / "stanzas.jsonl").open(encoding="utf-8") as lines:
        records = [record for record in map(json.loads, lines) if record["d"] == direction]
    expected = [
        (record["s"], record["o"], kinds[record.get("kind")], record["n"])
        for record in records
        if record.get("kind") in kinds
    ]
    data = (folder / f"{direction}.bin").read_bytes()
    for size in (1460, 65536):
        assert rows(cut(data, range(size, len(data), size))) == expected
