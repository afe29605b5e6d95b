/* A column of numbers as it may be told. */
#include "common/base/try.h"
#include "contracts/lib/column.h"

#include <math.h>

double told_mean(const struct release_rules *rules, const struct describe_run *r)
{
    return release_to(r->mean, release_precision(rules, r->greatest - r->least, r->rows));
}

bool told_passes(const struct release_rules *rules, const struct describe_run *r)
{
    struct release_cell cell = {.rows = r->rows};
    memcpy(cell.by_party, r->by_party, sizeof cell.by_party);
    return release_judge(rules, &cell) == RELEASE_OK;
}

/* Windows of all quantiles, each `widen` times as wide as it is told. */
static apex_status runs_find(const struct release_rules *rules,
                             const struct describe_source *source, unsigned threads,
                             const struct release_cell *all, const double *quantiles, size_t n,
                             size_t widen, struct describe_run *runs, struct num_place *place)
{
    struct describe_window windows[DESCRIBE_WINDOWS_MAX];
    for (size_t q = 0; q < n; q++) {
        struct release_window w =
            release_window(rules, all, (size_t)all->rows, quantiles[q], widen);
        windows[q] = (struct describe_window){w.first, w.count};
    }
    return describe_windows(source, threads, windows, n, runs, place);
}

apex_status told_quantiles(const struct release_rules *rules,
                           const struct describe_source *source, unsigned threads,
                           const struct release_cell *all, const double *quantiles, size_t n,
                           struct told_quantiles *told, struct num_place *place)
{
    struct describe_run run[TOLD_QUANTILES];
    bool found[TOLD_QUANTILES] = {0}, every = release_is_loose(rules);
    if (n > TOLD_QUANTILES) return APEX_E_USAGE;
    for (size_t q = 0; q < n; q++)
        told->told[q] = every;
    if (every) return describe_quantiles(source, threads, quantiles, n, told->value, place);
    for (size_t widen = 1; !every; widen *= 2) {
        TRY(runs_find(rules, source, threads, all, quantiles, n, widen, run, place));
        every = true;
        for (size_t q = 0; q < n; q++) {
            bool passes = told_passes(rules, &run[q]);
            if (widen == 1) told->told[q] = passes;
            if (!found[q]) told->value[q] = told_mean(rules, &run[q]);
            found[q] = found[q] || passes || run[q].rows == all->rows;
            every = every && found[q];
        }
    }
    return APEX_OK;
}

/* One row at z = reach / sd moves the skewness by (z^3 - 3 z - 3/2 s (z^2 - 1) - s) / n and the
 * kurtosis by (z^4 - 4 s z - 2 (k + 3)(z^2 - 1) - (k + 3)) / n, to first order. */
static void shape_tell(const struct release_rules *rules, uint64_t present, double z,
                       struct told *t)
{
    double s = fabs(t->skewness), k = fabs(t->kurtosis) + 3;
    t->skewness = release_to(
        t->skewness,
        release_precision(rules, z * z * z + 3 * z + 1.5 * s * (z * z + 1) + s, present));
    t->kurtosis = release_to(
        t->kurtosis,
        release_precision(rules, z * z * z * z + 4 * s * z + 2 * k * (z * z + 1) + k, present));
}

apex_status told_of(const struct release_rules *rules, const struct describe_source *source,
                    unsigned threads, const struct release_cell *all, struct told *t,
                    struct num_place *place)
{
    const double *quantile = t->quantile.value;
    uint64_t present = all->rows;
    static const double wanted[TOLD_QUANTILES] = {0, 0.05, 0.25, 0.5, 0.75, 0.95, 1};
    struct describe_moments m;
    TRY(describe_column(source, threads, &m, place));
    TRY(told_quantiles(rules, source, threads, all, wanted, TOLD_QUANTILES, &t->quantile,
                       place));
    double sd = sqrt(m.variance);
    t->reach = fmax(3 * sd, fmax(m.mean - quantile[0], quantile[TOLD_QUANTILES - 1] - m.mean));
    t->mean = release_to(m.mean, release_precision(rules, t->reach, present));
    t->sd =
        sqrt(release_to(m.variance, release_precision(rules, t->reach * t->reach, present)));
    t->skewness = m.skewness;
    t->kurtosis = m.kurtosis;
    shape_tell(rules, present, sd > 0 ? t->reach / sd : 0, t);
    return APEX_OK;
}
