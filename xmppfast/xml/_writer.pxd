"""What serializers share: output that grows, and escaping."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.string cimport memcpy


cdef struct Output:
    char *bytes
    size_t used, capacity


# What a character is written as, by context: text, or a value in single quotes. Line ends and tabs
# would not come back from a value as they are, nor a carriage return from text (XML 1.0 sections
# 2.11 and 3.3.3). Other libraries' serializers know no line ends.
ctypedef enum Context:
    IN_TEXT
    IN_VALUE
    ANYWHERE
    BETWEEN_TAGS


cdef int _grow(Output *out, size_t more) except -1

# Write a string, escaped for its context. `where` names it in the error for what XML can't carry;
# with None that is written too, lone surrogates as three bytes.
cdef int _put_text(Output *out, str text, Context context, str where) except -1

# Write a string as it is, lone surrogates as three bytes.
cdef int _put_str(Output *out, str text) except -1


cdef inline int _reserve(Output *out, size_t more) except -1:
    if out.capacity - out.used < more:
        _grow(out, more)
    return 0


cdef inline int _put(Output *out, const char *bytes, size_t length) except -1:
    _reserve(out, length)
    memcpy(out.bytes + out.used, bytes, length)
    out.used += length
    return 0


cdef inline int _put_bytes(Output *out, bytes text) except -1:
    return _put(out, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))


cdef extern from "Python.h":
    str PyUnicode_FromObject(object)


cdef inline str _exact(object text):
    """The characters of a string of any type; TypeError for anything else."""
    return <str>text if type(text) is str else PyUnicode_FromObject(text)


# Twice as much room for a stack of frames, `size` bytes each, that began in an array of its owner.
# RecursionError when it is too deep to be anything but an element inside itself.
cdef void *_deepen(void *frames, const void *first, size_t size, size_t *capacity) except NULL


# Getters of C-made elements, called past the attribute look-up. ElementTree is imported when it is
# first needed, by _learn_elementtree: who never writes a tree shouldn't wait for it.
cdef extern from *:
    """
    static inline PyObject *xf_get(PyObject *getter, PyObject *object)
    {
        return Py_TYPE(getter)->tp_descr_get(getter, object, (PyObject *)Py_TYPE(object));
    }
    """
    object xf_get(object getter, object element)


cdef object _ElementType  # None before, False where elements are made in Python
cdef object _tag_getter, _text_getter, _tail_getter, _attrib_getter

cdef int _learn_elementtree() except -1
