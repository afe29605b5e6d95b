#include "common/num/describe.h"
#include "common/num/gram.h"
#include "common/num/random.h"
#include "common/num/simd.h"
#include "tests/check.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 10007 };
static double column[4][N];
static uint8_t present[N], used[N];
static uint32_t codes[N];
static const uint8_t seed[32] = {8};
static const enum simd_level levels[] = {SIMD_LEVEL_512, SIMD_LEVEL_256, SIMD_LEVEL_ANY};

static void rows_make(void)
{
    struct random_state r;
    random_seed(&r, seed, 1);
    for (size_t i = 0; i < N; i++) {
        double u = random_unit(&r);
        column[0][i] = u * u * u - 0.25;                       /* skewed */
        column[1][i] = 1.7e12 + floor(1000 * random_unit(&r)); /* far from 0, ties */
        column[2][i] = (random_next(&r) & 1 ? -1 : 1) * ldexp(u, (int)(random_next(&r) % 600));
        column[3][i] = column[0][i] * 2 + random_unit(&r);
        present[i] = random_next(&r) % 10 > 0;
        used[i] = random_next(&r) % 7 > 0;
        codes[i] = (uint32_t)(random_next(&r) % 9);
    }
}

struct truth {
    size_t n, missing;
    long double mean, variance, sample, skewness, kurtosis;
    double least, most, sorted[N];
};

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct truth *truth_of(const double *x, size_t n, const uint8_t *here,
                              const uint8_t *rows)
{
    static struct truth t;
    long double power[5] = {0};
    t = (struct truth){0};
    for (size_t i = 0; i < n; i++) {
        if (rows && !rows[i]) continue;
        if (here && !here[i]) {
            t.missing++;
            continue;
        }
        t.sorted[t.n++] = x[i];
    }
    /* even a long double is short of digits, 1e12 away from 0 */
    long double beside = 0, first = t.sorted[0];
    for (size_t i = 0; i < t.n; i++)
        beside += (t.sorted[i] - first) / t.n;
    t.mean = first + beside;
    for (size_t i = 0; i < t.n; i++)
        for (int k = 2; k < 5; k++)
            power[k] += powl(t.sorted[i] - first - beside, k);
    t.variance = power[2] / t.n;
    t.sample = t.n > 1 ? power[2] / (t.n - 1) : 0;
    t.skewness = power[2] > 0 ? power[3] / t.n / powl(t.variance, 1.5L) : 0;
    t.kurtosis = power[2] > 0 ? power[4] / t.n / (t.variance * t.variance) - 3 : 0;
    qsort(t.sorted, t.n, sizeof *t.sorted, ascending);
    t.least = t.sorted[0];
    t.most = t.sorted[t.n - 1];
    return &t;
}

static bool near(double got, long double want, long double tolerance)
{
    return fabsl(got - want) <= tolerance;
}

static void moments_are_those_of_long_double(void **state)
{
    (void)state;
    for (size_t c = 0; c < 4; c += c == 1 ? 2 : 1) /* fourth powers of column 2 overflow */
        for (unsigned masks = 0; masks < 4; masks++)
            for (size_t n = 1; n <= N; n = n < 20 ? n + 1 : n * 3 < N || n == N ? n * 3 : N) {
                const uint8_t *here = masks & 1 ? present : NULL,
                              *rows = masks & 2 ? used : NULL;
                struct describe_array a = {n, column[c], here, rows};
                struct describe_source s = describe_source_of_array(&a);
                struct describe_moments m;
                const struct truth *t = truth_of(column[c], n, here, rows);
                struct num_place place = {NUM_FINE, 0};
                apex_status status = describe_column(&s, 1, &m, &place);
                if (t->n == 0) {
                    CHECK_STATUS(status, APEX_E_DATA);
                    CHECK(place.fault == NUM_NO_ROWS);
                    continue;
                }
                CHECK_OK(status);
                CHECK(m.present == t->n && m.missing == t->missing);
                CHECK(m.least == t->least && m.most == t->most);
                CHECK(
                    near(m.mean, t->mean, DBL_EPSILON * (fabsl(t->mean) + sqrtl(t->variance))));
                CHECK(near(m.variance, t->variance, 1e-12L * t->variance));
                CHECK(near(m.sample_variance, t->sample, 1e-12L * t->sample));
                if (!near(m.skewness, t->skewness, 1e-10L * (1 + fabsl(t->skewness))))
                    print_message("c %zu n %zu %.17g %.17Lg var %g\n", c, t->n, m.skewness,
                                  t->skewness, m.variance);
                CHECK(near(m.skewness, t->skewness, 1e-10L * (1 + fabsl(t->skewness))));
                CHECK(near(m.kurtosis, t->kurtosis, 1e-10L * (1 + fabsl(t->kurtosis))));
            }
}

