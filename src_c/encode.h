/* Writing the characters of a string, one, two or four bytes each, in UTF-8. */
#ifndef XF_ENCODE_H
#define XF_ENCODE_H

#include <string.h>

#include "scan.h"

#if (defined(__SSE2__) || defined(_M_X64)) && !defined(XF_ENCODE_PLAIN)
#include <emmintrin.h>
#define XF_ENCODE_SSE2 1
#endif

/* What stops the writing beside "&", "<", ">" and control characters: a kind of quote twice, both
 * kinds, or "&" twice for neither. */
typedef struct xf_stops {
    uint8_t quote, other;
} xf_stops;

XF_INLINE uint8_t *xf_put_character(uint8_t *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (uint8_t)c;
        return out;
    }
    if (c < 0x800) {
        *out++ = (uint8_t)(0xC0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *out++ = (uint8_t)(0xE0 | c >> 12);
        } else {
            *out++ = (uint8_t)(0xF0 | c >> 18);
            *out++ = (uint8_t)(0x80 | (c >> 12 & 0x3F));
        }
        *out++ = (uint8_t)(0x80 | (c >> 6 & 0x3F));
    }
    *out++ = (uint8_t)(0x80 | (c & 0x3F));
    return out;
}

XF_INLINE int xf_stops_at(uint32_t c, xf_stops stops)
{
    return c < 0x20 || c == '&' || (c | 2) == '>' || c == stops.quote || c == stops.other;
}

/* Neither a surrogate nor one that XML doesn't allow; of those above ASCII. */
XF_INLINE int xf_is_wide_char(uint32_t c)
{
    return c - 0xD800 >= 0x800 && (c | 1) != 0xFFFF;
}

/* Whether one of eight bytes of ASCII stops. */
XF_INLINE int xf_any_stops(uint64_t x, xf_stops stops)
{
    const uint64_t ones = 0x0101010101010101u, tops = ones << 7;
    uint64_t clear = (x + ones * 0x60) & ((x ^ ones * '&') + ones * 0x7F) &
                     (((x | ones * 2) ^ ones * '>') + ones * 0x7F) &
                     ((x ^ ones * stops.quote) + ones * 0x7F) &
                     ((x ^ ones * stops.other) + ones * 0x7F);
    return (clear & tops) != tops;
}

XF_INLINE uint64_t xf_load32(const uint8_t *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, 4);
    return value;
}

/* Fewer than 16 bytes of ASCII, by words that may overlap. Returns 0 if one stops. */
XF_INLINE int xf_encode_short(const uint8_t *in, size_t count, uint8_t *out, xf_stops stops)
{
    uint64_t first, last;
    if (count >= 8) {
        first = xf_load64(in);
        last = xf_load64(in + count - 8);
        memcpy(out, &first, 8);
        memcpy(out + count - 8, &last, 8);
        return !xf_any_stops(first, stops) && !xf_any_stops(last, stops);
    }
    if (count >= 4) {
        first = xf_load32(in);
        last = xf_load32(in + count - 4);
        memcpy(out, in, 4);
        memcpy(out + count - 4, in + count - 4, 4);
        return !xf_any_stops(first | last << 32, stops);
    }
    for (size_t i = 0; i < count; i++) {
        if (xf_stops_at(in[i], stops))
            return 0;
        out[i] = in[i];
    }
    return 1;
}

/* Each of the next three copies sixteen characters as bytes and returns how many of them are
 * ASCII that doesn't stop, from the first on. */
#ifdef XF_ENCODE_SSE2

XF_INLINE uint32_t xf_encode_vector(__m128i x, uint8_t *out, xf_stops stops)
{
    __m128i quote = _mm_cmpeq_epi8(x, _mm_set1_epi8((char)stops.quote));
    __m128i other = _mm_cmpeq_epi8(x, _mm_set1_epi8((char)stops.other));
    __m128i angle = _mm_cmpeq_epi8(_mm_or_si128(x, _mm_set1_epi8(2)), _mm_set1_epi8('>'));
    __m128i ampersand = _mm_cmpeq_epi8(x, _mm_set1_epi8('&'));
    /* Signed: what is not ASCII is negative. */
    __m128i beyond = _mm_cmplt_epi8(x, _mm_set1_epi8(0x20));
    __m128i stop = _mm_or_si128(_mm_or_si128(quote, other), _mm_or_si128(angle, ampersand));
    uint32_t mask = (uint32_t)_mm_movemask_epi8(_mm_or_si128(stop, beyond));
    _mm_storeu_si128((__m128i *)out, x);
    return mask ? xf_lowest(mask) : 16;
}

