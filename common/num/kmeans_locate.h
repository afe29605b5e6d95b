/* Labels of rows by where they are: the bytes of kmeans_assign in a time that hardly grows with
 * k. Not oblivious.
 *
 * The box of the centroids, and some more around it, is cut into cells; a cell keeps the
 * centroids that may be nearest to some row in it (found as in kmeans_tree.h, rounding
 * included), and one that keeps many is cut again. A row passes a few tables to its cell, and
 * compares what it keeps. Rows outside of all cells compare all centroids. Leaks: rows, through
 * branches and addresses. */
#ifndef COMMON_NUM_KMEANS_LOCATE_H
#define COMMON_NUM_KMEANS_LOCATE_H

#include "common/num/kmeans.h"

struct kmeans_locator;
/* APEX_E_USAGE: k is 0 or above KMEANS_K_MAX, d is 0 or above KMEANS_PRUNED_DIMS.
 * APEX_E_MEMORY. */
apex_status kmeans_locator_new(const double *centroids, size_t k, size_t d,
                               struct kmeans_locator **locator);
void kmeans_locator_free(struct kmeans_locator *locator);
/* Several threads may ask one locator. */
void kmeans_locate(const struct kmeans_locator *locator, const struct kmeans_chunk *chunk,
                   uint32_t *labels);

#endif
