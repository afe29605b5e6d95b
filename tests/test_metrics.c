#include "common/num/metrics.h"
#include "common/num/random.h"
#include "common/num/ranking.h"
#include "common/num/simd.h"
#include "tests/check.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { N = 1500, CLASSES = 5 };
static const uint8_t seed[32] = {3};
static const enum simd_level levels[] = {SIMD_LEVEL_ANY, SIMD_LEVEL_256, SIMD_LEVEL_512};

/* Rows, scores and predictions made up: with ties, rows of weight 0 and uneven weights. */
struct rows {
    double weight[N], target[N], score[N], guess[N], probability[CLASSES][N];
    uint32_t label[N], predicted[N];
};
static struct rows rows, other;

static void rows_make(struct rows *r, uint64_t stream, bool whole_weights)
{
    struct random_state random;
    random_seed(&random, seed, stream);
    for (size_t i = 0; i < N; i++) {
        double sum = 0;
        r->label[i] = (uint32_t)(random_next(&random) % CLASSES);
        r->predicted[i] =
            random_next(&random) % 3 ? r->label[i] : (uint32_t)(random_next(&random) % CLASSES);
        r->weight[i] = (double)(random_next(&random) % 4) * (whole_weights ? 1 : 0.37);
        r->target[i] = 1e6 + random_unit(&random);
        r->guess[i] = r->target[i] + random_unit(&random) - 0.5;
        r->score[i] = (double)(random_next(&random) % 60) / 8 + r->label[i];
        for (size_t k = 0; k < CLASSES; k++)
            sum += r->probability[k][i] = random_unit(&random);
        for (size_t k = 0; k < CLASSES; k++)
            r->probability[k][i] /= sum;
    }
}

static struct num_block block_of(const struct rows *r, size_t from, size_t n)
{
    return (struct num_block){.n = n,
                              .weight = r->weight + from,
                              .target = r->target + from,
                              .label = r->label + from};
}

static void near(double is, double want, double within)
{
    if (fabs(is - want) <= within * (1 + fabs(want))) return;
    print_message("%.15g is not %.15g\n", is, want);
    fail();
}

static void regression_figures_are_their_definitions(void **state)
{
    long double weight = 0, mean = 0, left = 0, all = 0, off = 0;
    (void)state;
    rows_make(&rows, 1, false);
    for (size_t i = 0; i < N; i++) {
        weight += rows.weight[i];
        mean += rows.weight[i] * (long double)rows.target[i];
    }
    mean /= weight;
    for (size_t i = 0; i < N; i++) {
        long double e = (long double)rows.target[i] - rows.guess[i], t = rows.target[i] - mean;
        left += rows.weight[i] * e * e;
        off += rows.weight[i] * fabsl(e);
        all += rows.weight[i] * t * t;
    }
    struct regression_sums sums = {0};
    struct regression_figures f;
    struct num_block block = block_of(&rows, 0, N);
    regression_partial(&block, rows.guess, &sums);
    regression_finish(&sums, &f);
    near(f.weight, (double)weight, 1e-12);
    near(f.rmse, (double)sqrtl(left / weight), 1e-12);
    near(f.mae, (double)(off / weight), 1e-12);
    near(f.r2, (double)(1 - left / all), 1e-9);
}

static void a_constant_target_and_no_rows_give_no_division_by_zero(void **state)
{
    static const double same[3] = {0.1, 0.1, 0.1}, weight[3] = {1, 2, 0},
                        guess[3] = {0, 0.1, NAN};
    const struct num_block block = {.n = 3, .weight = weight, .target = same};
    struct regression_sums sums = {0};
    struct regression_figures f;
    double none[2 + 4] = {0};
    struct class_figures c;
    (void)state;
    regression_finish(&sums, &f);
    CHECK(f.r2 == 0 && f.rmse == 0 && f.mae == 0 && f.weight == 0);
    regression_partial(&block, guess, &sums);
    regression_finish(&sums, &f);
    CHECK(f.r2 == 0 && f.weight == 3);
    near(f.rmse, 0.1 / sqrt(3), 1e-12);
    class_finish(2, none, &c);
    CHECK(c.accuracy == 0 && c.balanced_accuracy == 0 && c.log_loss == 0);
}

