#include "forwarding.h"

#include <stdlib.h>
#include <string.h>

#include "forward.h"
#include "names.h"
#include "piece.h"
#include "reading.h"

enum { EDITS = 3 };

typedef enum { KEEP, REMOVE, SET } change;

static const char names[EDITS][8] = {"from", "to", "xmlns"};
static const char *const values[EDITS] = {"a@b/&lt;&#10;&apos;", "", "urn:x-new"};

/* The bytes of an attribute, name and value, with what stands between them. */
static xf_span whole(const xf_piece *piece, const xf_attribute *a)
{
    return piece_span(piece, a->name, a->value + a->value_length + 1);
}

static const xf_attribute *find(const xf_piece *piece, const uint8_t *name, uint32_t length)
{
    const xf_element *e = xf_element_at(piece->tape, 0);
    for (uint32_t i = 0; i < e->attributes; i++) {
        const xf_attribute *a = xf_attribute_at(piece->tape, XF_ELEMENT_SLOTS + i);
        if (a->name_length == length &&
            memcmp(piece->bytes + (a->name - piece->base), name, length) == 0)
            return a;
    }
    return 0;
}

/* Declarations of the header's prefixes that the stanza doesn't declare itself. */
static xf_span declarations(const xf_piece *piece, uint8_t *room, uint32_t *count)
{
    const xf_element *e = xf_element_at(piece->header->tape, 0);
    xf_span extra = {room, 0};
    for (uint32_t i = 0; i < e->attributes; i++) {
        const xf_attribute *a = xf_attribute_at(piece->header->tape, XF_ELEMENT_SLOTS + i);
        xf_span text = whole(piece->header, a);
        if (xf_declares(text.bytes, a->name_length) <= 0 ||
            find(piece, text.bytes, a->name_length))
            continue;
        room[extra.length++] = ' ';
        memcpy(room + extra.length, text.bytes, text.length);
        extra.length += text.length;
        ++*count;
    }
    return extra;
}

/* What is looked at when the result has been read. */
typedef struct {
    const xf_piece *from;
    change changes[EDITS];
    uint32_t extra; /* declarations added */
    const char *fault;
} comparison;

/* Whether an attribute of the result is what the edits, or the stanza, made it. */
static int is_as_wanted(const comparison *c, const xf_piece *to, const xf_attribute *a)
{
    xf_span name = piece_span(to, a->name, a->name + a->name_length);
    xf_span value = piece_span(to, a->value, a->value + a->value_length), wanted;
    for (unsigned i = 0; i < EDITS; i++)
        if (strlen(names[i]) == name.length && memcmp(names[i], name.bytes, name.length) == 0) {
            xf_span set = {(const uint8_t *)values[i], (uint32_t)strlen(values[i])};
            if (c->changes[i] == REMOVE)
                return 0;
            if (c->changes[i] == SET)
                return xf_same_value(value, set) && value.bytes[-1] == '\'';
        }
    const xf_attribute *old = find(c->from, name.bytes, name.length);
    if (!old)
        return xf_declares(name.bytes, name.length) > 0 && c->extra > 0;
    wanted = whole(c->from, old);
    return wanted.length == whole(to, a).length &&
           memcmp(wanted.bytes, whole(to, a).bytes, wanted.length) == 0;
}

/* How many attributes the result must have. */
static uint32_t wanted_attributes(const comparison *c)
{
    uint32_t count = xf_element_at(c->from->tape, 0)->attributes + c->extra;
    for (unsigned i = 0; i < EDITS; i++) {
        int there = find(c->from, (const uint8_t *)names[i], (uint32_t)strlen(names[i])) != 0;
        count += (uint32_t)(c->changes[i] == SET && !there);
        count -= (uint32_t)(c->changes[i] == REMOVE && there);
    }
    return count;
}

/* The content, byte by byte, and the tapes but for the slots of the start tag. */
static int same_content(const xf_piece *from, const xf_piece *to)
{
    const xf_element *a = xf_element_at(from->tape, 0), *b = xf_element_at(to->tape, 0);
    uint32_t left = from->base + from->length - a->tag_end;
    return left == to->base + to->length - b->tag_end &&
           memcmp(piece_span(from, a->tag_end, 0).bytes, piece_span(to, b->tag_end, 0).bytes,
                  left) == 0 &&
           from->slots - a->attributes == to->slots - b->attributes;
}

