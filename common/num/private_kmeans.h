/* Private k-means in 2 or 3 dimensions: common/num/kmeans.h on the weighted points of a private
 * tree (private_tree.h), whose guarantee, budget and statuses are this one's. All of k-means is
 * post-processing: rounds, restarts and k cost nothing, and the points can be clustered again
 * for another k. (A noisy Lloyd pays for each round.)
 *
 * Centroids lie inside the bounds. Columns are used in their own units: the bounds' widths are
 * not made equal. For great-circle distances take private_tree_fit and kmeans on unit vectors.
 * APEX_E_DATA (NUM_FEWER_THAN_K, at: the points): the tree has fewer points than k: fewer rows
 * or a smaller budget than k asks for. APEX_E_USAGE: k is 0. Leaks: private_tree.h; from there
 * on all is public. */
#ifndef COMMON_NUM_PRIVATE_KMEANS_H
#define COMMON_NUM_PRIVATE_KMEANS_H

#include "common/num/private_tree.h"

struct private_kmeans_options {
    struct private_tree_options tree;
    size_t k;
    unsigned restarts;
    const uint8_t *seed; /* 32 bytes, public: of the run, not the noise key */
};
struct private_kmeans {
    double *centroids; /* k x d, row-major, in the columns' units; lent by the caller */
    double *weights;   /* k: rows of each centroid, nearly; lent by the caller */
    size_t n_points;
    unsigned depth;
    double deviation; /* root mean square distance of a tree's point to its centroid */
};
apex_status private_kmeans_fit(const struct num_source *rows,
                               const struct private_kmeans_options *options, uint64_t amount,
                               struct private_run *run, struct private_kmeans *result,
                               struct num_place *place);
/* The part after the release. bounds: those of the tree. */
apex_status private_kmeans_of_points(const struct private_points *points,
                                     const struct private_bounds *bounds, size_t k,
                                     unsigned restarts, const uint8_t seed[static 32],
                                     struct private_kmeans *result, struct num_place *place);

#endif
