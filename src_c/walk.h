/* The walk: a stanza from its index of positions to its tape. Included once by every kernel.
 *
 * It takes tags whose names are unprefixed ASCII names shorter than a window and than the limit,
 * with single or double quotes and any white space before attributes. On everything else it stops
 * in front of the tag: slow and right beats fast and nearly right. It makes no errors and needs no
 * limits but those below, since what goes past one is "everything else".
 *
 * A kernel defines
 *   XF_WINDOW                    bytes looked at together, at most 32
 *   XF_LOOK(p, &space, &plain)   masks of the window at p, the bits above it 0: bit i of `space` is
 *                                set if p[i] is white space (any control character counts: the
 *                                illegal ones are out already), bit i of `plain` if p[i] is a
 *                                letter, a digit, or one of - . _
 *   XF_SAME(p, q, length)        whether length < XF_WINDOW bytes are the same; reads the window
 *   XF_KEY(p, length)            xf_name_key for length < 32, any number for others: the walk asks
 *                                before it has checked the length
 */

#include "known.h"

/* Slots that one tag may take. */
#define XF_ROOM (XF_ELEMENT_SLOTS + XF_FEW)

/* Reads the name of an attribute between the end of what is before it and its opening quote, and
 * any white space in front. Returns its length, or 0 for one that the walk doesn't take. */
XF_INLINE size_t read_name(const uint8_t *b, size_t at, size_t quote, size_t *name)
{
    uint64_t space, plain;
    if (b[at] == ' ' && xf_is_known_long(b + at + 1, quote - at - 2)) {
        *name = at + 1;
        return quote - at - 2;
    }
    XF_LOOK(b + at, &space, &plain);
    size_t gap = xf_lowest(~space);
    size_t length = xf_lowest(~(plain >> gap));
    *name = at + gap;
    return b[at + gap] < 'A' || at + gap + length + 1 != quote ? 0 : length;
}

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

/* Whether the value of an `xmlns` is, or hides, a namespace name that only tag.c may judge. Its
 * first index entry is behind that of the opening quote if nothing but the closing quote ends
 * it. */
XF_INLINE int needs_judging(const uint8_t *value, uint32_t length, int simple)
{
    return !simple ||
           ((length == 29 || length == 36) && memcmp(value, "http://www.w3.org/", 18) == 0);
}

/* A tape of fewer slots has room for one more tag, and is too short to be at any limit. */
XF_INLINE uint32_t easy_slots(const xf_tokenizer *t)
{
    uint32_t room = t->slots_capacity < XF_ROOM ? 0 : t->slots_capacity - XF_ROOM + 1;
    return room < t->easy ? room : t->easy;
}

