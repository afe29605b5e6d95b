/* The one accountant of a private run: what may be spent, what was, and on what. In integers,
 * so that a ledger can debit the same number.
 *
 * Guarantee: for two sets of rows of which one is the other and one row more, each set of
 * answers is at most e^epsilon times as likely from one as from the other, plus delta. The row
 * may be any; who contributed it does not matter, so this is privacy of a row, not of a party.
 *
 *   delta = 0  pure differential privacy; units are millionths of epsilon; parts add up.
 *   delta > 0  zero-concentrated (rho-zCDP): the Renyi divergence of order alpha is at most
 *              rho alpha for all alpha > 1; units are thousand-millionths of rho; parts add up.
 *
 * Parts may be chosen after seeing earlier answers, as long as all of them stay within the
 * total: Rogers, Roth, Ullman and Vadhan, Privacy Odometers and Filters, NeurIPS 2016 (pure);
 * Feldman and Zrnic, Individual Privacy Accounting via a Renyi Filter, NeurIPS 2021 (zCDP).
 *
 * rho for a given (epsilon, delta) is the greatest for which some alpha > 1 has
 *     log delta >= (alpha - 1)(alpha rho - epsilon) - log(alpha - 1) + alpha log(1 - 1/alpha)
 * (Canonne, Kamath and Steinke 2020, corollary 13); this is never below what Bun and Steinke's
 * proposition 1.3 (TCC 2016), epsilon = rho + 2 sqrt(rho log(1/delta)), allows. All is rounded
 * against spending. Over several runs epsilons add up and so do deltas.
 *
 * APEX_E_USAGE (NUM_BUDGET): an epsilon that is not above 0, or not a number, or above
 * PRIVATE_EPSILON_MAX; a delta not in 0..PRIVATE_DELTA_MAX; an amount of 0.
 * APEX_E_REFUSED (NUM_BUDGET): more than is left. APEX_E_LIMIT: too many kinds of spending.
 * Leaks: nothing; it never sees a row. */
#ifndef COMMON_NUM_PRIVATE_BUDGET_H
#define COMMON_NUM_PRIVATE_BUDGET_H

#include "common/num/fault.h"
#include "include/apex/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PRIVATE_EPSILON_MAX 1000.0 /* more protects nobody */
#define PRIVATE_DELTA_MAX 0.01     /* more would let whole rows out now and then */
enum { PRIVATE_SPENDS_MAX = 64 };

struct private_spend {
    const char *what; /* outlives the budget: a literal */
    uint64_t amount;  /* in the budget's units */
};
struct private_budget {
    bool pure;
    uint64_t epsilon_micro;
    double delta;
    uint64_t total, spent; /* units: millionths of epsilon if pure, else of rho 1e-9 */
    size_t n_spends;
    struct private_spend spends[PRIVATE_SPENDS_MAX];
};

/* Millionths, rounded down, of an epsilon that somebody typed. */
apex_status private_epsilon_micro(double epsilon, uint64_t *micro, struct num_place *place);
apex_status private_budget_open(struct private_budget *b, uint64_t epsilon_micro, double delta,
                                struct num_place *place);
uint64_t private_budget_left(const struct private_budget *b);
/* part / whole of what is left, rounded down; whole > 0, part <= whole. */
uint64_t private_budget_share(const struct private_budget *b, uint64_t part, uint64_t whole);
/* Before the noise is drawn; amounts for the same words are added up. */
apex_status private_budget_spend(struct private_budget *b, const char *what, uint64_t amount,
                                 struct num_place *place);

/* Conversions, both rounded against the one who spends. Millionths of epsilon
 * and thousand-millionths of rho; 0 < delta <= PRIVATE_DELTA_MAX. */
uint64_t private_rho_of(uint64_t epsilon_micro, double delta);
uint64_t private_epsilon_of(uint64_t rho_nano, double delta);

/* Fills in the place, if there is one, and answers with the status. */
apex_status private_refuse(struct num_place *place, enum num_fault fault, size_t at,
                           apex_status status);

#endif
