# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# cython: always_allow_keywords=True, embedsignature=False
"""The compiled backend: Python's view of src_c/.

A stanza is one block of memory: xf_piece, tape, bytes. `Stanza` owns it, an `Element` inside keeps
its stanza, a stanza keeps its stream header; nothing points the other way, so nothing here needs
the garbage collector's cyclic part.
"""

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyMem_RawFree, PyMem_RawMalloc, PyMem_RawRealloc
from cpython.object cimport PyObject
from cpython.number cimport PyNumber_AsSsize_t
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.string cimport memchr, memcmp, memcpy

from collections import deque
from types import MappingProxyType

from .errors import StreamCondition, StreamError
from .limits import Limits


cdef extern from "Python.h":
    ctypedef void (*destructor)(PyObject *) noexcept
    ctypedef struct PyTypeObject:
        destructor tp_dealloc
    str PyUnicode_New(Py_ssize_t, Py_UCS4)
    void *PyUnicode_DATA(object)
    const char *PyUnicode_AsUTF8AndSize(object, Py_ssize_t *) except NULL
    Py_ssize_t PyUnicode_GET_LENGTH(object)
    int PyUnicode_KIND(object)


# What modules share between threads, the GIL protects; without it, they share less.
cdef extern from *:
    """
    #ifdef Py_GIL_DISABLED
    #define XF_SHARED_CACHE 0
    #else
    #define XF_SHARED_CACHE 1
    #endif
    """
    bint XF_SHARED_CACHE


# Memory. ------------------------------------------------------------------------------------------


# In front of each block that the tokenizer has. Its index comes and goes with every chunk: the last
# one freed is kept for whoever asks next.
ctypedef struct block_head:
    size_t size, unused  # as long as blocks are aligned

cdef enum:
    SPARE_LEAST = 8 << 10
    SPARE_MOST = 64 << 10

cdef block_head *_spare = NULL


cdef void *_resize(void *context, void *block, size_t size) noexcept nogil:
    global _spare
    cdef block_head *head = <block_head *>block - 1 if block != NULL else NULL
    if size == 0:
        if XF_SHARED_CACHE and _spare == NULL and SPARE_LEAST <= head.size <= SPARE_MOST:
            _spare = head
        else:
            PyMem_RawFree(head)
        return NULL
    if head == NULL and _spare != NULL and SPARE_LEAST <= size <= _spare.size:
        head = _spare
        _spare = NULL
        return head + 1
    head = <block_head *>PyMem_RawRealloc(head, size + sizeof(block_head))
    if head == NULL:
        return NULL
    head.size = size
    return head + 1


cdef xf_allocator _allocator
_allocator.resize = _resize
_allocator.context = NULL

# What an element that nobody parsed looks like: `Element.__new__` must not crash anything.
cdef xf_element _empty_tape
_empty_tape.tag_end = _empty_tape.content_end = 4
_empty_tape.skip = XF_ELEMENT_SLOTS
_empty_tape.name_length = 1
_empty_tape.ns = _empty_tape.default_ns = XF_NS_NONE
cdef xf_piece _empty
_empty.bytes = <const uint8_t *>b"<x/>        "
_empty.tape = <const xf_slot *>&_empty_tape
_empty.length = 4
_empty.slots = XF_ELEMENT_SLOTS


# Names are compared by their first bytes, read together: behind a piece, so many may be read.
cdef enum:
    KEY_BYTES = 8


# Blocks of the usual sizes that nobody has at the moment, by size; allocators are good enough for
# larger ones.
cdef enum:
    POOL_STEP = 256
    POOLS = 8
    MOST_POOLED = 8

cdef void *_pool[POOLS][MOST_POOLED]
cdef int _pooled[POOLS]


cdef inline size_t _pool_of(size_t size) noexcept:
    """Which pool has blocks for that size; POOLS or more if none has."""
    return (size - 1) // POOL_STEP if XF_SHARED_CACHE else POOLS


cdef inline size_t _block_size(const xf_piece *piece) noexcept:
    return sizeof(xf_piece) + piece.slots * sizeof(xf_slot) + piece.length + KEY_BYTES


cdef inline void *_allocate(size_t size) noexcept:
    cdef size_t pool = _pool_of(size)
    if pool >= POOLS:
        return PyMem_Malloc(size)
    if _pooled[pool]:
        _pooled[pool] -= 1
        return _pool[pool][_pooled[pool]]
    return PyMem_Malloc((pool + 1) * POOL_STEP)


cdef inline void _free_piece(const xf_piece *piece) noexcept:
    cdef size_t pool
    if piece == &_empty:
        return
    pool = _pool_of(_block_size(piece))
    if pool < POOLS and _pooled[pool] < MOST_POOLED:
        _pool[pool][_pooled[pool]] = <void *>piece
        _pooled[pool] += 1
    else:
        PyMem_Free(<void *>piece)


cdef xf_piece *_copy_piece(const xf_piece *source) except NULL:
    """Copy bytes and tape into one block that begins with the new xf_piece."""
    cdef size_t tape = source.slots * sizeof(xf_slot)
    cdef char *block = <char *>_allocate(_block_size(source))
    if block == NULL:
        raise MemoryError
    cdef xf_piece *piece = <xf_piece *>block
    piece[0] = source[0]
    block += sizeof(xf_piece)
    memcpy(block, source.tape, tape)
    piece.tape = <const xf_slot *>block
    memcpy(block + tape, source.bytes, source.length)
    piece.bytes = <const uint8_t *>block + tape
    return piece


# Text. --------------------------------------------------------------------------------------------


cdef inline str _utf8(const uint8_t *text, uint32_t length, bint wide):
    cdef str result
    if wide:
        return PyUnicode_DecodeUTF8(<const char *>text, length, NULL)
    if length == 0:
        return ""
    result = PyUnicode_New(length, 127)
    memcpy(PyUnicode_DATA(result), text, length)
    return result


