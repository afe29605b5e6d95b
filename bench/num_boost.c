/* Boosted trees: num_boost file=PATH n=N d=D [op=train_plain|train_oblivious] [rounds=]
 * [depth=] [bins=] [threads=] [level=0|1|2]. The file holds D columns of N doubles, then one of
 * labels 0 and 1: python runs its peers on the same rows (bench/peers). Prints a line for the
 * training and one for the prediction of the same rows; answer: accuracy, log loss, the first
 * and the last score. */
#include "bench/columns.h"
#include "common/num/boost.h"
#include "common/num/simd.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

struct arguments {
    const char *file, *op;
    size_t n, d, rounds, depth, bins, threads, level;
};

static int arguments_read(int argc, char **argv, struct arguments *a)
{
    const struct bench_number numbers[] = {{"n=", &a->n},           {"d=", &a->d},
                                           {"rounds=", &a->rounds}, {"depth=", &a->depth},
                                           {"bins=", &a->bins},     {"threads=", &a->threads},
                                           {"level=", &a->level}};
    arguments_take(argc, argv, &a->file, &a->op, numbers, sizeof numbers / sizeof *numbers);
    return a->file && a->n && a->d;
}

static void say(const char *op, const struct arguments *a, double cpu, double wall,
                const double answer[4])
{
    printf("{\"op\": \"%s\", \"n\": %zu, \"d\": %zu, \"seconds_cpu\": %.4f, \"seconds_wall\": "
           "%.4f, \"answer\": [%.6f, %.6f, %.12g, %.12g]}\n",
           op, a->n, a->d, cpu, wall, answer[0], answer[1], answer[2], answer[3]);
}

static void predict(const struct boost_model *m, const struct num_source *source, bool plain,
                    double *scores)
{
    double *block_scores = aligned_alloc(64, BLOCK_ROWS * sizeof *block_scores);
    void *scratch = aligned_alloc(64, boost_scratch_len(m));
    struct num_block b;
    for (size_t i = 0; i < source->n_blocks; i++) {
        source->block(source->context, i, 0, &b);
        if (plain)
            boost_plain_predict(m, &b, block_scores);
        else
            boost_predict(m, &b, scratch, block_scores);
        memcpy(scores + i * BLOCK_ROWS, block_scores, b.n * sizeof *scores);
    }
    free(block_scores);
    free(scratch);
}

static void judge(const double *scores, const double *label, size_t n, double answer[4])
{
    double right = 0, loss = 0;
    for (size_t i = 0; i < n; i++) {
        right += (scores[i] > 0) == (label[i] > 0.5);
        loss += log1p(exp(label[i] > 0.5 ? -scores[i] : scores[i]));
    }
    answer[0] = right / (double)n;
    answer[1] = loss / (double)n;
    answer[2] = scores[0];
    answer[3] = scores[n - 1];
}

int main(int argc, char **argv)
{
    struct arguments a = {
        .op = "train_plain", .rounds = 100, .depth = 6, .threads = 1, .level = 2};
    if (!arguments_read(argc, argv, &a)) {
        fprintf(stderr, "num_boost: file=PATH n=ROWS d=COLUMNS\n");
        return 1;
    }
    simd_level_limit((enum simd_level)a.level);
    bool plain = strcmp(a.op, "train_plain") == 0;
    double *cells = columns_read(a.file, a.n, a.d),
           *scores = malloc((a.n + BLOCK_ROWS) * sizeof *scores);
    const double **column = malloc(a.d * sizeof *column);
    uint32_t *label = malloc(a.n * sizeof *label);
    struct num_source source;
    struct boost_model model;
    if (!scores || !column || !label) return 1;
    for (size_t j = 0; j < a.d; j++)
        column[j] = cells + j * a.n;
    for (size_t i = 0; i < a.n; i++)
        label[i] = cells[a.d * a.n + i] > 0.5;
    if (num_source_of_arrays(
            &(struct num_arrays){
                .n_rows = a.n, .n_columns = a.d, .column = column, .label = label},
            &source) != APEX_OK)
        return 1;
    static const uint8_t seed[32] = {1};
    const struct boost_options o = {.loss = BOOST_LOGISTIC,
                                    .rounds = (unsigned)a.rounds,
                                    .depth = (unsigned)a.depth,
                                    .bins = (unsigned)a.bins,
                                    .rate = 0.1,
                                    .lambda = 1,
                                    .min_hessian = 1,
                                    .seed = seed,
                                    .threads = (unsigned)a.threads};
    double answer[4], cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC);
    if ((plain ? boost_plain_fit : boost_fit)(&source, &o, &model, NULL) != APEX_OK) return 1;
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    wall = seconds(CLOCK_MONOTONIC) - wall;
    double cpu2 = seconds(CLOCK_PROCESS_CPUTIME_ID), wall2 = seconds(CLOCK_MONOTONIC);
    predict(&model, &source, plain, scores);
    cpu2 = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu2;
    wall2 = seconds(CLOCK_MONOTONIC) - wall2;
    judge(scores, cells + a.d * a.n, a.n, answer);
    say(a.op, &a, cpu, wall, answer);
    say(plain ? "predict_plain" : "predict", &a, cpu2, wall2, answer);
    boost_clear(&model);
    num_source_of_arrays_free(&source);
    free(cells);
    free(scores);
    free(column);
    free(label);
    return 0;
}
