/* The tokenizer, used as its header says. */
#include "tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "subject.h"

static void *reallocate(void *context, void *block, size_t bytes)
{
    (void)context;
    if (bytes == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, bytes);
}

static const xf_allocator ALLOCATOR = {reallocate, NULL};
/* The defaults of Limits in xmppfast/xml/limits.py. */
static const xf_limits USUAL = {
    .stanza_bytes = 512 * 1024,
    .depth = 256,
    .attributes = 256,
    .children = 20000,
    .name_bytes = 1024,
    .namespaces = 128,
};
static const xf_limits UNBOUNDED = {INT32_MAX, INT32_MAX, INT32_MAX,
                                    INT32_MAX, INT32_MAX, INT32_MAX};

typedef void on_stanza(const xf_event *stanza, bench_tally *seen);

static void count(const xf_event *stanza, bench_tally *seen)
{
    (void)stanza;
    seen->stanzas++;
}

static void add_local_name(bench_tally *seen, const uint8_t *name, uint32_t length)
{
    const uint8_t *colon = memchr(name, ':', length);
    const uint8_t *local = colon ? colon + 1 : name;
    bench_add_name(seen, local, length - (size_t)(local - name));
}

static int declares_namespace(const uint8_t *name, uint32_t length)
{
    return length >= 5 && !memcmp(name, "xmlns", 5) && (length == 5 || name[5] == ':');
}

static void inspect_stanza(const xf_event *stanza, bench_tally *seen)
{
    const uint8_t *bytes = stanza->bytes;
    seen->stanzas++;
    for (uint32_t slot = 0; slot < stanza->slots;) {
        const xf_element *element = (const void *)(stanza->tape + slot);
        slot += XF_ELEMENT_SLOTS;
        seen->elements++;
        add_local_name(seen, bytes + (element->start + 1 - stanza->base), element->name_length);
        for (uint32_t i = 0; i < element->attributes; i++, slot++) {
            const xf_attribute *attribute = (const void *)(stanza->tape + slot);
            const uint8_t *name = bytes + (attribute->name - stanza->base);
            if (declares_namespace(name, attribute->name_length))
                continue;
            seen->attributes++;
            add_local_name(seen, name, attribute->name_length);
        }
    }
}

/* A copy of the stream header, which the tokenizer wants kept; NULL if there is no memory. */
static xf_piece *keep(const xf_event *event)
{
    size_t tape = event->slots * sizeof(xf_slot);
    xf_piece *piece = malloc(sizeof *piece + tape + event->length);
    if (!piece)
        return NULL;
    uint8_t *place = (uint8_t *)(piece + 1);
    *piece = *event;
    piece->tape = memcpy(place, event->tape, tape);
    piece->bytes = memcpy(place + tape, event->bytes, event->length);
    return piece;
}

static int parse(const xf_limits *limits, const xf_kernel *kernel, on_stanza *take,
                 const uint8_t *data, size_t size, size_t chunk, bench_tally *seen)
{
    xf_tokenizer t;
    xf_event event;
    xf_piece *header = NULL;
    xf_status status = XF_MORE;
    xf_init(&t, limits, &ALLOCATOR, kernel);
    for (size_t at = 0; at < size && status >= XF_MORE; at += chunk) {
        const uint8_t *next = data + at;
        size_t left = size - at < chunk ? size - at : chunk;
        while ((status = xf_next(&t, &next, &left, &event)) > XF_MORE) {
            if (status == XF_STANZA) {
                take(&event, seen);
            } else if (status == XF_START) {
                header = keep(&event);
                if (!header)
                    break;
                xf_adopt(&t, header);
            }
        }
    }
    if (status == XF_MORE)
        status = xf_finish(&t);
    xf_release(&t);
    free(header);
    return status == XF_MORE;
}

static int read_stream(const void *kernel, const uint8_t *data, size_t size, size_t chunk,
                       bench_tally *seen)
{
    return parse(&USUAL, kernel, count, data, size, chunk, seen);
}

static int inspect_stream(const void *kernel, const uint8_t *data, size_t size, size_t chunk,
                          bench_tally *seen)
{
    return parse(&USUAL, kernel, inspect_stanza, data, size, chunk, seen);
}

static int read_unbounded(const void *kernel, const uint8_t *data, size_t size, size_t chunk,
                          bench_tally *seen)
{
    return parse(&UNBOUNDED, kernel, count, data, size, chunk, seen);
}

size_t bench_tokenizers(bench_subject *subjects, size_t room)
{
    size_t number = 0;
    const xf_kernel *kernel;
    while (number < room && (kernel = xf_usable_kernel((unsigned)number)))
        subjects[number++] = (bench_subject){xf_kernel_name(kernel), kernel, read_stream,
                                             inspect_stream, read_unbounded};
    return number;
}
