# Genuine ElementTree trees.

# ElementTree's own functions, called past the look-up of attributes. Elements are made by copying
# an empty one of the same tag: that is its only constructor that parses no arguments.
cdef object _make = None, _copy, _append, _set_text, _set_tail, _set_attrib
cdef dict _models = {}
cdef enum:
    MOST_MODELS = 1024

cdef extern from *:
    """
    static int xf_set(PyObject *setter, PyObject *object, PyObject *value)
    {
        return Py_TYPE(setter)->tp_descr_set(setter, object, value);
    }
    """
    int xf_set(object setter, object element, object value) except -1


cdef int _learn_elementtree() except -1:
    """Import ElementTree late: who never asks for a tree shouldn't wait for it."""
    global _make, _copy, _append, _set_text, _set_tail, _set_attrib
    from xml.etree.ElementTree import Element as Made

    _copy, _append = Made.__copy__, Made.append
    _set_text, _set_tail, _set_attrib = Made.text, Made.tail, Made.attrib
    _make = Made
    return 0


cdef object _new_element(str tag):
    cdef object model = _models.get(tag)
    if model is None:
        if len(_models) >= MOST_MODELS:
            _models.clear()
        model = _models[tag] = _make(tag)
    return _copy(model)


@cython.wraparound(True)
cdef object _to_etree(const xf_piece *piece, uint32_t top):
    cdef uint32_t slot = top, end = top + xf_element_at(piece.tape, top).skip
    cdef const xf_element *e
    cdef list open_elements = [], open_slots = []
    cdef object root = None, parent = None, element
    cdef uint32_t parent_end = end
    if _make is None:
        _learn_elementtree()
    while slot < end:
        e = xf_element_at(piece.tape, slot)
        while slot >= parent_end:
            open_slots.pop()
            open_elements.pop()
            parent = open_elements[-1]
            parent_end = open_slots[-1]
        element = _new_element(_tag(piece, slot))
        if root is None:
            root = element
        else:
            _append(parent, element)
            tail = _tail_of(piece, slot)
            if tail is not None:
                xf_set(_set_tail, element, tail)
        if e.attributes:
            attributes = _attributes(piece, slot)
            if attributes:
                xf_set(_set_attrib, element, attributes)
        text = _text_of(piece, slot)
        if text is not None:
            xf_set(_set_text, element, text)
        if _has_children(e):
            parent = element
            parent_end = slot + e.skip
            open_elements.append(element)
            open_slots.append(parent_end)
        slot = slot + XF_ELEMENT_SLOTS + e.attributes
    return root
