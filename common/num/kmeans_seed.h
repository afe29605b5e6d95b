/* The start of k-means: greedy k-means++ on a sample of rows that fits in memory.
 *
 * Each new centroid is the best of 2 + floor(ln k) candidates (rounded up to an even number),
 * rows drawn in proportion to weight times squared distance to the nearest centroid so far; in
 * proportion to weight where all distances are 0. Drawing a row, too, passes over all of them:
 * running sums in 64 lanes (row i in lane i mod 64, lanes one after the other) are compared
 * with the number drawn. Leaks: n, d, k, seed, and how often the sample grew (num_leak);
 * `pruned`: rows (kmeans_draw_tree.h). */
#ifndef COMMON_NUM_KMEANS_SEED_H
#define COMMON_NUM_KMEANS_SEED_H

#include "common/num/kmeans.h"

struct kmeans_seeding;
/* Reads the sample. `pruned`: the same start by looking at boxes of rows. APEX_E_DATA,
 * APEX_E_USAGE as kmeans_fit's; APEX_E_MEMORY. */
apex_status kmeans_seeding_new(const struct kmeans_source *source, size_t k,
                               const uint8_t seed[32], bool pruned,
                               struct kmeans_seeding **seeding, struct num_place *place);
void kmeans_seeding_free(struct kmeans_seeding *seeding);
size_t kmeans_seeding_rows(const struct kmeans_seeding *seeding);
/* Fills k x d centroids; another start for each number of a restart. Changes the seeding's
 * scratch. */
void kmeans_seeding_start(struct kmeans_seeding *seeding, const uint8_t seed[32],
                          unsigned restart, double *centroids);

#endif
