/* k-means: Lloyd's rounds to the fixed point, from a given start or a k-means++ one. Oblivious
 * unless told otherwise, exact and repeatable.
 *
 * Coordinates are integers (int32, fixed point: places in 1e-7 degree with d = 2, unit vectors
 * times 2^30 with d = 3, features in whatever unit the caller scales them to), so sums are
 * exact: threads, chunks, instruction level and order of rows show neither in centroids nor in
 * sizes nor in inertia. (The order of rows shows in which rows k-means++ picks.)
 *   score      |c'|^2 - 2 x'.c' in doubles, fused multiply-adds over the dimensions in order;
 *              x' and c' are taken from a whole-numbered centre of the centroids, which keeps
 *              rounding small. The centroid of least score gets the row, the lower index on a
 *              tie.
 *   weights    a row counts as often as its weight says; weight 0: not at all, neither in sizes
 *              nor in rows. That is how missing rows are left out: leaving them out of the
 *              arrays would show in addresses.
 *   centroids  weighted means. A centroid that loses all its rows stays where it is.
 *   the end    when no sum and no weight of any centroid changes. No labels are kept: memory is
 *              the chunk, and per thread some k x d numbers; kmeans_assign labels afterwards.
 *   restarts   the least inertia wins, the earlier one on a tie.
 *   k-means++  greedy, 2 + floor(ln k) trials per centroid. Above KMEANS_SEED_ROWS rows it
 * works on that many, one drawn evenly from each of so many equal runs of row numbers: public,
 * by the seed. Where fewer than k of those have a weight, on 8 times as many, and so on.
 *
 * Three modes give the same bytes:
 *   KMEANS_OBLIVIOUS  branches and addresses follow shapes and options
 *   KMEANS_PLAIN      sums are indexed by label
 *   KMEANS_PRUNED     boxes of rows instead of rows (kmeans_tree.h): some hundred times as fast
 *                     for d = 2, for as many bytes again as the rows take, twice that while the
 *                     tree is made. For d of KMEANS_PRUNED_DIMS or fewer (great circles, as
 *                     unit vectors, too), n below 2^32, and where there is memory for the tree;
 *                     otherwise as KMEANS_PLAIN.
 *
 * APEX_E_USAGE, fault NUM_OPTION: at 1 k is 0 or above KMEANS_K_MAX; 2 neither start nor seed;
 *   3 d is 0 or above KMEANS_DIMS_MAX; 4 the chunks do not add up to n rows. NUM_NO_ROWS: n is
 *   0. NUM_FEWER_THAN_K, at: n. NUM_NOT_FINITE or NUM_RANGE at a column: of the start, beyond
 *   2^32.
 * APEX_E_DATA: NUM_NO_ROWS: all weights are 0. NUM_FEWER_THAN_K, at: rows with a weight.
 *   NUM_RANGE: weights sum to 2^53 or more.
 * APEX_E_MEMORY, APEX_E_LIMIT, and what the source's chunk() answers.
 * Leaks: n, d, k, chunk sizes, whether there are weights, options and seed; the rounds of each
 * restart; whether one of the faults above is there; how often the sample of k-means++ grew.
 * On a processor without fused multiply-add (the portable level alone) also what the C
 * library's fma() gives away in time. KMEANS_PLAIN: labels, through addresses.
 * KMEANS_PRUNED: the rows' geometry, where they lie dense and near which borders of clusters,
 * through branches, addresses and time, and whether there was memory for the tree.
 * Sources: Lloyd, Least squares quantization in PCM, 1982; Arthur and Vassilvitskii, k-means++,
 * SODA 2007, section 2.2, greedy as in their experiments; Kanungo et al., PAMI 24(7), 2002. */
#ifndef COMMON_NUM_KMEANS_H
#define COMMON_NUM_KMEANS_H

