/* Loops of boosting, compiled for each instruction level from one body. */
#ifndef COMMON_NUM_BOOST_SIMD_H
#define COMMON_NUM_BOOST_SIMD_H

#include "common/num/simd.h"

#include <stdbool.h>
#include <stddef.h>

#if defined(__GNUC__) && !defined(__clang__)
#define BOOST_O3 __attribute__((optimize("O3")))
#else
#define BOOST_O3
#endif
#define BOOST_BODY static inline __attribute__((always_inline))

/* NAME(...) from NAME_body(...): BOOST_LEVELS(, name, (int a, int b), (a, b))
 */
#define BOOST_LEVELS(linkage, name, parameters, arguments)                                     \
    SIMD_512 static void name##_512 parameters                                                 \
    {                                                                                          \
        name##_body arguments;                                                                 \
    }                                                                                          \
    SIMD_256 static void name##_256 parameters                                                 \
    {                                                                                          \
        name##_body arguments;                                                                 \
    }                                                                                          \
    BOOST_O3 static void name##_any parameters                                                 \
    {                                                                                          \
        name##_body arguments;                                                                 \
    }                                                                                          \
    linkage void name parameters                                                               \
    {                                                                                          \
        switch (simd_level()) {                                                                \
        case SIMD_LEVEL_512: name##_512 arguments; return;                                     \
        case SIMD_LEVEL_256: name##_256 arguments; return;                                     \
        default: name##_any arguments;                                                         \
        }                                                                                      \
    }

/* Some loops are worth instructions on bytes that not every processor with AVX-512 has. */
#if SIMD_X86
#if defined(__clang__)
#define BOOST_BYTES                                                                            \
    __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx512vnni,avx512vbmi,avx2")))
#else
#define BOOST_BYTES                                                                            \
    __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx512vnni,avx512vbmi,avx2,"     \
                          "prefer-vector-width=512"),                                          \
                   optimize("O3")))
#endif
static inline bool boost_bytes(void)
{
    return simd_level() == SIMD_LEVEL_512 && __builtin_cpu_supports("avx512vnni") &&
           __builtin_cpu_supports("avx512vbmi");
}
#endif

/* Rows are worked on in strips; arrays of rows are padded to whole strips. */
enum { BOOST_STRIP = 64 };
static inline size_t boost_padded(size_t n)
{
    return (n + BOOST_STRIP - 1) / BOOST_STRIP * BOOST_STRIP;
}

#endif
