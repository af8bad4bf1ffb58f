/* The kernels' share of text.h: plain loops that the compiler turns into vector code for the
 * instruction set of the file that includes them. */

#define XF_IS_SPECIAL(c, beyond)                                                                   \
    (((c) < 0x20) | ((c) == '&') | ((c) == '<') | ((c) == '>') | ((c) == '"') | ((c) == '\'') |    \
     (beyond))

/* The same for one character after the other; what is below 64, where all of them are. */
static const uint8_t specials[64] = {
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    ['"'] = 1, ['&'] = 1, ['\''] = 1, ['<'] = 1, ['>'] = 1,
};

#define XF_PLAIN_RUN(type, beyond)                                                                 \
    {                                                                                              \
        enum { BLOCK = 128 / sizeof(type) };                                                       \
        const type *p = characters;                                                                \
        size_t at = 0;                                                                             \
        for (; count - at >= BLOCK; at += BLOCK) {                                                 \
            type found = 0;                                                                        \
            for (unsigned i = 0; i < BLOCK; i++) {                                                 \
                type c = p[at + i];                                                                \
                found |= (type)XF_IS_SPECIAL(c, beyond);                                           \
            }                                                                                      \
            if (found)                                                                             \
                break;                                                                             \
        }                                                                                          \
        for (; at < count; at++) {                                                                 \
            type c = p[at];                                                                        \
            if (c < 64 ? specials[c] : (beyond))                                                   \
                break;                                                                             \
        }                                                                                          \
        return at;                                                                                 \
    }

static size_t plain_run(const void *characters, size_t count, int width)
{
    if (width == 1)
        XF_PLAIN_RUN(uint8_t, 0)
    if (width == 2)
        XF_PLAIN_RUN(uint16_t, (c >= 0xFFFE) | ((c & 0xF800) == 0xD800))
    XF_PLAIN_RUN(uint32_t, (c == 0xFFFE) | (c == 0xFFFF) | ((c & 0xFFFFF800u) == 0xD800))
}

#undef XF_PLAIN_RUN
