/* How many rows bear each of a list of codes, without an address or branch that follows a row:
 * every row is compared with every value, many at a time.
 *   codes   n, n <= BLOCK_ROWS; a row that does not count bears PRIVATE_NO_CODE
 *   values  n_values codes; none is PRIVATE_NO_CODE
 *   counts  n_values; added to
 * Leaks: n, n_values, values. */
#ifndef COMMON_NUM_PRIVATE_MATCH_H
#define COMMON_NUM_PRIVATE_MATCH_H

#include <stddef.h>
#include <stdint.h>

#define PRIVATE_NO_CODE UINT32_MAX

void private_match(const uint32_t *codes, size_t n, const uint32_t *values, size_t n_values,
                   int64_t *counts);

#endif
