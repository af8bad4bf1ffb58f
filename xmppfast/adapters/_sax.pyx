# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# cython: always_allow_keywords=True, embedsignature=False
"""The SAX events of a stream, and the attributes that come with them."""

cimport cython
from cpython.dict cimport PyDict_SetItem
from cpython.list cimport PyList_GET_SIZE
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memchr

from xmppfast.adapters._reader cimport Reader
from xmppfast.xml._tokenizer cimport (
    XF_ELEMENT_SLOTS,
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
    xf_error,
    xf_piece,
    xf_span,
)

from xml.parsers.expat import ExpatError
from xml.sax import SAXParseException
from xml.sax.xmlreader import AttributesImpl


cdef extern from "tokenizer.h":
    xf_error XF_E_COMMENT, XF_E_DOCTYPE, XF_E_INSTRUCTION


# Attributes. --------------------------------------------------------------------------------------


@cython.final
cdef class Attributes(dict):
    """Attributes by (namespace, local name): a dict with what `AttributesNSImpl` has."""

    cdef dict prefixed  # names with their prefix; None if there are none

    @property
    def _attrs(self):
        return self

    @property
    def _qnames(self):
        return {name: self.getQNameByName(name) for name in self}

    def getLength(self):
        """Number of attributes."""
        return len(self)

    def getType(self, name):
        """Always "CDATA"."""
        return "CDATA"

    def getValue(self, name):
        """Value by name; KeyError if there is none."""
        return self[name]

    def getValueByQName(self, name):
        """Value by the name as written; KeyError if there is none."""
        return self[self.getNameByQName(name)]

    def getNameByQName(self, name):
        """Name by the name as written; KeyError if there is none."""
        for pair in self:
            if self.getQNameByName(pair) == name:
                return pair
        raise KeyError(name)

    def getQNameByName(self, name):
        """The name as written; KeyError if there is none."""
        if self.prefixed is not None and name in self.prefixed:
            return self.prefixed[name]
        if name not in self:
            raise KeyError(name)
        return name[1]

    def getNames(self):
        """List of names."""
        return list(self)

    def getQNames(self):
        """List of names as written."""
        return [self.getQNameByName(name) for name in self]

    def keys(self):
        """List of names."""
        return list(self)

    def items(self):
        """List of names and values."""
        return [(name, self[name]) for name in self]

    def values(self):
        """List of values."""
        return [self[name] for name in self]

    def copy(self):
        """Attributes with the same content."""
        cdef Attributes other = Attributes.__new__(Attributes)
        other.update(self)
        other.prefixed = self.prefixed
        return other


# Pairs of namespace and local name come again and again; the limit only keeps a program that makes
# them up from filling memory.
cdef dict _pairs = {}
cdef Py_ssize_t _count = 0
cdef enum:
    MOST_PAIRS = 4096


cdef tuple _new_pair(str ns, str local):
    global _count
    if _count >= MOST_PAIRS:
        _pairs.clear()
        _count = 0
    _count += 1
    pair = ns, local
    _pairs.setdefault(ns, {})[local] = pair
    return pair


cdef inline tuple _pair(str ns, str local):
    inside = _pairs.get(ns)
    if inside is not None:
        pair = (<dict>inside).get(local)
        if pair is not None:
            return <tuple>pair
    return _new_pair(ns, local)


# The reader. --------------------------------------------------------------------------------------


