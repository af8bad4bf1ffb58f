# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# cython: always_allow_keywords=True, embedsignature=False
"""nbxmpp's node builder: the nodes that its expat handlers make, made here."""

cimport cython
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.object cimport PyTypeObject
from cpython.tuple cimport PyTuple_GET_ITEM
from libc.stdint cimport int32_t, uint8_t, uint32_t

from xmppfast.adapters._reader cimport Reader
from xmppfast.xml._tokenizer cimport (
    XF_ELEMENT_SLOTS,
    XF_PASS_MARK,
    XF_PASS_TEXT,
    XF_TEXT,
    XF_WIDE,
    attribute_value,
    declares,
    input_bytes,
    name_text,
    piece_text,
    xf_attribute,
    xf_attribute_at,
    xf_element,
    xf_element_at,
    xf_piece,
    xf_span,
)

from xml.parsers.expat import ExpatError

from nbxmpp.simplexml import Node

from xmppfast.adapters import DEFAULT_LIMITS


cdef extern from "Python.h":
    int PyObject_GenericSetAttr(object, object, object) except -1
    object PyType_GenericAlloc(PyTypeObject *, Py_ssize_t)


cdef str UNDECLARED = "http://www.gajim.org/xmlns/undeclared"
cdef str STREAMS = "http://etherx.jabber.org/streams"


cdef inline int _set(object node, str name, object value) except -1:
    if type(node) is Node:
        PyObject_GenericSetAttr(node, name, value)
    else:
        setattr(node, name, value)
    return 0


cdef enum:
    NODE
    DATA
    KIDS
    DECLARED
    LOOKED_UP


cdef inline object _part(list path, Py_ssize_t level, int part):
    """Part of the open node at a level; -1 is the innermost one."""
    if level < 0:
        level += PyList_GET_SIZE(path)
    return <object>PyTuple_GET_ITEM(<object>PyList_GET_ITEM(path, level), part)


def _nothing(*_):
    """What is called until something else is put in its place."""


cdef dict _attributes(const xf_piece *piece, uint32_t slot, dict declared):
    """Attributes as written, declarations among them; those go to `declared` by prefix, too."""
    cdef const xf_element *e = xf_element_at(piece.tape, slot)
    cdef const xf_attribute *a = xf_attribute_at(piece.tape, slot + XF_ELEMENT_SLOTS)
    cdef const uint8_t *name
    cdef bint wide = piece.flags & XF_WIDE
    cdef uint32_t i
    cdef int32_t length
    cdef dict found = {}
    for i in range(e.attributes):
        name = piece.bytes + (a[i].name - piece.base)
        value = attribute_value(piece, &a[i])
        if name[0] == c"x":
            length = declares(name, a[i].name_length)
            if length >= 0:
                declared[name_text(name + 6, length, wide) if length else ""] = value
        found[name_text(name, a[i].name_length, wide)] = value
    return found


