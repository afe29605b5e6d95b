/* Private models: what one row can change, what is spent, what comes out where noise is next to
 * nothing, and what is refused. */
#include "tests/check.h"
#include "tests/private_small.h"

#include "common/num/kmeans.h"
#include "common/num/logistic.h"
#include "common/num/private_bayes.h"
#include "common/num/private_eigen.h"
#include "common/num/private_kmeans.h"
#include "common/num/private_logistic.h"
#include "common/num/private_ridge.h"
#include "common/num/private_tree_cells.h"
#include "common/num/random.h"
#include "common/num/simd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- What one row can change --- */

static const struct private_bounds small_bounds[COLUMNS + 1] = {
    {-1, 2}, {0, 1e-3}, {-1e99, 1e99}, {-1, 1.5}};

/* Views as a fit may come to them: units of every size. */
static struct private_view view_of(bool target, bool absolutes, uint64_t seed)
{
    static const double shift[2][COLUMNS + 1] = {{0.5, 0.0005, 0, 0.25}, {-1, 0, 1e99, 1.5}},
                                           scale[2][COLUMNS + 1] = {{0.7, 2000, 1e-99, 1},
                                                                    {100, 0.001, 1e-98, 3}};
    static const double length[3] = {0.5, 2, 50};
    return (struct private_view){COLUMNS,          target,       absolutes,
                                 length[seed % 3], small_bounds, shift[seed % 2],
                                 scale[seed % 2]};
}

static void one_row_changes_products_and_gradients_by_no_more_than_stated(void **state)
{
    (void)state;
    const double r = PRIVATE_ROW_STEPS, e = PRIVATE_ERROR_STEPS;
    double most[4] = {0};
    for (uint64_t seed = 0; seed < 36; seed++) {
        struct small s;
        double l1, l2;
        const double w[COLUMNS + 1] = {(double)seed - 15, 3, -1e6, 0.5};
        const bool absolutes = seed % 2;
        small_fill(&s, seed);
        const struct private_view wide = view_of(true, absolutes, seed / 2),
                                  view = view_of(false, absolutes, seed / 2);
        small_changes(&s, 15, private_products_add, &wide, &l1, &l2);
        CHECK(absolutes ? l1 <= 128 * r * r : l2 <= 128 * 128 * r * r * r * r);
        double share = absolutes ? l1 / (128 * r * r) : l2 / (128 * 128 * r * r * r * r);
        most[absolutes] = share > most[absolutes] ? share : most[absolutes];
        const struct private_gradient gradient = {&view, w};
        small_changes(&s, 1 + COLUMNS, private_gradient_add, &gradient, &l1, &l2);
        CHECK(absolutes ? l1 <= e * r : l2 <= e * e * r * r);
        share = absolutes ? l1 / (e * r) : l2 / (e * e * r * r);
        most[2 + absolutes] = share > most[2 + absolutes] ? share : most[2 + absolutes];
    }
    for (size_t i = 0; i < 4; i++)
        CHECK(most[i] > 0.7); /* the bounds are not idle */
}

static void one_row_changes_moments_and_cells_by_no_more_than_stated(void **state)
{
    (void)state;
    const double q = PRIVATE_MOMENT_STEPS, d = COLUMNS;
    double most = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct small s;
        double l1, l2;
        int64_t whole[CLASSES * 7], less[CLASSES * 7];
        small_fill(&s, seed);
        const struct private_moments_options o = {COLUMNS, CLASSES, small_bounds};
        small_sum(&s, 1, CLASSES * 7, private_moments_add, &o, whole);
        for (size_t i = 0; i < ROWS; i++) {
            double part[3] = {0}, squares[3] = {0}, kept = s.weight[i];
            s.weight[i] = 0;
            small_sum(&s, 1, CLASSES * 7, private_moments_add, &o, less);
            s.weight[i] = kept;
            for (size_t v = 0; v < CLASSES * 7; v++) {
                double change = fabs((double)(whole[v] - less[v]));
                size_t p = v < CLASSES ? 0 : v < CLASSES * 4 ? 1 : 2;
                part[p] += change;
                squares[p] += change * change;
            }
            CHECK(part[0] <= 1 && part[1] <= d * q && part[2] <= d * q * q / 2);
            CHECK(squares[1] <= d * q * q && squares[2] <= d * q * q * q * q / 4);
            most = part[2] > most ? part[2] : most;
        }
        static const uint32_t codes[] = {0, 1, 2, 5, 7, 11, 15};
        const struct private_tree_options tree = {.d = 2, .bounds = small_bounds};
        const struct private_level level = {&tree, 2, 7, codes};
        small_changes(&s, 7, private_level_add, &level, &l1, &l2);
        CHECK(l1 <= 1 && l2 <= 1);
    }
    CHECK(most > d * q * q / 4);
}

