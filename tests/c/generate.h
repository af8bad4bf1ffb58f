/* Random streams, the same ones for the same seed: much markup, lengths where windows end. */
#ifndef GENERATE_H
#define GENERATE_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t state; /* not 0 */
    uint8_t *bytes;
    size_t length, capacity;
} generator;

/* A number below `most`. */
uint32_t draw(generator *g, uint32_t most);

/* Replaces g->bytes by a new stream, with faults here and there. */
void generate_stream(generator *g);

void free_generator(generator *g);

#endif
