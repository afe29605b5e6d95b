/* What both kinds of linear models keep: bytes, invariances, and answers to bad input. */
#include "common/num/logistic.h"
#include "common/num/ridge.h"
#include "common/num/simd.h"
#include "tests/check.h"
#include "tests/made_rows.h"

#include <math.h>
#include <stdlib.h>

static const enum simd_level levels[] = {SIMD_LEVEL_ANY, SIMD_LEVEL_256, SIMD_LEVEL_512};

/* All that a fit gives, as bytes. */
struct bytes {
    size_t len;
    double number[4096];
};

static void bytes_add(struct bytes *b, const double *numbers, size_t n)
{
    CHECK(b->len + n <= 4096);
    memcpy(b->number + b->len, numbers, n * sizeof *numbers);
    b->len += n;
}

static void fits_all(const struct made *m, unsigned threads, struct bytes *bytes)
{
    struct ridge *ridge;
    struct num_source source = made_source(m, m->label);
    const struct ridge_options options = {.alpha = 1, .standardise = true, .threads = threads};
    bytes->len = 0;
    CHECK_OK(ridge_new(m->d, &ridge));
    CHECK_OK(ridge_fit(&source, &options, ridge, NULL));
    bytes_add(bytes, ridge->raw, m->d);
    bytes_add(bytes, &ridge->raw_intercept, 1);
    bytes_add(bytes, &ridge->r2, 1);
    ridge_free(ridge);
    for (size_t k = 2; k <= MADE_CLASSES; k += 2) {
        struct num_source labelled = made_source(m, k == 2 ? m->two : m->label);
        struct logistic *model;
        const struct logistic_options o = {.n_classes = k, .c = 1, .threads = threads};
        CHECK_OK(logistic_new(k, m->d, &model));
        CHECK_OK(logistic_fit(&labelled, &o, model, NULL));
        bytes_add(bytes, model->raw, model->n_outputs * m->d);
        bytes_add(bytes, model->raw_intercept, model->n_outputs);
        bytes_add(bytes, &model->loss, 1);
        logistic_free(model);
        num_source_of_arrays_free(&labelled);
    }
    num_source_of_arrays_free(&source);
}

static void every_level_and_number_of_threads_gives_the_same_bytes(void **state)
{
    static struct bytes first, again;
    static const size_t rows[] = {37, MADE_ROWS};
    (void)state;
    for (size_t s = 0; s < 2; s++) {
        struct made m = made_open(rows[s], MADE_COLUMNS, 10);
        simd_level_limit(SIMD_LEVEL_512);
        fits_all(&m, 1, &first);
        for (size_t l = 0; l < 3; l++)
            for (unsigned threads = 1; threads <= 7; threads += l == 2 ? 1 : 3) {
                simd_level_limit(levels[l]);
                fits_all(&m, threads, &again);
                CHECK(again.len == first.len);
                CHECK(memcmp(again.number, first.number, first.len * sizeof(double)) == 0);
            }
        made_close(&m);
    }
    simd_level_limit(SIMD_LEVEL_512);
}

static void what_a_row_of_weight_0_holds_shows_nowhere(void **state)
{
    static const double rubbish[] = {0, -1e300, 1.7e308, -1.7e308, 5e-324};
    static struct bytes first, again;
    struct made m = made_open(2 * BLOCK_ROWS + 50, MADE_COLUMNS, 11);
    (void)state;
    fits_all(&m, 2, &first);
    for (size_t r = 0; r < sizeof rubbish / sizeof *rubbish; r++) {
        for (size_t i = 0; i < m.n; i++) {
            if (m.weight[i] > 0) continue;
            for (size_t j = 0; j < m.d; j++)
                m.column[j][i] = (i + j) % 3 ? rubbish[r] : -rubbish[r];
            m.target[i] = rubbish[r];
            m.label[i] = (uint32_t)(r % MADE_CLASSES);
            m.two[i] = r % 2;
        }
        fits_all(&m, 2, &again);
        CHECK(memcmp(&first, &again, sizeof first) == 0);
    }
    made_close(&m);
}

static struct logistic *softmax_of(const struct made *m)
{
    struct logistic *model;
    struct num_source source = made_source(m, m->label);
    const struct logistic_options options = {
        .n_classes = MADE_CLASSES, .c = 1, .standardise = true};
    CHECK_OK(logistic_new(MADE_CLASSES, m->d, &model));
    CHECK_OK(logistic_fit(&source, &options, model, NULL));
    num_source_of_arrays_free(&source);
    return model;
}

