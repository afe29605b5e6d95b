#include "common/num/bayes.h"
#include "common/num/random.h"
#include "common/num/simd.h"
#include "tests/check.h"
#include "tests/real_data.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static const char *const sets[] = {
    "iris",        "wine",        "breast_cancer",  "digits",    "olive",
    "credit_risk", "telco_churn", "vehicle_claims", "us_stores", "places_country"};
enum { SETS = sizeof sets / sizeof *sets };

static struct num_source source_of(const struct real_part *p)
{
    struct num_source s;
    struct num_arrays a = {p->n, p->d, (const double *const *)p->column, NULL, NULL, p->label};
    CHECK_OK(num_source_of_arrays(&a, &s));
    return s;
}

static struct bayes *fit_of(const struct real_part *p, size_t n_classes, unsigned threads)
{
    struct num_source s = source_of(p);
    struct bayes *b = NULL;
    struct num_place place = {NUM_FINE, 0};
    CHECK_OK(bayes_fit(&s, &(struct bayes_options){n_classes, p->d}, threads, &b, &place));
    num_source_of_arrays_free(&s);
    return b;
}

/* Printed with 12 digits, so half a unit in the 12th is lost. */
static bool close_to(double got, double want)
{
    return fabs(got - want) <= 1e-9 * fabs(want) + 1e-300;
}

static void model_compare(const struct bayes *b, const json_t *nb)
{
    const json_t *theta = json_object_get(nb, "theta"), *var = json_object_get(nb, "var");
    CHECK(close_to(b->epsilon, json_number_value(json_object_get(nb, "epsilon"))));
    for (size_t c = 0; c < b->n_classes; c++) {
        CHECK(close_to(b->prior[c], json_number_value(json_array_get(
                                        json_object_get(nb, "class_prior"), c))));
        for (size_t f = 0; f < b->n_features; f++) {
            size_t at = c * b->n_features + f;
            CHECK(close_to(b->mean[at],
                           json_number_value(json_array_get(json_array_get(theta, c), f))));
            CHECK(close_to(b->variance[at],
                           json_number_value(json_array_get(json_array_get(var, c), f))));
        }
    }
}

/* Every row predicted; counts per class. */
static double predict_all(const struct bayes *b, const struct real_part *p, uint64_t *counts)
{
    struct num_source s = source_of(p);
    uint32_t *labels = calloc(p->n + 1, sizeof *labels);
    size_t right = 0;
    CHECK_OK(bayes_predict(b, &s, 2, labels));
    for (size_t i = 0; i < p->n; i++)
        right += labels[i] == p->label[i];
    bayes_count(labels, NULL, p->n, b->n_classes, counts);
    num_source_of_arrays_free(&s);
    free(labels);
    return (double)right / (double)p->n;
}

static void counts_compare(const uint64_t *counts, const json_t *classes, const json_t *wanted,
                           size_t n)
{
    for (size_t c = 0; c < json_array_size(classes); c++) {
        const json_t *w =
            json_object_get(wanted, json_string_value(json_array_get(classes, c)));
        double want = w ? json_number_value(w) : 0;
        CHECK(fabs((double)counts[c] - want) <= 0.001 * (double)n);
        CHECK((double)counts[c] == want);
    }
}

