/* One column of a dataset, as the kernels of common/num/describe.h take it: all chosen tables
 * joined, a missing cell missing, whatever other columns hold. Leaks: the tables' shapes. */
#ifndef CONTRACTS_LIB_COLUMN_H
#define CONTRACTS_LIB_COLUMN_H

#include "common/num/describe.h"
#include "contracts/lib/frame.h"

struct column {
    struct frame frame; /* of numbers: one feature; of texts: a bare target */
    struct encoding_feature feature;
    struct encoding like;
    uint8_t (*present)[BLOCK_ROWS]; /* of each thread */
    struct describe_source source;  /* of numbers */
    struct release_cell rows;       /* all rows, by party: public */
};
bool column_is_number(const struct apex_column *c); /* else category or bool: texts */
/* The dataset's column of this name, or NULL. */
const struct apex_column *column_find(const struct apex_run *run, const char *dataset,
                                      const char *name);
apex_status column_open(struct apex_run *run, const char *dataset, bool is_private,
                        const struct apex_column *schema, struct column *column);
void column_close(struct column *column);
/* Rows of a column of numbers whose cell is there, by party. */
apex_status column_present(struct column *column, struct release_cell *cell);
/* Of a column of texts: rows of each (frame.encoding->classes), and last those without one, by
 * party. cells: n_classes + 1, judged. */
apex_status column_texts_count(struct column *column, const struct release_rules *rules,
                               struct release_cell *cells);

/* Whether the rules let a window pass: it is a cell as any other. */
bool told_passes(const struct release_rules *rules, const struct describe_run *run);
/* Its mean to what one row more or less could move it by: windows that overlap, told side by
 * side, would tell rows by what they differ in. */
double told_mean(const struct release_rules *rules, const struct describe_run *run);
/* Quantiles as they may be told: each the mean of the window of cells around it
 * (release_window), and of all that equal the window's least or greatest, to the precision that
 * one row could move it by. A window that the rules do not let pass is not told. What is used
 * inside in its stead, on others' rows too, is the mean of the next of twice the width that
 * they do let pass, at the end of all cells. With loose rules: numpy's quantiles. Leaks,
 * besides the tables' shapes: cells present, by party; how often a window was widened. */
enum { TOLD_QUANTILES = 7 };
struct told_quantiles {
    double value[TOLD_QUANTILES]; /* safe to use */
    bool told[TOLD_QUANTILES];    /* and to tell as what it is called */
};
/* all: the cells that are present, by party, one at least; n quantiles, up to TOLD_QUANTILES.
 * APEX_E_DATA: NUM_RANGE. */
apex_status told_quantiles(const struct release_rules *rules,
                           const struct describe_source *source, unsigned threads,
                           const struct release_cell *all, const double *quantiles, size_t n,
                           struct told_quantiles *told, struct num_place *place);

/* What a column of numbers is, as it may be told: quantiles 0, 0.05, 0.25, 0.5, 0.75, 0.95 and
 * 1; moments to the precision that one row within `reach` of the mean could move them by
 * (release_precision). reach is the greatest of 3 standard deviations and the way to the
 * quantiles 0 and 1. With loose rules: the moments to the last bit. */
struct told {
    double mean, sd, skewness, kurtosis, reach;
    struct told_quantiles quantile;
};
apex_status told_of(const struct release_rules *rules, const struct describe_source *source,
                    unsigned threads, const struct release_cell *all, struct told *told,
                    struct num_place *place);

#endif
