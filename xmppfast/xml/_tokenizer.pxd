"""The C tokenizer, as src_c/ declares it."""

from libc.stddef cimport size_t
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t


cdef extern from "tape.h" nogil:
    ctypedef struct xf_attribute:
        uint32_t name, name_length, value, value_length

    ctypedef struct xf_element:
        uint32_t start, tag_end, content_end, skip, name_length, attributes, ns, parent
        uint32_t prefix_length, scope, prefixes, default_ns

    ctypedef struct xf_slot:
        pass

    ctypedef struct xf_piece:
        const uint8_t *bytes
        const xf_slot *tape
        const xf_piece *header
        uint32_t length, slots, base, flags

    enum:
        XF_ELEMENT_SLOTS
        XF_ESCAPED
        XF_CONTROL
        XF_WIDE
        XF_LEANS
    uint32_t XF_NS_NONE, XF_NS_XML, XF_NS_HEADER


cdef extern from "tokenizer.h" nogil:
    ctypedef struct xf_limits:
        uint32_t stanza_bytes, depth, attributes, children, name_bytes, namespaces

    ctypedef struct xf_allocator:
        void *(*resize)(void *context, void *block, size_t size) noexcept nogil
        void *context

    ctypedef enum xf_status:
        XF_NO_MEMORY
        XF_FAILED
        XF_MORE
        XF_START
        XF_STANZA
        XF_END

    ctypedef enum xf_error:
        XF_E_NONE

    ctypedef struct xf_kernel:
        pass

    ctypedef enum xf_mode:
        XF_BEFORE_ROOT
        XF_IN_STREAM
        XF_IN_STANZA
        XF_AFTER_ROOT

    ctypedef enum xf_item:
        XF_NO_ITEM

    enum:
        XF_PASS_ASIDES
        XF_PASS_TEXT
        XF_PASS_MARK

    ctypedef struct xf_tokenizer:
        const uint8_t *buffer
        const xf_slot *tape
        const xf_piece *header
        uint32_t filled, at, start, taken, slots, open
        uint8_t mode, item, counting
        xf_error error
        uint64_t error_offset, error_line, error_column
        uint64_t origin

    ctypedef xf_piece xf_event

    void xf_init(xf_tokenizer *, const xf_limits *, const xf_allocator *, const xf_kernel *)
    void xf_expect_element(xf_tokenizer *)
    void xf_release(xf_tokenizer *)
    xf_status xf_next(xf_tokenizer *, const uint8_t **, size_t *, xf_event *)
    void xf_adopt(xf_tokenizer *, const xf_piece *)
    const uint8_t *xf_unread(const xf_tokenizer *, size_t *)
    void xf_restart(xf_tokenizer *)
    xf_status xf_finish(xf_tokenizer *)
    void xf_read_tags(xf_tokenizer *, unsigned)
    void xf_take(xf_tokenizer *, uint32_t)
    uint32_t xf_flags(const xf_tokenizer *)
    void xf_place(const xf_tokenizer *, uint32_t, uint64_t *, uint64_t *)
    const char *xf_error_text(xf_error)
    const char *xf_error_condition(xf_error)
    const xf_kernel *xf_usable_kernel(unsigned)
    const xf_kernel *xf_best_kernel()
    const char *xf_kernel_name(const xf_kernel *)


cdef extern from "namespaces.h" nogil:
    ctypedef struct xf_span:
        const uint8_t *bytes
        uint32_t length

    const xf_attribute *xf_attribute_at(const xf_slot *, uint32_t)
    const xf_element *xf_element_at(const xf_slot *, uint32_t)
    int32_t xf_declares(const uint8_t *, uint32_t)
    xf_span xf_namespace(const xf_piece *, uint32_t)
    uint32_t xf_attribute_ns(const xf_piece *, uint32_t, const uint8_t *, uint32_t)


cdef extern from "decode.h" nogil:
    ctypedef enum xf_context:
        XF_TEXT
        XF_VALUE

    uint32_t xf_decode(xf_span, xf_context, uint8_t *)


cdef extern from "forward.h" nogil:
    ctypedef struct xf_edit:
        xf_span name, value
        int remove

    size_t xf_forward_length(const xf_piece *, xf_edit *, unsigned, xf_span)
    size_t xf_stamped_length(const xf_piece *, const xf_attribute *, xf_span)
    uint8_t *xf_stamp(const xf_piece *, const xf_attribute *, xf_span, uint8_t *)
    uint8_t *xf_forward(const xf_piece *, const xf_edit *, unsigned, xf_span, uint8_t *)


cdef extern from "text.h" nogil:
    size_t xf_plain_run(const xf_kernel *, const void *, size_t, int)


cdef size_t plain_run(str text, size_t start) noexcept

# For readers of tags, in other modules: the tokenizer, ...
cdef int begin_tags(xf_tokenizer *t, object limits, unsigned passes) except -1
cdef xf_status next_event(
    xf_tokenizer *t, const uint8_t **data, size_t *size, xf_event *event
) noexcept
cdef void adopt(xf_tokenizer *t, const xf_piece *header) noexcept
cdef void take(xf_tokenizer *t, uint32_t hold) noexcept
cdef uint32_t flags_of(const xf_tokenizer *t) noexcept
cdef xf_status finish(xf_tokenizer *t) noexcept
cdef void release(xf_tokenizer *t) noexcept
cdef void place_of(
    const xf_tokenizer *t, uint32_t place, uint64_t *line, uint64_t *column
) noexcept
cdef str error_text(xf_error error)
# ... its input, and pieces that are kept, ...
cdef bytes input_bytes(object data)
cdef xf_piece *copy_piece(const xf_piece *source) except NULL
cdef void free_piece(const xf_piece *piece) noexcept
# ... and what is in a piece. A name must be in a piece, or have 8 readable bytes behind it.
cdef str name_text(const uint8_t *text, uint32_t length, bint wide)
cdef str piece_text(const xf_piece *piece, const xf_span *source, xf_context context)
cdef str piece_tag(const xf_piece *piece, uint32_t slot)
cdef xf_span namespace_span(const xf_piece *piece, uint32_t ns) noexcept
cdef str piece_namespace(const xf_piece *piece, uint32_t ns)
cdef str attribute_name(const xf_piece *piece, uint32_t slot, const xf_attribute *a)
cdef str attribute_value(const xf_piece *piece, const xf_attribute *a)
cdef dict attributes_of(const xf_piece *piece, uint32_t slot)
cdef uint32_t attribute_namespace(
    const xf_piece *piece, uint32_t slot, const uint8_t *prefix, uint32_t length
) noexcept
# Whether bytes are ASCII characters that stand for themselves.
cdef bint is_simple(const uint8_t *text, uint32_t length) noexcept
cdef int32_t declares(const uint8_t *name, uint32_t length) noexcept
cdef uint32_t end_of(const xf_piece *piece, uint32_t slot) noexcept
cdef object new_element(str tag)
cdef int append_child(object parent, object child) except -1
cdef int set_text(object element, str text) except -1
cdef int set_tail(object element, str tail) except -1
cdef int set_attrib(object element, dict attrib) except -1
cdef object element_tree(const xf_piece *piece, uint32_t slot)
