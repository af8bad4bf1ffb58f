# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The compiled serializer: ElementTree elements to UTF-8, and escaping."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_Next
from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc, PyMem_RawRealloc
from cpython.object cimport PyObject
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy

from sys import intern

cimport cython

from ._tokenizer cimport plain_run


cdef extern from "Python.h":
    object PySequence_GetItem(object, Py_ssize_t)
    str PyUnicode_New(Py_ssize_t, Py_UCS4)
    void *PyUnicode_DATA(object)
    int PyUnicode_KIND(object)
    bint PyUnicode_IS_ASCII(object)
    Py_UCS4 PyUnicode_READ(int, const void *, Py_ssize_t)
    Py_UCS4 PyUnicode_MAX_CHAR_VALUE(object)
    Py_ssize_t PyUnicode_GET_LENGTH(object)


cdef extern from "names.h" nogil:
    uint32_t xf_name_end(const uint8_t *, uint32_t, uint32_t)


cdef extern from "encode.h" nogil:
    ctypedef struct xf_stops:
        uint8_t quote, other
    uint8_t *xf_put_character(uint8_t *, uint32_t)
    size_t xf_encode_ascii(const uint8_t *, size_t, uint8_t *, xf_stops)
    size_t xf_encode_1(const uint8_t *, size_t, uint8_t *, xf_stops, size_t *)
    size_t xf_encode_2(const uint16_t *, size_t, uint8_t *, xf_stops, size_t *)
    size_t xf_encode_4(const uint32_t *, size_t, uint8_t *, xf_stops, size_t *)


# The names of namespaces are interned, so that comparing them is comparing addresses.
cdef str XML_NAMESPACE = intern("http://www.w3.org/XML/1998/namespace")
cdef str XMLNS_NAMESPACE = "http://www.w3.org/2000/xmlns/"


# Output. ------------------------------------------------------------------------------------------


cdef int _grow(Output *out, size_t more) except -1:
    cdef size_t capacity = out.capacity * 2
    if capacity < out.used + more:
        capacity = out.used + more
    cdef char *block = <char *>PyMem_RawRealloc(out.bytes, capacity)
    if block == NULL:
        raise MemoryError
    out.bytes = block
    out.capacity = capacity
    return 0


cdef const char *_reference(Py_UCS4 c, Context context) noexcept:
    """The reference to write for a character, or NULL to write the character."""
    if c == c"&":
        return b"&amp;"
    if c == c"<":
        return b"&lt;"
    if c == c">":
        return b"&gt;"
    if c == c"'" and (context == IN_VALUE or context == ANYWHERE):
        return b"&apos;"
    if c == c'"' and context == ANYWHERE:
        return b"&quot;"
    if c == c"\r" and (context == IN_TEXT or context == IN_VALUE):
        return b"&#13;"
    if context == IN_VALUE:
        if c == c"\n":
            return b"&#10;"
        if c == c"\t":
            return b"&#9;"
    return NULL


cdef inline bint _is_char(Py_UCS4 c) noexcept:
    """XML 1.0, production 2."""
    return (
        (0x20 <= c <= 0xD7FF) or c == 9 or c == 10 or c == 13
        or (0xE000 <= c <= 0xFFFD) or c >= 0x10000
    )


cdef object _refuse(Py_UCS4 c, str where):
    return ValueError(f"{where} contains U+{<uint32_t>c:04X}, which XML can't carry")


cdef inline void _put_char(Output *out, Py_UCS4 c) noexcept:
    out.used = xf_put_character(<uint8_t *>out.bytes + out.used, c) - <uint8_t *>out.bytes


# By context: the quotes that _reference has something for.
cdef xf_stops[4] _stops
_stops[<int>IN_TEXT] = _stops[<int>BETWEEN_TAGS] = xf_stops(c"&", c"&")
_stops[<int>IN_VALUE] = xf_stops(c"'", c"'")
_stops[<int>ANYWHERE] = xf_stops(c"'", c'"')


