/* Sorting whose steps follow n alone: a bitonic network, so that neither branches nor addresses
 * tell the order of the rows.
 *
 * Numbers come in their total order: negative before positive, -0 before +0 (no not-a-number).
 * Pairs are ordered by number, then by payload as an unsigned integer: equal bytes for equal
 * input whatever the order it came in. In place, any n, no memory but the stack: about
 * n (log2 n)^2 / 4 compare-exchanges. Leaks: n. Sources: Batcher, Sorting networks and their
 * applications, AFIPS 1968; the form in which all comparators point the same way (the first
 * layer of a merge is mirrored), where the rows missing to a power of two are infinite and
 * never move.
 */
#ifndef COMMON_NUM_SORT_H
#define COMMON_NUM_SORT_H

#include "include/apex/status.h"

#include <stddef.h>
#include <stdint.h>

void sort_doubles(double *keys, size_t n);
void sort_doubles_u32(double *keys, uint32_t *payload, size_t n);
void sort_doubles_u64(double *keys, uint64_t *payload, size_t n);
/* Not oblivious, and faster: pairs by number in their total order, those of equal numbers in
 * the order they came in. APEX_E_LIMIT: 2^32 rows and more. APEX_E_MEMORY. Leaks: rows, through
 * addresses. */
apex_status sort_plain(double *keys, uint64_t *payload, size_t n);
/* The quantile q in 0..1 of sorted numbers by linear interpolation, as numpy's default; n > 0.
 * q is public. */
double sorted_quantile(const double *sorted, size_t n, double q);

#endif
