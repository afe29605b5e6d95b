/* k-means on places: Lloyd's rounds to the fixed point, from a given or a k-means++ start.
 *
 * Coordinates are integers (planar: latitude and longitude in 1e-7 degree, d = 2; great-circle:
 * unit vectors times 2^30, d = 3), so that sums are exact and neither threads, blocks nor the
 * order of rows show in the centroids. A point belongs to the centroid of least squared
 * distance, the lower index on a tie; on unit vectors that is the least great-circle distance.
 * Planar centroids are weighted means; great-circle centroids are weighted mean vectors, which
 * minimise the summed squared chord, and the places reported are where they pierce the sphere.
 * A centroid that loses all its points stays where it is.
 *
 *   coordinates  d arrays of n, column by column; lent
 *   weights      n, or NULL for 1 each; a row of weight 0 is assigned but moves nothing
 * APEX_E_USAGE: n or k is 0, k > n, d not 2 or 3, or all weights are 0. APEX_E_MEMORY.
 * Leaks: n, d, k, rounds, and through time which points tie. Sources: Lloyd, Least squares
 * quantization in PCM, 1982; Arthur and Vassilvitskii, k-means++, SODA 2007, section 2.2,
 * greedy with 2 + ln k trials as in their experiments. */
#ifndef COMMON_NUM_KMEANS_H
#define COMMON_NUM_KMEANS_H

#include "include/apex/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KMEANS_DIMS_MAX = 3, KMEANS_BLOCK = 4096 };

struct kmeans_points {
    size_t n, d;
    const int32_t *coordinate[KMEANS_DIMS_MAX];
    const uint32_t *weights;
};
struct kmeans_options {
    size_t k;
    unsigned restarts;   /* of k-means++, the least inertia wins; ignored with a start */
    unsigned max_rounds; /* 0: until nothing changes */
    unsigned threads;
    const double *start; /* k x d in coordinate units, or NULL */
    const uint8_t *seed; /* 32 bytes, for k-means++ */
    void (*progress)(void *context, unsigned percent);
    void *context;
};
struct kmeans_result {
    double *centroids; /* k x d in coordinate units; lent by the caller */
    uint32_t *labels;  /* n; lent by the caller */
    uint64_t *sizes;   /* k rows; lent by the caller */
    double inertia;    /* weighted, in coordinate units squared */
    unsigned rounds;   /* of the run that won */
    bool converged;
};
apex_status kmeans_fit(const struct kmeans_points *points, const struct kmeans_options *options,
                       struct kmeans_result *result);

#endif
