#include "check.h"
#include "guard.h"
#include "names.h"
#include "tests.h"
#include "utf8.h"

#include <string.h>

/* One character by the book (RFC 3629 section 3): decode, then look at what came out. */
static int model_character(const uint8_t *b, uint32_t left, uint32_t *length)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    uint32_t follow, c;
    *length = 1;
    if (b[0] < 0x80) {
        c = b[0];
        follow = 0;
    } else if ((b[0] & 0xE0) == 0xC0) {
        c = b[0] & 0x1F;
        follow = 1;
    } else if ((b[0] & 0xF0) == 0xE0) {
        c = b[0] & 0x0F;
        follow = 2;
    } else if ((b[0] & 0xF8) == 0xF0) {
        c = b[0] & 0x07;
        follow = 3;
    } else {
        return XF_UTF8_BAD;
    }
    for (uint32_t i = 1; i <= follow; i++) {
        /* What can be told without the rest: whether any rest makes a code point of it. */
        uint32_t low = c << 6 * (follow - i + 1), high = low + (1u << 6 * (follow - i + 1)) - 1;
        if (high < least[follow] || low > 0x10FFFF || (low >= 0xD800 && high <= 0xDFFF))
            return XF_UTF8_BAD;
        if (i == left)
            return XF_UTF8_CUT;
        if ((b[i] & 0xC0) != 0x80)
            return XF_UTF8_BAD;
        c = c << 6 | (b[i] & 0x3F);
    }
    *length = 1 + follow;
    if (c < least[follow] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return XF_UTF8_BAD;
    if (c == 0xFFFE || c == 0xFFFF || (c < 0x20 && c != '\t' && c != '\n' && c != '\r'))
        return XF_UTF8_NO_CHAR;
    return XF_UTF8_GOOD;
}

static int model(const uint8_t *bytes, uint32_t at, uint32_t end, uint32_t *place)
{
    uint32_t length;
    for (; at < end; at += length) {
        int result = model_character(bytes + at, end - at, &length);
        if (result != XF_UTF8_GOOD) {
            *place = at;
            return result;
        }
    }
    *place = end;
    return XF_UTF8_GOOD;
}

/* Compares over one sequence between other characters. */
static void check_sequence(const uint8_t *sequence, uint32_t length, uint32_t offset,
                           const char *behind)
{
    uint8_t bytes[64];
    uint32_t place = 0, expected_place = 0, end;
    memset(bytes, 'x', offset);
    memcpy(bytes + offset, sequence, length);
    end = offset + length + (uint32_t)strlen(behind);
    memcpy(bytes + offset + length, behind, strlen(behind));
    int expected = model(bytes, 0, end, &expected_place);
    int result = xf_utf8_check(bytes, 0, end, &place);
    CHECK(result == expected && place == expected_place,
          "%02x %02x %02x %02x at %u: %d at %u instead of %d at %u", sequence[0],
          length > 1 ? sequence[1] : 0, length > 2 ? sequence[2] : 0, length > 3 ? sequence[3] : 0,
          offset, result, place, expected, expected_place);
}

