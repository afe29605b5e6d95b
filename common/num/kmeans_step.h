/* One round of Lloyd's algorithm, in three parts: partial sums per thread, merged, finished
 * into centroids. */
#ifndef COMMON_NUM_KMEANS_STEP_H
#define COMMON_NUM_KMEANS_STEP_H

#include "common/num/kmeans.h"
#include "common/num/parallel.h"

/* Partial sums of the rows of some blocks: exact, so they can be added in any order, here or on
 * another machine. */
struct step_partial {
    __int128 *sums;    /* k x d */
    uint64_t *weights; /* k */
    bool changed;
};
struct step {
    const struct kmeans_points *p;
    size_t k, n_blocks;
    unsigned threads;
    struct step_partial partial[PARALLEL_THREADS_MAX];
    double *block_sums; /* n_blocks: inertia, merged in block order */
};

apex_status step_open(struct step *s, const struct kmeans_points *p, size_t k,
                      unsigned threads);
void step_close(struct step *s);
/* Labels every point; returns the inertia; *changed: some label is another than before. Sums
 * for step_move are made on the way. */
double step_assign(struct step *s, const double *centroids, uint32_t *labels, bool *changed);
/* Merges the partial sums and moves the centroids to their means. */
void step_move(struct step *s, double *centroids);
/* out[i] = min(in[i], |x_i - at|^2) (in NULL: infinite); returns the weighted sum of out. */
double step_nearest(struct step *s, const double *at, const double *in, double *out);

#endif
