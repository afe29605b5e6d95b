/* Naive Bayes: fits of both forms, up to the model; predictions, probabilities, counts. */
#include "common/num/bayes.h"
#include "tests/oblivious/secret.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 1100, DIMS = 3, CLASSES = 5 };
static _Alignas(64) double cells[DIMS][BLOCK_ROWS], weights[BLOCK_ROWS];
static _Alignas(64) uint32_t labels[BLOCK_ROWS];
static uint32_t found[BLOCK_ROWS];
static int32_t column[DIMS][ROWS];
static uint8_t used[ROWS], narrow[ROWS];
static double joint[CLASSES * BLOCK_ROWS];
static uint64_t counts[CLASSES];
static struct bayes *model;
static struct bayes_sums *sums;
static void *partial, *total;
static size_t n, len;
static const struct bayes_options options = {.n_classes = CLASSES, .n_features = DIMS};

static void model_make(uint64_t seed)
{
    if (!model && bayes_new(CLASSES, DIMS, &model) != APEX_OK) abort();
    for (size_t c = 0; c < CLASSES; c++) {
        model->prior[c] = 0.01 + oblivious_unit(seed, 900000 + c);
        for (size_t f = 0; f < DIMS; f++) {
            model->mean[c * DIMS + f] = oblivious_unit(seed, 910000 + c * DIMS + f);
            model->variance[c * DIMS + f] = 0.01 + oblivious_unit(seed, 920000 + c * DIMS + f);
        }
    }
    if (bayes_ready(model, NULL) != APEX_OK) abort();
}

static void fill(uint64_t seed)
{
    n = rows_watched(ROWS, 70);
    for (size_t i = 0; i < ROWS; i++) {
        /* every class has a row that counts, whatever the seed */
        labels[i] = (uint32_t)(i < 2 * CLASSES ? i : oblivious_number(seed, i)) % CLASSES;
        weights[i] = i < 2 * CLASSES ? 1 : (double)(oblivious_number(seed, 10000 + i) % 4) / 2;
        used[i] = i < 2 * CLASSES || oblivious_number(seed, 20000 + i) % 3 > 0;
        narrow[i] = (uint8_t)labels[i];
        for (size_t f = 0; f < DIMS; f++) {
            cells[f][i] = oblivious_unit(seed, 30000 * (f + 1) + i) * 100 - 50;
            column[f][i] = (int32_t)(oblivious_number(seed, 40000 * (f + 1) + i) >> 32);
        }
    }
    model_make(seed);
    if (bayes_partial_len(&options, &len, NULL) != APEX_OK) abort();
    if (!partial) partial = malloc(len);
    if (!total) total = malloc(len);
    memset(partial, 0, len);
    memset(total, 0, len);
    bayes_sums_free(sums);
    if (bayes_sums_new(CLASSES, DIMS, &sums) != APEX_OK) abort();
}

static void hide(void)
{
    secret(cells, sizeof cells);
    secret(weights, sizeof weights);
    secret(labels, sizeof labels);
    secret(narrow, sizeof narrow);
    secret(column, sizeof column);
    secret(used, sizeof used);
}

static const double *const columns[DIMS] = {cells[0], cells[1], cells[2]};

static struct num_block block_of(void)
{
    return (struct num_block){
        .n = n, .n_columns = DIMS, .column = columns, .weight = weights, .label = labels};
}

static struct bayes_chunk chunk_of(void)
{
    return (struct bayes_chunk){.n = n,
                                .coordinate = {column[0], column[1], column[2]},
                                .label = narrow,
                                .label_bytes = 1,
                                .used = used};
}

static void fit_doubles(void)
{
    struct num_block block = block_of();
    struct bayes *fitted;
    hide();
    bayes_partial(&options, &block, partial);
    bayes_merge(&options, total, partial);
    bayes_merge(&options, total, partial);
    if (bayes_finish(&options, total, &fitted, NULL) != APEX_OK) __builtin_trap();
    bayes_free(fitted);
}

static void fit_integers(void)
{
    struct bayes_chunk chunk = chunk_of();
    struct bayes *fitted;
    hide();
    if (bayes_chunk_add(sums, &chunk, 1) != APEX_OK) __builtin_trap();
    if (bayes_sums_merge(sums, sums) != APEX_OK) __builtin_trap();
    if (bayes_sums_finish(sums, &options, &fitted, NULL) != APEX_OK) __builtin_trap();
    bayes_free(fitted);
}

static void model_hide(void)
{
    secret(model->prior, CLASSES * sizeof(double));
    secret(model->mean, CLASSES * DIMS * sizeof(double));
    secret(model->variance, CLASSES * DIMS * sizeof(double));
    secret(model->shift, DIMS * sizeof(double));
    secret(model->constant, CLASSES * (1 + 2 * DIMS) * sizeof(double));
}

static void predict_doubles(void)
{
    struct num_block block = block_of();
    hide();
    model_hide();
    bayes_predict_block(model, &block, found, joint);
    bayes_predict_block(model, &block, found, NULL);
    bayes_probabilities(CLASSES, n < 40 ? n : 40, joint);
}

static void predict_integers(void)
{
    struct bayes_chunk chunk = chunk_of();
    hide();
    model_hide();
    for (unsigned bytes = 1; bytes <= 4; bytes *= 2)
        if (bayes_chunk_predict(model, &chunk, 1, found, bytes) != APEX_OK) __builtin_trap();
}

static void stored(void)
{
    model_hide();
    if (bayes_ready(model, NULL) != APEX_OK) __builtin_trap();
}

static void count(void)
{
    hide();
    bayes_count(labels, used, n, CLASSES, counts);
    bayes_count(labels, NULL, n, CLASSES, counts);
}

static const struct oblivious_case cases[] = {
    {"naive Bayes from doubles to a model", fill, fit_doubles},
    {"naive Bayes from integers to a model", fill, fit_integers},
    {"classes, scores and probabilities of doubles", fill, predict_doubles},
    {"classes of integers", fill, predict_integers},
    {"a stored model is made ready", fill, stored},
    {"counts of labels", fill, count}};
OBLIVIOUS(cases)
