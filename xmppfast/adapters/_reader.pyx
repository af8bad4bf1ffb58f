# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The driver under every adapter; its manual is _reader.pxd."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memchr, memcmp

from xmppfast.xml._tokenizer cimport (
    XF_AFTER_ROOT,
    XF_BEFORE_ROOT,
    XF_CONTROL,
    XF_ELEMENT_SLOTS,
    XF_END,
    XF_ESCAPED,
    XF_FAILED,
    XF_IN_STANZA,
    XF_IN_STREAM,
    XF_MORE,
    XF_NO_ITEM,
    XF_NO_MEMORY,
    XF_STANZA,
    XF_START,
    XF_WIDE,
    adopt,
    begin_tags,
    copy_piece,
    end_of,
    error_text,
    finish,
    flags_of,
    free_piece,
    next_event,
    place_of,
    release,
    take,
    xf_element,
    xf_element_at,
    xf_error,
    xf_event,
    xf_piece,
    xf_span,
    xf_status,
)


cdef extern from *:
    """
    #include "tokenizer.h"

    /* The numbers of expat.h that come nearest. Limits have none of their own there; the one for
     * input that would grow too much stands for them. */
    enum {
        EXPAT_SYNTAX = 2,
        EXPAT_NO_ELEMENTS = 3,
        EXPAT_INVALID_TOKEN = 4,
        EXPAT_UNCLOSED_TOKEN = 5,
        EXPAT_FINISHED = 36,
        EXPAT_LIMIT = 43
    };

    static const uint8_t expat_codes[XF_E_COUNT] = {
        [XF_E_NOT_UTF8] = EXPAT_INVALID_TOKEN,
        [XF_E_CHAR] = EXPAT_INVALID_TOKEN,
        [XF_E_ENCODING] = 18,
        [XF_E_XML_VERSION] = 30,
        [XF_E_XML_DECLARATION] = 30,
        [XF_E_XML_DECLARATION_PLACE] = 17,
        [XF_E_COMMENT] = EXPAT_SYNTAX,
        [XF_E_INSTRUCTION] = EXPAT_SYNTAX,
        [XF_E_DOCTYPE] = EXPAT_SYNTAX,
        [XF_E_MARKUP] = EXPAT_INVALID_TOKEN,
        [XF_E_TEXT_BEFORE_ROOT] = EXPAT_SYNTAX,
        [XF_E_TEXT_IN_STREAM] = EXPAT_SYNTAX,
        [XF_E_AFTER_ROOT] = 9,
        [XF_E_REFERENCE] = EXPAT_INVALID_TOKEN,
        [XF_E_REFERENCE_CHAR] = 14,
        [XF_E_ENTITY] = 11,
        [XF_E_CDATA_END] = EXPAT_INVALID_TOKEN,
        [XF_E_LT_IN_VALUE] = EXPAT_INVALID_TOKEN,
        [XF_E_NAME] = EXPAT_INVALID_TOKEN,
        [XF_E_TAG] = EXPAT_INVALID_TOKEN,
        [XF_E_MISMATCH] = 7,
        [XF_E_DUPLICATE] = 8,
        [XF_E_PREFIX] = 27,
        [XF_E_NAMESPACE] = 38,
        [XF_E_NAMESPACE_EMPTY] = 28,
        [XF_E_UNFINISHED] = EXPAT_NO_ELEMENTS,
        [XF_E_NO_ELEMENT] = EXPAT_NO_ELEMENTS,
        [XF_E_STANZA_BYTES] = EXPAT_LIMIT,
        [XF_E_DEPTH] = EXPAT_LIMIT,
        [XF_E_ATTRIBUTES] = EXPAT_LIMIT,
        [XF_E_CHILDREN] = EXPAT_LIMIT,
        [XF_E_NAME_BYTES] = EXPAT_LIMIT,
        [XF_E_NAMESPACES] = EXPAT_LIMIT,
    };
    """
    const uint8_t expat_codes[]
    int EXPAT_NO_ELEMENTS, EXPAT_UNCLOSED_TOKEN, EXPAT_FINISHED
    xf_error XF_E_ENTITY, XF_E_UNFINISHED