static void class_sums(const struct rows *r, size_t from, size_t n, double *sums)
{
    static _Alignas(64) double scratch[CLASS_ROOM];
    const double *probability[CLASSES];
    struct num_block block = block_of(r, from, n);
    for (size_t k = 0; k < CLASSES; k++)
        probability[k] = r->probability[k] + from;
    memset(sums, 0, class_len(CLASSES) * sizeof *sums);
    class_partial(&block, CLASSES, r->predicted + from, probability, scratch, sums);
}

static void class_figures_are_their_definitions(void **state)
{
    double want[CLASSES][CLASSES] = {{0}}, loss = 0, weight = 0, right = 0, recalls = 0;
    double sums[2 + CLASSES * CLASSES], recall, precision, row, column;
    struct class_figures f;
    (void)state;
    rows_make(&rows, 2, false);
    rows.probability[rows.label[7]][7] = 0; /* clipped */
    rows.weight[7] = 1;
    for (size_t i = 0; i < N; i++) {
        double p = rows.probability[rows.label[i]][i];
        want[rows.label[i]][rows.predicted[i]] += rows.weight[i];
        loss -= rows.weight[i] * log(p < DBL_EPSILON ? DBL_EPSILON : p);
        weight += rows.weight[i];
        right += rows.weight[i] * (rows.label[i] == rows.predicted[i]);
    }
    class_sums(&rows, 0, N, sums);
    class_finish(CLASSES, sums, &f);
    near(f.log_loss, loss / weight, 1e-12);
    near(f.accuracy, right / weight, 1e-12);
    for (size_t k = 0; k < CLASSES; k++) {
        row = column = 0;
        for (size_t l = 0; l < CLASSES; l++) {
            near(class_confusion(sums)[k * CLASSES + l], want[k][l], 1e-12);
            row += want[k][l];
            column += want[l][k];
        }
        class_rates(CLASSES, sums, k, &recall, &precision);
        near(recall, want[k][k] / row, 1e-12);
        near(precision, want[k][k] / column, 1e-12);
        recalls += want[k][k] / row / CLASSES;
    }
    near(f.balanced_accuracy, recalls, 1e-12);
}

/* A class without rows does not count among the recalls. */
static void balanced_accuracy_leaves_out_classes_without_rows(void **state)
{
    const double sums[2 + 9] = {10, 0, /* row = true class */ 4, 1, 0, 0, 0, 0, 0, 3, 2};
    struct class_figures f;
    (void)state;
    class_finish(3, sums, &f);
    near(f.balanced_accuracy, (0.8 + 0.4) / 2, 1e-15);
    near(f.accuracy, 0.6, 1e-15);
}

static void merged_parts_are_the_whole(void **state)
{
    static const size_t cuts[] = {0, 1, 700, 1024, N};
    double whole[2 + CLASSES * CLASSES], total[2 + CLASSES * CLASSES] = {0};
    double part[2 + CLASSES * CLASSES];
    struct regression_sums all = {0}, merged = {0};
    struct num_block block;
    (void)state;
    rows_make(&rows, 3, true);
    class_sums(&rows, 0, N, whole);
    block = block_of(&rows, 0, N);
    regression_partial(&block, rows.guess, &all);
    for (size_t c = 0; c + 1 < sizeof cuts / sizeof *cuts; c++) {
        struct regression_sums partial = {0};
        class_sums(&rows, cuts[c], cuts[c + 1] - cuts[c], part);
        class_merge(CLASSES, total, part);
        block = block_of(&rows, cuts[c], cuts[c + 1] - cuts[c]);
        regression_partial(&block, rows.guess + cuts[c], &partial);
        regression_merge(&merged, &partial);
    }
    for (size_t i = 0; i < class_len(CLASSES); i++)
        near(total[i], whole[i], 1e-13);
    near(merged.squares, all.squares, 1e-9);
    near(merged.errors_squared, all.errors_squared, 1e-13);
    near(merged.errors, all.errors, 1e-13);
    near(merged.mean, all.mean, 1e-15);
}

