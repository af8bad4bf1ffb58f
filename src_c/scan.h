/* Kernels: the two loops that touch every byte, once per instruction set.
 *
 * All kernels do exactly the same; one that doesn't is wrong. A kernel is a file scan_*.c that
 * defines how to look at a window of bytes and includes walk.h.
 */
#ifndef XF_SCAN_H
#define XF_SCAN_H

#include <string.h>

#include "names.h"
#include "tokenizer.h"

enum {
    XF_PADDING = 64, /* readable bytes behind the end of the buffer and of the index */
    XF_MOST_WINDOW = 32, /* bytes a walk looks at together; names are shorter */
    XF_SENTINELS = 4, /* entries behind the last one of the index; they point at a NUL */
    XF_FEW = 16 /* attributes per tag that the walk takes: few enough to compare each with each */
};

typedef enum {
    XF_WALK_STANZA, /* the stanza is complete; it ends at t->at */
    XF_WALK_STOP    /* t->next is an entry that the walk doesn't take, or behind the last */
} xf_walked;

struct xf_kernel {
    const char *name;
    int (*usable)(void);
    /* Copies `size` bytes from `source` to `buffer + at`, and writes the offset of each byte that
     * is one of < > ' " & ; to `index`, which has room for one per byte. Returns their number, and
     * what else there is in *seen. May write up to XF_PADDING bytes behind both. */
    uint32_t (*index)(const uint8_t *source, uint32_t size, uint8_t *buffer, uint32_t at,
                      uint32_t *index, xf_seen *seen);
    /* Reads a stanza from entry t->next on as far as it is plain and complete. */
    xf_walked (*walk)(xf_tokenizer *t);
    /* See xf_plain_run. */
    size_t (*plain_run)(const void *characters, size_t count, int width);
};

extern const xf_kernel xf_scalar;
#if defined(__x86_64__) || defined(_M_X64)
#define XF_X86 1
extern const xf_kernel xf_sse2, xf_avx2, xf_avx512;
#elif defined(__aarch64__) || defined(_M_ARM64)
#define XF_NEON 1
extern const xf_kernel xf_neon;
#endif

#if defined(__GNUC__)
#define XF_INLINE static inline __attribute__((always_inline))
#define XF_NOINLINE __attribute__((noinline))
#define XF_LIKELY(x) __builtin_expect(!!(x), 1)
#define XF_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define XF_PREFETCH(address) __builtin_prefetch(address)
#else
#define XF_INLINE static __forceinline
#define XF_NOINLINE __declspec(noinline)
#define XF_LIKELY(x) (x)
#define XF_UNLIKELY(x) (x)
#define XF_PREFETCH(address) ((void)0)
#endif

/* Number of zero bits below the lowest one; `mask` is not 0. */
XF_INLINE uint32_t xf_lowest(uint64_t mask)
{
#if defined(__GNUC__)
    return (uint32_t)__builtin_ctzll(mask);
#else
    unsigned long bit;
    _BitScanForward64(&bit, mask);
    return bit;
#endif
}

XF_INLINE uint64_t xf_load64(const uint8_t *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, 8);
    return value;
}

/* The first min(length, 8) bytes of a name as a number, on any machine different for different
 * ones. Reads 8 bytes. */
XF_INLINE uint64_t xf_name_key(const uint8_t *name, uint32_t length)
{
    static const uint8_t ones[16] = {255, 255, 255, 255, 255, 255, 255, 255};
    return xf_load64(name) & xf_load64(ones + (length < 8 ? 8 - length : 0));
}

/* Notes what a block has. */
XF_INLINE void note(xf_seen *seen, uint32_t block, int wide, int control, int forbidden)
{
    if (!(wide | control)) /* much text is neither, for long runs */
        return;
    seen->wide.bits[block / 64] |= (uint64_t)(wide != 0) << block % 64;
    seen->control.bits[block / 64] |= (uint64_t)(control != 0) << block % 64;
    seen->forbidden |= (uint32_t)forbidden;
}

/* The slow readers that the walk shares with tokenizer.c. */

/* Reads the reference from the "&" at `at`. Returns 0 and sets *behind to the offset behind its
 * ";"; or -1 if `end` comes before that; or an error code, with *behind at the byte that made
 * it. */
int xf_read_reference(const uint8_t *bytes, uint32_t at, uint32_t end, uint32_t *behind);

/* Grows the tape to hold `slots` more. Returns 0 if there is no memory. */
int xf_reserve(xf_tokenizer *t, uint32_t slots);

#endif
