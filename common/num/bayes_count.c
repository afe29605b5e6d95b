/* Counts of labels, and probabilities from joint log-likelihoods. */
#include "common/num/bayes.h"
#include "common/num/exact.h"
#include "common/num/vec.h"

static inline __attribute__((always_inline)) uint64_t count_body(const uint32_t *labels,
                                                                 const uint8_t *used, size_t n,
                                                                 uint32_t class_)
{
    uint64_t sum = 0;
    for (size_t first = 0; first < n; first += 1 << 16) {
        size_t end = n - first < 1 << 16 ? n : first + (1 << 16);
        uint32_t part = 0;
        if (used)
            for (size_t i = first; i < end; i++)
                part += (uint32_t)(labels[i] == class_) & (uint32_t)(used[i] != 0);
        else
            for (size_t i = first; i < end; i++)
                part += (uint32_t)(labels[i] == class_);
        sum += part;
    }
    return sum;
}
#if SIMD_X86
SIMD_512 static uint64_t count_512(const uint32_t *l, const uint8_t *u, size_t n, uint32_t c)
{
    return count_body(l, u, n, c);
}
SIMD_256 static uint64_t count_256(const uint32_t *l, const uint8_t *u, size_t n, uint32_t c)
{
    return count_body(l, u, n, c);
}
#endif

static uint64_t count_one(const uint32_t *labels, const uint8_t *used, size_t n, uint32_t c)
{
#if SIMD_X86
    enum simd_level level = simd_level();
    if (level == SIMD_LEVEL_512) return count_512(labels, used, n, c);
    if (level == SIMD_LEVEL_256) return count_256(labels, used, n, c);
#endif
    return count_body(labels, used, n, c);
}

enum { COUNT_ROWS = 1 << 12 }; /* labels that stay in the first cache while classes pass */

void bayes_count(const uint32_t *labels, const uint8_t *used, size_t n, size_t n_classes,
                 uint64_t *counts)
{
    for (size_t at = 0; at < n; at += COUNT_ROWS) {
        size_t some = n - at < COUNT_ROWS ? n - at : COUNT_ROWS;
        for (size_t c = 0; c < n_classes; c++)
            counts[c] += count_one(labels + at, used ? used + at : NULL, some, (uint32_t)c);
    }
}

static void row_probabilities(size_t n_classes, double *joint)
{
    double most = joint[0], sum = 0;
    for (size_t c = 1; c < n_classes; c++)
        most = vec_greatest(most, joint[c * BLOCK_ROWS]);
    most =
        vec_greatest(most, -0x1p1000); /* a row so far off that all its scores are -infinity */
    for (size_t c = 0; c < n_classes; c++) {
        double *p = &joint[c * BLOCK_ROWS], away = vec_greatest(*p, -0x1p1000) - most;
        *p = exact_exp(vec_greatest(away, -700));
        sum += *p;
    }
    for (size_t c = 0; c < n_classes; c++)
        joint[c * BLOCK_ROWS] /= sum;
}

void bayes_probabilities(size_t n_classes, size_t n, double *joint)
{
    for (size_t i = 0; i < n; i++)
        row_probabilities(n_classes, joint + i);
}
