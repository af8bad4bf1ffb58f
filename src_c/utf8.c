#include "utf8.h"

#include <string.h>

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

int xf_utf8_check(const uint8_t *bytes, uint32_t at, uint32_t end, uint32_t *place)
{
    while (at < end) {
        uint64_t eight;
        if (end - at >= 8) {
            memcpy(&eight, bytes + at, 8);
            /* A byte below 0x20 borrows in the subtraction; the first test is exact enough to
             * skip plain ASCII, everything else is looked at byte by byte. */
            if (!((eight | (eight - 0x2020202020202020u)) & 0x8080808080808080u)) {
                at += 8;
                continue;
            }
        }
        uint8_t byte = bytes[at];
        if (byte < 0x80) {
            if (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') {
                *place = at;
                return XF_UTF8_NO_CHAR;
            }
            at++;
            continue;
        }
        /* The common lengths without a search; their exceptions are the table's. */
        if (byte >= 0xC2 && byte <= 0xDF && end - at >= 2 && (bytes[at + 1] & 0xC0) == 0x80) {
            at += 2;
            continue;
        }
        if (byte > 0xE0 && byte < 0xED && end - at >= 3 && (bytes[at + 1] & 0xC0) == 0x80 &&
            (bytes[at + 2] & 0xC0) == 0x80) {
            at += 3;
            continue;
        }
        *place = at;
        const lead *l = find_lead(byte);
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
        if (byte == 0xEF && bytes[at + 1] == 0xBF && bytes[at + 2] >= 0xBE)
            return XF_UTF8_NO_CHAR;
        at += l->follow + 1u;
    }
    *place = end;
    return XF_UTF8_GOOD;
}