/* Rows of a tile against long double, cut to their length. */
static void rows_are_standardised_and_cut_to_their_length(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 24; seed++) {
        struct small s;
        struct num_source rows;
        struct num_block block;
        struct private_tile tile;
        const struct private_view v = view_of(true, seed % 2, seed / 2);
        small_fill(&s, seed);
        small_rows(&s, &rows);
        rows.block(rows.context, 0, 0, &block);
        for (size_t first = 0; first < ROWS; first += PRIVATE_TILE_ROWS) {
            private_tile_make(&v, &block, first, &tile);
            for (size_t i = 0; i < tile.n; i++) {
                long double x[COLUMNS + 2], length = 0;
                for (size_t j = 0; j < COLUMNS + 2; j++) {
                    double cell = j == 0             ? 1
                                  : j == COLUMNS + 1 ? s.target[first + i]
                                                     : s.cells[j - 1][first + i];
                    x[j] = 1;
                    if (j > 0) {
                        const struct private_bounds b = small_bounds[j - 1];
                        cell = cell > b.min ? cell < b.max ? cell : b.max : b.min;
                        x[j] = ((long double)cell - v.shift[j - 1]) * v.scale[j - 1];
                    }
                    x[j] *= PRIVATE_ROW_STEPS / (long double)v.length;
                    length += v.absolutes ? fabsl(x[j]) : x[j] * x[j];
                }
                length = v.absolutes ? length : sqrtl(length);
                long double factor =
                    length > PRIVATE_ROW_STEPS ? PRIVATE_ROW_STEPS / length : 1;
                for (size_t j = 0; j < COLUMNS + 2; j++) {
                    long double want = s.weight[first + i] > 0 ? x[j] * factor : 0;
                    CHECK(fabsl(want - tile.z[j][i]) < 1.001L);
                }
            }
        }
        num_source_of_arrays_free(&rows);
    }
}

/* --- Where noise is next to nothing --- */

enum { N = 20000, D = 3 };
static double cells[D][N], target[N];
static uint32_t label[N];
static const double *const columns[D] = {cells[0], cells[1], cells[2]};
static const struct private_bounds bounds[D + 1] = {{-4, 4}, {0, 10}, {-1, 1}, {-40, 40}};
static const double slope[D] = {2, -1.5, 6};

/* Two classes around other means; a target that is linear but for a little. */
static void large_fill(void)
{
    struct random_state random;
    const uint8_t key[32] = {9};
    random_seed(&random, key, 0);
    for (size_t i = 0; i < N; i++) {
        label[i] = i % 5 < 2;
        double shift = label[i] ? 0.8 : -0.4;
        cells[0][i] = shift + 2 * random_unit(&random) - 1;
        cells[1][i] = 5 + 2 * shift + 4 * random_unit(&random) - 2;
        cells[2][i] = 1.6 * random_unit(&random) - 0.8;
        target[i] = 3 + random_unit(&random) - 0.5;
        for (size_t j = 0; j < D; j++)
            target[i] += slope[j] * cells[j][i];
    }
}

static const struct num_source *large(void)
{
    static struct num_source rows;
    static struct num_arrays arrays = {
        .n_rows = N, .n_columns = D, .column = columns, .target = target, .label = label};
    if (rows.n_rows) return &rows;
    large_fill();
    CHECK_OK(num_source_of_arrays(&arrays, &rows));
    return &rows;
}

