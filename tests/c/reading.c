#include "reading.h"

#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "piece.h"

#define MOST 0x7FFFFFFFu
const xf_limits default_limits = {512 * 1024, 256, 256, 20000, 1024, 128};
const xf_limits widest_limits = {MOST, MOST, MOST, MOST, MOST, MOST};

void forget(record *r)
{
    free(r->bytes);
    memset(r, 0, sizeof *r);
}

static void add(record *r, const void *bytes, size_t length)
{
    if (r->capacity - r->length < length) {
        r->capacity = (r->length + length) * 2;
        r->bytes = realloc(r->bytes, r->capacity);
        if (!r->bytes)
            abort();
    }
    if (length)
        memcpy(r->bytes + r->length, bytes, length);
    r->length += length;
}

static void broken(record *r, const char *fault)
{
    if (!r->fault)
        r->fault = fault;
}

/* The tape with offsets from the piece's first byte: where the buffer lay is nobody's business. */
static void note_tape(record *r, const xf_piece *piece)
{
    for (uint32_t slot = 0; slot < piece->slots; slot = piece_first(piece, slot)) {
        xf_element e = *xf_element_at(piece->tape, slot);
        e.start -= piece->base;
        e.tag_end -= piece->base;
        e.content_end -= piece->base;
        add(r, &e, sizeof e);
        for (uint32_t i = 0; i < e.attributes; i++) {
            xf_attribute a = *xf_attribute_at(piece->tape, slot + XF_ELEMENT_SLOTS + i);
            a.name -= piece->base;
            a.value -= piece->base;
            add(r, &a, sizeof a);
        }
    }
}

static void note_event(record *r, xf_status status, const xf_piece *piece)
{
    uint32_t leans = piece->flags & XF_LEANS, kind = (uint32_t)status;
    const char *fault = status == XF_END ? 0 : piece_fault(piece, status == XF_START);
    if (fault) {
        broken(r, fault);
        return;
    }
    add(r, &kind, sizeof kind);
    add(r, &piece->length, sizeof piece->length);
    add(r, &piece->slots, sizeof piece->slots);
    if (status != XF_END)
        add(r, &leans, sizeof leans);
    add(r, piece->bytes, piece->length);
    note_tape(r, piece);
}

/* A copy of the piece in one block. */
static xf_piece *keep(const xf_piece *piece)
{
    size_t tape = piece->slots * sizeof(xf_slot);
    xf_piece *copy = malloc(sizeof *copy + tape + piece->length);
    if (!copy)
        abort();
    *copy = *piece;
    copy->tape = memcpy(copy + 1, piece->tape, tape);
    copy->bytes = memcpy((uint8_t *)(copy + 1) + tape, piece->bytes, piece->length);
    return copy;
}

/* The reader's state beside the tokenizer's. */
typedef struct {
    const plan *p;
    const uint8_t *data;
    size_t size;
    size_t chunk_end;    /* in data */
    const uint8_t *next; /* the guarded copy of what is left of the chunk */
    size_t left;
    size_t chunks;
    xf_piece *header;
    record *r;
    uint32_t slots; /* that a reader of tags has seen of the stanza */
    size_t covered; /* bytes of events and between them, as it sees them */
} reader;

static void take_chunk(reader *in)
{
    const plan *p = in->p;
    size_t at = in->chunk_end, wanted = in->size - at;
    if (in->chunks == 0 && p->first)
        wanted = p->first;
    else if (p->sizes_count)
        wanted = p->sizes[(in->chunks - (p->first != 0)) % p->sizes_count];
    if (wanted == 0)
        wanted = 1;
    if (wanted > in->size - at)
        wanted = in->size - at;
    in->chunks++;
    in->chunk_end = at + wanted;
    in->left = wanted;
    in->next = guarded(in->data + at, wanted);
}

static void drop_header(reader *in)
{
    free(in->header);
    in->header = 0;
}

static void restart(reader *in, xf_tokenizer *t)
{
    size_t unread, at = in->chunk_end - in->left;
    const uint8_t *bytes = xf_unread(t, &unread);
    if (unread > at || (unread && memcmp(bytes, in->data + at - unread, unread) != 0)) {
        broken(in->r, "xf_unread() has other bytes than were given");
        unread = 0;
    }
    in->left += unread;
    in->next = guarded(in->data + in->chunk_end - in->left, in->left);
    xf_restart(t);
    drop_header(in);
}

static void take_event(reader *in, xf_tokenizer *t, xf_status status, const xf_event *event)
{
    record *r = in->r;
    r->events++;
    note_event(r, status, event);
    if (in->p->see && !r->fault)
        in->p->see(in->p->context, status, event);
    if (status == XF_START) {
        xf_piece *header = keep(event);
        drop_header(in);
        in->header = header;
        xf_adopt(t, in->header);
    }
    if (r->events < 32 && in->p->restarts >> r->events & 1)
        restart(in, t);
}