cdef class StreamReader(Reader):
    """The part of `xmppfast.adapters.sax.Parser` that runs for every tag."""

    cdef public object _cont_handler, _err_handler, _lex_handler_prop, _namespaces
    cdef public bint _parsing
    cdef object limits
    cdef unsigned passes
    cdef bint begun
    cdef list names  # of the open elements
    cdef object __weakref__

    def __init__(self, limits, compat):
        self.limits = limits
        self.passes = XF_PASS_ASIDES | XF_PASS_TEXT | XF_PASS_MARK if compat else 0
        self.begin(limits, self.passes)

    def reset(self):
        """Forget what was fed: what is fed next begins a stream."""
        if self.busy:
            raise RuntimeError("reset() while a handler is called")
        self.begin(self.limits, self.passes)
        self.names = []
        self.begun = True
        self._parsing = False

    @cython.critical_section
    def feed(self, data, isFinal=False):
        """Take more bytes or text and call the handlers for them."""
        if not self._parsing:
            self.open_document()
        self.read(input_bytes(data))
        if isFinal:
            self.finish()

    def flush(self):
        """Do nothing: no event is ever held back."""

    def close(self):
        """End of input; the error handler is told if the root element isn't complete."""
        if not self.begun:
            return
        self.begun = False
        try:
            self.feed(b"", True)
            self._cont_handler.endDocument()
        finally:
            self._parsing = False

    def getLineNumber(self):
        """Line of what a handler is told, from 1."""
        cdef uint64_t line, column, offset
        self.position(&line, &column, &offset)
        return line

    def getColumnNumber(self):
        """Column of what a handler is told, in characters from 0."""
        cdef uint64_t line, column, offset
        self.position(&line, &column, &offset)
        return column

    cdef int fail(self) except -1:
        cdef xf_error wrong = self.tokenizer.error
        # Handlers that refuse these raise an error of their own, which says more.
        if wrong == XF_E_INSTRUCTION:
            self._cont_handler.processingInstruction("", "")
        elif self._lex_handler_prop is not None:
            if wrong == XF_E_COMMENT:
                self._lex_handler_prop.comment("")
            elif wrong == XF_E_DOCTYPE:
                self._lex_handler_prop.startDTD("", None, None)
        text = self.fault_text()
        error = ExpatError(f"{text}: line {self.fault_line}, column {self.fault_column}")
        error.code = self.code
        error.lineno = self.fault_line
        error.offset = self.fault_column
        self._err_handler.fatalError(SAXParseException(text, error, self))
        return 0

    # The reader's calls. --------------------------------------------------------------------------

    cdef int open_document(self) except -1:
        self.reset()
        self._parsing = True
        self._cont_handler.startDocument()
        return 0

    cdef int open_stream(self) except -1:
        return self.start(0)

    cdef int start(self, uint32_t slot) except -1:
        cdef const xf_piece *piece = self.piece
        cdef const xf_element *e = xf_element_at(piece.tape, slot)
        cdef const uint8_t *name = piece.bytes + (e.start - piece.base) + 1
        cdef uint32_t skip = e.prefix_length + 1 if e.prefix_length else 0
        cdef bint wide = piece.flags & XF_WIDE
        if not self._namespaces:
            whole = name_text(name, e.name_length, wide)
            self.names.append(whole)
            self._cont_handler.startElement(whole, AttributesImpl(self.plain_attributes(slot)))
            return 0
        pair = _pair(
            piece_namespace(piece, e.ns), name_text(name + skip, e.name_length - skip, wide)
        )
        attributes = self.attributes(slot) if e.attributes else Attributes.__new__(Attributes)
        self.names.append(pair)
        self._cont_handler.startElementNS(pair, None, attributes)
        return 0

    cdef int end(self, uint32_t slot) except -1:
        name = self.names.pop()
        if not self._namespaces:
            self._cont_handler.endElement(name)
            return 0
        self._cont_handler.endElementNS(name, None)
        if xf_element_at(self.piece.tape, slot).attributes:
            self.end_prefixes(slot)
        return 0

    cdef int text(self, const xf_span *source) except -1:
        text = piece_text(self.piece, source, XF_TEXT)
        if text:  # an empty CDATA section has none
            self._cont_handler.characters(text)
        return 0

    cdef int between(self, const xf_span *source) except -1:
        return self.text(source) if PyList_GET_SIZE(self.names) else 0

    # Attributes. ----------------------------------------------------------------------------------

    cdef dict plain_attributes(self, uint32_t slot):
        """Attributes by their names as written, declarations among them."""
        cdef const xf_piece *piece = self.piece
        cdef const xf_element *e = xf_element_at(piece.tape, slot)
        cdef const xf_attribute *a = xf_attribute_at(piece.tape, slot + XF_ELEMENT_SLOTS)
        cdef const uint8_t *name
        cdef dict found = {}
        cdef uint32_t i
        for i in range(e.attributes):
            name = piece.bytes + (a[i].name - piece.base)
            key = name_text(name, a[i].name_length, piece.flags & XF_WIDE)
            found[key] = attribute_value(piece, &a[i])
        return found

    cdef Attributes attributes(self, uint32_t slot):
        """Attributes by namespace and local name; tells of the declarations."""
        cdef const xf_piece *piece = self.piece
        cdef const xf_element *e = xf_element_at(piece.tape, slot)
        cdef const xf_attribute *a = xf_attribute_at(piece.tape, slot + XF_ELEMENT_SLOTS)
        cdef const uint8_t *name
        cdef const uint8_t *colon
        cdef bint wide = piece.flags & XF_WIDE
        cdef uint32_t i, length, prefix
        cdef int32_t declared
        cdef str ns, local
        cdef tuple pair
        cdef Attributes found = Attributes.__new__(Attributes)
        for i in range(e.attributes):
            name = piece.bytes + (a[i].name - piece.base)
            length = a[i].name_length
            if name[0] == c"x":
                declared = declares(name, length)
                if declared >= 0:
                    local = name_text(name + 6, declared, wide) if declared else None
                    self._cont_handler.startPrefixMapping(
                        local, attribute_value(piece, &a[i]) or None
                    )
                    continue
            colon = <const uint8_t *>memchr(name, c":", length)
            if colon == NULL:
                pair = _pair(None, name_text(name, length, wide))
            else:
                prefix = <uint32_t>(colon - name)
                ns = piece_namespace(piece, attribute_namespace(piece, slot, name, prefix))
                pair = _pair(ns, name_text(colon + 1, length - prefix - 1, wide))
                if found.prefixed is None:
                    found.prefixed = {}
                found.prefixed[pair] = name_text(name, length, wide)
            PyDict_SetItem(found, pair, attribute_value(piece, &a[i]))
        return found

    cdef int end_prefixes(self, uint32_t slot) except -1:
        """Tell of the end of declarations, the last one first."""
        cdef const xf_piece *piece = self.piece
        cdef const xf_element *e = xf_element_at(piece.tape, slot)
        cdef const xf_attribute *a = xf_attribute_at(piece.tape, slot + XF_ELEMENT_SLOTS)
        cdef const uint8_t *name
        cdef uint32_t i
        cdef int32_t declared
        for i in range(e.attributes, 0, -1):
            name = piece.bytes + (a[i - 1].name - piece.base)
            if name[0] != c"x":
                continue
            declared = declares(name, a[i - 1].name_length)
            if declared >= 0:
                self._cont_handler.endPrefixMapping(
                    name_text(name + 6, declared, piece.flags & XF_WIDE) if declared else None
                )
        return 0