/* A run of its own; delta 0: pure. */
struct spending {
    struct private_budget budget;
    struct private_random random;
    struct private_run run;
};
static struct private_run *run_open(struct spending *s, double epsilon, double delta,
                                    unsigned threads, uint8_t first)
{
    const uint8_t key[PRIVATE_KEY_LEN] = {first, 3};
    uint64_t micro;
    CHECK_OK(private_epsilon_micro(epsilon, &micro, NULL));
    CHECK_OK(private_budget_open(&s->budget, micro, delta, NULL));
    private_random_init(&s->random, key, 0);
    s->run = (struct private_run){&s->budget, &s->random, threads};
    return &s->run;
}

static void much_budget_gives_naive_bayes(void **state)
{
    (void)state;
    const struct bayes_options plain = {.n_classes = 2, .n_features = D};
    const struct private_moments_options o = {D, 2, bounds};
    struct bayes *want, *got;
    CHECK_OK(bayes_fit(large(), &plain, 1, &want, NULL));
    for (int pure = 0; pure <= 1; pure++) {
        struct spending s;
        struct private_run *run = run_open(&s, 1000, pure ? 0 : 1e-6, 1, 1);
        CHECK_OK(private_bayes_fit(large(), &o, s.budget.total, run, &got, NULL));
        CHECK(s.budget.spent == s.budget.total && s.budget.n_spends == 3);
        for (size_t c = 0; c < 2; c++) {
            CHECK(fabs((double)got->counts[c] - (double)want->counts[c]) < 3);
            CHECK(fabs(got->prior[c] - want->prior[c]) < 1e-3);
            for (size_t j = 0; j < D; j++) {
                size_t at = c * D + j;
                CHECK(fabs(got->mean[at] - want->mean[at]) < 1e-3);
                CHECK(fabs(got->variance[at] / want->variance[at] - 1) < 5e-3);
            }
        }
        bayes_free(got);
    }
    bayes_free(want);
}

static void much_budget_gives_ridge_regression(void **state)
{
    (void)state;
    const struct ridge_options plain = {.alpha = 1, .standardise = true, .threads = 1};
    const struct private_ridge_options o = {.n_columns = D, .bounds = bounds, .alpha = 1};
    struct ridge *want, *got;
    CHECK_OK(ridge_new(D, &want));
    CHECK_OK(ridge_fit(large(), &plain, want, NULL));
    for (int pure = 0; pure <= 1; pure++) {
        struct spending s;
        struct private_run *run = run_open(&s, 1000, pure ? 0 : 1e-6, 2, 2);
        CHECK_OK(private_ridge_fit(large(), &o, s.budget.total, run, &got, NULL));
        CHECK(s.budget.spent == s.budget.total);
        for (size_t j = 0; j < D; j++)
            CHECK(fabs(got->raw[j] - want->raw[j]) < 0.02 * fabs(want->raw[j]));
        CHECK(fabs(got->raw_intercept - want->raw_intercept) < 0.1);
        CHECK(fabs(got->r2 - want->r2) < 0.02);
        ridge_free(got);
    }
    ridge_free(want);
}

static void much_budget_gives_logistic_regression(void **state)
{
    (void)state;
    const struct logistic_options plain = {
        .n_classes = 2, .c = 0.01, .standardise = true, .threads = 1};
    struct logistic *want;
    CHECK_OK(logistic_new(2, D, &want));
    CHECK_OK(logistic_fit(large(), &plain, want, NULL));
    for (int pure = 0; pure <= 1; pure++) {
        double coefficient[D];
        struct private_logistic got = {.coefficient = coefficient};
        struct spending s;
        const struct private_logistic_options o = {.n_columns = D,
                                                   .bounds = bounds,
                                                   .penalty = 100,
                                                   .length = pure ? 8 : 4,
                                                   .rounds = 400};
        struct private_run *run = run_open(&s, 1000, pure ? 0 : 1e-6, 2, 3);
        CHECK_OK(private_logistic_fit(large(), &o, s.budget.total, run, &got, NULL));
        CHECK(got.rounds == 400 && s.budget.spent <= s.budget.total);
        CHECK(s.budget.spent > s.budget.total - s.budget.total / 100);
        for (size_t j = 0; j < D; j++)
            CHECK(fabs(coefficient[j] - want->raw[j]) < 0.05 * (0.5 + fabs(want->raw[j])));
        CHECK(fabs(got.intercept - want->raw_intercept[0]) <
              0.05 * fabs(want->raw_intercept[0]));
    }
    logistic_free(want);
}

