#include "forward.h"

#include <string.h>

/* Either counts bytes or writes them. */
typedef struct {
    uint8_t *out;
    size_t written;
} sink;

static void put(sink *s, const void *bytes, size_t length)
{
    if (s->out && length)
        memcpy(s->out + s->written, bytes, length);
    s->written += length;
}

static void put_quoted(sink *s, xf_span value)
{
    put(s, "'", 1);
    put(s, value.bytes, value.length);
    put(s, "'", 1);
}

/* The edit that changes an attribute of that name, or `count`. */
static unsigned find_edit(const xf_edit *edits, unsigned count, const uint8_t *name,
                          uint32_t length)
{
    unsigned i = 0;
    while (i < count && (edits[i].name.length != length ||
                         memcmp(edits[i].name.bytes, name, length) != 0))
        i++;
    return i;
}

size_t xf_forward(const xf_piece *piece, const xf_edit *edits, unsigned count, xf_span extra,
                  uint8_t *out)
{
    const xf_element *e = xf_element_at(piece->tape, 0);
    const uint8_t *b = piece->bytes;
    uint32_t copied = 0, behind = e->start + 1 + e->name_length - piece->base;
    unsigned made = 0;
    sink s = {out, 0};
    for (uint32_t i = 0; i < e->attributes; i++) {
        const xf_attribute *a = xf_attribute_at(piece->tape, XF_ELEMENT_SLOTS + i);
        uint32_t value = a->value - piece->base, end = value + a->value_length + 1;
        unsigned edit = find_edit(edits, count, b + (a->name - piece->base), a->name_length);
        if (edit < count) {
            made |= 1u << edit;
            if (edits[edit].remove) {
                put(&s, b + copied, behind - copied);
            } else {
                put(&s, b + copied, value - 1 - copied);
                put_quoted(&s, edits[edit].value);
            }
            copied = end;
        }
        behind = end;
    }
    put(&s, b + copied, behind - copied);
    for (unsigned i = 0; i < count; i++) {
        if (edits[i].remove || made >> i & 1)
            continue;
        put(&s, " ", 1);
        put(&s, edits[i].name.bytes, edits[i].name.length);
        put(&s, "=", 1);
        put_quoted(&s, edits[i].value);
    }
    put(&s, extra.bytes, extra.length);
    put(&s, b + behind, piece->length - behind);
    return s.written;
}