cdef int _put_text(Output *out, str text, Context context, str where) except -1:
    cdef size_t length = PyUnicode_GET_LENGTH(text), at = 0, run, written
    cdef int kind = PyUnicode_KIND(text)
    cdef const char *data = <const char *>PyUnicode_DATA(text)
    # Bytes that a character takes at most.
    cdef size_t widest = 1 if PyUnicode_IS_ASCII(text) else kind + 1 if kind < 4 else 4
    cdef xf_stops stops = _stops[<int>context]
    cdef uint8_t *to
    cdef const char *reference
    cdef Py_UCS4 c
    _reserve(out, widest * length)
    while True:
        to = <uint8_t *>out.bytes + out.used
        if widest == 1:
            run = written = xf_encode_ascii(<const uint8_t *>data + at, length - at, to, stops)
        elif kind == 1:
            run = xf_encode_1(<const uint8_t *>data + at, length - at, to, stops, &written)
        elif kind == 2:
            run = xf_encode_2(<const uint16_t *>data + at, length - at, to, stops, &written)
        else:
            run = xf_encode_4(<const uint32_t *>data + at, length - at, to, stops, &written)
        out.used += written
        at += run
        if at == length:
            return 0
        c = PyUnicode_READ(kind, data, at)
        at += 1
        # No reference is longer than 6 bytes.
        _reserve(out, 6 + widest * (length - at))
        reference = _reference(c, context)
        if reference != NULL:
            while reference[0]:
                out.bytes[out.used] = reference[0]
                out.used += 1
                reference += 1
        elif where is None or _is_char(c):
            _put_char(out, c)
        else:
            raise _refuse(c, where)


cdef int _put_str(Output *out, str text) except -1:
    cdef size_t length = PyUnicode_GET_LENGTH(text), at
    cdef int kind = PyUnicode_KIND(text)
    cdef const void *data = PyUnicode_DATA(text)
    if PyUnicode_IS_ASCII(text):
        return _put(out, <const char *>data, length)
    _reserve(out, 4 * length)
    for at in range(length):
        _put_char(out, PyUnicode_READ(kind, data, at))
    return 0


def escape_value(str value not None, str where not None):
    """UTF-8 of a string as it can stand in an attribute value in single quotes."""
    cdef Output out
    out.bytes = NULL
    out.used = out.capacity = 0
    try:
        _put_text(&out, value, IN_VALUE, where)
        return PyBytes_FromStringAndSize(out.bytes, out.used)
    finally:
        PyMem_RawFree(out.bytes)


# Escaping. ----------------------------------------------------------------------------------------


ctypedef fused Character:
    uint8_t
    uint16_t
    uint32_t


cdef void _fill(
    Character *out, const Character *source, size_t length, const size_t *places, size_t count
) noexcept:
    """Copy a string, with references for the characters at the given places."""
    cdef size_t at = 0, i
    cdef const char *reference
    for i in range(count):
        memcpy(out, source + at, (places[i] - at) * sizeof(Character))
        out += places[i] - at
        reference = _reference(source[places[i]], ANYWHERE)
        while reference[0]:
            out[0] = <Character>reference[0]
            out += 1
            reference += 1
        at = places[i] + 1
    memcpy(out, source + at, (length - at) * sizeof(Character))


