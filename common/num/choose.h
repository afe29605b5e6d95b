/* How many clusters? Two figures for each k that was tried.
 *
 * Silhouette: of row i with a(i) the mean distance to the other rows of its cluster and b(i)
 * the least mean distance to those of another cluster that has rows,
 *     s(i) = (b(i) - a(i)) / max(a(i), b(i)),    0 where it is alone or both are 0;
 * the mean over all rows that count. Every row against every other: n^2 (d + k) steps, so for
 * a sample. Euclidean distances of int32 columns.
 * Oblivious: each distance is added to every cluster's sum, times 1 or 0. The same bytes for
 * any instruction level. Leaks: n, d, k; whether two clusters have rows.
 * APEX_E_USAGE: NUM_OPTION at 0: n is 0; 1: d is 0 or above KMEANS_DIMS_MAX; 2: k is 0.
 * APEX_E_DATA: NUM_ONE_CLASS: fewer than two clusters have rows. APEX_E_MEMORY, APEX_E_LIMIT.
 *
 * Elbow: the place of a decreasing curve furthest below the line from its first to its last
 * point, the earliest on a tie; 0 of fewer than three points or of a flat curve.
 * Sources: Rousseeuw, Silhouettes, 1987; Satopaa et al., Finding a "kneedle" in a haystack,
 * 2011, without its smoothing. */
#ifndef COMMON_NUM_CHOOSE_H
#define COMMON_NUM_CHOOSE_H

#include "common/num/fault.h"
#include "common/num/kmeans.h"

/* labels: n, below k. chunk->weights: 0 or 1 each, or NULL: all count. */
apex_status choose_silhouette(const struct kmeans_chunk *chunk, size_t d,
                              const uint32_t *labels, size_t k, double *mean,
                              struct num_place *place);
size_t choose_elbow(const double *curve, size_t n);

#endif