/* Three heaps in a plane. */
static void heaps_fill(double (*xy)[N])
{
    struct random_state random;
    const uint8_t key[32] = {4};
    random_seed(&random, key, 0);
    for (size_t i = 0; i < N; i++) {
        static const double at[3][2] = {{-3, 1}, {2, 9}, {3, 2}};
        for (size_t j = 0; j < 2; j++)
            xy[j][i] = at[i % 3][j] + random_unit(&random) - 0.5;
    }
}

static void much_budget_gives_k_means(void **state)
{
    (void)state;
    static double xy[2][N];
    static const uint8_t seed[32] = {1};
    const double *both[2] = {xy[0], xy[1]};
    const struct num_arrays arrays = {.n_rows = N, .n_columns = 2, .column = both};
    struct num_source rows;
    heaps_fill(xy);
    CHECK_OK(num_source_of_arrays(&arrays, &rows));
    for (int pure = 0; pure <= 1; pure++) {
        double centroids[6], weights[3], sum = 0;
        struct private_kmeans found = {.centroids = centroids, .weights = weights};
        struct spending s;
        const struct private_kmeans_options o = {
            .tree = {.d = 2, .bounds = bounds}, .k = 3, .restarts = 4, .seed = seed};
        struct private_run *run = run_open(&s, 100, pure ? 0 : 1e-6, 1, 4);
        CHECK_OK(private_kmeans_fit(&rows, &o, s.budget.total, run, &found, NULL));
        CHECK(s.budget.spent <= s.budget.total);
        for (size_t h = 0; h < 3; h++) {
            static const double at[3][2] = {{-3, 1}, {2, 9}, {3, 2}};
            double best = INFINITY;
            for (size_t c = 0; c < 3; c++)
                best = fmin(
                    best, hypot(centroids[2 * c] - at[h][0], centroids[2 * c + 1] - at[h][1]));
            CHECK(best < 0.05);
            CHECK(fabs(weights[h] - N / 3.0) < 60);
            sum += weights[h];
        }
        CHECK(fabs(sum - N) < 30);
    }
    num_source_of_arrays_free(&rows);
}

/* --- The same bytes --- */

/* All four, one after the other, as bytes. */
struct answers {
    double mean[2 * D], variance[2 * D], raw[D], coefficient[D], centroids[4], weights[2];
    uint64_t spent[4];
};

static void answers_make(unsigned threads, uint8_t key, const struct num_source *rows,
                         struct answers *a)
{
    static const uint8_t seed[32] = {1};
    struct spending s;
    struct bayes *b;
    struct ridge *r;
    const struct private_moments_options moments = {D, 2, bounds};
    const struct private_ridge_options ridge = {.n_columns = D, .bounds = bounds, .alpha = 1};
    const struct private_logistic_options logistic = {
        .n_columns = D, .bounds = bounds, .penalty = 1, .rounds = 7};
    const struct private_kmeans_options kmeans = {
        .tree = {.d = 2, .bounds = bounds}, .k = 2, .restarts = 2, .seed = seed};
    memset(a, 0, sizeof *a);
    struct private_logistic l = {.coefficient = a->coefficient};
    struct private_kmeans k = {.centroids = a->centroids, .weights = a->weights};
    struct private_run *run = run_open(&s, 1, 1e-6, threads, key);
    CHECK_OK(private_bayes_fit(rows, &moments, s.budget.total, run, &b, NULL));
    a->spent[0] = s.budget.spent;
    memcpy(a->mean, b->mean, sizeof a->mean);
    memcpy(a->variance, b->variance, sizeof a->variance);
    run = run_open(&s, 1, 1e-6, threads, key);
    CHECK_OK(private_ridge_fit(rows, &ridge, s.budget.total, run, &r, NULL));
    a->spent[1] = s.budget.spent;
    memcpy(a->raw, r->raw, sizeof a->raw);
    run = run_open(&s, 1, 0, threads, key);
    CHECK_OK(private_logistic_fit(rows, &logistic, s.budget.total, run, &l, NULL));
    a->spent[2] = s.budget.spent;
    run = run_open(&s, 1, 0, threads, key);
    CHECK_OK(private_kmeans_fit(rows, &kmeans, s.budget.total, run, &k, NULL));
    a->spent[3] = s.budget.spent;
    bayes_free(b);
    ridge_free(r);
}