/* Elements in the content have the namespaces they had; the default one may come from outside. */
static int same_namespaces(const xf_piece *from, const xf_piece *to)
{
    uint32_t a = piece_first(from, 0), b = piece_first(to, 0);
    for (; a < from->slots; a = piece_first(from, a), b = piece_first(to, b)) {
        const xf_element *e = xf_element_at(from->tape, a), *f = xf_element_at(to->tape, b);
        if (e->prefix_length || e->ns >= a + XF_ELEMENT_SLOTS) {
            xf_span x = xf_namespace(from, e->ns), y = xf_namespace(to, f->ns);
            if (!x.bytes != !y.bytes)
                return e->prefix_length == 0; /* the default one */
            if (x.bytes && !xf_same_value(x, y))
                return e->prefix_length == 0;
        }
    }
    return b == to->slots;
}

static void compare(void *context, xf_status status, const xf_piece *to)
{
    comparison *c = context;
    const xf_element *e = xf_element_at(to->tape, 0);
    if (status != XF_STANZA)
        c->fault = "the result is no stanza";
    else if (!same_content(c->from, to))
        c->fault = "the content has changed";
    else if (!same_namespaces(c->from, to))
        c->fault = "a namespace in the content has changed";
    else if (e->attributes != wanted_attributes(c))
        c->fault = "there are more attributes or less";
    for (uint32_t i = 0; i < e->attributes && !c->fault; i++)
        if (!is_as_wanted(c, to, xf_attribute_at(to->tape, XF_ELEMENT_SLOTS + i)))
            c->fault = "an attribute isn't what it should be";
}

/* What is made for one attribute only is what is made for any. */
static int stamps_as(const xf_piece *piece, xf_edit edit, const uint8_t *forwarded, size_t length)
{
    const xf_attribute *a = find(piece, edit.name.bytes, edit.name.length);
    if (xf_stamped_length(piece, a, edit.value) != length)
        return 0;
    uint8_t *out = malloc(length);
    if (!out)
        abort();
    int same = xf_stamp(piece, a, edit.value, out) == out + length &&
               memcmp(out, forwarded, length) == 0;
    free(out);
    return same;
}

const char *forwarding_fault(const xf_piece *piece, unsigned choice)
{
    xf_edit edits[EDITS];
    xf_span extra = {0, 0};
    uint8_t *room = malloc(piece->header ? 2 * (size_t)piece->header->length : 1), *out;
    memory m = {0};
    record r = {0};
    comparison c = {piece, {KEEP, KEEP, KEEP}, 0, 0};
    unsigned made = 0;
    plan p = {.kernel = xf_best_kernel(), .limits = &widest_limits, .memory = &m, .single = 1,
              .see = compare, .context = &c};
    for (unsigned i = 0; i < EDITS; i++, choice /= 3) {
        xf_span value = {(const uint8_t *)values[i], (uint32_t)strlen(values[i])};
        xf_span name = {(const uint8_t *)names[i], (uint32_t)strlen(names[i])};
        c.changes[i] = (change)(choice % 3);
        if (c.changes[i] != KEEP)
            edits[made++] = (xf_edit){name, value, c.changes[i] == REMOVE, 0, 0};
    }
    if (piece->flags & XF_LEANS && room)
        extra = declarations(piece, room, &c.extra);
    size_t length = xf_forward_length(piece, edits, made, extra);
    out = malloc(length);
    if (!room || !out)
        abort();
    if (xf_forward(piece, edits, made, extra, out) != out + length)
        c.fault = "the length was another one";
    else if (made == 1 && c.changes[0] == SET && !extra.length &&
             !stamps_as(piece, edits[0], out, length))
        c.fault = "a stamp is something else";
    else
        read_stream(&p, out, length, &r);
    if (!c.fault && (r.fault || r.error || r.events != 1))
        c.fault = r.fault ? r.fault : "the result is not one element";
    forget(&r);
    free(room);
    free(out);
    return c.fault;
}
