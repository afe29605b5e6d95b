/* Gradient-boosted trees on histograms: complete binary trees of one depth,
 * grown level by level, by Newton's steps on the logistic loss (two classes),
 * the softmax loss (one tree a class and round) or the squared loss.
 *
 * A column is cut once into at most `bins` bins, at midpoints between quantiles
 * of a public sample of rows (BOOST_SAMPLE_ROWS; all rows where there are
 * fewer; a column of few values has a bin for each). A row keeps one byte per
 * feature. Gradients and hessians are rounded to integers, |g| and h at most
 * BOOST_UNITS (the greatest of the loss's range is BOOST_UNITS; for the squared
 * loss, of the round's residuals), so every histogram is a sum of integers:
 * threads, chunks and instruction levels do not show, and both forms give the
 * same bytes. A split has the greatest GL^2 / (HL + lambda) + GR^2 / (HR +
 * lambda) - G^2 / (H + lambda) of those that leave min_rows rows and
 * min_hessian on both sides; ties go to the lower feature, then the lower bin.
 * Where there is none above min_gain, the node sends all rows to its left child
 * (feature 0, bin BOOST_NO_SPLIT, threshold infinite). A leaf is worth -rate G
 * / (H + lambda); of a classifier, G / (H + lambda) is cut at BOOST_STEP_MAX.
 *
 * A leaf that may not stand (may_stand) is joined with what lies beside it, upwards until what
 * they make together may: the node above sends all rows to its first leaf, worth what all their
 * gradients say, and its splits and gains are forgotten. That is done before the tree's values
 * are added to any row's score: what may not stand is not used. A split is not tried where the
 * rows on one side of it, of all, may not stand. A tree that may not stand as a
 * whole is worth 0.
 *
 *   rows    n x d of finite cells, weights 0 or more; a row of weight 0 counts
 * for nothing. Two passes of the source. model   arrays of ours; boost_clear()
 * frees and wipes them. Written only on APEX_OK. memory  n (d + 18 + 12 trees a
 * round) bytes, 2^(depth - 1) x d x bins x 24 for histograms, and half of that
 * for each thread but the first; the sample before them. APEX_E_USAGE:
 * NUM_OPTION at an option's number below; no column, target or label.
 * APEX_E_DATA: NUM_NO_ROWS, NUM_ONE_CLASS, NUM_EMPTY_CLASS, NUM_NOT_FINITE at a
 * column (d: the target, d + 1: the weight), NUM_RANGE: a label is not below
 * the number of classes. APEX_E_LIMIT, APEX_E_MEMORY. Leaks: n, d, the options,
 * the party of each row, the status and place. The model is written by stores
 * whose places follow shapes. boost_plain_fit and boost_plain_predict leak rows
 * through addresses, branches and time.
 * Sources: Friedman, Greedy function approximation, 2001; Chen and Guestrin,
 * XGBoost, 2016, sections 2.2 and 3.2; Shi et al., Quantized training of
 * gradient boosting decision trees, 2022, sections 3 and 4. */
#ifndef COMMON_NUM_BOOST_H
#define COMMON_NUM_BOOST_H

#include "common/num/block.h"
#include "common/num/fault.h"
#include "include/apex/status.h"

#include <stdbool.h>

enum {
    BOOST_DEPTH_MAX = 8,
    BOOST_BINS_MAX = 256,
    BOOST_BINS_DEFAULT = 64, /* of boost_fit */
    BOOST_BINS_PLAIN = 256,  /* of boost_plain_fit */
    BOOST_CLASSES_MAX = 256,
    BOOST_ROUNDS_MAX = 10000,
    BOOST_PARTIES_MAX = 64,
    BOOST_SAMPLE_ROWS = 1 << 17, /* at most; and at most BOOST_SAMPLE_CELLS cells,
                                    if that leaves BOOST_SAMPLE_LEAST rows */
    BOOST_SAMPLE_CELLS = 1 << 22,
    BOOST_SAMPLE_LEAST = 1 << 12,
    BOOST_UNITS = 32512, /* 127 * 256: two signed digits of eight bits */
    BOOST_STEP_MAX = 8,
    BOOST_NO_SPLIT = 255,
};

enum boost_loss { BOOST_LOGISTIC, BOOST_SOFTMAX, BOOST_SQUARED };

/* The numbers are those NUM_OPTION names. A good start on small tables: 100 rounds, depth 3,
 * rate 0.1, lambda 1, min_rows 5 (tests/test_boost_data.c). */
