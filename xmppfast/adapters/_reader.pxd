"""The driver under every adapter: bytes of a stream in, a call per tag and per text out.

A subclass overrides some of the methods below; they are called in document order:

    declaration(source) the XML declaration
    open_stream()       the root's start tag: `piece` is the stream header, its element slot 0
    start(slot)         a start tag
    text(source)        all of the text between two tags, never empty; `source` is as received
    end(slot)           an end tag, or the end of a tag that closes itself
    between(source)     text between stanzas: white space and, where the tokenizer was asked to pass
                        it over, anything. Called for what is there: once or more between two tags
    stanza(piece)       a stanza is complete. The default makes the calls for what hasn't been seen
                        of it. With `whole` set, it is the only call for stanzas
    close_stream()      the root's end

`open_stream` and `close_stream` default to start(0) and end(0), the others to nothing. A tag is
reported in the very `read` that has its last byte, text with the tag that ends it.

During a call, and not longer:

    piece   bytes and tape that slots and spans refer to. The tape is in document order; later
            slots, `skip` and `content_end` are not to be looked at: the stanza may go on
    place   offset of what the call is about in the tokenizer's buffer; see `position`

The calls may do anything. What is fed while one lasts is read after the rest. One that raises ends
the reader: the exception leaves `read`, and later calls of `read` fail with "parsing finished", as
with expat.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from xmppfast.xml._tokenizer cimport xf_piece, xf_span, xf_tokenizer


cdef class Reader:
    cdef xf_tokenizer tokenizer
    cdef const xf_piece *piece
    cdef uint32_t place
    cdef bint whole     # set by a subclass that wants complete stanzas only
    cdef bint finished  # the end of input was announced
    cdef bint failed    # the stream is wrong, and `code` is set
    cdef bint dead      # a call has raised

    cdef xf_piece *header  # our copy, or NULL
    cdef bint busy
    cdef bint declared     # the declaration is reported, or there is none
    cdef list waiting      # input fed during a call; None if there is none
    # Where in the stanza the calls are.
    cdef uint32_t cursor   # slot of the next start tag
    cdef uint32_t inner    # slot of the innermost element whose end was not reported
    cdef uint32_t level    # number of such elements
    cdef uint32_t behind   # the last tag, counted from the stanza's first byte
    # The error: expat's number for it, and where it is.
    cdef int code
    cdef uint64_t fault_line, fault_column, fault_offset

    # For subclasses to call. ----------------------------------------------------------------------

    # Set up, or begin anew; `passes` is XF_PASS_... Raises TypeError for what is no Limits.
    cdef int begin(self, object limits, unsigned passes) except -1

    # Read more input. Once the stream is wrong or a call has raised, calls `fail` every time.
    cdef int read(self, bytes data) except -1

    # Announce the end of input, which calls `fail` if the root is not closed.
    cdef int finish(self) except -1

    # Of the call that lasts, or else of the error, or else of what is read next: line from 1, column
    # from 0 and in characters, offset in bytes from the first one read.
    cdef void position(self, uint64_t *line, uint64_t *column, uint64_t *offset) noexcept

    # What is wrong, for people; without the position.
    cdef str fault_text(self)

    # For subclasses to override. ------------------------------------------------------------------

    # Raise the host's error for `code`, expat's number, at `position`.
    cdef int fail(self) except -1

    cdef int declaration(self, const xf_span *source) except -1
    cdef int open_stream(self) except -1
    cdef int start(self, uint32_t slot) except -1
    cdef int text(self, const xf_span *source) except -1
    cdef int end(self, uint32_t slot) except -1
    cdef int between(self, const xf_span *source) except -1
    cdef int stanza(self, const xf_piece *piece) except -1
    cdef int close_stream(self) except -1

    # The reader's own. ----------------------------------------------------------------------------

    cdef void forget_header(self) noexcept
    cdef int look(self, const xf_piece *piece, bint complete) except -1
    cdef int look_at_part(self) except -1
    cdef int look_before_root(self, const uint8_t *bytes, uint32_t length) except -1
    cdef int look_between_and_hold(self) except -1
    cdef int look_between(self, uint32_t end) except -1
    cdef int report(self, const uint8_t **data, size_t *size) except -1
    cdef int note_fault(self) except -1
