/* The kernel for x86-64 processors with AVX-512 BW, VL, VBMI and VBMI2 (Ice Lake, Zen 4 and
 * later). */
#if defined(__x86_64__) && defined(__clang__)
#pragma clang attribute push(                                                                      \
    __attribute__((target("avx2,bmi,bmi2,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2"))), \
    apply_to = function)
#elif defined(__x86_64__) && defined(__GNUC__)
#pragma GCC target("avx2,bmi,bmi2,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2")
#endif
#include "scan.h"

#ifdef XF_X86
#include <immintrin.h>

#include "cpu.h"

/* Writes the positions of the set bits, lowest first, sixteen at a time. */
XF_INLINE uint32_t *flatten(uint32_t *out, uint64_t bits, uint32_t at)
{
    const __m512i numbers = _mm512_set_epi8(
        63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42,
        41, 40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20,
        19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    uint32_t count = (uint32_t)_mm_popcnt_u64(bits);
    __m512i positions = _mm512_maskz_compress_epi8(bits, numbers);
    __m512i base = _mm512_set1_epi32((int)at);
    _mm512_storeu_si512(
        out, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(positions))));
    if (XF_UNLIKELY(count > 16)) {
        uint8_t all[64];
        _mm512_storeu_si512(all, positions);
        for (uint32_t i = 16; i < count; i++)
            out[i] = at + all[i];
    }
    return out + count;
}

XF_INLINE uint64_t look64(const uint8_t *source, uint8_t *target, uint32_t block, xf_seen *seen)
{
    /* As in scan_avx2.c: the low four bits tell which byte to compare with. */
    const __m512i table = _mm512_broadcast_i32x4(_mm_setr_epi8(
        1, 0, '"', 0, 0, 0, '&', '\'', 0, '\t', '\n', ';', '<', '\r', '>', 0));
    __m512i x = _mm512_loadu_si512(source);
    _mm512_storeu_si512(target, x);
    __mmask64 found = _mm512_cmpeq_epi8_mask(_mm512_shuffle_epi8(table, x), x);
    __mmask64 control = _mm512_cmple_epu8_mask(x, _mm512_set1_epi8(0x1F));
    note(seen, block, _mm512_movepi8_mask(x) != 0, control != 0, (control & ~found) != 0);
    return found & ~control;
}

#include "index.h"

#define XF_WINDOW 32

/* One look-up among the 128 ASCII characters: 1 for a letter, a digit, or one of - . _ */
XF_INLINE void look(const uint8_t *p, uint64_t *space, uint64_t *plain)
{
#define L 1
    static const uint8_t names[128] = {
        ['-'] = L, ['.'] = L, ['0'] = L, L, L, L, L, L, L, L, L, L,
        ['A'] = L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L,
        ['_'] = L,
        ['a'] = L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L,
    };
#undef L
    __m256i x = _mm256_loadu_si256((const __m256i *)p);
    __m512i low = _mm512_loadu_si512(names), high = _mm512_loadu_si512(names + 64);
    __m256i found = _mm512_castsi512_si256(
        _mm512_permutex2var_epi8(low, _mm512_castsi256_si512(x), high));
    *space = _mm256_cmple_epu8_mask(x, _mm256_set1_epi8(' '));
    /* The look-up ignores the top bit, so bytes beyond ASCII are taken out here. */
    *plain = _mm256_test_epi8_mask(found, found) & ~_mm256_movepi8_mask(x);
}

XF_INLINE int same(const uint8_t *p, const uint8_t *q, uint32_t length)
{
    uint32_t different = _mm256_cmpneq_epi8_mask(_mm256_loadu_si256((const __m256i *)p),
                                                 _mm256_loadu_si256((const __m256i *)q));
    return _bzhi_u32(different, length) == 0;
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
    return XF_HAS_AVX512;
}

const xf_kernel xf_avx512 = {"avx512", usable, index_slice, walk, plain_run};
#else
typedef int xf_no_avx512; /* a file may not be empty */
#endif
