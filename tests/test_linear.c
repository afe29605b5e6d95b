#include "common/num/logistic.h"
#include "common/num/metrics.h"
#include "common/num/ranking.h"
#include "common/num/ridge.h"
#include "common/num/simd.h"
#include "tests/check.h"
#include "tests/made_rows.h"
#include "tests/real_owner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A training set and a test set over the rows of a real file: weight 1 for the rows that count
 * in one, 0 for the others, so that rows of weight 0 are exercised everywhere. */
struct sets {
    struct real_data *data;
    struct real_owner owner;
    double *train, *test;
    struct num_source source; /* over `train` */
    struct num_arrays arrays;
};

static bool sets_open(struct sets *s, const char *name)
{
    *s = (struct sets){.data = real_data_open(name)};
    if (!s->data) return false;
    s->owner = real_owner_open(s->data);
    s->train = calloc(s->data->n, sizeof *s->train);
    s->test = calloc(s->data->n, sizeof *s->test);
    for (size_t i = 0; i < s->data->n; i++) {
        s->test[i] = s->data->is_test[i];
        s->train[i] = !s->data->is_test[i];
    }
    return true;
}

static void sets_close(struct sets *s)
{
    free(s->train);
    free(s->test);
    real_owner_close(&s->owner);
    real_data_close(s->data);
}

static struct num_source source_over(const struct sets *s, const double *weight)
{
    struct num_source source;
    const struct real_data *d = s->data;
    const struct num_arrays arrays = {d->n,
                                      d->d,
                                      (const double *const *)d->column,
                                      weight,
                                      s->owner.target,
                                      d->n_classes ? d->label : NULL};
    CHECK_OK(num_source_of_arrays(&arrays, &source));
    return source;
}

/* Training weights of one enterprise alone. */
static void only_owner(const struct sets *s, size_t owner, double *weight)
{
    for (size_t i = 0; i < s->data->n; i++)
        weight[i] = s->train[i] * (s->owner.owner[i] == owner);
}

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    CHECK(json_is_number(value));
    return json_number_value(value);
}

static struct regression_figures regression_measure(const struct sets *s, const struct ridge *m)
{
    static double prediction[BLOCK_ROWS];
    struct num_source source = source_over(s, s->test);
    struct regression_sums total = {0};
    struct regression_figures figures;
    for (size_t b = 0; b < source.n_blocks; b++) {
        struct num_block block;
        struct regression_sums partial = {0};
        source.block(source.context, b, 0, &block);
        ridge_predict(m, &block, prediction);
        regression_partial(&block, prediction, &partial);
        regression_merge(&total, &partial);
    }
    regression_finish(&total, &figures);
    num_source_of_arrays_free(&source);
    return figures;
}

static struct regression_figures ridge_check(const struct sets *s, const double *weight,
                                             const struct ridge_options *options,
                                             const json_t *want)
{
    struct ridge *model;
    struct num_source source = source_over(s, weight);
    CHECK_OK(ridge_new(s->data->d, &model));
    CHECK_OK(ridge_fit(&source, options, model, NULL));
    const json_t *coefficients = json_object_get(want, "coef");
    for (size_t j = 0; j < json_array_size(coefficients); j++) {
        double c = json_number_value(json_array_get(coefficients, j));
        near(options->standardise ? model->coefficient[j] : model->raw[j], c, 1e-6);
    }
    if (coefficients)
        near(options->standardise ? model->intercept : model->raw_intercept,
             number(want, "intercept"), 1e-6);
    struct regression_figures f = regression_measure(s, model);
    near(f.r2, number(want, "r2"), 1e-6);
    near(f.rmse, number(want, "rmse"), 1e-6);
    near(f.mae, number(want, "mae"), 1e-6);
    num_source_of_arrays_free(&source);
    ridge_free(model);
    return f;
}

static const char *const regressions[] = {"corn_yield", "us_corn_by_state", "diabetes"};

static void least_squares_and_ridge_are_those_of_scikit_learn(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof regressions / sizeof *regressions; i++) {
        struct sets s;
        if (!sets_open(&s, regressions[i])) skip();
        const struct ridge_options ols = {.threads = 2},
                                   ridge = {.alpha = 1, .standardise = true};
        const json_t *want = real_data_at(s.data, "regression", NULL);
        ridge_check(&s, s.train, &ols, json_object_get(want, "linear_regression"));
        ridge_check(&s, s.train, &ridge, json_object_get(want, "ridge"));
        sets_close(&s);
    }
}