cdef str _escape(str text, size_t first):
    """Escape a string whose first special character is at `first`."""
    cdef size_t length = PyUnicode_GET_LENGTH(text), at = first, count = 0, capacity = 0
    cdef size_t more = 0, written
    cdef size_t *places = NULL
    cdef size_t *grown
    cdef int kind = PyUnicode_KIND(text)
    cdef const void *data = PyUnicode_DATA(text)
    cdef const char *reference
    cdef Py_UCS4 c
    cdef str result
    try:
        while at < length:
            c = PyUnicode_READ(kind, data, at)
            reference = _reference(c, ANYWHERE)
            if reference != NULL:
                if count == capacity:
                    capacity = capacity * 2 + 16
                    grown = <size_t *>PyMem_RawRealloc(places, capacity * sizeof(size_t))
                    if grown == NULL:
                        raise MemoryError
                    places = grown
                places[count] = at
                count += 1
                written = 4 if c == c"<" or c == c">" else 5 if c == c"&" else 6
                more += written - 1
            elif not _is_char(c):
                raise _refuse(c, "text")
            at += 1
            at += plain_run(text, at)
        if count == 0:
            return text
        result = PyUnicode_New(length + more, PyUnicode_MAX_CHAR_VALUE(text))
        if kind == 1:
            _fill[uint8_t](<uint8_t *>PyUnicode_DATA(result), <uint8_t *>data, length, places, count)
        elif kind == 2:
            _fill[uint16_t](
                <uint16_t *>PyUnicode_DATA(result), <uint16_t *>data, length, places, count
            )
        else:
            _fill[uint32_t](
                <uint32_t *>PyUnicode_DATA(result), <uint32_t *>data, length, places, count
            )
        return result
    finally:
        PyMem_RawFree(places)


def escape(str text not None):
    """Write the five characters that XML predefines entities for as references.

    The result can stand in text and in attribute values. Raises ValueError for characters that XML
    can't carry.
    """
    cdef size_t first = plain_run(text, 0)
    if first == <size_t>PyUnicode_GET_LENGTH(text):
        return text
    return _escape(text, first)


# Names. -------------------------------------------------------------------------------------------


@cython.final
cdef class _Name:
    """A Clark name taken apart: namespace (None for none) and local part in UTF-8."""

    cdef str ns
    cdef bytes local
    cdef bytes start  # of an attribute, up to its value, if that is always the same


# Names come again and again. The limit only keeps a program that makes them up from filling memory.
cdef dict _names = {}
cdef enum:
    MOST_NAMES = 4096


cdef _Name _take_apart(object tag):
    cdef _Name name
    cdef uint32_t length
    if not isinstance(tag, str):
        raise TypeError(f"a name must be a str, not {type(tag).__name__}")
    tag = _exact(tag)
    name = _Name.__new__(_Name)
    ns, brace, local = tag[1:].rpartition("}") if tag.startswith("{") else ("", "", tag)
    try:
        name.local = local.encode()
    except UnicodeEncodeError:
        name.local = b""
    length = <uint32_t>PyBytes_GET_SIZE(name.local)
    if (
        (tag.startswith("{") and not brace)
        or length == 0
        or b":" in name.local
        or xf_name_end(<const uint8_t *>PyBytes_AS_STRING(name.local), 0, length) != length
    ):
        raise ValueError(f"{tag!r} is not a name in XML")
    if ns == XMLNS_NAMESPACE:
        raise ValueError(f"{tag!r}: nothing can be in the namespace of declarations")
    name.ns = intern(ns) if ns else None
    if name.ns is XML_NAMESPACE:
        name.start = b" xml:%b='" % name.local
    elif not ns and name.local != b"xmlns":
        name.start = b" %b='" % name.local
    if len(_names) >= MOST_NAMES:
        _names.clear()
    _names[tag] = name
    return name


cdef inline _Name _name(object tag):
    known = _names.get(tag) if type(tag) is str else None
    return _take_apart(tag) if known is None else <_Name>known


# Trees. -------------------------------------------------------------------------------------------

cdef int _learn_elementtree() except -1:
    global _ElementType, _tag_getter, _text_getter, _tail_getter, _attrib_getter
    from xml.etree.ElementTree import Element

    getters = [vars(Element).get(name) for name in ("tag", "text", "tail", "attrib")]
    if all(hasattr(type(getter), "__get__") for getter in getters):
        _tag_getter, _text_getter, _tail_getter, _attrib_getter = getters
        _ElementType = Element
    else:  # the Python implementation, whose elements have instance attributes
        _ElementType = False
    return 0


cdef enum:
    DEEPEST = 1 << 20