/* Whether the tape of a stanza that goes on keeps its promises. */
static int is_part(const xf_tokenizer *t)
{
    const uint8_t *b = t->buffer;
    uint32_t behind = t->start, slot = 0;
    while (slot < t->slots) {
        const xf_element *e = xf_element_at(t->tape, slot);
        if (e->start < behind || e->tag_end <= e->start || e->tag_end > t->end ||
            b[e->start] != '<' || b[e->tag_end - 1] != '>' || (slot && e->parent >= slot))
            return 0;
        behind = e->tag_end;
        slot += XF_ELEMENT_SLOTS + e->attributes;
    }
    if (slot != t->slots || (t->slots && t->open >= t->slots))
        return 0;
    slot = t->open;
    for (uint32_t depth = 1; depth < t->depth; depth++)
        slot = xf_element_at(t->tape, slot)->parent;
    return slot == 0;
}

/* Looks at tags and at what lies between stanzas, and takes them. */
static void look(reader *in, xf_tokenizer *t, xf_status status, const xf_event *event)
{
    int inside = status <= XF_MORE;
    uint32_t end = inside && !t->counting ? t->at : t->start;
    uint64_t line, column;
    if (end > t->taken)
        in->covered += end - t->taken;
    if (inside && t->mode == XF_IN_STANZA) {
        if (!is_part(t) || t->slots < in->slots)
            broken(in->r, "the tape of a part is wrong");
        in->slots = t->slots;
        xf_flags(t);
    } else {
        in->slots = 0;
    }
    if (!inside)
        in->covered += event->length;
    if (t->buffer)
        xf_place(t, end, &line, &column);
    xf_take(t, 0);
}

/* Reads a chunk; returns XF_MORE or XF_FAILED. */
static xf_status read_chunk(reader *in, xf_tokenizer *t)
{
    record *r = in->r;
    for (;;) {
        xf_event event;
        const uint8_t *before = in->next;
        size_t left = in->left;
        xf_status status = xf_next(t, &in->next, &in->left, &event);
        if (in->left > left || in->next - before != (ptrdiff_t)(left - in->left))
            broken(r, "xf_next() moved data and size differently");
        if (status == XF_MORE && in->left)
            broken(r, "xf_next() wants more and left some");
        if (in->p->tags && status != XF_NO_MEMORY)
            look(in, t, status, &event);
        if (status == XF_NO_MEMORY)
            r->no_memory++;
        else if (status <= XF_MORE || r->fault)
            return r->fault ? XF_FAILED : status;
        else
            take_event(in, t, status, &event);
    }
}

static void note_end(record *r, xf_tokenizer *t)
{
    r->error = t->error;
    if (t->error) {
        r->offset = t->error_offset;
        r->line = t->error_line;
        r->column = t->error_column;
    }
    add(r, &r->last, sizeof r->last);
    add(r, &r->error, sizeof r->error);
    add(r, &r->offset, sizeof r->offset);
    add(r, &r->line, sizeof r->line);
    add(r, &r->column, sizeof r->column);
}

void read_stream(const plan *p, const uint8_t *data, size_t size, record *r)
{
    xf_tokenizer t;
    xf_allocator allocator = counting_allocator(p->memory);
    reader in = {p, data, size, 0, 0, 0, 0, 0, r, 0, 0};
    forget(r);
    xf_init(&t, p->limits, &allocator, p->kernel);
    if (p->single)
        xf_expect_element(&t);
    if (p->tags)
        xf_read_tags(&t, p->pass);
    do {
        size_t unread;
        take_chunk(&in);
        r->last = read_chunk(&in, &t);
        xf_unread(&t, &unread);
        if (r->last == XF_MORE && unread == 0 && p->memory->live > r->idle)
            r->idle = p->memory->live;
    } while (r->last == XF_MORE && in.chunk_end < size);
    if (r->last == XF_MORE)
        while ((r->last = xf_finish(&t)) == XF_NO_MEMORY)
            r->no_memory++;
    if (r->last == XF_FAILED && !r->fault) {
        xf_event event;
        if (!t.error || xf_next(&t, &in.next, &in.left, &event) != XF_FAILED ||
            xf_finish(&t) != XF_FAILED)
            broken(r, "an error does not last");
    }
    if (p->tags && r->last == XF_MORE && in.covered != size)
        broken(r, "a reader of tags sees more or less than the stream");
    note_end(r, &t);
    xf_release(&t);
    drop_header(&in);
    if (p->memory->live)
        broken(r, "xf_release() leaves memory behind");
}

const char *difference(const record *a, const record *b)
{
    if (a->fault || b->fault)
        return a->fault ? a->fault : b->fault;
    if (a->last != b->last || a->error != b->error)
        return "another end";
    if (a->offset != b->offset || a->line != b->line || a->column != b->column)
        return "another place of the error";
    if (a->events != b->events)
        return "another number of events";
    if (a->length != b->length || memcmp(a->bytes, b->bytes, a->length) != 0)
        return "another event";
    return 0;
}
