# Stanza, StreamStart and StreamEnd.

# Stands for an argument of `forward` that is not given.
cdef object _unchanged = object()


@cython.no_gc
@cython.final
cdef class Stanza(Element):
    """A complete element at depth 1 of a stream, or one from `parse`."""

    @property
    def to(self):
        """Attribute `to`."""
        return _named(self.piece, 0, b"to\0\0\0\0\0\0", 2)

    @property
    def from_(self):
        """Attribute `from`."""
        return _named(self.piece, 0, b"from\0\0\0\0", 4)

    @property
    def type(self):
        """Attribute `type`."""
        return _short(self.piece, 0, b"type\0\0\0\0", 4)

    @property
    def id(self):
        """Attribute `id`."""
        return _named(self.piece, 0, b"id\0\0\0\0\0\0", 2)

    @property
    def lang(self):
        """Attribute `xml:lang` of the stanza itself."""
        return _short(self.piece, 0, b"xml:lang", 8)

    @property
    def payload(self):
        """Tag of the first child element; None if there is none."""
        if not _has_children(xf_element_at(self.piece.tape, 0)):
            return None
        return _tag(self.piece, _first_child(self.piece, 0))

    @property
    def raw(self):
        """The stanza's bytes as received."""
        return PyBytes_FromStringAndSize(<const char *>self.piece.bytes, self.piece.length)

    @cython.binding(False)  # so that `_forward.pxi` can stand in front of it
    def forward(self, *, from_=_unchanged, to=_unchanged, xmlns=_unchanged):
        """The stanza's bytes with attributes of its start tag changed, the rest as received.

        A string sets or replaces the attribute, None removes it, and one not given stays. Prefixes
        of the stream header that the stanza leans on are declared on it. `xmlns` is the default
        namespace declaration. Raises ValueError for text that XML can't carry.
        """
        cdef xf_edit edits[3]
        cdef unsigned count = 0
        cdef bytes first, second, third  # what the edits point into
        cdef bytes declarations
        cdef xf_span extra
        cdef bytes out
        extra.length = 0
        if xmlns is not _unchanged:
            first = _edit(&edits[count], b"xmlns\0\0\0", 5, xmlns)
            count += 1
        if to is not _unchanged:
            second = _edit(&edits[count], b"to\0\0\0\0\0\0", 2, to)
            count += 1
        if from_ is not _unchanged:
            third = _edit(&edits[count], b"from\0\0\0\0", 4, from_)
            count += 1
        if self.piece.flags & XF_LEANS:
            declarations = _leaned_on(self)
            extra.bytes = <const uint8_t *>PyBytes_AS_STRING(declarations)
            extra.length = <uint32_t>PyBytes_GET_SIZE(declarations)
        out = PyBytes_FromStringAndSize(
            NULL, xf_forward_length(self.piece, edits, count, extra)
        )
        xf_forward(self.piece, edits, count, extra, <uint8_t *>PyBytes_AS_STRING(out))
        return out


# A `__dealloc__` would save and restore the current exception around each stanza's end. Freeing a
# block can't raise one, so it is done in front of what Cython makes for the type instead.
cdef destructor _free_element = (<PyTypeObject *>Stanza).tp_dealloc


cdef void _free_stanza(PyObject *stanza) noexcept:
    _free_piece((<Stanza>stanza).piece)
    _free_element(stanza)


(<PyTypeObject *>Stanza).tp_dealloc = _free_stanza


@cython.no_gc
@cython.final
cdef class StreamStart:
    """The stream header (RFC 6120 section 4.7): the start tag of the root element."""

    cdef const xf_piece *piece

    __match_args__ = ("tag",)

    def __cinit__(self):
        self.piece = &_empty

    def __init__(self):
        raise TypeError("StreamStart objects come from a parser")

    def __dealloc__(self):
        _free_piece(self.piece)

    @property
    def tag(self):
        """Clark name of the root element."""
        return _tag(self.piece, 0)

    @property
    def name(self):
        """Local name of the root element."""
        return _name(self.piece, 0)

    @property
    def xmlns(self):
        """Namespace name of the root element."""
        return _namespace_name(self.piece, xf_element_at(self.piece.tape, 0).ns)

    @property
    def attrib(self):
        """Attributes by Clark name, without namespace declarations."""
        return MappingProxyType(_attributes(self.piece, 0))

    def get(self, str key not None, default=None):
        """Value of the attribute with that Clark name."""
        return _get(self.piece, 0, key, default)

    @property
    def to(self):
        """Attribute `to`."""
        return _named(self.piece, 0, b"to\0\0\0\0\0\0", 2)

    @property
    def from_(self):
        """Attribute `from`."""
        return _named(self.piece, 0, b"from\0\0\0\0", 4)

    @property
    def id(self):
        """Attribute `id`."""
        return _named(self.piece, 0, b"id\0\0\0\0\0\0", 2)

    @property
    def version(self):
        """Attribute `version`."""
        return _named(self.piece, 0, b"version\0", 7)

    @property
    def lang(self):
        """Attribute `xml:lang`."""
        return _named(self.piece, 0, b"xml:lang", 8)

    @property
    def default_namespace(self):
        """The header's `xmlns`; None if it has none."""
        return _named(self.piece, 0, b"xmlns\0\0\0", 5) or None

    @property
    def content_namespace(self):
        """Namespace of the stanzas (RFC 6120 section 4.8.2).

        That is the default namespace, unless it is the root element's own: then the first other one
        that the header declares with a prefix, or None.
        """
        own = self.xmlns
        default = self.default_namespace
        if default != own or default is None:
            return default
        return next((ns for ns in self.prefixes.values() if ns != own), None)

    @property
    def prefixes(self):
        """Namespace names by the prefix that the header declares for them."""
        cdef const xf_element *e = xf_element_at(self.piece.tape, 0)
        cdef const xf_attribute *a
        cdef const uint8_t *name
        cdef dict result = {}
        for i in range(e.attributes):
            a = xf_attribute_at(self.piece.tape, XF_ELEMENT_SLOTS + i)
            name = self.piece.bytes + (a.name - self.piece.base)
            if xf_declares(name, a.name_length) > 0:
                prefix = _utf8(name + 6, a.name_length - 6, self.piece.flags & XF_WIDE)
                result[prefix] = _text(self.piece, _value_span(self.piece, a), XF_VALUE)
        return MappingProxyType(result)

    @property
    def raw(self):
        """The header's bytes as received, with the XML declaration if there is one."""
        return PyBytes_FromStringAndSize(<const char *>self.piece.bytes, self.piece.length)

    def __repr__(self):
        shown = "".join(
            f" {key}={value!r}"
            for key in ("from", "to", "id", "version")
            if (value := self.get(key)) is not None
        )
        return f"<StreamStart {self.tag}{shown}>"


@cython.no_gc
@cython.final
cdef class StreamEnd:
    """The end tag of the root element. Its `raw` is empty if the header closed itself."""

    cdef bytes _raw

    def __cinit__(self):
        self._raw = b""

    def __init__(self):
        raise TypeError("StreamEnd objects come from a parser")

    @property
    def raw(self):
        """The end tag's bytes as received."""
        return self._raw

    def __repr__(self):
        return "<StreamEnd>"
