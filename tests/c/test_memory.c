#include "check.h"
#include "tests.h"

#include <stdlib.h>
#include <string.h>

/* Reads with the nth allocation failing, for every n, and then with every other one: nothing is
 * lost, and what comes out is what comes out with memory. */
static void fail_everywhere(const char *name, plan p, const uint8_t *bytes, size_t size)
{
    record expected = {0}, r = {0};
    memory m = {0};
    p.memory = &m;
    read_stream(&p, bytes, size, &expected);
    CHECK(expected.no_memory == 0 && !expected.fault, "%s: %s", name, expected.fault);
    size_t allocations = m.calls;
    for (size_t n = 0; n <= allocations; n++) {
        memset(&m, 0, sizeof m);
        m.fail_at = n;
        m.fail_odd = n == 0;
        read_stream(&p, bytes, size, &r);
        const char *fault = difference(&expected, &r);
        CHECK(!fault, "%s, kernel %s, allocation %zu fails: %s", name, p.kernel->name, n, fault);
        /* The walk leaves it to the slow reader to ask once more. */
        CHECK(r.no_memory <= 1 || n == 0, "%s, allocation %zu: XF_NO_MEMORY came %u times", name,
              n, r.no_memory);
        forget(&r);
    }
    forget(&expected);
}

static void test_failures(void)
{
    static const uint16_t five[] = {5};
    const xf_kernel *kernel;
    for (size_t i = 0; i < samples_count; i++)
        for (unsigned k = 0; (kernel = xf_usable_kernel(k)); k++) {
            const sample *s = &samples[i];
            plan p = {.kernel = kernel, .limits = &default_limits, .sizes = five};
            for (p.sizes_count = 0; p.sizes_count < 2; p.sizes_count++)
                for (p.tags = 0; p.tags < 2; p.tags++)
                    fail_everywhere(s->name, p, s->bytes, s->size);
        }
}

/* Streams that grow every block more than once. */
static void test_failures_while_growing(void)
{
    static const uint16_t sizes[] = {700, 20, 3000};
    generator g = {.state = 7};
    const xf_kernel *kernel;
    for (unsigned round = rounds(300); round; round--) {
        generate_stream(&g);
        kernel = xf_usable_kernel(draw(&g, 2)) ? xf_best_kernel() : &xf_scalar;
        plan p = {.kernel = kernel, .limits = &default_limits, .sizes = sizes,
                  .sizes_count = draw(&g, 2) * 3};
        fail_everywhere("generated", p, g.bytes, g.length);
    }
    free_generator(&g);
}

/* A stream that goes on with the same piece for as long as it is read. */
typedef struct {
    const char *name, *head, *again;
    xf_error error;     /* that ends it */
    unsigned most;      /* memory in multiples of the limit on a stanza's bytes */
} endless;

static const endless endless_streams[] = {
    {"text", "<a><b>", "text ", XF_E_STANZA_BYTES, 4},
    {"text of references", "<a><b>", "&amp;", XF_E_STANZA_BYTES, 4},
    {"CDATA", "<a><b><![CDATA[", "]]", XF_E_STANZA_BYTES, 4},
    {"value", "<a><b c='", "value ", XF_E_STANZA_BYTES, 4},
    {"header", "<a b='", "value ", XF_E_STANZA_BYTES, 4},
    {"element name", "<a><b", "bbbbb", XF_E_NAME_BYTES, 4},
    {"attribute name", "<a><b ", "bbbbb", XF_E_NAME_BYTES, 4},
    {"end tag", "<a><b></b", "     ", XF_E_STANZA_BYTES, 4},
    {"white space in a tag", "<a><b", "    \n", XF_E_STANZA_BYTES, 4},
    {"reference", "<a><b>&", "amp", XF_E_STANZA_BYTES, 4},
    {"character reference", "<a><b>&#", "0000000", XF_E_STANZA_BYTES, 4},
    {"depth", "<a>", "<b>", XF_E_DEPTH, 4},
    {"children", "<a><b>", "<c/>", XF_E_CHILDREN, 10},
    {"XML declaration", "<?xml ", "version", XF_E_XML_DECLARATION, 1},
};

