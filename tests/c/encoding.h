/* Included by test_encode.c and test_encode_plain.c, which differ in the encode.h that they get. */
#include "check.h"
#include "encode.h"
#include "guard.h"
#include "tests.h"

#include <stdlib.h>
#include <string.h>

static const xf_stops each_stops[] = {{'&', '&'}, {'\'', '\''}, {'\'', '"'}};

static int stops_here(uint32_t c, xf_stops stops)
{
    return c < 0x20 || c == '&' || c == '<' || c == '>' || c == stops.quote || c == stops.other ||
           (c >= 0xD800 && c <= 0xDFFF) || c == 0xFFFE || c == 0xFFFF;
}

/* UTF-8 as RFC 3629 section 3 draws it. */
static size_t as_utf8(uint32_t c, uint8_t *out)
{
    static const uint32_t ends[] = {0x80, 0x800, 0x10000, 0x110000};
    static const uint8_t marks[] = {0, 0xC0, 0xE0, 0xF0};
    size_t more = 0;
    while (c >= ends[more])
        more++;
    for (size_t i = more; i; i--, c >>= 6)
        out[i] = (uint8_t)(0x80 | (c & 0x3F));
    out[0] = (uint8_t)(marks[more] | c);
    return more + 1;
}

static size_t encode(const void *in, size_t count, int width, int ascii, uint8_t *out,
                     xf_stops stops, size_t *written)
{
    if (ascii)
        return *written = xf_encode_ascii(in, count, out, stops);
    if (width == 1)
        return xf_encode_1(in, count, out, stops, written);
    if (width == 2)
        return xf_encode_2(in, count, out, stops, written);
    return xf_encode_4(in, count, out, stops, written);
}

static void check_encoding(const uint32_t *text, size_t count, int width, int ascii)
{
    uint8_t bytes[4 * 100], expected[4 * 100];
    size_t widest = ascii ? 1 : width == 4 ? 4 : (size_t)width + 1;
    for (size_t i = 0; i < count; i++) {
        uint8_t narrow = (uint8_t)text[i];
        uint16_t middle = (uint16_t)text[i];
        const void *from = width == 1 ? (void *)&narrow : width == 2 ? (void *)&middle : &text[i];
        memcpy(bytes + i * (size_t)width, from, (size_t)width);
    }
    const uint8_t *source = guarded(bytes, count * (size_t)width);
    for (size_t s = 0; s < sizeof each_stops / sizeof each_stops[0]; s++) {
        /* No more room than is promised to be enough. */
        uint8_t *out = malloc(widest * count + !count);
        size_t plain = 0, length = 0, written;
        if (!out)
            abort();
        while (plain < count && !stops_here(text[plain], each_stops[s]))
            length += as_utf8(text[plain++], expected + length);
        size_t run = encode(source, count, width, ascii, out, each_stops[s], &written);
        CHECK(run == plain, "%zu of %zu characters of %d bytes, not %zu", run, count, width, plain);
        CHECK(written == length && memcmp(out, expected, length) == 0,
              "%zu of %zu characters of %d bytes: other UTF-8", run, count, width);
        free(out);
    }
}

static const uint32_t edges[] = {
    0, 9, 0xD, 0x1F, 0x20, '!', '"', '#', '%', '&', '\'', '(',
    ';', '<', '=', '>', '?', 0x7F, 0x80, 0xA6, 0xFF, 0x100, 0x126, 0x7FF,
    0x800, 0x2026, 0x3C00, 0x7FFF, 0x8000, 0xD7FF, 0xD800, 0xDFFF, 0xE000, 0xFFFD, 0xFFFE, 0xFFFF,
    0x10000, 0x1FFFE, 0x10D800, 0x10FFFF,
};
enum { EDGES = sizeof edges / sizeof edges[0] };
static const uint32_t most[] = {0, 0xFF, 0xFFFF, 0, 0x10FFFF};

static void test_each_place(void)
{
    uint32_t text[64];
    for (int width = 1; width <= 4; width *= 2)
        for (size_t e = 0; e < EDGES && edges[e] <= most[width]; e++)
            for (size_t count = 1; count <= 36; count++)
                for (size_t place = 0; place < count; place++) {
                    for (size_t i = 0; i < count; i++)
                        text[i] = 'a' + i % 26;
                    text[place] = edges[e];
                    check_encoding(text, count, width, 0);
                    if (width == 1 && edges[e] < 0x80)
                        check_encoding(text, count, 1, 1);
                }
}

static void test_mixed(void)
{
    generator g = {.state = 7};
    uint32_t text[100];
    for (unsigned round = rounds(20000); round; round--) {
        int width = 1 << draw(&g, 3);
        size_t count = draw(&g, 100);
        uint32_t others = 1 + draw(&g, 12); /* one in so many is not a letter */
        for (size_t i = 0; i < count; i++) {
            uint32_t edge = edges[4 + draw(&g, EDGES - 4)];
            text[i] = draw(&g, others) || edge > most[width] ? 'a' + draw(&g, 26) : edge;
        }
        check_encoding(text, count, width, 0);
    }
}