cdef str _decoded(xf_span source, xf_context context):
    cdef uint8_t small[256]
    cdef uint8_t *out = small
    if source.length > sizeof(small):
        out = <uint8_t *>PyMem_RawMalloc(source.length)
        if out == NULL:
            raise MemoryError
    try:
        return PyUnicode_DecodeUTF8(<const char *>out, xf_decode(source, context, out), NULL)
    finally:
        if out != small:
            PyMem_RawFree(out)


cdef inline str _text(const xf_piece *piece, xf_span source, xf_context context):
    """The string that these bytes of the piece stand for."""
    cdef const uint8_t *b = source.bytes
    cdef uint32_t n = source.length
    if piece.flags & (XF_ESCAPED | XF_CONTROL):
        if (
            (piece.flags & XF_ESCAPED and (memchr(b, c"&", n) or memchr(b, c"<", n)))
            or (piece.flags & XF_CONTROL and (
                memchr(b, c"\r", n)
                or (context == XF_VALUE and (memchr(b, c"\n", n) or memchr(b, c"\t", n)))
            ))
        ):
            return _decoded(source, context)
    return _utf8(b, n, piece.flags & XF_WIDE)


# Strings that come again and again: names, Clark names, short values. A place holds the last one
# that belongs there, so the caches are bounded and a miss costs little more than making the string.
# One is for those of up to eight bytes, which are compared as numbers.
cdef enum:
    CACHED = 1024
    CACHED_SHORT = 256
    LONGEST_CACHED = 160

cdef list _cache = [None] * CACHED
cdef list _short_cache = [None] * CACHED_SHORT
cdef uint64_t _short_keys[CACHED_SHORT]


cdef extern from "scan.h" nogil:
    uint64_t xf_name_key(const uint8_t *, uint32_t)


cdef inline uint32_t _hash(const uint8_t *text, uint32_t length) noexcept:
    """A hash of the bytes; reads up to KEY_BYTES behind them."""
    cdef uint64_t word, sum = 1
    while length >= 8:
        memcpy(&word, text, 8)
        sum = (sum ^ word) * <uint64_t>0x9E3779B97F4A7C15
        sum ^= sum >> 29
        text += 8
        length -= 8
    sum ^= xf_name_key(text, length) ^ (<uint64_t>length << 56)
    sum *= <uint64_t>0x9E3779B97F4A7C15
    return <uint32_t>(sum >> 32)


cdef bint _is_simple(const uint8_t *text, uint32_t length) noexcept:
    """Whether the bytes are ASCII characters that stand for themselves, in text or in a value."""
    cdef uint32_t i
    for i in range(length):
        if not c" " <= text[i] < 0x7F or text[i] == c"&" or text[i] == c"<":
            return False
    return True


cdef inline str _cached(const uint8_t *text, uint32_t length, bint wide):
    """Like _utf8, for strings that are likely to have been seen before and are in a piece."""
    cdef uint64_t key
    cdef uint32_t place
    if not XF_SHARED_CACHE or length > KEY_BYTES:
        return _cached_long(text, length, wide)
    key = xf_name_key(text, length)
    place = (key * <uint64_t>0x9E3779B97F4A7C15) >> 56
    known = _short_cache[place]
    if _short_keys[place] != key or known is None:
        known = _utf8(text, length, wide)
        _short_cache[place] = known
        _short_keys[place] = key
    return <str>known


cdef str _cached_long(const uint8_t *text, uint32_t length, bint wide):
    cdef str known
    cdef uint32_t place
    if length > LONGEST_CACHED or not XF_SHARED_CACHE or (wide and not _is_simple(text, length)):
        return _utf8(text, length, wide)
    place = _hash(text, length) % CACHED
    entry = _cache[place]
    if entry is not None:
        known = <str>entry
        if (
            PyUnicode_GET_LENGTH(known) == length
            and memcmp(PyUnicode_DATA(known), text, length) == 0
        ):
            return known
    known = _utf8(text, length, False)
    _cache[place] = known
    return known


cdef str _clark(const xf_piece *piece, uint32_t ns, const uint8_t *local, uint32_t length):
    """The Clark name of a name in the namespace that `ns` refers to."""
    cdef uint8_t joined[LONGEST_CACHED + KEY_BYTES]
    cdef xf_span uri = xf_namespace(piece, ns)
    cdef uint32_t whole = uri.length + length + 2
    cdef const xf_piece *home = piece
    cdef uint32_t flags = piece.flags & XF_WIDE
    if uri.bytes == NULL:
        return _cached(local, length, flags)
    if ns & XF_NS_HEADER and ns != XF_NS_XML:
        home = piece.header
    flags |= home.flags & (XF_WIDE | XF_ESCAPED | XF_CONTROL)
    if whole > LONGEST_CACHED or (
        flags and not (_is_simple(uri.bytes, uri.length) and _is_simple(local, length))
    ):
        return "{" + _text(home, uri, XF_VALUE) + "}" + _utf8(local, length, flags & XF_WIDE)
    joined[0] = c"{"
    memcpy(joined + 1, uri.bytes, uri.length)
    joined[uri.length + 1] = c"}"
    memcpy(joined + uri.length + 2, local, length)
    return _cached(joined, whole, False)


# Attributes. --------------------------------------------------------------------------------------


cdef extern from "find.h" nogil:
    const xf_attribute *xf_find(const xf_piece *, uint32_t, const char *, uint32_t)


cdef inline xf_span _value_span(const xf_piece *piece, const xf_attribute *a) noexcept:
    cdef xf_span value
    value.bytes = piece.bytes + (a.value - piece.base)
    value.length = a.value_length
    return value


cdef inline str _named(const xf_piece *piece, uint32_t slot, const char *name, uint32_t length):
    cdef const xf_attribute *a = xf_find(piece, slot, name, length)
    if a == NULL:
        return None
    return _text(piece, _value_span(piece, a), XF_VALUE)