static xf_walked walk(xf_tokenizer *t)
{
    const uint8_t *const b = t->buffer;
    const uint32_t *entry = t->index + t->next;
    xf_slot *tape = t->tape;
    uint32_t easy = easy_slots(t);
    uint32_t slots = t->slots, open = t->open, depth = t->depth, default_ns = t->default_ns;
    xf_walked walked = XF_WALK_STOP;

    for (;;) {
        size_t start = *entry;
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
                xf_read_reference(b, (uint32_t)start, entry[1] + 1, &behind) == 0) {
                t->flags |= XF_ESCAPED;
                entry += 2;
                continue;
            }
            break;
        }

        if (b[start + 1] == '/') {
            xf_element *e = (xf_element *)(tape + open);
            size_t length = e->name_length, close = entry[1];
            if (close != start + 2 + length || b[close] != '>' || e->prefixes)
                break;
            if (XF_LIKELY(length < XF_WINDOW)) {
                if (!XF_SAME(b + start + 2, b + e->start + 1, (uint32_t)length))
                    break;
            } else if (memcmp(b + start + 2, b + e->start + 1, length) != 0) {
                break;
            }
            e->content_end = (uint32_t)start;
            e->skip = slots - open;
            entry += 2;
            if (--depth == 0) {
                t->at = (uint32_t)close + 1;
                walked = XF_WALK_STANZA;
                break;
            }
            open = e->parent;
            e = (xf_element *)(tape + open);
            default_ns = e->default_ns;
            t->scope = e->scope;
            continue;
        }

        /* A start tag. Of the characters of plain names, those that may begin one (XML 1.0,
         * production 4) are the ones from "A" on. */
        if (XF_UNLIKELY(slots >= easy)) {
            if (!xf_reserve(t, slots - t->slots + XF_ROOM) || depth >= t->limits.depth ||
                t->elements > t->limits.children || t->scope >= t->limits.namespaces)
                break;
            tape = t->tape;
            easy = easy_slots(t);
        }
        uint64_t space, plain;
        XF_LOOK(b + start + 1, &space, &plain);
        size_t length = xf_lowest(~plain);
        if (b[start + 1] < 'A' || length == 0)
            break;
        size_t at = start + 1 + length;
        xf_slot *const first = tape + slots + XF_ELEMENT_SLOTS, *slot = first;
        const xf_slot *const most = first + t->few;
        const uint32_t *next = entry + 1;
        uint64_t hashes = 0;
        uint32_t inner_ns = default_ns;
        while (XF_LIKELY(b[at] <= ' ')) {
            size_t name = at + 1, quote = *next, name_length = quote - 1 - name;
            uint64_t key = XF_KEY(b + name, name_length);
            unsigned hash = xf_known_hash(key);
            if (XF_UNLIKELY(b[at] != ' ' || name_length - 1 > 7 || xf_known[hash].key != key)) {
                name_length = read_name(b, at, quote, &name);
                if (name_length == 0) { /* white space before the end of the tag, perhaps */
                    at = name;
                    break;
                }
                key = XF_KEY(b + name, name_length);
                hash = xf_known_hash(key);
            }
            if (memcmp(b + quote - 1, "='", 2) != 0 && memcmp(b + quote - 1, "=\"", 2) != 0)
                goto stop;
            size_t behind = next[1];
            const uint32_t *const opening = next;
            if (XF_UNLIKELY(b[behind] != b[quote])) {
                next = long_value(b, next, &t->flags);
                if (!next)
                    goto stop;
                behind = *next--;
            }
            size_t value = quote + 1, value_length = behind - value;
            if (XF_UNLIKELY(hashes >> hash & 1) &&
                repeated(b, first, slot, (uint32_t)name, (uint32_t)name_length))
                goto stop;
            hashes |= (uint64_t)1 << hash;
            if (key == xf_known[XF_KNOWN_XMLNS].key) {
                if (needs_judging(b + value, (uint32_t)value_length, next == opening))
                    goto stop;
                inner_ns = (uint32_t)(slot - tape);
            }
            if (XF_UNLIKELY(slot == most))
                goto stop;
            xf_attribute *a = (xf_attribute *)slot++;
            a->name = (uint32_t)name;
            a->name_length = (uint32_t)name_length;
            a->value = (uint32_t)value;
            a->value_length = (uint32_t)value_length;
            at = behind + 1;
            next += 2;
        }

        size_t closes = b[at] == '/', close = at + closes;
        uint32_t scope = t->scope + (inner_ns != default_ns);
        if (XF_UNLIKELY(b[close] != '>'))
            break;
        t->elements++;
        xf_element *e = (xf_element *)(tape + slots);
        e->start = (uint32_t)start;
        e->tag_end = (uint32_t)close + 1;
        e->content_end = (uint32_t)close + 1;
        e->skip = (uint32_t)(slot - first) + XF_ELEMENT_SLOTS;
        e->name_length = (uint32_t)length;
        e->attributes = (uint32_t)(slot - first);
        e->ns = inner_ns;
        e->default_ns = inner_ns;
        e->prefix_length = 0;
        e->prefixes = 0;
        e->scope = scope;
        e->parent = open;
        entry = next + 1;
        if (closes) {
            slots = (uint32_t)(slot - tape);
            if (depth == 0) {
                t->at = (uint32_t)close + 1;
                walked = XF_WALK_STANZA;
                break;
            }
        } else {
            open = slots;
            slots = (uint32_t)(slot - tape);
            depth++;
            default_ns = inner_ns;
            t->scope = scope;
        }
    }
stop:
    t->next = (uint32_t)(entry - t->index);
    t->slots = slots;
    t->open = open;
    t->depth = depth;
    t->default_ns = default_ns;
    return walked;
}
