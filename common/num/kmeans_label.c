/* Labels, distances and counts of rows whose centroids are settled. */
#include "common/num/kmeans_kernel.h"
#include "common/num/kmeans_step.h"
#include "common/num/simd.h"

#include <string.h>

enum { ROWS = 256, COUNT_ROWS = 2048 };

/* Adds the squares of one coordinate's differences to up to ROWS distances. */
static void differences(const struct kmeans_kernel *kernel, const double *values, size_t step,
                        size_t k, const int32_t *column, const uint32_t *labels, size_t n,
                        double *distance)
{
    uint32_t padded[ROWS] = {0};
    double own[ROWS];
    memcpy(padded, labels, n * sizeof *labels);
    kernel->own(values, step, k, padded, (n + 31) / 32 * 32, own);
    for (size_t i = 0; i < n; i++) {
        double off = (double)column[i] - own[i];
        distance[i] += off * off;
    }
}

static void distances(const double *centroids, size_t k, size_t d,
                      const struct kmeans_chunk *chunk, const uint32_t *labels,
                      double *distance)
{
    const struct kmeans_kernel *kernel = kmeans_kernel();
    memset(distance, 0, chunk->n * sizeof *distance);
    for (size_t at = 0; at < chunk->n; at += ROWS)
        for (size_t j = 0; j < d; j++)
            differences(kernel, centroids + j, d, k, chunk->column[j] + at, labels + at,
                        chunk->n - at < ROWS ? chunk->n - at : ROWS, distance + at);
}

apex_status kmeans_assign(const double *centroids, size_t k, size_t d,
                          const struct kmeans_chunk *chunk, uint32_t *labels, double *distance)
{
    struct kmeans_table *table = NULL;
    struct kmeans_worker *worker = NULL;
    if (k == 0 || k > KMEANS_K_MAX || d == 0 || d > KMEANS_DIMS_MAX) return APEX_E_USAGE;
    apex_status s = kmeans_table_new(k, d, &table);
    if (s == APEX_OK) s = kmeans_worker_new(0, d, false, &worker);
    if (s == APEX_OK) {
        kmeans_table_set(table, centroids);
        kmeans_label(table, worker, chunk, 0, chunk->n, labels);
        if (distance) distances(centroids, k, d, chunk, labels, distance);
    }
    kmeans_table_free(table);
    kmeans_worker_free(worker);
    return s;
}

static inline __attribute__((always_inline)) uint64_t count_body(const uint32_t *labels,
                                                                 const uint8_t *mask, size_t n,
                                                                 uint32_t c)
{
    uint32_t count = 0;
    if (!mask) {
        for (size_t i = 0; i < n; i++)
            count += labels[i] == c;
        return count;
    }
    for (size_t i = 0; i < n; i++)
        count += (uint32_t)(labels[i] == c) & mask[i];
    return count;
}
SIMD_512 static uint64_t count_512(const uint32_t *labels, const uint8_t *mask, size_t n,
                                   uint32_t c)
{
    return count_body(labels, mask, n, c);
}
SIMD_256 static uint64_t count_256(const uint32_t *labels, const uint8_t *mask, size_t n,
                                   uint32_t c)
{
    return count_body(labels, mask, n, c);
}
static uint64_t count_any(const uint32_t *labels, const uint8_t *mask, size_t n, uint32_t c)
{
    return count_body(labels, mask, n, c);
}

void kmeans_count(const uint32_t *labels, const uint8_t *mask, size_t n, size_t k,
                  uint64_t *counts)
{
    enum simd_level level = simd_level();
    for (size_t at = 0; at < n; at += COUNT_ROWS)
        for (size_t c = 0; c < k; c++)
            counts[c] += (level == SIMD_LEVEL_512   ? count_512
                          : level == SIMD_LEVEL_256 ? count_256
                                                    : count_any)(
                labels + at, mask ? mask + at : NULL, n - at < COUNT_ROWS ? n - at : COUNT_ROWS,
                (uint32_t)c);
}

static inline __attribute__((always_inline)) uint64_t weigh_body(const uint32_t *labels,
                                                                 const uint32_t *weights,
                                                                 size_t n, uint32_t c,
                                                                 uint32_t *most)
{
    uint64_t sum = 0;
    uint32_t greatest = *most;
    for (size_t i = 0; i < n; i++) {
        uint32_t own = weights[i] & -(uint32_t)(labels[i] == c),
                 more = -(uint32_t)(own > greatest);
        sum += own;
        greatest = (own & more) | (greatest & ~more);
    }
    *most = greatest;
    return sum;
}
SIMD_512 static uint64_t weigh_512(const uint32_t *labels, const uint32_t *weights, size_t n,
                                   uint32_t c, uint32_t *most)
{
    return weigh_body(labels, weights, n, c, most);
}
SIMD_256 static uint64_t weigh_256(const uint32_t *labels, const uint32_t *weights, size_t n,
                                   uint32_t c, uint32_t *most)
{
    return weigh_body(labels, weights, n, c, most);
}
static uint64_t weigh_any(const uint32_t *labels, const uint32_t *weights, size_t n, uint32_t c,
                          uint32_t *most)
{
    return weigh_body(labels, weights, n, c, most);
}

void kmeans_weigh(const uint32_t *labels, const uint32_t *weights, size_t n, size_t k,
                  uint64_t *sums, uint32_t *most)
{
    enum simd_level level = simd_level();
    for (size_t at = 0; at < n; at += COUNT_ROWS)
        for (size_t c = 0; c < k; c++)
            sums[c] += (level == SIMD_LEVEL_512   ? weigh_512
                        : level == SIMD_LEVEL_256 ? weigh_256
                                                  : weigh_any)(
                labels + at, weights + at, n - at < COUNT_ROWS ? n - at : COUNT_ROWS,
                (uint32_t)c, &most[c]);
}
