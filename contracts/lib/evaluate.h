/* How good a learner is on a frame's rows, and what it says of them: sums over blocks, over
 * threads, merged in block order. Leaks: shapes. */
#ifndef CONTRACTS_LIB_EVALUATE_H
#define CONTRACTS_LIB_EVALUATE_H

#include "common/num/metrics.h"
#include "common/num/ranking.h"
#include "contracts/lib/learner.h"

struct evaluation {
    size_t n_classes;        /* of the frame's encoding; 0: numbers */
    struct release_cell all; /* rows that count */
    /* Classes: rows predicted of each, by party; rows told rightly. */
    struct release_cell *predicted; /* n_classes */
    struct release_cell *truth;     /* n_classes: rows of each class; NULL without labels */
    struct release_cell *crossed;   /* true by predicted with totals, as release_cross settles
                                       them, up to LEARNER_PROBABLE_MAX classes; else NULL */
    uint64_t right;
    bool has_figures; /* the next: with labels, up to LEARNER_PROBABLE_MAX classes */
    struct class_figures figures;
    bool has_ranking; /* two classes, both there */
    struct ranking ranking;
    struct regression_figures numbers;
};
/* `labelled`: the frame's rows have the target. `detailed`: figures, ranking and the crossed
 * table too. */
apex_status evaluate(struct frame *frame, const struct learner *learner, bool labelled,
                     bool detailed, struct evaluation *e);
void evaluation_clear(struct evaluation *e);
/* Adds what `part` found to `total` (predicted rows and all). */
void evaluation_add(struct evaluation *total, const struct evaluation *part);

#endif
