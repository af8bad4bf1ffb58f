/* Events in the words of the conformance pages. */
#ifndef OUTLINE_H
#define OUTLINE_H

#include "reading.h"

typedef struct {
    char *text; /* lines; NUL-terminated */
    size_t length, capacity;
    const uint8_t *data; /* the stream's input, to tell offsets in */
    size_t size, at;     /* what lies before is covered by events */
} outline;

/* To be a plan's `see`, with an outline as its context. */
void outline_event(void *context, xf_status status, const xf_piece *piece);

/* The line for the stream's error, if it had one. */
void outline_end(outline *o, const record *r);

void free_outline(outline *o);

#endif
