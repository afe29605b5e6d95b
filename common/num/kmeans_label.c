/* Labels, distances and counts of rows whose centroids are settled. */
#include "common/num/kmeans_step.h"
#include "common/num/simd.h"

#include <string.h>

enum { ROWS = 256, COUNT_ROWS = 2048 };

static inline __attribute__((always_inline)) double pick(double kept, double other,
                                                         uint64_t mask)
{
    uint64_t a, b;
    memcpy(&a, &kept, sizeof a);
    memcpy(&b, &other, sizeof b);
    a = (a & ~mask) | (b & mask);
    memcpy(&kept, &a, sizeof a);
    return kept;
}

/* Adds to distance the squares of one coordinate's differences; the centroid's
 * coordinate is found by passing all of them. */
static inline __attribute__((always_inline)) void differences_body(const double *centroids,
                                                                   size_t k, size_t d,
                                                                   const int32_t *column,
                                                                   const uint32_t *labels,
                                                                   size_t n, double *distance)
{
    double own[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        own[i] = centroids[0];
    for (size_t c = 1; c < k; c++) {
        double at = centroids[c * d];
        for (size_t i = 0; i < n; i++)
            own[i] = pick(own[i], at, -(uint64_t)(labels[i] == c));
    }
    for (size_t i = 0; i < n; i++) {
        double off = (double)column[i] - own[i];
        distance[i] += off * off;
    }
}
SIMD_512 static void differences_512(const double *centroids, size_t k, size_t d,
                                     const int32_t *column, const uint32_t *labels, size_t n,
                                     double *distance)
{
    differences_body(centroids, k, d, column, labels, n, distance);
}
SIMD_256 static void differences_256(const double *centroids, size_t k, size_t d,
                                     const int32_t *column, const uint32_t *labels, size_t n,
                                     double *distance)
{
    differences_body(centroids, k, d, column, labels, n, distance);
}
static void differences_any(const double *centroids, size_t k, size_t d, const int32_t *column,
                            const uint32_t *labels, size_t n, double *distance)
{
    differences_body(centroids, k, d, column, labels, n, distance);
}

static void distances(const double *centroids, size_t k, size_t d,
                      const struct kmeans_chunk *chunk, const uint32_t *labels,
                      double *distance)
{
    enum simd_level level = simd_level();
    memset(distance, 0, chunk->n * sizeof *distance);
    for (size_t at = 0; at < chunk->n; at += ROWS)
        for (size_t j = 0; j < d; j++)
            (level == SIMD_LEVEL_512 ? differences_512
             : level == SIMD_LEVEL_256
                 ? differences_256
                 : differences_any)(centroids + j, k, d, chunk->column[j] + at, labels + at,
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