static void each_enterprise_alone_regresses_as_in_the_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof regressions / sizeof *regressions; i++) {
        struct sets s;
        if (!sets_open(&s, regressions[i])) skip();
        double *weight = calloc(s.data->n, sizeof *weight);
        const struct ridge_options ridge = {.alpha = 1, .standardise = true};
        const json_t *alone =
            real_data_at(s.data, "regression", "alone_versus_pooled", "alone", NULL);
        CHECK(json_array_size(alone) == s.owner.n_owners);
        for (size_t o = 0; o < s.owner.n_owners; o++) {
            only_owner(&s, o, weight);
            ridge_check(&s, weight, &ridge, json_array_get(alone, o));
        }
        free(weight);
        sets_close(&s);
    }
}

struct measured {
    struct class_figures figures;
    struct ranking ranking;
    double *confusion; /* n_classes^2, to be freed */
};

static void rank(const struct sets *s, const struct num_block *block, double *keys,
                 uint64_t *marks, const double *score)
{
    const json_t *positive = real_data_at(s->data, "classification", "positive", NULL);
    const json_t *classes = real_data_at(s->data, "classification", "classes", NULL);
    if (!json_is_string(positive) && !json_is_integer(positive)) return;
    char text[32];
    snprintf(text, sizeof text, "%lld", json_integer_value(positive));
    const char *name = json_is_string(positive) ? json_string_value(positive) : text;
    uint32_t one = strcmp(json_string_value(json_array_get(classes, 1)), name) == 0;
    double mine[BLOCK_ROWS];
    for (size_t r = 0; r < block->n; r++)
        mine[r] = one ? score[r] : -score[r];
    ranking_fill(block, mine, one, keys, marks);
}

static struct measured classes_measure(const struct sets *s, const struct logistic *m)
{
    static _Alignas(64) double scratch[CLASS_ROOM], room[16][BLOCK_ROWS];
    static uint32_t label[BLOCK_ROWS];
    const size_t k = m->n_classes, n = s->data->n;
    double *probability[16], *total = calloc(class_len(k), sizeof *total);
    double *partial = calloc(class_len(k), sizeof *partial), *keys = calloc(n, sizeof *keys);
    uint64_t *marks = calloc(n, sizeof *marks);
    struct num_source source = source_over(s, s->test);
    struct measured answer = {0};
    for (size_t c = 0; c < k; c++)
        probability[c] = room[c];
    for (size_t b = 0; b < source.n_blocks; b++) {
        struct num_block block;
        source.block(source.context, b, 0, &block);
        logistic_predict(m, &block, probability);
        logistic_choose((const double *const *)probability, k, block.n, label);
        memset(partial, 0, class_len(k) * sizeof *partial);
        class_partial(&block, k, label, (const double *const *)probability, scratch, partial);
        class_merge(k, total, partial);
        rank(s, &block, keys + b * BLOCK_ROWS, marks + b * BLOCK_ROWS, probability[1]);
    }
    class_finish(k, total, &answer.figures);
    if (k == 2) CHECK_OK(ranking_finish(keys, marks, n, 0.05, &answer.ranking, NULL));
    answer.confusion = calloc(k * k, sizeof(double));
    memcpy(answer.confusion, class_confusion(total), k * k * sizeof(double));
    num_source_of_arrays_free(&source);
    free(keys);
    free(marks);
    free(total);
    free(partial);
    return answer;
}

static void figures_check(const struct measured *m, const json_t *want, size_t k)
{
    near(m->figures.accuracy, number(want, "accuracy"), 1e-11);
    near(m->figures.balanced_accuracy, number(want, "balanced_accuracy"), 1e-11);
    const json_t *rows = json_object_get(want, "confusion_rows_true");
    for (size_t t = 0; t < k && rows; t++)
        for (size_t p = 0; p < k; p++)
            CHECK(m->confusion[t * k + p] ==
                  json_number_value(json_array_get(json_array_get(rows, t), p)));
    if (json_object_get(want, "log_loss"))
        near(m->figures.log_loss, number(want, "log_loss"), 1e-6);
    if (k > 2) return;
    near(m->ranking.auc, number(want, "roc_auc"), 1e-9);
    near(m->ranking.average_precision, number(want, "average_precision"), 1e-9);
    if (json_object_get(want, "precision_in_top_5pct"))
        near(m->ranking.top, number(want, "precision_in_top_5pct"), 1e-9);
}

