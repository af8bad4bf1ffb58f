/* The kernels' share of text.h. A kernel may define XF_SPECIALS_1, or that and XF_SPECIALS_2 and _4:
 * a mask in which the lowest bit that is set tells the first special one among the XF_WINDOW
 * characters of one, two or four bytes at a place. */

/* What is special below 64, which is all but what XML doesn't allow. */
static const uint8_t specials[64] = {
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    ['"'] = 1, ['&'] = 1, ['\''] = 1, ['<'] = 1, ['>'] = 1,
};

XF_INLINE int is_special(uint32_t c)
{
    return c < 64 ? specials[c] : c - 0xD800 < 0x800 || (c | 1) == 0xFFFF;
}

/* By windows where there are masks, then one character after the other. */
#define XF_PLAIN_RUN(name, type, specials)                                                         \
    static size_t name(const type *p, size_t count)                                                \
    {                                                                                              \
        size_t at = 0;                                                                             \
        for (; count - at >= XF_WINDOW; at += XF_WINDOW) {                                         \
            uint32_t mask = specials(p + at);                                                      \
            if (mask)                                                                              \
                return at + xf_lowest(mask);                                                       \
        }                                                                                          \
        while (at < count && !is_special(p[at]))                                                   \
            at++;                                                                                  \
        return at;                                                                                 \
    }

/* The mask of a window, where the kernel has no faster way. */
#define XF_SLOW_SPECIALS(name, type)                                                               \
    XF_INLINE uint32_t name(const type *p)                                                         \
    {                                                                                              \
        for (unsigned i = 0; i < XF_WINDOW; i++)                                                   \
            if (is_special(p[i]))                                                                  \
                return (uint32_t)1 << i;                                                           \
        return 0;                                                                                  \
    }

#ifndef XF_SPECIALS_1
XF_SLOW_SPECIALS(specials_1, uint8_t)
#define XF_SPECIALS_1 specials_1
#endif
#ifndef XF_SPECIALS_2
XF_SLOW_SPECIALS(specials_2, uint16_t)
XF_SLOW_SPECIALS(specials_4, uint32_t)
#define XF_SPECIALS_2 specials_2
#define XF_SPECIALS_4 specials_4
#endif

XF_PLAIN_RUN(plain_run_1, uint8_t, XF_SPECIALS_1)
XF_PLAIN_RUN(plain_run_2, uint16_t, XF_SPECIALS_2)
XF_PLAIN_RUN(plain_run_4, uint32_t, XF_SPECIALS_4)

static size_t plain_run(const void *characters, size_t count, int width)
{
    switch (width) {
    case 1:
        return plain_run_1(characters, count);
    case 2:
        return plain_run_2(characters, count);
    default:
        return plain_run_4(characters, count);
    }
}
