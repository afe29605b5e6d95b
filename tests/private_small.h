/* A few rows with everything in them, for tests of private answers: cells in and outside their
 * bounds, infinite, not a number; rows without weight. */
#ifndef TESTS_PRIVATE_SMALL_H
#define TESTS_PRIVATE_SMALL_H

#include "common/num/private_count.h"

enum { ROWS = 60, COLUMNS = 3, CLASSES = 4, SMALL_VALUES_MAX = 64 };
struct small {
    double cells[COLUMNS][ROWS], target[ROWS], weight[ROWS];
    uint32_t label[ROWS];
    const double *column[COLUMNS];
    size_t n;
};
/* What a kernel adds up of a block: private_summing's. */
typedef void small_add(const void *context, const struct num_block *block, int64_t *values);

void small_fill(struct small *s, uint64_t seed);
/* Freed by num_source_of_arrays_free. */
void small_rows(const struct small *s, struct num_source *rows);
void small_sum(const struct small *s, unsigned threads, size_t n_values, small_add *add,
               const void *context, int64_t *values);
/* The most that taking one row away changes the values: sum of absolutes, sum of squares. */
void small_changes(struct small *s, size_t n_values, small_add *add, const void *context,
                   double *l1, double *l2);

#endif
