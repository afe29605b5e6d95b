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
    /* Sums are of shares rounded to multiples of 2^unit, some 2^43 to 2^51 of which all shares
     * together are: whole numbers, the same in any order. */
    int64_t unit;
    double rounder; /* added and taken off again, it rounds */
};
apex_status kmeans_draw_open(struct kmeans_draw *draw, size_t n, size_t d);
void kmeans_draw_close(struct kmeans_draw *draw);
/* No centroid yet; weights are in place. */
void kmeans_draw_start(struct kmeans_draw *draw);
/* Where in the lanes' running sums two numbers in [0, 1) fall: in one lane each, infinite for
 * the others. by_weight is 1 where all shares are 0 and rows are drawn by weight, else 0. */
struct kmeans_aim {
    double at[2][DRAW_LANES], by_weight;
};
void kmeans_draw_aim(const struct kmeans_draw *draw, const double unit[2],
                     struct kmeans_aim *aim);
/* Two rows for two numbers in [0, 1): their coordinates, 2 x d. */
void kmeans_draw_pair(const struct kmeans_draw *draw, const double unit[2], double *candidate);
/* What two candidates (2 x d) would leave: sums of shares. */
void kmeans_draw_try(const struct kmeans_draw *draw, const double *candidate, double left[2]);
void kmeans_draw_take(struct kmeans_draw *draw, const double *centroid, bool first);
/* A finer unit where shares have become small: what the next kmeans_draw_take begins with. */
void kmeans_draw_unit(struct kmeans_draw *draw);

#endif
