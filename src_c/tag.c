#include "tag.h"

#include "namespaces.h"
#include "scan.h"

static int fail(xf_fault *fault, xf_error error, uint32_t place, uint32_t at)
{
    fault->place = place;
    fault->at = at;
    return (int)error;
}

static uint32_t skip_space(const uint8_t *b, uint32_t at, uint32_t end)
{
    while (at < end && xf_classes[b[at]] & XF_SPACE)
        at++;
    return at;
}

/* Reads a qualified name. *at is moved behind it, where there is still a byte; *prefix gets the
 * length of its prefix. */
static int read_name(const xf_tokenizer *t, uint32_t *at, uint32_t end, uint32_t *prefix,
                     xf_fault *fault)
{
    const uint8_t *b = t->buffer;
    uint32_t start = *at, behind = xf_name_end(b, start, end), most = t->limits.name_bytes;
    if (behind - start > most)
        return fail(fault, XF_E_NAME_BYTES, start, start + most);
    if (behind == end)
        return XF_READ_MORE;
    int32_t length = xf_prefix_length(b + start, behind - start);
    if (length < 0)
        return fail(fault, XF_E_NAME, start, behind);
    *prefix = (uint32_t)length;
    *at = behind;
    return 0;
}

/* Where a byte is next, or `end`. */
static uint32_t next_place(const uint8_t *b, uint32_t at, uint32_t end, int byte)
{
    const uint8_t *found = memchr(b + at, byte, end - at);
    return found ? (uint32_t)(found - b) : end;
}

/* Reads a value from behind its opening quote to its closing one, where *at is left. */
static int read_value(xf_tokenizer *t, uint32_t *at, uint32_t end, uint8_t quote, xf_fault *fault)
{
    const uint8_t *b = t->buffer;
    uint32_t closing = next_place(b, *at, end, quote);
    uint32_t lt = next_place(b, *at, closing, '<');
    for (uint32_t i = *at;;) {
        i = next_place(b, i, lt, '&');
        if (i == lt)
            break;
        uint32_t behind;
        int result = xf_read_reference(b, i, end, &behind);
        if (result < 0)
            return XF_READ_MORE;
        if (result)
            return fail(fault, (xf_error)result, i, behind);
        t->flags |= XF_ESCAPED;
        i = behind;
    }
    if (lt < closing)
        return fail(fault, XF_E_LT_IN_VALUE, lt, lt);
    *at = closing;
    return closing == end ? XF_READ_MORE : 0;
}

/* Reads one attribute from its first byte; *at is left behind its closing quote. */
static int read_attribute(xf_tokenizer *t, uint32_t *at, uint32_t end, xf_attribute *a,
                          xf_fault *fault)
{
    const uint8_t *b = t->buffer;
    uint32_t i = *at, prefix;
    int result;
    /* Where a name must begin, a character that can't begin one is the byte at fault; a cut off
     * character isn't visible yet. */
    if (xf_name_end(b, i, end) == i)
        return fail(fault, XF_E_TAG, i, i);
    a->name = i;
    if ((result = read_name(t, &i, end, &prefix, fault)))
        return result;
    a->name_length = i - a->name;
    i = skip_space(b, i, end);
    if (i == end)
        return XF_READ_MORE;
    if (b[i] != '=')
        return fail(fault, XF_E_TAG, i, i);
    i = skip_space(b, i + 1, end);
    if (i == end)
        return XF_READ_MORE;
    uint8_t quote = b[i];
    if (quote != '\'' && quote != '"')
        return fail(fault, XF_E_TAG, i, i);
    a->value = ++i;
    if ((result = read_value(t, &i, end, quote, fault)))
        return result;
    a->value_length = i - a->value;
    *at = i + 1;
    return 0;
}

static xf_span value_of(const xf_tokenizer *t, const xf_attribute *a)
{
    xf_span value = {t->buffer + a->value, a->value_length};
    return value;
}

