/* Rows drawn evenly by their number, under the run's seed: public, whatever is in them. For
 * what would take too long on all rows. */
#ifndef CONTRACTS_CLUSTER_SAMPLE_H
#define CONTRACTS_CLUSTER_SAMPLE_H

#include "contracts/cluster/places.h"

/* One row of each of `some` equal runs of n rows, ascending; n up to UINT32_MAX. */
void sample_draw(const struct apex_run *run, size_t n, size_t some, uint64_t stream,
                 uint32_t *drawn);

struct sample {
    size_t n;
    int32_t *latitude, *longitude; /* 1e-7 degree */
    int32_t *vector[3];            /* unit vectors times 2^30 */
    uint32_t *weight;              /* 1: the row counts, else 0 */
    uint8_t *used, *party;         /* the same in bytes; public */
    struct release_cell all;       /* rows that count */
    struct kmeans_arrays arrays;   /* of the coordinates asked for */
};
/* All rows where there are no more than `most`. APEX_E_MEMORY, APEX_E_LIMIT. */
apex_status sample_open(struct places *p, size_t most, bool sphere, struct sample *sample);
void sample_clear(struct sample *sample);

#endif
