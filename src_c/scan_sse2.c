/* The kernel for every x86-64 processor. */
#include "scan.h"

#ifdef XF_X86
#include <emmintrin.h>

XF_INLINE uint32_t count_bits(uint64_t x)
{
    x -= x >> 1 & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
    x = (x + (x >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
    return (uint32_t)(x * 0x0101010101010101u >> 56);
}

/* Writes the positions of the set bits, lowest first, and some more behind them: most blocks have
 * no more than these, and a branch on the number would be mispredicted. */
XF_INLINE uint32_t *flatten(uint32_t *out, uint64_t bits, uint32_t at)
{
    uint32_t *end = out + count_bits(bits);
    if (!bits)
        return out;
    for (;;) {
        for (int i = 0; i < 12; i++) {
            out[i] = at + xf_lowest(bits | (uint64_t)1 << 63);
            bits &= bits - 1;
        }
        if (XF_LIKELY(!bits))
            return end;
        out += 12;
    }
}

/* Bytes of x that are at most `most`, as unsigned numbers. */
XF_INLINE __m128i at_most(__m128i x, char most)
{
    __m128i bound = _mm_set1_epi8(most);
    return _mm_cmpeq_epi8(_mm_min_epu8(x, bound), x);
}

XF_INLINE __m128i is(__m128i x, char c)
{
    return _mm_cmpeq_epi8(x, _mm_set1_epi8(c));
}

typedef struct {
    __m128i control, wide, forbidden;
} sums;

/* The mask of the bytes to index among 16. */
XF_INLINE uint64_t look16(const uint8_t *source, uint8_t *target, sums *all)
{
    __m128i x = _mm_loadu_si128((const __m128i *)source);
    _mm_storeu_si128((__m128i *)target, x);
    /* & ' differ in bit 0 only, < > in bit 1. */
    __m128i marked = _mm_or_si128(
        _mm_or_si128(is(_mm_or_si128(x, _mm_set1_epi8(1)), '\''), is(x, '"')),
        _mm_or_si128(is(_mm_or_si128(x, _mm_set1_epi8(2)), '>'), is(x, ';')));
    __m128i control = at_most(x, 0x1F);
    __m128i space = _mm_or_si128(_mm_or_si128(is(x, '\t'), is(x, '\n')), is(x, '\r'));
    all->control = _mm_or_si128(all->control, control);
    all->forbidden = _mm_or_si128(all->forbidden, _mm_andnot_si128(space, control));
    all->wide = _mm_or_si128(all->wide, x);
    return (uint64_t)(uint32_t)_mm_movemask_epi8(marked);
}

XF_INLINE uint64_t look64(const uint8_t *source, uint8_t *target, uint32_t block, xf_seen *seen)
{
    sums all = {_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128()};
    uint64_t marked = look16(source, target, &all) | look16(source + 16, target + 16, &all) << 16 |
                      look16(source + 32, target + 32, &all) << 32 |
                      look16(source + 48, target + 48, &all) << 48;
    note(seen, block, _mm_movemask_epi8(all.wide), _mm_movemask_epi8(all.control),
         _mm_movemask_epi8(all.forbidden));
    return marked;
}

#include "index.h"

#define XF_WINDOW 16

XF_INLINE void look(const uint8_t *p, uint64_t *space, uint64_t *plain)
{
    __m128i x = _mm_loadu_si128((const __m128i *)p);
    __m128i letter = at_most(
        _mm_sub_epi8(_mm_or_si128(x, _mm_set1_epi8(0x20)), _mm_set1_epi8('a')), 'z' - 'a');
    __m128i digit = at_most(_mm_sub_epi8(x, _mm_set1_epi8('0')), 9);
    __m128i dash = at_most(_mm_sub_epi8(x, _mm_set1_epi8('-')), '.' - '-');
    __m128i any =
        _mm_or_si128(_mm_or_si128(letter, digit), _mm_or_si128(dash, is(x, '_')));
    *space = (uint64_t)(uint32_t)_mm_movemask_epi8(at_most(x, ' '));
    *plain = (uint64_t)(uint32_t)_mm_movemask_epi8(any);
}

XF_INLINE int same(const uint8_t *p, const uint8_t *q, uint32_t length)
{
    __m128i equal = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)p),
                                   _mm_loadu_si128((const __m128i *)q));
    return (~(uint32_t)_mm_movemask_epi8(equal) & ((1u << length) - 1)) == 0;
}

#define XF_LOOK look
#define XF_SAME same
#define XF_KEY xf_name_key
#include "walk.h"

XF_INLINE uint32_t specials_1(const uint8_t *p)
{
    __m128i x = _mm_loadu_si128((const __m128i *)p);
    __m128i found = _mm_or_si128(
        _mm_or_si128(is(_mm_or_si128(x, _mm_set1_epi8(1)), '\''), is(x, '"')),
        _mm_or_si128(is(_mm_or_si128(x, _mm_set1_epi8(2)), '>'), at_most(x, 0x1F)));
    return (uint32_t)_mm_movemask_epi8(found);
}

#define XF_SPECIALS_1 specials_1
#include "plain.h"

static int usable(void)
{
    return 1;
}

const xf_kernel xf_sse2 = {"sse2", usable, index_slice, walk, plain_run};
#else
typedef int xf_no_sse2; /* a file may not be empty */
#endif
