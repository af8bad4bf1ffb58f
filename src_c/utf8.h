/* UTF-8 (RFC 3629) and XML's Char production, over whole runs of bytes. */
#ifndef XF_UTF8_H
#define XF_UTF8_H

#include <stdint.h>

enum { XF_UTF8_GOOD, XF_UTF8_CUT, XF_UTF8_BAD, XF_UTF8_NO_CHAR };

/* Reads bytes[at..end). Returns
 *   XF_UTF8_GOOD     all of them are characters; *place is end
 *   XF_UTF8_CUT      the same, but the last one isn't complete; *place is where it begins
 *   XF_UTF8_BAD      at *place begins a sequence that is no UTF-8
 *   XF_UTF8_NO_CHAR  at *place stands a character that XML doesn't allow
 * whichever comes first. */
int xf_utf8_check(const uint8_t *bytes, uint32_t at, uint32_t end, uint32_t *place);

#endif
