/* Rows made up for tests of linear models: columns about other means and of other sizes that
 * depend on one another, uneven weights with some of 0, targets and labels that follow from the
 * columns and chance. The same for the same arguments. */
#ifndef TESTS_MADE_ROWS_H
#define TESTS_MADE_ROWS_H

#include "common/num/block.h"

#include <stddef.h>
#include <stdint.h>

enum { MADE_ROWS = 3 * BLOCK_ROWS + 133, MADE_COLUMNS = 9, MADE_CLASSES = 4 };

struct made {
    size_t n, d;
    double *column[MADE_COLUMNS], *weight, *target;
    uint32_t *label; /* below MADE_CLASSES */
    uint32_t *two;   /* below 2 */
};
struct made made_open(size_t n, size_t d, uint64_t stream);
void made_close(struct made *made);
struct num_source made_source(const struct made *made, const uint32_t *label);
/* Fails, and says the numbers, unless |is - want| <= within (1 + |want|). */
void near(double is, double want, double within);

#endif
