# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# cython: always_allow_keywords=True, embedsignature=False
"""pyexpat's parser objects: handlers that are called for tags and text."""

cimport cython
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memchr, memcpy

from xmppfast.adapters._reader cimport Reader
from xmppfast.xml._tokenizer cimport (
    XF_ELEMENT_SLOTS,
    XF_NS_HEADER,
    XF_NS_XML,
    XF_PASS_ASIDES,
    XF_PASS_MARK,
    XF_PASS_TEXT,
    XF_TEXT,
    XF_WIDE,
    attribute_namespace,
    attribute_value,
    declares,
    input_bytes,
    is_simple,
    name_text,
    namespace_span,
    piece_namespace,
    piece_text,
    xf_attribute,
    xf_attribute_at,
    xf_element,
    xf_element_at,
    xf_span,
)

import re
from xml.parsers.expat import ErrorString, ExpatError

from xmppfast.adapters import DEFAULT_LIMITS

cdef enum:
    LONGEST_NAME = 240  # to be put together without a string for each part
    FINISHED = 36       # expat's number for input behind the end
    READ_SIZE = 8192

_declaration_parts = re.compile(rb"(\w+)\s*=\s*(?:'([^']*)'|\"([^\"]*)\")")


cdef class XMLParser(Reader):
    """`pyexpat.XMLParserType` for XMPP streams; see `xmppfast.adapters.expat`."""

    # Handlers that are called, ...
    cdef public object StartElementHandler, EndElementHandler, CharacterDataHandler
    cdef public object StartNamespaceDeclHandler, EndNamespaceDeclHandler, XmlDeclHandler
    # ... and those for what is never reported.
    cdef public object CommentHandler, ProcessingInstructionHandler
    cdef public object StartCdataSectionHandler, EndCdataSectionHandler
    cdef public object DefaultHandler, DefaultHandlerExpand, SkippedEntityHandler
    cdef public object StartDoctypeDeclHandler, EndDoctypeDeclHandler
    cdef public object ElementDeclHandler, AttlistDeclHandler, EntityDeclHandler
    cdef public object NotationDeclHandler, UnparsedEntityDeclHandler
    cdef public object ExternalEntityRefHandler, NotStandaloneHandler
    cdef public bint ordered_attributes, specified_attributes, buffer_text, namespace_prefixes
    cdef readonly object intern
    cdef str separator  # None: names are as written
    cdef bytes separator_bytes
    cdef object base
    cdef object size
    cdef object __weakref__

    def __init__(
        self,
        encoding=None,
        namespace_separator=None,
        intern=None,
        *,
        limits=DEFAULT_LIMITS,
        compat=False,
    ):
        if encoding is not None and encoding.lower() not in ("utf-8", "utf8", "us-ascii"):
            raise ValueError(f"XMPP is UTF-8 (RFC 6120 section 11.6), not {encoding!r}")
        if namespace_separator is not None and len(namespace_separator) > 1:
            raise ValueError(
                "namespace_separator must be at most one character, omitted, or None"
            )
        self.begin(limits, XF_PASS_ASIDES | XF_PASS_TEXT | XF_PASS_MARK if compat else 0)
        self.separator = namespace_separator
        self.separator_bytes = None if namespace_separator is None else namespace_separator.encode()
        self.intern = {} if intern is None else intern
        self.size = 8192

    # The surface. ---------------------------------------------------------------------------------

    @cython.critical_section
    def Parse(self, data, isfinal=False, /):
        """Read more bytes or text; 1, or ExpatError once the stream is wrong."""
        self.parse(input_bytes(data), isfinal)
        return 1

    def ParseFile(self, file, /):
        """Read a binary file to its end."""
        while True:
            data = file.read(READ_SIZE)
            if not isinstance(data, bytes):
                raise TypeError(f"read() did not return a bytes object (type={type(data).__name__})")
            self.Parse(data, not data)
            if not data:
                return 1

    def GetBase(self):
        """What `SetBase` was given."""
        return self.base

    def SetBase(self, base, /):
        """Keep a base URI; nothing is resolved against it."""
        self.base = base

    def GetInputContext(self):
        """The input from the current event on, inside of a handler; else None."""
        if not self.busy:
            return None
        return PyBytes_FromStringAndSize(
            <const char *>self.tokenizer.buffer + self.place, self.tokenizer.filled - self.place
        )

    def UseForeignDTD(self, flag=True, /):
        """Do nothing: there is no DTD in XMPP."""

    def SetParamEntityParsing(self, flag, /):
        """Do nothing: there are no parameter entities in XMPP."""
        return 1

    def SetReparseDeferralEnabled(self, enabled, /):
        """Do nothing: no event is ever deferred."""

    def GetReparseDeferralEnabled(self):
        """Tell that no event is deferred."""
        return False

    @property
    def buffer_size(self):
        """A positive number of characters; text comes whole, whatever it is."""
        return self.size

    @buffer_size.setter
    def buffer_size(self, value):
        if not isinstance(value, int):
            raise TypeError("buffer_size must be an integer")
        if value <= 0:
            raise ValueError("buffer_size must be greater than zero")
        self.size = value

    @property
    def buffer_used(self):
        """Characters that wait to be reported: none."""
        return 0

    @property
    def CurrentLineNumber(self):
        """Line of the current event, from 1."""
        return self.where()[0]

    @property
    def CurrentColumnNumber(self):
        """Column of the current event, from 0, in characters."""
        return self.where()[1]

    @property
    def CurrentByteIndex(self):
        """Offset of the current event in bytes of UTF-8."""
        return self.where()[2]

    @property
    def ErrorCode(self):
        """Number of the error; 0 if there is none."""
        return self.code if self.failed or self.dead else 0

    @property
    def ErrorLineNumber(self):
        """Line of the error, or else of the current event."""
        return self.where()[0]

    @property
    def ErrorColumnNumber(self):
        """Column of the error, or else of the current event."""
        return self.where()[1]

    @property
    def ErrorByteIndex(self):
        """Offset of the error, or else of the current event."""
        return self.where()[2]

    cdef tuple where(self):
        cdef uint64_t line, column, offset
        self.position(&line, &column, &offset)
        return line, column, offset

    cdef int parse(self, bytes data, bint final) except -1:
        if self.finished and not self.failed and not self.busy:
            self.refuse(FINISHED, ErrorString(FINISHED))
        self.read(data)
        if final:
            self.finish()
        return 0

    cdef int fail(self) except -1:
        self.refuse(self.code, self.fault_text())
        return 0

    cdef int refuse(self, int code, str text) except -1:
        cdef uint64_t line = self.fault_line, column = self.fault_column, offset
        if not self.failed:
            self.position(&line, &column, &offset)
        error = ExpatError(f"{text}: line {line}, column {column}")
        error.code = code
        error.lineno = line
        error.offset = column
        raise error

    # Names. ---------------------------------------------------------------------------------------

    cdef str name(self, uint32_t ns, const uint8_t *name, uint32_t length, uint32_t prefix):
        """A name as handlers get it; `prefix` is the length of its prefix."""
        cdef uint8_t joined[LONGEST_NAME + 16]
        cdef uint32_t skip = prefix + 1 if prefix else 0
        cdef uint32_t local = length - skip, between, whole
        cdef bint wide = self.piece.flags & XF_WIDE
        cdef xf_span uri
        if self.separator is None:
            return name_text(name, length, wide)
        uri = namespace_span(self.piece, ns)
        if uri.bytes == NULL:
            return name_text(name + skip, local, wide)
        between = <uint32_t>len(self.separator_bytes)
        whole = uri.length + between + local
        if (prefix and self.namespace_prefixes) or whole > LONGEST_NAME or not (
            is_simple(uri.bytes, uri.length)
        ):
            return self.long_name(ns, name, length, prefix)
        memcpy(joined, uri.bytes, uri.length)
        memcpy(joined + uri.length, <const char *>self.separator_bytes, between)
        memcpy(joined + uri.length + between, name + skip, local)
        return name_text(joined, whole, wide or between > 1 or joined[uri.length] >= 0x80)

    cdef str long_name(self, uint32_t ns, const uint8_t *name, uint32_t length, uint32_t prefix):
        cdef bint wide = self.piece.flags & XF_WIDE
        cdef uint32_t skip = prefix + 1 if prefix else 0
        parts = [piece_namespace(self.piece, ns), name_text(name + skip, length - skip, wide)]
        if prefix and self.namespace_prefixes:
            parts.append(name_text(name, prefix, wide))
        return self.separator.join(parts)

    cdef str element_name(self, uint32_t slot):
        cdef const xf_element *e = xf_element_at(self.piece.tape, slot)
        cdef const uint8_t *name = self.piece.bytes + (e.start + 1 - self.piece.base)
        return self.name(e.ns, name, e.name_length, e.prefix_length)

    cdef object attributes(self, uint32_t slot):
        """A dict, or a list of names and values in turn."""
        cdef const xf_element *e = xf_element_at(self.piece.tape, slot)
        cdef const xf_attribute *a = xf_attribute_at(self.piece.tape, slot + XF_ELEMENT_SLOTS)
        cdef const uint8_t *name
        cdef const uint8_t *colon
        cdef bint wide = self.piece.flags & XF_WIDE, raw = self.separator is None
        cdef dict by_name = None
        cdef list in_order = None
        cdef uint32_t i, prefix
        cdef str key
        if self.ordered_attributes:
            in_order = []
        else:
            by_name = {}
        for i in range(e.attributes):
            name = self.piece.bytes + (a[i].name - self.piece.base)
            if raw:
                key = name_text(name, a[i].name_length, wide)
            elif declares(name, a[i].name_length) >= 0:
                continue
            else:
                colon = <const uint8_t *>memchr(name, c":", a[i].name_length)
                if colon == NULL:
                    key = name_text(name, a[i].name_length, wide)
                else:
                    prefix = <uint32_t>(colon - name)
                    key = self.name(
                        attribute_namespace(self.piece, slot, name, prefix),
                        name,
                        a[i].name_length,
                        prefix,
                    )
            value = attribute_value(self.piece, &a[i])
            if by_name is None:
                in_order.append(key)
                in_order.append(value)
            else:
                by_name[key] = value
        return in_order if by_name is None else by_name

    # Calls. ---------------------------------------------------------------------------------------

    cdef int declaration(self, const xf_span *source) except -1:
        if self.XmlDeclHandler is None:
            return 0
        found = {
            key: (single or double).decode()
            for key, single, double in _declaration_parts.findall(source.bytes[: source.length])
        }
        standalone = found.get(b"standalone")
        self.XmlDeclHandler(
            found.get(b"version"),
            found.get(b"encoding"),
            -1 if standalone is None else int(standalone == "yes"),
        )
        return 0

    cdef int start(self, uint32_t slot) except -1:
        if self.separator is not None and self.StartNamespaceDeclHandler is not None:
            for prefix, uri in self.declarations(slot):
                if self.StartNamespaceDeclHandler is not None:
                    self.StartNamespaceDeclHandler(prefix, uri)
        if self.StartElementHandler is not None:
            self.StartElementHandler(self.element_name(slot), self.attributes(slot))
        return 0

    cdef int end(self, uint32_t slot) except -1:
        if self.EndElementHandler is not None:
            self.EndElementHandler(self.element_name(slot))
        if self.separator is not None and self.EndNamespaceDeclHandler is not None:
            for prefix, _ in reversed(self.declarations(slot)):
                if self.EndNamespaceDeclHandler is not None:
                    self.EndNamespaceDeclHandler(prefix)
        return 0

    cdef int text(self, const xf_span *source) except -1:
        if self.CharacterDataHandler is not None:
            text = piece_text(self.piece, source, XF_TEXT)
            if text:
                self.CharacterDataHandler(text)
        return 0

    cdef int between(self, const xf_span *source) except -1:
        return self.text(source)

    cdef list declarations(self, uint32_t slot):
        """Prefix and namespace name of each declaration; None for no prefix and for no name."""
        cdef const xf_element *e = xf_element_at(self.piece.tape, slot)
        cdef const xf_attribute *a
        cdef const uint8_t *name
        cdef int32_t length
        cdef uint32_t i
        cdef list found = []
        for i in range(e.attributes):
            a = xf_attribute_at(self.piece.tape, slot + XF_ELEMENT_SLOTS + i)
            name = self.piece.bytes + (a.name - self.piece.base)
            length = declares(name, a.name_length)
            if length >= 0:
                prefix = name_text(name + 6, length, self.piece.flags & XF_WIDE) if length else None
                found.append((prefix, attribute_value(self.piece, a) or None))
        return found
