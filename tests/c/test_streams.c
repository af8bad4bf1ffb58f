#include "check.h"
#include "outline.h"
#include "page.h"
#include "tests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SAMPLES = 400 };

sample *samples;
size_t samples_count;

enum { PAGES = 3 };
static page pages[PAGES];

static void load(void)
{
    const char *folder = getenv("CONFORMANCE");
    static const char *const names[] = {"streams.md", "edges.md", "refusals.md"};
    samples = calloc(MOST_SAMPLES, sizeof *samples);
    if (!samples)
        abort();
    for (unsigned n = 0; n < PAGES; n++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", folder ? folder : "../conformance", names[n]);
        pages[n] = read_page(path);
        for (size_t i = 0; i < pages[n].count && samples_count < MOST_SAMPLES; i++) {
            const page_case *c = &pages[n].cases[i];
            sample s = {c->name, c->input, c->size};
            samples[samples_count++] = s;
        }
    }
}

/* The events that the pages describe. */
static void test_pages(void)
{
    size_t count = 0;
    for (unsigned n = 0; n < PAGES; n++) {
        for (size_t i = 0; i < pages[n].count; i++, count++) {
            const page_case *c = &pages[n].cases[i];
            memory m = {0};
            record r = {0};
            outline o = {0, 0, 0, c->input, c->size, 0};
            plan p = {.kernel = &xf_scalar, .limits = &default_limits, .memory = &m,
                      .see = outline_event, .context = &o};
            read_stream(&p, c->input, c->size, &r);
            outline_end(&o, &r);
            CHECK(!r.fault, "%s: %s", c->name, r.fault);
            CHECK(o.text && strcmp(o.text, c->events) == 0, "%s: expected\n%sgot\n%s", c->name,
                  c->events, o.text ? o.text : "nothing");
            free_outline(&o);
            forget(&r);
        }
    }
    CHECK(count > 100, "only %zu cases", count);
}

static void same(const char *name, const record *expected, const plan *p, const uint8_t *bytes,
                 size_t size)
{
    record r = {0};
    read_stream(p, bytes, size, &r);
    const char *fault = difference(expected, &r);
    CHECK(!fault, "%s, kernel %s, first chunk %zu: %s", name, p->kernel->name, p->first, fault);
    forget(&r);
}

/* The same in every chunking, as `expected_by` reads it whole. */
static void in_every_chunking(plan expected_by, int tags)
{
    static const uint16_t one[] = {1}, few[] = {3, 1, 7};
    const xf_kernel *kernel;
    for (size_t i = 0; i < samples_count; i++) {
        const sample *s = &samples[i];
        memory m = {0};
        record expected = {0};
        plan p = expected_by;
        p.kernel = &xf_scalar;
        p.limits = &default_limits;
        p.memory = &m;
        read_stream(&p, s->bytes, s->size, &expected);
        p.tags = tags;
        for (unsigned k = 0; (kernel = xf_usable_kernel(k)); k++) {
            p.kernel = kernel;
            p.sizes_count = 0;
            for (p.first = 0; p.first < s->size; p.first++)
                same(s->name, &expected, &p, s->bytes, s->size);
            p.first = 0;
            p.sizes_count = 1;
            p.sizes = one;
            same(s->name, &expected, &p, s->bytes, s->size);
            p.sizes_count = 3;
            p.sizes = few;
            same(s->name, &expected, &p, s->bytes, s->size);
        }
        forget(&expected);
    }
}

static void test_chunks(void)
{
    in_every_chunking((plan){.single = 0}, 0);
}

static void test_chunks_of_elements(void)
{
    in_every_chunking((plan){.single = 1}, 0);
}

/* A reader of tags gets the same stanzas and errors. */
static void test_tags(void)
{
    in_every_chunking((plan){.single = 0}, 1);
}

static void test_passing(void)
{
    unsigned pass = XF_PASS_ASIDES | XF_PASS_TEXT | XF_PASS_MARK;
    in_every_chunking((plan){.tags = 1, .pass = pass}, 1);
}

