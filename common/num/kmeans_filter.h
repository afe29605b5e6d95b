/* The tree of kmeans_tree.h and the walk down it, one per instruction level: for kmeans_tree.c
 * and kmeans_filter.c alone. */
#ifndef COMMON_NUM_KMEANS_FILTER_H
#define COMMON_NUM_KMEANS_FILTER_H

#include "common/num/kmeans_kernel.h"
#include "common/num/kmeans_tree.h"
#include "common/num/parallel.h"
#include "common/num/vec.h"

enum { TREE_LEAF = 32, TREE_LEVELS_MAX = 10 }; /* 32 x 8^9 > 2^32 */

/* The nodes of one level, the leaves' first. */
struct kmeans_level {
    size_t n;         /* nodes */
    int32_t *box;     /* per VEC nodes beside each other: d x {low, high} x VEC */
    __int128 *sum;    /* n x d: weight times coordinate */
    uint64_t *weight; /* n, or NULL: as many as rows */
};

/* One thread's walk. */
struct kmeans_filter {
    const struct kmeans_tree *tree;
    const struct kmeans_table *table;
    void (*visit)(struct kmeans_filter *f, size_t level, size_t group, const uint16_t *list,
                  size_t m);
    double doubt;   /* scores further apart than this are so for every row */
    uint16_t *list; /* room for the candidates of each level: TREE_LEVELS_MAX x k */
    uint8_t *keep;  /* the same: which of VEC nodes a candidate stays with */
    struct kmeans_sums *sums;
};

struct kmeans_tree {
    struct order_rows rows;
    bool weighted;
    size_t k, n_levels, n_source; /* n_source: rows of the source */
    unsigned __int128 squares;
    struct kmeans_level level[TREE_LEVELS_MAX];
    unsigned threads;
    size_t *seen;   /* room to find centroids that are the same */
    uint16_t *list; /* those that are not */
    struct kmeans_filter filter[PARALLEL_THREADS_MAX];
};

static inline size_t tree_rows(const struct kmeans_tree *t, size_t level, size_t node)
{
    size_t rows = (size_t)TREE_LEAF << 3 * level, first = node * rows;
    return t->rows.n - first < rows ? t->rows.n - first : rows;
}
/* Chooses the walk of this machine. */
void kmeans_filter_choose(struct kmeans_filter *f, size_t d);

#endif