static void another_order_unit_or_origin_gives_the_same_model(void **state)
{
    static struct bytes first, again;
    struct made m = made_open(MADE_ROWS, MADE_COLUMNS, 12), other = made_open(MADE_ROWS, 9, 12);
    (void)state;
    fits_all(&m, 1, &first);
    for (size_t i = 0; i < m.n; i++) {
        size_t to = (i * 4099 + 17) % m.n; /* a prime that does not divide n */
        for (size_t j = 0; j < m.d; j++)
            other.column[j][to] = m.column[j][i];
        other.weight[to] = m.weight[i];
        other.target[to] = m.target[i];
        other.label[to] = m.label[i];
        other.two[to] = m.two[i];
    }
    fits_all(&other, 1, &again);
    for (size_t i = 0; i < first.len; i++)
        near(again.number[i], first.number[i], 1e-8);
    struct logistic *here = softmax_of(&m);
    for (size_t j = 0; j < m.d; j++)
        for (size_t i = 0; i < m.n; i++)
            other.column[j][i] = -3e4 * other.column[j][i] + 1e7;
    struct logistic *there = softmax_of(&other);
    for (size_t p = 0; p < here->n_outputs * m.d; p++)
        near(there->coefficient[p], -here->coefficient[p], 1e-7);
    logistic_free(here);
    logistic_free(there);
    made_close(&m);
    made_close(&other);
}

/* Weights are multiples of rows: a row of weight 3 is three rows. */
static void a_weight_counts_as_so_many_rows(void **state)
{
    struct made m = made_open(900, 4, 13), more = made_open(2700, 4, 13);
    size_t n = 0;
    (void)state;
    for (size_t i = 0; i < m.n; i++) {
        m.weight[i] = (double)(i % 4);
        for (size_t copy = 0; copy < i % 4; copy++, n++) {
            for (size_t j = 0; j < m.d; j++)
                more.column[j][n] = m.column[j][i];
            more.weight[n] = 1;
            more.target[n] = m.target[i];
            more.label[n] = m.label[i];
            more.two[n] = m.two[i];
        }
    }
    more.n = n;
    static struct bytes once, often;
    fits_all(&m, 1, &once);
    fits_all(&more, 1, &often);
    CHECK(once.len == often.len);
    for (size_t i = 0; i < once.len; i++)
        near(often.number[i], once.number[i], 1e-8);
    made_close(&m);
    made_close(&more);
}

/* ---- bad input ---- */

static struct made bad;

static void copy_column(void)
{
    for (size_t i = 0; i < bad.n; i++)
        bad.column[3][i] = 2 * bad.column[1][i] - 0.5 * bad.column[2][i] + 4;
}
static void fix_column(void)
{
    for (size_t i = 0; i < bad.n; i++)
        bad.column[2][i] = 0.1;
}
static void no_weights(void)
{
    memset(bad.weight, 0, bad.n * sizeof *bad.weight);
}
static void no_rows(void)
{
    bad.n = 0;
}
static void huge_column(void)
{
    bad.column[1][5] = 1e200;
    bad.weight[5] = 1;
}
static void one_class(void)
{
    for (size_t i = 0; i < bad.n; i++)
        bad.label[i] = bad.two[i] = 1;
}
static void a_class_without_weight(void)
{
    for (size_t i = 0; i < bad.n; i++)
        if (bad.label[i] == 2) bad.weight[i] = 0;
}
static void apart(void)
{
    for (size_t i = 0; i < bad.n; i++)
        bad.two[i] = bad.column[0][i] > 0.1;
}
/* Only the rows with a column above its mean are all of one class. */
static void partly_apart(void)
{
    for (size_t i = 0; i < bad.n; i++) {
        bad.column[1][i] = i % 3 == 0;
        if (i % 3 == 0) bad.two[i] = 1;
    }
}
static void nothing(void) {}

