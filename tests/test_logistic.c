#include "common/num/exact.h"
#include "common/num/logistic.h"
#include "tests/check.h"
#include "tests/made_rows.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* The gradient of the objective at a model, by definition, in long double: its length per
 * weight. Also sums over classes. */
static double gradient_by_definition(const struct made *m, const uint32_t *label,
                                     const struct logistic *model, double c, bool standardise)
{
    enum { P = MADE_CLASSES * (MADE_COLUMNS + 1) };
    const size_t n = m->d + 1, outputs = model->n_outputs;
    long double gradient[P] = {0}, weight = 0, length = 0;
    for (size_t i = 0; i < m->n; i++) {
        long double z[MADE_CLASSES], sum = outputs == 1, most = 0;
        for (size_t k = 0; k < outputs; k++) {
            z[k] = model->intercept[k];
            for (size_t j = 0; j < m->d; j++)
                z[k] += model->coefficient[k * m->d + j] *
                        ((long double)m->column[j][i] - model->mean[j]) / model->sd[j];
            most = fmaxl(most, z[k]);
        }
        sum *= expl(-most);
        for (size_t k = 0; k < outputs; k++)
            sum += expl(z[k] - most);
        weight += m->weight[i];
        for (size_t k = 0; k < outputs; k++) {
            bool mine = label[i] == model->seen[outputs == 1 ? 1 : k];
            long double r = m->weight[i] * (expl(z[k] - most) / sum - mine);
            gradient[k * n] += r;
            for (size_t j = 0; j < m->d; j++)
                gradient[k * n + 1 + j] +=
                    r * ((long double)m->column[j][i] - model->mean[j]) / model->sd[j];
        }
    }
    for (size_t k = 0; k < outputs; k++)
        for (size_t j = 0; j < m->d && isfinite(c); j++) {
            double sd = standardise ? 1 : model->sd[j];
            gradient[k * n + 1 + j] += model->coefficient[k * m->d + j] / (c * sd * sd);
        }
    for (size_t p = 0; p < n * outputs; p++)
        length += gradient[p] * gradient[p];
    return (double)(sqrtl(length) / weight);
}

static struct logistic *made_logistic(const struct made *m, const uint32_t *label,
                                      size_t classes, double c, bool standardise)
{
    struct logistic *model;
    struct num_place place = {0};
    struct num_source source = made_source(m, label);
    const struct logistic_options options = {
        .n_classes = classes, .c = c, .standardise = standardise, .threads = 2};
    CHECK_OK(logistic_new(classes, m->d, &model));
    apex_status status = logistic_fit(&source, &options, model, &place);
    if (status != APEX_OK) print_message("fault %d at %zu\n", (int)place.fault, place.at);
    CHECK_OK(status);
    num_source_of_arrays_free(&source);
    return model;
}

static void a_fit_ends_where_the_gradient_vanishes(void **state)
{
    static const struct {
        double c;
        bool standardise;
    } cases[] = {{1, true},     {1, false},  {1e-3, true},
                 {1e-3, false}, {1e4, true}, {INFINITY, true}};
    struct made m = made_open(MADE_ROWS, MADE_COLUMNS, 6);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t k = 2; k <= MADE_CLASSES; k += 2) {
            const uint32_t *label = k == 2 ? m.two : m.label;
            struct logistic *model =
                made_logistic(&m, label, k, cases[i].c, cases[i].standardise);
            double intercepts = 0;
            CHECK(gradient_by_definition(&m, label, model, cases[i].c, cases[i].standardise) <
                  1.01e-9);
            CHECK(model->rounds > 0 && model->rounds < 12);
            for (size_t o = 0; o < model->n_outputs && k > 2; o++)
                intercepts += model->intercept[o];
            CHECK(fabs(intercepts) < 1e-12);
            logistic_free(model);
        }
    made_close(&m);
}

/* Many blocks: Newton's steps begin at the optimum of a sample of them. */
static void a_start_from_a_sample_changes_no_optimum(void **state)
{
    struct made m = made_open(70 * BLOCK_ROWS + 5, 3, 7);
    (void)state;
    struct logistic *model = made_logistic(&m, m.two, 2, 1, true);
    CHECK(gradient_by_definition(&m, m.two, model, 1, true) < 1.01e-9);
    logistic_free(model);
    /* A sample that has one class only, or whose classes are apart, tells nothing of the rest.
     */
    for (size_t i = 0; i < m.n; i++)
        if (i / BLOCK_ROWS % 16 == 0) m.two[i] = m.column[0][i] > -0.2;
    model = made_logistic(&m, m.two, 2, 1e9, true);
    CHECK(gradient_by_definition(&m, m.two, model, 1e9, true) < 1.01e-9);
    logistic_free(model);
    for (size_t i = 0; i < m.n; i++)
        if (i / BLOCK_ROWS % 16 == 0) m.two[i] = 1;
    model = made_logistic(&m, m.two, 2, 1e9, true);
    CHECK(gradient_by_definition(&m, m.two, model, 1e9, true) < 1.01e-9);
    logistic_free(model);
    made_close(&m);
}

