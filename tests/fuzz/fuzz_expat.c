/* Invariant: expat, as a peer that is sent our bytes, reads what we read. What we have given out of
 * a stream or element, expat has read with the same names, namespaces, attributes, values and text;
 * what we accept to its end, it accepts; and what we refuse as not well-formed, it refuses. Refused
 * for other reasons is what XMPP restricts (comments, instructions, DTDs, entities, encodings,
 * versions, text between stanzas), which expat may like.
 *
 * Where expat is laxer than XML 1.0, on purpose or not, we need not follow; see `is_known`.
 *
 * An input's first byte chooses kernel and kind; the rest is the document.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <expat.h>

#include "decode.h"
#include "piece.h"
#include "reading.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Between namespace and local name; no XML has this character, not even by a reference. */
enum { SEPARATOR = '\x0c' };

/* What goes before the parts of a document in its content; no XML has these, either. */
enum { START = 1, NAME, VALUE, END };

/* A document's content as one string. */
typedef struct {
    uint8_t *bytes;
    size_t length, capacity;
    int is_stream, depth;
    xf_span root_name; /* a copy */
    int odd_version;   /* the XML declaration's version is none (production 26) */
} content;

static void put(content *c, const void *bytes, size_t length)
{
    if (c->capacity - c->length < length) {
        c->capacity = (c->length + length) * 2;
        c->bytes = realloc(c->bytes, c->capacity);
        if (!c->bytes)
            abort();
    }
    if (length)
        memcpy(c->bytes + c->length, bytes, length);
    c->length += length;
}

static void put_mark(content *c, uint8_t mark)
{
    put(c, &mark, 1);
}

/* Ours. ------------------------------------------------------------------------------------ */

static void put_decoded(content *c, xf_span span, xf_context context)
{
    uint8_t *out = malloc(span.length + 1);
    if (!out)
        abort();
    put(c, out, xf_decode(span, context, out));
    free(out);
}

static void put_name(content *c, const xf_piece *piece, uint32_t ns, const uint8_t *local,
                     uint32_t length)
{
    xf_span name = xf_namespace(piece, ns);
    if (name.bytes) {
        put_decoded(c, name, XF_VALUE);
        put_mark(c, SEPARATOR);
    }
    put(c, local, length);
}

static void put_start(content *c, const xf_piece *piece, uint32_t slot)
{
    const xf_element *e = xf_element_at(piece->tape, slot);
    const uint8_t *b = piece->bytes - piece->base;
    uint32_t skip = e->prefix_length ? e->prefix_length + 1 : 0;
    put_mark(c, START);
    put_name(c, piece, e->ns, b + e->start + 1 + skip, e->name_length - skip);
    for (uint32_t i = 0; i < e->attributes; i++) {
        const xf_attribute *a = xf_attribute_at(piece->tape, slot + XF_ELEMENT_SLOTS + i);
        int32_t prefix = xf_prefix_length(b + a->name, a->name_length);
        uint32_t ns = XF_NS_NONE;
        if (xf_declares(b + a->name, a->name_length) >= 0)
            continue;
        skip = 0;
        if (prefix > 0) {
            ns = xf_attribute_ns(piece, slot, b + a->name, (uint32_t)prefix);
            skip = (uint32_t)prefix + 1;
        }
        put_mark(c, NAME);
        put_name(c, piece, ns, b + a->name + skip, a->name_length - skip);
        put_mark(c, VALUE);
        put_decoded(c, piece_span(piece, a->value, a->value + a->value_length), XF_VALUE);
    }
    put_mark(c, VALUE);
}

/* Elements in document order, without recursion: depth costs nothing. */
static void put_stanza(content *c, const xf_piece *piece)
{
    uint32_t text = piece->base;
    uint32_t open = 0, slot = 0;
    for (;;) {
        const xf_element *e = xf_element_at(piece->tape, open);
        if (slot < piece->slots && (slot == 0 || slot < open + e->skip)) {
            const xf_element *child = xf_element_at(piece->tape, slot);
            put_decoded(c, piece_span(piece, text, child->start), XF_TEXT);
            put_start(c, piece, slot);
            text = child->tag_end;
            open = slot;
            slot = piece_first(piece, slot);
            continue;
        }
        put_decoded(c, piece_span(piece, text, e->content_end), XF_TEXT);
        put_mark(c, END);
        text = piece_end(piece, open);
        if (open == 0)
            break;
        open = e->parent;
    }
}

static void see(void *context, xf_status status, const xf_piece *piece)
{
    content *c = context;
    if (status == XF_END) {
        put_mark(c, END);
        c->depth = 0;
    } else if (status == XF_STANZA) {
        put_stanza(c, piece);
    } else {
        const xf_element *e = xf_element_at(piece->tape, 0);
        uint8_t *name = malloc(e->name_length);
        if (!name)
            abort();
        memcpy(name, piece_span(piece, e->start + 1, 0).bytes, e->name_length);
        c->root_name.bytes = name;
        c->root_name.length = e->name_length;
        c->depth = 1;
        put_start(c, piece, 0);
    }
}

/* expat's. --------------------------------------------------------------------------------- */

