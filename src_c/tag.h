/* The slow reader: one construct at a time, byte by byte, in the order that docs/errors.md
 * fixes. */
#ifndef XF_TAG_H
#define XF_TAG_H

#include "tokenizer.h"

typedef struct {
    uint32_t place; /* what the error points at */
    uint32_t at;    /* the byte that it was noticed at */
} xf_fault;

/* What the readers return instead of an error code. */
enum {
    XF_READ_MORE = -1,     /* no error up to `end`, and the construct goes on */
    XF_READ_NO_MEMORY = -2
};

/* Reads the start tag from the "<" at `start` up to its ">", which is at most at end - 1, and adds
 * it to the tape as a child of the open element. Returns 0, or an error code with *fault set, or
 * one of the above; then the tape is as it was. *closed: the tag closed itself. */
int xf_read_start_tag(xf_tokenizer *t, uint32_t start, uint32_t end, int *closed, xf_fault *fault);

/* Reads an end tag; `name` is that of the element it must close. */
int xf_read_end_tag(const xf_tokenizer *t, uint32_t start, uint32_t end, const uint8_t *name,
                    uint32_t name_length, xf_fault *fault);

/* Reads the XML declaration. */
int xf_read_declaration(const xf_tokenizer *t, uint32_t start, uint32_t end, xf_fault *fault);

#endif
