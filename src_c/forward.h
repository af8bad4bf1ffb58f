/* Forwarding: a stanza's bytes with some attributes of its start tag changed (RFC 6120 section 8.1:
 * a server stamps `from`, and otherwise leaves a stanza as it is). */
#ifndef XF_FORWARD_H
#define XF_FORWARD_H

#include "namespaces.h"

typedef struct {
    xf_span name;  /* of an unprefixed attribute, not that of another edit; 8 bytes can be read */
    xf_span value; /* escaped, to stand between single quotes */
    int remove;    /* the attribute goes instead */
    uint32_t from, to; /* set by xf_forward_length: the bytes that it replaces, or 0 */
} xf_edit;

/* The number of bytes that xf_forward will write; finds out what the edits change. 8 bytes can be
 * read behind the piece. */
size_t xf_forward_length(const xf_piece *piece, xf_edit *edits, unsigned count, xf_span extra);

/* Writes the piece to `out` with the edits made, and `extra` behind the last attribute. Attributes
 * that exist keep their place, new ones stand behind the last in the order of the edits. Returns
 * the place behind the last byte. */
uint8_t *xf_forward(const xf_piece *piece, const xf_edit *edits, unsigned count, xf_span extra,
                    uint8_t *out);

/* The same for what a server does to nearly every stanza: only `from` is set, and nothing added.
 * `a` is what xf_find has for it. */
static inline size_t xf_stamped_length(const xf_piece *piece, const xf_attribute *a, xf_span value)
{
    size_t length = (size_t)piece->length + value.length;
    return a ? length - a->value_length : length + sizeof " from=''" - 1;
}

uint8_t *xf_stamp(const xf_piece *piece, const xf_attribute *a, xf_span value, uint8_t *out);

#endif
