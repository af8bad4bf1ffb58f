#include "check.h"
#include "decode.h"
#include "forwarding.h"
#include "guard.h"
#include "scan.h"
#include "tests.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Decoding. -------------------------------------------------------------------------------- */

typedef struct {
    const char *source, *text, *value;
} decoding;

static const decoding decodings[] = {
    {"", "", ""},
    {"plain \xC3\xA9", "plain \xC3\xA9", "plain \xC3\xA9"},
    {"&lt;&gt;&amp;&apos;&quot;", "<>&'\"", "<>&'\""},
    {"&#65;&#x41;&#x6a;&#x6A;&#0000065;", "AAjjA", "AAjjA"},
    {"&#xE9;&#x20AC;&#x1F600;&#1114111;", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF",
     "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF"},
    {"1\r\n2\r3\n4\t5\r", "1\n2\n3\n4\t5\n", "1 2 3 4 5 "},
    {"\r\r\n\n\r", "\n\n\n\n", "    "},
    {"&#13;\n&#10;\r&#9;", "\r\n\n\n\t", "\r \n \t"},
    {"&amp;lt;&#38;lt;", "&lt;&lt;", "&lt;&lt;"},
};

/* These occur in text alone. */
static const decoding sections[] = {
    {"<![CDATA[]]>", "", 0},
    {"a<![CDATA[<b>&amp;]]>c", "a<b>&amp;c", 0},
    {"<![CDATA[]]]]><![CDATA[>]]>", "]]>", 0},
    {"<![CDATA[]]]]]>", "]]]", 0},
    {"<![CDATA[1\r\n2\r]]>\n", "1\n2\n\n", 0},
    {"]]<![CDATA[<![CDATA[]]>", "]]<![CDATA[", 0},
};

static void check_decoding(const char *source, xf_context context, const char *expected)
{
    size_t size = strlen(source);
    xf_span span = {guarded((const uint8_t *)source, size), (uint32_t)size};
    uint8_t *out = malloc(size ? size : 1);
    if (!out)
        abort();
    uint32_t length = xf_decode(span, context, out);
    CHECK(length == strlen(expected) && memcmp(out, expected, length) == 0, "%s: %.*s", source,
          (int)length, (const char *)out);
    free(out);
}

static void test_decoding(void)
{
    for (size_t i = 0; i < sizeof decodings / sizeof decodings[0]; i++) {
        check_decoding(decodings[i].source, XF_TEXT, decodings[i].text);
        check_decoding(decodings[i].source, XF_VALUE, decodings[i].value);
    }
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++)
        check_decoding(sections[i].source, XF_TEXT, sections[i].text);
}

/* Any two of the pieces next to each other mean what they mean alone, but for a line end in two. */
static void test_decoding_pairs(void)
{
    enum { COUNT = sizeof decodings / sizeof decodings[0] };
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j < COUNT; j++) {
            const decoding *a = &decodings[i], *b = &decodings[j];
            char source[200], expected[200];
            size_t length = strlen(a->source);
            if (length && a->source[length - 1] == '\r' && b->source[0] == '\n')
                continue;
            strcat(strcpy(source, a->source), b->source);
            strcat(strcpy(expected, a->text), b->text);
            check_decoding(source, XF_TEXT, expected);
            strcat(strcpy(expected, a->value), b->value);
            check_decoding(source, XF_VALUE, expected);
        }
}

/* Every number, decimal and hexadecimal, is a character (XML 1.0, production 2) or refused. */
static void test_references(void)
{
    for (uint32_t c = 0; c < 0x110100; c++) {
        int allowed = c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c < 0xD800) ||
                      (c >= 0xE000 && c < 0xFFFE) || (c >= 0x10000 && c < 0x110000);
        for (unsigned base = 0; base < 3; base++) {
            static const char *const formats[] = {"&#%u;", "&#x%X;", "&#x00%x;"};
            char text[24];
            uint32_t behind = 0, length = (uint32_t)snprintf(text, sizeof text, formats[base], c);
            const uint8_t *source = guarded((const uint8_t *)text, length);
            int result = xf_read_reference(source, 0, length, &behind);
            CHECK(result == (allowed ? 0 : XF_E_REFERENCE_CHAR), "%s: %d", text, result);
            CHECK(!allowed || behind == length, "%s ends at %u", text, behind);
            CHECK(xf_read_reference(source, 0, length - 1, &behind) == -1, "%s without end", text);
        }
    }
}

