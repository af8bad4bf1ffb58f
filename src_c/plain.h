/* The kernels' share of text.h. A kernel may define XF_SPECIALS_1, or that and XF_SPECIALS_2 and
 * _4: a mask in which the lowest bit that is set tells the first special one among the XF_WINDOW
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

/* Whether one of eight characters of one byte is special. In each term, the lowest byte with its
 * top bit set is one that is below 0x20, is & or ', is < or >, is ". */
XF_INLINE int any_special(uint64_t x)
{
    const uint64_t ones = 0x0101010101010101u, tops = ones << 7;
    uint64_t quotes = (x | ones) ^ ones * 0x27, angles = (x | ones << 1) ^ ones * 0x3E;
    uint64_t double_quotes = x ^ ones * 0x22;
    uint64_t found = ((x - ones * 0x20) & ~x) | ((quotes - ones) & ~quotes) |
                     ((angles - ones) & ~angles) | ((double_quotes - ones) & ~double_quotes);
    return (found & tops) != 0;
}

/* How far a run goes by words without a special character. */
XF_INLINE size_t plain_words(const uint8_t *p, size_t count, size_t at)
{
    for (; count - at >= 8; at += 8)
        if (any_special(xf_load64(p + at)))
            return at;
    /* The last eight again, some of which have been looked at. */
    return count >= 8 && !any_special(xf_load64(p + count - 8)) ? count : at;
}

/* By windows where there are masks, then by words, then one character after the other. */
#define XF_PLAIN_RUN(name, type, specials, words)                                                  \
    static size_t name(const type *p, size_t count)                                                \
    {                                                                                              \
        size_t at = 0;                                                                             \
        for (; count - at >= XF_WINDOW; at += XF_WINDOW) {                                         \
            uint32_t mask = specials(p + at);                                                      \
            if (mask)                                                                              \
                return at + xf_lowest(mask);                                                       \
        }                                                                                          \
        at = words(p, count, at);                                                                  \
        while (at < count && !is_special(p[at]))                                                   \
            at++;                                                                                  \
        return at;                                                                                 \
    }

#define XF_NO_WORDS(p, count, at) (at)

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

XF_PLAIN_RUN(plain_run_1, uint8_t, XF_SPECIALS_1, plain_words)
XF_PLAIN_RUN(plain_run_2, uint16_t, XF_SPECIALS_2, XF_NO_WORDS)
XF_PLAIN_RUN(plain_run_4, uint32_t, XF_SPECIALS_4, XF_NO_WORDS)

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
