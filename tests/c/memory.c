#include "memory.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD = 16 }; /* in front of every block stands its size; keeps the alignment of malloc */

static size_t size_of(const uint8_t *block)
{
    size_t size = 0;
    if (block)
        memcpy(&size, block - HEAD, sizeof size);
    return size;
}

static void *resize(void *context, void *block, size_t bytes)
{
    memory *m = context;
    size_t before = size_of(block);
    uint8_t *moved = 0;
    if (bytes) {
        m->calls++;
        if (m->calls == m->fail_at || (m->fail_odd && m->calls & 1))
            return 0;
        moved = malloc(HEAD + bytes);
        if (!moved)
            abort();
        memcpy(moved, &bytes, sizeof bytes);
        moved += HEAD;
        memset(moved, 0xA5, bytes);
        if (block)
            memcpy(moved, block, before < bytes ? before : bytes);
        m->live += bytes;
        if (m->live > m->peak)
            m->peak = m->live;
    }
    if (block)
        free((uint8_t *)block - HEAD);
    m->live -= before;
    return moved;
}

xf_allocator counting_allocator(memory *m)
{
    xf_allocator allocator = {resize, m};
    return allocator;
}
