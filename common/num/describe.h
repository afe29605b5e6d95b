/* What is in one column: counts, moments, extremes, quantiles, histograms, counts of
 * categories; and the correlations of several.
 *
 * A cell counts when its row is used and it is present; a row that is used without the cell is
 * missing. Everything is partial / merge / finish; partials are made of blocks cut at multiples
 * of BLOCK_ROWS rows and merged in block order, so neither threads nor chunks show. Sums of
 * powers are taken about each block's own mean and merged exactly in form (Pebay 2008,
 * equations 2.1, 3.1): nothing cancels, however far the mean is from 0.
 *
 * Quantiles are exact, not of a sample: a double's bits, read as an integer, order like the
 * double, and 64 passes that count cells below a bound find the bits of an order statistic one
 * by one; a 65th finds the next greater one. Oblivious, exact in any order, and memory is a
 * counter per quantile. (-0 counts as below +0.)
 *
 * Minimum and maximum are cells of single rows: release rules decide whether and how coarsely
 * they leave.
 *
 * Leaks: rows, columns, how many quantiles, edges and categories, the edges; the status
 * (whether no cell counts, or numbers overflow). APEX_E_USAGE: NUM_OPTION, at the argument's
 * number below. APEX_E_DATA: NUM_NO_ROWS: no cell counts; NUM_RANGE: fourth powers overflow
 * (moments), at 0. APEX_E_MEMORY, APEX_E_LIMIT. Sources: Pebay, Formulas for robust, one-pass
 * parallel computation of covariances and arbitrary-order statistical moments, Sandia
 * 2008-6212; Hyndman and Fan, Sample quantiles in statistical packages, 1996, type 7. */
#ifndef COMMON_NUM_DESCRIBE_H
#define COMMON_NUM_DESCRIBE_H

#include "common/num/block.h"
#include "common/num/fault.h"
#include "include/apex/status.h"

#include <stddef.h>
#include <stdint.h>

enum { DESCRIBE_PARTIES_MAX = 64 };
/* Up to BLOCK_ROWS cells of one column. Bytes are 1 or 0. */
struct describe_cells {
    size_t n;
    const double *value;    /* n, finite, also where they do not count */
    const uint8_t *present; /* n, or NULL: all are */
    const uint8_t *used;    /* n: rows that count, or NULL: all do */
    const uint8_t *party;   /* n, public, below DESCRIBE_PARTIES_MAX, or NULL: all are of 0 */
};
/* Where the cells of one column come from, as often as there are passes: block after block,
 * asked by several threads at once; what is given is valid until the same thread asks again. */
struct describe_source {
    size_t n_rows, n_blocks; /* blocks of BLOCK_ROWS rows, but for the last */
    void (*cells)(void *context, size_t index, unsigned thread, struct describe_cells *out);
    void *context;
};
/* A column in plain arrays; lent, and outliving the source. */
struct describe_array {
    size_t n_rows;
    const double *value;
    const uint8_t *present, *used, *party;
};
struct describe_source describe_source_of_array(const struct describe_array *array);

/* --- Moments --------------------------------------------------------------------------------
 */
struct describe_sums {           /* a partial or total; zeroed, it is that of no cells */
    double present, missing;     /* counts */
    double mean, rest;           /* their sum is the mean */
    double square, cube, fourth; /* sums of powers about the mean */
    double least, most;          /* when present > 0 */
};
struct describe_moments {
    uint64_t present, missing;
    double mean, variance;     /* of the population: / present */
    double sample_variance;    /* / (present - 1); 0 of one cell */
    double skewness, kurtosis; /* population: m3 / m2^(3/2), m4 / m2^2 - 3; 0 of a constant */
    double least, most;
};
void describe_partial(const struct describe_cells *cells, struct describe_sums *partial);
void describe_merge(struct describe_sums *total, const struct describe_sums *partial);
apex_status describe_finish(const struct describe_sums *total, struct describe_moments *moments,
                            struct num_place *place);
apex_status describe_column(const struct describe_source *source, unsigned threads,
                            struct describe_moments *moments, struct num_place *place);

/* --- Quantiles ------------------------------------------------------------------------------
 */
enum { DESCRIBE_QUANTILES_MAX = 64, DESCRIBE_PASSES = 65 };

