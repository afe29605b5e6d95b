#include "common/num/simd.h"

static enum simd_level limit = SIMD_LEVEL_512;

static enum simd_level machine_level(void)
{
#if SIMD_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        return SIMD_LEVEL_512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("bmi2"))
        return SIMD_LEVEL_256;
#endif
    return SIMD_LEVEL_ANY;
}

enum simd_level simd_level(void)
{
    enum simd_level here = machine_level();
    return here < limit ? here : limit;
}

void simd_level_limit(enum simd_level most)
{
    limit = most;
}
