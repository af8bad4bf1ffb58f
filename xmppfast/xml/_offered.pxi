# For readers of tags: what the .pxd offers to other modules.

cdef int begin_tags(xf_tokenizer *t, object limits, unsigned passes) except -1:
    cdef xf_limits c_limits = _c_limits(limits)
    xf_init(t, &c_limits, &_allocator, _kernel)
    xf_read_tags(t, passes)
    return 0


cdef xf_status next_event(
    xf_tokenizer *t, const uint8_t **data, size_t *size, xf_event *event
) noexcept:
    return xf_next(t, data, size, event)


cdef void adopt(xf_tokenizer *t, const xf_piece *header) noexcept:
    xf_adopt(t, header)


cdef void take(xf_tokenizer *t, uint32_t hold) noexcept:
    xf_take(t, hold)


cdef uint32_t flags_of(const xf_tokenizer *t) noexcept:
    return xf_flags(t)


cdef xf_status finish(xf_tokenizer *t) noexcept:
    return xf_finish(t)


cdef void release(xf_tokenizer *t) noexcept:
    xf_release(t)


cdef void place_of(
    const xf_tokenizer *t, uint32_t place, uint64_t *line, uint64_t *column
) noexcept:
    xf_place(t, place, line, column)


cdef str error_text(xf_error error):
    return xf_error_text(error).decode()


cdef bytes input_bytes(object data):
    return _as_bytes(data)


cdef xf_piece *copy_piece(const xf_piece *source) except NULL:
    return _copy_piece(source)


cdef void free_piece(const xf_piece *piece) noexcept:
    _free_piece(piece)


cdef str name_text(const uint8_t *text, uint32_t length, bint wide):
    return _cached(text, length, wide)


cdef str piece_text(const xf_piece *piece, const xf_span *source, xf_context context):
    return _text(piece, source[0], context)


cdef str piece_tag(const xf_piece *piece, uint32_t slot):
    return _tag(piece, slot)


cdef xf_span namespace_span(const xf_piece *piece, uint32_t ns) noexcept:
    return xf_namespace(piece, ns)


cdef str piece_namespace(const xf_piece *piece, uint32_t ns):
    return _namespace_name(piece, ns)


cdef str attribute_name(const xf_piece *piece, uint32_t slot, const xf_attribute *a):
    return _attribute_name(piece, slot, a)


cdef str attribute_value(const xf_piece *piece, const xf_attribute *a):
    return _text(piece, _value_span(piece, a), XF_VALUE)


cdef dict attributes_of(const xf_piece *piece, uint32_t slot):
    return _attributes(piece, slot)


cdef uint32_t attribute_namespace(
    const xf_piece *piece, uint32_t slot, const uint8_t *prefix, uint32_t length
) noexcept:
    return xf_attribute_ns(piece, slot, prefix, length)


cdef bint is_simple(const uint8_t *text, uint32_t length) noexcept:
    return _is_simple(text, length)


cdef int32_t declares(const uint8_t *name, uint32_t length) noexcept:
    return xf_declares(name, length)


cdef uint32_t end_of(const xf_piece *piece, uint32_t slot) noexcept:
    return _end(piece, slot)


cdef object new_element(str tag):
    if _make is None:
        _learn_elementtree()
    return _new_element(tag)


cdef int append_child(object parent, object child) except -1:
    _append(parent, child)
    return 0


cdef int set_text(object element, str text) except -1:
    return xf_set(_set_text, element, text)


cdef int set_tail(object element, str tail) except -1:
    return xf_set(_set_tail, element, tail)


cdef int set_attrib(object element, dict attrib) except -1:
    return xf_set(_set_attrib, element, attrib)


cdef object element_tree(const xf_piece *piece, uint32_t slot):
    return _to_etree(piece, slot)


from ._writer import escape, tostring  # noqa: E402  (it needs this module)
