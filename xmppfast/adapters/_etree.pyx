# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# cython: always_allow_keywords=True, embedsignature=False
"""ElementTree's pull parser: elements and events as its TreeBuilder makes them."""

cimport cython
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Realloc
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_New, PyTuple_SET_ITEM
from libc.stdint cimport int32_t, uint8_t, uint32_t

from xmppfast.adapters._reader cimport Reader
from xmppfast.xml._tokenizer cimport (
    XF_ELEMENT_SLOTS,
    XF_PASS_ASIDES,
    XF_PASS_MARK,
    XF_PASS_TEXT,
    XF_TEXT,
    XF_WIDE,
    append_child,
    attribute_value,
    attributes_of,
    declares,
    element_tree,
    input_bytes,
    name_text,
    new_element,
    piece_tag,
    piece_text,
    set_attrib,
    set_tail,
    set_text,
    xf_attribute,
    xf_attribute_at,
    xf_element,
    xf_element_at,
    xf_piece,
    xf_span,
)

from xml.etree.ElementTree import ParseError

from xmppfast.adapters import DEFAULT_LIMITS

cdef enum:
    # Kinds of events; those that are asked for are a set of bits.
    START = 1
    END = 2
    START_NS = 4
    END_NS = 8
    ERROR = 16
    # White space between stanzas, in characters, that becomes a tail; a stream can have any amount.
    LONGEST_TAIL = 65536

cdef dict _KINDS = {
    "start": START, "end": END, "start-ns": START_NS, "end-ns": END_NS, "comment": 0, "pi": 0
}
cdef str _start = "start", _end = "end", _start_ns = "start-ns", _end_ns = "end-ns"


cdef class PullParser(Reader):
    """`xml.etree.ElementTree.XMLPullParser` for XMPP streams; see `xmppfast.adapters.etree`."""

    cdef unsigned wanted
    cdef bint closed
    cdef list path      # the open elements
    cdef object last    # the element that text belongs to, as its text or its tail
    cdef bint is_tail
    cdef str space      # of such text what came between stanzas
    cdef object root
    # Events that wait: what they are about, and from which place in `queue` on; and their kinds.
    cdef list queue
    cdef Py_ssize_t next
    cdef uint8_t *kinds
    cdef Py_ssize_t capacity
    cdef object __weakref__

    def __init__(self, events=None, *, limits=DEFAULT_LIMITS, compat=False):
        cdef unsigned wanted = 0
        for name in ("end",) if events is None else events:
            if name not in _KINDS:
                raise ValueError(f"unknown event {name!r}")
            wanted |= <unsigned>_KINDS[name]
        self.begin(limits, XF_PASS_ASIDES | XF_PASS_TEXT | XF_PASS_MARK if compat else 0)
        self.wanted = wanted
        self.closed = False
        self.path = []
        self.last = self.space = self.root = None
        self.queue = []
        self.next = 0

    def __dealloc__(self):
        PyMem_Free(self.kinds)

    # The surface. ---------------------------------------------------------------------------------

    @cython.critical_section
    def feed(self, data):
        """Take more bytes or text; what is wrong with them is raised by `read_events`."""
        if self.closed:
            raise ValueError("feed() called after end of stream")
        try:
            self.read(input_bytes(data))
        except ParseError as error:
            self.put(ERROR, error)

    def read_events(self):
        """Iterate over the pairs of event and element that wait; raises ParseError in its place."""
        cdef Events events = Events.__new__(Events)
        events.parser = self
        return events

    @cython.critical_section
    def _close_and_return_root(self):
        if self.closed:
            raise ValueError("close() called after end of stream")
        self.finish()
        self.closed = True
        return self.root

    def close(self):
        """End of input; ParseError if the root element isn't complete."""
        self._close_and_return_root()

    def flush(self):
        """Do nothing: no event is ever held back."""
        if self.closed:
            raise ValueError("flush() called after end of stream")

    # Events. --------------------------------------------------------------------------------------

    cdef int put(self, int kind, object about) except -1:
        cdef Py_ssize_t count = PyList_GET_SIZE(self.queue)
        cdef uint8_t *kinds
        if count == self.capacity:
            kinds = <uint8_t *>PyMem_Realloc(self.kinds, count * 2 + 64)
            if kinds == NULL:
                raise MemoryError
            self.kinds = kinds
            self.capacity = count * 2 + 64
        self.kinds[count] = <uint8_t>kind
        self.queue.append(about)
        return 0

    cdef int emptied(self) except -1:
        """All events are read: hold nothing."""
        self.queue.clear()
        PyMem_Free(self.kinds)
        self.kinds = NULL
        self.next = self.capacity = 0
        return 0

    cdef int fail(self) except -1:
        error = ParseError(
            f"{self.fault_text()}: line {self.fault_line}, column {self.fault_column}"
        )
        error.code = self.code
        error.position = self.fault_line, self.fault_column
        raise error

    # The tree. ------------------------------------------------------------------------------------

    cdef int add_text(self, str text) except -1:
        """Text of the element it belongs to; it adds to what is there, as TreeBuilder does."""
        if self.is_tail:
            old = self.last.tail
            set_tail(self.last, text if old is None else old + text)
        else:
            old = self.last.text
            set_text(self.last, text if old is None else old + text)
        return 0

    cdef int start(self, uint32_t slot) except -1:
        cdef const xf_element *e = xf_element_at(self.piece.tape, slot)
        cdef Py_ssize_t level = PyList_GET_SIZE(self.path)
        cdef object element = new_element(piece_tag(self.piece, slot))
        if self.space is not None:
            self.flush_space()
        if e.attributes:
            if self.wanted & START_NS:
                self.start_namespaces(slot)
            attributes = attributes_of(self.piece, slot)
            if attributes:
                set_attrib(element, attributes)
        if level:
            append_child(<object>PyList_GET_ITEM(self.path, level - 1), element)
        else:
            self.root = element
        self.path.append(element)
        self.last = element
        self.is_tail = False
        if self.wanted & START:
            self.put(START, element)
        return 0

    cdef int end(self, uint32_t slot) except -1:
        if self.space is not None:
            self.flush_space()
        self.last = self.path.pop()
        self.is_tail = True
        if self.wanted & END:
            self.put(END, self.last)
        if self.wanted & END_NS:
            self.end_namespaces(slot)
        return 0

    cdef int text(self, const xf_span *source) except -1:
        cdef str text = piece_text(self.piece, source, XF_TEXT)
        if not text:  # an empty CDATA section
            return 0
        # Only across a `feed` can anybody have set what is about to be set.
        if self.is_tail:
            set_tail(self.last, text)
        else:
            set_text(self.last, text)
        return 0

    cdef int between(self, const xf_span *source) except -1:
        cdef str text = piece_text(self.piece, source, XF_TEXT)
        if self.space is None:
            self.space = text
        elif len(self.space) < LONGEST_TAIL:
            self.space = (self.space + text)[:LONGEST_TAIL]
        return 0

    cdef int flush_space(self) except -1:
        text, self.space = self.space, None
        if text:
            self.add_text(text)
        return 0

    # Namespace declarations. ----------------------------------------------------------------------

    cdef int start_namespaces(self, uint32_t slot) except -1:
        cdef const xf_element *e = xf_element_at(self.piece.tape, slot)
        cdef const xf_attribute *a
        cdef const uint8_t *name
        cdef uint32_t i
        cdef int32_t length
        for i in range(e.attributes):
            a = xf_attribute_at(self.piece.tape, slot + XF_ELEMENT_SLOTS + i)
            name = self.piece.bytes + (a.name - self.piece.base)
            length = declares(name, a.name_length)
            if length >= 0:
                prefix = name_text(name + 6, length, self.piece.flags & XF_WIDE) if length else ""
                self.put(START_NS, (prefix, attribute_value(self.piece, a)))
        return 0

    cdef int end_namespaces(self, uint32_t slot) except -1:
        cdef const xf_element *e = xf_element_at(self.piece.tape, slot)
        cdef const xf_attribute *a
        cdef uint32_t i
        for i in range(e.attributes):
            a = xf_attribute_at(self.piece.tape, slot + XF_ELEMENT_SLOTS + i)
            if declares(self.piece.bytes + (a.name - self.piece.base), a.name_length) >= 0:
                self.put(END_NS, None)
        return 0


