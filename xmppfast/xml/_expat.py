"""The event API on the standard library's expat; see _tokenizer.pyi for what each name means.

What expat says of the input beyond an event waits in a queue, and is forgotten if the stream is
restarted at that event: those bytes are then read again, as a new stream.
"""

from __future__ import annotations

from _thread import allocate_lock
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn, final

from ._expat_element import Element, Stanza
from ._expat_header import StreamEnd, StreamStart
from ._expat_reader import Event, Mark, StreamReader
from ._expat_writer import escape, tostring
from .errors import StreamError
from .limits import Limits

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = [
    "Element",
    "Stanza",
    "StreamEnd",
    "StreamParser",
    "StreamStart",
    "escape",
    "parse",
    "tostring",
]

# Input is read in pieces of at most that many bytes, which bounds the queue of events.
_PIECE = 8 * 1024

_DEFAULT_LIMITS = Limits()


def _checked(limits: Limits) -> Limits:
    if not isinstance(limits, Limits):
        raise TypeError(f"limits must be Limits, not {type(limits).__name__}")
    return limits


def _as_bytes(data: Buffer | str) -> bytes:
    if isinstance(data, bytes):
        return data
    if isinstance(data, str):
        # A lone surrogate becomes bytes that are not UTF-8, and is refused at its place.
        return data.encode("utf-8", "surrogatepass")
    return memoryview(data).tobytes()


def _pieces(data: bytes) -> list[bytes]:
    return [data[start : start + _PIECE] for start in range(0, len(data), _PIECE)]


@final
class _Events:
    """What `feed` returns. All iterators of a parser read the same input."""

    __slots__ = ("_next", "_read_on")

    def __init__(self, queue: deque[Event], read_on: Callable[[], Event]) -> None:
        self._next = queue.popleft
        self._read_on = read_on

    def __iter__(self) -> _Events:
        return self

    def __next__(self) -> Event:
        try:
            return self._next()
        except IndexError:
            return self._read_on()


@final
class StreamParser:
    """Bytes of an XMPP stream in, events out; see `feed`."""

    __slots__ = (
        "__weakref__",
        "_all_read",
        "_closed",
        "_error",
        "_gap",
        "_limits",
        "_lock",
        "_queue",
        "_reader",
        "_unread",
    )

    def __init__(self, *, limits: Limits = _DEFAULT_LIMITS) -> None:
        self._limits = _checked(limits)
        self._lock = allocate_lock()
        self._unread: deque[bytes] = deque()
        self._closed = False
        self._error: StreamError | None = None
        self._queue: deque[Event] = deque()
        self._all_read = True  # not only up to the last event that came out
        self._gap: Mark | None = None  # behind a restart: where the new stream may begin
        self._reader = StreamReader(self._limits, Mark(), self._queue)

    @property
    def limits(self) -> Limits:
        """The bounds this parser holds the stream to."""
        return self._limits

    def feed(self, data: Buffer | str) -> _Events:
        """Take more bytes; the iterator tokenizes them as it is read."""
        self._check()
        if self._closed:
            raise ValueError("the parser is closed")
        self._unread.extend(_pieces(_as_bytes(data)))
        return _Events(self._queue, self._read_on)

    def restart(self) -> None:
        """Begin a new stream with the next unread byte (RFC 6120 section 4.3.3).

        White space in front of the new stream's header belongs to the old one. Raises ValueError
        after `close`.
        """
        self._check()
        if self._closed:
            raise ValueError("the parser is closed")
        with self._lock:
            reader = self._reader
            read_to = None if self._all_read else reader.stops[-1 - len(self._queue)]
            unread, mark = reader.rest(read_to)
            self._gap = mark
            if unread:
                self._unread.appendleft(unread)
            self._queue.clear()
            self._all_read = True
            self._reader = StreamReader(self._limits, mark, self._queue)

    def close(self) -> None:
        """End of input: drop what is unread; StreamError if it ends inside a stanza or tag."""
        self._check()
        if self._closed:
            return
        self._closed = True
        self._unread.clear()
        self._queue.clear()
        if self._all_read:
            self._reader.finish()
            if self._reader.failure:
                self._fail(self._reader.failure)

    def _take(self, piece: bytes) -> None:
        if self._gap is not None:
            begin = piece.lstrip(b" \t\r\n")
            self._gap = self._gap.after(piece[: len(piece) - len(begin)])
            if not begin:
                return
            self._reader = StreamReader(self._limits, self._gap, self._queue)
            self._gap = None
            piece = begin
        self._reader.take(piece)

    def _check(self) -> None:
        if self._error:
            raise self._error.with_traceback(None)

    def _fail(self, error: StreamError) -> NoReturn:
        self._error = error
        raise error

    def _read_on(self) -> Event:
        """The next event after those in the queue; StopIteration where the input ends."""
        with self._lock:
            while not self._queue:
                self._check()
                if self._closed:
                    raise StopIteration
                if self._reader.failure:
                    self._fail(self._reader.failure)
                if not self._unread:
                    self._reader.settle()
                    self._all_read = True
                    raise StopIteration
                self._take(self._unread.popleft())
            self._all_read = False
            return self._queue.popleft()


def parse(data: Buffer | str, *, limits: Limits = _DEFAULT_LIMITS) -> Stanza:
    """Read one whole element; an XML declaration may precede it, white space surround it."""
    queue: deque[Event] = deque()
    reader = StreamReader(_checked(limits), Mark(), queue, whole=True)
    for piece in _pieces(_as_bytes(data)):
        reader.take(piece)
        if reader.failure:
            raise reader.failure
    reader.finish()
    if reader.failure:
        raise reader.failure
    (stanza,) = queue
    assert isinstance(stanza, Stanza)
    return stanza
