/* The parts of the contract `describe`. Each tells of all parties' rows of a dataset or of the
 * requester's own rows, under the rules it is given. */
#ifndef CONTRACTS_DESCRIBE_DESCRIBE_H
#define CONTRACTS_DESCRIBE_DESCRIBE_H

#include "contracts/lib/column.h"

struct telling {
    struct apex_run *run;
    const char *dataset;
    bool own; /* the requester's private rows: nothing of them is hidden from it */
    struct release_rules rules;
};

/* "rows", "contributors" and "columns": what each holds. */
apex_status summary_out(const struct telling *t);
/* "rows" and "bins" of a column of numbers. */
apex_status histogram_out(const struct telling *t, const struct apex_column *column,
                          const double *edges, size_t n_edges);
/* "rows" and "categories" of a column of texts. */
apex_status counts_out(const struct telling *t, const struct apex_column *column);
/* "rows", and a table of two columns of texts with its totals. */
apex_status crosstab_out(const struct telling *t, const struct apex_column *across,
                         const struct apex_column *down);
/* "rows" and "correlations" of all columns of numbers. */
apex_status correlations_out(const struct telling *t);

/* Differentially private, of all parties' rows: means of all columns but categories, a
 * histogram over the manifest's bounds, rows of each value that the manifest lists. */
apex_status private_summary_out(const struct telling *t);
apex_status private_histogram_out(const struct telling *t, const struct apex_column *column);
apex_status private_counts_out(const struct telling *t, const struct apex_column *column);

/* rows, share and contributors of a cell, or why not. */
void cell_out(const struct telling *t, const struct release_cell *cell, uint64_t all);
void count_out(const struct telling *t, const char *key, const struct release_cell *cell);
void rows_out(const struct telling *t, const struct release_cell *rows);
void name_out(const struct telling *t, const struct apex_column *column);

#endif