static void probabilities_are_those_of_the_formula_and_sum_to_one(void **state)
{
    static _Alignas(64) double room[MADE_CLASSES][BLOCK_ROWS];
    double *probability[MADE_CLASSES];
    static uint32_t label[BLOCK_ROWS];
    struct made m = made_open(1000, MADE_COLUMNS, 8);
    struct num_block block;
    (void)state;
    for (size_t k = 0; k < MADE_CLASSES; k++)
        probability[k] = room[k];
    for (size_t classes = 2; classes <= MADE_CLASSES; classes += 2) {
        const uint32_t *labels = classes == 2 ? m.two : m.label;
        struct num_source source = made_source(&m, labels);
        struct logistic *model = made_logistic(&m, labels, classes, 1, true);
        source.block(source.context, 0, 0, &block);
        logistic_predict(model, &block, probability);
        logistic_choose((const double *const *)probability, classes, block.n, label);
        for (size_t i = 0; i < m.n; i++) {
            long double e[MADE_CLASSES], sum = 0, all = 0;
            uint32_t best = 0;
            for (size_t k = 0; k < classes; k++) {
                size_t o = model->n_outputs == 1 ? 0 : k;
                long double z = model->raw_intercept[o];
                for (size_t j = 0; j < m.d; j++)
                    z += (long double)model->raw[o * m.d + j] * m.column[j][i];
                e[k] = model->n_outputs == 1 && k == 0 ? 1 : expl(z);
                sum += e[k];
            }
            for (uint32_t k = 0; k < classes; k++) {
                near(probability[k][i], (double)(e[k] / sum), 1e-12);
                all += probability[k][i];
                if (probability[k][i] > probability[best][i]) best = k;
            }
            near((double)all, 1, 1e-15);
            CHECK(label[i] == best);
        }
        num_source_of_arrays_free(&source);
        logistic_free(model);
    }
    made_close(&m);
}

static void a_tie_goes_to_the_lower_class(void **state)
{
    static const double a[3] = {0.2, 0.4, 0.3}, b[3] = {0.4, 0.4, 0.3}, c[3] = {0.4, 0.2, 0.4};
    const double *probability[] = {a, b, c};
    uint32_t label[3];
    (void)state;
    logistic_choose(probability, 3, 3, label);
    CHECK(label[0] == 1 && label[1] == 0 && label[2] == 2);
}

/* A softmax over two classes that have rows is the regression of two classes. */
static void a_class_left_out_changes_nothing_for_the_others(void **state)
{
    static _Alignas(64) double room[MADE_CLASSES][BLOCK_ROWS];
    double *probability[MADE_CLASSES];
    struct made m = made_open(800, 4, 17);
    struct logistic *two, *wide;
    struct num_block block;
    (void)state;
    for (size_t i = 0; i < m.n; i++)
        m.label[i] = m.two[i] ? 3 : 1;
    struct num_source source = made_source(&m, m.label);
    const struct logistic_options options = {.n_classes = 4, .c = 1, .skip_empty = true};
    CHECK_OK(logistic_new(4, 4, &wide));
    CHECK_OK(logistic_fit(&source, &options, wide, NULL));
    two = made_logistic(&m, m.two, 2, 1, false);
    CHECK(wide->n_outputs == 1 && wide->n_seen == 2 && wide->seen[0] == 1 &&
          wide->seen[1] == 3);
    CHECK(memcmp(wide->raw, two->raw, 4 * sizeof(double)) == 0);
    for (size_t k = 0; k < 4; k++)
        probability[k] = room[k];
    source.block(source.context, 0, 0, &block);
    logistic_predict(wide, &block, probability);
    for (size_t i = 0; i < m.n; i++)
        CHECK(room[0][i] == 0 && room[2][i] == 0 && fabs(room[1][i] + room[3][i] - 1) < 1e-15);
    num_source_of_arrays_free(&source);
    logistic_free(two);
    logistic_free(wide);
    made_close(&m);
}

static void exponentials_and_logarithms_are_within_two_units_of_long_double(void **state)
{
    (void)state;
    for (int i = 0; i < 200000; i++) {
        double x = -708 + 1417.7 * (i + 0.37) / 200000, y = -40 + 80 * (i + 0.13) / 200000;
        long double e = expl((long double)x), f = expl((long double)y);
        CHECK(fabsl((exact_exp(x) - e) / e) < 2 * DBL_EPSILON);
        CHECK(fabsl((exact_sigmoid(y) * (1 + f) - f) / f) < 2 * DBL_EPSILON);
        CHECK(fabsl((exact_log1p_exp(y) - log1pl(f)) / log1pl(f)) < 2 * DBL_EPSILON);
    }
    CHECK(exact_exp(0) == 1 && exact_exp(-1e308) == 5e-324 && exact_exp(1e308) < INFINITY);
    CHECK(exact_sigmoid(0) == 0.5 && exact_sigmoid(-1e308) == 0 && exact_sigmoid(1e308) == 1);
    CHECK(exact_log1p_exp(-1e308) == 0 && exact_log1p_exp(1e308) == 1e308);
    CHECK(exact_exp(-744) > 0 && exact_exp(-744) < 1e-320);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fit_ends_where_the_gradient_vanishes),
        cmocka_unit_test(a_start_from_a_sample_changes_no_optimum),
        cmocka_unit_test(probabilities_are_those_of_the_formula_and_sum_to_one),
        cmocka_unit_test(a_tie_goes_to_the_lower_class),
        cmocka_unit_test(a_class_left_out_changes_nothing_for_the_others),
        cmocka_unit_test(exponentials_and_logarithms_are_within_two_units_of_long_double),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