static struct ranking ranking_of(const struct rows *r, uint32_t positive, double top)
{
    static double keys[N];
    static uint64_t marks[N];
    struct ranking ranking = {0};
    for (size_t from = 0; from < N; from += 1000) {
        struct num_block block = block_of(r, from, N - from < 1000 ? N - from : 1000);
        ranking_fill(&block, r->score + from, positive, keys + from, marks + from);
    }
    CHECK_OK(ranking_finish(keys, marks, N, top, &ranking, NULL));
    return ranking;
}

/* Every pair of a positive and a negative row: won, lost or half. */
static double auc_of_pairs(const struct rows *r, uint32_t positive)
{
    double won = 0, pairs = 0;
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) {
            if (r->label[i] != positive || r->label[j] == positive) continue;
            double pair = r->weight[i] * r->weight[j];
            won += pair * (r->score[i] > r->score[j]    ? 1
                           : r->score[i] == r->score[j] ? 0.5
                                                        : 0);
            pairs += pair;
        }
    return won / pairs;
}

static void above(const struct rows *r, uint32_t positive, double t, double *hit,
                  double *missed)
{
    *hit = *missed = 0;
    for (size_t i = 0; i < N; i++)
        *(r->label[i] == positive ? hit : missed) += r->score[i] >= t ? r->weight[i] : 0;
}

/* Going down through the scores there are (eighths). */
static double precision_of_steps(const struct rows *r, uint32_t positive)
{
    double all, missed, sum = 0, before = 0, hit;
    above(r, positive, -1e9, &all, &missed);
    for (double t = 20; t >= -1; t -= 0.125) {
        above(r, positive, t, &hit, &missed);
        if (hit > before) sum += (hit - before) / all * hit / (hit + missed);
        before = hit;
    }
    return sum;
}

static void curves_are_what_counting_all_pairs_and_steps_gives(void **state)
{
    (void)state;
    for (unsigned whole = 0; whole < 2; whole++)
        for (uint32_t positive = 0; positive < CLASSES; positive += 2) {
            rows_make(&rows, 4 + whole, whole);
            struct ranking r = ranking_of(&rows, positive, 0);
            near(r.auc, auc_of_pairs(&rows, positive), 1e-12);
            near(r.average_precision, precision_of_steps(&rows, positive), 1e-12);
        }
}

static void the_best_share_cuts_a_step_in_proportion(void **state)
{
    static const double score[6] = {5, 4, 4, 4, 4, 1}, weight[6] = {1, 1, 1, 1, 1, 1};
    static const uint32_t label[6] = {1, 1, 0, 0, 0, 1};
    const struct num_block block = {.n = 6, .weight = weight, .label = label};
    static const struct {
        double top, want;
    } cases[] = {{0, 0},         {0.1, 0},       {0.2, 1}, {0.34, (1 + 0.25) / 2},
                 {0.5, 1.5 / 3}, {0.9, 2.0 / 5}, {1, 0.5}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double keys[6];
        uint64_t marks[6];
        struct ranking r;
        ranking_fill(&block, score, 1, keys, marks);
        CHECK_OK(ranking_finish(keys, marks, 6, cases[i].top, &r, NULL));
        near(r.top, cases[i].want, 1e-15);
    }
}

static void curves_do_not_show_the_order_of_rows_nor_rows_of_weight_0(void **state)
{
    (void)state;
    rows_make(&rows, 6, false);
    other = rows;
    for (size_t i = 0; i < N; i++) {
        size_t j = (i * 7 + 11) % N; /* 7 and N have no common divisor */
        other.score[j] = rows.score[i];
        other.weight[j] = rows.weight[i];
        other.label[j] = rows.label[i];
        if (rows.weight[i] > 0) continue;
        other.score[j] = i % 2 ? NAN : -INFINITY;
        other.label[j] = (uint32_t)i % CLASSES;
    }
    struct ranking a = ranking_of(&rows, 1, 0.1), b = ranking_of(&other, 1, 0.1);
    CHECK(memcmp(&a, &b, sizeof a) == 0);
}

