#include "forward.h"

#include <string.h>

#include "find.h"

/* Offset in the piece behind an attribute's closing quote. */
static uint32_t behind(const xf_piece *piece, const xf_attribute *a)
{
    return a->value + a->value_length + 1 - piece->base;
}

/* Offset in the piece behind what comes before the attribute, the element's name or another one. */
static uint32_t before(const xf_piece *piece, const xf_attribute *a)
{
    const xf_element *e = xf_element_at(piece->tape, 0);
    if (a == xf_attribute_at(piece->tape, XF_ELEMENT_SLOTS))
        return e->start + 1 + e->name_length - piece->base;
    return behind(piece, a - 1);
}

/* Offset in the piece behind the last attribute, or behind the name if there is none. */
static uint32_t attributes_end(const xf_piece *piece)
{
    const xf_element *e = xf_element_at(piece->tape, 0);
    return before(piece, xf_attribute_at(piece->tape, XF_ELEMENT_SLOTS) + e->attributes);
}

size_t xf_forward_length(const xf_piece *piece, xf_edit *edits, unsigned count, xf_span extra)
{
    size_t length = (size_t)piece->length + extra.length;
    for (xf_edit *edit = edits; edit < edits + count; edit++) {
        const xf_attribute *a =
            xf_find(piece, 0, (const char *)edit->name.bytes, edit->name.length);
        size_t value = edit->remove ? 0 : edit->value.length + sizeof "''" - 1;
        edit->from = edit->to = 0;
        if (a) {
            edit->from = edit->remove ? before(piece, a) : a->value - 1 - piece->base;
            edit->to = behind(piece, a);
        } else if (!edit->remove) {
            value += edit->name.length + sizeof " =" - 1;
        }
        length = length - (edit->to - edit->from) + value;
    }
    return length;
}

/* Most pieces are as short as an address. */
static uint8_t *put(uint8_t *out, const uint8_t *bytes, size_t length)
{
    if (length >= 16 && length <= 32) {
        memcpy(out, bytes, 16);
        memcpy(out + length - 16, bytes + length - 16, 16);
    } else {
        memcpy(out, bytes, length);
    }
    return out + length;
}

static uint8_t *put_quoted(uint8_t *out, xf_span value)
{
    *out++ = '\'';
    if (value.length)
        out = put(out, value.bytes, value.length);
    *out++ = '\'';
    return out;
}

/* The first edit in the piece from `at` on that replaces something, or NULL. */
static const xf_edit *next_edit(const xf_edit *edits, unsigned count, uint32_t at)
{
    const xf_edit *next = 0;
    for (const xf_edit *edit = edits; edit < edits + count; edit++)
        if (edit->to > at && (!next || edit->from < next->from))
            next = edit;
    return next;
}

uint8_t *xf_forward(const xf_piece *piece, const xf_edit *edits, unsigned count, xf_span extra,
                    uint8_t *out)
{
    const uint8_t *b = piece->bytes;
    uint32_t copied = 0, end = attributes_end(piece);
    const xf_edit *edit;
    while ((edit = next_edit(edits, count, copied))) {
        out = put(out, b + copied, edit->from - copied);
        if (!edit->remove)
            out = put_quoted(out, edit->value);
        copied = edit->to;
    }
    out = put(out, b + copied, end - copied);
    for (edit = edits; edit < edits + count; edit++) {
        if (edit->remove || edit->to)
            continue;
        *out++ = ' ';
        out = put(out, edit->name.bytes, edit->name.length);
        *out++ = '=';
        out = put_quoted(out, edit->value);
    }
    if (extra.length)
        out = put(out, extra.bytes, extra.length);
    return put(out, b + end, piece->length - end);
}

uint8_t *xf_stamp(const xf_piece *piece, const xf_attribute *a, xf_span value, uint8_t *out)
{
    uint32_t end, rest;
    if (a) {
        end = a->value - 1 - piece->base;
        rest = behind(piece, a);
        out = put(out, piece->bytes, end);
    } else {
        end = rest = attributes_end(piece);
        out = put(out, piece->bytes, end);
        memcpy(out, " from=", 6);
        out += 6;
    }
    out = put_quoted(out, value);
    return put(out, piece->bytes + rest, piece->length - rest);
}
