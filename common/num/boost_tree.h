/* One tree in the making: levels, histograms, splits. Shared by the oblivious
 * and the plain form, which differ in how they reach the rows. */
#ifndef COMMON_NUM_BOOST_TREE_H
#define COMMON_NUM_BOOST_TREE_H

#include "common/num/boost_rows.h"

enum { BOOST_LEVEL_NODES = 1 << (BOOST_DEPTH_MAX - 1) };

struct boost_sums {
    int64_t g, h, rows; /* g and h in units of the rounds' gradients */
};
struct boost_split {
    uint32_t feature;
    uint8_t bin; /* BOOST_NO_SPLIT: all rows go left */
    double gain;
    struct boost_sums left;
};
struct boost_rule {
    double lambda, min_hessian, min_gain, g_unit, h_unit, rate;
    uint64_t min_rows;
    bool cut; /* steps at BOOST_STEP_MAX */
};

/* A histogram: d features of sums of g, h and rows, each n_bins_padded numbers.
 */
static inline size_t boost_bins_padded(size_t n_bins)
{
    return (n_bins + 7) / 8 * 8;
}
static inline size_t boost_hist_len(size_t d, size_t n_bins)
{
    return d * 3 * boost_bins_padded(n_bins);
}

struct boost_tree {
    struct boost_rows *rows;
    struct boost_model *model;
    struct boost_rule rule;
    size_t index, score; /* of the tree; the class it is for */
    size_t hist_len, n_hists;
    int64_t *hist;  /* n_hists = 2^(depth - 1), one for each node of a level: children
                       take their parent's place and the one 2^level after it */
    int64_t *lent;  /* (threads - 1) x n_built: histograms of the other threads */
    size_t n_built; /* the most that are built at once: half of a level, at least
                       1 */
    /* Of the leaves, where they are judged: rows by party, threads x n_parties x n_leaves. */
    uint64_t *seen;
    size_t n_parties; /* 0: they are not judged */
    bool (*may_stand)(void *context, const uint64_t *by_party);
    void *parties_context;
    uint64_t *allowed; /* d x bins: all ones where a split there could stand */
    size_t level, n_nodes;
    size_t place[BOOST_LEVEL_NODES]; /* where each node's histogram is */
    struct boost_sums total[BOOST_LEVEL_NODES * 2];
    struct boost_split split[BOOST_LEVEL_NODES];
    double gain[2 * BOOST_LEVEL_NODES];  /* of each node's split */
    uint64_t own[2 * BOOST_LEVEL_NODES]; /* all ones: the leaf was not joined to another */
    double value[2 * BOOST_LEVEL_NODES]; /* what a leaf's rows are given */
    void *room;
    size_t room_len;
};

apex_status boost_tree_open(struct boost_tree *t, struct boost_rows *rows,
                            struct boost_model *model, const struct boost_options *o);
void boost_tree_close(struct boost_tree *t);
/* Which splits are allowed; before the first tree, while gradients are 0 (boost_allow.c). */
apex_status boost_tree_allow(struct boost_tree *t);
/* At the root, before its histogram is built: all histograms 0. */
void boost_tree_start(struct boost_tree *t, size_t index, size_t score);
/* The histogram that thread builds as number `built` on this level: zeroed. */
int64_t *boost_tree_built(const struct boost_tree *t, unsigned thread, size_t built);
/* Adds up what the threads built, and takes it from the parents: what is left
 * is the other child's. */
void boost_tree_merge(struct boost_tree *t);
/* From histograms to splits, into the model. */
void boost_tree_split(struct boost_tree *t);
/* To the next level: sums of the children. False below the last one: then rows are sent to
 * leaves and counted there, the leaves settled, and `value` added to the rows' scores. */
bool boost_tree_descend(struct boost_tree *t);
/* Joins leaves that may not stand (boost_join.c), passing over all. */
void boost_tree_join(struct boost_tree *t);
/* Joins, then writes what leaves are worth and what splits brought. */
void boost_tree_settle(struct boost_tree *t);
/* The sums of a node from its histogram: from the bins of the first feature. */
struct boost_sums boost_hist_sums(const int64_t *hist, size_t n_bins);
/* The best split of those allowed (boost_split.c). */
void boost_split_find(const int64_t *hist, const uint64_t *allowed, size_t d, size_t n_bins,
                      struct boost_sums total, const struct boost_rule *rule,
                      struct boost_split *split);

/* Adds the rows of a block (node == which) to a histogram, passing over all
 * bins (boost_hist.c). scratch: BOOST_HIST_SCRATCH bytes, 64-byte aligned. */
enum { BOOST_HIST_SCRATCH = 8 * BLOCK_ROWS };
struct boost_hist_rows {
    const uint8_t *bins; /* d columns of n */
    const int32_t *gh;
    const uint8_t *live, *node;
    size_t n, d, n_bins;
};
void boost_hist_add(const struct boost_hist_rows *rows, uint8_t which, void *scratch,
                    int64_t *hist);

/* Sends the rows of a block one level down: node = 2 node + (bin above the
 * node's), passing over all features and nodes (boost_route.c). `bins`: d
 * columns of n. */
void boost_route(const uint8_t *bins, size_t n, size_t d, const uint32_t *feature,
                 const uint8_t *bin, size_t n_nodes, uint8_t *node);
/* score += value[node], passing over all leaves. */
void boost_leaf_add(const uint8_t *node, size_t n, const double *value, size_t n_leaves,
                    double *score);
/* seen[party * n_leaves + leaf] += 1, for live rows, passing over all leaves. */
void boost_leaf_count(const uint8_t *node, const uint8_t *live, const uint8_t *party, size_t n,
                      size_t n_leaves, uint64_t *seen);

/* The two forms; `context` of boost_plain_tree is what boost_plain_open made.
 */
void boost_oblivious_tree(struct boost_tree *t);
struct boost_plain;
apex_status boost_plain_open(struct boost_plain **p, const struct boost_tree *t);
void boost_plain_tree(struct boost_plain *p, struct boost_tree *t);
void boost_plain_close(struct boost_plain *p);

#endif
