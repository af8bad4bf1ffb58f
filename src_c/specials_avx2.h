/* For plain.h: the special characters among 32, with AVX2. */

XF_INLINE __m256i special_bytes(__m256i x)
{
    /* As in scan_avx2.c, without the semicolon: the low four bits tell which byte to compare
     * with. */
    const __m256i table = _mm256_broadcastsi128_si256(_mm_setr_epi8(
        1, 0, '"', 0, 0, 0, '&', '\'', 0, 0, 0, 0, '<', 0, '>', 0));
    __m256i found = _mm256_cmpeq_epi8(_mm256_shuffle_epi8(table, x), x);
    __m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(x, _mm256_set1_epi8(0x1F)), x);
    return _mm256_or_si256(found, control);
}

XF_INLINE uint32_t specials_1(const uint8_t *p)
{
    return (uint32_t)_mm256_movemask_epi8(
        special_bytes(_mm256_loadu_si256((const __m256i *)p)));
}

/* Surrogates, U+FFFE and U+FFFF. */
XF_INLINE __m256i forbidden_words(__m256i x)
{
    const __m256i last = _mm256_set1_epi16((short)0xFFFE);
    __m256i surrogate = _mm256_cmpeq_epi16(
        _mm256_and_si256(x, _mm256_set1_epi16((short)0xF800)), _mm256_set1_epi16((short)0xD800));
    return _mm256_or_si256(surrogate, _mm256_cmpeq_epi16(_mm256_max_epu16(x, last), x));
}

/* Packing takes the halves of its arguments in turn; this puts them into order. */
XF_INLINE __m256i in_order(__m256i packed)
{
    return _mm256_permute4x64_epi64(packed, 0xD8);
}

XF_INLINE uint32_t special_words(__m256i a, __m256i b)
{
    const __m256i byte = _mm256_set1_epi16(0xFF);
    __m256i bytes = in_order(
        _mm256_packus_epi16(_mm256_min_epu16(a, byte), _mm256_min_epu16(b, byte)));
    __m256i forbidden = in_order(_mm256_packs_epi16(forbidden_words(a), forbidden_words(b)));
    return (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(special_bytes(bytes), forbidden));
}

XF_INLINE uint32_t specials_2(const uint16_t *p)
{
    return special_words(_mm256_loadu_si256((const __m256i *)p),
                         _mm256_loadu_si256((const __m256i *)(p + 16)));
}

/* Sixteen characters of four bytes as words. What doesn't fit becomes U+FFFD, a
 * character as good as any. */
XF_INLINE __m256i words(const uint32_t *p)
{
    const __m256i most = _mm256_set1_epi32(0xFFFF), other = _mm256_set1_epi32(0xFFFD);
    __m256i a = _mm256_loadu_si256((const __m256i *)p);
    __m256i b = _mm256_loadu_si256((const __m256i *)(p + 8));
    a = _mm256_blendv_epi8(a, other, _mm256_cmpgt_epi32(a, most));
    b = _mm256_blendv_epi8(b, other, _mm256_cmpgt_epi32(b, most));
    return in_order(_mm256_packus_epi32(a, b));
}

XF_INLINE uint32_t specials_4(const uint32_t *p)
{
    return special_words(words(p), words(p + 16));
}

#define XF_SPECIALS_1 specials_1
#define XF_SPECIALS_2 specials_2
#define XF_SPECIALS_4 specials_4
