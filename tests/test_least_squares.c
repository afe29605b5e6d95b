#include "common/num/gram.h"
#include "common/num/metrics.h"
#include "common/num/random.h"
#include "common/num/ridge.h"
#include "common/num/solve.h"
#include "common/num/standard.h"
#include "common/num/tile.h"
#include "tests/check.h"
#include "tests/made_rows.h"

#include <math.h>
#include <stdlib.h>

static const uint8_t seed[32] = {9};

/* Means and centred products by definition, in long double. */
static void moments_by_definition(const struct made *m, long double *mean, long double *product)
{
    const size_t n = m->d + 1;
    long double weight = 0;
    memset(mean, 0, n * sizeof *mean);
    memset(product, 0, n * n * sizeof *product);
    for (size_t i = 0; i < m->n; i++) {
        weight += m->weight[i];
        for (size_t j = 0; j < n; j++)
            mean[j] += m->weight[i] * (long double)(j < m->d ? m->column[j][i] : m->target[i]);
    }
    for (size_t j = 0; j < n; j++)
        mean[j] /= weight;
    for (size_t i = 0; i < m->n; i++)
        for (size_t j = 0; j < n; j++)
            for (size_t k = j; k < n; k++) {
                long double x = (j < m->d ? m->column[j][i] : m->target[i]) - mean[j];
                long double y = (k < m->d ? m->column[k][i] : m->target[i]) - mean[k];
                product[j * n + k] += m->weight[i] * x * y;
            }
}

static void means_and_products_are_exact_far_from_zero_too(void **state)
{
    /* Means are doubles: far enough out, what they round away is all that is lost. */
    static const double offsets[] = {0, 1e3, 1e9}, within[] = {1e-12, 1e-12, 1e-8};
    enum { M = MADE_COLUMNS + 1 };
    long double mean[M], product[M * M];
    double *gram = calloc(gram_len(M), sizeof *gram), mu[MADE_COLUMNS], sd[MADE_COLUMNS];
    (void)state;
    for (size_t o = 0; o < 3; o++) {
        struct made m = made_open(MADE_ROWS, MADE_COLUMNS, 1);
        for (size_t j = 0; j < m.d; j++)
            for (size_t i = 0; i < m.n; i++)
                m.column[j][i] += offsets[o];
        moments_by_definition(&m, mean, product);
        struct num_source source = made_source(&m, NULL);
        CHECK_OK(gram_fit(1, &source, true, gram, NULL));
        CHECK_OK(standard_fit(1, &source, mu, sd, NULL));
        for (size_t j = 0; j < M; j++) {
            near(gram_means(gram)[j], (double)mean[j], 1e-14);
            for (size_t k = j; k < M; k++) {
                double size = sqrt((double)(product[j * M + j] * product[k * M + k]));
                near(gram_products(gram, M)[tile_at(M, j, k)] / size,
                     (double)product[j * M + k] / size, within[o]);
            }
            if (j == m.d) break;
            near(mu[j], (double)mean[j], 1e-14);
            CHECK(fabs(sd[j] / sqrt((double)product[j * M + j] / gram[0]) - 1) < within[o]);
        }
        num_source_of_arrays_free(&source);
        made_close(&m);
    }
    free(gram);
}

/* Gauss's elimination in long double. */
static void solve_by_elimination(long double *a, long double *b, size_t n)
{
    for (size_t k = 0; k < n; k++)
        for (size_t i = k + 1; i < n; i++) {
            long double f = a[i * n + k] / a[k * n + k];
            for (size_t j = k; j < n; j++)
                a[i * n + j] -= f * a[k * n + j];
            b[i] -= f * b[k];
        }
    for (size_t i = n; i-- > 0;) {
        for (size_t j = i + 1; j < n; j++)
            b[i] -= a[i * n + j] * b[j];
        b[i] /= a[i * n + i];
    }
}

