/* The kernel for every processor. */
#include "scan.h"

/* What index() asks of a byte: bit 0 for one that is indexed, and the bits of `seen`. */
#define MARK 1
#define SPACE XF_CONTROL
#define BAD XF_FORBIDDEN
#define WIDE XF_WIDE
#define WIDE16 WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE
#define BAD8 BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD
static const uint8_t marks[256] = {
    BAD8, BAD, SPACE, SPACE, BAD, BAD, SPACE, BAD, BAD, BAD8, BAD8,
    ['"'] = MARK, ['&'] = MARK, ['\''] = MARK, [';'] = MARK, ['<'] = MARK, ['>'] = MARK,
    [0x80] = WIDE16, WIDE16, WIDE16, WIDE16, WIDE16, WIDE16, WIDE16, WIDE16,
};

static uint32_t index_slice(const uint8_t *source, uint32_t size, uint8_t *buffer, uint32_t at,
                            uint32_t *index, uint32_t *seen)
{
    uint32_t *out = index, all = 0;
    memcpy(buffer + at, source, size);
    for (uint32_t i = 0; i < size; i++) {
        uint32_t mark = marks[source[i]];
        all |= mark;
        *out = at + i;
        out += mark & MARK;
    }
    *seen |= all & ~(uint32_t)MARK;
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
