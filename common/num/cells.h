/* Counting rows by label and party, without a branch or an address that follows a label: every
 * label's rows are counted by comparing all labels with it.
 *
 *   label    n, any numbers; those not below n_labels count nowhere
 *   weight   n, or NULL: a row counts when its weight is above 0
 *   mask     n, or NULL: and when its byte is not 0
 *   party    n, each below n_parties: public, as the tables are; NULL: all are of party 0
 *   counts   n_labels x n_parties, row-major; added to
 * Time: n x n_labels compares of 4 bytes, vectorised; cheapest where rows of a party stand
 * together. Leaks: n, n_labels, n_parties, party. */
#ifndef COMMON_NUM_CELLS_H
#define COMMON_NUM_CELLS_H

#include <stddef.h>
#include <stdint.h>

struct cells_rows {
    size_t n;
    const uint32_t *label;
    const double *weight;
    const uint8_t *mask, *party;
};
void cells_count(const struct cells_rows *rows, size_t n_labels, size_t n_parties,
                 uint64_t *counts);
/* One label of two: first * n_second + second, or UINT32_MAX where either is out of range; for
 * tables both ways. n_first * n_second stays below UINT32_MAX. */
void cells_pair(const uint32_t *first, size_t n_first, const uint32_t *second, size_t n_second,
                size_t n, uint32_t *pair);

#endif