cdef inline str _short(const xf_piece *piece, uint32_t slot, const char *name, uint32_t length):
    """Like _named, for attributes with few different values."""
    cdef const xf_attribute *a = xf_find(piece, slot, name, length)
    if a == NULL:
        return None
    if a.value_length > 16 or piece.flags & (XF_ESCAPED | XF_CONTROL):
        return _text(piece, _value_span(piece, a), XF_VALUE)
    return _cached(_value_span(piece, a).bytes, a.value_length, piece.flags & XF_WIDE)


cdef str _attribute_name(const xf_piece *piece, uint32_t slot, const xf_attribute *a):
    """Clark name of an attribute, or None for a namespace declaration."""
    cdef const uint8_t *name = piece.bytes + (a.name - piece.base)
    cdef const uint8_t *colon = <const uint8_t *>memchr(name, c":", a.name_length)
    cdef uint32_t prefix
    if xf_declares(name, a.name_length) >= 0:
        return None
    if colon == NULL:
        return _cached(name, a.name_length, piece.flags & XF_WIDE)
    prefix = <uint32_t>(colon - name)
    return _clark(
        piece, xf_attribute_ns(piece, slot, name, prefix), colon + 1, a.name_length - prefix - 1
    )


cdef dict _attributes(const xf_piece *piece, uint32_t slot):
    cdef const xf_element *e = xf_element_at(piece.tape, slot)
    cdef const xf_attribute *a = xf_attribute_at(piece.tape, slot + XF_ELEMENT_SLOTS)
    cdef dict result = {}
    cdef uint32_t i
    for i in range(e.attributes):
        name = _attribute_name(piece, slot, &a[i])
        if name is not None:
            result[name] = _text(piece, _value_span(piece, &a[i]), XF_VALUE)
    return result


cdef object _get(const xf_piece *piece, uint32_t slot, str key, object default):
    cdef const xf_attribute *a
    cdef Py_ssize_t length
    cdef const char *name
    cdef char padded[KEY_BYTES]
    if key.startswith("{"):
        return _attributes(piece, slot).get(key, default)
    name = PyUnicode_AsUTF8AndSize(key, &length)
    if xf_declares(<const uint8_t *>name, <uint32_t>length) >= 0 or memchr(name, c":", length):
        return default
    if length < KEY_BYTES:
        memcpy(padded, name, length)
        name = padded
    a = xf_find(piece, slot, name, <uint32_t>length)
    return default if a == NULL else _text(piece, _value_span(piece, a), XF_VALUE)


# Elements. ----------------------------------------------------------------------------------------


cdef inline str _tag(const xf_piece *piece, uint32_t slot):
    cdef const xf_element *e = xf_element_at(piece.tape, slot)
    cdef uint32_t skip = e.prefix_length + 1 if e.prefix_length else 0
    return _clark(
        piece,
        e.ns,
        piece.bytes + (e.start - piece.base) + 1 + skip,
        e.name_length - skip,
    )


cdef inline str _name(const xf_piece *piece, uint32_t slot):
    cdef const xf_element *e = xf_element_at(piece.tape, slot)
    cdef uint32_t skip = e.prefix_length + 1 if e.prefix_length else 0
    return _cached(
        piece.bytes + (e.start - piece.base) + 1 + skip,
        e.name_length - skip,
        piece.flags & XF_WIDE,
    )


cdef str _namespace_name(const xf_piece *piece, uint32_t ns):
    cdef xf_span uri = xf_namespace(piece, ns)
    if uri.bytes == NULL:
        return None
    if ns == XF_NS_XML:
        return "http://www.w3.org/XML/1998/namespace"
    if ns & XF_NS_HEADER:
        piece = piece.header
    if piece.flags & (XF_ESCAPED | XF_CONTROL):
        return _text(piece, uri, XF_VALUE)
    return _cached(uri.bytes, uri.length, piece.flags & XF_WIDE)


cdef inline bint _has_children(const xf_element *e) noexcept:
    return e.skip > XF_ELEMENT_SLOTS + e.attributes


cdef inline uint32_t _first_child(const xf_piece *piece, uint32_t slot) noexcept:
    return slot + XF_ELEMENT_SLOTS + xf_element_at(piece.tape, slot).attributes


cdef inline uint32_t _end(const xf_piece *piece, uint32_t slot) noexcept:
    """Offset behind the element's last byte."""
    cdef const xf_element *e = xf_element_at(piece.tape, slot)
    cdef const uint8_t *b = piece.bytes - piece.base
    if e.content_end == e.tag_end and b[e.tag_end - 2] == c"/":
        return e.tag_end
    # An end tag has its name, white space, and the first ">" from there on.
    return <uint32_t>(
        <const uint8_t *>memchr(b + e.content_end, c">", piece.base + piece.length - e.content_end)
        - b
    ) + 1


cdef inline str _between(const xf_piece *piece, uint32_t begin, uint32_t end):
    """Text between two tags, or None if there is none."""
    cdef xf_span source
    if begin == end:
        return None
    source.bytes = piece.bytes + (begin - piece.base)
    source.length = end - begin
    text = _text(piece, source, XF_TEXT)
    return text if PyUnicode_GET_LENGTH(text) else None


cdef inline str _text_of(const xf_piece *piece, uint32_t slot):
    cdef const xf_element *e = xf_element_at(piece.tape, slot)
    cdef uint32_t end = e.content_end
    if _has_children(e):
        end = xf_element_at(piece.tape, _first_child(piece, slot)).start
    return _between(piece, e.tag_end, end)


cdef inline str _tail_of(const xf_piece *piece, uint32_t slot):
    cdef const xf_element *parent
    cdef uint32_t next_slot, end
    if slot == 0:
        return None
    next_slot = slot + xf_element_at(piece.tape, slot).skip
    parent = xf_element_at(piece.tape, xf_element_at(piece.tape, slot).parent)
    end = parent.content_end
    if next_slot < xf_element_at(piece.tape, slot).parent + parent.skip:
        end = xf_element_at(piece.tape, next_slot).start
    return _between(piece, _end(piece, slot), end)


