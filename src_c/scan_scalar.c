/* The kernel for every processor. */
#include "scan.h"

/* What index() asks of a byte. */
#define MARK 1
#define SPACE 2
#define BAD 4
#define WIDE 8
#define WIDE4 WIDE, WIDE, WIDE, WIDE
#define WIDE16 WIDE4, WIDE4, WIDE4, WIDE4
#define BAD8 BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD
static const uint8_t marks[256] = {
    BAD8, BAD, SPACE, SPACE, BAD, BAD, SPACE, BAD, BAD, BAD8, BAD8,
    ['"'] = MARK, ['&'] = MARK, ['\''] = MARK, [';'] = MARK, ['<'] = MARK, ['>'] = MARK,
    [0x80] = WIDE16, WIDE16, WIDE16, WIDE16, WIDE16, WIDE16, WIDE16, WIDE16,
};

static uint32_t index_slice(const uint8_t *source, uint32_t size, uint8_t *buffer, uint32_t at,
                            uint32_t *index, xf_seen *seen)
{
    uint32_t *out = index, block = 0, i = 0;
    memcpy(buffer + at, source, size);
    for (; i < size; block++) {
        uint32_t all = 0, end = size - i < XF_BLOCK ? size : i + XF_BLOCK;
        for (; i < end; i++) {
            uint32_t mark = marks[source[i]];
            all |= mark;
            *out = at + i;
            out += mark & MARK;
        }
        seen->wide.bits[block / 64] |= (uint64_t)((all & WIDE) != 0) << block % 64;
        seen->control.bits[block / 64] |= (uint64_t)((all & (SPACE | BAD)) != 0) << block % 64;
        seen->forbidden |= all & BAD;
    }
    return (uint32_t)(out - index);
}

#define XF_WINDOW 16

XF_INLINE void look(const uint8_t *p, uint64_t *space, uint64_t *plain)
{
    uint32_t i = 0, names;
    while (i < XF_WINDOW && p[i] <= ' ')
        i++;
    *space = ((uint64_t)1 << i) - 1;
    names = i;
    while (i < XF_WINDOW && xf_classes[p[i]] & XF_NAME_CHAR && p[i] != ':')
        i++;
    *plain = (((uint64_t)1 << i) - 1) & ~(((uint64_t)1 << names) - 1);
}

#define XF_LOOK look
#define XF_SAME(p, q, length) (memcmp(p, q, length) == 0)
#define XF_KEY xf_name_key
#include "walk.h"
#include "plain.h"

static int usable(void)
{
    return 1;
}

const xf_kernel xf_scalar = {"scalar", usable, index_slice, walk, plain_run};
