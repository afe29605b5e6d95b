/* The release rules: what a cell of an answer (a centroid, a class, a leaf, a bin, a group of
 * predictions) must rest on before it may leave. One module for every contract; the numbers are
 * the manifest's.
 *
 * A cell is released when
 *   - it rests on at least minimum_rows rows,
 *   - of at least minimum_contributors parties,
 *   - none of which holds more than maximum_share of them,
 *   - and, where two contributors or more are demanded, at least minimum_rows rows are left
 *     without those of any one party: a party knows its own rows and can subtract them from a
 *     mean or a count.
 * Otherwise it is named and the reason said, without its numbers. Models use no cell that
 * is not released (contracts/lib/learner.h): what they say of a row would tell it.
 *
 * Hidden cells must not follow from what is told beside them. release_table does that for a
 * list of cells with a total, release_cross for a table with totals both ways (confusion
 * matrix, rates per cluster, two columns of texts). Both hide further cells until each hidden
 * cell that does not satisfy the rules could have at least minimum_rows different numbers of
 * rows (or as many as its reason leaves), for one who knows all that is told, the reasons, and
 * what any one party knows: its own rows in every cell. They do not defend against one who
 * takes apart why this further cell was hidden and no other, nor against parties who share what
 * they know.
 *
 * Where a number is told that is a sum over several cells, it is a total of theirs: make it
 * one. Ratios are told with the numbers they are made of, or not at all.
 *
 * Source: Hundepool et al., Statistical Disclosure Control, 2012, chapters 4 and 5 (threshold,
 * dominance, secondary suppression, hypercube method). */
#ifndef CONTRACTS_LIB_RELEASE_H
#define CONTRACTS_LIB_RELEASE_H

#include "common/wire/manifest.h"
#include "include/apex/contract.h"

enum release_reason {
    RELEASE_OK,
    RELEASE_FEW_ROWS,
    RELEASE_FEW_CONTRIBUTORS,
    RELEASE_DOMINATED,
    RELEASE_FEW_OTHERS, /* besides one party's rows fewer than minimum_rows */
    RELEASE_COMPLEMENT, /* satisfies the rules; hidden for another's sake */
    RELEASE_WITHHELD    /* one of the above: which one would say too much here */
};

struct release_rules {
    uint64_t minimum_rows, minimum_contributors;
    double maximum_share;
    size_t n_parties;
    uint64_t round_to; /* counts are told as its nearest multiple; 0 or 1: exactly */
};
struct release_cell {
    uint64_t rows, by_party[PARTIES_MAX];
    enum release_reason reason;
};

/* The manifest's; counts are exact. */
struct release_rules release_rules_of(const struct apex_run *run);
/* No minimum at all: parties who share everything. Zero is then a number like others. */
bool release_is_loose(const struct release_rules *rules);
/* Looks at rows and by_party, without a branch that follows them: leaves are judged of which
 * nobody is told. The reason is the caller's to keep. */
enum release_reason release_judge(const struct release_rules *rules,
                                  const struct release_cell *cell);
uint64_t release_contributors(const struct release_cell *cell, size_t n_parties);
/* Cells from counts, n x n_parties row-major, as common/num/cells.h makes them; judged. */
void release_cells_of(const struct release_rules *rules, const uint64_t *counts, size_t n,
                      struct release_cell *cells);
/* The greatest k that n rows allow: every centroid could rest on minimum_rows rows. */
size_t release_k_most(const struct release_rules *rules, uint64_t n);

/* Hides further cells of a list that was judged, the smallest first. True: the total of all
 * cells may be told as well. False: every cell is hidden and the total must be too (it never
 * happens where all rows together passed release_demand and there are two cells or more). */
bool release_table(const struct release_rules *rules, struct release_cell *cells, size_t n);
/* The same for a caller that tells the total after release_demand. */
void release_complement(const struct release_rules *rules, struct release_cell *cells,
                        size_t n);
/* Judges a list of cells and hides further ones beside a total that is told; a zero is one more
 * number where there is no minimum. */
void release_settle(const struct release_rules *rules, struct release_cell *cells, size_t n);
/* Whether the total may be told beside the cells as they are, with nothing more hidden. */
bool release_total_fits(const struct release_rules *rules, const struct release_cell *cells,
                        size_t n);