@cython.no_gc
@cython.freelist(32)
cdef class Element:
    """An element of a stanza: a view of the stanza's bytes, made when asked for, immutable.

    Names are Clark names, "{namespace}local", or plain "local" outside any namespace. Elements are
    equal when their tags, attributes, text and children are (with the children's tails).
    """

    cdef object owner
    cdef const xf_piece *piece
    cdef uint32_t slot

    __match_args__ = ("tag",)

    def __cinit__(self):
        self.piece = &_empty

    def __init__(self):
        raise TypeError(f"{type(self).__name__} objects come from a parser")

    cdef inline Element child(self, uint32_t slot):
        cdef Element element = Element.__new__(Element)
        element.owner = self.owner if self.slot or type(self) is Element else self
        element.piece = self.piece
        element.slot = slot
        return element

    @property
    def tag(self):
        """Clark name."""
        return _tag(self.piece, self.slot)

    @property
    def name(self):
        """Local name."""
        return _name(self.piece, self.slot)

    @property
    def xmlns(self):
        """Namespace name; None outside any namespace."""
        return _namespace_name(self.piece, xf_element_at(self.piece.tape, self.slot).ns)

    @property
    def attrib(self):
        """Attributes by Clark name in document order, read-only, without namespace declarations."""
        return MappingProxyType(_attributes(self.piece, self.slot))

    @property
    def text(self):
        """Text before the first child; None if there is none."""
        return _text_of(self.piece, self.slot)

    @property
    def tail(self):
        """Text between this element's end and the next tag; None if there is none."""
        return _tail_of(self.piece, self.slot)

    @property
    def raw(self):
        """The element's bytes as received."""
        cdef uint32_t start = xf_element_at(self.piece.tape, self.slot).start
        return PyBytes_FromStringAndSize(
            <const char *>self.piece.bytes + (start - self.piece.base),
            _end(self.piece, self.slot) - start,
        )

    def get(self, str key not None, default=None):
        """Value of the attribute with that Clark name."""
        return _get(self.piece, self.slot, key, default)

    def __len__(self):
        cdef uint32_t slot = _first_child(self.piece, self.slot)
        cdef uint32_t end = self.slot + xf_element_at(self.piece.tape, self.slot).skip
        cdef Py_ssize_t count = 0
        while slot < end:
            slot += xf_element_at(self.piece.tape, slot).skip
            count += 1
        return count

    def __bool__(self):
        """Always True, with or without children."""
        return True

    def __iter__(self):
        return _children(self)

    def __getitem__(self, index):
        cdef uint32_t slot, end
        cdef Py_ssize_t number
        if isinstance(index, slice):
            return list(self)[index]
        number = PyNumber_AsSsize_t(index, IndexError)
        if number < 0:
            number += len(self)
        if number >= 0:
            slot = _first_child(self.piece, self.slot)
            end = self.slot + xf_element_at(self.piece.tape, self.slot).skip
            while slot < end:
                if number == 0:
                    return self.child(slot)
                slot += xf_element_at(self.piece.tape, slot).skip
                number -= 1
        raise IndexError("child index out of range")

    def __eq__(self, other):
        if not isinstance(other, Element):
            return NotImplemented
        return self is other or _same_tree(self, <Element>other)

    def __hash__(self):
        return hash((self.tag, self.text, frozenset(_attributes(self.piece, self.slot).items())))

    def __repr__(self):
        shown = "".join(
            f" {key}={value!r}"
            for key in ("type", "id", "from", "to")
            if (value := self.get(key)) is not None
        )
        return f"<{type(self).__name__} {self.tag}{shown}>"

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def find(self, str path not None, namespaces=None):
        """First match of a path in ElementTree's path language."""
        cdef _Step step = _step(path, namespaces)
        cdef uint32_t slot
        if step is None:
            return next(iter(_search(self, path, namespaces)), None)
        slot = step.next_match(self.piece, self.slot, _first_child(self.piece, self.slot))
        return self.child(slot) if slot else None

    def findall(self, str path not None, namespaces=None):
        """All matches of a path, in document order."""
        cdef _Step step = _step(path, namespaces)
        cdef list found = []
        cdef uint32_t slot
        if step is None:
            return _search(self, path, namespaces)
        slot = step.next_match(self.piece, self.slot, _first_child(self.piece, self.slot))
        while slot:
            found.append(self.child(slot))
            slot += xf_element_at(self.piece.tape, slot).skip
            slot = step.next_match(self.piece, self.slot, slot)
        return found

    def iterfind(self, str path not None, namespaces=None):
        """`findall` as an iterator."""
        return iter(self.findall(path, namespaces))

    def findtext(self, str path not None, default=None, namespaces=None):
        """Text of the first match: "" if it has none, `default` if nothing matches."""
        cdef _Step step = _step(path, namespaces)
        cdef uint32_t slot
        if step is None:
            found = self.find(path, namespaces)
            return default if found is None else found.text or ""
        slot = step.next_match(self.piece, self.slot, _first_child(self.piece, self.slot))
        if not slot:
            return default
        text = _text_of(self.piece, slot)
        return "" if text is None else text

    def iter(self, str tag=None):
        """This element and all inside it in document order, or those with that tag."""
        return _descendants(self, None if tag == "*" else tag)

    def itertext(self):
        """All text inside this element, in document order."""
        return _texts(self)

    def to_etree(self):
        """A new, genuine ElementTree tree with the same content."""
        return _to_etree(self.piece, self.slot)


def _children(Element parent):
    cdef uint32_t slot = _first_child(parent.piece, parent.slot)
    cdef uint32_t end = parent.slot + xf_element_at(parent.piece.tape, parent.slot).skip
    while slot < end:
        yield parent.child(slot)
        slot += xf_element_at(parent.piece.tape, slot).skip


def _descendants(Element top, str tag):
    cdef const xf_piece *piece = top.piece
    cdef uint32_t slot = top.slot, end = slot + xf_element_at(piece.tape, slot).skip
    while slot < end:
        if tag is None or _tag(piece, slot) == tag:
            yield top if slot == top.slot else top.child(slot)
        slot = _first_child(piece, slot)