static void threads_and_instructions_do_not_show(void **state)
{
    (void)state;
    struct answers want, got;
    answers_make(1, 7, large(), &want);
    for (enum simd_level level = SIMD_LEVEL_ANY; level <= SIMD_LEVEL_512; level++) {
        simd_level_limit(level);
        answers_make(1 + (unsigned)level, 7, large(), &got);
        assert_memory_equal(&got, &want, sizeof want);
    }
    simd_level_limit(SIMD_LEVEL_512);
    answers_make(1, 8, large(), &got);
    CHECK(memcmp(got.mean, want.mean, sizeof want.mean) != 0);
    CHECK(memcmp(got.raw, want.raw, sizeof want.raw) != 0);
    CHECK(memcmp(got.coefficient, want.coefficient, sizeof want.coefficient) != 0);
    CHECK(memcmp(got.centroids, want.centroids, sizeof want.centroids) != 0);
}

/* Whatever stands in it, a row without weight is as none; and how heavy one is does not count.
 */
static void a_row_counts_once_or_not_at_all(void **state)
{
    (void)state;
    static double weight[N], other[D][N];
    const double *moved[D] = {other[0], other[1], other[2]};
    struct answers want, got;
    for (size_t i = 0; i < N; i++)
        weight[i] = i % 7 ? 1 : 0;
    struct num_arrays arrays = {.n_rows = N,
                                .n_columns = D,
                                .column = columns,
                                .weight = weight,
                                .target = target,
                                .label = label};
    struct num_source rows;
    large();
    CHECK_OK(num_source_of_arrays(&arrays, &rows));
    answers_make(1, 7, &rows, &want);
    num_source_of_arrays_free(&rows);
    for (size_t j = 0; j < D; j++)
        for (size_t i = 0; i < N; i++)
            other[j][i] = i % 7 ? cells[j][i] : (double)j - 1e3 * (double)(i % 11);
    for (size_t i = 0; i < N; i++)
        weight[i] *= 1 + (double)(i % 3);
    arrays.column = moved;
    CHECK_OK(num_source_of_arrays(&arrays, &rows));
    answers_make(1, 7, &rows, &got);
    num_source_of_arrays_free(&rows);
    assert_memory_equal(&got, &want, sizeof want);
}

/* --- After the release --- */

static void eigenvectors_span_the_matrix(void **state)
{
    (void)state;
    struct random_state random;
    const uint8_t key[32] = {5};
    random_seed(&random, key, 0);
    for (size_t n = 1; n <= 24; n += n < 6 ? 1 : 6)
        for (int kind = 0; kind < 4; kind++) {
            double a[24 * 24], kept[24 * 24], v[24 * 24], size = 1e-300;
            for (size_t i = 0; i < n; i++)
                for (size_t j = i; j < n; j++) {
                    double x = kind == 0   ? 2 * random_unit(&random) - 1
                               : kind == 1 ? (i == j)              /* all alike */
                               : kind == 2 ? 1e6 * (double)(i * j) /* of rank one */
                                           : 0;
                    a[i * n + j] = a[j * n + i] = x;
                    size += fabs(x);
                }
            memcpy(kept, a, sizeof kept);
            private_eigen(a, n, v);
            for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < n; j++) {
                    double dot = 0, image = 0;
                    for (size_t k = 0; k < n; k++) {
                        dot += v[k * n + i] * v[k * n + j];
                        image += kept[i * n + k] * v[k * n + j];
                    }
                    CHECK(fabs(dot - (i == j)) < 1e-12);
                    CHECK(fabs(image - a[j * n + j] * v[i * n + j]) < 1e-12 * size);
                }
        }
}

/* A root and its children: the least squares estimate by hand, and numbers that noise made
 * negative. */
