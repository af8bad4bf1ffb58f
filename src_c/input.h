/* What the tokenizer takes in, and holds: its memory, the buffer with its index, and positions in
 * it. */
#ifndef XF_INPUT_H
#define XF_INPUT_H

#include "tokenizer.h"

/* The line that `place` in the buffer is in, and the offset in all input where it begins. */
void xf_find_line(const xf_tokenizer *t, uint32_t place, uint64_t *line, uint64_t *line_start);

/* Forgets the buffer's first bytes. */
void xf_drop(xf_tokenizer *t, uint32_t bytes);

/* The first byte of the buffer that is still needed. */
uint32_t xf_first_kept(const xf_tokenizer *t);

/* Takes in the next slice. All entries of the last one are read. Returns 0 if there is no
 * memory. */
int xf_load(xf_tokenizer *t, const uint8_t **data, size_t *size);

/* Notes the entries of a stanza's tag that the input's end cuts off, so that it can be read from
 * its beginning again: once, or bytewise input would take quadratic time. */
void xf_note_cut(xf_tokenizer *t);

/* All input is read: keeps only what the next one continues. */
void xf_settle(xf_tokenizer *t);

/* What the last slice, if t->marked, has from `from` on, as far as `to`. */
uint32_t xf_marks(const xf_tokenizer *t, uint32_t from, uint32_t to);

static inline uint32_t xf_slice_flags(const xf_tokenizer *t, uint32_t from, uint32_t to)
{
    return t->marked ? xf_marks(t, from, to) : 0;
}

#endif
