#include "input.h"

#include "scan.h"
#include "utf8.h"

static void *resize(xf_tokenizer *t, void *block, size_t bytes)
{
    return t->allocator.resize(t->allocator.context, block, bytes);
}

#define FREE(t, block) (resize(t, block, 0), (block) = 0)

static void free_index(xf_tokenizer *t)
{
    if (t->index)
        FREE(t, t->index);
    t->index_capacity = t->entries = t->next = 0;
}

static void free_buffer(xf_tokenizer *t)
{
    if (t->buffer)
        FREE(t, t->buffer);
    if (t->tape)
        FREE(t, t->tape);
    if (t->scopes)
        FREE(t, t->scopes);
    t->capacity = t->slots_capacity = t->scopes_capacity = 0;
    t->slots = t->scopes_used = 0;
}

void xf_release(xf_tokenizer *t)
{
    free_index(t);
    free_buffer(t);
}

int xf_reserve(xf_tokenizer *t, uint32_t slots)
{
    uint64_t least = (uint64_t)t->slots + slots, capacity = t->slots_capacity;
    if (least <= capacity)
        return 1;
    capacity = capacity < 64 ? 64 : capacity * 2;
    if (capacity < least)
        capacity = least;
    if (capacity >= XF_NS_HEADER)
        return 0;
    void *tape = resize(t, t->tape, (size_t)capacity * sizeof(xf_slot));
    if (!tape)
        return 0;
    t->tape = tape;
    t->slots_capacity = (uint32_t)capacity;
    return 1;
}

/* Positions. ------------------------------------------------------------------------------- */

void xf_find_line(const xf_tokenizer *t, uint32_t place, uint64_t *line, uint64_t *line_start)
{
    *line = t->line;
    *line_start = t->line_start;
    if (!t->broken)
        return;
    const uint8_t *b = t->buffer;
    uint64_t lines = 0;
    uint32_t at = 0;
    while (at < place) { /* so few together that a byte counts them: that makes vector code */
        uint32_t block_end = place - at < 128 ? place : at + 128;
        uint8_t few = 0;
        for (; at < block_end; at++)
            few += b[at] == '\n';
        lines += few;
    }
    if (!lines)
        return;
    *line += lines;
    while (b[at - 1] != '\n')
        at--;
    *line_start = t->origin + at;
}

/* Bytes of buffer[from, to) that continue a character. */
static uint64_t count_more(const xf_tokenizer *t, uint32_t from, uint32_t to)
{
    uint64_t more = 0;
    if (t->spread)
        for (; from < to; from++)
            more += (t->buffer[from] & 0xC0) == 0x80;
    return more;
}

/* Of these, those of the line that `place` is in. */
static uint64_t line_more(const xf_tokenizer *t, uint64_t line_start, uint32_t place)
{
    if (line_start > t->line_start) /* it begins in the buffer */
        return count_more(t, (uint32_t)(line_start - t->origin), place);
    return t->line_more + count_more(t, 0, place);
}

void xf_place(const xf_tokenizer *t, uint32_t place, uint64_t *line, uint64_t *column)
{
    uint64_t line_start;
    xf_find_line(t, place, line, &line_start);
    *column = t->origin + place - line_start - line_more(t, line_start, place);
}

void xf_drop(xf_tokenizer *t, uint32_t bytes)
{
    uint64_t line, line_start;
    xf_find_line(t, bytes, &line, &line_start);
    if (t->tags) {
        t->line_more = line_more(t, line_start, bytes);
        t->taken -= bytes;
    }
    t->line = line;
    t->line_start = line_start;
    t->origin += bytes;
    t->filled -= bytes;
    t->end -= bytes;
    t->at -= bytes;
    t->start -= bytes;
    t->item_start -= bytes;
    for (uint32_t i = 0; i < t->cuts; i++)
        t->cut[i] -= bytes;
}

/* Input. ----------------------------------------------------------------------------------- */

uint32_t xf_first_kept(const xf_tokenizer *t)
{
    if (t->tags)
        return t->taken;
    return t->counting ? t->start : t->at;
}

