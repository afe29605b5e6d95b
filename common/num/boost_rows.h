/* What boosting keeps of the rows: a byte per feature, the target, the weight,
 * the scores and the integers that histograms add up. Rows are those of the
 * source, padded to whole strips with rows of weight 0. */
#ifndef COMMON_NUM_BOOST_ROWS_H
#define COMMON_NUM_BOOST_ROWS_H

#include "common/num/boost.h"
#include "common/num/boost_simd.h"

#include <stdbool.h>

struct boost_rows {
    size_t n, n_padded, d, n_blocks, n_scores;
    unsigned threads;
    bool row_by_row; /* bins[row * d + feature]; else block by block, see
                        boost_column */
    uint8_t *bins;
    uint8_t *live;  /* 1: weight above 0 */
    uint8_t *node;  /* where the row is in the tree in hand, counted within its level */
    uint8_t *party; /* or NULL */
    double *target, *weight; /* a label as a number */
    double *score;           /* n_scores x n_padded */
    int32_t *gh;             /* n_scores x n_padded: g in the low 16 bits, h in the high */
    double g_unit, h_unit;   /* what 1 in gh is worth */
    double weight_most;
    void *room;
    size_t room_len;
};

/* Rows of block b: where they begin, and how many with their padding. */
static inline size_t boost_first(size_t block)
{
    return block * BLOCK_ROWS;
}
static inline size_t boost_count(const struct boost_rows *r, size_t block)
{
    size_t left = r->n_padded - boost_first(block);
    return left < BLOCK_ROWS ? left : BLOCK_ROWS;
}
/* Column `feature` of a block, where not row by row. */
static inline uint8_t *boost_column(const struct boost_rows *r, size_t block, size_t feature)
{
    return r->bins + boost_first(block) * r->d + feature * boost_count(r, block);
}

/* Chooses edges from a sample (into model->edges), then keeps the rows: two
 * passes. */
apex_status boost_rows_open(struct boost_rows *r, const struct num_source *source,
                            const struct boost_options *options, struct boost_model *model,
                            struct num_place *place);
void boost_rows_close(struct boost_rows *r);

/* boost_edges.c. Edges of one column: sample of n numbers (n_bins - 1 edges,
 * ascending, unused ones infinite). The sample is sorted in place; infinite
 * numbers are rows that do not count. run: n bytes of scratch. Source: the
 * greedy choice of LightGBM, without branches. */
void boost_edges_choose(double *sample, size_t n, size_t n_bins, uint8_t *run, double *edges);
/* bins[i] = how many edges are below cell[i]; n is a multiple of BOOST_STRIP.
 */
void boost_bins_of(const double *cell, size_t n, const double *edges, size_t n_edges,
                   uint8_t *bins);

#endif
