# Attributes of an element in a piece.

cdef extern from "find.h" nogil:
    const xf_attribute *xf_find(const xf_piece *, uint32_t, const char *, uint32_t)


cdef inline xf_span _value_span(const xf_piece *piece, const xf_attribute *a) noexcept:
    cdef xf_span value
    value.bytes = piece.bytes + (a.value - piece.base)
    value.length = a.value_length
    return value


cdef inline str _named(const xf_piece *piece, uint32_t slot, const char *name, uint32_t length):
    cdef const xf_attribute *a = xf_find(piece, slot, name, length)
    if a == NULL:
        return None
    return _text(piece, _value_span(piece, a), XF_VALUE)


cdef inline str _short(const xf_piece *piece, uint32_t slot, const char *name, uint32_t length):
    """Like _named, for attributes with few different values."""
    cdef const xf_attribute *a = xf_find(piece, slot, name, length)
    if a == NULL:
        return None
    if a.value_length > 16 or piece.flags & (XF_ESCAPED | XF_CONTROL):
        return _text(piece, _value_span(piece, a), XF_VALUE)
    return _cached(_value_span(piece, a).bytes, a.value_length, piece.flags & XF_WIDE)


cdef str _attribute_name(const xf_piece *piece, uint32_t slot, const xf_attribute *a):
    """Clark name of an attribute, or None for a namespace declaration."""
    cdef const uint8_t *name = piece.bytes + (a.name - piece.base)
    cdef const uint8_t *colon = <const uint8_t *>memchr(name, c":", a.name_length)
    cdef uint32_t prefix
    if xf_declares(name, a.name_length) >= 0:
        return None
    if colon == NULL:
        return _cached(name, a.name_length, piece.flags & XF_WIDE)
    prefix = <uint32_t>(colon - name)
    return _clark(
        piece, xf_attribute_ns(piece, slot, name, prefix), colon + 1, a.name_length - prefix - 1
    )


cdef dict _attributes(const xf_piece *piece, uint32_t slot):
    cdef const xf_element *e = xf_element_at(piece.tape, slot)
    cdef const xf_attribute *a = xf_attribute_at(piece.tape, slot + XF_ELEMENT_SLOTS)
    cdef dict result = {}
    cdef uint32_t i
    for i in range(e.attributes):
        name = _attribute_name(piece, slot, &a[i])
        if name is not None:
            result[name] = _text(piece, _value_span(piece, &a[i]), XF_VALUE)
    return result


cdef object _get(const xf_piece *piece, uint32_t slot, str key, object default):
    cdef const xf_attribute *a
    cdef Py_ssize_t length
    cdef const char *name
    cdef char padded[KEY_BYTES]
    if key.startswith("{"):
        return _attributes(piece, slot).get(key, default)
    name = PyUnicode_AsUTF8AndSize(key, &length)
    if xf_declares(<const uint8_t *>name, <uint32_t>length) >= 0 or memchr(name, c":", length):
        return default
    if length < KEY_BYTES:
        memcpy(padded, name, length)
        name = padded
    a = xf_find(piece, slot, name, <uint32_t>length)
    return default if a == NULL else _text(piece, _value_span(piece, a), XF_VALUE)
