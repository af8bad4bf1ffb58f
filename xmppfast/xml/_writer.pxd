"""What serializers share: output that grows, escaping, and the elements that are open."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_RawFree
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF
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


# The open elements of a tree that is written without recursion, and how they are closed.


cdef struct Frame:
    PyObject *children  # what they are taken from, in order
    PyObject *namespace  # that stands for none inside of the element
    PyObject *declared  # what the element declares for others, or None
    Py_ssize_t child  # the next one's number
    size_t name, name_length  # of the element's name in the output


cdef enum:
    SHALLOW = 6  # levels that need no memory of their own


cdef struct Frames:
    Frame *frames
    size_t depth, capacity
    Frame shallow[SHALLOW]


# Twice as much room. RecursionError when the stack is too deep to be anything but an element inside
# itself.
cdef int deepen(Frames *stack) except -1


cdef inline void begin_frames(Frames *stack) noexcept:
    """A new stack; it must not be moved."""
    stack.frames = stack.shallow
    stack.capacity = SHALLOW
    stack.depth = 0


cdef inline int push(
    Frames *stack, object children, object namespace, object declared, size_t name, size_t length
) except -1:
    """Open an element. RecursionError if it is too deep to be anything but inside itself."""
    cdef Frame *frame
    if stack.depth == stack.capacity:
        deepen(stack)
    frame = stack.frames + stack.depth
    Py_INCREF(children)
    Py_INCREF(namespace)
    Py_INCREF(declared)
    frame.children = <PyObject *>children
    frame.namespace = <PyObject *>namespace
    frame.declared = <PyObject *>declared
    frame.child = 0
    frame.name = name
    frame.name_length = length
    stack.depth += 1
    return 0


cdef inline Frame *innermost(Frames *stack) noexcept:
    """The element opened last; its place in memory changes with the next one."""
    return stack.frames + stack.depth - 1


cdef inline void pop(Frames *stack) noexcept:
    """Forget the element opened last."""
    cdef Frame *frame = innermost(stack)
    stack.depth -= 1
    Py_DECREF(<object>frame.children)
    Py_DECREF(<object>frame.namespace)
    Py_DECREF(<object>frame.declared)


cdef inline void free_frames(Frames *stack) noexcept:
    """Forget everything."""
    while stack.depth:
        pop(stack)
    if stack.frames != stack.shallow:
        PyMem_RawFree(stack.frames)


cdef inline int put_end_tag(Output *out, size_t name, size_t length) except -1:
    """Write the end tag of the element whose name was written there."""
    _reserve(out, length + 3)
    _put(out, b"</", 2)
    memcpy(out.bytes + out.used, out.bytes + name, length)
    out.used += length
    return _put(out, b">", 1)


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
