#include "check.h"
#include "guard.h"
#include "tests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void compare(const record *expected, const plan *p, const uint8_t *bytes, size_t size,
                    const char *what)
{
    record r = {0};
    read_stream(p, bytes, size, &r);
    const char *fault = difference(expected, &r);
    if (!CHECK(!fault, "%s, kernel %s: %s", what, p->kernel->name, fault) && size < 2000)
        printf("    input: %.*s\n", (int)size, (const char *)bytes);
    forget(&r);
}

/* Generated streams, whole and in random chunks, mean the same to every kernel. */
static void test_generated(void)
{
    generator g = {.state = 20240117};
    const xf_kernel *kernel;
    for (unsigned round = rounds(6000); round; round--) {
        uint16_t sizes[4];
        xf_limits limits = default_limits;
        memory m = {0};
        record expected = {0};
        generate_stream(&g);
        if (draw(&g, 4) == 0) {
            xf_limits low = {10000, 1 + draw(&g, 4), 1 + draw(&g, 20), draw(&g, 9),
                             1 + draw(&g, 40), 1 + draw(&g, 6)};
            limits = low;
        }
        for (unsigned i = 0; i < 4; i++)
            sizes[i] = (uint16_t)(1 + (draw(&g, 2) ? draw(&g, 70) : draw(&g, 9000)));
        plan p = {.kernel = &xf_scalar, .limits = &limits, .memory = &m,
                  .single = draw(&g, 8) == 0, .restarts = draw(&g, 4) ? 0 : 1u << draw(&g, 8)};
        read_stream(&p, g.bytes, g.length, &expected);
        CHECK(!expected.fault, "%s", expected.fault);
        for (unsigned k = 0; (kernel = xf_usable_kernel(k)); k++) {
            p.kernel = kernel;
            p.sizes_count = 0;
            compare(&expected, &p, g.bytes, g.length, "whole");
            p.sizes = sizes;
            p.sizes_count = 4;
            compare(&expected, &p, g.bytes, g.length, "in chunks");
        }
        forget(&expected);
    }
    free_generator(&g);
}

static const char crossing[] =
    "<message to='a@b' xml:lang=\"en\" id='0123456789abcdef'\n ><body>a &amp; b; 'c' \xC3\xA9 ]] > "
    "\xF0\x9F\x98\x80</body><p:x xmlns:p='urn:&#97;' p:y='&lt;'/><![CDATA[<&]]]></message >";

/* The edge of a slice may fall between any two bytes. */
static void test_slices(void)
{
    enum { HEAD = 3 };
    size_t length = sizeof crossing - 1, size = XF_SLICE + length;
    uint8_t *bytes = malloc(size);
    const xf_kernel *kernel;
    if (!bytes)
        abort();
    for (size_t at = XF_SLICE - length; at <= XF_SLICE; at++) {
        static const uint16_t one[] = {1};
        memory m = {0};
        record expected = {0};
        memcpy(bytes, "<a>", HEAD);
        memset(bytes + HEAD, ' ', at - HEAD);
        memcpy(bytes + at, crossing, length);
        plan p = {.kernel = &xf_scalar, .limits = &default_limits, .memory = &m, .sizes = one,
                  .sizes_count = 1};
        read_stream(&p, bytes, at + length, &expected);
        CHECK(expected.events == 2 && !expected.error, "%s", xf_error_text(expected.error));
        p.sizes_count = 0;
        for (unsigned k = 0; (kernel = xf_usable_kernel(k)); k++) {
            p.kernel = kernel;
            compare(&expected, &p, bytes, at + length, "across slices");
        }
        forget(&expected);
    }
    free(bytes);
}

static int is_set(const xf_blocks *blocks, uint32_t place)
{
    return blocks->bits[place / XF_BLOCK / 64] >> place / XF_BLOCK % 64 & 1;
}

/* What index() is to do, byte by byte; what is not in `seen` must not be in the source. */
static uint32_t index_model(const uint8_t *source, uint32_t size, uint32_t at, uint32_t *index,
                            const xf_seen *seen, int *missed)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < size; i++) {
        uint8_t c = source[i];
        if (c && strchr("<>'\"&;", c))
            index[count++] = at + i;
        if (c >= 0x80)
            *missed |= !is_set(&seen->wide, i);
        if (c == '\t' || c == '\n' || c == '\r')
            *missed |= !is_set(&seen->control, i);
        else if (c < ' ')
            *missed |= !seen->forbidden;
    }
    return count;
}

/* A byte; rarely one that sets a flag, which would hide all others. */
static uint8_t draw_byte(generator *g, uint32_t rare)
{
    static const char bytes[] = "<>'\"&;abc=/ !#%(*,:?]}";
    if (draw(g, rare) == 0)
        return (uint8_t)draw(g, 256);
    return (uint8_t)bytes[draw(g, sizeof bytes - 1)];
}

static void check_index(const xf_kernel *kernel, const uint8_t *source, uint32_t size, uint32_t at)
{
    uint8_t buffer[400 + XF_PADDING];
    uint32_t index[300 + XF_PADDING], expected[300];
    static const xf_seen nothing;
    xf_seen seen = nothing;
    int missed = 0;
    memset(buffer, '<', sizeof buffer);
    uint32_t count = kernel->index(guarded(source, size), size, buffer, at, index, &seen);
    uint32_t expected_count = index_model(source, size, at, expected, &seen, &missed);
    int same = count == expected_count && memcmp(index, expected, count * sizeof *index) == 0;
    CHECK(same, "%s: another index of %u bytes at %u", kernel->name, size, at);
    CHECK(!missed, "%s: didn't see all in %u bytes", kernel->name, size);
    CHECK(size == 0 || memcmp(buffer + at, source, size) == 0, "%s: another copy", kernel->name);
    for (uint32_t i = 0; i < at; i++)
        CHECK(buffer[i] == '<', "%s: writes in front", kernel->name);
}

/* The kernels' index functions against the model: all lengths, wherever the copy begins, the
 * source in front of a guard page. */
static void test_index(void)
{
    const xf_kernel *kernel;
    generator g = {.state = 42};
    uint8_t source[300];
    for (uint32_t size = 0; size <= 300; size++)
        for (uint32_t at = 0; at < 66; at += size < 70 ? 1 : 13) {
            uint32_t rare = 1 + draw(&g, 2) * 2000;
            for (uint32_t i = 0; i < size; i++)
                source[i] = draw_byte(&g, rare);
            for (unsigned k = 0; (kernel = xf_usable_kernel(k)); k++)
                check_index(kernel, source, size, at);
        }
    for (unsigned c = 0; c < 256; c++) { /* each byte in each place of a window */
        memset(source, 'x', sizeof source);
        for (uint32_t place = 0; place < 130; place++) {
            source[place] = (uint8_t)c;
            for (unsigned k = 0; (kernel = xf_usable_kernel(k)); k++)
                check_index(kernel, source, 130, 0);
            source[place] = 'x';
        }
    }
}

void test_kernels(void)
{
    run("index functions", test_index);
    run("generated streams", test_generated);
    run("edges of slices", test_slices);
}
