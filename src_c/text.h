/* Text on its way out: how much of it can stand in XML as it is. */
#ifndef XF_TEXT_H
#define XF_TEXT_H

#include "tokenizer.h"

/* Number of characters before the first that is one of & < > ' ", a control character, or one that
 * XML doesn't allow (U+FFFE, U+FFFF, surrogates). `width` is that of a character in bytes: 1
 * (ISO 8859-1), 2 or 4. */
size_t xf_plain_run(const xf_kernel *kernel, const void *characters, size_t count, int width);

#endif
