/* The walk: a stanza from its index of positions to its tape. Included once by every kernel.
 *
 * It takes tags whose names are unprefixed ASCII names shorter than a window, with single or double
 * quotes and any white space before attributes. On everything else it stops in front of the tag:
 * slow and right beats fast and nearly right. It makes no errors and needs no limits but those
 * below, since what goes past one is "everything else".
 *
 * A kernel defines
 *   XF_WINDOW                    bytes looked at together, at most 32
 *   XF_LOOK(p, &space, &plain)   masks of the window at p, the bits above it 0: bit i of `space` is
 *                                set if p[i] is white space (any control character counts: the
 *                                illegal ones are out already), bit i of `plain` if p[i] is a
 *                                letter, a digit, or one of - . _
 *   XF_SAME(p, q, length)        whether length < XF_WINDOW bytes are the same; reads the window
 */

/* Attributes per tag that the walk takes: few enough to compare each with each. */
#define XF_FEW 16
/* Slots that one tag may take. */
#define XF_ROOM (XF_ELEMENT_SLOTS + XF_FEW)

/* Multiplier that spreads the usual attribute names (to, from, id, type, xmlns, jid, node, ...) over
 * 64 bits without collision. */
#define XF_SPREAD 0x4d4869057cb2c511u

/* Whether a name is among the attributes before it, given that one with its hash is. */
static XF_NOINLINE int repeated(const uint8_t *b, const xf_slot *first, const xf_slot *last,
                                uint32_t name, uint32_t length)
{
    for (; first < last; first++) {
        const xf_attribute *a = (const xf_attribute *)first;
        if (a->name_length == length && memcmp(b + a->name, b + name, length) == 0)
            return 1;
    }
    return 0;
}

/* Walks over a value that has more in it than its closing quote. `entry` is that of the opening
 * quote; returns the entry of the closing one, or NULL. */
static XF_NOINLINE const uint32_t *long_value(const uint8_t *b, const uint32_t *entry,
                                              uint32_t *flags)
{
    uint8_t quote = b[*entry++];
    for (;;) {
        uint8_t c = b[*entry];
        uint32_t behind;
        if (c == quote)
            return entry;
        switch (c) {
        case '&':
            if (b[entry[1]] != ';' || xf_read_reference(b, *entry, entry[1] + 1, &behind) != 0)
                return 0;
            *flags |= XF_ESCAPED;
            entry += 2;
            break;
        case '\'':
        case '"':
        case '>':
        case ';':
            entry++;
            break;
        default:
            return 0;
        }
    }
}