struct boost_options {
    enum boost_loss loss; /* 1 */
    size_t n_classes;     /* 2: of BOOST_SOFTMAX, 2..BOOST_CLASSES_MAX; else ignored */
    unsigned rounds;      /* 3: 1..BOOST_ROUNDS_MAX */
    unsigned depth;       /* 4: 1..BOOST_DEPTH_MAX */
    unsigned bins;        /* 5: 2..BOOST_BINS_MAX, or 0: the default */
    double rate;          /* 6: above 0, at most 1 */
    double lambda;        /* 7: 0 or more */
    double min_hessian;   /* 8: in a child; 0 or more */
    double min_gain;      /* 9: 0 or more */
    uint64_t min_rows;    /* 10: rows of weight above 0 in a child; 0 counts as 1 */
    const uint8_t *seed;  /* 11: 32 bytes, for the sample */
    unsigned threads;     /* 0 counts as 1 */
    /* May a leaf whose rows of weight above 0 these are, by party, have a value of its own? Or
     * NULL: any may. Without a branch that follows the counts. With it, `parties`: the party of
     * each row of the block that this thread asked for last, public, below n_parties, which is
     * at most BOOST_PARTIES_MAX. */
    bool (*may_stand)(void *context, const uint64_t *by_party);
    const uint8_t *(*parties)(void *context, unsigned thread);
    size_t n_parties; /* 12 */
    void *parties_context;
    void (*progress)(void *context, unsigned percent);
    void *context;
};

/* Trees in order of rounds, within a round of classes: tree r * n_scores + c.
 * Nodes of a tree level by level: node i has children 2i + 1 and 2i + 2, leaves
 * follow the last level. A row goes left where its cell is not above the
 * threshold (its bin not above `bin`). */
struct boost_model {
    enum boost_loss loss;
    size_t n_features, n_scores; /* n_scores: classes of BOOST_SOFTMAX, else 1 */
    size_t n_trees, depth, n_bins;
    size_t n_nodes, n_leaves; /* per tree: 2^depth - 1 and 2^depth */
    double *base;             /* n_scores: every row's first score */
    double *edges;            /* n_features x (n_bins - 1), ascending; infinite: unused */
    double *threshold;        /* n_trees x n_nodes; infinite: no split */
    double *value;            /* n_trees x n_leaves, rate included */
    double *importance;       /* n_features: the sum of the gains of its splits */
    uint64_t *leaf_rows;      /* n_trees x n_leaves: training rows of weight above 0 */
    uint64_t *joined;         /* 1: leaves with rows that lost their own value, counted each
                                 time */
    uint32_t *feature;        /* n_trees x n_nodes */
    uint8_t *bin;             /* n_trees x n_nodes */
    void *room;
    size_t room_len;
};

apex_status boost_fit(const struct num_source *rows, const struct boost_options *options,
                      struct boost_model *model, struct num_place *place);
apex_status boost_plain_fit(const struct num_source *rows, const struct boost_options *options,
                            struct boost_model *model, struct num_place *place);

/* Makes a model's arrays, zeroed, for the sizes it is given with: for one read
 * from bytes. APEX_E_USAGE: a size is out of the ranges above. */
apex_status boost_init(struct boost_model *model);
void boost_clear(struct boost_model *model);
/* APEX_E_FORMAT where a model read from bytes is none: a feature or bin there
 * is not, a threshold other than its edge, edges that fall, numbers that are
 * not finite. */
apex_status boost_check(const struct boost_model *model);

/* Raw scores of a block's rows: score[c * BLOCK_ROWS + row]: log-odds of class
 * 1, a logarithm of each class's share up to a common term, or the estimate
 * itself. The same bytes from both; boost_predict hides the rows and the model:
 * it passes over all features, nodes and leaves. scratch:
 * boost_scratch_len(model) bytes, 64-byte aligned; the caller wipes it. */
size_t boost_scratch_len(const struct boost_model *model);
void boost_predict(const struct boost_model *model, const struct num_block *rows, void *scratch,
                   double *score);
void boost_plain_predict(const struct boost_model *model, const struct num_block *rows,
                         double *score);
/* Scores to shares that add up to 1, in place: n_scores x BLOCK_ROWS;
 * BOOST_LOGISTIC: the share of class 1. Nothing for BOOST_SQUARED. */
void boost_shares(const struct boost_model *model, double *score);

#endif