static void coefficients_check(const struct logistic *m, const json_t *want)
{
    for (size_t k = 0; k < m->n_outputs; k++) {
        const json_t *row = json_array_get(json_object_get(want, "coef"), k);
        const json_t *intercept = json_array_get(json_object_get(want, "intercept"), k);
        CHECK(json_array_size(row) == m->n_columns);
        near(m->intercept[k], json_number_value(intercept), 1e-6);
        for (size_t j = 0; j < m->n_columns; j++) {
            near(m->coefficient[k * m->n_columns + j],
                 json_number_value(json_array_get(row, j)), 1e-6);
            near(m->mean[j],
                 json_number_value(json_array_get(json_object_get(want, "mean"), j)), 1e-11);
            near(m->sd[j], json_number_value(json_array_get(json_object_get(want, "sd"), j)),
                 1e-11);
        }
    }
}

static struct logistic *logistic_of(const struct sets *s, const double *weight,
                                    unsigned threads)
{
    struct logistic *model;
    struct num_place place = {0};
    struct num_source source = source_over(s, weight);
    const struct logistic_options options = {.n_classes = s->data->n_classes,
                                             .c = 1,
                                             .standardise = true,
                                             .skip_empty = true,
                                             .threads = threads};
    CHECK_OK(logistic_new(s->data->n_classes, s->data->d, &model));
    apex_status status = logistic_fit(&source, &options, model, &place);
    if (status != APEX_OK) print_message("fault %d at %zu\n", (int)place.fault, place.at);
    CHECK_OK(status);
    CHECK(model->objective_length <= 1e-9);
    num_source_of_arrays_free(&source);
    return model;
}

static const char *const classifications[] = {"vehicle_claims", "credit_risk", "telco_churn",
                                              "breast_cancer",  "iris",        "wine",
                                              "digits",         "olive"};

static void logistic_and_softmax_regression_are_those_of_scikit_learn(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof classifications / sizeof *classifications; i++) {
        struct sets s;
        if (!sets_open(&s, classifications[i])) skip();
        const json_t *want =
            real_data_at(s.data, "classification", "logistic_regression", NULL);
        struct logistic *model = logistic_of(&s, s.train, 2);
        coefficients_check(model, want);
        struct measured m = classes_measure(&s, model);
        figures_check(&m, want, s.data->n_classes);
        free(m.confusion);
        logistic_free(model);
        sets_close(&s);
    }
}

static void each_enterprise_alone_classifies_as_in_the_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof classifications / sizeof *classifications; i++) {
        struct sets s;
        if (!sets_open(&s, classifications[i])) skip();
        double *weight = calloc(s.data->n, sizeof *weight);
        const json_t *alone =
            real_data_at(s.data, "classification", "alone_versus_pooled", "alone", NULL);
        CHECK(json_array_size(alone) == s.owner.n_owners);
        for (size_t o = 0; o < s.owner.n_owners; o++) {
            const json_t *want = json_array_get(alone, o);
            only_owner(&s, o, weight);
            struct logistic *model = logistic_of(&s, weight, 1);
            CHECK(model->n_seen == (size_t)number(want, "classes_seen"));
            CHECK(model->weight == number(want, "train_rows"));
            struct measured m = classes_measure(&s, model);
            figures_check(&m, want, s.data->n_classes);
            free(m.confusion);
            logistic_free(model);
        }
        free(weight);
        sets_close(&s);
    }
}

/* Ten classes of 64 columns: the quasi-Newton path, whose bytes the made-up rows do not show.
 */
static void every_level_and_number_of_threads_gives_the_same_softmax_of_digits(void **state)
{
    struct sets s;
    (void)state;
    if (!sets_open(&s, "digits")) skip();
    struct logistic *first = logistic_of(&s, s.train, 1);
    for (enum simd_level level = SIMD_LEVEL_ANY; level <= SIMD_LEVEL_512; level++) {
        simd_level_limit(level);
        struct logistic *again = logistic_of(&s, s.train, 3);
        CHECK(memcmp(again->raw, first->raw, 10 * 64 * sizeof(double)) == 0);
        CHECK(memcmp(again->raw_intercept, first->raw_intercept, 10 * sizeof(double)) == 0);
        logistic_free(again);
    }
    logistic_free(first);
    sets_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(least_squares_and_ridge_are_those_of_scikit_learn),
        cmocka_unit_test(each_enterprise_alone_regresses_as_in_the_reference),
        cmocka_unit_test(logistic_and_softmax_regression_are_those_of_scikit_learn),
        cmocka_unit_test(each_enterprise_alone_classifies_as_in_the_reference),
        cmocka_unit_test(every_level_and_number_of_threads_gives_the_same_softmax_of_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
