/* A parser under measurement. */
#ifndef BENCH_SUBJECT_H
#define BENCH_SUBJECT_H

#include <stddef.h>
#include <stdint.h>

/* What a parser saw in a stream, at depth 1 and below. */
typedef struct {
    uint64_t stanzas, elements;
    uint64_t attributes; /* without namespace declarations */
    uint64_t names;      /* hash of all local names in document order */
} bench_tally;

typedef struct {
    const char *name;
    const void *context;
    /* Reads a whole stream, given in chunks of that many bytes, and counts its stanzas. Returns 0
     * if the stream is refused or memory is short. */
    int (*read)(const void *context, const uint8_t *data, size_t size, size_t chunk,
                bench_tally *seen);
    /* The same, and fills all of the tally. */
    int (*inspect)(const void *context, const uint8_t *data, size_t size, size_t chunk,
                   bench_tally *seen);
    /* As `read`, without limits on what a stanza may be. */
    int (*read_unbounded)(const void *context, const uint8_t *data, size_t size, size_t chunk,
                          bench_tally *seen);
} bench_subject;

/* Expat with namespaces, as programs use it: handlers for start, end and text. */
extern const bench_subject bench_expat;

/* The tokenizer on each kernel this processor can run. Writes at most `room` subjects, returns
 * their number. */
size_t bench_tokenizers(bench_subject *subjects, size_t room);

/* FNV-1a over a name and its end. */
static inline void bench_add_name(bench_tally *seen, const uint8_t *name, size_t length)
{
    uint64_t hash = seen->names ^ 0xCBF29CE484222325u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ name[i]) * 0x100000001B3u;
    seen->names = hash * 0x100000001B3u;
}

#endif
