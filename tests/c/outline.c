#include "outline.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "piece.h"

static void grow(outline *o, size_t length)
{
    if (o->capacity - o->length > length)
        return;
    o->capacity = (o->length + length + 1) * 2;
    o->text = realloc(o->text, o->capacity);
    if (!o->text)
        abort();
}

static void put(outline *o, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(outline *o, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(0, 0, format, arguments);
    va_end(arguments);
    grow(o, (size_t)length);
    va_start(arguments, format);
    vsnprintf(o->text + o->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    o->length += (size_t)length;
}

/* The code point at *p, which is moved behind it. */
static uint32_t next_code_point(const uint8_t **p)
{
    uint32_t c = *(*p)++, follow = c < 0x80 ? 0u : c < 0xE0 ? 1u : c < 0xF0 ? 2u : 3u;
    if (follow)
        c &= 0x3Fu >> follow;
    while (follow--)
        c = c << 6 | (*(*p)++ & 0x3F);
    return c;
}

/* A string of JSON, in ASCII. */
static void put_string(outline *o, const uint8_t *p, size_t length)
{
    const uint8_t *end = p + length;
    put(o, "\"");
    while (p < end) {
        uint32_t c = next_code_point(&p);
        if (c == '"' || c == '\\')
            put(o, "\\%c", (int)c);
        else if (c == '\n' || c == '\r' || c == '\t')
            put(o, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
        else if (c >= ' ' && c <= '~')
            put(o, "%c", (int)c);
        else if (c < 0x10000)
            put(o, "\\u%04x", c);
        else
            put(o, "\\u%04x\\u%04x", 0xD800 + ((c - 0x10000) >> 10), 0xDC00 + (c & 0x3FF));
    }
    put(o, "\"");
}

/* What a span stands for; returns its length. */
static uint32_t decoded(xf_span span, xf_context context, uint8_t **text)
{
    *text = malloc(span.length + 1);
    if (!*text)
        abort();
    return xf_decode(span, context, *text);
}

static void put_value(outline *o, xf_span span)
{
    uint8_t *text;
    uint32_t length = decoded(span, XF_VALUE, &text);
    put_string(o, text, length);
    free(text);
}

/* A Clark name. */
static void put_name(outline *o, const xf_piece *piece, uint32_t ns, const uint8_t *local,
                     uint32_t length)
{
    xf_span name = xf_namespace(piece, ns);
    if (name.bytes) {
        uint8_t *text;
        uint32_t size = decoded(name, XF_VALUE, &text);
        put(o, "{%.*s}", (int)size, (const char *)text);
        free(text);
    }
    put(o, "%.*s", (int)length, (const char *)local);
}

static void put_tag(outline *o, const xf_piece *piece, uint32_t slot)
{
    const xf_element *e = xf_element_at(piece->tape, slot);
    uint32_t skip = e->prefix_length ? e->prefix_length + 1 : 0;
    put_name(o, piece, e->ns, piece->bytes + (e->start - piece->base) + 1 + skip,
             e->name_length - skip);
}

static void put_attributes(outline *o, const xf_piece *piece, uint32_t slot, int margin)
{
    const xf_element *e = xf_element_at(piece->tape, slot);
    for (uint32_t i = 0; i < e->attributes; i++) {
        const xf_attribute *a = xf_attribute_at(piece->tape, slot + XF_ELEMENT_SLOTS + i);
        const uint8_t *name = piece->bytes + (a->name - piece->base);
        int32_t prefix = xf_prefix_length(name, a->name_length);
        uint32_t skip = prefix > 0 ? (uint32_t)prefix + 1 : 0, ns = XF_NS_NONE;
        if (xf_declares(name, a->name_length) >= 0)
            continue;
        if (skip)
            ns = xf_attribute_ns(piece, slot, name, skip - 1);
        put(o, "%*s", margin, "");
        put_name(o, piece, ns, name + skip, a->name_length - skip);
        put(o, " = ");
        put_value(o, piece_span(piece, a->value, a->value + a->value_length));
        put(o, "\n");
    }
}

/* The header's declarations: prefixes, then the default namespace. */
static void put_declarations(outline *o, const xf_piece *piece)
{
    const xf_element *e = xf_element_at(piece->tape, 0);
    for (int with_prefix = 1; with_prefix >= 0; with_prefix--)
        for (uint32_t i = 0; i < e->attributes; i++) {
            const xf_attribute *a = xf_attribute_at(piece->tape, XF_ELEMENT_SLOTS + i);
            const uint8_t *name = piece->bytes + (a->name - piece->base);
            int32_t declared = xf_declares(name, a->name_length);
            if (declared < 0 || (declared > 0) != with_prefix)
                continue;
            put(o, "    %.*s = ", (int)a->name_length, (const char *)name);
            put_value(o, piece_span(piece, a->value, a->value + a->value_length));
            put(o, "\n");
        }
}

static void put_text(outline *o, const xf_piece *piece, uint32_t from, uint32_t to,
                     const char *kind, int margin)
{
    uint8_t *text;
    uint32_t length = decoded(piece_span(piece, from, to), XF_TEXT, &text);
    if (length) {
        put(o, "%*s%s ", margin, "", kind);
        put_string(o, text, length);
        put(o, "\n");
    }
    free(text);
}

static void put_content(outline *o, const xf_piece *piece, uint32_t slot, int margin)
{
    const xf_element *e = xf_element_at(piece->tape, slot);
    uint32_t child = piece_first(piece, slot), behind = slot + e->skip;
    put_attributes(o, piece, slot, margin);
    put_text(o, piece, e->tag_end,
             child < behind ? xf_element_at(piece->tape, child)->start : e->content_end, "text",
             margin);
    while (child < behind) {
        uint32_t next = child + xf_element_at(piece->tape, child)->skip;
        put(o, "%*s", margin, "");
        put_tag(o, piece, child);
        put(o, "\n");
        put_content(o, piece, child, margin + 4);
        put_text(o, piece, piece_end(piece, child),
                 next < behind ? xf_element_at(piece->tape, next)->start : e->content_end, "tail",
                 margin + 4);
        child = next;
    }
}

void outline_event(void *context, xf_status status, const xf_piece *piece)
{
    outline *o = context;
    size_t length = piece->length, at = o->at;
    while (length && at + length < o->size && memcmp(o->data + at, piece->bytes, length) != 0)
        at++;
    put(o, "%zu+%zu %s", at, length,
        status == XF_START    ? "StreamStart "
        : status == XF_STANZA ? "Stanza "
                              : "StreamEnd");
    if (status != XF_END)
        put_tag(o, piece, 0);
    put(o, "\n");
    if (status == XF_START) {
        put_attributes(o, piece, 0, 4);
        put_declarations(o, piece);
    } else if (status == XF_STANZA) {
        put_content(o, piece, 0, 4);
    }
    o->at = at + length;
}

void outline_end(outline *o, const record *r)
{
    static const char *const codes[] = {
        "",
#define XF_ERROR(code, condition, text) #code,
#include "errors.def"
#undef XF_ERROR
    };
    if (r->error)
        put(o, "%llu error %s\n", (unsigned long long)r->offset, codes[r->error]);
}

void free_outline(outline *o)
{
    free(o->text);
}
