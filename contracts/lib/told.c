/* A column of numbers as it may be told. */
#include "common/base/try.h"
#include "contracts/lib/column.h"

#include <math.h>

/* One quantile as numpy's where a single row may show, else a mean of minimum_rows cells. */
apex_status told_quantiles(const struct release_rules *rules,
                           const struct describe_source *source, unsigned threads,
                           uint64_t present, const double *quantiles, size_t n, double *values,
                           struct num_place *place)
{
    struct describe_window windows[DESCRIBE_WINDOWS_MAX];
    if (rules->minimum_rows <= 1)
        return describe_quantiles(source, threads, quantiles, n, values, place);
    for (size_t q = 0; q < n && q < DESCRIBE_WINDOWS_MAX; q++) {
        struct release_window w = release_window(rules, (size_t)present, quantiles[q]);
        windows[q] = (struct describe_window){w.first, w.count};
    }
    return describe_windows(source, threads, windows, n, values, place);
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
                    unsigned threads, uint64_t present, struct told *t, struct num_place *place)
{
    static const double quantiles[TOLD_QUANTILES] = {0, 0.05, 0.25, 0.5, 0.75, 0.95, 1};
    struct describe_moments m;
    TRY(describe_column(source, threads, &m, place));
    TRY(told_quantiles(rules, source, threads, present, quantiles, TOLD_QUANTILES, t->quantile,
                       place));
    double sd = sqrt(m.variance);
    t->reach =
        fmax(3 * sd, fmax(m.mean - t->quantile[0], t->quantile[TOLD_QUANTILES - 1] - m.mean));
    t->mean = release_to(m.mean, release_precision(rules, t->reach, present));
    t->sd =
        sqrt(release_to(m.variance, release_precision(rules, t->reach * t->reach, present)));
    t->skewness = m.skewness;
    t->kurtosis = m.kurtosis;
    shape_tell(rules, present, sd > 0 ? t->reach / sd : 0, t);
    return APEX_OK;
}