/* Where a prefix is declared, looking at the declarations inside the stanza, then at the header. */
static uint32_t find_prefix(const xf_tokenizer *t, const uint8_t *prefix, uint32_t length)
{
    if (length == 3 && memcmp(prefix, "xml", 3) == 0)
        return XF_NS_XML;
    for (uint32_t i = t->scopes_used; i--;) {
        uint32_t slot = t->scopes[i].declaration;
        const xf_attribute *a = xf_attribute_at(t->tape, slot);
        if (a->name_length - 6 == length && memcmp(t->buffer + a->name + 6, prefix, length) == 0)
            return slot;
    }
    return xf_header_declaration(t->header, prefix, length);
}

static int push_scope(xf_tokenizer *t, uint32_t declaration, uint32_t element)
{
    if (t->scopes_used == t->scopes_capacity) {
        uint32_t capacity = t->scopes_capacity ? t->scopes_capacity * 2 : 8;
        void *scopes =
            t->allocator.resize(t->allocator.context, t->scopes, capacity * sizeof(xf_scope));
        if (!scopes)
            return 0;
        t->scopes = scopes;
        t->scopes_capacity = capacity;
    }
    t->scopes[t->scopes_used].declaration = declaration;
    t->scopes[t->scopes_used++].element = element;
    return 1;
}

/* Namespaces in XML 1.0 section 3: reserved prefixes and namespace names; no prefix is undeclared
 * (section 5, its 1.1 alone would allow that). */
static int check_declaration(const xf_tokenizer *t, const xf_attribute *a, int32_t prefix_length)
{
    const uint8_t *prefix = t->buffer + a->name + 6;
    xf_span value = value_of(t, a);
    int is_xml = xf_value_is(value, XF_XML_NAMESPACE);
    if (prefix_length == 3 && memcmp(prefix, "xml", 3) == 0)
        return is_xml ? 0 : XF_E_NAMESPACE;
    if (is_xml || xf_value_is(value, XF_XMLNS_NAMESPACE))
        return XF_E_NAMESPACE;
    if (prefix_length == 5 && memcmp(prefix, "xmlns", 5) == 0)
        return XF_E_NAMESPACE;
    return prefix_length > 0 && value.length == 0 ? XF_E_NAMESPACE_EMPTY : 0;
}

/* Takes in the declarations among an element's attributes. */
static int declare(xf_tokenizer *t, xf_element *e, uint32_t element, uint32_t at, xf_fault *fault)
{
    for (uint32_t slot = element + XF_ELEMENT_SLOTS, i = 0; i < e->attributes; i++, slot++) {
        const xf_attribute *a = xf_attribute_at(t->tape, slot);
        int32_t prefix_length = xf_declares(t->buffer + a->name, a->name_length);
        if (prefix_length < 0)
            continue;
        if (++e->scope > t->limits.namespaces)
            return fail(fault, XF_E_NAMESPACES, a->name, at);
        int error = check_declaration(t, a, prefix_length);
        if (error)
            return fail(fault, (xf_error)error, a->name, at);
        if (prefix_length == 0) {
            e->default_ns = slot;
        } else {
            e->prefixes++;
            if (!push_scope(t, slot, element))
                return XF_READ_NO_MEMORY;
        }
    }
    return 0;
}

/* What makes attributes duplicates of each other: the namespace they have by a prefix, and the rest
 * of the name. A name without prefix has none, whatever the default namespace is. */
typedef struct {
    xf_span ns, local;
    uint32_t hash;
} xf_identity;

static int same_identity(const xf_identity *a, const xf_identity *b)
{
    return a->hash == b->hash && a->local.length == b->local.length &&
           memcmp(a->local.bytes, b->local.bytes, a->local.length) == 0 &&
           !a->ns.bytes == !b->ns.bytes && (!a->ns.bytes || xf_same_value(a->ns, b->ns));
}