static void quantiles_are_those_of_sorting(void **state)
{
    static const double q[] = {0, 0.25, 0.5, 0.75, 0.9, 0.99, 1, 1.0 / 3};
    double got[8];
    (void)state;
    for (size_t c = 0; c < 4; c++)
        for (size_t n = 1; n <= N; n = n < 12 ? n + 1 : n * 7 < N || n == N ? n * 7 : N) {
            struct describe_array a = {n, column[c], n > 11 ? present : NULL, used};
            struct describe_source s = describe_source_of_array(&a);
            const struct truth *t = truth_of(column[c], n, a.present, used);
            if (t->n == 0) continue;
            CHECK_OK(describe_quantiles(&s, 2, q, 8, got, NULL));
            for (size_t i = 0; i < 8; i++) {
                double at = (double)(t->n - 1) * q[i];
                size_t k = (size_t)at;
                double low = t->sorted[k], high = t->sorted[k + 1 < t->n ? k + 1 : k];
                double want = low + (at - (double)k) * (high - low);
                CHECK(fabs(got[i] - want) <= 4 * DBL_EPSILON * (fabs(low) + fabs(high)));
                if (at == (double)k) CHECK(got[i] == low);
            }
        }
}

static void awkward_cells_have_quantiles_too(void **state)
{
    static const double q[] = {0, 0.5, 1};
    static const struct {
        size_t n;
        double x[5], want[3];
    } cases[] = {{1, {-0.0}, {0, 0, 0}},
                 {5, {7, 7, 7, 7, 7}, {7, 7, 7}},
                 {4, {-DBL_MAX, DBL_MAX, -DBL_MAX, DBL_MAX}, {-DBL_MAX, 0, DBL_MAX}},
                 {3, {-4.9e-324, 0, 4.9e-324}, {-4.9e-324, 0, 4.9e-324}},
                 {5, {3, -1, 2, -1, 5}, {-1, 2, 5}}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct describe_array a = {cases[i].n, cases[i].x, NULL, NULL};
        struct describe_source s = describe_source_of_array(&a);
        double got[3];
        CHECK_OK(describe_quantiles(&s, 1, q, 3, got, NULL));
        for (size_t k = 0; k < 3; k++)
            CHECK(got[k] == cases[i].want[k]);
    }
}

/* The run from rank `first` on and all that equal its ends, of cells that are counted. */
static void run_is_as_sorted(const struct truth *t, const struct describe_window *w,
                             const struct describe_run *run)
{
    size_t first = w->first, end = w->first + w->count;
    long double sum = 0;
    while (first > 0 && t->sorted[first - 1] == t->sorted[w->first])
        first--;
    while (end < t->n && t->sorted[end] == t->sorted[end - 1])
        end++;
    for (size_t j = first; j < end; j++)
        sum += t->sorted[j];
    double want = (double)(sum / (long double)(end - first));
    CHECK(fabs(run->mean - want) <= 1e-12 * fmax(1, fabs(want)));
    CHECK(run->rows == end - first);
    CHECK(run->least == t->sorted[first] && run->greatest == t->sorted[end - 1]);
}

/* Of each party those inside, as counted one by one. */
static void parties_are_as_counted(const struct describe_array *a,
                                   const struct describe_run *run)
{
    uint64_t by_party[DESCRIBE_PARTIES_MAX] = {0};
    for (size_t i = 0; i < a->n_rows; i++)
        if ((!a->present || a->present[i]) && (!a->used || a->used[i]) &&
            a->value[i] >= run->least && a->value[i] <= run->greatest)
            by_party[a->party ? a->party[i] : 0]++;
    CHECK(memcmp(by_party, run->by_party, sizeof by_party) == 0);
}

