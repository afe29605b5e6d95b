/* The tree of kmeans_tree.h and the walk down it, one per instruction level: for kmeans_tree.c
 * and kmeans_filter.c alone. */
#ifndef COMMON_NUM_KMEANS_FILTER_H
#define COMMON_NUM_KMEANS_FILTER_H

#include "common/num/kmeans_boxes.h"
#include "common/num/kmeans_kernel.h"
#include "common/num/kmeans_tree.h"
#include "common/num/parallel.h"
#include "common/num/vec.h"

/* One thread's walk. */
struct kmeans_filter {
    const struct kmeans_tree *tree;
    const struct kmeans_table *table;
    void (*visit)(struct kmeans_filter *f, size_t level, size_t group, const uint16_t *list,
                  size_t m);
    double doubt;   /* scores further apart than this are so for every row */
    uint16_t *list; /* room for the candidates of each level: BOXES_LEVELS_MAX x k */
    uint8_t *keep;  /* the same: which of VEC nodes a candidate stays with */
    struct kmeans_sums *sums;
};

struct kmeans_tree {
    struct order_rows rows; /* carries weights, if there are some */
    struct boxes boxes;
    bool weighted;
    size_t k, n_source; /* n_source: rows of the source */
    unsigned __int128 squares;
    __int128 *sum[BOXES_LEVELS_MAX];    /* nodes x d: weight times coordinate */
    uint64_t *weight[BOXES_LEVELS_MAX]; /* nodes, or NULL: as many as rows */
    unsigned threads;
    size_t *seen;   /* room to find centroids that are the same */
    uint16_t *list; /* those that are not */
    struct kmeans_filter filter[PARALLEL_THREADS_MAX];
};

/* Chooses the walk of this machine. */
void kmeans_filter_choose(struct kmeans_filter *f, size_t d);

#endif
