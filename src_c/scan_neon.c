/* The kernel for 64-bit ARM processors. */
#include "scan.h"

#ifdef XF_NEON
#include <arm_neon.h>

/* Writes the positions of the set bits, lowest first. */
XF_INLINE uint32_t *flatten(uint32_t *out, uint64_t bits, uint32_t at)
{
    while (bits) {
        *out++ = at + xf_lowest(bits);
        bits &= bits - 1;
    }
    return out;
}

/* One bit of each byte, a different one for each of eight: adding up neighbours packs them. */
XF_INLINE uint8x16_t weighed(uint8x16_t mask)
{
    static const uint8_t bits[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    return vandq_u8(mask, vld1q_u8(bits));
}

XF_INLINE uint32_t mask16(uint8x16_t mask)
{
    uint8x16_t bits = weighed(mask);
    return (uint32_t)vaddv_u8(vget_low_u8(bits)) | (uint32_t)vaddv_u8(vget_high_u8(bits)) << 8;
}

XF_INLINE uint64_t mask64(const uint8x16_t masks[4])
{
    uint8x16_t low = vpaddq_u8(weighed(masks[0]), weighed(masks[1]));
    uint8x16_t high = vpaddq_u8(weighed(masks[2]), weighed(masks[3]));
    uint8x16_t all = vpaddq_u8(low, high);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(all, all)), 0);
}

XF_INLINE uint64_t look64(const uint8_t *source, uint8_t *target, uint32_t block, xf_seen *seen)
{
    /* As in scan_avx2.c: the low four bits tell which byte to compare with. */
    static const uint8_t entries[16] = {1,   0,    '"',  0,   0,   0,    '&', '\'',
                                        0,   '\t', '\n', ';', '<', '\r', '>', 0};
    const uint8x16_t table = vld1q_u8(entries);
    uint8x16_t marked[4], wide = vdupq_n_u8(0), control = wide, forbidden = wide;
    for (unsigned i = 0; i < 4; i++) {
        uint8x16_t x = vld1q_u8(source + 16 * i);
        vst1q_u8(target + 16 * i, x);
        uint8x16_t found = vceqq_u8(vqtbl1q_u8(table, vandq_u8(x, vdupq_n_u8(0x0F))), x);
        uint8x16_t low = vcleq_u8(x, vdupq_n_u8(0x1F));
        control = vorrq_u8(control, low);
        forbidden = vorrq_u8(forbidden, vbicq_u8(low, found));
        wide = vorrq_u8(wide, x);
        marked[i] = vbicq_u8(found, low);
    }
    note(seen, block, vmaxvq_u8(wide) >= 0x80, vmaxvq_u8(control), vmaxvq_u8(forbidden));
    return mask64(marked);
}

#include "index.h"

#define XF_WINDOW 16

/* As in scan_avx2.c: a name character's row and column have a bit in common. */
XF_INLINE void look(const uint8_t *p, uint64_t *space, uint64_t *plain)
{
    static const uint8_t columns[16] = {0x1A, 0x1E, 0x1E, 0x1E, 0x1E, 0x1E, 0x1E, 0x1E,
                                        0x1E, 0x1E, 0x1C, 4,    4,    5,    5,    0x0C};
    static const uint8_t rows[16] = {0, 0, 1, 2, 4, 8, 4, 16};
    uint8x16_t x = vld1q_u8(p);
    uint8x16_t column = vqtbl1q_u8(vld1q_u8(columns), vandq_u8(x, vdupq_n_u8(0x0F)));
    uint8x16_t row = vqtbl1q_u8(vld1q_u8(rows), vshrq_n_u8(x, 4));
    *space = mask16(vcleq_u8(x, vdupq_n_u8(' ')));
    *plain = mask16(vtstq_u8(column, row));
}

XF_INLINE int same(const uint8_t *p, const uint8_t *q, uint32_t length)
{
    uint32_t equal = mask16(vceqq_u8(vld1q_u8(p), vld1q_u8(q)));
    return (~equal & ((1u << length) - 1)) == 0;
}

#define XF_LOOK look
#define XF_SAME same
#define XF_KEY xf_name_key
#include "walk.h"

XF_INLINE uint32_t specials_1(const uint8_t *p)
{
    static const uint8_t entries[16] = {1, 0, '"', 0, 0, 0, '&', '\'', 0, 0, 0, 0, '<', 0, '>', 0};
    uint8x16_t x = vld1q_u8(p);
    uint8x16_t found =
        vceqq_u8(vqtbl1q_u8(vld1q_u8(entries), vandq_u8(x, vdupq_n_u8(0x0F))), x);
    return mask16(vorrq_u8(found, vcleq_u8(x, vdupq_n_u8(0x1F))));
}

#define XF_SPECIALS_1 specials_1
#include "plain.h"

static int usable(void)
{
    return 1;
}

const xf_kernel xf_neon = {"neon", usable, index_slice, walk, plain_run};
#else
typedef int xf_no_neon; /* a file may not be empty */
#endif
