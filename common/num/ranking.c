#include "common/num/ranking.h"

#include "common/num/exact_inline.h"
#include "common/num/leak.h"
#include "common/num/refuse.h"
#include "common/num/sort.h"

#include <stdbool.h>

/* A mark is a row's weight in a double's bits, with the sign set for a negative row. */
#define SIGN (UINT64_C(1) << 63)

void ranking_fill(const struct num_block *block, const double *score, uint32_t positive,
                  double *keys, uint64_t *marks)
{
    for (size_t r = 0; r < block->n; r++) {
        keys[r] = exact_select(exact_mask(block->weight[r] > 0.0), score[r], 0.0);
        marks[r] =
            exact_bits(block->weight[r]) | (SIGN & ~exact_mask(block->label[r] == positive));
    }
}

static double weight_of(uint64_t mark, uint64_t sign)
{
    return exact_of_bits(mark & ~SIGN & exact_mask((mark & SIGN) == sign));
}

/* Going up: what lies below the step in hand, the step, and what the curves hold so far. */
struct climb {
    double below, below_positive; /* weights: negative rows, positive rows */
    double step, step_positive;
    double area, precision, hits;
};

static double ratio_or_0(double above, double below)
{
    uint64_t there = exact_mask(below > 0.0);
    return exact_select(there, above / exact_select(there, below, 1.0), 0.0);
}

/* Ends the step where `last` is all ones, else changes nothing. */
static void step_end(struct climb *c, uint64_t last, const struct ranking *r, double best)
{
    double hit = r->positive - c->below_positive, missed = r->negative - c->below;
    double here = c->step + c->step_positive, above = hit + missed - here;
    double taken = exact_clamp(best - above, 0.0, here);
    c->area += exact_select(last, c->step_positive * (c->below + 0.5 * c->step), 0.0);
    c->precision += exact_select(last, c->step_positive * ratio_or_0(hit, hit + missed), 0.0);
    c->hits += exact_select(last, c->step_positive * ratio_or_0(taken, here), 0.0);
    c->below += exact_select(last, c->step, 0.0);
    c->below_positive += exact_select(last, c->step_positive, 0.0);
    c->step = exact_select(last, 0.0, c->step);
    c->step_positive = exact_select(last, 0.0, c->step_positive);
}

/* For 0 <= x < 2^52. */
static double whole_of(double x)
{
    double near = (x + 4503599627370496.0) - 4503599627370496.0;
    return near - exact_select(exact_mask(near > x), 1.0, 0.0);
}

apex_status ranking_finish(double *keys, uint64_t *marks, size_t n, double top,
                           struct ranking *ranking, struct num_place *place)
{
    struct ranking r = {0};
    struct climb c = {0};
    if (!(top >= 0 && top <= 1)) return APEX_E_USAGE;
    sort_doubles_u64(keys, marks, n);
    for (size_t i = 0; i < n; i++) {
        r.positive += weight_of(marks[i], 0);
        r.negative += weight_of(marks[i], SIGN);
    }
    bool both[2] = {r.positive > 0, r.negative > 0};
    num_leak(both, sizeof both);
    if (!both[0] || !both[1]) return refuse(place, NUM_NO_POSITIVE, both[0]);
    double best = whole_of(top * (r.positive + r.negative));
    for (size_t i = 0; i < n; i++) {
        c.step_positive += weight_of(marks[i], 0);
        c.step += weight_of(marks[i], SIGN);
        step_end(&c, i + 1 == n ? ~UINT64_C(0) : exact_mask(keys[i + 1] > keys[i]), &r, best);
    }
    r.auc = c.area / (r.positive * r.negative);
    r.average_precision = c.precision / r.positive;
    r.top = ratio_or_0(c.hits, best);
    *ranking = r;
    return APEX_OK;
}