static void hash_identity(xf_identity *identity)
{
    identity->hash = xf_value_hash(identity->local, 0x811C9DC5u);
    if (identity->ns.bytes)
        identity->hash = xf_value_hash(identity->ns, identity->hash);
}

/* Looks one attribute's name up; declarations are in a namespace that nothing else can be in. */
static int identify(const xf_tokenizer *t, const xf_attribute *a, xf_identity *identity)
{
    const uint8_t *name = t->buffer + a->name;
    xf_span whole = {name, a->name_length}, none = {0, 0};
    identity->ns = none;
    identity->local = whole;
    int32_t prefix = xf_declares(name, a->name_length) >= 0
                         ? 0
                         : xf_prefix_length(name, a->name_length);
    if (prefix > 0) {
        uint32_t ns = find_prefix(t, name, (uint32_t)prefix);
        if (ns == XF_NS_NONE)
            return 0;
        xf_piece piece = {t->buffer, t->tape, t->header, 0, 0, 0, 0};
        identity->ns = xf_namespace(&piece, ns);
        identity->local.bytes += prefix + 1;
        identity->local.length -= (uint32_t)prefix + 1;
    }
    identity->hash = 0;
    return 1;
}

/* Checks that the attributes' prefixes are declared and that no two are the same. Open addressing
 * in a table of twice their number keeps it linear; a few are compared each with each. */
static int check_attributes(xf_tokenizer *t, const xf_element *e, uint32_t element, uint32_t at,
                            xf_fault *fault)
{
    enum { FEW = 8 };
    xf_identity few[FEW], *known = few;
    uint32_t size = FEW, used = 0;
    int result = 0, hashed = e->attributes > FEW;
    if (hashed) {
        while (size < 2 * e->attributes)
            size *= 2;
        known = t->allocator.resize(t->allocator.context, 0, size * sizeof(xf_identity));
        if (!known)
            return XF_READ_NO_MEMORY;
        memset(known, 0, size * sizeof(xf_identity));
    }
    for (uint32_t i = 0; i < e->attributes && !result; i++) {
        const xf_attribute *a = xf_attribute_at(t->tape, element + XF_ELEMENT_SLOTS + i);
        xf_identity identity;
        if (!identify(t, a, &identity)) {
            result = fail(fault, XF_E_PREFIX, a->name, at);
            break;
        }
        if (hashed)
            hash_identity(&identity);
        uint32_t place = hashed ? identity.hash & (size - 1) : 0;
        while (hashed ? known[place].local.bytes != 0 : place < used) {
            if (same_identity(&known[place], &identity)) {
                result = fail(fault, XF_E_DUPLICATE, a->name, at);
                break;
            }
            place = hashed ? (place + 1) & (size - 1) : place + 1;
        }
        known[place] = identity;
        used++;
    }
    if (hashed)
        t->allocator.resize(t->allocator.context, known, 0);
    return result;
}

/* The checks that docs/errors.md has made with the closing ">", which is at `at`. */
static int finish_start_tag(xf_tokenizer *t, xf_element *e, uint32_t element, uint32_t at,
                            xf_fault *fault)
{
    int result;
    if (t->depth >= t->limits.depth)
        return fail(fault, XF_E_DEPTH, e->start, at);
    if (t->elements > t->limits.children)
        return fail(fault, XF_E_CHILDREN, e->start, at);
    if ((result = declare(t, e, element, at, fault)))
        return result;
    if (e->prefix_length) {
        const uint8_t *name = t->buffer + e->start + 1;
        if (e->prefix_length == 5 && memcmp(name, "xmlns", 5) == 0)
            return fail(fault, XF_E_NAMESPACE, e->start + 1, at);
        e->ns = find_prefix(t, name, e->prefix_length);
        if (e->ns == XF_NS_NONE)
            return fail(fault, XF_E_PREFIX, e->start + 1, at);
    } else {
        e->ns = e->default_ns;
    }
    return check_attributes(t, e, element, at, fault);
}

