/* Linear models: num_linear op=ridge|logistic file=PATH n=N d=D [repeat=] [threads=]
 * [level=0|1|2]. The file holds D columns of N doubles, then the target, or labels 0 and 1:
 * python runs its peers on the same rows (bench/peers.py). Prints the least time of some fits;
 * answer of ridge (alpha 1, raw columns): intercept and coefficients; of logistic (C 1, raw
 * columns): the sum of losses and half the square of the coefficients, intercept, coefficients.
 */
#include "bench/columns.h"
#include "common/num/logistic.h"
#include "common/num/ridge.h"
#include "common/num/simd.h"

#include <math.h>
#include <stdio.h>

struct arguments {
    const char *file, *op;
    size_t n, d, repeat, threads, level;
};

static int arguments_read(int argc, char **argv, struct arguments *a)
{
    const struct bench_number numbers[] = {{"n=", &a->n},
                                           {"d=", &a->d},
                                           {"repeat=", &a->repeat},
                                           {"threads=", &a->threads},
                                           {"level=", &a->level}};
    arguments_take(argc, argv, &a->file, &a->op, numbers, sizeof numbers / sizeof *numbers);
    return a->file && a->op && a->n && a->d && a->repeat;
}

static void answer_print(const double *lead, size_t n_lead, const double *raw, size_t d)
{
    for (size_t i = 0; i < n_lead; i++)
        printf("%s%.17g", i ? ", " : "", lead[i]);
    for (size_t j = 0; j < d; j++)
        printf(", %.17g", raw[j]);
}

static int ridge(const struct arguments *a, const struct num_source *source, bool print)
{
    struct ridge *m;
    const struct ridge_options o = {.alpha = 1, .threads = (unsigned)a->threads};
    if (ridge_new(a->d, &m) != APEX_OK || ridge_fit(source, &o, m, NULL) != APEX_OK) return 1;
    if (print) answer_print(&m->raw_intercept, 1, m->raw, a->d);
    ridge_free(m);
    return 0;
}

static int logistic(const struct arguments *a, const struct num_source *source, bool print)
{
    struct logistic *m;
    const struct logistic_options o = {.n_classes = 2, .c = 1, .threads = (unsigned)a->threads};
    if (logistic_new(2, a->d, &m) != APEX_OK || logistic_fit(source, &o, m, NULL) != APEX_OK)
        return 1;
    double lead[2] = {m->loss * m->weight, m->raw_intercept[0]};
    for (size_t j = 0; j < a->d; j++)
        lead[0] += 0.5 * m->raw[j] * m->raw[j];
    if (print) answer_print(lead, 2, m->raw, a->d);
    logistic_free(m);
    return 0;
}

int main(int argc, char **argv)
{
    struct arguments a = {.repeat = 3, .threads = 1, .level = 2};
    if (!arguments_read(argc, argv, &a)) {
        fprintf(stderr, "num_linear: op=ridge|logistic file=PATH n=ROWS d=COLUMNS\n");
        return 1;
    }
    simd_level_limit((enum simd_level)a.level);
    double *cells = columns_read(a.file, a.n, a.d), cpu = INFINITY, wall = INFINITY;
    const double **column = malloc(a.d * sizeof *column);
    uint32_t *label = malloc(a.n * sizeof *label);
    struct num_source source;
    if (!column || !label) return 1;
    for (size_t j = 0; j < a.d; j++)
        column[j] = cells + j * a.n;
    for (size_t i = 0; i < a.n; i++)
        label[i] = cells[a.d * a.n + i] > 0.5;
    const struct num_arrays arrays = {.n_rows = a.n,
                                      .n_columns = a.d,
                                      .column = column,
                                      .target = cells + a.d * a.n,
                                      .label = label};
    if (num_source_of_arrays(&arrays, &source) != APEX_OK) return 1;
    int (*fit)(const struct arguments *, const struct num_source *, bool) =
        strcmp(a.op, "ridge") == 0 ? ridge : logistic;
    for (size_t i = 0; i < a.repeat; i++) {
        double c = seconds(CLOCK_PROCESS_CPUTIME_ID), w = seconds(CLOCK_MONOTONIC);
        if (fit(&a, &source, false) != 0) return 1;
        c = seconds(CLOCK_PROCESS_CPUTIME_ID) - c;
        w = seconds(CLOCK_MONOTONIC) - w;
        if (c < cpu) cpu = c;
        if (w < wall) wall = w;
    }
    printf("{\"op\": \"%s\", \"n\": %zu, \"d\": %zu, \"seconds_cpu\": %.6f, \"seconds_wall\": "
           "%.6f, \"answer\": [",
           a.op, a.n, a.d, cpu, wall);
    if (fit(&a, &source, true) != 0) return 1;
    printf("]}\n");
    num_source_of_arrays_free(&source);
    free(cells);
    free(column);
    free(label);
    return 0;
}