static void windows_are_means_of_sorted_cells(void **state)
{
    const struct {
        const uint8_t *present, *used;
    } kinds[] = {{NULL, NULL}, {present, NULL}, {present, used}};
    static uint8_t party[N];
    (void)state;
    for (size_t i = 0; i < N; i++)
        party[i] = i % 7 == 3 ? 63 : i % 3;
    for (size_t f = 0; f < 2; f++)
        for (size_t k = 0; k < 3; k++) {
            struct describe_array a = {N, column[f], kinds[k].present, kinds[k].used,
                                       k > 0 ? party : NULL};
            struct describe_source s = describe_source_of_array(&a);
            struct truth *t = truth_of(column[f], N, a.present, a.used);
            const struct describe_window w[] = {{0, 1},        {0, 10},       {t->n / 2, 25},
                                                {t->n - 7, 7}, {t->n - 1, 1}, {0, t->n}};
            struct describe_run first[6], got[6];
            for (unsigned threads = 1; threads <= 3; threads++) {
                CHECK_OK(describe_windows(&s, threads, w, 6, got, NULL));
                if (threads == 1) memcpy(first, got, sizeof got);
                CHECK(memcmp(first, got, sizeof got) == 0);
            }
            for (size_t i = 0; i < 6; i++) {
                run_is_as_sorted(t, &w[i], &got[i]);
                parties_are_as_counted(&a, &got[i]);
            }
        }
}

static void awkward_windows_end_well(void **state)
{
    static const double same[4] = {2, 2, 2, 2}, ties[6] = {-0.0, 0, 0, 1, 1, 5},
                        far[3] = {-1e308, 0, 1e308};
    struct describe_array a = {4, same, NULL, NULL}, b = {6, ties, NULL, NULL},
                          c = {3, far, NULL, NULL}, none = {0, same, NULL, NULL};
    struct describe_source s = describe_source_of_array(&a), t = describe_source_of_array(&b),
                           u = describe_source_of_array(&c),
                           v = describe_source_of_array(&none);
    static const struct describe_window two = {1, 2}, four = {1, 4}, past = {3, 2},
                                        empty = {0, 0}, wraps = {UINT64_MAX, 2}, three = {0, 3};
    struct num_place place;
    struct describe_run run;
    (void)state;
    CHECK_OK(describe_windows(&s, 1, &two, 1, &run, NULL));
    CHECK(run.mean == 2 && run.rows == 4);
    CHECK_OK(describe_windows(&t, 1, &four, 1, &run, NULL));
    CHECK(run.mean == 0.4 && run.rows == 5); /* all zeros and both ones */
    const struct describe_window *const wrong[] = {&past, &empty, &wraps};
    for (size_t i = 0; i < 3; i++) {
        CHECK_STATUS(describe_windows(&s, 1, wrong[i], 1, &run, &place), APEX_E_USAGE);
        CHECK(place.fault == NUM_OPTION && place.at == 3);
    }
    CHECK_STATUS(describe_windows(&s, 1, &two, 0, &run, &place), APEX_E_USAGE);
    CHECK_STATUS(describe_windows(&u, 1, &three, 1, &run, &place), APEX_E_DATA);
    CHECK(place.fault == NUM_RANGE && place.at == 0);
    CHECK_STATUS(describe_windows(&v, 1, &two, 1, &run, &place), APEX_E_DATA);
    CHECK(place.fault == NUM_NO_ROWS);
}

static void threads_and_instructions_do_not_show(void **state)
{
    static const double q[] = {0.1, 0.5}, edges[] = {-0.3, 0, 0.1, 0.5};
    struct describe_array a = {N, column[0], present, used};
    struct describe_source s = describe_source_of_array(&a);
    struct {
        struct describe_moments m;
        double q[2];
        uint64_t counts[6];
    } first, now;
    (void)state;
    for (unsigned l = 0; l < 3; l++)
        for (unsigned threads = 1; threads <= 7; threads++) {
            memset(&now, 0, sizeof now);
            simd_level_limit(levels[l]);
            CHECK_OK(describe_column(&s, threads, &now.m, NULL));
            CHECK_OK(describe_quantiles(&s, threads, q, 2, now.q, NULL));
            CHECK_OK(describe_histogram(&s, threads, edges, 4, now.counts, NULL));
            if (l == 0 && threads == 1) first = now;
            CHECK(memcmp(&first, &now, sizeof now) == 0);
        }
    simd_level_limit(SIMD_LEVEL_512);
}

