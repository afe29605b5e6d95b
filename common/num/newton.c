#include "common/num/newton.h"

#include "common/base/size.h"
#include "common/base/try.h"
#include "common/base/wipe.h"
#include "common/num/exact.h"
#include "common/num/exact_inline.h"
#include "common/num/leak.h"
#include "common/num/solve.h"

#include <stdlib.h>

enum { HALVINGS_MAX = 60 };
/* A pivot at or below this share of its diagonal entry is rounding. */
#define DEPENDENT_SHARE 1e-11
#define ARMIJO 1e-4
/* Sums of many rows agree to about this much of their value. */
#define VALUE_NOISE 1e-13

struct search {
    const struct convex *f;
    double *at, *trial, *gradient, *next, *step, *hessian, *pivots, *scratch;
    double value, length;
    struct convex_result *result;
};

bool convex_falls(double before, double after, double promised)
{
    bool falls = after <= before - ARMIJO * promised + VALUE_NOISE * exact_abs(before);
    num_leak(&falls, sizeof falls);
    return falls;
}

double convex_length(const double *v, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += v[i] * v[i];
    return exact_sqrt(sum);
}

static bool known(bool condition)
{
    num_leak(&condition, sizeof condition);
    return condition;
}

static void factor(struct search *s, bool first)
{
    const size_t n = s->f->n;
    struct cholesky found = cholesky_factor(s->hessian, n, DEPENDENT_SHARE, s->scratch);
    if (first) {
        s->result->dependent = found.first;
        for (size_t i = 0; i < n; i++)
            s->pivots[i] = s->hessian[i * n + i];
    }
    double flattened = 1;
    for (size_t i = 0; i < n; i++) {
        uint64_t there = exact_mask(s->pivots[i] > 0.0);
        double share = s->hessian[i * n + i] / exact_select(there, s->pivots[i], 1.0);
        there &= exact_mask(share < flattened);
        flattened = exact_select(there, share, flattened);
    }
    s->result->flattened = flattened * flattened; /* of pivots, not of their roots */
}

/* One round from a factored Hessian: a step that is short enough. */
static apex_status advance(struct search *s, bool with_hessian, bool *moved)
{
    const size_t n = s->f->n;
    double promised = 0, share = 1, value = 0;
    for (size_t i = 0; i < n; i++)
        s->step[i] = s->gradient[i];
    cholesky_solve(s->hessian, n, s->step);
    for (size_t i = 0; i < n; i++)
        promised += s->gradient[i] * s->step[i];
    *moved = false;
    for (unsigned h = 0; h < HALVINGS_MAX && !*moved; h++, share *= 0.5) {
        for (size_t i = 0; i < n; i++)
            s->trial[i] = s->at[i] - share * s->step[i];
        s->result->evaluations++;
        TRY(s->f->evaluate(s->f->context, s->trial, &value, s->next,
                           with_hessian ? s->hessian : NULL));
        *moved = convex_falls(s->value, value, share * promised);
    }
    if (!*moved) return APEX_OK;
    for (size_t i = 0; i < n; i++) {
        s->at[i] = s->trial[i];
        s->gradient[i] = s->next[i];
    }
    s->value = value;
    return APEX_OK;
}

static apex_status run(struct search *s, const struct convex_options *options)
{
    const size_t n = s->f->n;
    double before = 0;
    bool fresh = true;
    TRY(s->f->evaluate(s->f->context, s->at, &s->value, s->gradient, s->hessian));
    s->result->evaluations = 1;
    s->length = convex_length(s->gradient, n);
    for (unsigned round = 0;; round++) {
        s->result->rounds = round;
        s->result->converged = known(s->length <= options->tolerance);
        if (fresh && (round == 0 || !s->result->converged)) factor(s, round == 0);
        if (s->result->converged || round == options->max_rounds) return APEX_OK;
        /* Newton's lengths go as c, c r, c r^3 ... once they fall fast: the ratio squares. */
        double ratio = s->length / exact_select(exact_mask(before > 0.0), before, 1.0);
        bool last = known((before > 0.0) & (ratio < 0.1) &
                          (s->length * ratio * ratio < 0.25 * options->tolerance));
        bool moved;
        before = s->length;
        TRY(advance(s, !last, &moved));
        if (!moved) return APEX_OK;
        s->length = convex_length(s->gradient, n);
        fresh = !last;
        if (last && known((s->length > options->tolerance) & (s->length > 0.1 * before))) {
            TRY(s->f->evaluate(s->f->context, s->at, &s->value, s->gradient, s->hessian));
            s->result->evaluations++;
            fresh = true;
        }
    }
}

apex_status newton_minimise(const struct convex *f, const struct convex_options *options,
                            double *at, struct convex_result *result)
{
    const size_t n = f->n;
    size_t count;
    if (n == 0) return APEX_E_USAGE;
    if (!size_add(n, 6, &count) || !size_mul(count, n, &count) ||
        !size_mul(count, sizeof(double), &count))
        return APEX_E_LIMIT;
    double *room = malloc(count);
    if (!room) return APEX_E_MEMORY;
    *result = (struct convex_result){.dependent = n};
    struct search s = {.f = f, .at = at, .result = result};
    s.hessian = room;
    s.trial = room + n * n;
    s.gradient = s.trial + n;
    s.next = s.gradient + n;
    s.step = s.next + n;
    s.pivots = s.step + n;
    s.scratch = s.pivots + n;
    apex_status status = run(&s, options);
    result->value = s.value;
    result->gradient = s.length;
    wipe(room, count);
    free(room);
    return status;
}
