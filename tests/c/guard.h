/* Bytes in front of a page that nobody may touch: one byte of over-read is a crash. */
#ifndef GUARD_H
#define GUARD_H

#include <stddef.h>
#include <stdint.h>

/* A copy of the bytes that ends where the guard page begins; valid until the next call. */
const uint8_t *guarded(const uint8_t *bytes, size_t size);

#endif