cdef int deepen(Frames *stack) except -1:
    cdef size_t used = stack.capacity * sizeof(Frame)
    cdef void *deeper
    if stack.capacity >= DEEPEST:
        raise RecursionError(f"more than {stack.capacity} levels: is an element inside itself?")
    if stack.frames == stack.shallow:
        deeper = PyMem_RawMalloc(2 * used)
        if deeper != NULL:
            memcpy(deeper, stack.shallow, used)
    else:
        deeper = PyMem_RawRealloc(stack.frames, 2 * used)
    if deeper == NULL:
        raise MemoryError
    stack.frames = <Frame *>deeper
    stack.capacity *= 2
    return 0


cdef inline bint _is_empty(object text) except -1:
    if type(text) is str:
        return PyUnicode_GET_LENGTH(text) == 0
    return text is None or not text


@cython.no_gc
@cython.final
@cython.freelist(4)
cdef class _Tree:
    """One run of tostring."""

    cdef Output out
    cdef Frames open  # with the namespaces that they declare prefixes for
    cdef dict prefixes  # prefix by namespace name, UTF-8; None for none
    cdef set given  # prefixes declared where the bytes will stand; None for none

    def __cinit__(self):
        begin_frames(&self.open)

    def __dealloc__(self):
        free_frames(&self.open)
        PyMem_RawFree(self.out.bytes)

    cdef int put_declaration(self, bytes prefix, object ns) except -1:
        _put(&self.out, b" xmlns", 6)
        if prefix is not None:
            _put(&self.out, b":", 1)
            _put(&self.out, PyBytes_AS_STRING(prefix), PyBytes_GET_SIZE(prefix))
        _put(&self.out, b"='", 2)
        _put_text(&self.out, ns or "", IN_VALUE, "a namespace name")
        _put(&self.out, b"'", 1)
        return 0

    cdef int put_value(self, object key, object value) except -1:
        if not isinstance(value, str):
            raise TypeError(
                f"the value of attribute {key!r} must be a str, not {type(value).__name__}"
            )
        _put_text(&self.out, <str>value, IN_VALUE, key)
        return _put(&self.out, b"'", 1)

    cdef list put_attributes(self, dict attrib):
        """Write attributes; returns the namespaces that got prefixes for them, or None."""
        cdef size_t before = self.out.used
        cdef PyObject *key
        cdef PyObject *value
        cdef Py_ssize_t place = 0
        cdef _Name name
        while PyDict_Next(attrib, &place, &key, &value):
            name = _name(<object>key)
            if name.start is None:  # rare: all again, behind declarations
                self.out.used = before
                return self.put_prefixed_attributes(attrib)
            _put_bytes(&self.out, name.start)
            self.put_value(<object>key, <object>value)
        return None

    cdef list put_prefixed_attributes(self, dict attrib):
        cdef list declared = self.declare_prefixes(attrib)
        cdef _Name name
        for key, value in attrib.items():
            name = _name(key)
            if name.start is not None:
                _put_bytes(&self.out, name.start)
            elif name.ns is None:
                raise ValueError("'xmlns' is not an attribute: namespaces are part of names")
            else:
                _put(&self.out, b" ", 1)
                _put_bytes(&self.out, self.prefixes[name.ns])
                _put(&self.out, b":", 1)
                _put_bytes(&self.out, name.local)
                _put(&self.out, b"='", 2)
            self.put_value(key, value)
        return declared

    cdef list declare_prefixes(self, dict attrib):
        """Declare prefixes for the attributes' namespaces; returns those that had none, or None."""
        cdef list declared = None
        cdef str ns
        for key in attrib:
            ns = _name(key).ns
            if ns is None or ns is XML_NAMESPACE or self.prefix(ns) is not None:
                continue
            if self.prefixes is None:
                self.prefixes = {}
            taken = set(self.prefixes.values())
            if self.given is not None:
                taken |= self.given
            number = 0
            while (prefix := b"ns%d" % number) in taken:
                number += 1
            self.prefixes[ns] = prefix
            self.put_declaration(prefix, ns)
            if declared is None:
                declared = []
            declared.append(ns)
        return declared

    cdef inline bytes prefix(self, str ns):
        """The prefix in scope for a namespace, or None."""
        return None if self.prefixes is None else self.prefixes.get(ns)

    cdef int start(self, object element, str default_ns) except -1:
        """Write a start tag and the text behind it; leave the element open if it has children."""
        cdef bint exact = type(element) is _ElementType
        cdef _Name name = _name(xf_get(_tag_getter, element) if exact else element.tag)
        cdef object attrib = xf_get(_attrib_getter, element) if exact else element.attrib
        cdef object text = xf_get(_text_getter, element) if exact else element.text
        cdef Py_ssize_t children = len(element)
        cdef bytes prefix = None
        cdef list declared = None
        cdef bint declare = False
        cdef size_t at, length
        if name.ns is not default_ns:
            if name.ns is not None:
                prefix = b"xml" if name.ns is XML_NAMESPACE else self.prefix(name.ns)
            declare = prefix is None
            if declare:
                default_ns = name.ns
        _put(&self.out, b"<", 1)
        at = self.out.used
        if prefix is not None:
            _put_bytes(&self.out, prefix)
            _put(&self.out, b":", 1)
        _put_bytes(&self.out, name.local)
        length = self.out.used - at
        if declare:
            self.put_declaration(None, name.ns)
        if type(attrib) is not dict:
            attrib = dict(attrib)
        if len(<dict>attrib):
            declared = self.put_attributes(<dict>attrib)
        if children == 0 and _is_empty(text):
            _put(&self.out, b"/>", 2)
            return self.leave(element, declared)
        _put(&self.out, b">", 1)
        if not _is_empty(text):
            self.put_text(text, element)
        if children:
            return push(&self.open, element, default_ns, declared, at, length)
        put_end_tag(&self.out, at, length)
        return self.leave(element, declared)

    cdef int put_text(self, object text, object element) except -1:
        if not isinstance(text, str):
            raise TypeError(
                f"text in {element.tag!r} must be a str, not {type(text).__name__}"
            )
        return _put_text(&self.out, <str>text, IN_TEXT, "text")

    cdef int leave(self, object element, list declared) except -1:
        """Write what follows an element; the prefixes that it declared are no more."""
        if declared is not None:
            for ns in declared:
                del self.prefixes[ns]
        if self.open.depth == 0:  # the root's tail is not part of it
            return 0
        tail = xf_get(_tail_getter, element) if type(element) is _ElementType else element.tail
        if not _is_empty(tail):
            self.put_text(tail, element)
        return 0

    cdef bytes write(self, object root, str default_ns):
        cdef Frame *frame
        self.start(root, default_ns)
        while self.open.depth:
            frame = innermost(&self.open)
            element = <object>frame.children
            if frame.child < len(element):
                child = PySequence_GetItem(element, frame.child)
                frame.child += 1
                self.start(child, <str>frame.namespace)
                continue
            put_end_tag(&self.out, frame.name, frame.name_length)
            declared = <object>frame.declared
            pop(&self.open)
            self.leave(element, <list>declared)
        return PyBytes_FromStringAndSize(self.out.bytes, self.out.used)


def tostring(element, *, str xmlns=None, prefixes=None):
    """Serialize an element, without its tail, to UTF-8.

    xmlns     default namespace where the bytes will stand, usually the stream's content namespace
    prefixes  namespace names by prefix declared there, as in `StreamStart.prefixes`

    Only namespaces that are not in scope are declared. Raises ValueError for names or text that XML
    can't carry, TypeError for anything but elements and strings inside.
    """
    cdef _Tree tree
    if _ElementType is None:
        _learn_elementtree()
    if type(element) is not _ElementType:
        if hasattr(type(element), "to_etree"):
            element = element.to_etree()
        elif not hasattr(type(element), "iter"):
            raise TypeError(f"cannot serialize {type(element).__name__}")
    tree = _Tree.__new__(_Tree)
    _grow(&tree.out, 512)
    if prefixes is not None:
        tree.prefixes = {}
        tree.given = set()
        for prefix, ns in prefixes.items():
            tree.given.add(_name(prefix).local)
            tree.prefixes.setdefault(ns, _name(prefix).local)
    return tree.write(element, intern(xmlns) if xmlns else None)