static void a_trees_counts_are_consistent_and_never_negative(void **state)
{
    (void)state;
    struct random_state random;
    const uint8_t key[32] = {6};
    random_seed(&random, key, 0);
    for (int round = 0; round < 500; round++) {
        struct cell c[9] = {{.count = 100, .variance = 2, .child = 1}};
        struct tree t = {.d = 2, .fan = 4, .n = 9, .cells = c};
        bool plain = round % 2 == 0;
        double sum = 0, deep = 0;
        for (size_t i = 1; i < 9; i++) {
            c[i] = (struct cell){.variance = 1 + (double)(i > 4)};
            c[i].count = 40 * random_unit(&random) + (plain ? 10 : -15);
        }
        if (!plain) c[2].child = 5;
        for (size_t i = 1; i < 5; i++)
            sum += c[i].count;
        double root = (100 * 4 + sum * 2) / 6, first = c[1].count + (root - sum) / 4;
        tree_settle(&t);
        double children = c[1].count + c[2].count + c[3].count + c[4].count;
        CHECK(fabs(children - c[0].count) < 1e-9 * (1 + c[0].count));
        if (plain) CHECK(fabs(c[0].count - root) < 1e-9 && fabs(c[1].count - first) < 1e-9);
        for (size_t i = 5; i < 9; i++)
            deep += c[i].count;
        if (!plain) CHECK(fabs(deep - c[2].count) < 1e-9 * (1 + c[2].count));
        for (size_t i = 0; i < (plain ? 5u : 9u); i++)
            CHECK(c[i].count >= 0 && isfinite(c[i].count));
    }
}

/* --- No rows, little budget, wrong options --- */

static void nothing_to_learn_from_gives_finite_numbers(void **state)
{
    (void)state;
    static const double none[1] = {0};
    const double *const empty[D] = {none, none, none};
    static const uint32_t no_label[1];
    const struct num_arrays arrays = {
        .n_rows = 0, .n_columns = D, .column = empty, .target = none, .label = no_label};
    struct num_source rows;
    struct answers a;
    CHECK_OK(num_source_of_arrays(&arrays, &rows));
    for (uint8_t key = 0; key < 20; key++) {
        static const uint8_t seed[32] = {1};
        struct spending s;
        struct num_place place = {0};
        struct bayes *b;
        struct ridge *r;
        const struct private_moments_options moments = {D, 2, bounds};
        const struct private_ridge_options ridge = {.n_columns = D, .bounds = bounds};
        const struct private_logistic_options logistic = {.n_columns = D, .bounds = bounds};
        const struct private_kmeans_options kmeans = {
            .tree = {.d = 2, .bounds = bounds}, .k = 50, .restarts = 1, .seed = seed};
        struct private_logistic l = {.coefficient = a.coefficient};
        double centroids[100], weights[50];
        struct private_kmeans k = {.centroids = centroids, .weights = weights};
        struct private_run *run = run_open(&s, 0.1, key % 2 ? 0 : 1e-6, 1, key);
        CHECK_OK(private_bayes_fit(&rows, &moments, s.budget.total, run, &b, &place));
        run = run_open(&s, 0.1, key % 2 ? 0 : 1e-6, 1, key);
        CHECK_OK(private_ridge_fit(&rows, &ridge, s.budget.total, run, &r, &place));
        run = run_open(&s, 0.1, key % 2 ? 0 : 1e-6, 1, key);
        CHECK_OK(private_logistic_fit(&rows, &logistic, s.budget.total, run, &l, &place));
        for (size_t j = 0; j < D; j++) {
            CHECK(isfinite(b->mean[j]) && b->mean[j] >= bounds[j].min);
            CHECK(b->mean[j] <= bounds[j].max && b->variance[j] > 0);
            CHECK(isfinite(r->raw[j]) && isfinite(l.coefficient[j]));
        }
        CHECK(isfinite(r->raw_intercept) && isfinite(r->rmse) && isfinite(l.intercept));
        run = run_open(&s, 0.1, key % 2 ? 0 : 1e-6, 1, key);
        CHECK_STATUS(private_kmeans_fit(&rows, &kmeans, s.budget.total, run, &k, &place),
                     APEX_E_DATA);
        CHECK(place.fault == NUM_FEWER_THAN_K && place.at < 50);
        bayes_free(b);
        ridge_free(r);
    }
    num_source_of_arrays_free(&rows);
}

struct wrong {
    const char *what;
    enum num_fault fault;
    size_t at;
    apex_status status;
};

static void model_refused(const struct wrong *w, apex_status status,
                          const struct num_place *place, const struct spending *s)
{
    if (status != w->status || place->fault != w->fault || place->at != w->at)
        fail_msg("%s: %s, fault %d at %zu", w->what, apex_status_name(status),
                 (int)place->fault, place->at);
    CHECK(s->budget.spent <= s->budget.total);
}