/* A stream that begins anew behind any of its events goes on as a new one would. */
static void test_restarts(void)
{
    static const char stream[] = "<?xml version='1.0'?><a xmlns:p='u'><p:b/> \n<c>x</c></a>"
                                 "<?xml version='1.0'?><d>\n<e/><f><g/></f></d><h/> <i><j></i>";
    static const uint16_t one[] = {1};
    const xf_kernel *kernel;
    for (uint32_t restarts = 0; restarts < 1u << 10; restarts += 2) {
        memory m = {0};
        record expected = {0};
        plan p = {.kernel = &xf_scalar, .limits = &default_limits, .memory = &m,
                  .restarts = restarts};
        read_stream(&p, (const uint8_t *)stream, sizeof stream - 1, &expected);
        CHECK(!expected.fault, "%s", expected.fault);
        for (unsigned k = 0; (kernel = xf_usable_kernel(k)); k++) {
            p.kernel = kernel;
            p.sizes = one;
            for (p.sizes_count = 0; p.sizes_count < 2; p.sizes_count++)
                same("restarts", &expected, &p, (const uint8_t *)stream, sizeof stream - 1);
        }
        forget(&expected);
    }
}

typedef struct {
    const char *name, *before; /* what is read without an error */
    const char *last;          /* the bytes that go past the limit */
    xf_limits limits;
    xf_error error;
    uint32_t place; /* from `last` on */
} limit_case;

static const limit_case limit_cases[] = {
    {"depth", "<a><b><c/></b><b><c>", "<d/>", {10000, 2, 9, 9, 9, 9}, XF_E_DEPTH, 0},
    {"attributes", "<a><b c='' d=''/>", "<b c='' d='' e='", {10000, 9, 2, 9, 9, 9},
     XF_E_ATTRIBUTES, 13},
    {"children", "<a><b><c/><c/></b><b><c/><c>", "<d>", {10000, 9, 9, 2, 9, 9}, XF_E_CHILDREN, 0},
    {"element name", "<a><abcd efgh=''/><b>", "<abcde>", {10000, 9, 9, 9, 4, 9},
     XF_E_NAME_BYTES, 1},
    {"attribute name", "<a><p:cd xmlns:p=''/>", "<abcde>", {10000, 9, 9, 9, 4, 9}, XF_E_NAME_BYTES,
     0},
    {"namespaces", "<a xmlns='u'><b xmlns:p='1'><c xmlns='2'/>", "<c xmlns='3' xmlns:q='4'>",
     {10000, 9, 9, 9, 9, 3}, XF_E_NAMESPACES, 13},
};

/* The limits, one by one: what reaches them is read, what goes past them is refused. */
static void test_limits(void)
{
    const xf_kernel *kernel;
    for (size_t i = 0; i < sizeof limit_cases / sizeof limit_cases[0]; i++) {
        const limit_case *c = &limit_cases[i];
        char stream[256];
        size_t size = (size_t)snprintf(stream, sizeof stream, "%s%s", c->before, c->last);
        uint64_t place = strlen(c->before) + c->place;
        if (strcmp(c->name, "attribute name") == 0)
            place = 9; /* of xmlns:p, which is too long already */
        for (unsigned k = 0; (kernel = xf_usable_kernel(k)); k++) {
            memory m = {0};
            plan p = {.kernel = kernel, .limits = &c->limits, .memory = &m};
            for (p.first = 0; p.first < size; p.first++) {
                record r = {0};
                read_stream(&p, (const uint8_t *)stream, size, &r);
                CHECK(!r.fault && r.error == c->error && r.offset == place,
                      "%s: %s at %llu instead of %llu", c->name, xf_error_text(r.error),
                      (unsigned long long)r.offset, (unsigned long long)place);
                forget(&r);
            }
        }
    }
}

void test_streams(void)
{
    load();
    run("the conformance pages", test_pages);
    run("every split of streams, on every kernel", test_chunks);
    run("every split of single elements, on every kernel", test_chunks_of_elements);
    run("every split of streams, for a reader of tags", test_tags);
    run("every split of streams, for one that passes over things", test_passing);
    run("restarts", test_restarts);
    run("limits", test_limits);
}

void forget_samples(void)
{
    free(samples);
    for (unsigned n = 0; n < PAGES; n++)
        free_page(&pages[n]);
}