static void test_same_values(void)
{
    static const char *const values[] = {"urn:a", "urn:b", "urn:", "", "urn:&lt;", "\xC3\xA9"};
    static const char *const twins[] = {"u&#114;n:&#97;", "urn&#x3A;b", "urn:", "", "urn:&#60;",
                                        "&#233;"};
    for (unsigned i = 0; i < 6; i++)
        for (unsigned j = 0; j < 6; j++) {
            xf_span a = {(const uint8_t *)values[i], (uint32_t)strlen(values[i])};
            xf_span b = {(const uint8_t *)twins[j], (uint32_t)strlen(twins[j])};
            CHECK(xf_same_value(a, b) == (i == j), "%s and %s", values[i], twins[j]);
            CHECK(xf_same_value(b, a) == (i == j), "%s and %s", twins[j], values[i]);
            CHECK(i != j || xf_value_hash(a, 1) == xf_value_hash(b, 1), "hash of %s", values[i]);
        }
}

/* Text on its way out. --------------------------------------------------------------------- */

static int is_special(uint32_t c)
{
    return c < 0x20 || (c < 0x80 && strchr("&<>'\"", (int)c)) || (c >= 0xD800 && c <= 0xDFFF) ||
           c == 0xFFFE || c == 0xFFFF;
}

static void check_run(const uint32_t *text, size_t count, int width, size_t expected)
{
    uint8_t bytes[4 * 400];
    const xf_kernel *kernel;
    for (size_t i = 0; i < count; i++) {
        uint8_t narrow = (uint8_t)text[i];
        uint16_t middle = (uint16_t)text[i];
        const void *from = width == 1 ? (void *)&narrow : width == 2 ? (void *)&middle : &text[i];
        memcpy(bytes + i * (size_t)width, from, (size_t)width);
    }
    const uint8_t *source = guarded(bytes, count * (size_t)width);
    for (unsigned k = 0; (kernel = xf_usable_kernel(k)); k++) {
        size_t run = xf_plain_run(kernel, source, count, width);
        CHECK(run == expected, "%s: %zu of %zu characters of %d bytes, not %zu", kernel->name, run,
              count, width, expected);
    }
}

static void test_plain_runs(void)
{
    static const uint32_t edges[] = {0,      9,      0x1F,   0x20,   '!',    '"',    '#',
                                     '%',    '&',    '\'',   '(',    ';',    '<',    '=',
                                     '>',    '?',    0x7F,   0x80,   0xFF,   0x100,  0x126,
                                     0x2026, 0x3C00, 0xD7FF, 0xD800, 0xDFFF, 0xE000, 0xFFFD,
                                     0xFFFE, 0xFFFF, 0x10000, 0x1FFFE, 0x10D800, 0x10FFFF};
    static const uint32_t widest[] = {0, 0xFF, 0xFFFF, 0, 0x10FFFF};
    uint32_t text[400];
    for (int width = 1; width <= 4; width *= 2)
        for (size_t e = 0; e < sizeof edges / sizeof edges[0]; e++) {
            if (edges[e] > widest[width])
                continue;
            for (size_t count = 1; count < 300; count += count < 140 ? 1 : 17)
                for (size_t place = 0; place < count; place += 1 + count / 7) {
                    for (size_t i = 0; i < count; i++)
                        text[i] = 'a' + i % 26;
                    text[place] = edges[e];
                    check_run(text, count, width, is_special(edges[e]) ? place : count);
                }
        }
    for (int width = 1; width <= 4; width *= 2)
        check_run(text, 0, width, 0);
}

/* Forwarding. ------------------------------------------------------------------------------ */

static void see_forwarding(void *context, xf_status status, const xf_piece *piece)
{
    const char **fault = context;
    for (unsigned choice = 0; status == XF_STANZA && choice < 27 && !*fault; choice++)
        *fault = forwarding_fault(piece, choice);
}

static void test_forwarding(void)
{
    generator g = {.state = 5};
    unsigned seen = 0;
    for (unsigned round = rounds(1500) + (unsigned)samples_count; round; round--) {
        const char *fault = 0;
        memory m = {0};
        record r = {0};
        plan p = {.kernel = xf_best_kernel(), .limits = &default_limits, .memory = &m,
                  .see = see_forwarding, .context = &fault};
        if (round <= samples_count) {
            read_stream(&p, samples[round - 1].bytes, samples[round - 1].size, &r);
        } else {
            generate_stream(&g);
            read_stream(&p, g.bytes, g.length, &r);
        }
        CHECK(!fault, "%s: %.*s", fault, (int)g.length, (const char *)g.bytes);
        seen += r.events;
        forget(&r);
    }
    CHECK(seen > 100, "only %u events", seen);
    free_generator(&g);
}

void test_text(void)
{
    run("references, sections and white space", test_decoding);
    run("references, sections and white space in pairs", test_decoding_pairs);
    run("references to every number", test_references);
    run("values that are the same", test_same_values);
    run("plain runs of text", test_plain_runs);
    run("forwarding", test_forwarding);
}