static void every_reference_model_is_reached(void **state)
{
    size_t seen = 0;
    (void)state;
    for (size_t s = 0; s < SETS; s++) {
        struct real_data *r = real_data_open(sets[s]);
        if (!r) continue;
        const json_t *task = json_object_get(r->reference, "classification"),
                     *nb = json_object_get(task, "gaussian_nb");
        struct real_part train = real_part_open(r, false), test = real_part_open(r, true);
        struct real_part all = {r->n, r->column, r->label, r->d};
        struct bayes *b = fit_of(&train, r->n_classes, 2);
        uint64_t *counts = calloc(2 * r->n_classes, sizeof *counts);
        model_compare(b, nb);
        double accuracy = predict_all(b, &test, counts);
        CHECK(close_to(accuracy, json_number_value(json_object_get(nb, "accuracy"))));
        counts_compare(counts, json_object_get(task, "classes"),
                       json_object_get(nb, "predicted_counts_test"), test.n);
        if (json_object_get(nb, "market_counts_all_rows")) {
            predict_all(b, &all, counts + r->n_classes);
            counts_compare(counts + r->n_classes, json_object_get(task, "classes"),
                           json_object_get(nb, "market_counts_all_rows"), r->n);
        }
        free(counts);
        bayes_free(b);
        real_part_close(&train);
        real_part_close(&test);
        real_data_close(r);
        seen++;
    }
    if (seen == 0) skip();
    CHECK(seen == SETS);
}

/* Rows of a set's own, in int32 steps of 1e-7 degree. */
static void integer_columns_reach_the_reference_too(void **state)
{
    struct real_data *r = real_data_open("places_country");
    (void)state;
    if (!r) skip();
    struct real_part train = real_part_open(r, false);
    int32_t *x[2];
    for (size_t f = 0; f < 2; f++) {
        x[f] = calloc(train.n, sizeof **x);
        for (size_t i = 0; i < train.n; i++)
            x[f][i] = (int32_t)lrint(train.column[f][i] * 1e7);
    }
    struct bayes_sums *s = NULL;
    struct bayes *b = NULL, *d = fit_of(&train, r->n_classes, 1);
    uint8_t *labels = calloc(train.n, 1);
    struct bayes_chunk chunk = {train.n, {x[0], x[1]}, train.label, 4, NULL};
    CHECK_OK(bayes_sums_new(r->n_classes, 2, &s));
    CHECK_OK(bayes_chunk_add(s, &chunk, 2));
    CHECK_OK(bayes_sums_finish(s, &(struct bayes_options){r->n_classes, 2}, &b, NULL));
    for (size_t i = 0; i < r->n_classes * 2; i++) {
        b->mean[i] *= 1e-7;
        b->variance[i] *= 1e-14;
    }
    b->epsilon *= 1e-14;
    model_compare(b, real_data_at(r, "classification", "gaussian_nb", NULL));
    bayes_free(b);
    CHECK_OK(bayes_sums_finish(s, &(struct bayes_options){r->n_classes, 2}, &b, NULL));
    CHECK_OK(bayes_chunk_predict(b, &chunk, 2, labels, 1));
    struct num_source source = source_of(&train);
    uint32_t *doubles = calloc(train.n, sizeof *doubles);
    CHECK_OK(bayes_predict(d, &source, 1, doubles));
    for (size_t i = 0; i < train.n; i++)
        CHECK(labels[i] == doubles[i]);
    num_source_of_arrays_free(&source);
    free(doubles);
    free(labels);
    bayes_free(b);
    bayes_free(d);
    bayes_sums_free(s);
    free(x[0]);
    free(x[1]);
    real_part_close(&train);
    real_data_close(r);
}

/* --- Rows made up ---------------------------------------------------------------------------
 */
enum { N = 10007, D = 5, C = 7 };
static double cells[D][N], weights[N];
static uint32_t labels_of[N];
static int32_t steps[4][N];
static uint8_t used[N];
static const uint8_t seed[32] = {4, 2};

static void rows_make(void)
{
    struct random_state r;
    random_seed(&r, seed, 1);
    for (size_t i = 0; i < N; i++) {
        uint64_t a = random_next(&r);
        labels_of[i] = (uint32_t)(a % C);
        weights[i] = a >> 60 < 3 ? 0 : (double)(a >> 58 & 3) + 0.5;
        used[i] = a >> 20 & 7 ? 1 : 0;
        for (size_t f = 0; f < D; f++)
            cells[f][i] = 1e6 * (double)f + (random_unit(&r) + random_unit(&r) - 1) *
                                                (double)(f + 1) * (labels_of[i] + 1);
        for (size_t f = 0; f < 4; f++)
            steps[f][i] = (int32_t)random_next(&r);
    }
    /* the ends of int32, in a class of their own as well */
    for (size_t i = 0; i < 300; i++)
        steps[0][i] = i % 2 ? INT32_MIN : INT32_MAX, steps[1][i] = INT32_MIN, labels_of[i] = 3;
}

