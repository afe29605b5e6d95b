/* Few sets that cover a share of rows: greedy, then without those that turned out superfluous.
 *
 *   sets     n_sets x words of 64 rows each, row-major: bit i of word w is row 64 w + i; bits
 *            past the last row are 0
 *   wanted   rows to cover. Where all sets together cover fewer, as many as they do
 *   step     rows are counted in steps: a number covered is rounded down to a multiple before
 *            it is compared with `wanted` or with another (1: exactly), so that what is chosen
 *            does not turn on a single row
 *   chosen   n_sets; the indexes of the sets, in the order in which they were picked
 * Greedy takes the set that adds most, the lower index on a tie, which needs at most
 * 1 + ln(rows) times as many as the fewest would. Then, while there is one, the set without
 * which `wanted` is still covered and which leaves most covered is taken out, the last picked
 * on a tie. Leaks: shapes, and what is chosen in which order. Oblivious but for that.
 * APEX_E_USAGE: a step of 0. APEX_E_MEMORY, APEX_E_LIMIT. Sources: Chvatal, A greedy heuristic
 * for the set-covering problem, 1979; Beasley, An algorithm for set covering, 1987 (removal of
 * redundant columns). */
#ifndef COMMON_NUM_COVER_H
#define COMMON_NUM_COVER_H

#include "include/apex/status.h"

#include <stddef.h>
#include <stdint.h>

apex_status cover_choose(const uint64_t *sets, size_t n_sets, size_t words, uint64_t wanted,
                         uint64_t step, size_t *chosen, size_t *n_chosen);

#endif