static void weighted_ridge_solves_its_normal_equations(void **state)
{
    static const struct ridge_options cases[] = {
        {.alpha = 0}, {.alpha = 3}, {.alpha = 3, .standardise = true}, {.alpha = 1e6}};
    enum { M = MADE_COLUMNS + 1 };
    long double mean[M], product[M * M], a[MADE_COLUMNS * MADE_COLUMNS], b[MADE_COLUMNS];
    struct made m = made_open(MADE_ROWS, MADE_COLUMNS, 2);
    struct num_source source = made_source(&m, NULL);
    struct ridge *model;
    (void)state;
    moments_by_definition(&m, mean, product);
    CHECK_OK(ridge_new(m.d, &model));
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        CHECK_OK(ridge_fit(&source, &cases[c], model, NULL));
        for (size_t i = 0; i < m.d; i++) {
            for (size_t j = 0; j < m.d; j++)
                a[i * m.d + j] = i < j ? product[i * M + j] : product[j * M + i];
            double sd = cases[c].standardise ? model->sd[i] : 1;
            a[i * m.d + i] += cases[c].alpha * sd * sd;
            b[i] = product[i * M + m.d];
        }
        solve_by_elimination(a, b, m.d);
        long double intercept = mean[m.d];
        for (size_t j = 0; j < m.d; j++) {
            near(model->raw[j], (double)b[j], 1e-10);
            intercept -= b[j] * mean[j];
        }
        near(model->raw_intercept, (double)intercept, 1e-10);
    }
    num_source_of_arrays_free(&source);
    ridge_free(model);
    made_close(&m);
}

static void figures_of_the_training_rows_follow_without_another_pass(void **state)
{
    struct made m = made_open(MADE_ROWS, MADE_COLUMNS, 3);
    struct num_source source = made_source(&m, NULL);
    const struct ridge_options options = {.alpha = 50, .standardise = true};
    struct regression_sums total = {0};
    struct regression_figures f;
    static _Alignas(64) double prediction[BLOCK_ROWS];
    struct ridge *model;
    (void)state;
    CHECK_OK(ridge_new(m.d, &model));
    CHECK_OK(ridge_fit(&source, &options, model, NULL));
    for (size_t b = 0; b < source.n_blocks; b++) {
        struct num_block block;
        struct regression_sums partial = {0};
        source.block(source.context, b, 0, &block);
        ridge_predict(model, &block, prediction);
        regression_partial(&block, prediction, &partial);
        regression_merge(&total, &partial);
        for (size_t r = 0; r < block.n; r++) {
            long double want = model->raw_intercept;
            for (size_t j = 0; j < m.d; j++)
                want += (long double)model->raw[j] * block.column[j][r];
            near(prediction[r], (double)want, 1e-11);
        }
    }
    regression_finish(&total, &f);
    near(model->r2, f.r2, 1e-11);
    near(model->rmse, f.rmse, 1e-11);
    num_source_of_arrays_free(&source);
    ridge_free(model);
    made_close(&m);
}

static void cholesky_solves_and_finds_the_row_that_depends(void **state)
{
    enum { n = 40 };
    static double a[n * n], copy[n * n], b[n], want[n], scratch[n], base[n][n + 3];
    struct random_state r;
    (void)state;
    random_seed(&r, seed, 5);
    for (size_t dependent = 1; dependent <= n; dependent += 13) { /* n: none */
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < n + 3; k++)
                base[i][k] = random_unit(&r) - 0.5;
        for (size_t k = 0; k < n + 3 && dependent < n; k++)
            base[dependent][k] = 2 * base[0][k] - base[dependent - 1][k];
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) {
                a[i * n + j] = 0;
                for (size_t k = 0; k < n + 3; k++)
                    a[i * n + j] += base[i][k] * base[j][k];
            }
        memcpy(copy, a, sizeof a);
        for (size_t i = 0; i < n; i++) {
            want[i] = i == dependent ? 0 : random_unit(&r);
            b[i] = 0;
        }
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++)
                b[i] += copy[i * n + j] * want[j];
        struct cholesky found = cholesky_factor(a, n, 1e-11, scratch);
        CHECK(found.first == dependent);
        CHECK(found.dependent == (dependent < n));
        CHECK(dependent < n ? fabs(found.least_pivot) < 1e-11 : found.least_pivot > 1e-11);
        cholesky_solve(a, n, b);
        for (size_t i = 0; i < n; i++)
            near(b[i], want[i], 1e-8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_and_products_are_exact_far_from_zero_too),
        cmocka_unit_test(weighted_ridge_solves_its_normal_equations),
        cmocka_unit_test(figures_of_the_training_rows_follow_without_another_pass),
        cmocka_unit_test(cholesky_solves_and_finds_the_row_that_depends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