/* Whatever the peer sends, in whatever chunks: memory stays within what the limits allow. */
static void test_bounded_memory(void)
{
    enum { LENGTH = 2 * 512 * 1024 };
    static const uint16_t chunks[] = {1, 1460, 60000};
    uint8_t *bytes = malloc(LENGTH);
    if (!bytes)
        abort();
    for (size_t i = 0; i < sizeof endless_streams / sizeof endless_streams[0]; i++) {
        const endless *e = &endless_streams[i];
        size_t head = strlen(e->head), again = strlen(e->again);
        memcpy(bytes, e->head, head);
        for (size_t at = head; at < LENGTH; at++)
            bytes[at] = (uint8_t)e->again[(at - head) % again];
        for (unsigned c = 0; c < 3; c++) {
            memory m = {0};
            record r = {0};
            plan p = {.kernel = xf_best_kernel(), .limits = &default_limits, .memory = &m,
                      .sizes = chunks + c, .sizes_count = 1};
            read_stream(&p, bytes, LENGTH, &r);
            CHECK(r.error == e->error, "%s: %s", e->name, xf_error_text(r.error));
            CHECK(m.peak <= (size_t)e->most * default_limits.stanza_bytes,
                  "%s in chunks of %u: %zu bytes", e->name, chunks[c], m.peak);
            forget(&r);
        }
    }
    free(bytes);
}

/* Many levels of many small elements with many attributes: the tape is what grows. */
static void test_bounded_tape(void)
{
    static const char part[] = "<b c='' d='' e='' f='' g='' h=''><i/></b>";
    size_t count = default_limits.stanza_bytes / (sizeof part - 1) - 1, at = 6;
    uint8_t *bytes = malloc(default_limits.stanza_bytes + 20);
    memory m = {0};
    record r = {0};
    if (!bytes)
        abort();
    memcpy(bytes, "<a><s>", at);
    for (size_t i = 0; i < count && i < 9999; i++, at += sizeof part - 1)
        memcpy(bytes + at, part, sizeof part - 1);
    memcpy(bytes + at, "</s>", 4);
    plan p = {.kernel = xf_best_kernel(), .limits = &default_limits, .memory = &m};
    read_stream(&p, bytes, at + 4, &r);
    CHECK(r.events == 2 && !r.error, "%s", xf_error_text(r.error));
    CHECK(m.peak <= (size_t)12 * default_limits.stanza_bytes, "%zu bytes", m.peak);
    CHECK(r.idle == 0, "%zu bytes are held between stanzas", r.idle);
    free(bytes);
    forget(&r);
}

/* A stanza of ten million bytes, one by one, is refused where the limit is, and read where it is
 * higher; the memory is that of the stanza. */
static void test_bytewise(void)
{
    enum { LENGTH = 10 * 1000 * 1000 };
    static const uint16_t one[] = {1};
    uint8_t *bytes = malloc(LENGTH);
    memory m = {0};
    record r = {0};
    if (!bytes)
        abort();
    memset(bytes, 'x', LENGTH);
    memcpy(bytes, "<a><b>", 6);
    memcpy(bytes + LENGTH - 4, "</b>", 4);
    plan p = {.kernel = xf_best_kernel(), .limits = &default_limits, .memory = &m, .sizes = one,
              .sizes_count = 1};
    read_stream(&p, bytes, LENGTH, &r);
    CHECK(r.error == XF_E_STANZA_BYTES && r.offset == 3 + default_limits.stanza_bytes,
          "%s at %llu", xf_error_text(r.error), (unsigned long long)r.offset);
    CHECK(m.peak <= (size_t)4 * default_limits.stanza_bytes, "%zu bytes", m.peak);
    memset(&m, 0, sizeof m);
    p.limits = &widest_limits;
    read_stream(&p, bytes, LENGTH, &r);
    CHECK(r.events == 2 && !r.error, "%s", xf_error_text(r.error));
    CHECK(m.peak <= (size_t)4 * LENGTH, "%zu bytes", m.peak);
    CHECK(r.idle == 0, "%zu bytes are held between stanzas", r.idle);
    forget(&r);
    free(bytes);
}

/* Nothing is held where nothing is begun, whatever the stanzas were. */
static void test_idle(void)
{
    generator g = {.state = 99};
    const xf_kernel *kernel;
    for (unsigned round = rounds(300); round; round--) {
        generate_stream(&g);
        for (unsigned k = 0; (kernel = xf_usable_kernel(k)); k++) {
            static const uint16_t one[] = {1};
            memory m = {0};
            record r = {0};
            plan p = {.kernel = kernel, .limits = &default_limits, .memory = &m, .sizes = one,
                      .sizes_count = 1};
            read_stream(&p, g.bytes, g.length, &r);
            CHECK(r.idle == 0, "%zu bytes are held between stanzas", r.idle);
            forget(&r);
        }
    }
    free_generator(&g);
}

void test_memory(void)
{
    run("every allocation may fail", test_failures);
    run("every allocation of generated streams may fail", test_failures_while_growing);
    run("endless streams", test_bounded_memory);
    run("the largest tape", test_bounded_tape);
    run("ten million bytes, one by one", test_bytewise);
    run("nothing is held between stanzas", test_idle);
}
