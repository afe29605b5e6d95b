/* A block of one column's cells as its kernels want them. */
#ifndef COMMON_NUM_DESCRIBE_BLOCK_H
#define COMMON_NUM_DESCRIBE_BLOCK_H

#include "common/num/describe.h"

struct describe_block {
    size_t n;                               /* a multiple of 16 */
    double rows, missing;                   /* counts */
    _Alignas(64) double value[BLOCK_ROWS];  /* 0 after the last */
    _Alignas(64) double own[BLOCK_ROWS];    /* 1 where a cell counts, else 0 */
    _Alignas(64) uint64_t mask[BLOCK_ROWS]; /* the same */
};
void describe_block_fill(const struct describe_cells *cells, struct describe_block *block);

#endif