/* Whether the element or one of its attributes has a prefix that the header declares. */
static int leans(const xf_tokenizer *t, const xf_element *e, uint32_t element)
{
    if (e->prefix_length && e->ns != XF_NS_XML && e->ns & XF_NS_HEADER)
        return 1;
    for (uint32_t i = 0; i < e->attributes; i++) {
        const xf_attribute *a = xf_attribute_at(t->tape, element + XF_ELEMENT_SLOTS + i);
        const uint8_t *name = t->buffer + a->name;
        int32_t prefix = xf_prefix_length(name, a->name_length);
        if (prefix > 0 && xf_declares(name, a->name_length) < 0) {
            uint32_t ns = find_prefix(t, name, (uint32_t)prefix);
            if (ns != XF_NS_XML && ns & XF_NS_HEADER)
                return 1;
        }
    }
    return 0;
}

static int read_start_tag(xf_tokenizer *t, uint32_t start, uint32_t end, int *closed,
                          xf_fault *fault)
{
    const uint8_t *b = t->buffer;
    uint32_t element = t->slots, at = start + 1;
    int result;
    if (!xf_reserve(t, XF_ELEMENT_SLOTS))
        return XF_READ_NO_MEMORY;
    xf_element new = {.start = start,
                      .parent = t->open,
                      .scope = t->scope,
                      .default_ns = t->default_ns};
    if ((result = read_name(t, &at, end, &new.prefix_length, fault)))
        return result;
    new.name_length = at - start - 1;
    t->slots += XF_ELEMENT_SLOTS;
    for (;;) {
        uint32_t behind = skip_space(b, at, end);
        if (behind == end)
            return XF_READ_MORE;
        if (b[behind] == '>') {
            at = behind;
            break;
        }
        if (b[behind] == '/') {
            if (behind + 1 == end)
                return XF_READ_MORE;
            if (b[behind + 1] != '>')
                return fail(fault, XF_E_TAG, behind + 1, behind + 1);
            *closed = 1;
            at = behind + 1;
            break;
        }
        if (behind == at)
            return fail(fault, XF_E_TAG, at, at);
        at = behind;
        if (new.attributes == t->limits.attributes) {
            /* What can't begin an attribute isn't one too many. */
            if (xf_name_end(b, at, end) == at)
                return fail(fault, XF_E_TAG, at, at);
            return fail(fault, XF_E_ATTRIBUTES, at, at);
        }
        if (!xf_reserve(t, 1))
            return XF_READ_NO_MEMORY;
        if ((result = read_attribute(t, &at, end, (xf_attribute *)(t->tape + t->slots), fault)))
            return result;
        new.attributes++;
        t->slots++;
    }
    new.tag_end = new.content_end = at + 1;
    new.skip = t->slots - element;
    if ((result = finish_start_tag(t, &new, element, at, fault)))
        return result;
    if (leans(t, &new, element))
        t->flags |= XF_LEANS;
    memcpy(t->tape + element, &new, sizeof new);
    t->elements++;
    if (!*closed) {
        t->open = element;
        t->depth++;
        t->default_ns = new.default_ns;
        t->scope = new.scope;
    } else {
        t->scopes_used -= new.prefixes;
    }
    return 0;
}

int xf_read_start_tag(xf_tokenizer *t, uint32_t start, uint32_t end, int *closed, xf_fault *fault)
{
    uint32_t slots = t->slots, scopes = t->scopes_used, flags = t->flags;
    *closed = 0;
    int result = read_start_tag(t, start, end, closed, fault);
    if (result) {
        t->slots = slots;
        t->scopes_used = scopes;
        t->flags = flags;
    }
    return result;
}

