/* Looking an attribute of a finished piece up by its name as written. */
#ifndef XF_FIND_H
#define XF_FIND_H

#include <string.h>

#include "scan.h"

/* The attribute of the element in `slot` with that name, or NULL. At least 8 bytes behind the
 * piece's last one can be read, and behind the name's, too. */
static inline const xf_attribute *xf_find(const xf_piece *piece, uint32_t slot, const char *name,
                                          uint32_t length)
{
    const xf_element *e = (const xf_element *)(piece->tape + slot);
    const xf_attribute *a = (const xf_attribute *)(piece->tape + slot + XF_ELEMENT_SLOTS);
    const xf_attribute *end = a + e->attributes;
    uint64_t key = xf_name_key((const uint8_t *)name, length);
    for (; a < end; a++) {
        const uint8_t *here = piece->bytes + (a->name - piece->base);
        if (a->name_length == length && xf_name_key(here, length) == key &&
            (length <= 8 || memcmp(here, name, length) == 0))
            return a;
    }
    return 0;
}

#endif
