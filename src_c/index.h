/* The kernels' index function. A kernel defines look64 and flatten:
 *
 * uint64_t look64(source, target, block, seen) copies a block and returns the mask of its bytes to
 * index; it notes the block in *seen. flatten(out, bits, at) writes the positions of the set bits,
 * lowest first, and returns the place behind them; it may write up to XF_PADDING bytes more. */

/* Input that isn't in a cache is asked for that many bytes before its turn: over the end of a page
 * processors don't look ahead by themselves. Measured; it may lie behind the input. */
enum { AHEAD = 2048 };

static uint32_t index_slice(const uint8_t *source, uint32_t size, uint8_t *buffer, uint32_t at,
                            uint32_t *index, xf_seen *seen)
{
    uint32_t *out = index, i = 0;
    for (; size - i >= XF_BLOCK; i += XF_BLOCK) {
        XF_PREFETCH(source + i + AHEAD);
        out = flatten(out, look64(source + i, buffer + at + i, i / XF_BLOCK, seen), at + i);
    }
    if (i < size) {
        uint8_t tail[XF_BLOCK];
        memset(tail, ' ', sizeof tail);
        memcpy(tail, source + i, size - i);
        out = flatten(out, look64(tail, buffer + at + i, i / XF_BLOCK, seen), at + i);
    }
    return (uint32_t)(out - index);
}