static void wrong_options_are_refused_with_their_place(void **state)
{
    (void)state;
    static const struct private_bounds reversed[D + 1] = {{-4, 4}, {10, 0}, {-1, 1}, {1, NAN}},
                                                    no_target[D + 1] = {
                                                        {-4, 4}, {0, 10}, {-1, 1}, {3, 3}};
    const struct {
        struct wrong is;
        struct private_ridge_options o;
    } ridges[] = {
        {{"ridge, no column", NUM_OPTION, 0, APEX_E_USAGE}, {0, bounds, 1, 0, 0}},
        {{"ridge, a column more", NUM_OPTION, 0, APEX_E_USAGE}, {D + 1, bounds, 1, 0, 0}},
        {{"ridge, alpha", NUM_OPTION, 1, APEX_E_USAGE}, {D, bounds, -1, 0, 0}},
        {{"ridge, alpha nan", NUM_OPTION, 1, APEX_E_USAGE}, {D, bounds, NAN, 0, 0}},
        {{"ridge, length", NUM_OPTION, 2, APEX_E_USAGE}, {D, bounds, 1, 1e-9, 0}},
        {{"ridge, length", NUM_OPTION, 2, APEX_E_USAGE}, {D, bounds, 1, -1, 0}},
        {{"ridge, bounds reversed", NUM_RANGE, 1, APEX_E_USAGE}, {D, reversed, 1, 0, 0}},
        {{"ridge, bounds of the target", NUM_RANGE, 3, APEX_E_USAGE}, {D, no_target, 1, 0, 0}}};
    const struct {
        struct wrong is;
        struct private_logistic_options o;
    } logistics[] = {
        {{"logistic, no column", NUM_OPTION, 0, APEX_E_USAGE}, {0, bounds, 1, 0, 0, 0}},
        {{"logistic, penalty", NUM_OPTION, 1, APEX_E_USAGE}, {D, bounds, NAN, 0, 0, 0}},
        {{"logistic, length", NUM_OPTION, 2, APEX_E_USAGE}, {D, bounds, 1, 1e7, 0, 0}},
        {{"logistic, rounds", NUM_OPTION, 4, APEX_E_USAGE}, {D, bounds, 1, 0, 1001, 0}},
        {{"logistic, bounds", NUM_RANGE, 1, APEX_E_USAGE}, {D, reversed, 1, 0, 0, 0}}};
    const struct {
        struct wrong is;
        struct private_moments_options o;
    } bayeses[] = {{{"bayes, one class", NUM_ONE_CLASS, 0, APEX_E_DATA}, {D, 1, bounds}},
                   {{"bayes, no column", NUM_OPTION, 0, APEX_E_USAGE}, {0, 2, bounds}},
                   {{"bayes, a column more", NUM_OPTION, 0, APEX_E_USAGE}, {D + 1, 2, bounds}},
                   {{"bayes, bounds", NUM_RANGE, 1, APEX_E_USAGE}, {D, 2, reversed}}};
    const struct {
        struct wrong is;
        struct private_kmeans_options o;
    } kmeanses[] = {
        {{"k-means, k", NUM_OPTION, 3, APEX_E_USAGE}, {.tree = {2, bounds, 0, 0}, .k = 0}},
        {{"k-means, d", NUM_OPTION, 0, APEX_E_USAGE}, {.tree = {1, bounds, 0, 0}, .k = 1}},
        {{"k-means, d", NUM_OPTION, 0, APEX_E_USAGE}, {.tree = {4, bounds, 0, 0}, .k = 1}},
        {{"k-means, depth", NUM_OPTION, 1, APEX_E_USAGE}, {.tree = {2, bounds, 16, 0}, .k = 1}},
        {{"k-means, cells", NUM_OPTION, 2, APEX_E_USAGE}, {.tree = {2, bounds, 0, 3}, .k = 1}},
        {{"k-means, bounds", NUM_RANGE, 1, APEX_E_USAGE},
         {.tree = {2, reversed, 0, 0}, .k = 1}}};
    struct spending s;
    struct num_place place = {0};
    double room[16];
    run_open(&s, 1, 1e-6, 1, 1);
    for (size_t i = 0; i < sizeof ridges / sizeof *ridges; i++) {
        struct ridge *r = NULL;
        apex_status got =
            private_ridge_fit(large(), &ridges[i].o, s.budget.total, &s.run, &r, &place);
        model_refused(&ridges[i].is, got, &place, &s);
        CHECK(r == NULL);
    }
    for (size_t i = 0; i < sizeof logistics / sizeof *logistics; i++) {
        struct private_logistic l = {.coefficient = room};
        apex_status got =
            private_logistic_fit(large(), &logistics[i].o, s.budget.total, &s.run, &l, &place);
        model_refused(&logistics[i].is, got, &place, &s);
    }
    for (size_t i = 0; i < sizeof bayeses / sizeof *bayeses; i++) {
        struct bayes *b = NULL;
        apex_status got =
            private_bayes_fit(large(), &bayeses[i].o, s.budget.total, &s.run, &b, &place);
        model_refused(&bayeses[i].is, got, &place, &s);
        CHECK(b == NULL);
    }
    for (size_t i = 0; i < sizeof kmeanses / sizeof *kmeanses; i++) {
        struct private_kmeans k = {.centroids = room, .weights = room + 8};
        apex_status got =
            private_kmeans_fit(large(), &kmeanses[i].o, s.budget.total, &s.run, &k, &place);
        model_refused(&kmeanses[i].is, got, &place, &s);
    }
    CHECK(s.budget.spent == 0);
}

