/* The rows of a classification: features as numbers, labels as ranks of their texts. */
#ifndef CONTRACTS_CLASSIFY_ROWS_H
#define CONTRACTS_CLASSIFY_ROWS_H

#include "contracts/lib/release.h"

enum { NO_LABEL = UINT32_MAX, CLASSES_MAX = 65536, FEATURES_MAX = 256 };

struct classes {
    size_t n, cap;
    struct class_name {
        char text[CATEGORY_MAX + 1];
        size_t len;
    } * name;
}; /* ascending bytewise */
struct rows {
    size_t n, n_features;
    uint64_t n_dropped; /* a feature is missing, or a label where one is needed */
    double *feature;    /* n x n_features, row-major */
    uint32_t *label;    /* n; NO_LABEL where the class is not among those trained */
    uint8_t *party;
    uint32_t *origin; /* n: the row's number in its table, for predictions in order */
    struct release_cell all;
};
/* Features are all columns but categories, in their order. Which tables: those of `dataset`,
 * private or not as asked. */
struct rows_choice {
    const char *dataset;
    bool is_private, labelled;
};
bool rows_any(const struct apex_run *run, const struct rows_choice *choice);
/* All label texts of the chosen tables. Refuses the run when there is no category column. */
apex_status classes_load(struct apex_run *run, const struct rows_choice *choice,
                         struct classes *classes);
apex_status rows_load(struct apex_run *run, const struct rows_choice *choice,
                      const struct classes *classes, struct rows *rows);

#endif
