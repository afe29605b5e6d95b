/* Rows of a sample with their share in the next draw of k-means++; for kmeans_seed.c. All
 * passes go over all rows, whatever they hold: the same instructions and addresses. */
#ifndef COMMON_NUM_KMEANS_DRAW_H
#define COMMON_NUM_KMEANS_DRAW_H

#include "include/apex/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DRAW_LANES = 64 };

struct kmeans_draw {
    size_t n, stride, d;
    int32_t *x;     /* d columns, `stride` apart; zeros after row n */
    double *weight; /* 0 after row n */
    double *left;   /* weight times squared distance to the nearest centroid so far */
    double weight_sum[DRAW_LANES], left_sum[DRAW_LANES];
};
apex_status kmeans_draw_open(struct kmeans_draw *draw, size_t n, size_t d);
void kmeans_draw_close(struct kmeans_draw *draw);
/* No centroid yet; weights are in place. */
void kmeans_draw_start(struct kmeans_draw *draw);
/* Two rows for two numbers in [0, 1): their coordinates, 2 x d. */
void kmeans_draw_pair(const struct kmeans_draw *draw, const double unit[2], double *candidate);
/* What two candidates (2 x d) would leave: sums of shares. */
void kmeans_draw_try(const struct kmeans_draw *draw, const double *candidate, double left[2]);
void kmeans_draw_take(struct kmeans_draw *draw, const double *centroid, bool first);

#endif