@cython.wraparound(True)
def _texts(Element top):
    """Walk the elements in document order; a tail comes once everything inside has come."""
    cdef const xf_piece *piece = top.piece
    cdef uint32_t slot = top.slot, closed
    cdef list open_slots = []
    while True:
        while open_slots and slot >= (
            <uint32_t>open_slots[-1] + xf_element_at(piece.tape, open_slots[-1]).skip
        ):
            closed = open_slots.pop()
            if not open_slots:
                return
            text = _tail_of(piece, closed)
            if text is not None:
                yield text
        text = _text_of(piece, slot)
        if text is not None:
            yield text
        open_slots.append(slot)
        slot = _first_child(piece, slot)


cdef bint _same_tree(Element a, Element b):
    cdef uint32_t i = a.slot, j = b.slot
    cdef uint32_t end = i + xf_element_at(a.piece.tape, i).skip
    cdef uint32_t other_end = j + xf_element_at(b.piece.tape, j).skip
    # Trees are the same if, in document order, the same elements have children and the same ones
    # are last children.
    while i < end and j < other_end:
        if (
            _tag(a.piece, i) != _tag(b.piece, j)
            or _text_of(a.piece, i) != _text_of(b.piece, j)
            or _attributes(a.piece, i) != _attributes(b.piece, j)
        ):
            return False
        if i != a.slot and (
            _tail_of(a.piece, i) != _tail_of(b.piece, j)
            or _closes(a, i) != _closes(b, j)
            or _has_children(xf_element_at(a.piece.tape, i))
            != _has_children(xf_element_at(b.piece.tape, j))
        ):
            return False
        i = _first_child(a.piece, i)
        j = _first_child(b.piece, j)
    return i >= end and j >= other_end


cdef bint _closes(Element top, uint32_t slot):
    """Whether the element is its parent's last child."""
    cdef const xf_element *e = xf_element_at(top.piece.tape, slot)
    return slot + e.skip == e.parent + xf_element_at(top.piece.tape, e.parent).skip


# Paths. -------------------------------------------------------------------------------------------


@cython.no_gc
@cython.final
cdef class _Step:
    """A path of one plain name: children with a tag."""

    cdef bytes ns, local

    cdef uint32_t next_match(self, const xf_piece *piece, uint32_t parent, uint32_t slot):
        """The first child from `slot` on that matches, or 0."""
        cdef uint32_t end = parent + xf_element_at(piece.tape, parent).skip
        cdef const xf_element *e
        cdef const uint8_t *local
        cdef uint32_t length
        cdef xf_span uri
        while slot < end:
            e = xf_element_at(piece.tape, slot)
            local = piece.bytes + (e.start - piece.base) + 1
            length = e.name_length
            if e.prefix_length:
                local += e.prefix_length + 1
                length -= e.prefix_length + 1
            if length == <uint32_t>PyBytes_GET_SIZE(self.local) and (
                memcmp(local, PyBytes_AS_STRING(self.local), length) == 0
            ):
                uri = xf_namespace(piece, e.ns)
                if _unescaped(piece, e.ns):
                    if uri.length == <uint32_t>PyBytes_GET_SIZE(self.ns) and (
                        memcmp(uri.bytes, PyBytes_AS_STRING(self.ns), uri.length) == 0
                    ):
                        return slot
                elif (_namespace_name(piece, e.ns) or "").encode() == self.ns:
                    return slot
            slot += e.skip
        return 0


cdef inline bint _unescaped(const xf_piece *piece, uint32_t ns) noexcept:
    """Whether a namespace's bytes are what they stand for."""
    if ns & XF_NS_HEADER and ns < XF_NS_XML:
        piece = piece.header
    return not piece.flags & (XF_ESCAPED | XF_CONTROL)


cdef dict _steps = {}
cdef enum:
    MOST_STEPS = 512

cdef str _last_path = None
cdef _Step _last_step = None


cdef inline _Step _step(str path, namespaces):
    """The step that a path is, or None for other paths."""
    if XF_SHARED_CACHE and path is _last_path and namespaces is None:
        return _last_step
    return _look_up_step(path, namespaces)


cdef _Step _look_up_step(str path, namespaces):
    global _last_path, _last_step
    cdef _Step step
    if namespaces is not None:
        return None
    known = _steps.get(path, False)
    if known is not False:
        _last_path, _last_step = path, known
        return <_Step>known
    ns, brace, local = path[1:].rpartition("}") if path.startswith("{") else ("", "", path)
    if (path.startswith("{") and not brace) or ns == "*" or not local or not all(
        c.isalnum() or c in "_-" for c in local
    ) or ("{" in ns or "}" in ns):
        step = None
    else:
        step = _Step.__new__(_Step)
        step.ns = ns.encode()
        step.local = local.encode()
    if len(_steps) >= MOST_STEPS:
        _steps.clear()
    _steps[path] = step
    return step


cdef list _search(Element top, str path, namespaces):
    """Have ElementTree search its tree of the element, and find the results' counterparts."""
    tree = _to_etree(top.piece, top.slot)
    cdef dict slots = {}
    cdef uint32_t slot = top.slot
    for element in tree.iter():
        slots[element] = slot
        slot = _first_child(top.piece, slot)
    return [
        top if slots[found] == top.slot else top.child(slots[found])
        for found in tree.findall(path, namespaces)
    ]


# ElementTree. -------------------------------------------------------------------------------------

# ElementTree's own functions, called past the look-up of attributes. Elements are made by copying
# an empty one of the same tag: that is its only constructor that parses no arguments.
cdef object _make = None, _copy, _append, _set_text, _set_tail, _set_attrib
cdef dict _models = {}
cdef enum:
    MOST_MODELS = 1024

cdef extern from *:
    """
    static int xf_set(PyObject *setter, PyObject *object, PyObject *value)
    {
        return Py_TYPE(setter)->tp_descr_set(setter, object, value);
    }
    """
    int xf_set(object setter, object element, object value) except -1


