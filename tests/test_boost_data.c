/* Boosted trees on real rows: not below what scikit-learn's reach by more than BELOW. */
#include "common/num/boost.h"
#include "tests/check.h"
#include "tests/real_data.h"
#include "tests/real_owner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define BELOW 0.02 /* the bar of ../shared/data/README.md: accuracy or R2 */

/* The rows of a set as a kernel sees them: test rows have weight 0. */
struct set {
    struct real_data *data;
    struct real_owner owner;
    double *train;
    struct num_source source;
};

static bool set_open(const char *name, struct set *s)
{
    s->data = real_data_open(name);
    if (!s->data) return false;
    s->owner = real_owner_open(s->data);
    s->train = calloc(s->data->n, sizeof *s->train);
    for (size_t i = 0; i < s->data->n; i++)
        s->train[i] = !s->data->is_test[i];
    const struct num_arrays a = {.n_rows = s->data->n,
                                 .n_columns = s->data->d,
                                 .column = (const double *const *)s->data->column,
                                 .weight = s->train,
                                 .target = s->owner.target,
                                 .label = s->data->label};
    CHECK_OK(num_source_of_arrays(&a, &s->source));
    return true;
}

static void set_close(struct set *s)
{
    num_source_of_arrays_free(&s->source);
    free(s->train);
    real_owner_close(&s->owner);
    real_data_close(s->data);
}

/* What a product would run without being asked. */
static struct boost_options options_of(const struct set *s)
{
    static const uint8_t seed[32] = {1};
    size_t k = s->data->n_classes;
    return (struct boost_options){
        .loss = k == 0   ? BOOST_SQUARED
                : k == 2 ? BOOST_LOGISTIC
                         : BOOST_SOFTMAX,
        .n_classes = k,
        .rounds = 100,
        .depth = 3,
        .rate = 0.1,
        .lambda = 1,
        .min_rows = 5,
        .seed = seed,
        .threads = 1,
    };
}

struct tally {
    double rows, right, sum, square, residual;
};

static void row_judge(const struct set *s, const struct boost_model *m, const double *score,
                      size_t row, struct tally *t)
{
    size_t at = row % BLOCK_ROWS, best = 0;
    if (!s->data->is_test[row]) return;
    t->rows++;
    if (m->loss == BOOST_SQUARED) {
        double y = s->owner.target[row];
        t->sum += y;
        t->square += y * y;
        t->residual += (y - score[at]) * (y - score[at]);
        return;
    }
    for (size_t c = 1; c < m->n_scores; c++)
        if (score[c * BLOCK_ROWS + at] > score[best * BLOCK_ROWS + at]) best = c;
    if (m->loss == BOOST_LOGISTIC) best = score[at] > 0;
    t->right += best == s->data->label[row];
}

/* Accuracy or R2 on the test rows. */
static double judged(const struct set *s, const struct boost_model *m)
{
    struct tally t = {0};
    double *score = aligned_alloc(64, m->n_scores * BLOCK_ROWS * sizeof *score);
    void *scratch = aligned_alloc(64, boost_scratch_len(m));
    for (size_t b = 0; b < s->source.n_blocks; b++) {
        struct num_block rows;
        s->source.block(s->source.context, b, 0, &rows);
        boost_predict(m, &rows, scratch, score);
        for (size_t i = 0; i < rows.n; i++)
            row_judge(s, m, score, b * BLOCK_ROWS + i, &t);
    }
    free(score);
    free(scratch);
    if (m->loss != BOOST_SQUARED) return t.right / t.rows;
    return 1 - t.residual / (t.square - t.sum * t.sum / t.rows);
}

static double bar_of(const struct set *s)
{
    bool regression = s->data->n_classes == 0;
    const json_t *bar = real_data_at(s->data, regression ? "regression" : "classification",
                                     "gradient_boosting", regression ? "r2" : "accuracy", NULL);
    CHECK(json_is_number(bar));
    return json_number_value(bar);
}

static void both_forms_reach_the_reference_on_every_set(void **state)
{
    static const char *const names[] = {"breast_cancer",    "iris",           "wine",
                                        "digits",           "olive",          "credit_risk",
                                        "telco_churn",      "vehicle_claims", "corn_yield",
                                        "us_corn_by_state", "diabetes"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct set s;
        struct boost_model plain, oblivious;
        if (!set_open(names[i], &s)) skip();
        struct boost_options o = options_of(&s);
        CHECK_OK(boost_plain_fit(&s.source, &o, &plain, NULL));
        CHECK_OK(boost_fit(&s.source, &o, &oblivious, NULL));
        double bar = bar_of(&s), a = judged(&s, &plain), b = judged(&s, &oblivious);
        printf("%-17s reference %.4f, %d bins %.4f, %d bins %.4f\n", names[i], bar,
               BOOST_BINS_PLAIN, a, BOOST_BINS_DEFAULT, b);
        CHECK(a > bar - BELOW && b > bar - BELOW);
        boost_clear(&plain);
        boost_clear(&oblivious);
        set_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_reach_the_reference_on_every_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
