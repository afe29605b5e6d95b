/* The places of a run where they lie: tables' groups as chunks, with the party each is of.
 *
 * A row counts when no cell of it is missing and its weight is not 0; others are carried along
 * with weight 0. Numbers of rows and distances are told of those that count; where the rules
 * are loose, of those of weight 0 too, which must not make a cell look as if it rested on
 * them. Leaks: the tables' shapes. */
#ifndef CONTRACTS_CLUSTER_PLACES_H
#define CONTRACTS_CLUSTER_PLACES_H

#include "common/num/kmeans.h"
#include "contracts/lib/release.h"

enum { PLACES_THREADS_MAX = 16 };

struct places_scratch; /* of a thread */
struct places_at {
    const struct apex_table *table;
    size_t group, first, n; /* first: number of the group's first row in the whole */
    size_t latitude, longitude, weight; /* columns */
};
struct places {
    struct apex_run *run;
    unsigned threads;
    bool weighted, loose, missing; /* missing: some cell may be */
    size_t n, n_chunks;            /* rows, those that do not count among them */
    struct places_at *at;          /* n_chunks */
    struct release_cell all;       /* rows that count */
    uint64_t n_told, n_dropped;    /* rows told of, and those with a missing cell */
    int32_t *vector[3];            /* unit vectors of all rows, when asked for and held */
    bool vectors_held;
    struct places_scratch *scratch[PLACES_THREADS_MAX];
};
struct places_chunk {
    size_t n, first, party;
    const int32_t *latitude, *longitude; /* 1e-7 degree */
    const uint32_t *weight;              /* NULL: 1 each */
    const uint8_t *told, *counts;        /* n bytes each, 1 or 0 */
};

/* Refuses the run where a dataset has no latitude or longitude, or no int64 column to weigh by
 * that the manifest bounds to 0..4294967295. */
apex_status places_open(struct apex_run *run, bool weighted, struct places *p);
/* Valid until the thread asks for another. */
void places_chunk(struct places *p, size_t index, unsigned thread, struct places_chunk *out);
/* For k-means: in 1e-7 degree (d = 2), or unit vectors times 2^30 (d = 3), which are held
 * unless the tables are streamed. */
apex_status places_source(struct places *p, bool sphere, struct kmeans_source *source);

#endif
