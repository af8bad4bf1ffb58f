/* The kernel for x86-64 processors with AVX2 and BMI. */
#if defined(__x86_64__) && defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2,popcnt"))), apply_to = function)
#elif defined(__x86_64__) && defined(__GNUC__)
#pragma GCC target("avx2,bmi,bmi2,popcnt")
#endif
#include "scan.h"

#ifdef XF_X86
#include <immintrin.h>

#include "cpu.h"

/* Writes the positions of the set bits, lowest first, and some more behind them: most blocks have
 * at most twelve, and a branch on the number would be mispredicted. */
XF_INLINE uint32_t *flatten(uint32_t *out, uint64_t bits, uint32_t at)
{
    uint32_t count = (uint32_t)_mm_popcnt_u64(bits);
    uint32_t *end = out + count;
    if (!bits)
        return out;
    for (;;) {
        for (int i = 0; i < 12; i++) {
            out[i] = at + (uint32_t)_tzcnt_u64(bits);
            bits = _blsr_u64(bits);
        }
        if (XF_LIKELY(!bits))
            return end;
        out += 12;
    }
}

typedef struct {
    __m256i control, wide, forbidden;
} sums;

/* The mask of the bytes to index among 32. */
XF_INLINE uint64_t look32(const uint8_t *source, uint8_t *target, sums *all)
{
    /* The bytes in question differ in their low four bits: one look-up by these gives the byte to
     * compare with. The entries at 0, 1, 3 ... hold what can't be found there. */
    const __m256i table = _mm256_setr_epi8(
        1, 0, '"', 0, 0, 0, '&', '\'', 0, '\t', '\n', ';', '<', '\r', '>', 0,
        1, 0, '"', 0, 0, 0, '&', '\'', 0, '\t', '\n', ';', '<', '\r', '>', 0);
    __m256i x = _mm256_loadu_si256((const __m256i *)source);
    _mm256_storeu_si256((__m256i *)target, x);
    __m256i found = _mm256_cmpeq_epi8(_mm256_shuffle_epi8(table, x), x);
    __m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(x, _mm256_set1_epi8(0x1F)), x);
    all->control = _mm256_or_si256(all->control, control);
    all->forbidden = _mm256_or_si256(all->forbidden, _mm256_andnot_si256(found, control));
    all->wide = _mm256_or_si256(all->wide, x);
    return (uint32_t)_mm256_movemask_epi8(_mm256_andnot_si256(control, found));
}

XF_INLINE uint64_t look64(const uint8_t *source, uint8_t *target, uint32_t block, xf_seen *seen)
{
    __m256i zero = _mm256_setzero_si256();
    sums all = {zero, zero, zero};
    uint64_t marked =
        look32(source, target, &all) | look32(source + 32, target + 32, &all) << 32;
    note(seen, block, _mm256_movemask_epi8(all.wide), _mm256_movemask_epi8(all.control),
         _mm256_movemask_epi8(all.forbidden));
    return marked;
}

#include "index.h"

#define XF_WINDOW 32

/* Name characters by the halves of a byte: each row of ASCII that has some owns a bit (4 and 6
 * share one); a byte is a name character if its row and its column have a bit in common. */
XF_INLINE void look(const uint8_t *p, uint64_t *space, uint64_t *plain)
{
    const __m256i columns = _mm256_setr_epi8(
        0x1A, 0x1E, 0x1E, 0x1E, 0x1E, 0x1E, 0x1E, 0x1E, 0x1E, 0x1E, 0x1C, 4, 4, 5, 5, 0x0C,
        0x1A, 0x1E, 0x1E, 0x1E, 0x1E, 0x1E, 0x1E, 0x1E, 0x1E, 0x1E, 0x1C, 4, 4, 5, 5, 0x0C);
    const __m256i rows = _mm256_setr_epi8(
        0, 0, 1, 2, 4, 8, 4, 16, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 1, 2, 4, 8, 4, 16, 0, 0, 0, 0, 0, 0, 0, 0);
    __m256i x = _mm256_loadu_si256((const __m256i *)p);
    __m256i row = _mm256_and_si256(_mm256_srli_epi16(x, 4), _mm256_set1_epi8(0x0F));
    __m256i other = _mm256_cmpeq_epi8(
        _mm256_and_si256(_mm256_shuffle_epi8(columns, x), _mm256_shuffle_epi8(rows, row)),
        _mm256_setzero_si256());
    __m256i blank = _mm256_cmpeq_epi8(_mm256_min_epu8(x, _mm256_set1_epi8(' ')), x);
    *space = (uint32_t)_mm256_movemask_epi8(blank);
    *plain = (uint32_t)~_mm256_movemask_epi8(other);
}

XF_INLINE int same(const uint8_t *p, const uint8_t *q, uint32_t length)
{
    __m256i equal = _mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *)p),
                                      _mm256_loadu_si256((const __m256i *)q));
    return _bzhi_u32(~(uint32_t)_mm256_movemask_epi8(equal), length) == 0;
}

#define XF_LOOK look
#define XF_SAME same
#define XF_KEY(p, length) _bzhi_u64(xf_load64(p), 8 * (length))
#include "walk.h"
#include "specials_avx2.h"
#include "plain.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif

static int usable(void)
{
    return XF_HAS_AVX2;
}

const xf_kernel xf_avx2 = {"avx2", usable, index_slice, walk, plain_run};
#else
typedef int xf_no_avx2; /* a file may not be empty */
#endif