cdef class Reader:
    """What adapters' parsers have in common; it has no methods of its own in Python."""

    def __cinit__(self):
        self.header = NULL

    def __dealloc__(self):
        release(&self.tokenizer)
        self.forget_header()

    cdef void forget_header(self) noexcept:
        if self.header != NULL:
            free_piece(self.header)
            self.header = NULL

    cdef int begin(self, object limits, unsigned passes) except -1:
        if self.tokenizer.buffer != NULL:
            release(&self.tokenizer)
        begin_tags(&self.tokenizer, limits, passes)
        self.forget_header()
        self.finished = self.failed = self.dead = self.declared = False
        self.cursor = self.inner = self.level = self.behind = 0
        return 0

    # Input. ---------------------------------------------------------------------------------------

    cdef int read(self, bytes data) except -1:
        cdef const uint8_t *at = <const uint8_t *>PyBytes_AS_STRING(data)
        cdef size_t size = PyBytes_GET_SIZE(data)
        if self.busy:
            if self.waiting is None:
                self.waiting = []
            self.waiting.append(data)
            return 0
        if self.dead or self.failed:
            return self.fail()
        self.busy = True
        try:
            self.report(&at, &size)
            while self.waiting is not None:
                waiting, self.waiting = self.waiting, None
                for data in waiting:
                    at = <const uint8_t *>PyBytes_AS_STRING(data)
                    size = PyBytes_GET_SIZE(data)
                    self.report(&at, &size)
        except:
            if not self.failed:
                self.position(&self.fault_line, &self.fault_column, &self.fault_offset)
                self.dead = True
                self.code = EXPAT_FINISHED
                release(&self.tokenizer)
            self.waiting = None
            raise
        finally:
            self.busy = False
        if self.finished:  # that was said in a call
            self.finish()
        return 0

    cdef int finish(self) except -1:
        cdef xf_status status
        self.finished = True
        if self.busy:
            return 0
        if self.dead or self.failed:
            return self.fail()
        status = finish(&self.tokenizer)
        if status == XF_NO_MEMORY:
            raise MemoryError
        if status == XF_FAILED:
            self.note_fault()
        elif self.tokenizer.mode != XF_AFTER_ROOT:
            self.position(&self.fault_line, &self.fault_column, &self.fault_offset)
            self.failed = True
            self.code = EXPAT_NO_ELEMENTS
        if self.failed:
            release(&self.tokenizer)
            self.fail()
        return 0

    cdef int report(self, const uint8_t **data, size_t *size) except -1:
        """Read this input and make the calls for it."""
        cdef xf_event event
        cdef xf_status status
        cdef uint32_t hold
        while True:
            status = next_event(&self.tokenizer, data, size, &event)
            if status == XF_STANZA:
                if self.tokenizer.taken < self.tokenizer.start:
                    self.look_between(self.tokenizer.start)
                self.piece = &event
                self.stanza(&event)
                self.cursor = self.inner = self.level = self.behind = 0
                take(&self.tokenizer, 0)
            elif status == XF_MORE:
                hold = self.look_at_part()
                take(&self.tokenizer, hold)
                return 0
            elif status == XF_START:
                self.look_before_root(
                    event.bytes, xf_element_at(event.tape, 0).start - event.base
                )
                self.forget_header()
                self.header = copy_piece(&event)
                adopt(&self.tokenizer, self.header)
                self.piece = self.header
                self.place = xf_element_at(self.header.tape, 0).start
                self.open_stream()
                take(&self.tokenizer, 0)
            elif status == XF_END:
                self.place = self.tokenizer.at
                if event.length:
                    self.look_between(self.tokenizer.start)
                    self.place = self.tokenizer.start
                self.piece = self.header
                self.close_stream()
                take(&self.tokenizer, 0)
            elif status == XF_NO_MEMORY:
                raise MemoryError
            else:
                self.look_at_part()
                self.note_fault()
                release(&self.tokenizer)
                self.fail()
                return 0

    # Looking at what there is. --------------------------------------------------------------------

    cdef int look_at_part(self) except -1:
        """Make the calls for what there is when the input ends; returns what to hold back."""
        cdef xf_piece part
        cdef int hold = 0
        if self.tokenizer.mode == XF_BEFORE_ROOT:
            if self.tokenizer.counting and self.tokenizer.at > self.tokenizer.start:
                self.look_before_root(
                    self.tokenizer.buffer + self.tokenizer.start,
                    self.tokenizer.at - self.tokenizer.start,
                )
            return 0
        if not self.tokenizer.counting:
            hold = self.look_between_and_hold()
        elif self.tokenizer.taken < self.tokenizer.start and (
            self.tokenizer.mode != XF_AFTER_ROOT
        ):
            self.look_between(self.tokenizer.start)
        if self.whole or self.tokenizer.mode != XF_IN_STANZA or self.tokenizer.slots == 0:
            return hold
        part.bytes = self.tokenizer.buffer + self.tokenizer.start
        part.tape = self.tokenizer.tape
        part.header = self.header
        part.length = 0  # nobody may look behind the last tag
        part.slots = self.tokenizer.slots
        part.base = self.tokenizer.start
        part.flags = flags_of(&self.tokenizer)
        self.look(&part, False)
        return hold

    cdef int look(self, const xf_piece *piece, bint complete) except -1:
        """Make the calls for all that was not reported of the stanza."""
        cdef uint32_t slot = self.cursor, inner = self.inner, level = self.level
        cdef uint32_t behind = piece.base + self.behind
        cdef uint32_t slots = piece.slots, innermost = self.tokenizer.open
        cdef const uint8_t *bytes = piece.bytes - piece.base
        cdef const xf_element *e
        cdef xf_span between
        cdef bint closes
        self.piece = piece
        while True:
            if slot < slots:
                e = xf_element_at(piece.tape, slot)
                closes = level != 0 and e.parent != inner
            elif level != 0 and (complete or inner != innermost):
                closes = True
            else:
                break
            if closes:
                e = xf_element_at(piece.tape, inner)
                if behind != e.content_end:
                    between.bytes = bytes + behind
                    between.length = e.content_end - behind
                    self.place = behind
                    self.text(&between)
                self.place = e.content_end
                self.end(inner)
                behind = e.content_end + e.name_length + 3
                if bytes[behind - 1] != c">":
                    behind = end_of(piece, inner)
                inner = e.parent
                level -= 1
                continue
            if behind != e.start and level != 0:
                between.bytes = bytes + behind
                between.length = e.start - behind
                self.place = behind
                self.text(&between)
            self.place = e.start
            self.start(slot)
            behind = e.tag_end
            if bytes[behind - 2] == c"/":
                self.place = behind
                self.end(slot)
            else:
                inner = slot
                level += 1
            slot += XF_ELEMENT_SLOTS + e.attributes
        self.cursor = slot
        self.inner = inner
        self.level = level
        self.behind = behind - piece.base
        return 0

    cdef int look_before_root(self, const uint8_t *bytes, uint32_t length) except -1:
        """Make the call for the XML declaration, where the `length` bytes in front begin with it."""
        cdef const uint8_t *close
        cdef xf_span source
        if self.declared or length == 0:
            return 0
        self.declared = True
        if length > 5 and memcmp(bytes, b"<?xml", 5) == 0:
            # Nothing in it but the end has a ">".
            close = <const uint8_t *>memchr(bytes, c">", length)
            source.bytes = bytes
            source.length = <uint32_t>(close + 1 - bytes)
            self.place = self.tokenizer.start
            self.declaration(&source)
        return 0

    cdef int look_between_and_hold(self) except -1:
        """Look at the text between stanzas that more may follow.

        What is held back is half of a line end, or what may be the beginning of "]]>".
        """
        cdef const uint8_t *bytes = self.tokenizer.buffer
        cdef uint32_t end = self.tokenizer.at
        cdef int hold = 0
        if self.tokenizer.mode != XF_IN_STREAM:
            return 0
        while self.tokenizer.taken < end and (
            (bytes[end - 1] == c"\r" and hold == 0) or (bytes[end - 1] == c"]" and hold < 2)
        ):
            end -= 1
            hold += 1
        if self.tokenizer.taken < end:
            self.look_between(end)
        return hold

    cdef int look_between(self, uint32_t end) except -1:
        """Make the call for text between stanzas, from what is taken up to `end`."""
        cdef uint32_t begin = self.tokenizer.taken
        cdef xf_piece piece
        cdef xf_span source
        if self.header == NULL:
            return 0
        source.bytes = self.tokenizer.buffer + begin
        source.length = end - begin
        piece.bytes = source.bytes
        piece.tape = NULL
        piece.header = self.header
        piece.length = source.length
        piece.slots = 0
        piece.base = begin
        piece.flags = XF_ESCAPED | XF_CONTROL | XF_WIDE
        self.piece = &piece
        self.place = begin
        self.between(&source)
        return 0

    # Positions and errors. ------------------------------------------------------------------------

    cdef void position(self, uint64_t *line, uint64_t *column, uint64_t *offset) noexcept:
        cdef uint32_t place = self.place if self.busy else self.tokenizer.at
        if self.dead or self.failed:
            line[0] = self.fault_line
            column[0] = self.fault_column
            offset[0] = self.fault_offset
            return
        place_of(&self.tokenizer, place, line, column)
        offset[0] = self.tokenizer.origin + place

    cdef int note_fault(self) except -1:
        """Keep what is known about the tokenizer's error, while it has its buffer."""
        self.failed = True
        self.code = expat_codes[<int>self.tokenizer.error]
        if self.tokenizer.error == XF_E_UNFINISHED and self.tokenizer.item != XF_NO_ITEM:
            self.code = EXPAT_UNCLOSED_TOKEN
        self.fault_offset = self.tokenizer.error_offset
        place_of(
            &self.tokenizer,
            <uint32_t>(self.fault_offset - self.tokenizer.origin),
            &self.fault_line,
            &self.fault_column,
        )
        return 0

    cdef str fault_text(self):
        if self.code == EXPAT_FINISHED:
            return "parsing finished"
        if self.tokenizer.error == XF_E_ENTITY:
            return "undefined entity"  # hosts know this one by its text
        return error_text(self.tokenizer.error) or "no element found"

    # What subclasses override. --------------------------------------------------------------------

    cdef int fail(self) except -1:
        raise ValueError(self.fault_text())

    cdef int declaration(self, const xf_span *source) except -1:
        return 0

    cdef int open_stream(self) except -1:
        return self.start(0)

    cdef int start(self, uint32_t slot) except -1:
        return 0

    cdef int text(self, const xf_span *source) except -1:
        return 0

    cdef int end(self, uint32_t slot) except -1:
        return 0

    cdef int between(self, const xf_span *source) except -1:
        return 0

    cdef int stanza(self, const xf_piece *piece) except -1:
        return self.look(piece, True)

    cdef int close_stream(self) except -1:
        return self.end(0)
