/* The kernels' share of text.h. A kernel may define XF_SPECIALS_1 and XF_SPECIALS_2: the mask of the
 * special ones among the XF_WINDOW one-byte or two-byte characters at a place. */

/* What is special below 64, which is all but what XML doesn't allow. */
static const uint8_t specials[64] = {
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    ['"'] = 1, ['&'] = 1, ['\''] = 1, ['<'] = 1, ['>'] = 1,
};

XF_INLINE int is_special(uint32_t c)
{
    return c < 64 ? specials[c] : c - 0xD800 < 0x800 || (c | 1) == 0xFFFF;
}

static size_t plain_run_1(const uint8_t *p, size_t count)
{
    size_t at = 0;
#ifdef XF_SPECIALS_1
    for (; count - at >= XF_WINDOW; at += XF_WINDOW) {
        uint32_t mask = XF_SPECIALS_1(p + at);
        if (mask)
            return at + xf_lowest(mask);
    }
#endif
    while (at < count && !is_special(p[at]))
        at++;
    return at;
}

static size_t plain_run_2(const uint16_t *p, size_t count)
{
    size_t at = 0;
#ifdef XF_SPECIALS_2
    for (; count - at >= XF_WINDOW; at += XF_WINDOW) {
        uint32_t mask = XF_SPECIALS_2(p + at);
        if (mask)
            return at + xf_lowest(mask);
    }
#endif
    while (at < count && !is_special(p[at]))
        at++;
    return at;
}

static size_t plain_run_4(const uint32_t *p, size_t count)
{
    size_t at = 0;
    while (at < count && !is_special(p[at]))
        at++;
    return at;
}

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