cdef int _learn_elementtree() except -1:
    """Import ElementTree late: who never asks for a tree shouldn't wait for it."""
    global _make, _copy, _append, _set_text, _set_tail, _set_attrib
    from xml.etree.ElementTree import Element as Made

    _copy, _append = Made.__copy__, Made.append
    _set_text, _set_tail, _set_attrib = Made.text, Made.tail, Made.attrib
    _make = Made
    return 0


cdef object _new_element(str tag):
    cdef object model = _models.get(tag)
    if model is None:
        if len(_models) >= MOST_MODELS:
            _models.clear()
        model = _models[tag] = _make(tag)
    return _copy(model)


@cython.wraparound(True)
cdef object _to_etree(const xf_piece *piece, uint32_t top):
    cdef uint32_t slot = top, end = top + xf_element_at(piece.tape, top).skip
    cdef const xf_element *e
    cdef list open_elements = [], open_slots = []
    cdef object root = None, parent = None, element
    cdef uint32_t parent_end = end
    if _make is None:
        _learn_elementtree()
    while slot < end:
        e = xf_element_at(piece.tape, slot)
        while slot >= parent_end:
            open_slots.pop()
            open_elements.pop()
            parent = open_elements[-1]
            parent_end = open_slots[-1]
        element = _new_element(_tag(piece, slot))
        if root is None:
            root = element
        else:
            _append(parent, element)
            tail = _tail_of(piece, slot)
            if tail is not None:
                xf_set(_set_tail, element, tail)
        if e.attributes:
            attributes = _attributes(piece, slot)
            if attributes:
                xf_set(_set_attrib, element, attributes)
        text = _text_of(piece, slot)
        if text is not None:
            xf_set(_set_text, element, text)
        if _has_children(e):
            parent = element
            parent_end = slot + e.skip
            open_elements.append(element)
            open_slots.append(parent_end)
        slot = slot + XF_ELEMENT_SLOTS + e.attributes
    return root


# Stanzas. -----------------------------------------------------------------------------------------

cdef object _unchanged = object()


cdef bytes _escaped_value(str value, str name):
    """UTF-8 of a string as it can stand in an attribute value in single quotes."""
    from ._writer import escape_value
    return escape_value(value, name)


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


# The last value that stood as it was, and its UTF-8: a session's stanzas are stamped with the same
# one.
cdef object _last_plain = None
cdef xf_span _last_value


cdef bytes _edit(xf_edit *edit, const char *name, uint32_t name_length, object value):
    """Fill in an edit; the result must be kept as long as it is used."""
    global _last_plain, _last_value
    cdef Py_ssize_t length
    cdef bytes escaped
    edit.name.bytes = <const uint8_t *>name
    edit.name.length = name_length
    edit.remove = value is None
    if value is None:
        return None
    if XF_SHARED_CACHE and value is _last_plain:
        edit.value = _last_value
        return None
    if not isinstance(value, str):
        raise TypeError(f"{name.decode()} must be a str or None, not {type(value).__name__}")
    if plain_run(value, 0) == <size_t>PyUnicode_GET_LENGTH(value):
        edit.value.bytes = <const uint8_t *>PyUnicode_AsUTF8AndSize(value, &length)
        edit.value.length = <uint32_t>length
        if XF_SHARED_CACHE:
            _last_plain, _last_value = value, edit.value
        return None
    escaped = _escaped_value(value, name.decode())
    edit.value.bytes = <const uint8_t *>PyBytes_AS_STRING(escaped)
    edit.value.length = <uint32_t>PyBytes_GET_SIZE(escaped)
    return escaped


cdef bytes _leaned_on(Stanza stanza):
    """Declarations of the header's prefixes that the stanza uses, in the header's order."""
    cdef const xf_piece *piece = stanza.piece
    cdef const xf_element *e
    cdef const xf_attribute *a
    cdef const uint8_t *name
    cdef const uint8_t *colon
    cdef uint32_t slot = 0, ns
    cdef set used = set()
    while slot < piece.slots:
        e = xf_element_at(piece.tape, slot)
        if e.prefix_length:
            used.add(e.ns)
        for i in range(e.attributes):
            a = xf_attribute_at(piece.tape, slot + XF_ELEMENT_SLOTS + i)
            name = piece.bytes + (a.name - piece.base)
            colon = <const uint8_t *>memchr(name, c":", a.name_length)
            if colon != NULL and xf_declares(name, a.name_length) < 0:
                used.add(xf_attribute_ns(piece, slot, name, <uint32_t>(colon - name)))
        slot += XF_ELEMENT_SLOTS + e.attributes
    out = []
    for ns in sorted(used):
        if ns & XF_NS_HEADER and ns < XF_NS_XML:
            a = xf_attribute_at(piece.header.tape, ns & ~XF_NS_HEADER)
            # From the name to the closing quote, as the header has it.
            name = piece.header.bytes + (a.name - piece.header.base)
            out.append(b" " + name[: a.value + a.value_length + 1 - a.name])
    return b"".join(out)


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


# The parser. --------------------------------------------------------------------------------------

cdef const xf_kernel *_kernel = xf_best_kernel()


def kernels():
    """Names of the kernels this processor can run, slowest first."""
    cdef unsigned number = 0
    cdef list names = []
    while xf_usable_kernel(number) != NULL:
        names.append(xf_kernel_name(xf_usable_kernel(number)).decode())
        number += 1
    return tuple(names)


def kernel():
    """Name of the kernel that new parsers use."""
    return xf_kernel_name(_kernel).decode()


def use_kernel(str name not None):
    """Have new parsers use that kernel; ValueError for one that is not in `kernels()`."""
    global _kernel
    cdef unsigned number
    for number, usable in enumerate(kernels()):
        if usable == name:
            _kernel = xf_usable_kernel(number)
            return
    raise ValueError(f"no kernel {name!r} here; there are {', '.join(kernels())}")


