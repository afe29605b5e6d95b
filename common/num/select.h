/* The k-th smallest of n numbers, 0-based, without sorting all: the array is reordered, numbers
 * before k are not greater, those after not less. No number may be not-a-number. Always the
 * same steps for the same array; at worst n log n, by falling back to sorting. Leaks: n, and
 * the order of the numbers through time. Source: Hoare, Algorithm 65: Find, CACM 1961; Musser's
 * introspection, 1997. */
#ifndef COMMON_NUM_SELECT_H
#define COMMON_NUM_SELECT_H

#include <stddef.h>

double select_kth(double *numbers, size_t n, size_t k);
/* The quantile q in 0..1 by linear interpolation between order statistics, as numpy's default.
 * n > 0. */
double select_quantile(double *numbers, size_t n, double q);

#endif
