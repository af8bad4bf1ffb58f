#include "piece.h"

#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "names.h"

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return #condition;                                                                     \
    } while (0)

xf_span piece_span(const xf_piece *piece, uint32_t from, uint32_t to)
{
    xf_span span = {piece->bytes + (from - piece->base), to - from};
    return span;
}

uint32_t piece_first(const xf_piece *piece, uint32_t slot)
{
    return slot + XF_ELEMENT_SLOTS + xf_element_at(piece->tape, slot)->attributes;
}

uint32_t piece_end(const xf_piece *piece, uint32_t slot)
{
    const xf_element *e = xf_element_at(piece->tape, slot);
    uint32_t at = e->content_end - piece->base;
    if (piece->bytes[e->tag_end - piece->base - 2] == '/')
        return e->tag_end;
    while (piece->bytes[at] != '>')
        at++;
    return piece->base + at + 1;
}

/* The text that a span stands for never needs more room than the span. */
static const char *decode_fault(xf_span span, xf_context context)
{
    uint8_t *out = malloc(span.length);
    uint32_t length = span.length ? xf_decode(span, context, out) : 0;
    free(out);
    REQUIRE(length <= span.length);
    return 0;
}

static const char *attribute_fault(const xf_piece *piece, const xf_attribute *a, uint32_t behind,
                                   uint32_t tag_end)
{
    const uint8_t *b = piece->bytes - piece->base;
    uint32_t end = a->value + a->value_length;
    REQUIRE(a->name > behind && a->name < a->value && a->value <= end && end < tag_end);
    REQUIRE(xf_classes[b[a->name - 1]] & XF_SPACE);
    REQUIRE(xf_name_end(b, a->name, tag_end) == a->name + a->name_length);
    REQUIRE(xf_prefix_length(b + a->name, a->name_length) >= 0);
    REQUIRE(b[end] == '"' || b[end] == '\'');
    REQUIRE(b[a->value - 1] == b[end]);
    REQUIRE(!memchr(b + a->value, b[end], a->value_length));
    REQUIRE(!memchr(b + a->value, '<', a->value_length));
    return decode_fault(piece_span(piece, a->value, end), XF_VALUE);
}

/* What is in scope around the element in a slot. */
static void outer_scope(const xf_piece *piece, uint32_t slot, uint32_t *scope, uint32_t *default_ns)
{
    *scope = 0;
    *default_ns = XF_NS_NONE;
    if (slot) {
        const xf_element *parent =
            xf_element_at(piece->tape, xf_element_at(piece->tape, slot)->parent);
        *scope = parent->scope;
        *default_ns = parent->default_ns;
    } else if (piece->header) {
        *scope = xf_element_at(piece->header->tape, 0)->scope;
        *default_ns = xf_header_declaration(piece->header, 0, 0);
    }
}

static const char *names_fault(const xf_piece *piece, uint32_t slot)
{
    const xf_element *e = xf_element_at(piece->tape, slot);
    const uint8_t *b = piece->bytes - piece->base;
    uint32_t scope, default_ns, prefixes = 0;
    outer_scope(piece, slot, &scope, &default_ns);
    for (uint32_t i = 0; i < e->attributes; i++) {
        uint32_t here = slot + XF_ELEMENT_SLOTS + i;
        const xf_attribute *a = xf_attribute_at(piece->tape, here);
        int32_t declared = xf_declares(b + a->name, a->name_length);
        int32_t prefix = xf_prefix_length(b + a->name, a->name_length);
        scope += declared >= 0;
        prefixes += declared > 0;
        if (declared == 0)
            default_ns = here;
        if (declared < 0 && prefix > 0)
            REQUIRE(xf_attribute_ns(piece, slot, b + a->name, (uint32_t)prefix) != XF_NS_NONE);
    }
    REQUIRE(e->scope == scope);
    REQUIRE(e->prefixes == prefixes);
    REQUIRE(e->default_ns == default_ns);
    REQUIRE(xf_prefix_length(b + e->start + 1, e->name_length) == (int32_t)e->prefix_length);
    if (e->prefix_length) {
        REQUIRE(e->ns == xf_attribute_ns(piece, slot, b + e->start + 1, e->prefix_length));
        REQUIRE(e->ns != XF_NS_NONE);
    } else {
        REQUIRE(e->ns == default_ns);
    }
    return 0;
}