static void XMLCALL start_element(void *context, const XML_Char *name, const XML_Char **attributes)
{
    content *c = context;
    c->depth++;
    put_mark(c, START);
    put(c, name, strlen(name));
    for (; *attributes; attributes += 2) {
        put_mark(c, NAME);
        put(c, attributes[0], strlen(attributes[0]));
        put_mark(c, VALUE);
        put(c, attributes[1], strlen(attributes[1]));
    }
    put_mark(c, VALUE);
}

static void XMLCALL end_element(void *context, const XML_Char *name)
{
    content *c = context;
    (void)name;
    c->depth--;
    put_mark(c, END);
}

static void XMLCALL text(void *context, const XML_Char *characters, int length)
{
    content *c = context;
    if (!c->is_stream || c->depth > 1)
        put(c, characters, (size_t)length);
}

static void XMLCALL declaration(void *context, const XML_Char *version, const XML_Char *encoding,
                                int standalone)
{
    content *c = context;
    (void)encoding;
    (void)standalone;
    c->odd_version = !version || strncmp(version, "1.", 2) != 0 || version[2] == 0 ||
                     version[2 + strspn(version + 2, "0123456789")] != 0;
}

/* Whether expat accepts the document, with `behind` put at its end. */
static int expat_accepts(const uint8_t *data, size_t size, const char *behind, content *c)
{
    XML_Parser parser = XML_ParserCreateNS(0, SEPARATOR);
    if (!parser)
        abort();
    XML_SetHashSalt(parser, 1);
    XML_SetUserData(parser, c);
    XML_SetElementHandler(parser, start_element, end_element);
    XML_SetCharacterDataHandler(parser, text);
    XML_SetXmlDeclHandler(parser, declaration);
    int good = XML_Parse(parser, (const char *)data, (int)size, *behind == 0) == XML_STATUS_OK;
    if (good && *behind)
        good = XML_Parse(parser, behind, (int)strlen(behind), 1) == XML_STATUS_OK;
    XML_ParserFree(parser);
    return good;
}

static int begins_with(const uint8_t *data, size_t size, const char *bytes, size_t length)
{
    return size >= length && memcmp(data, bytes, length) == 0;
}

/* Whether expat is known to accept what this error refuses. */
static int is_known(const uint8_t *data, size_t size, xf_error error, const content *theirs)
{
    switch (error) {
    case XF_E_XML_DECLARATION: {
        /* expat takes any version, and a declaration of any length. */
        const uint8_t *end = memchr(data, '>', size);
        return theirs->odd_version || !end || end - data >= 256;
    }
    case XF_E_TEXT_BEFORE_ROOT:
        /* For XML a byte order mark is no character; for XMPP it is (RFC 6120 section 11.6). */
        return begins_with(data, size, "\xEF\xBB\xBF", 3);
    case XF_E_CHAR:
        /* expat detects UTF-16 by its first two bytes (XML 1.0 appendix F). */
        return begins_with(data, size, "\0<", 2);
    default:
        return 0;
    }
}

static void fail(const char *what, const record *r, const content *ours, const content *theirs)
{
    fprintf(stderr, "%s\n  our error: %s at %llu\n  ours:   ", what, xf_error_text(r->error),
            (unsigned long long)r->offset);
    fwrite(ours->bytes, 1, ours->length, stderr);
    fprintf(stderr, "\n  expat's: ");
    fwrite(theirs->bytes, 1, theirs->length, stderr);
    fprintf(stderr, "\n");
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    uint8_t choice = *data++;
    unsigned kernels = 0;
    size--;
    while (xf_usable_kernel(kernels))
        kernels++;
    content ours = {.is_stream = choice & 1}, theirs = {.is_stream = choice & 1};
    memory m = {0};
    record r = {0};
    plan p = {.kernel = xf_usable_kernel((choice >> 1) % kernels), .limits = &widest_limits,
              .memory = &m, .single = !ours.is_stream, .see = see, .context = &ours};
    read_stream(&p, data, size, &r);
    if (r.fault)
        fail(r.fault, &r, &ours, &theirs);

    char *behind = calloc(1, ours.root_name.length + 4);
    if (!behind)
        abort();
    int open = ours.depth == 1 && !r.error;
    if (open) {
        snprintf(behind, ours.root_name.length + 4, "</%.*s>", (int)ours.root_name.length,
                 (const char *)ours.root_name.bytes);
        put_mark(&ours, END);
    }
    int good = expat_accepts(data, size, behind, &theirs);
    if (theirs.length < ours.length ||
        (ours.length && memcmp(ours.bytes, theirs.bytes, ours.length) != 0))
        fail("expat reads something else", &r, &ours, &theirs);
    if (!r.error && r.events) {
        if (!good)
            fail("expat refuses what we accept", &r, &ours, &theirs);
        if (ours.length != theirs.length)
            fail("expat reads more", &r, &ours, &theirs);
    }
    if (r.error && good && strcmp(xf_error_condition(r.error), "not_well_formed") == 0 &&
        !is_known(data, size, r.error, &theirs))
        fail("expat accepts what we refuse", &r, &ours, &theirs);
    free(behind);
    free((void *)(uintptr_t)ours.root_name.bytes);
    free(ours.bytes);
    free(theirs.bytes);
    forget(&r);
    return 0;
}
