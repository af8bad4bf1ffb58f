#include "utf8.h"

/* RFC 3629 section 4: by the first byte, how many follow, and the range of the second. */
typedef struct {
    uint8_t first, last, follow, low, high;
} lead;

static const lead leads[] = {
    {0xC2, 0xDF, 1, 0x80, 0xBF}, {0xE0, 0xE0, 2, 0xA0, 0xBF}, {0xE1, 0xEC, 2, 0x80, 0xBF},
    {0xED, 0xED, 2, 0x80, 0x9F}, {0xEE, 0xEF, 2, 0x80, 0xBF}, {0xF0, 0xF0, 3, 0x90, 0xBF},
    {0xF1, 0xF3, 3, 0x80, 0xBF}, {0xF4, 0xF4, 3, 0x80, 0x8F},
};

static const lead *find_lead(uint8_t byte)
{
    for (unsigned i = 0; i < sizeof leads / sizeof leads[0]; i++)
        if (byte >= leads[i].first && byte <= leads[i].last)
            return &leads[i];
    return 0;
}

/* Whether 64 bytes are all ASCII without control characters. Compilers make vector code of this. */
static int is_plain(const uint8_t *bytes)
{
    uint8_t odd = 0;
    for (unsigned i = 0; i < 64; i++)
        odd |= (uint8_t)((bytes[i] & 0x80) | (bytes[i] < 0x20));
    return !odd;
}

/* Reads the character at `at`, which is not ASCII: XF_UTF8_GOOD with its length, or what is
 * wrong. */
static int read_wide(const uint8_t *bytes, uint32_t at, uint32_t end, uint32_t *length)
{
    const lead *l = find_lead(bytes[at]);
    if (!l)
        return XF_UTF8_BAD;
    uint8_t low = l->low, high = l->high;
    for (uint32_t i = 1; i <= l->follow; i++) {
        if (at + i == end)
            return XF_UTF8_CUT;
        if (bytes[at + i] < low || bytes[at + i] > high)
            return XF_UTF8_BAD;
        low = 0x80;
        high = 0xBF;
    }
    /* U+FFFE and U+FFFF are EF BF BE and EF BF BF. */
    if (bytes[at] == 0xEF && bytes[at + 1] == 0xBF && bytes[at + 2] >= 0xBE)
        return XF_UTF8_NO_CHAR;
    *length = l->follow + 1u;
    return XF_UTF8_GOOD;
}

static int is_forbidden(uint8_t byte)
{
    return byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r';
}

int xf_utf8_check(const uint8_t *bytes, uint32_t at, uint32_t end, uint32_t *place)
{
    while (at < end) {
        uint32_t block_end = end;
        if (end - at >= 64) {
            if (is_plain(bytes + at)) {
                at += 64;
                continue;
            }
            block_end = at + 64;
        }
        while (at < block_end) {
            uint8_t byte = bytes[at];
            uint32_t length = 1;
            int result = XF_UTF8_GOOD;
            if (byte >= 0xC2 && byte <= 0xDF && end - at >= 2 && (bytes[at + 1] & 0xC0) == 0x80)
                length = 2; /* the most frequent ones, without a look into the table */
            else if (byte >= 0x80)
                result = read_wide(bytes, at, end, &length);
            else if (is_forbidden(byte))
                result = XF_UTF8_NO_CHAR;
            if (result != XF_UTF8_GOOD) {
                *place = at;
                return result;
            }
            at += length;
        }
    }
    *place = end;
    return XF_UTF8_GOOD;
}