/* Merged in halves and quarters, sums are close to those merged in order, and exactly the same
 * where an empty part is merged in. */
static void partials_merge_to_the_whole(void **state)
{
    struct describe_sums part[3] = {{0}}, empty = {0}, all = {0}, tree;
    (void)state;
    for (size_t b = 0; b < 3; b++) {
        size_t n = N - b * BLOCK_ROWS < BLOCK_ROWS ? N - b * BLOCK_ROWS : BLOCK_ROWS;
        struct describe_cells c = {n, column[1] + b * BLOCK_ROWS, NULL, NULL};
        describe_partial(&c, &part[b]);
        describe_merge(&all, &part[b]);
    }
    tree = part[1];
    describe_merge(&tree, &part[2]);
    describe_merge(&part[0], &tree);
    CHECK(fabs((part[0].mean - all.mean) + (part[0].rest - all.rest)) < 1e-12);
    CHECK(fabs(part[0].square / all.square - 1) < 1e-13);
    CHECK(fabs(part[0].cube / all.cube - 1) < 1e-9);
    CHECK(fabs(part[0].fourth / all.fourth - 1) < 1e-12);
    tree = all;
    struct describe_cells none = {0, column[0], NULL, NULL};
    describe_partial(&none, &empty);
    describe_merge(&tree, &empty);
    CHECK(memcmp(&tree, &all, sizeof all) == 0);
}

static void histograms_count_every_row_once(void **state)
{
    static const double edges[] = {-0.2, -0.1, 0, 0.125, 0.5};
    static const double whole[] = {1, 2, 3, 3, 0, 4}, at[] = {1, 2, 3};
    uint64_t counts[7], want[7] = {0};
    struct describe_array a = {N, column[0], present, used}, b = {6, whole, NULL, NULL};
    struct describe_source s = describe_source_of_array(&a), t = describe_source_of_array(&b);
    (void)state;
    for (size_t i = 0; i < N; i++) {
        double x = column[0][i];
        if (!used[i]) continue;
        size_t bin = 0;
        while (bin < 5 && x >= edges[bin])
            bin++;
        want[present[i] ? bin : 6]++;
    }
    CHECK_OK(describe_histogram(&s, 3, edges, 5, counts, NULL));
    CHECK(memcmp(counts, want, sizeof want) == 0);
    /* the last bin holds its upper edge */
    CHECK_OK(describe_histogram(&t, 1, at, 3, counts, NULL));
    CHECK(counts[0] == 1 && counts[1] == 1 && counts[2] == 3 && counts[3] == 1 &&
          counts[4] == 0);
}

static void categories_are_counted(void **state)
{
    uint64_t counts[8] = {0}, want[8] = {0};
    (void)state;
    for (size_t i = 0; i < N; i++)
        if (used[i]) want[present[i] && codes[i] < 7 ? codes[i] : 7]++;
    describe_categories_add(codes, present, used, 5000, 7, counts);
    describe_categories_add(codes + 5000, present + 5000, used + 5000, N - 5000, 7, counts);
    CHECK(memcmp(counts, want, sizeof want) == 0);
}