enum { RELEASE_CROSS_MAX = 1 << 14 };
/* A table of rows x columns with totals of each row and column: cells holds (rows + 1) x
 * (columns + 1), row-major; the caller fills the inner ones, totals and all reasons are made
 * here. The grand total stands last and counts as told, so it has to satisfy the rules. Totals
 * one way are settled as the list that they are, whatever is in the table: who lists them
 * elsewhere tells the same, and tables that share totals can stand side by side. Where a total
 * is hidden so are all cells of its row or column; they count as one row or column together. diagonal_told: the sum of the diagonal is told too (accuracy).
 * *any: false where all inner cells had to be hidden; with diagonal_told then the totals of one
 * way may be told, not both. Larger than RELEASE_CROSS_MAX cells: they are. APEX_E_MEMORY. */
apex_status release_cross(const struct release_rules *rules, struct release_cell *cells,
                          size_t rows, size_t columns, bool diagonal_told, bool *any);

/* Words for people, with the manifest's numbers in them. text: 120 bytes. */
void release_words(const struct release_rules *rules, enum release_reason reason,
                   char text[static 120]);
/* "suppressed": the reason's words. */
void release_suppressed(struct apex_run *run, const struct release_rules *rules,
                        enum release_reason reason);
/* A count as it is told: rounded half up. */
uint64_t release_round(const struct release_rules *rules, uint64_t count);
/* The rules with counts rounded to minimum_rows, for counts of rows on one side of a boundary
 * that whoever asks may move: of two such counts with one row between their boundaries nearly
 * all pairs are alike. */
struct release_rules release_coarse(const struct release_rules *rules);
/* A share as it is told: of counts as they are told, at most 1. */
double release_ratio(const struct release_rules *rules, uint64_t part, uint64_t whole);
/* The rows of a cell that is released. */
void release_rows(struct apex_run *run, const struct release_rules *rules, const char *key,
                  uint64_t rows);
/* A share of rows, such as those within a radius: told when the rows inside satisfy the rules
 * and those outside do, or are none; else null. A share that could be asked of any small
 * circle would find single rows. For two circles that differ by one row, both counts are those
 * of release_coarse. Several shares whose parts add up to a share that is told as well
 * are a table: release_cross. */
void release_share(struct apex_run *run, const struct release_rules *rules, const char *key,
                   const struct release_cell *inside, const struct release_cell *all);
bool release_share_told(const struct release_rules *rules, const struct release_cell *inside,
                        const struct release_cell *all);
/* A count beside the answer, such as rows left out: told when it is 0 or at least
 * minimum_rows; else null. */
void release_count(struct apex_run *run, const struct release_rules *rules, const char *key,
                   uint64_t count);
/* Which order statistics a quantile is told as the mean of: `count` of them from `first`
 * (0-based, of n > 0 sorted numbers). One order statistic is one row's own number, and asking
 * from three sides finds the row; so a window of them is a cell as any other, to be judged by
 * whose rows are in it: who holds all but one of them subtracts its own. Its size is twice what
 * satisfies the rules where the parties' rows are mixed as they are in `all`, times `widen`. */
struct release_window {
    size_t first, count;
};
struct release_window release_window(const struct release_rules *rules,
                                     const struct release_cell *all, size_t n, double q,
                                     size_t widen);
/* The precision a mean or a sum may be told to: a power of two, at least twice what one row
 * within `reach` of the mean moves it by. Who takes the same answer with one row more or less
 * and multiplies by the number of rows then finds that row no nearer than it knew already.
 * Costs nothing: the mean's own error is larger by the root of the number of rows. 0: exactly,
 * where the rules are loose. reach: finite, in the mean's units, made of numbers that are told.
 */
double release_precision(const struct release_rules *rules, double reach, uint64_t rows);
/* To the nearest multiple of the precision, which may be 0. */
double release_to(double value, double precision);
/* The whole answer: refuses (does not return) when all rows together do not satisfy the rules.
 */
void release_demand(struct apex_run *run, const struct release_rules *rules,
                    const struct release_cell *all);

#endif
