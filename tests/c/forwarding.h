/* What holds for xf_forward. */
#ifndef FORWARDING_H
#define FORWARDING_H

#include "tape.h"

/* Forwards a stanza with `from`, `to` and `xmlns` each kept, removed or set, as the three digits to
 * the base of 3 of `choice` say. Says what is wrong with the result; NULL if nothing is. It must be
 * read as one element, with the edits made in the start tag, and all else as it was. */
const char *forwarding_fault(const xf_piece *piece, unsigned choice);

#endif