static void one_kind_of_rows_or_none_has_no_curve(void **state)
{
    static const double score[3] = {1, 2, 3}, weight[3] = {1, 1, 0};
    static const uint32_t label[3] = {1, 1, 0};
    const struct num_block block = {.n = 3, .weight = weight, .label = label};
    double keys[3];
    uint64_t marks[3];
    struct ranking r;
    struct num_place place = {0};
    (void)state;
    ranking_fill(&block, score, 1, keys, marks);
    CHECK_STATUS(ranking_finish(keys, marks, 3, 0, &r, &place), APEX_E_DATA);
    CHECK(place.fault == NUM_NO_POSITIVE && place.at == 1);
    ranking_fill(&block, score, 0, keys, marks);
    CHECK_STATUS(ranking_finish(keys, marks, 3, 0, &r, &place), APEX_E_DATA);
    CHECK(place.fault == NUM_NO_POSITIVE && place.at == 0);
    CHECK_STATUS(ranking_finish(keys, marks, 0, 0, &r, NULL), APEX_E_DATA);
    CHECK_STATUS(ranking_finish(keys, marks, 3, 1.1, &r, NULL), APEX_E_USAGE);
    CHECK_STATUS(ranking_finish(keys, marks, 3, NAN, &r, NULL), APEX_E_USAGE);
}

static void rates_at_thresholds_are_counts(void **state)
{
    static _Alignas(64) double scratch[CLASS_ROOM];
    static const double thresholds[] = {-1, 2, 3.125, 7.5, 100};
    enum { T = sizeof thresholds / sizeof *thresholds };
    struct threshold_sums total[T] = {{0}};
    double hit, missed, all, rest, recall, precision;
    (void)state;
    rows_make(&rows, 7, true);
    for (size_t from = 0; from < N; from += 600) {
        struct num_block block = block_of(&rows, from, N - from < 600 ? N - from : 600);
        struct threshold_sums part[T] = {{0}};
        threshold_partial(&block, rows.score + from, 2, thresholds, T, scratch, part);
        for (size_t t = 0; t < T; t++)
            threshold_merge(&total[t], &part[t]);
    }
    above(&rows, 2, -1e9, &all, &rest);
    for (size_t t = 0; t < T; t++) {
        above(&rows, 2, thresholds[t], &hit, &missed);
        CHECK(total[t].true_positive == hit && total[t].false_positive == missed);
        CHECK(total[t].positive == all && total[t].negative == rest);
        threshold_rates(&total[t], &recall, &precision);
        near(recall, hit / all, 1e-15);
        near(precision, hit > 0 ? hit / (hit + missed) : 0, 1e-15);
    }
}

static void every_level_gives_the_same_bytes(void **state)
{
    double sums[3][2 + CLASSES * CLASSES];
    struct regression_sums regression[3] = {{0}};
    struct ranking ranking[3];
    (void)state;
    rows_make(&rows, 8, false);
    for (size_t l = 0; l < 3; l++) {
        struct num_block block = block_of(&rows, 0, N);
        simd_level_limit(levels[l]);
        class_sums(&rows, 0, N, sums[l]);
        regression_partial(&block, rows.guess, &regression[l]);
        ranking[l] = ranking_of(&rows, 3, 0.2);
        CHECK(memcmp(sums[l], sums[0], sizeof sums[0]) == 0);
        CHECK(memcmp(&regression[l], &regression[0], sizeof regression[0]) == 0);
        CHECK(memcmp(&ranking[l], &ranking[0], sizeof ranking[0]) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regression_figures_are_their_definitions),
        cmocka_unit_test(a_constant_target_and_no_rows_give_no_division_by_zero),
        cmocka_unit_test(class_figures_are_their_definitions),
        cmocka_unit_test(balanced_accuracy_leaves_out_classes_without_rows),
        cmocka_unit_test(merged_parts_are_the_whole),
        cmocka_unit_test(curves_are_what_counting_all_pairs_and_steps_gives),
        cmocka_unit_test(the_best_share_cuts_a_step_in_proportion),
        cmocka_unit_test(curves_do_not_show_the_order_of_rows_nor_rows_of_weight_0),
        cmocka_unit_test(one_kind_of_rows_or_none_has_no_curve),
        cmocka_unit_test(rates_at_thresholds_are_counts),
        cmocka_unit_test(every_level_gives_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
