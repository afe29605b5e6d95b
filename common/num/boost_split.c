#include "common/num/boost_tree.h"
#include "common/num/exact_inline.h"

#include <math.h>

/* The best split so far of each bin number, side by side. */
struct lanes {
    double gain[BOOST_BINS_MAX], feature[BOOST_BINS_MAX];
    double g[BOOST_BINS_MAX], h[BOOST_BINS_MAX], rows[BOOST_BINS_MAX]; /* left of it */
};
/* Running sums of a feature: whole numbers below 2^53. */
struct running {
    double g[BOOST_BINS_MAX], h[BOOST_BINS_MAX], rows[BOOST_BINS_MAX];
};

#define NO_FEATURE 0x1p60

BOOST_BODY void running_sums(const int64_t *hist, size_t padded, struct running *r)
{
    int64_t g = 0, h = 0, rows = 0;
    for (size_t b = 0; b < padded; b++) {
        g += hist[b];
        h += hist[padded + b];
        rows += hist[2 * padded + b];
        r->g[b] = (double)g;
        r->h[b] = (double)h;
        r->rows[b] = (double)rows;
    }
}

/* g^2 / h, and 0 where h is. */
BOOST_BODY double worth(double g, double h)
{
    uint64_t some = exact_mask(h > 0);
    double share = g * g / exact_select(some, h, 1.0);
    return exact_of_bits(exact_bits(share) & some);
}

/* One feature, all bins: where its gain is above the lane's, it takes the lane.
 */
BOOST_BODY void feature_try(const struct running *r, const uint64_t *allowed, size_t padded,
                            double feature, const double total[3], double parent,
                            const struct boost_rule *rule, struct lanes *best)
{
    const double g_unit = rule->g_unit, h_unit = rule->h_unit, lambda = rule->lambda,
                 min_rows = (double)rule->min_rows, min_hessian = rule->min_hessian;
    for (size_t b = 0; b < padded; b++) {
        double h_left = r->h[b] * h_unit, h_right = (total[1] - r->h[b]) * h_unit;
        double gain = worth(r->g[b] * g_unit, h_left + lambda) +
                      worth((total[0] - r->g[b]) * g_unit, h_right + lambda) - parent;
        uint64_t takes = allowed[b] & exact_mask(gain > best->gain[b]) &
                         exact_mask(r->rows[b] >= min_rows) &
                         exact_mask(total[2] - r->rows[b] >= min_rows) &
                         exact_mask(h_left >= min_hessian) & exact_mask(h_right >= min_hessian);
        best->gain[b] = exact_select(takes, gain, best->gain[b]);
        best->feature[b] = exact_select(takes, feature, best->feature[b]);
        best->g[b] = exact_select(takes, r->g[b], best->g[b]);
        best->h[b] = exact_select(takes, r->h[b], best->h[b]);
        best->rows[b] = exact_select(takes, r->rows[b], best->rows[b]);
    }
}

BOOST_BODY void lanes_find_body(const int64_t *hist, const uint64_t *allowed, size_t d,
                                size_t padded, const double total[3],
                                const struct boost_rule *rule, struct lanes *best)
{
    struct running r;
    double parent = worth(total[0] * rule->g_unit, total[1] * rule->h_unit + rule->lambda);
    for (size_t b = 0; b < padded; b++) {
        best->gain[b] = rule->min_gain;
        best->feature[b] = NO_FEATURE;
        best->g[b] = best->h[b] = best->rows[b] = 0;
    }
    for (size_t f = 0; f < d; f++) {
        running_sums(hist + f * 3 * padded, padded, &r);
        feature_try(&r, allowed + f * padded, padded, (double)f, total, parent, rule, best);
    }
}
BOOST_LEVELS(static, lanes_find,
             (const int64_t *hist, const uint64_t *allowed, size_t d, size_t padded,
              const double total[3], const struct boost_rule *rule, struct lanes *best),
             (hist, allowed, d, padded, total, rule, best))

void boost_split_find(const int64_t *hist, const uint64_t *allowed, size_t d, size_t n_bins,
                      struct boost_sums total, const struct boost_rule *rule,
                      struct boost_split *split)
{
    struct lanes best;
    const double sums[3] = {(double)total.g, (double)total.h, (double)total.rows};
    double gain = 0, feature = NO_FEATURE, bin = BOOST_NO_SPLIT, g = sums[0], h = sums[1],
           rows = sums[2];
    size_t padded = boost_bins_padded(n_bins);
    lanes_find(hist, allowed, d, padded, sums, rule, &best);
    for (size_t b = 0; b < padded; b++) {
        uint64_t takes =
            exact_mask(best.feature[b] < NO_FEATURE) &
            (exact_mask(best.gain[b] > gain) |
             (exact_mask(best.gain[b] == gain) & exact_mask(best.feature[b] < feature)));
        gain = exact_select(takes, best.gain[b], gain);
        feature = exact_select(takes, best.feature[b], feature);
        bin = exact_select(takes, (double)b, bin);
        g = exact_select(takes, best.g[b], g);
        h = exact_select(takes, best.h[b], h);
        rows = exact_select(takes, best.rows[b], rows);
    }
    feature = exact_select(exact_mask(feature < NO_FEATURE), feature, 0.0);
    *split = (struct boost_split){
        (uint32_t)feature, (uint8_t)bin, gain, {(int64_t)g, (int64_t)h, (int64_t)rows}};
}
