"""Reading a recorded stream: which bytes each event stands on, and where a new stream begins.

In a recording, negotiation shows only in what was said: after STARTTLS and after SASL both sides
open a new stream (RFC 6120 sections 5.4.3.3 and 6.4.6) without closing the one before. A recording
of one direction has the other side's `<proceed/>` or `<success/>` not in it, so the new header
itself must tell. Between two stanzas, nothing but a new stream can begin with an XML declaration or
with the root element's start tag. The bytes are cut before every place that looks like one, and
what follows goes to a restarted parser if nothing is unfinished there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from time import perf_counter
from typing import NamedTuple, TypeAlias

from .. import Stanza, StreamEnd, StreamError, StreamParser, StreamStart

StreamEvent: TypeAlias = StreamStart | Stanza | StreamEnd

# Bytes kept and offered around an error, enough to fill a line of a terminal.
CONTEXT = 160

_SPACE = re.compile(rb"[ \t\r\n]*")
_HEADER_NAME = re.compile(rb"(?:<\?[^>]*>)?[ \t\r\n]*<([^ \t\r\n/>]+)")


class Placed(NamedTuple):
    """An event, the offset of its first byte in the recording, and its stream's number from 1."""

    stream: int
    offset: int
    event: StreamEvent


def header_name(header: StreamStart) -> bytes:
    """The root element's name as it is written in the stream header."""
    found = _HEADER_NAME.match(header.raw)
    assert found is not None
    return found[1]


class Recording:
    """Feeds a parser with a recording of one direction.

    parser      a new parser
    chunk_size  most bytes to feed at once
    restarts    whether to restart the parser where a new stream header begins

    `seconds` is the time spent in the parser, `offset` the count of bytes that events and the white
    space between them account for.
    """

    def __init__(self, parser: StreamParser, *, chunk_size: int, restarts: bool) -> None:
        self.seconds = 0.0
        self.offset = 0
        self._parser = parser
        self._chunk_size = chunk_size
        self._restarts = restarts
        self._stream = 0
        self._open = False  # a stream header came and its end tag did not
        self._ended = False
        self._starts: tuple[bytes, ...] = ()  # what a new stream header can begin with
        self._start = re.compile(rb"(?!)")
        self._pending = bytearray()  # fed, but of no event yet
        self._held = b""  # not fed yet: it may become the beginning of a stream header
        self._before = b""  # the last bytes before `_pending`
        self._after = b""  # what follows an error

    def read(self, data: bytes) -> Iterator[Placed]:
        """Events of the recording's next bytes; raises StreamError behind those before it."""
        data = self._held + data
        self._held = b""
        at = 0
        while at < len(data):
            if self._restarts and self._open and self._restarted(data, at):
                continue
            end = self._cut(data, at)
            if end == at:
                self._held = data[at:]
                return
            for begin in range(at, end, self._chunk_size):
                until = min(begin + self._chunk_size, end)
                self._after = data[until : until + CONTEXT]
                yield from self._feed(data[begin:until])
            at = end

    def close(self) -> Iterator[Placed]:
        """Events of what was held back; raises StreamError if the recording ends too early."""
        held, self._held, self._after = self._held, b"", b""
        yield from self._feed(held)
        self._parser.close()

    def around_error(self) -> tuple[int, bytes]:
        """The bytes around the error that was raised, and the offset of the first of them."""
        return self.offset - len(self._before), self._before + self._pending + self._after

    def _restarted(self, data: bytes, at: int) -> bool:
        if self._pending or not self._start.match(data, at):
            return False
        self._parser.restart()
        self._open = False
        return True

    def _cut(self, data: bytes, at: int) -> int:
        """Where to stop feeding so that a stream header that may come next is not read yet."""
        if not self._restarts or self._ended:
            return len(data)
        if not self._open:  # the header's name is not known before the header's end
            return data.find(b">", at) + 1 or len(data)
        found = self._start.search(data, at + 1)
        if found is not None:
            return found.start()
        last = data.rfind(b"<", at)
        if last >= 0 and any(start.startswith(data[last:]) for start in self._starts):
            return last
        return len(data)

    def _feed(self, chunk: bytes) -> Iterator[Placed]:
        self._pending += chunk
        events: list[StreamEvent] = []
        error: StreamError | None = None
        began = perf_counter()
        try:
            for event in self._parser.feed(chunk):
                events.append(event)  # noqa: PERF402  what came before an error is kept
        except StreamError as raised:
            error = raised
        self.seconds += perf_counter() - began
        yield from self._placed(events)
        if error is not None:
            raise error

    def _placed(self, events: list[StreamEvent]) -> Iterator[Placed]:
        at = 0
        for event in events:
            raw = event.raw
            if raw:  # the end of a header that closed itself has no bytes of its own
                at = self._past_space(at)
            if isinstance(event, StreamStart):
                self._begin(event)
            elif isinstance(event, StreamEnd):
                self._open, self._ended = False, True
            yield Placed(self._stream, self.offset + at, event)
            at += len(raw)
        at = self._past_space(at)
        self._before = (self._before + self._pending[max(0, at - CONTEXT) : at])[-CONTEXT:]
        self.offset += at
        del self._pending[:at]

    def _begin(self, header: StreamStart) -> None:
        name = header_name(header)
        self._stream += 1
        self._open = True
        self._starts = (b"<?xml", b"<" + name)
        self._start = re.compile(rb"<(?:\?xml|" + re.escape(name) + rb")[ \t\r\n/>]")

    def _past_space(self, at: int) -> int:
        found = _SPACE.match(self._pending, at)
        assert found is not None
        return found.end()