static void test_short_sequences(void)
{
    static const uint32_t offsets[] = {0, 5, 7, 15};
    for (uint32_t n = 0; n < 1u << 24; n++) {
        uint8_t sequence[3] = {(uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
        /* All of three bytes from 0x80 on; below, what follows is a sequence of its own. */
        if (sequence[0] < 0x80 && n & 0xFFFF)
            continue;
        if (rounds(256) < 256 && sequence[2] & 0x3E)
            continue;
        check_sequence(sequence, 3, 0, "");
        if ((n & 0xFF) == 0)
            for (unsigned i = 0; i < 4; i++) {
                check_sequence(sequence, 1, offsets[i], "");
                check_sequence(sequence, 2, offsets[i], "");
                check_sequence(sequence, 2, offsets[i], "yyyyyyyyyyyyyyyy");
            }
    }
}

static void test_long_sequences(void)
{
    static const uint8_t edges[] = {0x00, 0x7F, 0x80, 0x81, 0x8F, 0x90, 0x9F,
                                    0xA0, 0xBE, 0xBF, 0xC0, 0xC2, 0xFF};
    enum { EDGES = sizeof edges };
    for (unsigned first = 0xC0; first < 0x100; first++)
        for (unsigned n = 0; n < EDGES * EDGES * EDGES; n++) {
            uint8_t sequence[4] = {(uint8_t)first, edges[n / EDGES / EDGES],
                                   edges[n / EDGES % EDGES], edges[n % EDGES]};
            for (uint32_t offset = 0; offset < 9; offset += 4) {
                check_sequence(sequence, 4, offset, "");
                check_sequence(sequence, 4, offset, "\xC3\xA9zzzzzzzzzzzzzzzz");
            }
        }
}

/* Random mixes in front of a guard page, checked in one go and in two. */
static void test_runs(void)
{
    static const char *const parts[] = {
        "a", "abcdefgh", "abcdefghijklmnopqrstuvwxyz0123456789", "\n", "\xC3\xA9", "\xE6\x97\xA5",
        "\xF0\x9F\x98\x80", "\xEF\xBF\xBD", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF"};
    static const uint8_t faults[] = {0x00, 0x01, 0x1F, 0x80, 0xBF, 0xC0, 0xC3,
                                     0xE2, 0xED, 0xEF, 0xF0, 0xF4, 0xFF};
    generator g = {.state = 3};
    for (unsigned round = rounds(100000); round; round--) {
        uint8_t bytes[400];
        uint32_t length = 0, place = 0, expected_place = 0;
        for (unsigned n = draw(&g, 12); n; n--) {
            const char *part = parts[draw(&g, sizeof parts / sizeof parts[0])];
            memcpy(bytes + length, part, strlen(part));
            length += (uint32_t)strlen(part);
        }
        if (length && draw(&g, 2))
            bytes[draw(&g, length)] = faults[draw(&g, sizeof faults)];
        if (length && draw(&g, 4) == 0)
            length -= draw(&g, length < 4 ? length : 4);
        const uint8_t *source = guarded(bytes, length);
        int expected = model(source, 0, length, &expected_place);
        int result = xf_utf8_check(source, 0, length, &place);
        CHECK(result == expected && place == expected_place, "%u bytes: %d at %u, not %d at %u",
              length, result, place, expected, expected_place);
        uint32_t cut = draw(&g, length + 1), behind;
        int first = xf_utf8_check(source, 0, cut, &behind);
        CHECK(first == (model(source, 0, cut, &expected_place)) && behind == expected_place,
              "the first %u of %u bytes", cut, length);
        if (first != XF_UTF8_BAD && first != XF_UTF8_NO_CHAR)
            CHECK(xf_utf8_check(source, behind, length, &place) == expected, "in two goes");
    }
}

static uint32_t encode(uint32_t c, uint8_t *out)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    uint32_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (uint32_t i = length - 1; i; i--, c >>= 6)
        out[i] = (uint8_t)(0x80 | (c & 0x3F));
    out[0] = (uint8_t)(0xF00 >> length | c);
    return length;
}

/* The classes are consistent: what can begin a name can go on in one, nothing cut off is part of
 * one, and a name in one call is a name in any context. (tests/xml/test_names.py holds the classes
 * themselves against expat.) */
static void test_names(void)
{
    unsigned starts = 0, others = 0;
    for (uint32_t c = 1; c < 0x110000; c++) {
        uint8_t bytes[16] = "aaaa";
        if (c >= 0xD800 && c <= 0xDFFF)
            continue;
        uint32_t length = encode(c, bytes + 4);
        memcpy(bytes + 4 + length, "b=", 2);
        uint32_t first = xf_name_end(bytes, 4, 4 + length + 2);
        uint32_t later = xf_name_end(bytes, 0, 4 + length + 2);
        CHECK(first == 4 || first == 4 + length + 1, "U+%04X begins a name of %u", c, first);
        CHECK(later == 4 || later == 4 + length + 1, "U+%04X in a name of %u", c, later);
        CHECK(first == 4 || later != 4, "U+%04X begins names and isn't in them", c);
        starts += first != 4;
        others += later != 4 && first == 4;
        for (uint32_t cut = 1; cut < length; cut++)
            CHECK(xf_name_end(bytes, 0, 4 + cut) == 4, "U+%04X is read when cut off", c);
        memcpy(bytes, "aaa:", 4);
        int32_t prefix = xf_prefix_length(bytes, 4 + length + 1);
        CHECK((prefix == 3) == (first != 4 && c != ':'), "U+%04X behind a colon: %d", c, prefix);
    }
    CHECK(starts > 30000 && others > 500, "%u and %u characters", starts, others);
}

void test_utf8(void)
{
    run("UTF-8: all sequences of up to three bytes", test_short_sequences);
    run("UTF-8: sequences of four bytes", test_long_sequences);
    run("UTF-8: runs of characters", test_runs);
    run("names", test_names);
}