cdef class StanzaPullParser(PullParser):
    """A pull parser with "start" and "end" of the root and of stanzas, not of what is inside them.

    For who looks at complete stanzas only, and counts how deep he is.
    """

    def __init__(self, *, limits=DEFAULT_LIMITS, compat=False):
        PullParser.__init__(self, ("start", "end"), limits=limits, compat=compat)
        self.whole = True

    cdef int stanza(self, const xf_piece *piece) except -1:
        cdef object element = element_tree(piece, 0)
        if self.space is not None:
            self.flush_space()
        append_child(self.root, element)
        self.last = element
        self.is_tail = True
        self.put(START, element)
        return self.put(END, element)


cdef extern from *:
    """
    /* A pair that nobody else holds is filled anew instead of made anew, as zip() does it. */
    #ifdef Py_GIL_DISABLED
    #define XF_ONLY_OURS(object) 0
    #else
    #define XF_ONLY_OURS(object) (Py_REFCNT(object) == 1)
    #endif

    static void xf_refill(PyObject *pair, PyObject *event, PyObject *about)
    {
        PyObject *old_event = PyTuple_GET_ITEM(pair, 0), *old_about = PyTuple_GET_ITEM(pair, 1);
        PyTuple_SET_ITEM(pair, 0, Py_NewRef(event));
        PyTuple_SET_ITEM(pair, 1, Py_NewRef(about));
        Py_DECREF(old_event);
        Py_DECREF(old_about);
    }
    """
    bint XF_ONLY_OURS(PyObject *)
    void xf_refill(object, object, object)


@cython.final
@cython.freelist(8)
cdef class Events:
    """Iterator over a parser's events."""

    cdef PullParser parser
    cdef object pair  # the last one given

    def __iter__(self):
        return self

    def __next__(self):
        if self.parser is None:
            raise StopIteration
        with cython.critical_section(self.parser):
            return self.next_pair()

    cdef object next_pair(self):
        cdef PullParser parser = self.parser
        cdef Py_ssize_t place = parser.next
        cdef object about
        cdef int kind
        if place == PyList_GET_SIZE(parser.queue):
            parser.emptied()
            self.parser = self.pair = None
            raise StopIteration
        about = <object>PyList_GET_ITEM(parser.queue, place)
        kind = parser.kinds[place]
        parser.queue[place] = None
        parser.next = place + 1
        if kind == START or kind == END:
            name = _start if kind == START else _end
            if self.pair is not None and XF_ONLY_OURS(<PyObject *>self.pair):
                xf_refill(self.pair, name, about)
            else:
                self.pair = (name, about)
            return self.pair
        if kind == ERROR:
            raise about
        return _start_ns if kind == START_NS else _end_ns, about
