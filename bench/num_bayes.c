/* Naive Bayes on columns of int32: one line of JSON per operation. NAME=VALUE arguments:
 *   op=fit|predict     predict: after a fit that is not timed
 *   file=PATH          d columns of n int32 in 1e-7 degree, one after the other
 *   labels=PATH        n uint32
 *   label_bytes=1|2|4  what a label takes in memory
 *   n d classes threads repeat
 *   level=0|1|2        portable, AVX2, AVX-512
 *   plain=1            label-indexed sums
 * Without files: places and labels made here. answer of fit: the sum of all means (degrees),
 * the sum of the logarithms of all variances, the first prior; of predict: the share of rows
 * that get their own label. Memory: the rows, d x 4 + label_bytes each, and a chunk of labels.
 */
#include "common/num/bayes.h"
#include "common/num/random.h"
#include "common/num/simd.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CHUNK = 1 << 18 };
#define DEGREE 1e7

struct bench {
    const char *op, *file, *labels_file;
    size_t label_bytes, n, d, classes, threads, repeat, level, plain;
    int32_t *column[BAYES_DIMS_MAX];
    uint8_t *labels; /* n of label_bytes each */
    double cpu, wall;
};

static double clock_read(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void fail(const char *words)
{
    fprintf(stderr, "num_bayes: %s\n", words);
    exit(1);
}

static void *room(size_t count, size_t size)
{
    void *p = calloc(count, size);
    if (!p) fail("no memory");
    return p;
}

static void argument_take(struct bench *b, const char *word)
{
    const struct {
        const char *name;
        size_t *number;
        const char **text;
    } known[] = {{"op=", NULL, &b->op},
                 {"file=", NULL, &b->file},
                 {"labels=", NULL, &b->labels_file},
                 {"label_bytes=", &b->label_bytes, NULL},
                 {"n=", &b->n, NULL},
                 {"d=", &b->d, NULL},
                 {"classes=", &b->classes, NULL},
                 {"k=", &b->classes, NULL},
                 {"threads=", &b->threads, NULL},
                 {"repeat=", &b->repeat, NULL},
                 {"level=", &b->level, NULL},
                 {"plain=", &b->plain, NULL}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t len = strlen(known[i].name);
        if (strncmp(word, known[i].name, len) != 0) continue;
        if (known[i].text)
            *known[i].text = word + len;
        else
            *known[i].number = (size_t)strtoull(word + len, NULL, 10);
        return;
    }
    fail("an argument is not known");
}

static uint32_t label_at(const struct bench *b, size_t i)
{
    uint32_t label = 0;
    memcpy(&label, b->labels + i * b->label_bytes, b->label_bytes);
    return label;
}

static void label_put(struct bench *b, size_t i, uint32_t label)
{
    if (label >= b->classes) fail("a label is none of the classes");
    memcpy(b->labels + i * b->label_bytes, &label, b->label_bytes); /* little-endian */
}

static void rows_make(struct bench *b)
{
    static const uint8_t seed[32] = {1};
    struct random_state r;
    random_seed(&r, seed, 1);
    for (size_t i = 0; i < b->n; i++) {
        label_put(b, i, (uint32_t)(random_next(&r) % b->classes));
        for (size_t j = 0; j < b->d; j++)
            b->column[j][i] = (int32_t)(sin((double)(label_at(b, i) * (j + 3))) * 8e8 +
                                        (random_unit(&r) + random_unit(&r) - 1) * 9e7);
    }
}

static void file_read(const char *path, void *const *array, size_t count, size_t len)
{
    FILE *f = fopen(path, "rb");
    if (!f) fail("a file cannot be opened");
    setvbuf(f, NULL, _IONBF, 0);
    for (size_t j = 0; j < count; j++)
        if (fread(array[j], 1, len, f) != len) fail("a file is too short");
    fclose(f);
}

static void labels_read(struct bench *b)
{
    FILE *f = fopen(b->labels_file, "rb");
    uint32_t label;
    if (!f) fail("the labels cannot be opened");
    for (size_t i = 0; i < b->n; i++) {
        if (fread(&label, sizeof label, 1, f) != 1) fail("there are too few labels");
        label_put(b, i, label);
    }
    fclose(f);
}

static void bench_open(struct bench *b)
{
    if (b->label_bytes != 1 && b->label_bytes != 2 && b->label_bytes != 4)
        fail("label_bytes is 1, 2 or 4");
    if (b->classes > (UINT64_C(1) << 8 * b->label_bytes)) fail("labels are too short");
    if (b->d == 0 || b->d > BAYES_DIMS_MAX || b->n == 0 || b->classes < 2)
        fail("n, d or classes is out of range");
    for (size_t j = 0; j < b->d; j++)
        b->column[j] = room(b->n, sizeof(int32_t));
    b->labels = room(b->n, b->label_bytes);
    if (!b->file) {
        rows_make(b);
        return;
    }
    if (!b->labels_file) fail("labels=PATH is missing");
    file_read(b->file, (void *const *)b->column, b->d, b->n * sizeof(int32_t));
    labels_read(b);
}

static struct bayes_chunk chunk_at(const struct bench *b, size_t first, size_t n)
{
    struct bayes_chunk c = {.n = n,
                            .label = b->labels + first * b->label_bytes,
                            .label_bytes = (unsigned)b->label_bytes};
    for (size_t j = 0; j < b->d; j++)
        c.coordinate[j] = b->column[j] + first;
    return c;
}

static struct bayes *fit(const struct bench *b)
{
    const struct bayes_options o = {.n_classes = b->classes, .n_features = b->d};
    const struct bayes_chunk c = chunk_at(b, 0, b->n);
    struct bayes_sums *sums;
    struct bayes *model;
    if (bayes_sums_new(b->classes, b->d, &sums) != APEX_OK ||
        (b->plain ? bayes_plain_add(sums, &c)
                  : bayes_chunk_add(sums, &c, (unsigned)b->threads)) != APEX_OK ||
        bayes_sums_finish(sums, &o, &model, NULL) != APEX_OK)
        fail("the rows cannot be fitted");
    bayes_sums_free(sums);
    return model;
}

/* The rows that get their own label; the time of predicting alone. */
static size_t predict(const struct bench *b, const struct bayes *model, double *cpu,
                      double *wall)
{
    static uint16_t found[CHUNK];
    size_t right = 0;
    for (size_t at = 0; at < b->n; at += CHUNK) {
        size_t n = b->n - at < CHUNK ? b->n - at : CHUNK;
        const struct bayes_chunk c = chunk_at(b, at, n);
        double c0 = clock_read(CLOCK_PROCESS_CPUTIME_ID), w0 = clock_read(CLOCK_MONOTONIC);
        if (bayes_chunk_predict(model, &c, (unsigned)b->threads, found, 2) != APEX_OK)
            fail("the rows cannot be predicted");
        *cpu += clock_read(CLOCK_PROCESS_CPUTIME_ID) - c0;
        *wall += clock_read(CLOCK_MONOTONIC) - w0;
        for (size_t i = 0; i < n; i++)
            right += found[i] == label_at(b, at + i);
    }
    return right;
}

static void print(const struct bench *b, const double *answer, size_t n)
{
    printf("{\"op\": \"bayes_%s%s\", \"n\": %zu, \"d\": %zu, \"k\": %zu, \"threads\": %zu, "
           "\"level\": %d, \"seconds_cpu\": %.6f, \"seconds_wall\": %.6f, \"answer\": [",
           b->op, b->plain ? "_plain" : "", b->n, b->d, b->classes, b->threads,
           (int)simd_level(), b->cpu, b->wall);
    for (size_t i = 0; i < n; i++)
        printf("%s%.17g", i ? ", " : "", answer[i]);
    printf("]}\n");
}

static void fit_run(struct bench *b)
{
    struct bayes *model = NULL;
    double answer[3] = {0};
    for (size_t i = 0; i < b->repeat; i++) {
        double c = clock_read(CLOCK_PROCESS_CPUTIME_ID), w = clock_read(CLOCK_MONOTONIC);
        bayes_free(model);
        model = fit(b);
        b->cpu = fmin(b->cpu, clock_read(CLOCK_PROCESS_CPUTIME_ID) - c);
        b->wall = fmin(b->wall, clock_read(CLOCK_MONOTONIC) - w);
    }
    for (size_t i = 0; i < b->classes * b->d; i++) {
        answer[0] += model->mean[i] / DEGREE;
        answer[1] += log(model->variance[i] / (DEGREE * DEGREE));
    }
    answer[2] = model->prior[0];
    print(b, answer, 3);
    bayes_free(model);
}

static void predict_run(struct bench *b)
{
    struct bayes *model = fit(b);
    size_t right = 0;
    for (size_t i = 0; i < b->repeat; i++) {
        double cpu = 0, wall = 0;
        right = predict(b, model, &cpu, &wall);
        b->cpu = fmin(b->cpu, cpu);
        b->wall = fmin(b->wall, wall);
    }
    print(b, (double[]){(double)right / (double)b->n}, 1);
    bayes_free(model);
}

int main(int argc, char **argv)
{
    struct bench b = {.op = "fit",
                      .n = 1000000,
                      .d = 2,
                      .label_bytes = 4,
                      .classes = 8,
                      .threads = 1,
                      .repeat = 3,
                      .level = 2,
                      .cpu = INFINITY,
                      .wall = INFINITY};
    for (int i = 1; i < argc; i++)
        argument_take(&b, argv[i]);
    simd_level_limit((enum simd_level)b.level);
    bench_open(&b);
    if (strcmp(b.op, "fit") == 0)
        fit_run(&b);
    else if (strcmp(b.op, "predict") == 0)
        predict_run(&b);
    else
        fail("op is fit or predict");
    for (size_t j = 0; j < b.d; j++)
        free(b.column[j]);
    free(b.labels);
    return 0;
}
