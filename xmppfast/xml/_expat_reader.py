"""Has expat read one stream and puts its events in a queue.

expat alone decides what is accepted. On its refusal, and for what XMPP forbids beyond XML,
`diagnose` finds out which error of docs/errors.md it is.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from pyexpat import ErrorString, ExpatError, ParserCreate
from typing import NamedTuple, NoReturn, TypeAlias

from ._diagnose import FAULTS, Place, diagnose
from ._expat_cutter import Cutter
from ._expat_element import NAMES, START_TAG, Stanza, element_end, make_stanza
from ._expat_header import StreamEnd, StreamStart, make_stream_end, make_stream_start
from ._expat_names import SEPARATOR
from .errors import StreamCondition, StreamError
from .limits import Limits

Event: TypeAlias = StreamStart | Stanza | StreamEnd

# expat keeps every name it ever saw and a buffer for the longest token. A new one takes over at
# the first stanza that ends behind that many bytes.
_EXPAT_BYTES = 1024 * 1024


class _Suspect(Exception):  # noqa: N818 - a jump out of expat, no error
    """A handler saw what XMPP forbids, or a limit passed."""


class _Renew(Exception):  # noqa: N818 - a jump out of expat, no error
    """Time for a new expat parser, at the end of a stanza."""


class Mark(NamedTuple):
    """A place in the input: bytes before it, its line from 1, bytes before that line."""

    offset: int = 0
    line: int = 1
    line_start: int = 0

    def after(self, data: bytes) -> Mark:
        """The place behind these bytes."""
        newline = data.rfind(b"\n") + 1
        return Mark(
            self.offset + len(data),
            self.line + data.count(b"\n") if newline else self.line,
            self.offset + newline if newline else self.line_start,
        )


class StreamReader:
    """Reads one stream, or with `whole` one element, that begins at a mark.

    queue    events, each with the offset behind it
    failure  what is wrong behind them
    """

    # Indexes count within `_data`, which expat is reading. The unit, that is the event that is not
    # complete, begins in the pieces `_before` it, or at `_stop` where an event in it was complete.

    def __init__(self, limits: Limits, mark: Mark, *, whole: bool = False) -> None:
        self.queue: deque[tuple[Event, int]] = deque()
        self.failure: StreamError | None = None
        self._limits = limits
        self._most_elements = limits.children
        self._most_levels = limits.depth
        self._most_attributes = limits.attributes
        self._whole = whole
        self._begin = mark.offset
        self._mark = mark  # of the first byte that is kept
        self._before: list[bytes] = []
        self._before_size = 0
        self._data = b""
        self._base = mark.offset
        self._stop = 0
        self._cutter = Cutter()
        self._header: StreamStart | None = None
        self._after_root = False
        # Open elements that the next tag is inside of, not counting the root element, and the
        # same between events: -1 outside of the root element.
        self._depth = self._outside = 0 if whole else -1
        self._first = 0  # offset of the open stanza
        self._name = ""
        self._reported: list[str] = []
        self._payload: str | None = None
        self._elements = 0
        self._in_cdata = False
        self._new_expat(b"", 0)

    def _new_expat(self, header: bytes, index: int) -> None:
        """Let a new expat parser go on at an index, inside of the header's element."""
        self._interned: dict[str | None, str | None] = {}
        self._known_names = 0
        self._checks_names = False
        self._declared: list[tuple[str | None, str | None]] = []  # on the coming element
        self._in_scope = len(self._header.declarations) if self._header else 0
        self._expat = expat = ParserCreate("UTF-8", SEPARATOR, self._interned)
        expat.ordered_attributes = True
        if header:
            expat.Parse(header, False)
        self._shift = len(header) - index  # from index to expat's byte index
        expat.StartNamespaceDeclHandler = self._on_declaration
        expat.EndNamespaceDeclHandler = self._on_declaration_end
        expat.StartElementHandler = self._on_start
        expat.EndElementHandler = self._on_end
        expat.StartCdataSectionHandler = self._on_cdata
        expat.EndCdataSectionHandler = self._on_cdata_end
        expat.CommentHandler = self._on_restricted
        expat.ProcessingInstructionHandler = self._on_restricted
        expat.StartDoctypeDeclHandler = self._on_restricted

    def take(self, piece: bytes) -> None:
        """Read a piece of input, as far as its tags and references are complete."""
        self.settle()
        self._data = self._cutter.take(piece)
        if self._data:
            if self._base == self._begin:
                self._check_beginning()
            self._have_expat_read(0)
            if self._in_cdata and self._cutter.held:
                # Inside of a CDATA section there are neither tags nor references.
                start = len(self._data)
                self._data += self._cutter.release()
                self._have_expat_read(start)
        if not self.failure and self._is_suspect():
            self._inspect()

    def settle(self) -> None:
        """Keep of the bytes read only those that are in no event yet."""
        data, stop = self._data, self._stop
        if not data:
            return
        if stop:
            self._mark = self._mark.after(b"".join([*self._before, data[:stop]]))
            self._before.clear()
            self._before_size = 0
        rest = data[stop:] if stop else data
        if rest:
            if self._depth == self._outside and not self._before and rest.isspace():
                self._mark = self._mark.after(rest)
            else:
                self._before.append(rest)
                self._before_size += len(rest)
        self._base += len(data)
        self._shift += len(data)
        self._data = b""
        self._stop = 0

    def rest(self, offset: int | None) -> tuple[bytes, Mark]:
        """The bytes kept from an offset on, none for None, and its mark."""
        kept = b"".join([*self._before, self._data, *self._cutter.held])
        index = len(kept) if offset is None else offset - self._mark.offset
        return kept[index:], self._mark.after(kept[:index])

    def finish(self) -> None:
        """End of input."""
        if not self.failure:
            self.settle()
            self._inspect(final=True)
        del self._expat

    # What may be wrong.

    def _check_beginning(self) -> None:
        # expat would take a byte order mark, and UTF-16 with or without one.
        if self._data[:1] not in (b"<", b" ", b"\n", b"\r", b"\t") or self._data[1:2] == b"\0":
            self._inspect()

    def _have_expat_read(self, start: int) -> None:
        while not self.failure:
            try:
                self._expat.Parse(self._data[start:] if start else self._data, False)
            except _Renew:
                assert self._header is not None
                start = self._stop
                self._new_expat(self._header.start_tag, start)
            except _Suspect:
                self._inspect(otherwise=("malformed markup", self._base + self._stop))
            except ExpatError as error:
                offset = self._base + self._expat.ErrorByteIndex - self._shift
                self._inspect(otherwise=(ErrorString(error.code), offset))
            else:
                return

    def _is_suspect(self) -> bool:
        """Whether something may be wrong that expat doesn't report, or not yet."""
        data, stop, held = self._data, self._stop, self._cutter.held
        if self._depth != self._outside:
            size = self._base + len(data) + self._cutter.size - self._first
        elif stop < len(data) and not data[stop:].isspace():
            return True
        else:
            size = self._cutter.size + self._before_size
        if size > self._limits.stanza_bytes:
            return True
        if held and held[0][:2] in (b"<!", b"<?"):
            return True
        if len(self._interned) != self._known_names and self._has_long_names():
            return True
        # expat holds a part of a tag: with a "<" in it, or it would have been held back here.
        index = self._expat.CurrentByteIndex - self._shift
        return (
            index < len(data)
            and not self._in_cdata
            and (data[index] == 60 if index >= 0 else b"<" in data)
        )

    def _inspect(self, *, final: bool = False, otherwise: tuple[str, int] | None = None) -> None:
        """Find what is wrong with the unit; if nothing can be found, it is what expat says."""
        unit = b"".join([self._unit(len(self._data)), *self._cutter.held])
        offset = self._unit_offset()
        fault = diagnose(unit, self._place(offset), self._limits, final=final)
        if fault:
            condition, text = FAULTS[fault.code]
            self._fail(condition, text, offset + fault.offset)
        elif otherwise:
            self._fail(StreamCondition.NOT_WELL_FORMED, *otherwise)

    def _fail(self, condition: StreamCondition, text: str, offset: int) -> None:
        mark = self.rest(offset)[1]
        self.failure = StreamError(condition, text, offset, mark.line, offset - mark.line_start + 1)

    def _place(self, offset: int) -> Place:
        header = None if self._after_root else self._header
        return Place(
            at_start=offset == self._begin,
            root=header.root if header else None,
            after_root=self._after_root,
            whole=self._whole,
            declarations=header.declarations if header else (),
        )

    def _has_long_names(self) -> bool:
        """Whether, for the first time, a name may be longer than the limit."""
        grown = len(self._interned) - self._known_names
        self._known_names += grown
        if self._checks_names:
            return False
        names = islice(reversed(self._interned), grown)
        longest = max(len((name or "").rpartition(SEPARATOR)[2].encode()) for name in names)
        # As written, a name may have a prefix, which is among them too, or is behind "xmlns:".
        if max(2 * longest, longest + len("xmlns")) < self._limits.name_bytes:
            return False
        self._checks_names = True
        self._expat.StartElementHandler = self._on_checked_start
        return True

    # What expat reports.

    def _on_restricted(self, *_: object) -> NoReturn:
        raise _Suspect

    def _on_cdata(self) -> None:
        self._in_cdata = True

    def _on_cdata_end(self) -> None:
        self._in_cdata = False

    def _on_declaration(self, prefix: str | None, uri: str | None) -> None:
        self._declared.append((prefix, uri))
        self._in_scope += 1
        if self._in_scope > self._limits.namespaces:
            raise _Suspect

    def _on_declaration_end(self, _prefix: str | None) -> None:
        self._in_scope -= 1

    def _on_checked_start(self, name: str, attributes: list[str]) -> None:
        tag = START_TAG.match(self._data, self._expat.CurrentByteIndex - self._shift)
        if tag and max(map(len, NAMES.findall(tag[0]))) > self._limits.name_bytes:
            raise _Suspect
        self._on_start(name, attributes)

    def _on_start(self, name: str, attributes: list[str]) -> None:
        depth = self._depth
        self._depth = depth + 1
        if self._declared or len(attributes) > 2 * self._most_attributes:
            if len(self._declared) + len(attributes) // 2 > self._most_attributes:
                raise _Suspect
            if depth >= 0:
                self._declared.clear()
        if depth > 0:
            elements = self._elements
            if not elements:
                self._payload = name
            self._elements = elements + 1
            if elements >= self._most_elements or depth >= self._most_levels:
                raise _Suspect
        else:
            index = self._expat.CurrentByteIndex - self._shift
            if depth < 0:
                self._open_stream(index, name, attributes)
                return
            if index != self._stop or self._before:
                self._check_gap(index)
            self._first = self._base + index
            self._name = name
            self._reported = attributes
            self._payload = None
            self._elements = 0

    def _on_end(self, _name: str) -> None:
        self._depth = depth = self._depth - 1
        if depth > 0:
            return
        data = self._data
        index = self._expat.CurrentByteIndex - self._shift
        if depth < 0:
            self._close_stream(index)
            return
        first = self._first - self._base
        if first >= 0:
            stop = element_end(data, first, index, self._elements > 0)
            raw = data[first:stop]
        else:
            stop = data.index(b">", index) + 1
            raw = b"".join([*self._before, data[:stop]])[self._first - self._mark.offset :]
        if len(raw) > self._limits.stanza_bytes:
            raise _Suspect
        if len(self._interned) != self._known_names and self._has_long_names():
            self._check_unit(stop)
        stanza = make_stanza(raw, self._header, self._name, self._reported, self._payload)
        self.queue.append((stanza, self._base + stop))
        self._stop = stop
        if self._whole:
            self._after_root = True
        elif index + self._shift > _EXPAT_BYTES:
            raise _Renew

    def _open_stream(self, index: int, name: str, attributes: list[str]) -> None:
        tag = START_TAG.match(self._data, index)
        if tag is None:
            raise _Suspect
        unit = self._check_unit(tag.end())
        self._header = make_stream_start(unit.lstrip(), name, attributes, self._declared)
        self._declared = []
        self._outside = 0
        self._stop = tag.end()
        self.queue.append((self._header, self._base + self._stop))

    def _close_stream(self, index: int) -> None:
        assert self._header is not None
        if self._header.raw.endswith(b"/>"):
            stop = index
        else:
            self._check_gap(index)
            stop = self._data.index(b">", index) + 1
        end = make_stream_end(self._data[index:stop])
        self._outside = -1
        self._after_root = True
        self._stop = stop
        self.queue.append((end, self._base + stop))

    def _check_gap(self, index: int) -> None:
        """See that there is white space between the last event and an index."""
        gap = self._unit(index)
        if gap and not gap.isspace():
            if not self._whole:
                raise _Suspect
            # An XML declaration, or a byte order mark.
            self._check_unit(index)

    def _check_unit(self, index: int) -> bytes:
        """See that nothing is wrong with the unit up to an index."""
        unit = self._unit(index)
        if diagnose(unit, self._place(self._unit_offset()), self._limits):
            raise _Suspect
        return unit

    def _unit(self, index: int) -> bytes:
        before = [] if self._stop else self._before
        return b"".join([*before, self._data[self._stop : index]])

    def _unit_offset(self) -> int:
        return self._base + self._stop if self._stop else self._mark.offset
