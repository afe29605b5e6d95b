/* One round of Lloyd's algorithm in parts: partial sums of chunks, merged, finished into
 * centroids. Sums are whole numbers: they add up in any order, here or on another machine, and
 * equal sums are how kmeans_fit knows the end.
 *
 *     table_set(table, centroids);
 *     for each chunk: kmeans_partial(table, worker, chunk, ..., sums of this thread)
 *     kmeans_merge(total, sums of each thread);
 *     kmeans_finish(total, centroids);
 * Leaks: shapes; `plain`: labels. */
#ifndef COMMON_NUM_KMEANS_STEP_H
#define COMMON_NUM_KMEANS_STEP_H

#include "common/num/kmeans.h"

/* What k centroids were given: all the state a round makes. */
struct kmeans_sums {
    size_t k, d;
    __int128 *sum;             /* k x d: weight times coordinate */
    uint64_t *weight, *rows;   /* k: weights; rows with a weight */
    unsigned __int128 squares; /* weight times |x|^2, modulo 2^128: of all rows, which change in
                                  no round, so asked for once */
    size_t n;                  /* rows seen */
};
apex_status kmeans_sums_new(size_t k, size_t d, struct kmeans_sums **sums);
void kmeans_sums_free(struct kmeans_sums *sums);
void kmeans_sums_clear(struct kmeans_sums *sums);
/* Whether centroids got the same. The answer may be leaked by the caller; finding it is
 * oblivious. */
bool kmeans_sums_equal(const struct kmeans_sums *a, const struct kmeans_sums *b);

/* Centroids, made ready for the kernels. */
struct kmeans_table;
apex_status kmeans_table_new(size_t k, size_t d, struct kmeans_table **table);
void kmeans_table_free(struct kmeans_table *table);
void kmeans_table_set(struct kmeans_table *table, const double *centroids);

/* The scratch of one thread. */
struct kmeans_worker;
apex_status kmeans_worker_new(size_t k, size_t d, bool weighted, struct kmeans_worker **worker);
void kmeans_worker_free(struct kmeans_worker *worker);

struct kmeans_partial_options {
    bool squares; /* add to sums->squares too */
    bool plain;   /* label-indexed: not oblivious */
};
/* Adds a chunk's rows to `sums`. The worker was made for weights if the chunk has some. */
void kmeans_partial(const struct kmeans_table *table, struct kmeans_worker *worker,
                    const struct kmeans_chunk *chunk,
                    const struct kmeans_partial_options *options, struct kmeans_sums *sums);
/* Adds weight times |x|^2 of a chunk's rows. */
void kmeans_squares(const struct kmeans_chunk *chunk, size_t d, unsigned __int128 *squares);
void kmeans_merge(struct kmeans_sums *total, const struct kmeans_sums *part);
/* Moves centroids that got a row to their means. */
void kmeans_finish(const struct kmeans_sums *total, double *centroids);
/* The inertia of these rows about any centroids, each row counted to the one it was summed for:
 * from whole numbers alone, rounded at the end. Needs total->squares. */
double kmeans_inertia(const struct kmeans_sums *total, const double *centroids);
/* The labels of n rows of a chunk from row `first` on. */
void kmeans_label(const struct kmeans_table *table, struct kmeans_worker *worker,
                  const struct kmeans_chunk *chunk, size_t first, size_t n, uint32_t *labels);

#endif