int xf_read_end_tag(const xf_tokenizer *t, uint32_t start, uint32_t end, const uint8_t *name,
                    uint32_t name_length, xf_fault *fault)
{
    const uint8_t *b = t->buffer;
    uint32_t at = start + 2;
    for (uint32_t i = 0; i < name_length; i++, at++) {
        if (at == end)
            return XF_READ_MORE;
        if (b[at] != name[i])
            return fail(fault, XF_E_MISMATCH, start, at);
    }
    if (at == end)
        return XF_READ_MORE;
    if (b[at] != '>' && !(xf_classes[b[at]] & XF_SPACE))
        return fail(fault, XF_E_MISMATCH, start, at);
    at = skip_space(b, at, end);
    if (at == end)
        return XF_READ_MORE;
    return b[at] == '>' ? 0 : fail(fault, XF_E_TAG, at, at);
}

/* One part of the XML declaration: white space, name, "=", quoted value. Returns whether it is
 * there; *at is moved behind it. */
static int read_part(const uint8_t *b, uint32_t *at, uint32_t end, const char *name,
                     xf_span *value)
{
    uint32_t i = skip_space(b, *at, end), length = (uint32_t)strlen(name);
    if (i == *at || end - i < length || memcmp(b + i, name, length) != 0)
        return 0;
    i = skip_space(b, i + length, end);
    if (i == end || b[i] != '=')
        return 0;
    i = skip_space(b, i + 1, end);
    if (i == end || (b[i] != '\'' && b[i] != '"'))
        return 0;
    uint8_t quote = b[i++];
    value->bytes = b + i;
    while (i < end && b[i] != quote)
        i++;
    if (i == end)
        return 0;
    value->length = (uint32_t)(b + i - value->bytes);
    *at = i + 1;
    return 1;
}

static int span_is(xf_span span, const char *text)
{
    return span.length == strlen(text) && memcmp(span.bytes, text, span.length) == 0;
}

/* XML 1.0 production 81, EncName. */
static int is_encoding_name(xf_span name)
{
    for (uint32_t i = 0; i < name.length; i++) {
        uint8_t c = name.bytes[i], lower = c | 0x20;
        int letter = lower >= 'a' && lower <= 'z';
        int other = (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
        if (!letter && !(i && other))
            return 0;
    }
    return name.length > 0;
}

/* XML 1.0 fifth edition, production 26, VersionNum. */
static int is_version(xf_span version)
{
    if (version.length < 3 || memcmp(version.bytes, "1.", 2) != 0)
        return 0;
    for (uint32_t i = 2; i < version.length; i++)
        if (version.bytes[i] < '0' || version.bytes[i] > '9')
            return 0;
    return 1;
}

static int is_utf8(xf_span name)
{
    static const char lower[] = "utf-8";
    if (name.length != sizeof lower - 1)
        return 0;
    for (uint32_t i = 0; i < name.length; i++)
        if ((name.bytes[i] | 0x20) != (lower[i] | 0x20))
            return 0;
    return 1;
}

int xf_read_declaration(const xf_tokenizer *t, uint32_t start, uint32_t end, xf_fault *fault)
{
    const uint8_t *b = t->buffer;
    uint32_t at = start + 5, close = end - 2; /* behind "<?xml", before "?>" */
    xf_span version, encoding = {0, 0}, standalone = {0, 0};
    int good = read_part(b, &at, close, "version", &version) && is_version(version);
    if (good && read_part(b, &at, close, "encoding", &encoding))
        good = is_encoding_name(encoding);
    if (good && read_part(b, &at, close, "standalone", &standalone))
        good = span_is(standalone, "yes") || span_is(standalone, "no");
    if (!good || skip_space(b, at, close) != close)
        return fail(fault, XF_E_XML_DECLARATION, start, end - 1);
    if (!span_is(version, "1.0"))
        return fail(fault, XF_E_XML_VERSION, start, end - 1);
    if (encoding.bytes && !is_utf8(encoding))
        return fail(fault, XF_E_ENCODING, start, end - 1);
    return 0;
}
