#include "common/num/private_match.h"

#include "common/num/simd.h"

static inline __attribute__((always_inline)) void match_body(const uint32_t *codes, size_t n,
                                                             const uint32_t *values,
                                                             size_t n_values, int64_t *counts)
{
    size_t v = 0;
    for (; v + 4 <= n_values; v += 4) { /* four values for each code loaded */
        uint32_t a = values[v], b = values[v + 1], c = values[v + 2], d = values[v + 3];
        uint32_t in_a = 0, in_b = 0, in_c = 0, in_d = 0;
        for (size_t i = 0; i < n; i++) {
            in_a += codes[i] == a;
            in_b += codes[i] == b;
            in_c += codes[i] == c;
            in_d += codes[i] == d;
        }
        counts[v] += in_a;
        counts[v + 1] += in_b;
        counts[v + 2] += in_c;
        counts[v + 3] += in_d;
    }
    for (; v < n_values; v++) {
        uint32_t value = values[v], in = 0;
        for (size_t i = 0; i < n; i++)
            in += codes[i] == value;
        counts[v] += in;
    }
}

#if SIMD_X86
SIMD_512 static void match_512(const uint32_t *codes, size_t n, const uint32_t *values,
                               size_t n_values, int64_t *counts)
{
    match_body(codes, n, values, n_values, counts);
}
SIMD_256 static void match_256(const uint32_t *codes, size_t n, const uint32_t *values,
                               size_t n_values, int64_t *counts)
{
    match_body(codes, n, values, n_values, counts);
}
#endif
static void match_any(const uint32_t *codes, size_t n, const uint32_t *values, size_t n_values,
                      int64_t *counts)
{
    match_body(codes, n, values, n_values, counts);
}

void private_match(const uint32_t *codes, size_t n, const uint32_t *values, size_t n_values,
                   int64_t *counts)
{
#if SIMD_X86
    enum simd_level level = simd_level();
    if (level == SIMD_LEVEL_512) {
        match_512(codes, n, values, n_values, counts);
        return;
    }
    if (level == SIMD_LEVEL_256) {
        match_256(codes, n, values, n_values, counts);
        return;
    }
#endif
    match_any(codes, n, values, n_values, counts);
}