#include "common/num/fault.h"
#include "include/apex/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KMEANS_DIMS_MAX = 64, KMEANS_K_MAX = 65535, KMEANS_SEED_ROWS = 1 << 17 };
enum kmeans_mode { KMEANS_OBLIVIOUS, KMEANS_PLAIN, KMEANS_PRUNED };
enum { KMEANS_PRUNED_DIMS = 4 };

/* Rows, column by column; columns need no alignment. */
struct kmeans_chunk {
    size_t n;
    const int32_t *column[KMEANS_DIMS_MAX];
    const uint32_t *weights; /* NULL: 1 each. Of all chunks of a source, or of none */
};
/* Where rows come from, as often as there are rounds. chunk() fills `out`, valid until the same
 * thread asks again; several threads (0 .. threads - 1) ask at once, in any order, for the same
 * rows each time. Chunks may have any sizes; each is the work of one thread. */
struct kmeans_source {
    size_t n, d, n_chunks;
    apex_status (*chunk)(void *context, size_t index, unsigned thread,
                         struct kmeans_chunk *out);
    void *context;
};
/* Rows in plain arrays; lent, and outliving the source. */
struct kmeans_arrays {
    size_t n, d;
    const int32_t *column[KMEANS_DIMS_MAX];
    const uint32_t *weights;
    size_t chunk_rows; /* 0: a fitting number */
};
struct kmeans_source kmeans_source_of_arrays(const struct kmeans_arrays *arrays);

struct kmeans_options {
    size_t k;
    unsigned restarts;   /* of k-means++; 0: 1. Ignored with a start */
    unsigned max_rounds; /* centroids move at most so often; 0: KMEANS_ROUNDS_MAX */
    unsigned threads;    /* 0: 1 */
    enum kmeans_mode mode;
    const double *start; /* k x d, row-major, in coordinate units, or NULL */
    const uint8_t *seed; /* 32 bytes, for k-means++ */
    void (*progress)(void *context, unsigned percent);
    void *context;
};
enum { KMEANS_ROUNDS_MAX = 10000 };

struct kmeans_result {
    double *centroids; /* k x d, row-major, in coordinate units; lent by the caller */
    double *from;      /* k x d: as they stood before they last moved; each centroid is the mean
                          of the rows nearest to where it stood, or has not moved for want of
                          any. `centroids` itself where converged; lent, or NULL */
    uint64_t *weights; /* k: sum of the weights of each centroid's rows; lent, or NULL */
    uint64_t *rows;    /* k: its rows with a weight; lent, or NULL */
    double inertia;    /* weighted, in coordinate units squared */
    unsigned rounds;   /* how often centroids moved, in the run that won */
    bool converged;
    size_t seed_rows; /* rows that k-means++ worked on; 0 with a start */
};
/* `result` is written only on APEX_OK; `place` may be NULL. Weights, rows and inertia belong to
 * the centroids reported, converged or not. */
apex_status kmeans_fit(const struct kmeans_source *source, const struct kmeans_options *options,
                       struct kmeans_result *result, struct num_place *place);

/* The label of each row, and its squared distance (NULL: not wanted; computed from differences,
 * so small ones are exact to the last bits). Leaks: n, k, d. APEX_E_USAGE: k or d out of range;
 * APEX_E_MEMORY. */
apex_status kmeans_assign(const double *centroids, size_t k, size_t d,
                          const struct kmeans_chunk *chunk, uint32_t *labels, double *distance);
/* Adds to counts[0 .. k-1] the rows of each label (of those whose `mask` byte is 1; NULL: all).
 * Labels of k or more count nowhere. Leaks: n, k. */
void kmeans_count(const uint32_t *labels, const uint8_t *mask, size_t n, size_t k,
                  uint64_t *counts);
/* Adds to sums[0 .. k-1] the weights of each label's rows, and raises most[..] to the greatest
 * of them. Labels of k or more count nowhere. Leaks: n, k. */
void kmeans_weigh(const uint32_t *labels, const uint32_t *weights, size_t n, size_t k,
                  uint64_t *sums, uint32_t *most);

#endif
