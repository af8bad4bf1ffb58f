/* From bytes as written to the text they stand for: references, CDATA sections, line ends
 * (XML 1.0 section 2.11) and the white space of attribute values (section 3.3.3). */
#ifndef XF_DECODE_H
#define XF_DECODE_H

#include "namespaces.h"

typedef enum { XF_TEXT, XF_VALUE } xf_context;

/* Writes the text to `out`, which has room for `source.length` bytes, and returns its length. The
 * source is part of what the tokenizer has accepted. */
uint32_t xf_decode(xf_span source, xf_context context, uint8_t *out);

#endif
