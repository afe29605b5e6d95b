/* Sorting networks, figures of predictions, and curves. */
#include "tests/oblivious/secret.h"

#include "common/num/metrics.h"
#include "common/num/ranking.h"
#include "common/num/sort.h"

#include <string.h>

enum { ROWS = 1300, CLASSES = 4, THRESHOLDS = 3 };
static double weight[ROWS], target[ROWS], guess[ROWS], score[ROWS];
static double probability[CLASSES][ROWS], keys[ROWS];
static uint32_t label[ROWS], predicted[ROWS], narrow[ROWS];
static uint64_t marks[ROWS];
static _Alignas(64) double scratch[CLASS_ROOM];
static size_t n;

static void fill(uint64_t seed)
{
    n = rows_watched(ROWS, 70);
    for (size_t i = 0; i < n; i++) {
        weight[i] = (double)(oblivious_number(seed, i) % 3);
        target[i] = oblivious_unit(seed, 10000 + i);
        guess[i] = oblivious_unit(seed, 20000 + i);
        score[i] = (double)(oblivious_number(seed, 30000 + i) % 20) - 10;
        for (size_t k = 0; k < CLASSES; k++)
            probability[k][i] = oblivious_unit(seed, 40000 + CLASSES * i + k);
        label[i] = (uint32_t)(oblivious_number(seed, 50000 + i) % CLASSES);
        predicted[i] = (uint32_t)(oblivious_number(seed, 60000 + i) % CLASSES);
        keys[i] = score[i];
        narrow[i] = (uint32_t)oblivious_number(seed, 70000 + i);
        marks[i] = oblivious_number(seed, 80000 + i);
    }
    weight[0] = weight[1] = 1; /* both kinds of rows, whatever the seed: it is a leak */
    label[0] = 1;
    label[1] = 2;
}

static struct num_block hidden(void)
{
    secret(weight, sizeof weight);
    secret(target, sizeof target);
    secret(guess, sizeof guess);
    secret(score, sizeof score);
    secret(probability, sizeof probability);
    secret(label, sizeof label);
    secret(predicted, sizeof predicted);
    secret(keys, sizeof keys);
    secret(narrow, sizeof narrow);
    secret(marks, sizeof marks);
    return (struct num_block){.n = n, .weight = weight, .target = target, .label = label};
}

static void sorts_numbers(void)
{
    hidden();
    sort_doubles(keys, n);
}
static void sorts_pairs(void)
{
    hidden();
    sort_doubles_u32(keys, narrow, n);
}
static void sorts_broad_pairs(void)
{
    hidden();
    sort_doubles_u64(keys, marks, n);
}

static void measures_regression(void)
{
    struct num_block block = hidden();
    struct regression_sums sums = {0}, total = {0};
    struct regression_figures figures;
    regression_partial(&block, guess, &sums);
    regression_merge(&total, &sums);
    regression_finish(&total, &figures);
}

static void measures_classes(void)
{
    const double *column[CLASSES];
    double sums[2 + CLASSES * CLASSES] = {0}, total[2 + CLASSES * CLASSES] = {0}, rate[2];
    struct class_figures figures;
    struct num_block block = hidden();
    for (size_t k = 0; k < CLASSES; k++)
        column[k] = probability[k];
    class_partial(&block, CLASSES, predicted, column, scratch, sums);
    class_merge(CLASSES, total, sums);
    class_finish(CLASSES, total, &figures);
    class_rates(CLASSES, total, 1, &rate[0], &rate[1]);
}

static void measures_thresholds(void)
{
    static const double threshold[THRESHOLDS] = {-3, 0, 3};
    struct threshold_sums sums[THRESHOLDS] = {{0}}, total = {0};
    struct num_block block = hidden();
    double rate[2];
    threshold_partial(&block, score, 2, threshold, THRESHOLDS, scratch, sums);
    threshold_merge(&total, &sums[0]);
    threshold_rates(&total, &rate[0], &rate[1]);
}

static void measures_curves(void)
{
    struct ranking ranking;
    struct num_block block = hidden();
    ranking_fill(&block, score, 1, keys, marks);
    if (ranking_finish(keys, marks, n, 0.1, &ranking, NULL) != APEX_OK) __builtin_trap();
}

static const struct oblivious_case cases[] = {
    {"numbers are sorted", fill, sorts_numbers, 0, 0, 0},
    {"numbers are sorted with a payload of 32 bits", fill, sorts_pairs, 0, 0, 0},
    {"numbers are sorted with a payload of 64 bits", fill, sorts_broad_pairs, 0, 0, 0},
    {"figures of a regression", fill, measures_regression, 0, 0, 0},
    {"confusion, accuracy and log-loss", fill, measures_classes, 0, 0, 0},
    {"recall and precision at thresholds", fill, measures_thresholds, 0, 0, 0},
    {"areas under curves, and hits among the best", fill, measures_curves, 0, 0, 0},
};
OBLIVIOUS(cases)
