/* The parts of the contract `screen`: rows as standardised fixed point, the model (centroids
 * and a threshold) that is fitted on them and kept, and what may be told of rows under it. */
#ifndef CONTRACTS_SCREEN_SCREEN_H
#define CONTRACTS_SCREEN_SCREEN_H

#include "common/num/screen.h"
#include "contracts/lib/frame.h"

enum { SCREEN_CLASSES_MAX = 64 };
#define SCREEN_TARGET "class"

/* Rows of one dataset after another, in memory: 4 (d + 3) + 11 bytes each. */
struct rows {
    size_t n, d;
    int32_t *column[KMEANS_DIMS_MAX]; /* steps of 2^-20 standard deviation */
    uint32_t *weight;                 /* 1: no feature is missing, else 0 */
    uint8_t *used;                    /* the same in bytes */
    uint8_t *party;                   /* public */
    uint32_t *class;                  /* of the label; n_classes: there is none */
    struct encoding labels;           /* texts of the classes; n_classes 0: no labels */
    struct release_cell cell;         /* rows that are used */
    uint64_t dropped;
};

/* The model: what is used on rows is what may be told of it. */
struct screen_model {
    struct encoding encoding; /* of the features; ours */
    size_t d, k;
    double *mean, *sd; /* d: of the training rows */
    double *centroid;  /* k x d, row-major, in steps */
    double median, mad, threshold;
    struct release_cell trained;  /* rows it was fitted on */
    struct release_cell *cluster; /* k: of them */
};

struct screen {
    struct apex_run *run;
    struct release_rules rules;
    struct screen_model model;
    struct rows rows;
    /* Of rows under the model. */
    uint32_t *cluster;
    double *score; /* standard deviations */
    uint8_t *flag;
    size_t k_asked, k_dropped; /* centroids that too few rows stood by */
    /* As kmeans_result has it: where the centroids stood before they last moved, and of the
     * rows they are then the means of how many there are and how far they may lie. */
    double *from;
    bool settled; /* no need to look: `from` is the centroids, or the rules are loose */
    struct release_cell *made;
    double made_reach;
    double inertia; /* of k-means, standard deviations squared */
    unsigned rounds;
};

/* Adds the rows of a dataset (none is no error); the model has its encoding, mean and sd. */
apex_status rows_add(struct screen *s, const char *dataset, bool is_private, bool labelled);
/* Encoding, mean and sd of the model from the rows of a dataset. */
apex_status scale_fit(struct screen *s, const char *dataset);
/* Centroids and threshold from the rows. */
apex_status screen_fit(struct screen *s);
/* Cluster, score and flag of the rows. */
apex_status screen_use(struct screen *s);

apex_status screen_leave(struct screen *s);
apex_status screen_take(struct screen *s);

/* "function", "model", "k", ... */
void head_out(struct screen *s);
/* Rows per cluster, flagged, and by class where labels exist, under the rules. */
apex_status rates_out(struct screen *s);
/* The requester's own rows: nothing of them is hidden from it. */
void own_rows_out(struct screen *s);
/* Centroids and threshold, for a function that exports. */
void model_out(struct screen *s);

#endif