/* Moves the offsets on the tape along with the bytes they mean. */
static void move_tape(xf_tokenizer *t, uint32_t by)
{
    for (uint32_t slot = 0; slot < t->slots;) {
        xf_element *e = (xf_element *)(t->tape + slot);
        e->start -= by;
        e->tag_end -= by;
        e->content_end -= by;
        slot += XF_ELEMENT_SLOTS;
        for (uint32_t i = 0; i < e->attributes; i++, slot++) {
            xf_attribute *a = (xf_attribute *)(t->tape + slot);
            a->name -= by;
            a->value -= by;
        }
    }
}

/* Makes room for `size` more bytes in the buffer and for their index. */
static int make_room(xf_tokenizer *t, uint32_t size)
{
    uint32_t keep = xf_first_kept(t);
    if (keep) {
        xf_drop(t, keep); /* it looks at the bytes */
        memmove(t->buffer, t->buffer + keep, t->filled);
        if (t->mode == XF_IN_STANZA)
            move_tape(t, keep);
    }
    if (t->capacity - t->filled < size) {
        uint32_t capacity = t->filled + size;
        if (t->filled && capacity < t->capacity * 2)
            capacity = t->capacity * 2;
        uint8_t *buffer = resize(t, t->buffer, (size_t)capacity + XF_PADDING);
        if (!buffer)
            return 0;
        t->buffer = buffer;
        t->capacity = capacity;
    }
    if (t->index_capacity < size + XF_CUT_ENTRIES) {
        uint32_t capacity = size + XF_CUT_ENTRIES;
        free_index(t);
        t->index = resize(t, 0, (size_t)(capacity + XF_PADDING) * sizeof(uint32_t));
        if (!t->index)
            return 0;
        t->index_capacity = capacity;
    }
    return 1;
}

/* The first block from `block` on that is set, or is not; or how many there are. */
static uint32_t next_block(const xf_blocks *blocks, uint32_t block, int set)
{
    for (uint32_t word = block / 64; word < XF_SLICE / XF_BLOCK / 64; word++) {
        uint64_t bits = set ? blocks->bits[word] : ~blocks->bits[word];
        if (word == block / 64)
            bits &= ~(uint64_t)0 << block % 64;
        if (bits)
            return word * 64 + xf_lowest(bits);
    }
    return XF_SLICE / XF_BLOCK;
}

/* Whether one of the blocks that bytes [from, to) of the slice lie in is set. */
static int has_block(const xf_blocks *blocks, uint32_t from, uint32_t to)
{
    uint32_t first = from / XF_BLOCK, last = (to - 1) / XF_BLOCK;
    for (uint32_t word = first / 64; word <= last / 64; word++) {
        uint64_t mask = ~(uint64_t)0;
        if (word == first / 64)
            mask <<= first % 64;
        if (word == last / 64)
            mask &= ~(uint64_t)0 >> (63 - last % 64);
        if (blocks->bits[word] & mask)
            return 1;
    }
    return 0;
}

uint32_t xf_marks(const xf_tokenizer *t, uint32_t from, uint32_t to)
{
    from = from > t->slice ? from - t->slice : 0;
    if (to <= t->slice + from)
        return 0;
    to -= t->slice;
    return (has_block(&t->seen.wide, from, to) ? XF_WIDE : 0u) |
           (has_block(&t->seen.control, from, to) ? XF_CONTROL : 0u);
}

uint32_t xf_flags(const xf_tokenizer *t)
{
    return t->flags | xf_slice_flags(t, t->start, t->filled);
}

/* Checks the characters from t->end on. Blocks of plain ASCII need no look: a character that a
 * block breaks off has its next byte, which isn't ASCII, in the next one. */
