# What `Stanza.forward` is made of.

cdef bytes _escaped_value(str value, str name):
    """UTF-8 of a string as it can stand in an attribute value in single quotes."""
    from ._writer import escape_value
    return escape_value(value, name)


# The last value that stood as it was, and its UTF-8: a session's stanzas are stamped with the same
# one.
cdef object _last_plain = _unchanged
cdef xf_span _last_value


cdef bytes _edit(xf_edit *edit, const char *name, uint32_t name_length, object value):
    """Fill in an edit; the result must be kept as long as it is used."""
    global _last_plain, _last_value
    cdef Py_ssize_t length
    cdef bytes escaped
    edit.name.bytes = <const uint8_t *>name
    edit.name.length = name_length
    edit.remove = value is None
    if value is None:
        return None
    if XF_SHARED_CACHE and value is _last_plain:
        edit.value = _last_value
        return None
    if not isinstance(value, str):
        raise TypeError(f"{name.decode()} must be a str or None, not {type(value).__name__}")
    if plain_run(value, 0) == <size_t>PyUnicode_GET_LENGTH(value):
        edit.value.bytes = <const uint8_t *>PyUnicode_AsUTF8AndSize(value, &length)
        edit.value.length = <uint32_t>length
        if XF_SHARED_CACHE:
            _last_plain, _last_value = value, edit.value
        return None
    escaped = _escaped_value(value, name.decode())
    edit.value.bytes = <const uint8_t *>PyBytes_AS_STRING(escaped)
    edit.value.length = <uint32_t>PyBytes_GET_SIZE(escaped)
    return escaped


cdef bytes _leaned_on(Stanza stanza):
    """Declarations of the header's prefixes that the stanza uses, in the header's order."""
    cdef const xf_piece *piece = stanza.piece
    cdef const xf_element *e
    cdef const xf_attribute *a
    cdef const uint8_t *name
    cdef const uint8_t *colon
    cdef uint32_t slot = 0, ns
    cdef set used = set()
    while slot < piece.slots:
        e = xf_element_at(piece.tape, slot)
        if e.prefix_length:
            used.add(e.ns)
        for i in range(e.attributes):
            a = xf_attribute_at(piece.tape, slot + XF_ELEMENT_SLOTS + i)
            name = piece.bytes + (a.name - piece.base)
            colon = <const uint8_t *>memchr(name, c":", a.name_length)
            if colon != NULL and xf_declares(name, a.name_length) < 0:
                used.add(xf_attribute_ns(piece, slot, name, <uint32_t>(colon - name)))
        slot += XF_ELEMENT_SLOTS + e.attributes
    out = []
    for ns in sorted(used):
        if ns & XF_NS_HEADER and ns < XF_NS_XML:
            a = xf_attribute_at(piece.header.tape, ns & ~XF_NS_HEADER)
            # From the name to the closing quote, as the header has it.
            name = piece.header.bytes + (a.name - piece.header.base)
            out.append(b" " + name[: a.value + a.value_length + 1 - a.name])
    return b"".join(out)


# A server stamps each of a session's stanzas with the same `from`: forward(from_=...) with the last
# value again needs nothing of what takes any arguments apart, so it is found out in front of that.
cdef str _from_name = "from_"


cdef bytes _stamped(const xf_piece *piece):
    """The stanza's bytes with the last value as `from`."""
    cdef const xf_attribute *a = xf_find(piece, 0, b"from\0\0\0\0", 4)
    cdef bytes out = PyBytes_FromStringAndSize(NULL, xf_stamped_length(piece, a, _last_value))
    xf_stamp(piece, a, _last_value, <uint8_t *>PyBytes_AS_STRING(out))
    return out


ctypedef PyObject *(*fast_method)(
    PyObject *, PyObject *const *, Py_ssize_t, PyObject *
) except NULL

cdef fast_method _forward_anything


cdef PyObject *_forward(
    PyObject *self, PyObject *const *arguments, Py_ssize_t positional, PyObject *names
) except NULL:
    if (
        names != NULL
        and positional == 0
        and PyTuple_GET_SIZE(names) == 1
        and PyTuple_GET_ITEM(names, 0) == <PyObject *>_from_name
        and arguments[0] == <PyObject *>_last_plain
        and not (<Stanza>self).piece.flags & XF_LEANS
    ):
        out = _stamped((<Stanza>self).piece)
        Py_INCREF(out)
        return <PyObject *>out
    return _forward_anything(self, arguments, positional, names)


cdef PyMethodDef *_forward_method = (<PyMethodDescrObject *>Stanza.__dict__["forward"]).d_method
_forward_anything = <fast_method>_forward_method.ml_meth
_forward_method.ml_meth = <PyCFunction>_forward