cdef size_t plain_run(str text, size_t start) noexcept:
    """Number of characters from `start` on that can stand anywhere in XML as they are."""
    cdef int width = PyUnicode_KIND(text)
    return xf_plain_run(
        _kernel,
        <char *>PyUnicode_DATA(text) + start * width,
        PyUnicode_GET_LENGTH(text) - start,
        width,
    )


cdef xf_limits _c_limits(object limits) except *:
    cdef xf_limits result
    if not isinstance(limits, Limits):
        raise TypeError(f"limits must be Limits, not {type(limits).__name__}")
    result.stanza_bytes = limits.stanza_bytes
    result.depth = limits.depth
    result.attributes = limits.attributes
    result.children = limits.children
    result.name_bytes = limits.name_bytes
    result.namespaces = limits.namespaces
    return result


cdef bytes _as_bytes(object data):
    """The input as bytes that nobody else changes."""
    cdef Py_buffer view
    if type(data) is bytes:
        return <bytes>data
    if isinstance(data, str):
        # A lone surrogate becomes bytes that are not UTF-8, and an error at its place.
        return (<str>data).encode("utf-8", "surrogatepass")
    try:
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    except BufferError:
        return memoryview(data).tobytes()
    except TypeError:
        raise TypeError(f"data must be bytes-like or str, not {type(data).__name__}") from None
    try:
        return PyBytes_FromStringAndSize(<const char *>view.buf, view.len)
    finally:
        PyBuffer_Release(&view)


cdef object _error(const xf_tokenizer *t):
    condition = xf_error_condition(t.error).decode().upper()
    return StreamError(
        StreamCondition[condition],
        xf_error_text(t.error).decode(),
        t.error_offset,
        t.error_line,
        t.error_column,
    )


cdef inline Stanza _stanza(const xf_event *event, StreamStart header):
    cdef Stanza stanza = Stanza.__new__(Stanza)
    stanza.piece = _copy_piece(event)
    stanza.owner = header
    return stanza


_default_limits = Limits()


@cython.final
cdef class StreamParser:
    """Bytes of an XMPP stream in, events out; see `feed`.

    Once the stream is found wrong, every call raises that `StreamError` again.
    """

    cdef xf_tokenizer tokenizer
    cdef const uint8_t *data
    cdef size_t size
    cdef bytes current  # what `data` points into
    cdef object waiting  # a deque of input behind it; None if there is none
    cdef StreamStart header
    cdef object error
    cdef object _limits
    cdef bint drained  # all input is tokenized
    cdef bint closed
    cdef object __weakref__

    def __init__(self, *, limits=_default_limits):
        cdef xf_limits c_limits = _c_limits(limits)
        xf_release(&self.tokenizer)
        xf_init(&self.tokenizer, &c_limits, &_allocator, _kernel)
        self._limits = limits
        self.size = 0
        self.current = self.waiting = self.header = self.error = None
        self.closed = False
        self.drained = True

    def __cinit__(self):
        cdef xf_limits c_limits = _c_limits(_default_limits)
        xf_init(&self.tokenizer, &c_limits, &_allocator, _kernel)

    def __dealloc__(self):
        xf_release(&self.tokenizer)

    @property
    def limits(self):
        """The bounds this parser holds the stream to."""
        return self._limits

    @cython.critical_section
    def feed(self, data):
        """Take more bytes; the iterator tokenizes them as it is read.

        A `StreamError` is raised by the iterator, after everything that was complete before it.
        What an iterator leaves unread, the next one begins with. Raises TypeError for other types
        and ValueError after `close`.
        """
        cdef _Events events
        self.check()
        if self.closed:
            raise ValueError("the parser is closed")
        self.append(_as_bytes(data))
        events = _Events.__new__(_Events)
        events.parser = self
        return events

    @cython.critical_section
    def restart(self):
        """Begin a new stream with the next unread byte (RFC 6120 section 4.3.3).

        White space in front of the new stream's header belongs to the old one. Raises ValueError
        after `close`.
        """
        cdef size_t size
        cdef const uint8_t *unread
        cdef bytes again
        self.check()
        if self.closed:
            raise ValueError("the parser is closed")
        unread = xf_unread(&self.tokenizer, &size)
        if size:
            again = unread[:size] + self.data[: self.size]
            self.current = again
            self.drained = False
            self.data = <const uint8_t *>PyBytes_AS_STRING(again)
            self.size = PyBytes_GET_SIZE(again)
        xf_restart(&self.tokenizer)
        self.header = None

    @cython.critical_section
    def close(self):
        """End of input: drop what is unread; StreamError if it ends inside a stanza or tag."""
        self.check()
        self.size = 0
        self.current = self.waiting = None
        if self.closed:
            return
        self.closed = True
        if xf_finish(&self.tokenizer) == XF_FAILED:
            self.fail()

    cdef int check(self) except -1:
        if self.error is not None:
            raise self.error.with_traceback(None)
        return 0

    cdef int fail(self) except -1:
        self.error = _error(&self.tokenizer)
        self.size = 0
        self.current = self.waiting = None
        raise self.error

    cdef int append(self, bytes data) except -1:
        if PyBytes_GET_SIZE(data) == 0:
            return 0
        self.drained = False
        if self.size or self.waiting is not None:
            if self.waiting is None:
                self.waiting = deque()
            self.waiting.append(data)
        else:
            self.read_from(data)
        return 0

    cdef void read_from(self, bytes data):
        self.current = data
        self.data = <const uint8_t *>PyBytes_AS_STRING(data)
        self.size = PyBytes_GET_SIZE(data)

    cdef bint advance(self):
        """Go on to the input that waits; False if none does."""
        self.current = None
        if self.waiting is None:
            return False
        self.read_from(self.waiting.popleft())
        if not self.waiting:
            self.waiting = None
        return True

    cdef object next_event(self):
        """The next event, or None."""
        cdef xf_event event
        cdef xf_status status
        cdef StreamEnd end
        if self.drained or self.closed:
            return None
        while True:
            status = xf_next(&self.tokenizer, &self.data, &self.size, &event)
            if status == XF_STANZA:
                return _stanza(&event, self.header)
            if status == XF_MORE:
                if not self.advance():
                    self.drained = True
                    return None
            elif status == XF_START:
                self.header = StreamStart.__new__(StreamStart)
                self.header.piece = _copy_piece(&event)
                xf_adopt(&self.tokenizer, self.header.piece)
                return self.header
            elif status == XF_END:
                end = StreamEnd.__new__(StreamEnd)
                end._raw = PyBytes_FromStringAndSize(<const char *>event.bytes, event.length)
                return end
            elif status == XF_NO_MEMORY:
                raise MemoryError
            else:
                self.fail()


