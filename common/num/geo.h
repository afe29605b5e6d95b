/* Places on the sphere, by columns: latitude and longitude in 1e-7 degree, as tables hold them.
 *
 * Distances are chords of the unit sphere, squared: they order as great-circle distances do,
 * and a radius is compared without a root or an arc. Nothing branches or indexes by a place or
 * a label: each row passes all sites and takes its own by comparing. Same bytes at every level
 * of simd.h. Leaks: n, k. */
#ifndef COMMON_NUM_GEO_H
#define COMMON_NUM_GEO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GEO_DEGREE 1e-7         /* of a unit of a coordinate */
#define GEO_VECTOR 1073741824.0 /* 2^30: unit vectors as integers, 6 mm on the ground */

/* Unit vectors times 2^30, rounded. */
void geo_vectors(const int32_t *latitude, const int32_t *longitude, size_t n, int32_t *x,
                 int32_t *y, int32_t *z);
/* The squared chord from each place to the site its label names: `unit` holds k unit vectors.
 * Labels of k or more: 4. `plain`: by way of the label, which is leaked; the same bytes. */
void geo_chords(const int32_t *latitude, const int32_t *longitude, const uint32_t *label,
                size_t n, const double (*unit)[3], size_t k, bool plain, double *chord2);
/* The label of the nearest site (the lower on a tie) and its squared chord. */
void geo_nearest(const int32_t *latitude, const int32_t *longitude, size_t n,
                 const double (*unit)[3], size_t k, uint32_t *label, double *chord2);
/* Great-circle kilometres of a squared chord, and back (0 to half the globe). */
double geo_km(double chord2);
double geo_chord2(double km);

#endif
