/* The inner loops of k-means, one set per instruction level, all giving the same labels and the
 * same sums. For kmeans_step.c alone.
 *
 * A stripe is at most KMEANS_STRIPE rows, a multiple of KMEANS_VECTOR. Sums are made of planes
 * of int16: a coordinate x is 2^16 (x >> 16) + ((x & 0xffff) - 2^15) + 2^15, two planes; a
 * number of 64 bits is four. The rows of a centroid are picked by comparing all labels with its
 * index, and int16 planes are what instructions sum most of at once (pairs, to int32). */
#ifndef COMMON_NUM_KMEANS_KERNEL_H
#define COMMON_NUM_KMEANS_KERNEL_H

#include <stddef.h>
#include <stdint.h>

enum {
    KMEANS_STRIPE = 2048,
    KMEANS_VECTOR = 256,    /* rows */
    KMEANS_GROUP = 8,       /* centroids beside each other in the table */
    KMEANS_LANES = 16,      /* int32 sums per plane and centroid, added up when flushed */
    KMEANS_FLUSH = 1 << 18, /* rows: 2^18 / KMEANS_LANES x 2^16 < 2^31; the 8 lanes of AVX2 add
                               two rows per step, 2^18 / 16 x 2^16 */
    KMEANS_NOBODY = 0xffff  /* the label of rows past the end */
};

struct kmeans_table {
    size_t k, d, groups;
    double *centre;      /* d whole numbers */
    double *coefficient; /* groups x d x 8: -2 (c - centre) */
    double *square;      /* groups x 8: |c - centre|^2; infinite past k */
    double *centroids;   /* k x d, as given */
};
/* A centroid's coefficients, KMEANS_GROUP apart. d: the table's, where the compiler knows it.
 */
static inline const double *table_coefficient(const struct kmeans_table *t, size_t d, size_t c)
{
    return t->coefficient + c / KMEANS_GROUP * d * KMEANS_GROUP + c % KMEANS_GROUP;
}

struct kmeans_kernel {
    /* Labels of n rows (a multiple of 32). */
    void (*label)(const struct kmeans_table *t, const int32_t *const *column, size_t n,
                  uint32_t *label);
    /* Planes of a column (n a multiple of 32), and labels as the planes are ordered: any order,
     * the same for all. */
    void (*split)(const int32_t *column, size_t n, int16_t *high, int16_t *low);
    void (*order)(const uint32_t *label, size_t n, uint16_t *ordered);
    /* sums: k x (n_planes + 1) x KMEANS_LANES, the last plane counts rows. n: a multiple of
     * KMEANS_VECTOR; planes lie `stride` apart. */
    void (*sum)(const uint16_t *ordered, const int16_t *planes, size_t n_planes, size_t stride,
                size_t n, size_t k, int32_t *sums);
    /* own[i] = values[step * label[i]], found by passing all k (n a multiple of 32). */
    void (*own)(const double *values, size_t step, size_t k, const uint32_t *label, size_t n,
                double *own);
};
const struct kmeans_kernel *kmeans_kernel(void);
extern const struct kmeans_kernel kmeans_kernel_any, kmeans_kernel_256, kmeans_kernel_512;

#endif
