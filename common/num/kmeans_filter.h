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
    uint32_t *seen; /* room to find centroids that are the same */
    uint16_t *list; /* those that are not */
    struct kmeans_filter filter[PARALLEL_THREADS_MAX];
};

/* Chooses the walk of this machine. */
void kmeans_filter_choose(struct kmeans_filter *f, size_t d);
/* In which of VEC boxes (d x VEC bounds) each candidate may win a row, as bits; number: the one
 * that wins where no other does. Returns the boxes that several may win. */
unsigned kmeans_filter_boxes(const struct kmeans_filter *f, size_t d, const uint16_t *list,
                             size_t m, const double (*low)[VEC], const double (*high)[VEC],
                             uint8_t *keep, double *number);
/* The doubt for rows within d bounds. */
double kmeans_filter_doubt(const struct kmeans_table *t, const double *low, const double *high);
/* The centroids that can win a row, ascending: of equal ones, which score the same everywhere
 * and which no box would tell apart, the first. `seen`: room for kmeans_filter_room(k). */
size_t kmeans_filter_start(const struct kmeans_table *t, uint32_t *seen, uint16_t *list);
size_t kmeans_filter_room(size_t k);

/* The candidates that one of VEC boxes keeps; `kept` has room for one more. */
static inline size_t filter_kept(const uint8_t *keep, const uint16_t *list, size_t m,
                                 unsigned box, uint16_t *kept)
{
    size_t n = 0;
    for (size_t i = 0; i < m; i++) {
        kept[n] = list[i];
        n += keep[i] >> box & 1;
    }
    return n;
}

#endif