static xf_walked walk(xf_tokenizer *t)
{
    const uint8_t *const b = t->buffer;
    const uint32_t *entry = t->index + t->next;
    xf_slot *tape = t->tape;
    const uint64_t name_stop = t->name_stop;
    uint32_t slots = t->slots, room = t->slots_capacity, open = t->open, depth = t->depth;
    uint32_t elements = t->elements, default_ns = t->default_ns, scope = t->scope;
    uint32_t flags = t->flags;
    xf_walked walked = XF_WALK_STOP;

    for (;;) {
        uint32_t start = *entry;
        uint8_t c = b[start];
        if (XF_UNLIKELY(c != '<')) { /* text with characters that may matter */
            uint32_t behind;
            if (c == '\'' || c == '"' || c == ';') {
                entry++;
                continue;
            }
            if (c == '>' && !(b[start - 1] == ']' && b[start - 2] == ']')) {
                entry++;
                continue;
            }
            if (c == '&' && b[entry[1]] == ';' &&
                xf_read_reference(b, start, entry[1] + 1, &behind) == 0) {
                flags |= XF_ESCAPED;
                entry += 2;
                continue;
            }
            break;
        }

        if (b[start + 1] == '/') {
            xf_element *e = (xf_element *)(tape + open);
            uint32_t length = e->name_length, close = entry[1];
            if (close != start + 2 + length || b[close] != '>' || e->prefixes || depth == 0)
                break;
            if (XF_LIKELY(length < XF_WINDOW)) {
                if (!XF_SAME(b + start + 2, b + e->start + 1, length))
                    break;
            } else if (memcmp(b + start + 2, b + e->start + 1, length) != 0) {
                break;
            }
            e->content_end = start;
            e->skip = slots - open;
            entry += 2;
            if (--depth == 0) {
                t->at = close + 1;
                walked = XF_WALK_STANZA;
                break;
            }
            open = e->parent;
            e = (xf_element *)(tape + open);
            default_ns = e->default_ns;
            scope = e->scope;
            continue;
        }

        /* A start tag. */
        if (XF_UNLIKELY(room - slots < XF_ROOM)) {
            if (!xf_reserve(t, slots - t->slots + XF_ROOM))
                break;
            tape = t->tape;
            room = t->slots_capacity;
        }
        uint64_t space, plain;
        XF_LOOK(b + start + 1, &space, &plain);
        uint32_t length = xf_lowest(~plain | name_stop);
        if (length == 0 || !(xf_classes[b[start + 1]] & XF_NAME_START))
            break;
        uint32_t at = start + 1 + length;
        xf_slot *slot = tape + slots + XF_ELEMENT_SLOTS;
        const uint32_t *next = entry + 1;
        uint64_t hashes = 0;
        uint32_t inner_ns = default_ns, inner_scope = scope, close;
        for (;;) {
            if (b[at] == '>') {
                close = at;
                break;
            }
            if (b[at] == '/' && b[at + 1] == '>') {
                close = at + 1;
                break;
            }
            XF_LOOK(b + at, &space, &plain);
            uint32_t gap = xf_lowest(~space);
            uint32_t name = at + gap;
            uint32_t name_length = xf_lowest(~(plain >> gap) | name_stop);
            uint32_t quote = *next;
            if (XF_UNLIKELY(name_length == 0 || name + name_length + 1 != quote)) {
                if (name_length == 0 && gap > 0 && (b[name] == '>' || b[name] == '/')) {
                    at = name; /* white space before the end of the tag */
                    if (b[name] == '>' || b[name + 1] == '>')
                        continue;
                }
                /* The one attribute with a prefix that is everywhere. */
                if (name + 9 != quote || memcmp(b + name, "xml:lang", 8) != 0 ||
                    t->limits.name_bytes < 8)
                    goto stop;
                name_length = 8;
            }
            if (gap == 0 || b[quote - 1] != '=' || !(xf_classes[b[name]] & XF_NAME_START) ||
                slot - (tape + slots) == XF_ROOM)
                goto stop;
            uint8_t mark = b[quote];
            const uint32_t *last = next + 1;
            if (mark != '\'' && mark != '"')
                goto stop;
            if (XF_UNLIKELY(b[*last] != mark)) {
                last = long_value(b, next, &flags);
                if (!last)
                    goto stop;
            }
            uint32_t value_length = *last - quote - 1;

            uint64_t key = xf_name_key(b + name, name_length);
            uint64_t bit = (uint64_t)1 << (key * XF_SPREAD >> 58);
            if (XF_UNLIKELY(hashes & bit) &&
                repeated(b, tape + slots + XF_ELEMENT_SLOTS, slot, name, name_length))
                goto stop;
            hashes |= bit;
            if (name_length == 5 && memcmp(b + name, "xmlns", 5) == 0) {
                /* The reserved namespace names have 29 and 36 characters; references may hide
                 * them. */
                if (value_length == 29 || value_length == 36 || last != next + 1)
                    goto stop;
                inner_ns = (uint32_t)(slot - tape);
                inner_scope++;
            }
            xf_attribute *a = (xf_attribute *)slot++;
            a->name = name;
            a->name_length = name_length;
            a->value = quote + 1;
            a->value_length = value_length;
            next = last + 1;
            at = *last + 1;
        }

        {
            uint32_t attributes = (uint32_t)(slot - (tape + slots)) - XF_ELEMENT_SLOTS;
            if (XF_UNLIKELY(b[*next] != '>' || *next != close || depth >= t->limits.depth ||
                            elements > t->limits.children || attributes > t->limits.attributes ||
                            inner_scope > t->limits.namespaces))
                break;
            xf_element *e = (xf_element *)(tape + slots);
            e->start = start;
            e->tag_end = close + 1;
            e->content_end = close + 1;
            e->skip = (uint32_t)(slot - (tape + slots));
            e->name_length = length;
            e->attributes = attributes;
            e->ns = inner_ns;
            e->parent = open;
            e->prefix_length = 0;
            e->scope = inner_scope;
            e->prefixes = 0;
            e->default_ns = inner_ns;
            entry = next + 1;
            elements++;
            if (b[close - 1] == '/') {
                slots = (uint32_t)(slot - tape);
                if (depth == 0) {
                    t->at = close + 1;
                    walked = XF_WALK_STANZA;
                    break;
                }
            } else {
                open = slots;
                slots = (uint32_t)(slot - tape);
                depth++;
                default_ns = inner_ns;
                scope = inner_scope;
            }
        }
    }
stop:
    t->next = (uint32_t)(entry - t->index);
    t->slots = slots;
    t->open = open;
    t->depth = depth;
    t->elements = elements;
    t->default_ns = default_ns;
    t->scope = scope;
    t->flags = flags;
    return walked;
}