static const struct {
    void (*spoil)(void);
    struct ridge_options options;
    apex_status status;
    enum num_fault fault;
    size_t at;
} bad_regressions[] = {
    {nothing, {.alpha = 0}, APEX_OK, NUM_FINE, 0},
    {nothing, {.alpha = -1}, APEX_E_USAGE, NUM_FINE, 0},
    {nothing, {.alpha = NAN}, APEX_E_USAGE, NUM_FINE, 0},
    {nothing, {.alpha = INFINITY}, APEX_E_USAGE, NUM_FINE, 0},
    {no_rows, {.alpha = 1}, APEX_E_DATA, NUM_NO_ROWS, 0},
    {no_weights, {.alpha = 1}, APEX_E_DATA, NUM_NO_ROWS, 0},
    {huge_column, {.alpha = 1}, APEX_E_DATA, NUM_RANGE, 1},
    {fix_column, {.alpha = 0}, APEX_E_DATA, NUM_CONSTANT, 2},
    {copy_column, {.alpha = 0}, APEX_E_DATA, NUM_SINGULAR, 3},
    {fix_column, {.alpha = 0, .drop = true}, APEX_OK, NUM_FINE, 2},
    {copy_column, {.alpha = 0, .drop = true}, APEX_OK, NUM_FINE, 3},
    {fix_column, {.alpha = 1}, APEX_OK, NUM_FINE, 2},
    {copy_column, {.alpha = 1, .standardise = true}, APEX_OK, NUM_FINE, 0},
};

static void bad_regressions_get_a_status_with_a_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_regressions / sizeof *bad_regressions; i++) {
        struct num_place place = {NUM_FINE, 0};
        struct ridge *model;
        bad = made_open(500, 4, 14);
        bad_regressions[i].spoil();
        struct num_source source = made_source(&bad, NULL);
        CHECK_OK(ridge_new(4, &model));
        apex_status status = ridge_fit(&source, &bad_regressions[i].options, model, &place);
        CHECK_STATUS(status, bad_regressions[i].status);
        CHECK(place.fault == bad_regressions[i].fault);
        if (status != APEX_OK) CHECK(place.at == bad_regressions[i].at);
        for (size_t j = 0; j < 4; j++)
            CHECK(isfinite(model->raw[j]) && isfinite(model->coefficient[j]));
        if (status == APEX_OK && bad_regressions[i].at)
            CHECK(model->raw[bad_regressions[i].at] == 0);
        ridge_free(model);
        num_source_of_arrays_free(&source);
        made_close(&bad);
    }
}

static const struct {
    void (*spoil)(void);
    size_t classes;
    double c;
    bool skip_empty;
    unsigned max_rounds;
    apex_status status;
    enum num_fault fault;
    size_t at;
} bad_fits[] = {
    {nothing, 4, 1, false, 0, APEX_OK, NUM_FINE, 0},
    {nothing, 4, 0, false, 0, APEX_E_USAGE, NUM_FINE, 0},
    {nothing, 4, -1, false, 0, APEX_E_USAGE, NUM_FINE, 0},
    {nothing, 4, NAN, false, 0, APEX_E_USAGE, NUM_FINE, 0},
    {nothing, 4, 1, false, 1, APEX_E_DATA, NUM_NOT_CONVERGED, 1},
    {no_rows, 4, 1, false, 0, APEX_E_DATA, NUM_NO_ROWS, 0},
    {no_weights, 2, 1, true, 0, APEX_E_DATA, NUM_NO_ROWS, 0},
    {huge_column, 2, 1, false, 0, APEX_E_DATA, NUM_RANGE, 1},
    {one_class, 2, 1, true, 0, APEX_E_DATA, NUM_ONE_CLASS, 1},
    {one_class, 2, 1, false, 0, APEX_E_DATA, NUM_EMPTY_CLASS, 0},
    {a_class_without_weight, 4, 1, false, 0, APEX_E_DATA, NUM_EMPTY_CLASS, 2},
    {a_class_without_weight, 4, 1, true, 0, APEX_OK, NUM_FINE, 0},
    {fix_column, 2, 1, false, 0, APEX_OK, NUM_FINE, 0},
    {copy_column, 2, 1, false, 0, APEX_OK, NUM_FINE, 0},
    {copy_column, 2, INFINITY, false, 0, APEX_E_DATA, NUM_SINGULAR, 3},
    {copy_column, 4, INFINITY, false, 0, APEX_E_DATA, NUM_SINGULAR, 3},
    {fix_column, 2, INFINITY, false, 0, APEX_E_DATA, NUM_SINGULAR, 2},
    {apart, 2, 1, false, 0, APEX_OK, NUM_FINE, 0},
    {apart, 2, 1e9, false, 0, APEX_OK, NUM_FINE, 0},
    {apart, 2, INFINITY, false, 0, APEX_E_DATA, NUM_NOT_CONVERGED, SIZE_MAX},
    {partly_apart, 2, INFINITY, false, 0, APEX_E_DATA, NUM_NOT_CONVERGED, SIZE_MAX},
};

