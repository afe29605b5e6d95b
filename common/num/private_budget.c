#include "common/num/private_budget.h"

#include "common/num/exact.h"

#include <string.h>

apex_status private_refuse(struct num_place *place, enum num_fault fault, size_t at,
                           apex_status status)
{
    if (place) *place = (struct num_place){fault, at};
    return status;
}

apex_status private_epsilon_micro(double epsilon, uint64_t *micro, struct num_place *place)
{
    if (!(epsilon >= 1e-6 && epsilon <= PRIVATE_EPSILON_MAX)) /* a NaN is neither */
        return private_refuse(place, NUM_BUDGET, 0, APEX_E_USAGE);
    *micro = (uint64_t)(epsilon * 1e6);
    return APEX_OK;
}

/* Is rho-zCDP (epsilon, delta)-DP, as shown by this alpha? The margin is what
 * rounding of doubles may have done: each term is exact to 4 units in the last
 * place. */
static bool implied(double alpha, double rho, double epsilon, double log_delta)
{
    double gain = (alpha - 1) * (alpha * rho - epsilon);
    double log_bound = gain - exact_log(alpha - 1) + alpha * exact_log(1 - 1 / alpha);
    double terms = (alpha - 1) * (alpha * rho + epsilon);
    return log_bound + 1e-9 + 1e-14 * (terms + alpha) <= log_delta;
}

/* The alpha that shows most: the derivative (2 alpha - 1) rho - epsilon + log(1
 * - 1/alpha) grows in alpha and is 0 there. Any other alpha would be as right,
 * only weaker. */
static double best_alpha(double rho, double epsilon)
{
    double low = 1.0009765625, high = 2;
    while (high < 1e15 && (2 * high - 1) * rho - epsilon + exact_log(1 - 1 / high) < 0)
        high *= 2;
    for (unsigned i = 0; i < 80; i++) {
        double alpha = low + (high - low) / 2;
        if ((2 * alpha - 1) * rho - epsilon + exact_log(1 - 1 / alpha) < 0)
            low = alpha;
        else
            high = alpha;
    }
    return low;
}

static bool covers(uint64_t epsilon_micro, double log_delta, uint64_t rho_nano)
{
    double rho = (double)rho_nano * 1e-9, epsilon = (double)epsilon_micro * 1e-6;
    return rho_nano == 0 || implied(best_alpha(rho, epsilon), rho, epsilon, log_delta);
}

uint64_t private_rho_of(uint64_t epsilon_micro, double delta)
{
    /* A rho above epsilon is right only where delta does all the work: not
     * offered. */
    uint64_t low = 0, high = epsilon_micro * 1000;
    double log_delta = exact_log(delta);
    while (low < high) {
        uint64_t middle = low + (high - low + 1) / 2;
        if (covers(epsilon_micro, log_delta, middle))
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

uint64_t private_epsilon_of(uint64_t rho_nano, double delta)
{
    uint64_t low = 0, high = (uint64_t)1 << 50;
    double log_delta = exact_log(delta);
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (covers(middle, log_delta, rho_nano))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

apex_status private_budget_open(struct private_budget *b, uint64_t epsilon_micro, double delta,
                                struct num_place *place)
{
    memset(b, 0, sizeof *b);
    if (epsilon_micro == 0 || epsilon_micro > (uint64_t)(PRIVATE_EPSILON_MAX * 1e6))
        return private_refuse(place, NUM_BUDGET, 0, APEX_E_USAGE);
    if (!(delta >= 0 && delta <= PRIVATE_DELTA_MAX) || (delta > 0 && delta < 1e-300))
        return private_refuse(place, NUM_BUDGET, 0, APEX_E_USAGE);
    b->pure = delta == 0;
    b->epsilon_micro = epsilon_micro;
    b->delta = delta;
    b->total = b->pure ? epsilon_micro : private_rho_of(epsilon_micro, delta);
    return b->total > 0 ? APEX_OK : private_refuse(place, NUM_BUDGET, 0, APEX_E_USAGE);
}

uint64_t private_budget_left(const struct private_budget *b)
{
    return b->total - b->spent;
}

uint64_t private_budget_share(const struct private_budget *b, uint64_t part, uint64_t whole)
{
    return (uint64_t)((unsigned __int128)private_budget_left(b) * part / whole);
}

apex_status private_budget_spend(struct private_budget *b, const char *what, uint64_t amount,
                                 struct num_place *place)
{
    size_t i = 0;
    if (amount == 0) return private_refuse(place, NUM_BUDGET, 0, APEX_E_USAGE);
    if (amount > private_budget_left(b))
        return private_refuse(place, NUM_BUDGET, 0, APEX_E_REFUSED);
    while (i < b->n_spends && strcmp(b->spends[i].what, what) != 0)
        i++;
    if (i == PRIVATE_SPENDS_MAX) return APEX_E_LIMIT;
    b->n_spends += i == b->n_spends;
    b->spends[i].what = what;
    b->spends[i].amount += amount;
    b->spent += amount;
    return APEX_OK;
}
