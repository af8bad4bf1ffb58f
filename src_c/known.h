/* The attribute names that XMPP is full of, found by their first eight bytes: who finds one here
 * needs no look at its characters. */
#ifndef XF_KNOWN_H
#define XF_KNOWN_H

#include <stdint.h>
#include <string.h>

typedef union {
    char text[8]; /* padded with NULs */
    uint64_t key; /* xf_name_key of it */
} xf_known_name;

/* By xf_known_hash; other places are all NUL. On machines that put the high byte first, keys differ
 * and nothing is found, which costs time only. */
extern const xf_known_name xf_known[64];

enum { XF_KNOWN_XMLNS = 39 };

/* Six bits of a key. Found by search: the known names have them all different. */
static inline unsigned xf_known_hash(uint64_t key)
{
    return (unsigned)(key * 0x8a1904850b7907e3u >> 58);
}

/* The longer ones, of roster items and of occupants. */
static inline int xf_is_known_long(const uint8_t *name, size_t length)
{
    return (length == 12 && memcmp(name, "subscription", 12) == 0) ||
           (length == 11 && memcmp(name, "affiliation", 11) == 0);
}

#endif
