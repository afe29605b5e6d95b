/* Linear models: means and products, least squares, logistic and softmax regression by Newton's
 * and by quasi-Newton's steps, and what they foretell. A fit is stopped after a round, so that
 * rounds are the same for all rows; that they end it is a leak the header lists. */
#include "tests/oblivious/secret.h"

#include "common/num/logistic.h"
#include "common/num/ridge.h"
#include "common/num/standard.h"

#include <string.h>

enum { ROWS = BLOCK_ROWS, DIMS = 7, WIDE = 13, CLASSES = 3, MANY = 40 };
static _Alignas(64) double cell[WIDE][ROWS], weight[ROWS], target[ROWS];
static _Alignas(64) uint32_t two[ROWS], three[ROWS], many[ROWS];
static _Alignas(64) double foretold[MANY][ROWS];
static uint32_t chosen[ROWS];
static double mean[DIMS], sd[DIMS];
static size_t n, dims = DIMS, wide = WIDE;
static struct ridge *ridge;

static struct logistic *pair, *triple, *crowd;

static void models_make(void)
{
    if (ridge) return;
    if (ridge_new(dims, &ridge) != APEX_OK || logistic_new(2, dims, &pair) != APEX_OK ||
        logistic_new(CLASSES, dims, &triple) != APEX_OK ||
        logistic_new(MANY, WIDE, &crowd) != APEX_OK)
        __builtin_trap();
}

/* Every class has rows, whatever the seed: which ones do is a leak. */
static void fill(uint64_t seed)
{
    n = rows_watched(700, 44);
    dims = rows_watched(DIMS, 3);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < WIDE; j++)
            cell[j][i] = (double)(j + 1) * (oblivious_unit(seed, i * WIDE + j) + (double)j);
        weight[i] = (double)(i % 3 != 0) * (0.5 + oblivious_unit(seed, 1000000 + i));
        target[i] = cell[0][i] + oblivious_unit(seed, 2000000 + i);
        two[i] = (uint32_t)(i / 2 % 2) ^ (uint32_t)(seed & 1);
        three[i] = (uint32_t)((i / 2 + seed) % CLASSES);
        many[i] = (uint32_t)((i + seed) % MANY);
        if (i < MANY) weight[i] = 1;
    }
    models_make();
}

static void rows(void *context, size_t index, unsigned thread, struct num_block *out)
{
    static const double *column[WIDE];
    const size_t *columns = context;
    (void)thread;
    for (size_t j = 0; j < *columns; j++)
        column[j] = cell[j] + index * ROWS;
    *out = (struct num_block){
        .n = n, .n_columns = *columns, .column = column, .weight = weight, .target = target};
}
static void rows_two(void *context, size_t index, unsigned thread, struct num_block *out)
{
    rows(context, index, thread, out);
    out->label = two;
}
static void rows_three(void *context, size_t index, unsigned thread, struct num_block *out)
{
    rows(context, index, thread, out);
    out->label = three;
}
static void rows_many(void *context, size_t index, unsigned thread, struct num_block *out)
{
    rows(context, index, thread, out);
    out->label = many;
}

static void hide(void)
{
    secret(cell, sizeof cell);
    secret(weight, sizeof weight);
    secret(target, sizeof target);
    secret(two, sizeof two);
    secret(three, sizeof three);
    secret(many, sizeof many);
}

static void standardises(void)
{
    const struct num_source source = {n, dims, 1, rows, &dims};
    hide();
    if (standard_fit(1, &source, mean, sd, NULL) != APEX_OK) __builtin_trap();
}

static void regress(double alpha, bool standardise)
{
    const struct num_source source = {n, dims, 1, rows, &dims};
    const struct ridge_options options = {.alpha = alpha, .standardise = standardise};
    struct num_block block;
    hide();
    if (ridge_fit(&source, &options, ridge, NULL) != APEX_OK) __builtin_trap();
    rows(&dims, 0, 0, &block);
    ridge_predict(ridge, &block, foretold[0]);
}

static void regresses_least_squares(void)
{
    regress(0, false);
}
static void regresses_ridge(void)
{
    regress(2, true);
}

static void classify(const struct num_source *source, struct logistic *model, unsigned rounds)
{
    const size_t classes = model->n_classes;
    const struct logistic_options options = {
        .n_classes = classes, .c = 1, .standardise = true, .max_rounds = rounds};
    double *probability[MANY];
    struct num_block block;
    struct num_place place = {NUM_FINE, 0};
    hide();
    if (logistic_fit(source, &options, model, &place) != APEX_E_DATA ||
        place.fault != NUM_NOT_CONVERGED)
        __builtin_trap();
    for (size_t k = 0; k < classes; k++)
        probability[k] = foretold[k];
    source->block(source->context, 0, 0, &block);
    logistic_predict(model, &block, probability);
    logistic_choose((const double *const *)probability, classes, n, chosen);
}

static void classifies_two(void)
{
    const struct num_source source = {n, dims, 1, rows_two, &dims};
    classify(&source, pair, 1);
}
static void classifies_three(void)
{
    const struct num_source source = {n, dims, 1, rows_three, &dims};
    classify(&source, triple, 1);
}
static void classifies_many(void)
{
    const struct num_source source = {n, WIDE, 1, rows_many, &wide};
    classify(&source, crowd, (unsigned)rows_watched(3, 1));
}

static const struct oblivious_case cases[] = {
    {"means and deviations of columns", fill, standardises, 0, 0, 0},
    {"least squares, and what it foretells", fill, regresses_least_squares, 0, 0, 0},
    {"ridge regression, and what it foretells", fill, regresses_ridge, 0, 0, 0},
    {"logistic regression by Newton's steps, and what it foretells", fill, classifies_two, 0, 0,
     0},
    {"softmax by Newton's steps, and what it foretells", fill, classifies_three, 0, 0, 0},
    {"softmax of many classes by quasi-Newton's steps", fill, classifies_many, 0, 0, 0},
};
OBLIVIOUS(cases)
