"""The open elements of a tree that is written without recursion, and how they are closed."""

from cpython.mem cimport PyMem_RawFree
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.string cimport memcpy

from xmppfast.xml._writer cimport Output, _deepen, _put, _reserve


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
        stack.frames = <Frame *>_deepen(
            stack.frames, stack.shallow, sizeof(Frame), &stack.capacity
        )
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
