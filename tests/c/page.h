/* The cases of tests/conformance/streams.md, edges.md and refusals.md. */
#ifndef PAGE_H
#define PAGE_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *name;
    const uint8_t *input; /* as bytes of the stream */
    size_t size;
    const char *events; /* the lines that describe what comes of it */
} page_case;

typedef struct {
    page_case *cases;
    size_t count;
    char *text; /* what the cases point into */
} page;

/* Reads a page; exits with a message if there is none. */
page read_page(const char *path);
void free_page(page *p);

#endif