static void correlations_are_pearsons(void **state)
{
    static double flat[N];
    const double *const columns[5] = {column[0], column[3], column[1], flat, column[2]};
    struct num_arrays a = {N, 4, columns, NULL, NULL, NULL};
    struct num_source s;
    double *gram = calloc(gram_len(4), sizeof *gram), r[16];
    (void)state;
    for (size_t i = 0; i < N; i++)
        flat[i] = 0.1;
    CHECK_OK(num_source_of_arrays(&a, &s));
    CHECK_OK(gram_fit(2, &s, false, gram, NULL));
    CHECK_OK(describe_correlation(4, gram, r, NULL));
    for (size_t x = 0; x < 3; x++)
        for (size_t y = 0; y < 3; y++) {
            long double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
            for (size_t i = 0; i < N; i++) {
                mx += (columns[x][i] - (long double)columns[x][0]) / N;
                my += (columns[y][i] - (long double)columns[y][0]) / N;
            }
            for (size_t i = 0; i < N; i++) {
                const long double away[] = {columns[x][i] - (long double)columns[x][0] - mx,
                                            columns[y][i] - (long double)columns[y][0] - my};
                xx += away[0] * away[0];
                yy += away[1] * away[1];
                xy += away[0] * away[1];
            }
            /* products lose digits where the mean is 6e9 deviations off */
            CHECK(near(r[4 * x + y], xy / sqrtl(xx * yy), x == 2 || y == 2 ? 1e-8L : 1e-12L));
        }
    for (size_t x = 0; x < 4; x++)
        CHECK(r[5 * x] == 1 && (x == 3 || (r[4 * x + 3] == 0 && r[12 + x] == 0)));
    CHECK(r[1] > 0.5);
    memset(gram, 0, gram_len(4) * sizeof *gram);
    struct num_place place;
    CHECK_STATUS(describe_correlation(4, gram, r, &place), APEX_E_DATA);
    CHECK(place.fault == NUM_NO_ROWS);
    num_source_of_arrays_free(&s);
    free(gram);
}

static void constant_columns_have_no_shape(void **state)
{
    static double flat[5000];
    struct describe_array a = {5000, flat, NULL, NULL};
    struct describe_source s = describe_source_of_array(&a);
    struct describe_moments m;
    (void)state;
    for (size_t i = 0; i < 5000; i++)
        flat[i] = 1.1e9;
    CHECK_OK(describe_column(&s, 1, &m, NULL));
    CHECK(m.mean == 1.1e9 && m.variance == 0 && m.skewness == 0 && m.kurtosis == 0);
    flat[4999] = 1e300;
    struct num_place place;
    CHECK_STATUS(describe_column(&s, 1, &m, &place), APEX_E_DATA);
    CHECK(place.fault == NUM_RANGE);
}

static void wrong_calls_are_refused(void **state)
{
    static const double down[] = {1, 0}, nan_edge[] = {0, NAN}, fine[] = {0, 1},
                        far[] = {0, 1.5};
    struct describe_array a = {10, column[0], NULL, NULL}, none = {0, column[0], NULL, NULL};
    struct describe_source s = describe_source_of_array(&a),
                           t = describe_source_of_array(&none);
    struct num_place place = {NUM_FINE, 0};
    double values[2];
    uint64_t counts[4];
    (void)state;
    CHECK_STATUS(describe_histogram(&s, 1, down, 2, counts, &place), APEX_E_USAGE);
    CHECK(place.fault == NUM_OPTION && place.at == 3);
    CHECK_STATUS(describe_histogram(&s, 1, nan_edge, 2, counts, NULL), APEX_E_USAGE);
    CHECK_STATUS(describe_histogram(&s, 1, fine, 1, counts, NULL), APEX_E_USAGE);
    CHECK_STATUS(describe_quantiles(&s, 1, far, 2, values, NULL), APEX_E_USAGE);
    CHECK_STATUS(describe_quantiles(&s, 1, nan_edge, 2, values, NULL), APEX_E_USAGE);
    CHECK_STATUS(describe_quantiles(&s, 1, fine, 0, values, NULL), APEX_E_USAGE);
    CHECK_STATUS(describe_quantiles(&t, 1, fine, 2, values, &place), APEX_E_DATA);
    CHECK(place.fault == NUM_NO_ROWS);
    CHECK_OK(describe_histogram(&t, 1, fine, 2, counts, NULL));
    CHECK(counts[0] + counts[1] + counts[2] + counts[3] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(moments_are_those_of_long_double),
                                       cmocka_unit_test(quantiles_are_those_of_sorting),
                                       cmocka_unit_test(awkward_cells_have_quantiles_too),
                                       cmocka_unit_test(windows_are_means_of_sorted_cells),
                                       cmocka_unit_test(awkward_windows_end_well),
                                       cmocka_unit_test(threads_and_instructions_do_not_show),
                                       cmocka_unit_test(partials_merge_to_the_whole),
                                       cmocka_unit_test(histograms_count_every_row_once),
                                       cmocka_unit_test(categories_are_counted),
                                       cmocka_unit_test(correlations_are_pearsons),
                                       cmocka_unit_test(constant_columns_have_no_shape),
                                       cmocka_unit_test(wrong_calls_are_refused)};
    rows_make();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
