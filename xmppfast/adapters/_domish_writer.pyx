# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The serializer of Twisted's domish, compiled: the same characters, without recursion."""

cimport cython
from cpython.dict cimport PyDict_Next
from cpython.list cimport PyList_GET_SIZE
from cpython.mem cimport PyMem_RawFree
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF
from cpython.unicode cimport PyUnicode_DecodeUTF8

from twisted.words.xish import domish

from xmppfast.xml._writer cimport (
    ANYWHERE,
    BETWEEN_TAGS,
    Frame,
    Frames,
    Output,
    _exact,
    _put,
    _put_str,
    _put_text,
    _reserve,
    begin_frames,
    free_frames,
    innermost,
    pop,
    push,
    put_end_tag,
)


cdef extern from "Python.h":
    PyObject *PyObject_GenericGetAttr(object, object) noexcept
    void PyErr_Clear()


cdef object Element = domish.Element
cdef object SerializedXML = domish.SerializedXML
cdef dict G_PREFIXES = domish.G_PREFIXES


cdef inline object _attribute(object element, str name):
    """An attribute of an element; past `__getattr__`, which looks for children, if it is there."""
    cdef PyObject *found
    if type(element) is Element:
        found = PyObject_GenericGetAttr(element, name)
        if found != NULL:
            result = <object>found
            Py_DECREF(result)
            return result
        PyErr_Clear()
    return getattr(element, name)


