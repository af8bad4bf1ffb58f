/* The token tape: what the tokenizer notes about an element while it reads it.
 *
 * A tape is an array of 16-byte slots that describes one stanza (or one stream header) in document
 * order. An element takes three slots, each of its attributes (namespace declarations included) one
 * slot behind them, then come its children. Text has no slot: it is what lies between tags.
 *
 *     element   attributes ...   first child ...   second child ...
 *     |<------------------------- skip -------------------------->|
 *
 * Offsets count bytes from the same origin as `xf_piece.base`; references to slots are indexes.
 */
#ifndef XF_TAPE_H
#define XF_TAPE_H

#include <stdint.h>

typedef struct {
    uint32_t name, name_length;   /* of the name as written */
    uint32_t value, value_length; /* of what is between the quotes, as written */
} xf_attribute;

typedef struct {
    uint32_t start;       /* of the "<" */
    uint32_t tag_end;     /* behind the start tag's ">" */
    uint32_t content_end; /* of the end tag's "<"; equal to tag_end if the tag closed itself */
    uint32_t skip;        /* slots of the element with all it contains */
    uint32_t name_length; /* of the name as written; it begins at start + 1 */
    uint32_t attributes;  /* their number */
    uint32_t ns;          /* where the element's own namespace is declared */
    uint32_t parent;      /* slot of the element around it; 0 for the outermost one */
    uint32_t default_ns;  /* where the default namespace inside the element is declared */
    uint32_t scope;       /* namespace declarations in scope inside the element */
    uint32_t prefixes;    /* of these, prefixes that the element itself declares */
    uint32_t prefix_length; /* without the colon; 0 for a name without prefix */
} xf_element;

typedef struct {
    uint32_t word[4];
} xf_slot;

enum { XF_ELEMENT_SLOTS = sizeof(xf_element) / sizeof(xf_slot) };

/* Where a namespace is declared: the slot of the declaring attribute, or one of these. */
#define XF_NS_NONE 0xFFFFFFFFu   /* nowhere: no namespace */
#define XF_NS_XML 0xFFFFFFFEu    /* the prefix xml, which is always bound */
#define XF_NS_HEADER 0x80000000u /* plus a slot of the stream header's tape */

/* What may occur in a piece; a flag that is not set promises that it doesn't. */
enum {
    XF_ESCAPED = 1, /* references or CDATA sections */
    XF_CONTROL = 2, /* tab, line feed or carriage return */
    XF_WIDE = 4,    /* characters outside of ASCII */
    XF_LEANS = 8    /* prefixes that the stream header declares (this one is exact) */
};

/* A stanza or stream header: bytes and tape. Byte at offset o is bytes[o - base]. */
typedef struct xf_piece {
    const uint8_t *bytes;
    const xf_slot *tape;
    const struct xf_piece *header; /* the stream header around a stanza, or NULL */
    uint32_t length;               /* bytes */
    uint32_t slots;
    uint32_t base;
    uint32_t flags;
} xf_piece;

#endif