static struct num_source made(const double *const column[], const double *weight)
{
    struct num_source s;
    struct num_arrays a = {N, D, column, weight, NULL, labels_of};
    CHECK_OK(num_source_of_arrays(&a, &s));
    return s;
}
static const double *const made_columns[D] = {cells[0], cells[1], cells[2], cells[3], cells[4]};

static void moments_are_those_of_long_double_and_weights_count(void **state)
{
    struct num_source s = made(made_columns, weights);
    struct bayes *b = NULL;
    long double all[D] = {0}, all_square[D] = {0}, total = 0;
    (void)state;
    CHECK_OK(bayes_fit(&s, &(struct bayes_options){C, D, 1e-12}, 1, &b, NULL));
    for (size_t i = 0; i < N; i++)
        total += weights[i];
    for (size_t f = 0; f < D; f++) {
        for (size_t i = 0; i < N; i++)
            all[f] += weights[i] * (long double)cells[f][i] / total;
        for (size_t i = 0; i < N; i++)
            all_square[f] +=
                weights[i] * (cells[f][i] - all[f]) * (cells[f][i] - all[f]) / total;
    }
    long double epsilon = 1e-12L * all_square[4];
    CHECK(fabsl(b->epsilon - epsilon) <= 1e-12L * epsilon);
    for (size_t c = 0; c < C; c++)
        for (size_t f = 0; f < D; f++) {
            long double sum = 0, weight = 0, square = 0;
            uint64_t rows = 0;
            for (size_t i = 0; i < N; i++) {
                if (labels_of[i] != c) continue;
                sum += weights[i] * (long double)cells[f][i];
                weight += weights[i];
                rows += weights[i] > 0;
            }
            for (size_t i = 0; i < N; i++)
                if (labels_of[i] == c)
                    square += weights[i] * (cells[f][i] - sum / weight) *
                              (cells[f][i] - sum / weight);
            CHECK(b->counts[c] == rows);
            CHECK(fabsl(b->prior[c] - weight / total) <= 1e-14L);
            CHECK(fabsl(b->mean[c * D + f] - sum / weight) <= 1e-15L * (1 + 1e6L * f));
            CHECK(fabsl(b->variance[c * D + f] - (square / weight + epsilon)) <=
                  1e-12L * square / weight);
        }
    bayes_free(b);
    num_source_of_arrays_free(&s);
}

/* All numbers of a model, to compare bytes. */
static void models_equal(const struct bayes *a, const struct bayes *b)
{
    size_t cells_n = a->n_classes * a->n_features;
    CHECK(memcmp(a->counts, b->counts, a->n_classes * sizeof *a->counts) == 0);
    CHECK(memcmp(a->prior, b->prior, a->n_classes * sizeof *a->prior) == 0);
    CHECK(memcmp(a->mean, b->mean, cells_n * sizeof *a->mean) == 0);
    CHECK(memcmp(a->variance, b->variance, cells_n * sizeof *a->variance) == 0);
    CHECK(memcmp(a->constant, b->constant, (a->n_classes + 2 * cells_n) * sizeof(double)) == 0);
}

static const enum simd_level levels[] = {SIMD_LEVEL_512, SIMD_LEVEL_256, SIMD_LEVEL_ANY};

