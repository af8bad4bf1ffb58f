# Strings from bytes; short ones that come again and again are made once.

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