static const char *element_fault(const xf_piece *piece, uint32_t slot, int is_header)
{
    const xf_element *e = xf_element_at(piece->tape, slot);
    const uint8_t *b = piece->bytes - piece->base;
    uint32_t end = piece->base + piece->length, behind = e->start + e->name_length;
    REQUIRE(e->start >= piece->base && e->start < e->tag_end && e->tag_end <= end);
    REQUIRE(b[e->start] == '<' && b[e->tag_end - 1] == '>');
    REQUIRE(xf_name_end(b, e->start + 1, e->tag_end) == e->start + 1 + e->name_length);
    for (uint32_t i = 0; i < e->attributes; i++) {
        const xf_attribute *a = xf_attribute_at(piece->tape, slot + XF_ELEMENT_SLOTS + i);
        const char *fault = attribute_fault(piece, a, behind, e->tag_end);
        if (fault)
            return fault;
        behind = a->value + a->value_length;
    }
    if (b[e->tag_end - 2] == '/' || is_header) {
        REQUIRE(e->content_end == e->tag_end);
        REQUIRE(e->skip == XF_ELEMENT_SLOTS + e->attributes);
    } else {
        REQUIRE(e->content_end >= e->tag_end && e->content_end + e->name_length + 3 <= end);
        REQUIRE(b[e->content_end] == '<' && b[e->content_end + 1] == '/');
        REQUIRE(memcmp(b + e->content_end + 2, b + e->start + 1, e->name_length) == 0);
        REQUIRE(memchr(b + e->content_end, '>', end - e->content_end));
    }
    return names_fault(piece, slot);
}

/* The children lie one behind the other, in the order of their tags, and know their parent. */
static const char *content_fault(const xf_piece *piece, uint32_t slot)
{
    const xf_element *e = xf_element_at(piece->tape, slot);
    uint32_t text = e->tag_end, child = piece_first(piece, slot);
    while (child < slot + e->skip) {
        const xf_element *c = xf_element_at(piece->tape, child);
        const char *fault;
        REQUIRE(c->parent == slot && c->start >= text);
        if ((fault = decode_fault(piece_span(piece, text, c->start), XF_TEXT)))
            return fault;
        text = piece_end(piece, child);
        child += c->skip;
    }
    REQUIRE(child == slot + e->skip && text <= e->content_end);
    return decode_fault(piece_span(piece, text, e->content_end), XF_TEXT);
}

static const char *flags_fault(const xf_piece *piece, int leans)
{
    const uint8_t *b = piece->bytes;
    uint32_t found = 0;
    for (uint32_t i = 0; i < piece->length; i++) {
        if (b[i] == '&' || (b[i] == '<' && piece->length - i > 8 && !memcmp(b + i, "<![CDATA[", 9)))
            found |= XF_ESCAPED;
        if (b[i] < ' ')
            found |= XF_CONTROL;
        if (b[i] >= 0x80)
            found |= XF_WIDE;
    }
    REQUIRE((found & ~piece->flags) == 0);
    REQUIRE(leans == !!(piece->flags & XF_LEANS));
    return 0;
}

/* Whether a prefix that the header declares names the element or one of its attributes. */
static int element_leans(const xf_piece *piece, uint32_t slot)
{
    const xf_element *e = xf_element_at(piece->tape, slot);
    const uint8_t *b = piece->bytes - piece->base;
    uint32_t ns = e->prefix_length ? e->ns : XF_NS_XML;
    for (uint32_t i = 0; ns == XF_NS_XML || !(ns & XF_NS_HEADER); i++) {
        if (i == e->attributes)
            return 0;
        const xf_attribute *a = xf_attribute_at(piece->tape, slot + XF_ELEMENT_SLOTS + i);
        int32_t prefix = xf_prefix_length(b + a->name, a->name_length);
        ns = prefix > 0 && xf_declares(b + a->name, a->name_length) < 0
                 ? xf_attribute_ns(piece, slot, b + a->name, (uint32_t)prefix)
                 : XF_NS_XML;
    }
    return 1;
}

const char *piece_fault(const xf_piece *piece, int is_header)
{
    int leans = 0;
    const char *fault;
    REQUIRE(piece->slots >= XF_ELEMENT_SLOTS);
    REQUIRE(xf_element_at(piece->tape, 0)->skip == piece->slots);
    for (uint32_t slot = 0; slot < piece->slots; slot = piece_first(piece, slot)) {
        const xf_element *e = xf_element_at(piece->tape, slot);
        REQUIRE(slot ? e->parent < slot : e->parent == 0);
        REQUIRE(e->skip >= XF_ELEMENT_SLOTS && e->attributes <= e->skip - XF_ELEMENT_SLOTS);
        REQUIRE(e->skip <= piece->slots - slot);
        if ((fault = element_fault(piece, slot, is_header)))
            return fault;
        leans |= element_leans(piece, slot);
    }
    for (uint32_t slot = 0; slot < piece->slots; slot = piece_first(piece, slot))
        if ((fault = content_fault(piece, slot)))
            return fault;
    if (!is_header)
        REQUIRE(piece_end(piece, 0) == piece->base + piece->length);
    return flags_fault(piece, leans);
}
