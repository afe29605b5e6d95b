/* Which instructions this processor has, asked once. Kernels are written once as an inline body
 * and compiled for each level below; every level gives the same bytes: the same operations in
 * the same order, a fused multiply-add only where it is written as fma() on all levels.
 *
 *     static inline __attribute__((always_inline)) void body(...) { ... }
 *     SIMD_512 static void body_512(...) { body(...); }
 *     SIMD_256 static void body_256(...) { body(...); }
 *     static void body_any(...) { body(...); }
 */
#ifndef COMMON_NUM_SIMD_H
#define COMMON_NUM_SIMD_H

enum simd_level { SIMD_LEVEL_ANY, SIMD_LEVEL_256, SIMD_LEVEL_512 };

#if defined(__x86_64__)
#define SIMD_X86 1
#if defined(__clang__) /* 14 does not know prefer-vector-width */
#define SIMD_FAST
#define SIMD_WIDE
#else
#define SIMD_FAST , optimize("O3")
#define SIMD_WIDE ",prefer-vector-width=512"
#endif
#define SIMD_512                                                                               \
    __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma,bmi2" SIMD_WIDE)        \
                       SIMD_FAST))
#define SIMD_256 __attribute__((target("avx2,fma,bmi2") SIMD_FAST))
#else
#define SIMD_X86 0
#define SIMD_512
#define SIMD_256
#endif

/* The best level of this machine, or the one set below. */
enum simd_level simd_level(void);
/* For tests and benchmarks: no level above this one. */
void simd_level_limit(enum simd_level most);

#endif
