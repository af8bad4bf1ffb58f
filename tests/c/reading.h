/* Reads a whole stream as a caller of tokenizer.h does, and writes down all that can be seen. */
#ifndef READING_H
#define READING_H

#include "memory.h"
#include "namespaces.h"
#include "scan.h"

/* How to read. All zero but for kernel, limits and memory: a stream in one chunk. */
typedef struct {
    const xf_kernel *kernel;
    const xf_limits *limits;
    memory *memory;
    int single;             /* one element instead of a stream */
    int tags;               /* by a reader of tags */
    unsigned pass;          /* which passes over this */
    size_t first;           /* size of the first chunk, or 0 */
    const uint16_t *sizes;  /* of the chunks behind it, again and again */
    size_t sizes_count;     /* 0: the rest is one chunk */
    uint32_t restarts;      /* bit n: a new stream begins behind event number n, from 1 on */
    /* Is shown every event with its number; may be NULL. */
    void (*see)(void *context, xf_status status, const xf_piece *piece);
    void *context;
} plan;

typedef struct {
    uint8_t *bytes; /* the events one behind the other, and how the stream ended */
    size_t length, capacity;
    unsigned events;
    unsigned no_memory; /* how often there was none */
    size_t idle;        /* most bytes held after XF_MORE with nothing begun */
    xf_status last;
    xf_error error;
    uint64_t offset, line, column;
    const char *fault; /* a promise of tokenizer.h or tape.h that was broken, or NULL */
} record;

void read_stream(const plan *p, const uint8_t *data, size_t size, record *r);

/* Empties a record; one that is all zero is empty, too. */
void forget(record *r);

/* Says how two records of the same input differ; NULL if they don't. */
const char *difference(const record *a, const record *b);

/* The default limits of xmppfast/xml/limits.py, and the widest there are. */
extern const xf_limits default_limits, widest_limits;

#endif
