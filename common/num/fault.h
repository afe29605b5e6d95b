/* What is wrong with numbers a kernel was given, and where: for messages that carry no row. */
#ifndef COMMON_NUM_FAULT_H
#define COMMON_NUM_FAULT_H

#include <stddef.h>

enum num_fault {
    NUM_FINE,
    NUM_NO_ROWS,       /* n = 0, or all weights are 0 */
    NUM_FEWER_THAN_K,  /* fewer rows than centroids, bins or folds */
    NUM_ONE_CLASS,     /* a classifier needs two; at: the class */
    NUM_EMPTY_CLASS,   /* a class without rows, or with too few; at: the class */
    NUM_CONSTANT,      /* a column has one value where two are needed; at: the column */
    NUM_SINGULAR,      /* columns depend on each other; at: the first column that follows from
                          those before it */
    NUM_NOT_FINITE,    /* at: the column */
    NUM_RANGE,         /* a number is too large to be summed exactly; at: the column */
    NUM_OPTION,        /* at: the option's number in the kernel's header */
    NUM_NOT_CONVERGED, /* at: the rounds done */
    NUM_NO_POSITIVE,   /* a rate or curve needs both kinds of rows */
    NUM_BUDGET,        /* the privacy budget does not allow it */
};

struct num_place {
    enum num_fault fault;
    size_t at;
};

#endif