static void threads_and_instructions_do_not_show(void **state)
{
    static double joint[2][C * BLOCK_ROWS];
    static uint32_t predicted[2][N];
    struct num_source s = made(made_columns, weights);
    struct bayes *first = NULL;
    struct num_block block;
    (void)state;
    for (unsigned l = 0; l < 3; l++)
        for (unsigned threads = 1; threads <= 7; threads++) {
            struct bayes *b = NULL;
            simd_level_limit(levels[l]);
            CHECK_OK(bayes_fit(&s, &(struct bayes_options){C, D}, threads, &b, NULL));
            memset(joint[1], 0, sizeof joint[1]);
            CHECK_OK(bayes_predict(b, &s, threads, predicted[1]));
            s.block(s.context, 0, 0, &block);
            bayes_predict_block(b, &block, predicted[1], joint[1]);
            if (!first) {
                first = b;
                memcpy(joint[0], joint[1], sizeof joint[0]);
                memcpy(predicted[0], predicted[1], sizeof predicted[0]);
                continue;
            }
            models_equal(first, b);
            CHECK(memcmp(joint[0], joint[1], sizeof joint[0]) == 0);
            CHECK(memcmp(predicted[0], predicted[1], sizeof predicted[0]) == 0);
            bayes_free(b);
        }
    simd_level_limit(SIMD_LEVEL_512);
    bayes_free(first);
    num_source_of_arrays_free(&s);
}

static void joint_likelihoods_are_the_formula_and_probabilities_sum_to_one(void **state)
{
    static double joint[C * BLOCK_ROWS];
    static uint32_t predicted[BLOCK_ROWS];
    struct num_source s = made(made_columns, NULL);
    struct num_block block;
    struct bayes *b = NULL;
    (void)state;
    CHECK_OK(bayes_fit(&s, &(struct bayes_options){C, D}, 1, &b, NULL));
    s.block(s.context, 1, 0, &block);
    bayes_predict_block(b, &block, predicted, joint);
    for (size_t i = 0; i < block.n; i += 13) {
        size_t best = 0;
        for (size_t c = 0; c < C; c++) {
            long double want = logl(b->prior[c]);
            for (size_t f = 0; f < D; f++) {
                long double v = b->variance[c * D + f],
                            x = block.column[f][i] - b->mean[c * D + f];
                want -= 0.5L * (logl(2 * 3.14159265358979323846264L * v) + x * x / v);
            }
            CHECK(fabsl(want - joint[c * BLOCK_ROWS + i]) < 1e-8L * fabsl(want));
            if (joint[c * BLOCK_ROWS + i] > joint[best * BLOCK_ROWS + i]) best = c;
        }
        CHECK(predicted[i] == best);
    }
    joint[0] = joint[BLOCK_ROWS] = joint[2 * BLOCK_ROWS] = joint[3 * BLOCK_ROWS] =
        joint[4 * BLOCK_ROWS] = joint[5 * BLOCK_ROWS] = joint[6 * BLOCK_ROWS] = -INFINITY;
    double ratio = exp(joint[1] - joint[BLOCK_ROWS + 1]);
    bayes_probabilities(C, block.n, joint);
    CHECK(fabs(joint[1] / joint[BLOCK_ROWS + 1] - ratio) < 1e-12 * ratio);
    for (size_t i = 0; i < block.n; i++) {
        double sum = 0;
        for (size_t c = 0; c < C; c++) {
            CHECK(joint[c * BLOCK_ROWS + i] > 0);
            sum += joint[c * BLOCK_ROWS + i];
        }
        CHECK(fabs(sum - 1) < 1e-14);
    }
    bayes_free(b);
    num_source_of_arrays_free(&s);
}

