#include "decode.h"

#include <string.h>

#include "encode.h"

/* The character that the reference at `p` stands for; moves *behind behind its ";". */
static uint32_t referenced(const uint8_t *p, const uint8_t **behind)
{
    uint32_t c = 0;
    if (p[1] == '#') {
        int hex = p[2] == 'x';
        for (p += 2 + hex; *p != ';'; p++)
            c = hex ? c * 16 + (*p <= '9' ? *p - (uint32_t)'0' : (*p | 0x20u) - 'a' + 10)
                    : c * 10 + *p - '0';
        *behind = p + 1;
        return c;
    }
    switch (p[1]) {
    case 'l':
        *behind = p + 4;
        return '<';
    case 'g':
        *behind = p + 4;
        return '>';
    case 'q':
        *behind = p + 6;
        return '"';
    default: /* amp, apos */
        *behind = p + (p[2] == 'm' ? 5 : 6);
        return p[2] == 'm' ? '&' : '\'';
    }
}

/* Behind the comment or processing instruction that begins here and was passed over. */
static const uint8_t *behind_aside(const uint8_t *p)
{
    const char *last = p[1] == '!' ? "-->" : "?>";
    size_t length = strlen(last);
    p += p[1] == '!' ? 4 : 2;
    while (memcmp(p, last, length) != 0)
        p++;
    return p + length;
}

/* Moves over one character of the text: writes it to `out`, returns its length in bytes, which is 0
 * between the parts of a CDATA section and for what was passed over. */
static uint32_t next_piece(const uint8_t **p, const uint8_t *end, xf_context context, int *cdata,
                           uint8_t *out)
{
    const uint8_t *at = *p;
    uint8_t c = *at;
    *p = at + 1;
    if (*cdata && c == ']' && end - at >= 3 && at[1] == ']' && at[2] == '>') {
        *cdata = 0;
        *p = at + 3;
        return 0;
    }
    switch (c) {
    case '&':
        if (*cdata)
            break;
        return (uint32_t)(xf_put_character(out, referenced(at, p)) - out);
    case '<': /* in text, CDATA sections begin with it, and what a reader of tags has passed over */
        if (*cdata)
            break;
        if (at[1] == '?' || at[2] == '-') {
            *p = behind_aside(at);
            return 0;
        }
        *cdata = 1;
        *p = at + 9;
        return 0;
    case '\r':
        if (at + 1 < end && at[1] == '\n')
            *p = at + 2;
        c = context == XF_VALUE ? ' ' : '\n';
        break;
    case '\n':
    case '\t':
        if (context == XF_VALUE)
            c = ' ';
        break;
    }
    *out = c;
    return 1;
}

uint32_t xf_decode(xf_span source, xf_context context, uint8_t *out)
{
    const uint8_t *p = source.bytes, *end = p + source.length;
    uint8_t *first = out;
    int cdata = 0;
    while (p < end)
        out += next_piece(&p, end, context, &cdata, out);
    return (uint32_t)(out - first);
}

/* A value read character by character, where there is no room to write it to. */
typedef struct {
    const uint8_t *p, *end;
    uint8_t bytes[4];
    uint32_t length, used;
} reader;

static reader read_value(xf_span value)
{
    reader r = {value.bytes, value.bytes + value.length, {0}, 0, 0};
    return r;
}

/* The next byte, or -1. */
static int next_byte(reader *r)
{
    if (r->used == r->length) {
        int cdata = 0;
        if (r->p == r->end)
            return -1;
        r->length = next_piece(&r->p, r->end, XF_VALUE, &cdata, r->bytes);
        r->used = 0;
    }
    return r->bytes[r->used++];
}

/* Whether a value is written as it reads. */
static int is_literal(xf_span value)
{
    for (uint32_t i = 0; i < value.length; i++)
        if (value.bytes[i] == '&' || value.bytes[i] < ' ')
            return 0;
    return 1;
}

int xf_same_value(xf_span a, xf_span b)
{
    if (is_literal(a) && is_literal(b))
        return a.length == b.length && memcmp(a.bytes, b.bytes, a.length) == 0;
    reader ra = read_value(a), rb = read_value(b);
    int byte;
    do {
        byte = next_byte(&ra);
        if (byte != next_byte(&rb))
            return 0;
    } while (byte >= 0);
    return 1;
}

int xf_value_is(xf_span value, const char *text)
{
    xf_span other = {(const uint8_t *)text, (uint32_t)strlen(text)};
    return xf_same_value(value, other);
}

uint32_t xf_value_hash(xf_span value, uint32_t hash)
{
    reader r = read_value(value);
    int byte;
    while ((byte = next_byte(&r)) >= 0)
        hash = (hash ^ (uint32_t)byte) * 0x01000193u; /* FNV-1a */
    return hash;
}