@cython.final
cdef class ListSerializer:
    """Drop-in for `domish.SerializerClass`: serializes elements into one string.

    prefixes         prefixes by the namespace they are to stand for
    prefixesInScope  prefixes that are declared where the string will stand
    """

    cdef Output out
    cdef Frames open  # with the prefixes that they declare
    cdef readonly dict prefixes
    cdef object given  # collections of prefixes in scope from the start
    cdef dict declared  # how many open elements declare a prefix; None before the first
    cdef Py_ssize_t made

    def __cinit__(self):
        begin_frames(&self.open)

    def __init__(self, prefixes=None, prefixesInScope=None):
        self.prefixes = G_PREFIXES.copy()
        if prefixes:
            self.prefixes.update(prefixes)
            self.prefixes.update(G_PREFIXES)
        self.given = prefixesInScope or ()
        self.declared = None

    def __dealloc__(self):
        free_frames(&self.open)
        PyMem_RawFree(self.out.bytes)

    def getValue(self):
        """Everything serialized so far."""
        if self.out.used == 0:
            return ""
        return PyUnicode_DecodeUTF8(self.out.bytes, self.out.used, b"surrogatepass")

    cpdef getPrefix(self, uri):
        """The prefix for a namespace; a new one if there is none."""
        prefix = self.prefixes.get(uri, self)
        if prefix is self:
            prefix = self.prefixes[uri] = f"xn{self.made}"
            self.made += 1
        return prefix

    cpdef bint prefixInScope(self, prefix):
        """Whether a prefix is declared where the serializer is now."""
        if self.declared is not None and prefix in self.declared:
            return True
        if prefix in G_PREFIXES.values():
            return True
        for some in self.given:
            if prefix in some:
                return True
        return False

    def serialize(self, elem, closeElement=1, defaultUri=""):
        """Append an element or a string; with `closeElement=0` only the element's start tag."""
        cdef size_t outer = self.open.depth
        cdef Frame *frame
        _reserve(&self.out, 512)
        try:
            self.put_node(elem, defaultUri, closeElement == 0)
            while self.open.depth > outer:
                frame = innermost(&self.open)
                children = <list>frame.children
                if frame.child < PyList_GET_SIZE(children):
                    frame.child += 1
                    self.put_node(children[frame.child - 1], <object>frame.namespace, False)
                else:
                    put_end_tag(&self.out, frame.name, frame.name_length)
                    self.leave(<object>frame.declared)
                    pop(&self.open)
        finally:
            while self.open.depth > outer:
                pop(&self.open)

    cdef int enter(self, object prefix) except -1:
        if self.declared is None:
            self.declared = {}
        self.declared[prefix] = self.declared.get(prefix, 0) + 1
        return 0

    cdef int leave(self, list prefixes) except -1:
        if prefixes is None:
            return 0
        for prefix in prefixes:
            times = self.declared.pop(prefix)
            if times > 1:
                self.declared[prefix] = times - 1
        return 0

    cdef int put_object(self, object value) except -1:
        """Write what formatting a value makes of it."""
        return _put_str(&self.out, value if type(value) is str else f"{value}")

    cdef int put_value(self, object value) except -1:
        if isinstance(value, str):
            return _put_text(&self.out, _exact(value), ANYWHERE, None)
        return self.put_object(domish.escapeToXml(value, 1))

    cdef int put_declaration(self, object prefix, object uri) except -1:
        _put(&self.out, b" xmlns:", 7)
        self.put_object(prefix)
        _put(&self.out, b"='", 2)
        self.put_object(uri)
        return _put(&self.out, b"'", 1)

    cdef int declare(self, object prefix, object uri, list prefixes) except -1:
        self.put_declaration(prefix, uri)
        prefixes.append(prefix)
        return self.enter(prefix)

    cdef list put_attributes(self, dict attributes, list prefixes):
        """Write attributes; returns the prefixes that the element declares, or None."""
        cdef PyObject *entry_key
        cdef PyObject *entry_value
        cdef Py_ssize_t place = 0
        while PyDict_Next(attributes, &place, &entry_key, &entry_value):
            key, value = <object>entry_key, <object>entry_value
            if not isinstance(key, tuple):
                _put(&self.out, b" ", 1)
                self.put_object(key)
            else:
                uri, name = key
                prefix = self.getPrefix(uri)
                if not self.prefixInScope(prefix):
                    if prefixes is None:
                        prefixes = []
                    self.declare(prefix, uri, prefixes)
                _put(&self.out, b" ", 1)
                self.put_object(prefix)
                _put(&self.out, b":", 1)
                self.put_object(name)
            _put(&self.out, b"='", 2)
            self.put_value(value)
            _put(&self.out, b"'", 1)
        return prefixes

    cdef int put_node(self, object node, object outer_default, bint open_only) except -1:
        """Write a string, or an element up to its children; leave that open if it has some."""
        if isinstance(node, SerializedXML):
            return _put_str(&self.out, _exact(node))
        if isinstance(node, str):
            return _put_text(&self.out, _exact(node), BETWEEN_TAGS, None)
        return self.put_element(node, outer_default, open_only)

    cdef int put_element(self, object element, object outer_default, bint open_only) except -1:
        cdef object name = _attribute(element, "name")
        cdef object uri = _attribute(element, "uri")
        cdef object default = _attribute(element, "defaultUri")
        cdef object local_prefixes = _attribute(element, "localPrefixes")
        cdef object attributes, children, prefix = None
        cdef list prefixes = None
        cdef size_t at, length
        if local_prefixes:
            for local_prefix, local_uri in local_prefixes.items():
                self.prefixes[local_uri] = local_prefix
                self.enter(local_prefix)
            prefixes = list(local_prefixes)
        if default is None:
            default = outer_default
        if uri is None:
            uri = default
        if (uri is not default and uri != default) or uri in self.prefixes:
            prefix = self.getPrefix(uri)
        _put(&self.out, b"<", 1)
        at = self.out.used
        if prefix:
            self.put_object(prefix)
            _put(&self.out, b":", 1)
        _put_str(&self.out, name if type(name) is str else "%s" % name)
        length = self.out.used - at
        if prefix and not self.prefixInScope(prefix):
            if prefixes is None:
                prefixes = []
            self.declare(prefix, uri, prefixes)
        if default is not outer_default and default != outer_default:
            if not prefix or uri != default:
                _put(&self.out, b" xmlns='", 8)
                self.put_object(default)
                _put(&self.out, b"'", 1)
        if local_prefixes:
            for local_prefix, local_uri in local_prefixes.items():
                self.put_declaration(local_prefix, local_uri)
        attributes = _attribute(element, "attributes")
        if attributes:
            if type(attributes) is not dict:
                attributes = dict(attributes.items())
            prefixes = self.put_attributes(<dict>attributes, prefixes)
        if open_only:
            return _put(&self.out, b">", 1)
        children = _attribute(element, "children")
        if len(children) == 0:
            _put(&self.out, b"/>", 2)
            return self.leave(prefixes)
        if type(children) is not list:
            children = list(children)
        _put(&self.out, b">", 1)
        return push(&self.open, children, default, prefixes, at, length)