static void integer_sums_are_those_of_plain_integers_however_cut(void **state)
{
    static uint8_t label8[N];
    static uint16_t label16[N];
    struct bayes_sums *whole = NULL, *parts = NULL, *part = NULL;
    (void)state;
    for (size_t i = 0; i < N; i++) {
        label8[i] = (uint8_t)labels_of[i];
        label16[i] = (uint16_t)labels_of[i];
    }
    const void *const labels[] = {label8, label16, labels_of};
    for (size_t d = 1; d <= 4; d++)
        for (unsigned l = 0; l < 3; l++) {
            simd_level_limit(levels[l]);
            struct bayes_chunk all = {
                N, {steps[0], steps[1], steps[2], steps[3]}, labels_of, 4, used};
            /* C - 1 classes: those of the last are of no class */
            CHECK_OK(bayes_sums_new(C - 1, d, &whole));
            CHECK_OK(bayes_sums_new(C - 1, d, &parts));
            CHECK_OK(bayes_plain_add(whole, &all));
            for (size_t at = 0, w = 0; at < N; w++) {
                size_t n = at + 1 + 37 * w * w < N ? 1 + 37 * w * w : N - at;
                unsigned bytes = 1u << w % 3;
                struct bayes_chunk c = {
                    n,
                    {steps[0] + at, steps[1] + at, steps[2] + at, steps[3] + at},
                    (const uint8_t *)labels[w % 3] + bytes * at,
                    bytes,
                    used + at};
                CHECK_OK(bayes_sums_new(C - 1, d, &part));
                CHECK_OK(bayes_chunk_add(part, &c, 1 + (unsigned)w % 7));
                CHECK_OK(bayes_sums_merge(parts, part));
                bayes_sums_free(part);
                at += n;
            }
            CHECK(whole->unseen > 0 && whole->unseen == parts->unseen);
            CHECK(memcmp(whole->rows, parts->rows, (C - 1) * sizeof *whole->rows) == 0);
            CHECK(memcmp(whole->sum, parts->sum, (C - 1) * d * sizeof *whole->sum) == 0);
            CHECK(memcmp(whole->square, parts->square, (C - 1) * d * sizeof *whole->sum) == 0);
            bayes_sums_free(whole);
            bayes_sums_free(parts);
        }
    simd_level_limit(SIMD_LEVEL_512);
}

/* More rows than a piece, all at one end of int32: every field of every word at its greatest.
 */
static void the_greatest_sums_do_not_run_over(void **state)
{
    enum { MANY = 200000 };
    int32_t *x = malloc(MANY * sizeof *x);
    uint8_t *label = calloc(MANY, 1);
    struct bayes_sums *s = NULL;
    (void)state;
    for (size_t i = 0; i < MANY; i++)
        x[i] = INT32_MIN;
    for (unsigned l = 0; l < 3; l++) {
        struct bayes_chunk c = {MANY, {x, x}, label, 1, NULL};
        simd_level_limit(levels[l]);
        CHECK_OK(bayes_sums_new(2, 2, &s));
        CHECK_OK(bayes_chunk_add(s, &c, 3));
        for (size_t f = 0; f < 2; f++) {
            CHECK(s->rows[0] == MANY && s->rows[1] == 0 && s->unseen == 0);
            CHECK(s->sum[f] == (__int128)INT32_MIN * MANY && s->sum[2 + f] == 0);
            CHECK(s->square[f] == ((unsigned __int128)MANY << 62) && s->square[2 + f] == 0);
        }
        bayes_sums_free(s);
    }
    simd_level_limit(SIMD_LEVEL_512);
    free(x);
    free(label);
}