static void a_fit_never_spends_more_than_there_is(void **state)
{
    (void)state;
    static const uint8_t seed[32] = {1};
    for (int pure = 0; pure <= 1; pure++)
        for (unsigned op = 0; op < 4; op++) {
            struct spending s;
            struct num_place place = {0};
            struct bayes *b = NULL;
            struct ridge *r = NULL;
            double room[16];
            struct private_logistic l = {.coefficient = room};
            struct private_kmeans k = {.centroids = room, .weights = room + 8};
            const struct private_moments_options moments = {D, 2, bounds};
            const struct private_ridge_options ridge = {.n_columns = D, .bounds = bounds};
            const struct private_logistic_options logistic = {.n_columns = D, .bounds = bounds};
            const struct private_kmeans_options kmeans = {
                .tree = {.d = 2, .bounds = bounds}, .k = 2, .restarts = 1, .seed = seed};
            struct private_run *run = run_open(&s, 1, pure ? 0 : 1e-6, 1, 1);
            uint64_t half = s.budget.total / 2, wanted = s.budget.total;
            CHECK_OK(private_budget_spend(&s.budget, "another", s.budget.total - half, NULL));
            apex_status got =
                op == 0   ? private_bayes_fit(large(), &moments, wanted, run, &b, &place)
                : op == 1 ? private_ridge_fit(large(), &ridge, wanted, run, &r, &place)
                : op == 2 ? private_logistic_fit(large(), &logistic, wanted, run, &l, &place)
                          : private_kmeans_fit(large(), &kmeans, wanted, run, &k, &place);
            CHECK_STATUS(got, APEX_E_REFUSED);
            CHECK(place.fault == NUM_BUDGET && s.budget.spent <= s.budget.total);
            CHECK(!b && !r);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_row_changes_products_and_gradients_by_no_more_than_stated),
        cmocka_unit_test(one_row_changes_moments_and_cells_by_no_more_than_stated),
        cmocka_unit_test(rows_are_standardised_and_cut_to_their_length),
        cmocka_unit_test(much_budget_gives_naive_bayes),
        cmocka_unit_test(much_budget_gives_ridge_regression),
        cmocka_unit_test(much_budget_gives_logistic_regression),
        cmocka_unit_test(much_budget_gives_k_means),
        cmocka_unit_test(threads_and_instructions_do_not_show),
        cmocka_unit_test(a_row_counts_once_or_not_at_all),
        cmocka_unit_test(eigenvectors_span_the_matrix),
        cmocka_unit_test(a_trees_counts_are_consistent_and_never_negative),
        cmocka_unit_test(nothing_to_learn_from_gives_finite_numbers),
        cmocka_unit_test(wrong_options_are_refused_with_their_place),
        cmocka_unit_test(a_fit_never_spends_more_than_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