cdef class NodeBuilder(Reader):
    """`nbxmpp.simplexml.NodeBuilder` for XMPP streams; see `xmppfast.adapters.nbxmpp`."""

    # dispatch(node)             called with the stream header and each stanza
    # stream_header_received()   called when a document's root has started
    # stream_footer_received()   called when the root has ended
    cdef public object dispatch, stream_header_received, stream_footer_received
    cdef public object _dispatch_depth, _mini_dom, stream_error
    cdef public dict _document_nsp
    cdef dict document_attrs  # made when they are asked for
    cdef readonly bint _is_stream
    cdef Py_ssize_t depth, deepest
    cdef bint is_text  # what came last
    cdef bint destroyed
    cdef bint opened  # the root is as it should be
    cdef str name  # of the node that is to be dispatched
    cdef list pieces  # text of the root of a document, until a tag follows; None if there is none
    # The open nodes, from the one to be dispatched on: each a tuple of node, data, kids, nsd and
    # nsp_cache.
    cdef list path
    cdef object __weakref__
    cdef dict __dict__

    def __init__(
        self, data=None, initial_node=None, dispatch_depth=1, finished=True, *,
        limits=DEFAULT_LIMITS, compat=False,
    ):
        cdef unsigned passes = XF_PASS_TEXT | XF_PASS_MARK if compat else 0
        if dispatch_depth == 1:  # a document: its root has text like any other node
            passes |= XF_PASS_TEXT
        self.begin(limits, passes)
        self._dispatch_depth = dispatch_depth
        self._mini_dom = initial_node
        self._is_stream = not finished
        self.stream_error = ""
        self.dispatch = self.stream_header_received = self.stream_footer_received = _nothing
        self.depth = self.deepest = 0
        self.is_text = True
        self.path = []
        if data:
            self.Parse(data, finished)

    # The surface. ---------------------------------------------------------------------------------

    @cython.critical_section
    def Parse(self, data, isfinal=False):
        """Take more text or bytes; ExpatError or ValueError for what is wrong with them."""
        self.read(input_bytes(data))
        if isfinal:
            self.finish()
        return 1

    def destroy(self):
        """Make no nodes and no calls any more."""
        self.flush()
        self.destroyed = True

    def getDom(self):
        """The node just built, or None."""
        self.flush()
        return self._mini_dom

    @property
    def _document_attrs(self):
        """The root's attributes without declarations; None before there is one as it should be."""
        if self.opened and self.document_attrs is None:
            self.document_attrs = {
                key: value
                for key, value in _attributes(self.header, 0, {}).items()
                if key != "xmlns" and not key.startswith("xmlns:")
            }
        return self.document_attrs

    def has_received_endtag(self, level=0):
        """Whether an end tag was seen at this level."""
        return self.depth <= level < self.deepest

    # The reader's calls. --------------------------------------------------------------------------

    cdef int fail(self) except -1:
        error = ExpatError(
            f"{self.fault_text()}: line {self.fault_line}, column {self.fault_column}"
        )
        error.code = self.code
        error.lineno = self.fault_line
        error.offset = self.fault_column
        raise error

    cdef int open_stream(self) except -1:
        return self.start(0)

    cdef int start(self, uint32_t slot) except -1:
        cdef const xf_piece *piece = self.piece
        cdef const xf_element *e = xf_element_at(piece.tape, slot)
        cdef const uint8_t *tag = piece.bytes + (e.start - piece.base) + 1
        cdef uint32_t skip = e.prefix_length + 1 if e.prefix_length else 0
        cdef bint wide = piece.flags & XF_WIDE
        cdef dict declared = {}
        cdef dict attributes
        cdef Py_ssize_t inside
        cdef str prefix, name
        if self.destroyed:
            return 0
        if self.pieces is not None:
            self.flush()
        self.depth += 1
        if self.depth > self.deepest:
            self.deepest = self.depth
        attributes = _attributes(piece, slot, declared) if e.attributes else {}
        prefix = name_text(tag, e.prefix_length, wide) if skip else ""
        name = name_text(tag + skip, e.name_length - skip, wide)
        inside = self.depth - <Py_ssize_t>self._dispatch_depth
        if inside == 0:
            self.name = name
            self.open_dispatched(prefix, name, attributes, declared)
        elif inside > 0:
            self.open_kid(prefix, name, attributes, declared)
        if self.depth == 1:
            self._document_nsp = declared.copy()
            self.open_root(prefix, name, name_text(tag, e.name_length, wide), attributes)
        if not self.is_text and PyList_GET_SIZE(self.path) > 1:
            (<list>_part(self.path, -2, DATA)).append("")
        self.is_text = False
        return 0

    cdef int text(self, const xf_span *source) except -1:
        cdef str text
        if self.destroyed:
            return 0
        text = piece_text(self.piece, source, XF_TEXT)
        if text:  # an empty CDATA section has none
            (<list>_part(self.path, -1, DATA)).append(text)
            self.is_text = True
        return 0

    cdef int between(self, const xf_span *source) except -1:
        if self.destroyed or PyList_GET_SIZE(self.path) == 0:
            return 0
        text = piece_text(self.piece, source, XF_TEXT)
        if text:
            if self.pieces is None:
                self.pieces = []
            self.pieces.append(text)
            self.is_text = True
        return 0

    cdef int end(self, uint32_t slot) except -1:
        if self.destroyed:
            return 0
        if self.pieces is not None:
            self.flush()
        if self.depth == self._dispatch_depth:
            self.leave()
            if self.name == "error":
                self.note_stream_error()
            self.dispatch_now(self._mini_dom)
        elif self.depth > self._dispatch_depth:
            self.leave()
        self.depth -= 1
        self.is_text = False
        if self.depth == 0 and not self.destroyed:
            getattr(self, "stream_footer_received")()
        return 0

    # Nodes. ---------------------------------------------------------------------------------------

    cdef int dispatch_now(self, object node) except -1:
        getattr(self, "dispatch")(node)
        return 0

    cdef int flush(self) except -1:
        if self.pieces is not None:
            pieces, self.pieces = self.pieces, None
            (<list>_part(self.path, -1, DATA)).append("".join(pieces))
        return 0

    cdef int fill(
        self, object node, object parent, str prefix, str name, dict attributes, dict declared,
        dict looked_up,
    ) except -1:
        """Give a node what Node.__init__() would, and make it the innermost one."""
        cdef list texts = [], kids = []
        self.path.append((node, texts, kids, declared, looked_up))
        _set(node, "name", name)
        _set(node, "namespace", self.look_up(prefix))
        _set(node, "attrs", attributes)
        _set(node, "data", texts)
        _set(node, "kids", kids)
        _set(node, "parent", parent)
        _set(node, "nsd", declared)
        _set(node, "nsp_cache", looked_up)
        return 0

    cdef object look_up(self, str prefix):
        """The namespace of the innermost node's prefix; nodes on the way to it remember it."""
        cdef Py_ssize_t last = PyList_GET_SIZE(self.path) - 1, level = last
        while True:
            found = (<dict>_part(self.path, level, DECLARED)).get(prefix)
            if found is None:
                found = (<dict>_part(self.path, level, LOOKED_UP)).get(prefix)
            if found is not None:
                break
            if level == 0:
                found = UNDECLARED
                break
            level -= 1
        while level < last:
            level += 1
            (<dict>_part(self.path, level, LOOKED_UP))[prefix] = found
        return found

    cdef int open_dispatched(
        self, str prefix, str name, dict attributes, dict declared
    ) except -1:
        """A node to be dispatched: the same object every time, as nbxmpp has it."""
        if not self._mini_dom:
            self._mini_dom = PyType_GenericAlloc(<PyTypeObject *>Node, 0)
        looked_up = self._document_nsp.copy() if self._document_nsp else {}
        return self.fill(self._mini_dom, None, prefix, name, attributes, declared, looked_up)

    cdef int open_kid(self, str prefix, str name, dict attributes, dict declared) except -1:
        cdef object node = PyType_GenericAlloc(<PyTypeObject *>Node, 0)
        (<list>_part(self.path, -1, KIDS)).append(node)
        return self.fill(node, _part(self.path, -1, NODE), prefix, name, attributes, declared, {})

    cdef int open_root(self, str prefix, str name, str tag, dict attributes) except -1:
        """Dispatch the header; ValueError if it is not that of a stream where one should be."""
        self.opened = True
        ns = self._document_nsp.get(prefix, UNDECLARED + "-root")
        try:
            self.dispatch_now(
                Node(tag=tag, attrs=attributes, nsp=self._document_nsp, node_built=True)
            )
            if not self._is_stream:
                getattr(self, "stream_header_received")()
            elif ns != STREAMS or name != "stream":
                raise ValueError(f"Incorrect stream start: ({name},{ns}). Terminating.")
        except ValueError as error:
            self.opened = False
            self.document_attrs = None
            raise ValueError(str(error))
        return 0

    cdef int note_stream_error(self) except -1:
        children = self._mini_dom.getChildren()
        self.stream_error = children[0].getName() if children else self._mini_dom.getData()
        return 0

    cdef int leave(self) except -1:
        """The innermost node has ended."""
        if PyList_GET_SIZE(self.path):
            self.path.pop()
        return 0