@cython.final
@cython.freelist(8)
cdef class _Events:
    """Iterator over a parser's events."""

    cdef StreamParser parser

    def __iter__(self):
        return self

    def __next__(self):
        cdef StreamParser parser = self.parser
        if parser is None:
            raise StopIteration
        with cython.critical_section(parser):
            parser.check()
            event = parser.next_event()
        if event is None:
            raise StopIteration
        return event


def parse(data, *, limits=_default_limits):
    """Read one whole element; an XML declaration may precede it, white space surround it.

    Raises StreamError as a stream would.
    """
    cdef xf_tokenizer tokenizer
    cdef xf_limits c_limits = _c_limits(limits)
    cdef bytes source = _as_bytes(data)
    cdef const uint8_t *at = <const uint8_t *>PyBytes_AS_STRING(source)
    cdef size_t size = PyBytes_GET_SIZE(source)
    cdef xf_event event
    cdef xf_status status
    cdef Stanza stanza = None
    xf_init(&tokenizer, &c_limits, &_allocator, _kernel)
    xf_expect_element(&tokenizer)
    try:
        status = xf_next(&tokenizer, &at, &size, &event)
        if status == XF_STANZA:
            stanza = _stanza(&event, None)
            status = xf_next(&tokenizer, &at, &size, &event)
        if status == XF_MORE:
            status = xf_finish(&tokenizer)
        if status == XF_NO_MEMORY:
            raise MemoryError
        if status == XF_FAILED:
            raise _error(&tokenizer)
        return stanza
    finally:
        xf_release(&tokenizer)


# For readers of tags: what the .pxd offers to other modules. ----------------------------------------


cdef int begin_tags(xf_tokenizer *t, object limits, unsigned passes) except -1:
    cdef xf_limits c_limits = _c_limits(limits)
    xf_init(t, &c_limits, &_allocator, _kernel)
    xf_read_tags(t, passes)
    return 0


cdef xf_status next_event(
    xf_tokenizer *t, const uint8_t **data, size_t *size, xf_event *event
) noexcept:
    return xf_next(t, data, size, event)


cdef void adopt(xf_tokenizer *t, const xf_piece *header) noexcept:
    xf_adopt(t, header)


cdef void take(xf_tokenizer *t, uint32_t hold) noexcept:
    xf_take(t, hold)


cdef uint32_t flags_of(const xf_tokenizer *t) noexcept:
    return xf_flags(t)


cdef xf_status finish(xf_tokenizer *t) noexcept:
    return xf_finish(t)


cdef void release(xf_tokenizer *t) noexcept:
    xf_release(t)


cdef void place_of(
    const xf_tokenizer *t, uint32_t place, uint64_t *line, uint64_t *column
) noexcept:
    xf_place(t, place, line, column)


cdef str error_text(xf_error error):
    return xf_error_text(error).decode()


cdef bytes input_bytes(object data):
    return _as_bytes(data)


cdef xf_piece *copy_piece(const xf_piece *source) except NULL:
    return _copy_piece(source)


cdef void free_piece(const xf_piece *piece) noexcept:
    _free_piece(piece)


cdef str name_text(const uint8_t *text, uint32_t length, bint wide):
    return _cached(text, length, wide)


cdef str piece_text(const xf_piece *piece, const xf_span *source, xf_context context):
    return _text(piece, source[0], context)


cdef str piece_tag(const xf_piece *piece, uint32_t slot):
    return _tag(piece, slot)


cdef xf_span namespace_span(const xf_piece *piece, uint32_t ns) noexcept:
    return xf_namespace(piece, ns)


cdef str piece_namespace(const xf_piece *piece, uint32_t ns):
    return _namespace_name(piece, ns)


cdef str attribute_name(const xf_piece *piece, uint32_t slot, const xf_attribute *a):
    return _attribute_name(piece, slot, a)


cdef str attribute_value(const xf_piece *piece, const xf_attribute *a):
    return _text(piece, _value_span(piece, a), XF_VALUE)


cdef dict attributes_of(const xf_piece *piece, uint32_t slot):
    return _attributes(piece, slot)


cdef uint32_t attribute_namespace(
    const xf_piece *piece, uint32_t slot, const uint8_t *prefix, uint32_t length
) noexcept:
    return xf_attribute_ns(piece, slot, prefix, length)


cdef bint is_simple(const uint8_t *text, uint32_t length) noexcept:
    return _is_simple(text, length)


cdef int32_t declares(const uint8_t *name, uint32_t length) noexcept:
    return xf_declares(name, length)


cdef uint32_t end_of(const xf_piece *piece, uint32_t slot) noexcept:
    return _end(piece, slot)


cdef object new_element(str tag):
    if _make is None:
        _learn_elementtree()
    return _new_element(tag)


cdef int append_child(object parent, object child) except -1:
    _append(parent, child)
    return 0


cdef int set_text(object element, str text) except -1:
    return xf_set(_set_text, element, text)


cdef int set_tail(object element, str tail) except -1:
    return xf_set(_set_tail, element, tail)


cdef int set_attrib(object element, dict attrib) except -1:
    return xf_set(_set_attrib, element, attrib)


cdef object element_tree(const xf_piece *piece, uint32_t slot):
    return _to_etree(piece, slot)


from ._writer import escape, tostring  # noqa: E402  (it needs this module)
