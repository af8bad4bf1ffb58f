/* What holds for every piece that the tokenizer hands out. */
#ifndef PIECE_H
#define PIECE_H

#include "namespaces.h"

/* Says which promise of tape.h the piece breaks; NULL if it keeps them all. `is_header`: the piece
 * is a stream header, whose element is not closed. */
const char *piece_fault(const xf_piece *piece, int is_header);

/* Offset behind the last byte of the element in a slot. */
uint32_t piece_end(const xf_piece *piece, uint32_t slot);

/* Slot of the first child or of what follows the element, and of what follows a slot's element. */
uint32_t piece_first(const xf_piece *piece, uint32_t slot);

/* The bytes from one offset of the piece to another. */
xf_span piece_span(const xf_piece *piece, uint32_t from, uint32_t to);

#endif
