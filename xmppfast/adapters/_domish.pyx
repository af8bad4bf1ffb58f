# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# cython: always_allow_keywords=True, embedsignature=False
"""Twisted's element stream: the elements that its expat handlers make, made here."""

cimport cython
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.object cimport PyTypeObject
from libc.stdint cimport int32_t, uint8_t, uint32_t
from libc.string cimport memchr

from xmppfast.adapters._reader cimport Reader
from xmppfast.xml._tokenizer cimport (
    XF_ELEMENT_SLOTS,
    XF_NS_NONE,
    XF_PASS_ASIDES,
    XF_PASS_MARK,
    XF_PASS_TEXT,
    XF_TEXT,
    XF_WIDE,
    attribute_namespace,
    attribute_value,
    declares,
    input_bytes,
    name_text,
    piece_namespace,
    piece_text,
    xf_attribute,
    xf_attribute_at,
    xf_element,
    xf_element_at,
    xf_piece,
    xf_span,
)

from twisted.words.xish.domish import Element, ParserError

from xmppfast.adapters import DEFAULT_LIMITS


cdef extern from "Python.h":
    int PyObject_GenericSetAttr(object, object, object) except -1
    object PyType_GenericAlloc(PyTypeObject *, Py_ssize_t)


cdef inline str _attribute_name(const xf_piece *piece, const uint8_t *name, uint32_t length):
    return name_text(name, length, piece.flags & XF_WIDE)


cdef dict _attributes(const xf_piece *piece, uint32_t slot, dict prefixes):
    """Attributes, the namespaced ones last, by (uri, name); declared prefixes go to `prefixes`."""
    cdef const xf_element *e = xf_element_at(piece.tape, slot)
    cdef const xf_attribute *a = xf_attribute_at(piece.tape, slot + XF_ELEMENT_SLOTS)
    cdef const uint8_t *name
    cdef const uint8_t *local
    cdef uint32_t i, prefix
    cdef int32_t declared
    cdef dict found = {}, namespaced = None
    for i in range(e.attributes):
        name = piece.bytes + (a[i].name - piece.base)
        if name[0] == c"x":
            declared = declares(name, a[i].name_length)
            if declared == 0:
                continue
            if declared > 0:
                prefixes[_attribute_name(piece, name + 6, declared)] = attribute_value(piece, &a[i])
                continue
        local = <const uint8_t *>memchr(name, c":", a[i].name_length)
        if local == NULL:
            key = _attribute_name(piece, name, a[i].name_length)
            found[key] = attribute_value(piece, &a[i])
            continue
        prefix = <uint32_t>(local - name)
        uri = piece_namespace(piece, attribute_namespace(piece, slot, name, prefix))
        key = _attribute_name(piece, local + 1, a[i].name_length - prefix - 1)
        if namespaced is None:
            namespaced = {}
        namespaced[uri, key] = attribute_value(piece, &a[i])
    if namespaced is not None:
        found.update(namespaced)
    return found


cdef object _element(const xf_piece *piece, uint32_t slot, list children, object parent):
    """What domish.Element() would be, without its calls."""
    cdef const xf_element *e = xf_element_at(piece.tape, slot)
    cdef uint32_t skip = e.prefix_length + 1 if e.prefix_length else 0
    cdef dict prefixes = {}
    cdef dict attributes
    cdef object uri = piece_namespace(piece, e.ns)
    cdef object default = uri
    cdef object element = PyType_GenericAlloc(<PyTypeObject *>Element, 0)
    if uri is None:
        uri = ""
    attributes = _attributes(piece, slot, prefixes) if e.attributes else {}
    if e.default_ns == XF_NS_NONE:
        default = ""
    else:
        if e.default_ns != e.ns:
            default = piece_namespace(piece, e.default_ns)
        # xmlns='' is None to domish, which then looks at the element (Element.__init__).
        if default is None and uri not in prefixes.values():
            default = uri
    PyObject_GenericSetAttr(element, "localPrefixes", prefixes)
    PyObject_GenericSetAttr(element, "uri", uri)
    PyObject_GenericSetAttr(
        element,
        "name",
        name_text(
            piece.bytes + (e.start - piece.base) + 1 + skip,
            e.name_length - skip,
            piece.flags & XF_WIDE,
        ),
    )
    PyObject_GenericSetAttr(element, "defaultUri", default)
    PyObject_GenericSetAttr(element, "attributes", attributes)
    PyObject_GenericSetAttr(element, "children", children)
    PyObject_GenericSetAttr(element, "parent", parent)
    return element


cdef class ElementStream(Reader):
    """`domish.ExpatElementStream` for XMPP streams; see `xmppfast.adapters.domish`."""

    cdef public object DocumentStartEvent, ElementEvent, DocumentEndEvent
    cdef public Py_ssize_t stanzaSize, elementCount
    cdef object most_elements
    cdef list path  # the open elements of a stanza
    cdef list contents  # their children
    cdef object __weakref__

    def __init__(self, *, limits=DEFAULT_LIMITS, compat=False):
        self.begin(limits, XF_PASS_ASIDES | XF_PASS_TEXT | XF_PASS_MARK if compat else 0)
        self.stanzaSize = self.elementCount = 0
        self.path = []
        self.contents = []

    @cython.critical_section
    def parse(self, buffer):
        """Take more bytes or text; ParserError for what is wrong with them."""
        self.stanzaSize += len(buffer)
        self.most_elements = getattr(self, "maxElementCount")
        self.read(input_bytes(buffer))
        if self.stanzaSize > getattr(self, "maxStanzaSize"):
            raise ParserError("Maximum stanza size exceeded")

    cdef int fail(self) except -1:
        raise ParserError(
            f"{self.fault_text()}: line {self.fault_line}, column {self.fault_column}"
        )

    cdef int open_stream(self) except -1:
        self.DocumentStartEvent(_element(self.piece, 0, [], None))
        return 0

    cdef int start(self, uint32_t slot) except -1:
        cdef Py_ssize_t level = PyList_GET_SIZE(self.path)
        cdef list children = []
        self.elementCount += 1
        if self.elementCount > self.most_elements:
            raise ParserError("Maximum element count exceeded")
        parent = <object>PyList_GET_ITEM(self.path, level - 1) if level else None
        element = _element(self.piece, slot, children, parent)
        if level:
            (<list>PyList_GET_ITEM(self.contents, level - 1)).append(element)
        self.path.append(element)
        self.contents.append(children)
        return 0

    cdef int text(self, const xf_span *source) except -1:
        cdef str text = piece_text(self.piece, source, XF_TEXT)
        if text:  # an empty CDATA section has none
            (<list>PyList_GET_ITEM(self.contents, PyList_GET_SIZE(self.contents) - 1)).append(text)
        return 0

    cdef int end(self, uint32_t slot) except -1:
        element = self.path.pop()
        self.contents.pop()
        if PyList_GET_SIZE(self.path) == 0:
            self.ElementEvent(element)
            self.elementCount = self.stanzaSize = 0
        return 0

    cdef int close_stream(self) except -1:
        self.DocumentEndEvent()
        return 0
