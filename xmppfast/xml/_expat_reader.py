"""Has expat read one stream and puts its events in a queue.

expat alone decides what is accepted. On its refusal, and for what XMPP forbids beyond XML,
`diagnose` finds out which error of docs/errors.md it is.
"""

from __future__ import annotations

import re
import sys
from collections import deque
from pyexpat import ErrorString, ExpatError, ParserCreate, XMLParserType
from typing import NamedTuple, NoReturn, TypeAlias

from ._diagnose import FAULTS, Place, diagnose
from ._expat_cutter import CDATA, Cutter
from ._expat_element import NAMES, START_TAG, Stanza, element_end
from ._expat_header import StreamEnd, StreamStart, make_stream_end, make_stream_start
from ._expat_names import SEPARATOR
from .errors import StreamCondition, StreamError
from .limits import Limits

Event: TypeAlias = StreamStart | Stanza | StreamEnd

# expat keeps every name it ever saw, and a buffer for the longest token. A new one takes over at
# the end of the first stanza behind that many bytes.
_EXPAT_BYTES = 128 * 1024

_NO_NAME = re.compile(rb"[^A-Za-z0-9_:.\x80-\xff-]")


class _Suspect(Exception):
    """A handler saw what XMPP forbids, or a limit passed."""


class _Renew(Exception):
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

    queue    takes the events
    stops    for each event from the last piece taken, the index behind it
    failure  what is wrong behind them
    """

    __slots__ = (
        "_after_root",
        "_base",
        "_before",
        "_before_size",
        "_begin",
        "_checks_names",
        "_counts_scope",
        "_cutter",
        "_data",
        "_declared",
        "_expat",
        "_first",
        "_header",
        "_in_cdata",
        "_in_scope",
        "_is_open",
        "_limits",
        "_mark",
        "_most_attributes",
        "_most_bytes",
        "_on_start",
        "_renew_at",
        "_shift",
        "_stop",
        "_whole",
        "failure",
        "queue",
        "stops",
    )

    # Indexes count within `_data`, which expat is reading. The unit, that is the event that is not
    # complete, begins in the pieces `_before` it, or at `_stop` where an event in it was complete.

    def __init__(
        self, limits: Limits, mark: Mark, queue: deque[Event], *, whole: bool = False
    ) -> None:
        self.queue = queue
        self.stops: list[int] = []
        self.failure: StreamError | None = None
        self._limits = limits
        self._most_bytes = limits.stanza_bytes
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
        self._is_open = False  # whether a stanza is
        self._first = 0  # index of the open stanza
        self._in_cdata = False
        self._declared: list[tuple[str | None, str | None]] = []  # by the header
        # Namespace declarations in scope: exact if expat reports each, else no less.
        self._in_scope = 0
        self._counts_scope = not whole
        self._checks_names = False
        self._most_attributes = 0  # in expat's flat lists, on elements that need no closer look
        self._new_expat(b"", 0)

    def _new_expat(self, header: bytes, index: int) -> None:
        """Let a new expat parser go on at an index, inside of the header's element."""
        # Interning names takes longer than making new strings.
        self._expat = expat = ParserCreate("UTF-8", SEPARATOR, None)
        expat.ordered_attributes = True
        if header:
            expat.Parse(header, False)
        self._shift = len(header) - index  # from index to expat's byte index
        self._renew_at = sys.maxsize if self._whole else index + _EXPAT_BYTES
        self._set_handlers(expat)
        if self._counts_scope:
            self._in_scope = self._header_scope()
            self._set_declaration_handlers()
        expat.StartCdataSectionHandler = self._on_cdata
        expat.EndCdataSectionHandler = self._on_cdata_end
        expat.CommentHandler = self._on_restricted
        expat.ProcessingInstructionHandler = self._on_restricted
        expat.StartDoctypeDeclHandler = self._on_restricted

    def take(self, piece: bytes) -> None:
        """Read a piece of input, as far as its tags and references are complete."""
        self.settle()
        self.stops.clear()
        self._data = self._cutter.take(piece)
        if self._data:
            if self._base == self._begin:
                self._check_beginning()
            self._watch_declarations()
            self._watch_names()
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
            if not self._is_open and not self._before and rest.isspace():
                self._mark = self._mark.after(rest)
            else:
                self._before.append(rest)
                self._before_size += len(rest)
        self._base += len(data)
        self._first -= len(data)
        self._renew_at -= len(data)
        self._shift += len(data)
        self._data = b""
        self._stop = 0

    def rest(self, index: int | None) -> tuple[bytes, Mark]:
        """The bytes from an index on, none for None, and its mark."""
        kept = b"".join([*self._before, self._data, *self._cutter.held])
        end = len(kept) if index is None else self._before_size + index
        return kept[end:], self._mark.after(kept[:end])

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

    def _watch_declarations(self) -> None:
        """Have expat report namespace declarations, which costs much, where too many may come."""
        coming = self._data.count(b"xmlns")
        self._most_attributes = 2 * (self._limits.attributes - coming)
        if self._header is None and not self._whole:
            return
        if not self._is_open:
            self._in_scope = self._header_scope()
        enough = self._in_scope + coming <= self._limits.namespaces
        if enough:
            self._in_scope += coming
        elif not self._counts_scope:
            self._in_scope = self._exact_scope()
        if self._counts_scope == enough:
            self._counts_scope = not enough
            self._set_declaration_handlers()

    def _watch_names(self) -> None:
        """Look at the names of all start tags where one may be too long."""
        # One that is has only bytes of names in a whole block of half its length.
        block = (self._limits.name_bytes + 2) // 2
        starts = range(0, len(self._data) - block + 1, block)
        checks = not all(_NO_NAME.search(self._data, start, start + block) for start in starts)
        if checks != self._checks_names:
            self._checks_names = checks
            self._expat.StartElementHandler = self._on_checked_start if checks else self._on_start

    def _header_scope(self) -> int:
        return len(self._header.declarations) if self._header else 0

    def _exact_scope(self) -> int:
        """Count of declarations in scope where the open stanza has come to."""
        count = self._header_scope()
        if not self._is_open:
            return count

        def on_declaration(*_: object) -> None:
            nonlocal count
            count += 1

        def on_declaration_end(_: object) -> None:
            nonlocal count
            count -= 1

        expat = ParserCreate("UTF-8", SEPARATOR)
        if self._header:
            expat.Parse(self._header.start_tag, False)
        expat.StartNamespaceDeclHandler = on_declaration
        expat.EndNamespaceDeclHandler = on_declaration_end
        expat.Parse(b"".join(self._before), False)
        return count

    def _set_declaration_handlers(self) -> None:
        expat, counts = self._expat, self._counts_scope
        expat.StartNamespaceDeclHandler = self._on_declaration if counts else None
        expat.EndNamespaceDeclHandler = self._on_declaration_end if counts else None

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
        if self._is_open:
            size = len(data) + self._cutter.size - self._first
        elif stop < len(data) and not data[stop:].isspace():
            return True
        else:
            size = self._cutter.size + self._before_size
        if size > self._limits.stanza_bytes:
            return True
        if held and held[0][:2] in (b"<!", b"<?") and not CDATA.startswith(held[0]):
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
        mark = self.rest(offset - self._base)[1]
        self.failure = StreamError(condition, text, offset, mark.line, offset - mark.line_start + 1)

    def _place(self, offset: int) -> Place:
        after_root = self._after_root or (self._whole and bool(self.queue))
        header = None if after_root else self._header
        return Place(
            at_start=offset == self._begin,
            root=header.root if header else None,
            after_root=after_root,
            whole=self._whole,
            declarations=header.declarations if header else (),
        )

    # What expat reports.

    def _on_restricted(self, *_: object) -> NoReturn:
        raise _Suspect

    def _on_cdata(self) -> None:
        self._in_cdata = True

    def _on_cdata_end(self) -> None:
        self._in_cdata = False

    def _on_declaration(self, prefix: str | None, uri: str | None) -> None:
        if self._header is None:
            self._declared.append((prefix, uri))
        self._in_scope += 1
        if self._in_scope > self._limits.namespaces:
            raise _Suspect

    def _on_declaration_end(self, _prefix: str | None) -> None:
        self._in_scope -= 1

    def _on_checked_start(self, name: str, attributes: list[str]) -> None:
        if max(map(len, self._names_in_tag())) > self._limits.name_bytes:
            raise _Suspect
        self._on_start(name, attributes)

    def _check_attributes(self) -> None:
        if len(self._names_in_tag()) - 1 > self._limits.attributes:
            raise _Suspect

    def _names_in_tag(self) -> list[bytes]:
        """Names in the start tag that expat reports, the element's first."""
        tag = START_TAG.match(self._data, self._expat.CurrentByteIndex - self._shift)
        if tag is None:
            raise _Suspect
        return list(filter(None, NAMES.findall(tag[0])))

    def _set_handlers(self, expat: XMLParserType) -> None:
        """Handlers of what comes often; as closures they take less time than as methods."""
        limits, queue, stops, header = self._limits, self.queue, self.stops, self._header
        most_bytes, most_levels, most_elements = limits.stanza_bytes, limits.depth, limits.children
        # Open elements around the next tag, not counting the root element; -1 outside of it.
        depth = 0 if header or self._whole else -1
        elements = 0
        stanza_name = ""
        stanza_attributes: list[str] = []
        payload: str | None = None
        new = object.__new__

        def on_start(name: str, attributes: list[str]) -> None:
            nonlocal depth, elements, stanza_name, stanza_attributes, payload, header
            if depth > 0:
                if not elements:
                    payload = name
                elements += 1
                if elements > most_elements or depth >= most_levels:
                    raise _Suspect
            elif depth == 0:
                self._first = index = expat.CurrentByteIndex - self._shift
                if index != self._stop or self._before:
                    self._check_gap(index)
                self._is_open = True
                stanza_name = name
                stanza_attributes = attributes
                payload = None
                elements = 0
            else:
                header = self._open_stream(name, attributes)
            depth += 1
            if len(attributes) > self._most_attributes:
                self._check_attributes()

        def on_end(_name: str) -> None:
            nonlocal depth
            depth -= 1
            if depth > 0:
                return
            data = self._data
            index = expat.CurrentByteIndex - self._shift
            if depth < 0:
                self._close_stream(index)
                return
            first = self._first
            # What comes most, an empty-element tag, is seen without a call.
            if elements or first < 0 or not data.startswith(b"/>", index - 2):
                stop = data.index(b">", index) + 1
            elif data.startswith(b"</", index):
                stop = element_end(data, first, index)
            else:
                stop = index
            raw = data[first:stop] if first >= 0 else self._unit(stop)[first - stop :]
            if len(raw) > most_bytes:
                raise _Suspect
            stanza: Stanza = new(Stanza)
            stanza._source = raw
            stanza._header = header
            stanza._name = stanza_name
            stanza._reported = stanza_attributes
            stanza._payload = payload
            queue.append(stanza)
            stops.append(stop)
            self._stop = stop
            self._is_open = False
            if stop > self._renew_at:
                raise _Renew

        self._on_start = on_start
        expat.StartElementHandler = self._on_checked_start if self._checks_names else on_start
        expat.EndElementHandler = on_end

    def _open_stream(self, name: str, attributes: list[str]) -> StreamStart:
        tag = START_TAG.match(self._data, self._expat.CurrentByteIndex - self._shift)
        if tag is None:
            raise _Suspect
        unit = self._check_unit(tag.end())
        self._header = make_stream_start(unit.lstrip(), name, attributes, tuple(self._declared))
        self._stop = tag.end()
        self.queue.append(self._header)
        self.stops.append(self._stop)
        return self._header

    def _close_stream(self, index: int) -> None:
        assert self._header is not None
        if self._header.raw.endswith(b"/>"):
            stop = index
        else:
            self._check_gap(index)
            stop = self._data.index(b">", index) + 1
        self._after_root = True
        self._stop = stop
        self.queue.append(make_stream_end(self._data[index:stop]))
        self.stops.append(stop)

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