XF_INLINE uint32_t xf_encode_sixteen_1(const uint8_t *in, uint8_t *out, xf_stops stops)
{
    return xf_encode_vector(_mm_loadu_si128((const __m128i *)in), out, stops);
}

/* Packing saturates: what is beyond a byte becomes 0 or 255, which stops. */
XF_INLINE uint32_t xf_encode_sixteen_2(const uint16_t *in, uint8_t *out, xf_stops stops)
{
    const __m128i *p = (const __m128i *)in;
    __m128i x = _mm_packus_epi16(_mm_loadu_si128(p), _mm_loadu_si128(p + 1));
    return xf_encode_vector(x, out, stops);
}

XF_INLINE uint32_t xf_encode_sixteen_4(const uint32_t *in, uint8_t *out, xf_stops stops)
{
    const __m128i *p = (const __m128i *)in;
    __m128i low = _mm_packs_epi32(_mm_loadu_si128(p), _mm_loadu_si128(p + 1));
    __m128i high = _mm_packs_epi32(_mm_loadu_si128(p + 2), _mm_loadu_si128(p + 3));
    return xf_encode_vector(_mm_packus_epi16(low, high), out, stops);
}

#else

#define XF_ENCODE_SIXTEEN(name, type)                                                              \
    XF_INLINE uint32_t name(const type *in, uint8_t *out, xf_stops stops)                          \
    {                                                                                              \
        uint32_t i = 0;                                                                            \
        for (; i < 16 && in[i] < 0x80 && !xf_stops_at(in[i], stops); i++)                          \
            out[i] = (uint8_t)in[i];                                                               \
        return i;                                                                                  \
    }

XF_ENCODE_SIXTEEN(xf_encode_sixteen_slowly, uint8_t)
XF_ENCODE_SIXTEEN(xf_encode_sixteen_2, uint16_t)
XF_ENCODE_SIXTEEN(xf_encode_sixteen_4, uint32_t)

XF_INLINE uint32_t xf_encode_sixteen_1(const uint8_t *in, uint8_t *out, xf_stops stops)
{
    const uint64_t tops = 0x8080808080808080u;
    uint64_t first = xf_load64(in), last = xf_load64(in + 8);
    memcpy(out, in, 16);
    if (((first | last) & tops) || xf_any_stops(first, stops) || xf_any_stops(last, stops))
        return xf_encode_sixteen_slowly(in, out, stops);
    return 16;
}

#endif

/* Writes ASCII up to the first character that stops; returns how many characters that is. What is
 * behind them in `out`, as far as `count` bytes, may change. */
static inline size_t xf_encode_ascii(const uint8_t *in, size_t count, uint8_t *out, xf_stops stops)
{
    size_t at = 0;
    if (count < 16) {
        if (xf_encode_short(in, count, out, stops))
            return count;
        while (!xf_stops_at(in[at], stops))
            at++;
        return at;
    }
    for (;;) {
        uint32_t clear = xf_encode_sixteen_1(in + at, out + at, stops);
        at += clear;
        if (clear < 16 || at == count)
            return at;
        if (count - at < 16) /* the last sixteen, some of them again */
            at = count - 16;
    }
}

/* Writes characters up to the first that stops; returns how many, and their bytes in *written.
 * What is behind them in `out` may change, but no more than the whole would have taken. */
#define XF_ENCODE(name, type, sixteen)                                                             \
    static inline size_t name(const type *in, size_t count, uint8_t *out, xf_stops stops,          \
                              size_t *written)                                                     \
    {                                                                                              \
        uint8_t *to = out;                                                                         \
        size_t at = 0;                                                                             \
        while (at < count) {                                                                       \
            if (count - at >= 16) {                                                                \
                uint32_t clear = sixteen(in + at, to, stops);                                      \
                at += clear;                                                                       \
                to += clear;                                                                       \
                if (clear == 16)                                                                   \
                    continue;                                                                      \
            } else if (in[at] < 0x80 && !xf_stops_at(in[at], stops)) {                             \
                *to++ = (uint8_t)in[at++];                                                         \
                continue;                                                                          \
            }                                                                                      \
            if (in[at] < 0x80 || !xf_is_wide_char(in[at]))                                         \
                break;                                                                             \
            do                                                                                     \
                to = xf_put_character(to, in[at++]);                                               \
            while (at < count && in[at] >= 0x80 && xf_is_wide_char(in[at]));                       \
        }                                                                                          \
        *written = (size_t)(to - out);                                                             \
        return at;                                                                                 \
    }

XF_ENCODE(xf_encode_1, uint8_t, xf_encode_sixteen_1)
XF_ENCODE(xf_encode_2, uint16_t, xf_encode_sixteen_2)
XF_ENCODE(xf_encode_4, uint32_t, xf_encode_sixteen_4)

#endif