static void bad_classifications_get_a_status_with_a_place_and_stay_finite(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_fits / sizeof *bad_fits; i++) {
        struct num_place place = {NUM_FINE, 0};
        struct logistic *model;
        bad = made_open(500, 4, 15);
        bad_fits[i].spoil();
        struct num_source source =
            made_source(&bad, bad_fits[i].classes == 2 ? bad.two : bad.label);
        const struct logistic_options options = {.n_classes = bad_fits[i].classes,
                                                 .c = bad_fits[i].c,
                                                 .standardise = true,
                                                 .skip_empty = bad_fits[i].skip_empty,
                                                 .max_rounds = bad_fits[i].max_rounds};
        CHECK_OK(logistic_new(bad_fits[i].classes, 4, &model));
        apex_status status = logistic_fit(&source, &options, model, &place);
        if ((int)status != (int)bad_fits[i].status || place.fault != bad_fits[i].fault)
            print_message("case %zu: fault %d at %zu\n", i, (int)place.fault, place.at);
        CHECK_STATUS(status, bad_fits[i].status);
        CHECK(place.fault == bad_fits[i].fault);
        if (bad_fits[i].at != SIZE_MAX) CHECK(place.at == bad_fits[i].at);
        CHECK(model->rounds <= 100);
        for (size_t j = 0; j < 4 * model->n_outputs; j++)
            CHECK(isfinite(model->raw[j]));
        logistic_free(model);
        num_source_of_arrays_free(&source);
        made_close(&bad);
    }
}

static void shapes_and_missing_targets_or_labels_are_refused(void **state)
{
    struct made m = made_open(100, 4, 16);
    struct num_source source;
    const struct num_arrays bare = {m.n,      4,    (const double *const *)m.column,
                                    m.weight, NULL, NULL};
    struct ridge *ridge, *wide;
    struct logistic *logistic, *none;
    const struct ridge_options options = {.alpha = 1};
    const struct logistic_options two = {.n_classes = 2, .c = 1},
                                  three = {.n_classes = 3, .c = 1};
    (void)state;
    CHECK_OK(num_source_of_arrays(&bare, &source));
    CHECK_OK(ridge_new(4, &ridge));
    CHECK_OK(ridge_new(5, &wide));
    CHECK_OK(logistic_new(2, 4, &logistic));
    CHECK_STATUS(ridge_fit(&source, &options, ridge, NULL), APEX_E_USAGE);
    CHECK_STATUS(ridge_fit(&source, &options, wide, NULL), APEX_E_USAGE);
    CHECK_STATUS(logistic_fit(&source, &two, logistic, NULL), APEX_E_USAGE);
    CHECK_STATUS(logistic_fit(&source, &three, logistic, NULL), APEX_E_USAGE);
    CHECK_STATUS(ridge_new(0, &wide), APEX_E_USAGE);
    CHECK_STATUS(logistic_new(1, 4, &none), APEX_E_USAGE);
    CHECK_STATUS(logistic_new(2, 0, &none), APEX_E_USAGE);
    CHECK_STATUS(logistic_new(LOGISTIC_CLASSES_MAX + 1, 4, &none), APEX_E_USAGE);
    ridge_free(ridge);
    ridge_free(wide);
    logistic_free(logistic);
    num_source_of_arrays_free(&source);
    made_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_level_and_number_of_threads_gives_the_same_bytes),
        cmocka_unit_test(what_a_row_of_weight_0_holds_shows_nowhere),
        cmocka_unit_test(another_order_unit_or_origin_gives_the_same_model),
        cmocka_unit_test(a_weight_counts_as_so_many_rows),
        cmocka_unit_test(bad_regressions_get_a_status_with_a_place),
        cmocka_unit_test(bad_classifications_get_a_status_with_a_place_and_stay_finite),
        cmocka_unit_test(shapes_and_missing_targets_or_labels_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
