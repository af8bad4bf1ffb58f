/* What an x86-64 processor offers beyond SSE2. */
#ifndef XF_CPU_H
#define XF_CPU_H

#if defined(_MSC_VER) && !defined(__clang__)
#include <immintrin.h>
#include <intrin.h>

static int cpu_bit(int leaf, int reg, int bit)
{
    int regs[4];
    __cpuid(regs, 0);
    if (regs[0] < leaf)
        return 0;
    __cpuidex(regs, leaf, 0);
    return regs[reg] >> bit & 1;
}

/* The operating system must save the registers, too: XCR0 says so. */
static int cpu_saves(unsigned long long state)
{
    return cpu_bit(1, 2, 27) && (_xgetbv(0) & state) == state;
}

#define XF_HAS_AVX2 (cpu_saves(0x06) && cpu_bit(7, 1, 5) && cpu_bit(7, 1, 3) && cpu_bit(7, 1, 8))
#define XF_HAS_AVX512                                                                              \
    (XF_HAS_AVX2 && cpu_saves(0xE6) && cpu_bit(7, 1, 16) && cpu_bit(7, 1, 30) &&                   \
     cpu_bit(7, 1, 31) && cpu_bit(7, 2, 1) && cpu_bit(7, 2, 6))
#else
#define XF_HAS_AVX2                                                                                \
    (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&                            \
     __builtin_cpu_supports("bmi2"))
#define XF_HAS_AVX512                                                                              \
    (XF_HAS_AVX2 && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&    \
     __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2"))
#endif

#endif
