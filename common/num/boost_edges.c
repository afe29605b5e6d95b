#include "common/num/boost_rows.h"
#include "common/num/exact_inline.h"
#include "common/num/sort.h"

#include <math.h>

/* Which runs of equal numbers there are in a sorted sample: after the last row
 * of a run comes a boundary, where an edge may lie. */
enum { RUN_END = 1, RUN_LARGE = 2, NEXT_LARGE = 4 };

struct runs {
    uint64_t rows, n;             /* that count; runs */
    uint64_t large_rows, n_large; /* runs with more rows than a bin's share */
};

static uint64_t bit(bool condition)
{
    return (uint64_t)condition;
}

/* `run[i]`: flags of row i. Rows that do not count are at the end, infinite. */
static struct runs runs_mark(const double *sorted, size_t n, size_t n_bins, uint8_t *run)
{
    struct runs r = {0};
    uint64_t length = 0, large_next = 0;
    for (size_t i = 0; i < n; i++)
        r.rows += bit(sorted[i] < INFINITY);
    for (size_t i = 0; i < n; i++) {
        double next = i + 1 < n ? sorted[i + 1] : INFINITY;
        uint64_t counts = bit(sorted[i] < INFINITY), end = counts & bit(sorted[i] < next);
        length += counts;
        uint64_t large = end & bit(length * n_bins > r.rows);
        run[i] = (uint8_t)(end * RUN_END | large * RUN_LARGE);
        r.n += end;
        r.n_large += large;
        r.large_rows += length & (0 - large);
        length &= end - 1;
    }
    for (size_t i = n; i-- > 0;) {
        uint64_t end = run[i] & RUN_END;
        run[i] = (uint8_t)(run[i] | large_next * NEXT_LARGE);
        large_next = (large_next & (end - 1)) | (bit(run[i] & RUN_LARGE) & (0 - end));
    }
    return r;
}

/* Half way between two numbers, below the upper one. */
static double between(double low, double high)
{
    double middle = 0.5 * low + 0.5 * high;
    middle = exact_select(exact_mask(middle < high), middle, low);
    return exact_select(exact_mask(middle < low), low, middle);
}

/* edges[at] = edge, by passing over all of them; at = n_edges: none. */
BOOST_BODY void edge_put_body(double *edges, size_t n_edges, double edge, uint64_t at)
{
    for (size_t j = 0; j < n_edges; j++)
        edges[j] = exact_select(exact_mask(j == at), edge, edges[j]);
}
BOOST_LEVELS(static, edge_put, (double *edges, size_t n_edges, double edge, uint64_t at),
             (edges, n_edges, edge, at))

/* A bin ends where it has its share of the rows that lie in small runs; large
 * runs have bins of their own; with no more runs than bins, each has one. */
void boost_edges_choose(double *sample, size_t n, size_t n_bins, uint8_t *run, double *edges)
{
    sort_doubles(sample, n);
    struct runs r = runs_mark(sample, n, n_bins, run);
    uint64_t every = bit(r.n <= n_bins), at = 0, filled = 0;
    uint64_t rest = r.rows - r.large_rows, bins_left = n_bins - r.n_large;
    for (size_t j = 0; j + 1 < n_bins; j++)
        edges[j] = INFINITY;
    for (size_t i = 0; i + 1 < n; i++) {
        filled += bit(sample[i] < INFINITY);
        uint64_t end = bit(run[i] & RUN_END), large = bit(run[i] & RUN_LARGE);
        uint64_t full = bit(filled * bins_left >= rest) | large | bit(run[i] & NEXT_LARGE);
        uint64_t last = bit(!(sample[i + 1] < INFINITY));
        uint64_t chosen = end & (full | every) & (last ^ 1) & bit(at + 1 < n_bins);
        double edge = between(sample[i], sample[i + 1]);
        edge_put(edges, n_bins - 1, edge, at | (0 - (chosen ^ 1)));
        at += chosen;
        rest -= filled & (0 - (chosen & (large ^ 1)));
        bins_left -= chosen & (large ^ 1) & bit(bins_left > 1);
        filled &= chosen - 1;
    }
}

BOOST_BODY void boost_bins_of_body(const double *cell, size_t n, const double *edges,
                                   size_t n_edges, uint8_t *bins)
{
    for (size_t i = 0; i < n; i += BOOST_STRIP) {
        uint64_t above[BOOST_STRIP] = {0};
        for (size_t e = 0; e < n_edges; e++)
            for (size_t s = 0; s < BOOST_STRIP; s++)
                above[s] += cell[i + s] > edges[e];
        for (size_t s = 0; s < BOOST_STRIP; s++)
            bins[i + s] = (uint8_t)above[s];
    }
}
BOOST_LEVELS(, boost_bins_of,
             (const double *cell, size_t n, const double *edges, size_t n_edges, uint8_t *bins),
             (cell, n, edges, n_edges, bins))
