# The memory of stanzas and of the tokenizer.

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


cdef bint _same_piece(const xf_piece *one, const xf_piece *other) noexcept:
    return (
        one.length == other.length
        and one.slots == other.slots
        and one.base == other.base
        and one.flags == other.flags
        and memcmp(one.bytes, other.bytes, one.length) == 0
        and memcmp(one.tape, other.tape, one.slots * sizeof(xf_slot)) == 0
    )


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
