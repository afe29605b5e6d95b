/* The release rules: what a cell of an answer (a centroid, a class, a count) must rest on
 * before it may leave. One module for every contract; the numbers are the manifest's.
 *
 * A cell is released when it rests on at least minimum_rows rows, of at least
 * minimum_contributors parties, none of which holds more than maximum_share of them. Otherwise
 * it is named and the reason said, without its numbers. Where a total would give a single
 * hidden cell away by subtraction, release_complement hides more cells until it does not.
 * Models keep all classes inside; the rules are on what leaves. Source: Hundepool et al.,
 * Statistical Disclosure Control, 2012, chapters 4 and 5 (threshold, dominance, secondary
 * suppression). */
#ifndef CONTRACTS_LIB_RELEASE_H
#define CONTRACTS_LIB_RELEASE_H

#include "common/wire/manifest.h"
#include "include/apex/contract.h"

enum release_reason {
    RELEASE_OK,
    RELEASE_FEW_ROWS,
    RELEASE_FEW_CONTRIBUTORS,
    RELEASE_DOMINATED,
    RELEASE_COMPLEMENT
};

struct release_rules {
    uint64_t minimum_rows, minimum_contributors;
    double maximum_share;
    size_t n_parties;
};
struct release_cell {
    uint64_t rows, by_party[PARTIES_MAX];
    enum release_reason reason;
};

struct release_rules release_rules_of(const struct apex_run *run);
enum release_reason release_judge(const struct release_rules *rules,
                                  const struct release_cell *cell);
uint64_t release_contributors(const struct release_cell *cell, size_t n_parties);
/* Hides further cells, the smallest first, until those hidden are none, or at least two and
 * minimum_rows together. */
void release_complement(const struct release_rules *rules, struct release_cell *cells,
                        size_t n);
/* Words for people, with the manifest's numbers in them. text: 120 bytes. */
void release_words(const struct release_rules *rules, enum release_reason reason,
                   char text[static 120]);
/* A share of rows, such as those within a radius: told when the rows inside satisfy the rules
 * and those outside do, or are none; else null. A share that could be asked of any small circle
 * would find single rows. */
void release_share(struct apex_run *run, const struct release_rules *rules, const char *key,
                   const struct release_cell *inside, const struct release_cell *all);
/* A count beside the answer, such as rows left out: told when it is 0 or at least minimum_rows;
 * else null. */
void release_count(struct apex_run *run, const struct release_rules *rules, const char *key,
                   uint64_t count);
/* The whole answer: refuses (does not return) when all rows together do not satisfy the rules.
 */
void release_demand(struct apex_run *run, const struct release_rules *rules,
                    const struct release_cell *all);

#endif
