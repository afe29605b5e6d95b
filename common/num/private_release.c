#include "common/num/private_release.h"

#include "common/base/try.h"
#include "common/num/leak.h"
#include "common/num/private_noise.h"
#include "common/num/reduce.h"
#include "common/num/vec.h"

#include <string.h>

apex_status private_release(struct private_statistic *s, uint64_t amount,
                            struct private_budget *budget, struct private_random *random,
                            struct num_place *place)
{
    struct private_noise noise;
    if (budget->pure)
        TRY(private_noise_laplace(s->l1, amount, &noise, place));
    else
        TRY(private_noise_gaussian(s->l2_squared, amount, &noise, place));
    TRY(private_budget_spend(budget, s->what, amount, place));
    /* Modulo 2^64, which is post-processing: sums stay below 2^62, and so does
     * noise. */
    for (size_t i = 0; i < s->n; i++)
        s->values[i] =
            (int64_t)((uint64_t)s->values[i] + (uint64_t)private_noise_draw(&noise, random));
    s->variance = noise.variance;
    num_leak(s->values, s->n * sizeof *s->values);
    return APEX_OK;
}

static void sum_partial(void *context, size_t index, unsigned thread, void *partial)
{
    const struct private_summing *s = context;
    struct num_block block;
    s->rows->block(s->rows->context, index, thread, &block);
    s->add(s->context, &block, partial);
}

static void sum_merge(void *context, void *total, const void *partial)
{
    const struct private_summing *s = context;
    int64_t *values = total;
    const int64_t *more = partial;
    for (size_t i = 0; i < s->n_values; i++)
        values[i] += more[i];
}

apex_status private_sum(const struct private_summing *s, int64_t *values)
{
    struct private_summing copy = *s;
    const struct reduction reduction = {.n_blocks = s->rows->n_blocks,
                                        .partial_len = s->n_values * sizeof *values,
                                        .partial = sum_partial,
                                        .merge = sum_merge,
                                        .context = &copy};
    if (s->n_values > SIZE_MAX / sizeof *values) return APEX_E_LIMIT;
    memset(values, 0, s->n_values * sizeof *values);
    return reduce_blocks(s->threads, &reduction, values);
}

bool private_rows_have(const struct num_source *rows, bool target)
{
    struct num_block block;
    if (rows->n_blocks == 0) return true;
    rows->block(rows->context, 0, 0, &block);
    return target ? block.target != NULL : block.label != NULL;
}

apex_status private_bounds_check(const struct private_bounds *bounds, size_t n,
                                 struct num_place *place)
{
    for (size_t i = 0; i < n; i++) {
        double range = bounds[i].max - bounds[i].min;
        if (!(range > 1e-100 && range < 1e100))
            return private_refuse(place, NUM_RANGE, i, APEX_E_USAGE);
    }
    return APEX_OK;
}

static inline double clamp(double x, struct private_bounds bounds)
{
    return vec_least(vec_greatest(x, bounds.min), bounds.max);
}

double private_clamp(double cell, struct private_bounds bounds)
{
    return clamp(cell, bounds);
}

/* The step of one cell; the limits of the integer hold whatever the doubles did. */
static inline int32_t step_of(double x, struct private_bounds bounds, double scale,
                              double round, int32_t most)
{
    return private_within((int32_t)((clamp(x, bounds) - bounds.min) * scale + round), most);
}

void private_grid(const double *cells, size_t n, struct private_bounds bounds, uint32_t steps,
                  int32_t *grid)
{
    const double scale = steps / (bounds.max - bounds.min);
    for (size_t i = 0; i < n; i++)
        grid[i] = step_of(cells[i], bounds, scale, 0.5, (int32_t)steps);
}

void private_bins(const double *cells, size_t n, struct private_bounds bounds, uint32_t n_bins,
                  uint32_t *bins)
{
    const double scale = n_bins / (bounds.max - bounds.min);
    for (size_t i = 0; i < n; i++)
        bins[i] = (uint32_t)step_of(cells[i], bounds, scale, 0, (int32_t)n_bins - 1);
}
