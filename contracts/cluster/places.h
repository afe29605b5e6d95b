/* All places of a run, as integers, with the party each row is of. */
#ifndef CONTRACTS_CLUSTER_PLACES_H
#define CONTRACTS_CLUSTER_PLACES_H

#include "contracts/lib/release.h"

struct places {
    size_t n;
    uint64_t n_dropped;            /* rows with a missing place or weight */
    int32_t *latitude, *longitude; /* 1e-7 degree */
    uint32_t *weight;              /* NULL when not weighted */
    uint8_t *party;
    struct release_cell all;
};
/* Refuses the run where a dataset has no latitude or longitude, or no int64 column to weigh by,
 * or a weight that is negative or above 2^32 - 1. */
apex_status places_load(struct apex_run *run, bool weighted, struct places *p);

#endif
