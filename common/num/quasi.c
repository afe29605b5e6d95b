#include "common/num/quasi.h"

#include "common/base/size.h"
#include "common/base/try.h"
#include "common/base/wipe.h"
#include "common/num/exact_inline.h"
#include "common/num/leak.h"

#include <stdlib.h>
#include <string.h>

enum { HALVINGS_MAX = 60 };

struct search {
    const struct convex *f;
    void (*solve)(void *, double *);
    void *solve_context;
    double *at, *trial, *gradient, *next, *step;
    double *moved, *turned; /* QUASI_MEMORY x n: differences of places and of gradients */
    double curvature[QUASI_MEMORY], scale;
    size_t kept, oldest;
    double value, length;
    struct convex_result *result;
};

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static void add(double *a, const double *b, size_t n, double factor)
{
    for (size_t i = 0; i < n; i++)
        a[i] += factor * b[i];
}

static size_t slot(const struct search *s, size_t age)
{
    return (s->oldest + age) % QUASI_MEMORY;
}

/* The two loops: step = (approximate inverse Hessian) gradient. */
static void direction(struct search *s)
{
    const size_t n = s->f->n;
    double share[QUASI_MEMORY];
    memcpy(s->step, s->gradient, n * sizeof *s->step);
    for (size_t k = s->kept; k-- > 0;) {
        size_t i = slot(s, k);
        share[k] = dot(s->moved + i * n, s->step, n) / s->curvature[i];
        add(s->step, s->turned + i * n, n, -share[k]);
    }
    s->solve(s->solve_context, s->step);
    for (size_t i = 0; i < n; i++)
        s->step[i] *= s->scale;
    for (size_t k = 0; k < s->kept; k++) {
        size_t i = slot(s, k);
        double back = dot(s->turned + i * n, s->step, n) / s->curvature[i];
        add(s->step, s->moved + i * n, n, share[k] - back);
    }
}

/* Keeps the pair of the last step where the function curved upwards along it. */
static void remember(struct search *s)
{
    const size_t n = s->f->n;
    size_t i = s->kept < QUASI_MEMORY ? slot(s, s->kept) : s->oldest;
    double *moved = s->moved + i * n, *turned = s->turned + i * n;
    for (size_t p = 0; p < n; p++) {
        moved[p] = s->trial[p] - s->at[p];
        turned[p] = s->next[p] - s->gradient[p];
    }
    double curvature = dot(moved, turned, n);
    bool curved = curvature > 1e-300;
    num_leak(&curved, sizeof curved);
    if (!curved) {
        s->kept = 0; /* the slot may have held a pair */
        return;
    }
    s->curvature[i] = curvature;
    memcpy(s->step, turned, n * sizeof *turned);
    s->solve(s->solve_context, s->step);
    double squares = dot(turned, s->step, n);
    s->scale = curvature / exact_select(exact_mask(squares > 0.0), squares, curvature);
    if (s->kept < QUASI_MEMORY)
        s->kept++;
    else
        s->oldest = (s->oldest + 1) % QUASI_MEMORY;
}

static apex_status advance(struct search *s, bool *moved)
{
    const size_t n = s->f->n;
    double value = 0, share = 1;
    direction(s);
    double promised = dot(s->step, s->gradient, n);
    *moved = false;
    for (unsigned h = 0; h < HALVINGS_MAX && !*moved; h++, share *= 0.5) {
        for (size_t i = 0; i < n; i++)
            s->trial[i] = s->at[i] - share * s->step[i];
        s->result->evaluations++;
        TRY(s->f->evaluate(s->f->context, s->trial, &value, s->next, NULL));
        *moved = convex_falls(s->value, value, share * promised);
    }
    if (!*moved) return APEX_OK;
    remember(s);
    memcpy(s->at, s->trial, n * sizeof *s->at);
    memcpy(s->gradient, s->next, n * sizeof *s->gradient);
    s->value = value;
    return APEX_OK;
}

static apex_status run(struct search *s, const struct convex_options *options)
{
    TRY(s->f->evaluate(s->f->context, s->at, &s->value, s->gradient, NULL));
    s->result->evaluations = 1;
    for (unsigned round = 0;; round++) {
        bool there, moved;
        s->length = convex_length(s->gradient, s->f->n);
        there = s->length <= options->tolerance;
        num_leak(&there, sizeof there);
        s->result->rounds = round;
        s->result->converged = there;
        if (there || round == options->max_rounds) return APEX_OK;
        TRY(advance(s, &moved));
        if (!moved && s->kept == 0) return APEX_OK;
        if (moved) continue;
        s->kept = 0; /* once more, along the plain direction */
        s->scale = 1;
    }
}

apex_status quasi_minimise(const struct convex *f, const struct convex_options *options,
                           void (*solve)(void *context, double *v), void *solve_context,
                           double *at, struct convex_result *result)
{
    const size_t n = f->n;
    size_t len;
    if (n == 0) return APEX_E_USAGE;
    if (!size_mul(n, (2 * QUASI_MEMORY + 4) * sizeof(double), &len)) return APEX_E_LIMIT;
    double *room = malloc(len);
    if (!room) return APEX_E_MEMORY;
    *result = (struct convex_result){.dependent = n, .flattened = 1};
    struct search s = {.f = f,
                       .solve = solve,
                       .solve_context = solve_context,
                       .at = at,
                       .scale = 1,
                       .result = result};
    s.trial = room;
    s.gradient = s.trial + n;
    s.next = s.gradient + n;
    s.step = s.next + n;
    s.moved = s.step + n;
    s.turned = s.moved + QUASI_MEMORY * n;
    apex_status status = run(&s, options);
    result->value = s.value;
    result->gradient = s.length;
    wipe(room, len);
    free(room);
    return status;
}