static void integer_models_are_those_of_doubles(void **state)
{
    const size_t n = N;
    double *wide[3];
    struct bayes_sums *s = NULL;
    struct bayes *b = NULL, *d = NULL;
    (void)state;
    struct bayes_chunk c = {n, {steps[0], steps[1], steps[2]}, labels_of, 4, NULL};
    CHECK_OK(bayes_sums_new(C, 3, &s));
    CHECK_OK(bayes_chunk_add(s, &c, 1));
    CHECK_OK(bayes_sums_finish(s, &(struct bayes_options){C, 3}, &b, NULL));
    for (size_t f = 0; f < 3; f++) {
        wide[f] = malloc(n * sizeof **wide);
        for (size_t i = 0; i < n; i++)
            wide[f][i] = steps[f][i];
    }
    struct num_source rows;
    struct num_arrays a = {n, 3, (const double *const *)wide, NULL, NULL, labels_of};
    CHECK_OK(num_source_of_arrays(&a, &rows));
    CHECK_OK(bayes_fit(&rows, &(struct bayes_options){C, 3}, 1, &d, NULL));
    for (size_t i = 0; i < C * 3; i++) {
        CHECK(fabs(b->mean[i] - d->mean[i]) <= 1e-6);
        CHECK(fabs(b->variance[i] / d->variance[i] - 1) <= 1e-12);
    }
    for (unsigned bytes = 1; bytes <= 4; bytes *= 2)
        for (unsigned l = 0; l < 3; l++) {
            static uint32_t want[N], got[N];
            simd_level_limit(levels[l]);
            CHECK_OK(bayes_predict(d, &rows, 1, want));
            CHECK_OK(bayes_chunk_predict(b, &c, 1 + l, got, bytes));
            for (size_t i = 0; i < n; i++)
                CHECK((bytes == 1   ? ((uint8_t *)got)[i]
                       : bytes == 2 ? ((uint16_t *)got)[i]
                                    : got[i]) == want[i]);
        }
    simd_level_limit(SIMD_LEVEL_512);
    for (size_t f = 0; f < 3; f++)
        free(wide[f]);
    num_source_of_arrays_free(&rows);
    bayes_free(b);
    bayes_free(d);
    bayes_sums_free(s);
}

static void a_row_left_out_is_as_if_it_were_not_there(void **state)
{
    static double kept[D][N], ones[N];
    static uint32_t kept_label[N];
    const double *const columns[D] = {kept[0], kept[1], kept[2], kept[3], kept[4]};
    struct num_source s, t;
    struct bayes *a = NULL, *b = NULL;
    size_t n = 0;
    (void)state;
    for (size_t i = 0; i < N; i++) {
        ones[i] = used[i];
        if (!used[i]) continue;
        for (size_t f = 0; f < D; f++)
            kept[f][n] = cells[f][i];
        kept_label[n++] = labels_of[i];
    }
    s = made(made_columns, ones);
    struct num_arrays few = {n, D, columns, NULL, NULL, kept_label};
    CHECK_OK(num_source_of_arrays(&few, &t));
    CHECK_OK(bayes_fit(&s, &(struct bayes_options){C, D}, 2, &a, NULL));
    CHECK_OK(bayes_fit(&t, &(struct bayes_options){C, D}, 2, &b, NULL));
    for (size_t i = 0; i < C * D; i++) {
        CHECK(fabs(a->mean[i] - b->mean[i]) <= 1e-15 * (1 + fabs(b->mean[i])));
        CHECK(fabs(a->variance[i] / b->variance[i] - 1) <= 1e-13);
    }
    for (size_t c = 0; c < C; c++)
        CHECK(a->counts[c] == b->counts[c]);
    bayes_free(a);
    bayes_free(b);
    num_source_of_arrays_free(&s);
    num_source_of_arrays_free(&t);
}

