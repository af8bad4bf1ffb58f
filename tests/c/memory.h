/* An allocator that counts, fails when told to, and moves every block that is resized. */
#ifndef MEMORY_H
#define MEMORY_H

#include "tokenizer.h"

typedef struct {
    size_t live, peak; /* bytes that were asked for; a block being moved counts twice */
    size_t calls;      /* allocations so far */
    size_t fail_at;    /* number of the allocation that fails, from 1 on; 0 for none */
    int fail_odd;      /* every other allocation fails, beginning with the first */
} memory;

xf_allocator counting_allocator(memory *m);

#endif
