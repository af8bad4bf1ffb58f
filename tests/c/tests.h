/* The tests, one file for each group, and what they share. */
#ifndef TESTS_H
#define TESTS_H

#include "generate.h"
#include "reading.h"

/* Streams to read: the inputs of the conformance pages, then generated ones. */
typedef struct {
    const char *name;
    const uint8_t *bytes;
    size_t size;
} sample;

extern sample *samples;
extern size_t samples_count;
void forget_samples(void);

/* How many inputs to generate for a test that usually takes `usual` of them. */
unsigned rounds(unsigned usual);

void test_streams(void); /* the conformance pages, in every chunking, on every kernel */
void test_kernels(void); /* the same answers from all kernels */
void test_memory(void);  /* failing allocations, bounded memory */
void test_utf8(void);    /* characters and names */
void test_text(void);
void test_encode(void);
void test_encode_plain(void);    /* decoding, forwarding, plain text */

#endif