static int check_characters(const xf_tokenizer *t, uint32_t *place)
{
    if (t->seen.forbidden)
        return xf_utf8_check(t->buffer, t->end, t->filled, place);
    *place = t->filled;
    if (t->end == t->slice && !(t->seen.wide.bits[0] | t->seen.wide.bits[1]))
        return XF_UTF8_GOOD;
    uint32_t from = t->end;
    while (from < t->filled) {
        uint32_t block = 0;
        if (from >= t->slice) { /* what comes before it is the beginning of a character */
            block = next_block(&t->seen.wide, (from - t->slice) / XF_BLOCK, 1);
            if (t->slice + block * XF_BLOCK > from)
                from = t->slice + block * XF_BLOCK;
            if (from >= t->filled)
                break;
        }
        uint32_t end = t->slice + next_block(&t->seen.wide, block, 0) * XF_BLOCK;
        if (end > t->filled)
            end = t->filled;
        int found = xf_utf8_check(t->buffer, from, end, place);
        if (found == XF_UTF8_CUT && end < t->filled)
            return XF_UTF8_BAD; /* what follows is ASCII */
        if (found != XF_UTF8_GOOD)
            return found;
        from = end;
    }
    *place = t->filled;
    return XF_UTF8_GOOD;
}

int xf_load(xf_tokenizer *t, const uint8_t **data, size_t *size)
{
    static const xf_seen nothing;
    uint32_t take = *size < XF_SLICE ? (uint32_t)*size : XF_SLICE, place;
    if (t->counting)
        t->flags |= xf_slice_flags(t, t->start, t->filled);
    if (!make_room(t, take))
        return 0;
    uint32_t before = t->filled;
    t->slice = before;
    t->seen = nothing;
    if (t->cuts) {
        memcpy(t->index, t->cut, sizeof t->cut);
        t->item = XF_NO_ITEM;
    }
    t->entries = t->cuts;
    t->entries += t->kernel->index(*data, take, t->buffer, before, t->index + t->cuts, &t->seen);
    t->next = t->cuts = 0;
    t->item_entry = t->entries + 1; /* none of these yet */
    t->filled += take;
    int found = check_characters(t, &place);
    t->end = place;
    if (found == XF_UTF8_BAD || found == XF_UTF8_NO_CHAR) {
        /* Bytes from there on are left to the caller. */
        t->stop = found == XF_UTF8_BAD ? XF_E_NOT_UTF8 : XF_E_CHAR;
        t->stop_nul = t->buffer[place] == 0;
        t->filled = place > before ? place : before;
        take = t->filled - before;
        while (t->entries && t->index[t->entries - 1] >= t->end)
            t->entries--;
    }
    memset(t->buffer + t->filled, 0, XF_PADDING);
    for (uint32_t i = 0; i < XF_SENTINELS; i++)
        t->index[t->entries + i] = t->filled;
    int control = (t->seen.control.bits[0] | t->seen.control.bits[1]) != 0;
    t->broken |= control;
    t->spread |= (t->seen.wide.bits[0] | t->seen.wide.bits[1]) != 0;
    t->marked = control || (t->seen.wide.bits[0] | t->seen.wide.bits[1]) != 0;
    *data += take;
    *size -= take;
    return 1;
}

void xf_note_cut(xf_tokenizer *t)
{
    uint64_t item = t->origin + t->item_start + 1;
    int is_tag = t->item == XF_OPENING || t->item == XF_START_TAG || t->item == XF_END_TAG;
    if (!is_tag || t->mode != XF_IN_STANZA || item == t->cut_item ||
        t->item_entry >= t->entries || t->entries - t->item_entry > XF_CUT_ENTRIES)
        return;
    t->cut_item = item;
    t->cuts = t->entries - t->item_entry;
    memcpy(t->cut, t->index + t->item_entry, t->cuts * sizeof(uint32_t));
}

void xf_settle(xf_tokenizer *t)
{
    free_index(t);
    if (xf_first_kept(t) == t->filled) {
        if (t->buffer)
            xf_drop(t, t->filled);
        t->broken = t->spread = 0;
        free_buffer(t);
    }
}

void xf_take(xf_tokenizer *t, uint32_t hold)
{
    t->taken = t->counting ? t->start : t->at - hold;
    if (!t->index) /* all input is read */
        xf_settle(t);
}
