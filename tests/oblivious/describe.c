/* Moments, quantiles, histograms, categories and correlations of columns. */
#include "common/num/describe.h"
#include "common/num/gram.h"
#include "tests/oblivious/secret.h"

#include <string.h>

enum { ROWS = 700, CATEGORIES = 5 };
static double cells[3][ROWS];
static uint8_t present[ROWS], used[ROWS];
static uint32_t codes[ROWS];
static uint64_t counts[CATEGORIES + 1];
static size_t n, passes;

static void fill(uint64_t seed)
{
    n = rows_watched(ROWS, 40);
    passes = rows_watched(DESCRIBE_PASSES, 3);
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t f = 0; f < 3; f++)
            cells[f][i] = oblivious_unit(seed, 1000 * f + i) * 200 - 100;
        present[i] = i == 0 || oblivious_number(seed, 5000 + i) % 4 > 0;
        used[i] = i == 0 || oblivious_number(seed, 6000 + i) % 4 > 0;
        codes[i] = (uint32_t)(oblivious_number(seed, 7000 + i) % (CATEGORIES + 2));
    }
}

static struct describe_cells cells_hidden(void)
{
    secret(cells, sizeof cells);
    secret(present, sizeof present);
    secret(used, sizeof used);
    secret(codes, sizeof codes);
    return (struct describe_cells){n, cells[0], present, used};
}

static void moments(void)
{
    struct describe_cells c = cells_hidden();
    struct describe_sums partial, total = {0};
    struct describe_moments m;
    describe_partial(&c, &partial);
    describe_merge(&total, &partial);
    describe_merge(&total, &partial);
    if (describe_finish(&total, &m, NULL) != APEX_OK) __builtin_trap();
}

static void quantiles(void)
{
    static const double wanted[] = {0.5, 0.9};
    struct describe_cells c = cells_hidden();
    struct describe_search s;
    uint64_t here = 0;
    double values[2];
    for (size_t i = 0; i < n; i++)
        here += present[i] & used[i];
    if (describe_search_begin(&s, wanted, 2, here, NULL) != APEX_OK) __builtin_trap();
    for (size_t p = 0; p < passes; p++) {
        struct describe_tally partial = {0}, total = {0};
        s.pass = p + 1 == passes ? DESCRIBE_PASSES - 1 : s.pass; /* the last one is another */
        describe_tally_partial(&s, &c, &partial);
        describe_tally_merge(&s, &total, &partial);
        describe_search_step(&s, &total);
    }
    describe_search_finish(&s, values);
}

static void whole_quantiles(void)
{
    static const double wanted[] = {0.25};
    cells_hidden();
    struct describe_array a = {rows_watched(ROWS, 5), cells[0], present, used};
    struct describe_source s = describe_source_of_array(&a);
    double value;
    if (describe_quantiles(&s, 1, wanted, 1, &value, NULL) != APEX_OK) __builtin_trap();
}

static void windows(void)
{
    static const struct describe_window wanted[] = {{1, 2}};
    cells_hidden();
    static const uint8_t party[ROWS] = {1, 1, 2};
    struct describe_array a = {rows_watched(ROWS, 5), cells[0], NULL, NULL, party};
    struct describe_source s = describe_source_of_array(&a);
    struct describe_run run;
    if (describe_windows(&s, 1, wanted, 1, &run, NULL) != APEX_OK) __builtin_trap();
}

static void histogram(void)
{
    static const double edges[] = {-50, 0, 10, 90};
    uint64_t bins[6] = {0};
    struct describe_cells c = cells_hidden();
    describe_histogram_add(&c, edges, 4, bins);
}

static void categories(void)
{
    cells_hidden();
    describe_categories_add(codes, present, used, n, CATEGORIES, counts);
}

static void correlation(void)
{
    const double *const columns[] = {cells[0], cells[1], cells[2]};
    struct num_arrays a = {n, 3, columns, NULL, NULL, NULL};
    struct num_source s;
    double gram[1 + 3 + 6] = {0}, r[9];
    cells_hidden();
    if (num_source_of_arrays(&a, &s) != APEX_OK ||
        gram_fit(1, &s, false, gram, NULL) != APEX_OK ||
        describe_correlation(3, gram, r, NULL) != APEX_OK)
        __builtin_trap();
    num_source_of_arrays_free(&s);
}

static const struct oblivious_case cases[] = {
    {"moments of a column", fill, moments},
    {"passes of a search for quantiles", fill, quantiles},
    {"quantiles of a column", fill, whole_quantiles},
    {"means of cells in order", fill, windows},
    {"a histogram", fill, histogram},
    {"counts of categories", fill, categories},
    {"correlations", fill, correlation}};
OBLIVIOUS(cases)