/* One class, a class with one row, a constant feature: no division by zero, no not-a-number. */
static void awkward_rows_end_well(void **state)
{
    static const double x[] = {1, 2, 3, 100}, same[] = {7, 7, 7, 7},
                        huge[] = {-1.7e308, 1.7e308, 1e308, -1e308};
    static const double *const two[] = {x, same}, *const constant[] = {same},
                               *const far[] = {x, huge};
    static const uint32_t pair[] = {0, 0, 0, 1}, one[] = {0, 0, 0, 0}, last[] = {1, 1, 1, 1},
                          beyond[] = {0, 0, 1, 2};
    static const double none[] = {0, 0, 0, 0}, left_out[] = {1, 1, 1, 0}, prior[] = {0.5, 0};
    static const struct {
        size_t n, d;
        const double *const *columns;
        const uint32_t *labels;
        const double *weights;
        struct bayes_options options;
        apex_status status;
        struct num_place place;
    } cases[] = {
        {4, 2, two, pair, NULL, {2, 2}, APEX_OK, {NUM_FINE, 0}},
        {4, 1, constant, pair, NULL, {2, 1}, APEX_OK, {NUM_FINE, 0}},
        {4, 2, two, pair, NULL, {2, 2, 0, NULL, 2}, APEX_E_DATA, {NUM_EMPTY_CLASS, 1}},
        {4, 2, two, one, NULL, {2, 2}, APEX_E_DATA, {NUM_EMPTY_CLASS, 1}},
        {4, 2, two, last, NULL, {2, 2}, APEX_E_DATA, {NUM_EMPTY_CLASS, 0}},
        {4, 2, two, pair, left_out, {2, 2}, APEX_E_DATA, {NUM_EMPTY_CLASS, 1}},
        {4, 2, two, beyond, NULL, {2, 2}, APEX_E_DATA, {NUM_EMPTY_CLASS, 2}},
        {4, 2, two, pair, none, {2, 2}, APEX_E_DATA, {NUM_NO_ROWS, 0}},
        {0, 2, two, pair, NULL, {2, 2}, APEX_E_DATA, {NUM_NO_ROWS, 0}},
        {4, 2, two, one, NULL, {1, 2}, APEX_E_DATA, {NUM_ONE_CLASS, 0}},
        {4, 2, far, pair, NULL, {2, 2}, APEX_E_DATA, {NUM_RANGE, 1}},
        {4, 2, two, pair, NULL, {2, 2, -1}, APEX_E_USAGE, {NUM_OPTION, 2}},
        {4, 2, two, pair, NULL, {2, 2, NAN}, APEX_E_USAGE, {NUM_OPTION, 2}},
        {4, 2, two, pair, NULL, {2, 2, 0, prior}, APEX_E_USAGE, {NUM_OPTION, 3}},
        {4, 2, two, pair, NULL, {2, 3}, APEX_E_USAGE, {NUM_OPTION, 1}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct num_source s = {0};
        struct num_place place = {NUM_FINE, 0};
        struct bayes *b = NULL;
        uint32_t labels[4];
        struct num_arrays a = {cases[i].n,       cases[i].d, cases[i].columns,
                               cases[i].weights, NULL,       cases[i].labels};
        CHECK_OK(num_source_of_arrays(&a, &s));
        CHECK_STATUS(bayes_fit(&s, &cases[i].options, 1, &b, &place), cases[i].status);
        assert_int_equal(place.fault, cases[i].place.fault);
        assert_int_equal(place.at, cases[i].place.at);
        if (cases[i].status == APEX_OK) {
            CHECK_OK(bayes_predict(b, &s, 1, labels));
            for (size_t j = 0; j < 2 * cases[i].d; j++)
                CHECK(isfinite(b->variance[j]) && b->variance[j] > 0);
            for (size_t r = 0; r < 4 && cases[i].d == 2; r++)
                CHECK(labels[r] == cases[i].labels[r]);
        }
        bayes_free(b);
        num_source_of_arrays_free(&s);
    }
}

static void wrong_calls_are_refused(void **state)
{
    struct bayes_sums *s = NULL, *t = NULL;
    struct bayes *b = NULL;
    int32_t x[4] = {1, 2, 3, 4};
    uint8_t label[4] = {0, 1, 0, 1}, out[4];
    struct num_place place;
    struct bayes_chunk c = {4, {x}, label, 3, NULL};
    (void)state;
    CHECK_STATUS(bayes_new(0, 1, &b), APEX_E_USAGE);
    CHECK_STATUS(bayes_new(1, 0, &b), APEX_E_USAGE);
    CHECK_STATUS(bayes_new(SIZE_MAX / 4, 9, &b), APEX_E_LIMIT);
    CHECK_STATUS(bayes_sums_new(0, 1, &s), APEX_E_USAGE);
    CHECK_STATUS(bayes_sums_new(2, BAYES_DIMS_MAX + 1, &s), APEX_E_USAGE);
    CHECK_OK(bayes_sums_new(2, 1, &s));
    CHECK_OK(bayes_sums_new(3, 1, &t));
    CHECK_STATUS(bayes_sums_merge(s, t), APEX_E_USAGE);
    CHECK_STATUS(bayes_chunk_add(s, &c, 1), APEX_E_USAGE);
    c.label_bytes = 1;
    CHECK_OK(bayes_chunk_add(s, &c, 1));
    CHECK_STATUS(bayes_sums_finish(s, &(struct bayes_options){3, 1}, &b, &place), APEX_E_USAGE);
    CHECK_STATUS(bayes_sums_finish(t, &(struct bayes_options){3, 1}, &b, &place), APEX_E_DATA);
    CHECK(place.fault == NUM_NO_ROWS);
    CHECK_OK(bayes_sums_finish(s, &(struct bayes_options){2, 1}, &b, &place));
    CHECK_STATUS(bayes_chunk_predict(b, &c, 1, out, 3), APEX_E_USAGE);
    CHECK_OK(bayes_chunk_predict(b, &c, 1, out, 1));
    bayes_free(b);
    /* A stored model is as good as what was stored. */
    CHECK_OK(bayes_new(2, 1, &b));
    b->prior[0] = b->prior[1] = 0.5;
    b->mean[1] = 10;
    b->variance[0] = b->variance[1] = 1;
    CHECK_OK(bayes_ready(b, &place));
    CHECK_OK(bayes_chunk_predict(b, &c, 1, out, 1));
    CHECK(out[0] == 0 && out[3] == 0);
    b->variance[1] = 0;
    CHECK_STATUS(bayes_ready(b, &place), APEX_E_DATA);
    CHECK(place.fault == NUM_RANGE && place.at == 0);
    bayes_free(b);
    bayes_sums_free(s);
    bayes_sums_free(t);
}

static void priors_that_are_given_count(void **state)
{
    static const double skewed[C] = {1e300, 1, 1, 1, 1, 1, 1};
    struct num_source s = made(made_columns, NULL);
    struct bayes *b = NULL;
    uint32_t *predicted = malloc(N * sizeof *predicted);
    (void)state;
    CHECK_OK(bayes_fit(&s, &(struct bayes_options){C, D, 0, skewed}, 1, &b, NULL));
    CHECK_OK(bayes_predict(b, &s, 1, predicted));
    uint64_t counts[C] = {0};
    bayes_count(predicted, used, N, C, counts);
    size_t near = 0, kept = 0;
    for (size_t i = 0; i < N; i++) {
        near += used[i] && predicted[i] == 0;
        kept += used[i];
    }
    CHECK(counts[0] == near && near > kept * 9 / 10);
    bayes_free(b);
    free(predicted);
    num_source_of_arrays_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reference_model_is_reached),
        cmocka_unit_test(integer_columns_reach_the_reference_too),
        cmocka_unit_test(moments_are_those_of_long_double_and_weights_count),
        cmocka_unit_test(threads_and_instructions_do_not_show),
        cmocka_unit_test(joint_likelihoods_are_the_formula_and_probabilities_sum_to_one),
        cmocka_unit_test(integer_sums_are_those_of_plain_integers_however_cut),
        cmocka_unit_test(the_greatest_sums_do_not_run_over),
        cmocka_unit_test(integer_models_are_those_of_doubles),
        cmocka_unit_test(a_row_left_out_is_as_if_it_were_not_there),
        cmocka_unit_test(awkward_rows_end_well),
        cmocka_unit_test(wrong_calls_are_refused),
        cmocka_unit_test(priors_that_are_given_count)};
    rows_make();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