struct describe_search {
    size_t n_quantiles;
    unsigned pass;                        /* passes done */
    double share[DESCRIBE_QUANTILES_MAX]; /* of the way from the lower to the next cell */
    uint64_t rank[DESCRIBE_QUANTILES_MAX];
    uint64_t at[DESCRIBE_QUANTILES_MAX];   /* bits found so far */
    uint64_t next[DESCRIBE_QUANTILES_MAX]; /* in the last pass */
};
struct describe_tally { /* a partial or total of one pass; zeroed */
    uint64_t below[DESCRIBE_QUANTILES_MAX];
    uint64_t above[DESCRIBE_QUANTILES_MAX]; /* ~ the least greater cell; merged by maximum */
};
/* 3: quantiles, each 0..1, interpolated between order statistics as numpy's default. `present`:
 * cells that count. Then DESCRIBE_PASSES times: tally all blocks, merge, step. */
apex_status describe_search_begin(struct describe_search *search, const double *quantiles,
                                  size_t n_quantiles, uint64_t present,
                                  struct num_place *place);
void describe_tally_partial(const struct describe_search *search,
                            const struct describe_cells *cells, struct describe_tally *partial);
void describe_tally_merge(const struct describe_search *search, struct describe_tally *total,
                          const struct describe_tally *partial);
void describe_search_step(struct describe_search *search, const struct describe_tally *total);
void describe_search_finish(const struct describe_search *search, double *values);
/* The whole: 66 passes over the column. */
apex_status describe_quantiles(const struct describe_source *source, unsigned threads,
                               const double *quantiles, size_t n_quantiles, double *values,
                               struct num_place *place);

/* The cells of these ranks (0-based) in ascending order. 3: ranks, below the number of cells
 * that count, which is public here. */
apex_status describe_ranks(const struct describe_source *source, unsigned threads,
                           const uint64_t *ranks, size_t n_ranks, double *values,
                           struct num_place *place);
/* Runs of cells in ascending order: `count` cells from rank `first` on, and all others that
 * equal the least or the greatest of these: which of several equal cells are in a run is then
 * no question, nor whose they are. Exact in which cells; the sum is of what they exceed the
 * least of the run by. 3: windows, count 1 or more, within the number of cells that count,
 * which is public here. APEX_E_DATA, NUM_RANGE at the window: its sum overflows. 67 passes. */
enum { DESCRIBE_WINDOWS_MAX = DESCRIBE_QUANTILES_MAX / 2 };
struct describe_window {
    uint64_t first, count;
};
struct describe_run {
    double mean, least, greatest;
    uint64_t rows, by_party[DESCRIBE_PARTIES_MAX];
};
apex_status describe_windows(const struct describe_source *source, unsigned threads,
                             const struct describe_window *windows, size_t n_windows,
                             struct describe_run *runs, struct num_place *place);

/* --- Histograms and categories --------------------------------------------------------------
 */
enum { DESCRIBE_EDGES_MAX = 1025 };
/* 3: edges, 2 to DESCRIBE_EDGES_MAX, finite, strictly ascending, public. Bin b holds
 * edges[b] <= x < edges[b + 1], the last bin its upper edge too. counts: n_edges + 2 numbers:
 * below the first edge, the n_edges - 1 bins, above the last edge, missing. */
apex_status describe_edges_check(const double *edges, size_t n_edges, struct num_place *place);
/* Adds a block to `counts`; sums merge by adding. */
void describe_histogram_add(const struct describe_cells *cells, const double *edges,
                            size_t n_edges, uint64_t *counts);
apex_status describe_histogram(const struct describe_source *source, unsigned threads,
                               const double *edges, size_t n_edges, uint64_t *counts,
                               struct num_place *place);
/* Adds to counts[0 .. n_categories - 1] the rows of each code, and to counts[n_categories]
 * those without one (not present, or a code not below n_categories). */
void describe_categories_add(const uint32_t *codes, const uint8_t *present, const uint8_t *used,
                             size_t n, size_t n_categories, uint64_t *counts);

/* --- Correlation ----------------------------------------------------------------------------
 */
/* Pearson's, m x m, from the weighted products of common/num/gram.h (m columns), whose rows are
 * complete: a row with a missing cell has weight 0 (listwise). 1 on the diagonal; 0 beside a
 * column that is constant but for rounding. Within -1..1. */
apex_status describe_correlation(size_t m, const double *gram, double *correlation,
                                 struct num_place *place);

#endif
