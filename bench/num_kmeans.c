/* k-means: one line of JSON per operation. NAME=VALUE arguments:
 *   op=iteration|rounds|fit|assign  one round (T rounds less 1 round, over T - 1), T rounds,
 * from k-means++ to the end, labels and distances n d k threads rounds repeat restarts chunk
 *   seeds=S                   a fit from each of S seeds: median times, and median inertia
 *   level=0|1|2               portable, AVX2, AVX-512
 *   mode=0|1|2                oblivious, label-indexed, pruned
 *   file=PATH                 d columns of n int32, one after the other; else made from seed=
 * An iteration of the pruned mode is timed by itself, for making the tree takes as long as some
 * hundred rounds. An iteration and an assignment start at rows 0, n / k, 2 n / k, .. of the
 * columns. */
#include "common/num/exact.h"
#include "common/num/geo.h"
#include "common/num/kmeans.h"
#include "common/num/kmeans_locate.h"
#include "common/num/kmeans_tree.h"
#include "common/num/random.h"
#include "common/num/simd.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CHUNK = 1 << 16 };

struct bench {
    const char *op, *file;
    size_t n, d, k, rounds, repeat, restarts, threads, level, mode, chunk, seed, seeds;
    struct kmeans_arrays arrays;
    double *start, *centroids, cpu, wall;
    struct kmeans_result r;
};

static double clock_read(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void fail(const char *words)
{
    fprintf(stderr, "num_kmeans: %s\n", words);
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
                 {"n=", &b->n, NULL},
                 {"d=", &b->d, NULL},
                 {"k=", &b->k, NULL},
                 {"rounds=", &b->rounds, NULL},
                 {"repeat=", &b->repeat, NULL},
                 {"restarts=", &b->restarts, NULL},
                 {"threads=", &b->threads, NULL},
                 {"level=", &b->level, NULL},
                 {"mode=", &b->mode, NULL},
                 {"chunk=", &b->chunk, NULL},
                 {"seed=", &b->seed, NULL},
                 {"seeds=", &b->seeds, NULL}};
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

/* 200 hills over the Earth, in 1e-7 degree, as ../shared/perf/gen_data.py's `mix` in kind. */
static void columns_make(struct bench *b, int32_t **column)
{
    struct random_state r;
    uint8_t seed[32] = {(uint8_t)b->seed};
    double(*hill)[KMEANS_DIMS_MAX] = room(200, sizeof *hill);
    random_seed(&r, seed, 1);
    for (size_t h = 0; h < 200; h++)
        for (size_t j = 0; j < b->d; j++)
            hill[h][j] = (random_unit(&r) - 0.5) * 1.4e9;
    for (size_t i = 0; i < b->n; i++) {
        size_t h = (size_t)(random_unit(&r) * 200);
        for (size_t j = 0; j < b->d; j++) {
            double bell = 0;
            for (int s = 0; s < 4; s++)
                bell += random_unit(&r) - 0.5;
            column[j][i] = (int32_t)(hill[h][j] + bell * 3e7);
        }
    }
    free(hill);
}

static void columns_read(const struct bench *b, int32_t **column)
{
    FILE *f = fopen(b->file, "rb");
    if (!f) fail("the file cannot be opened");
    for (size_t j = 0; j < b->d; j++)
        if (fread(column[j], sizeof(int32_t), b->n, f) != b->n) fail("the file is too short");
    fclose(f);
}

static void bench_open(struct bench *b)
{
    int32_t *column[KMEANS_DIMS_MAX];
    if (b->seeds == 0 || b->d == 0 || b->d > KMEANS_DIMS_MAX || b->k == 0 || b->n < b->k)
        fail("n, d, k or seeds is out of range");
    b->arrays = (struct kmeans_arrays){.n = b->n, .d = b->d, .chunk_rows = b->chunk};
    for (size_t j = 0; j < b->d; j++)
        b->arrays.column[j] = column[j] = room(b->n, sizeof(int32_t));
    if (b->file)
        columns_read(b, column);
    else
        columns_make(b, column);
    b->start = room(b->k * b->d, sizeof(double));
    b->centroids = room(b->k * b->d, sizeof(double));
    for (size_t c = 0; c < b->k; c++)
        for (size_t j = 0; j < b->d; j++)
            b->start[c * b->d + j] = column[j][c * (b->n / b->k)];
    b->r.centroids = b->centroids;
}

/* Least processor time of `repeat` runs. */
static void fit(struct bench *b, const double *start, size_t rounds, double *cpu, double *wall)
{
    uint8_t seed[32] = {(uint8_t)b->seed, 1};
    struct kmeans_options o = {.k = b->k,
                               .restarts = (unsigned)b->restarts,
                               .max_rounds = (unsigned)rounds,
                               .threads = (unsigned)b->threads,
                               .mode = (enum kmeans_mode)b->mode,
                               .start = start,
                               .seed = seed};
    struct kmeans_source source = kmeans_source_of_arrays(&b->arrays);
    *cpu = *wall = INFINITY;
    for (size_t i = 0; i < b->repeat; i++) {
        double c = clock_read(CLOCK_PROCESS_CPUTIME_ID), w = clock_read(CLOCK_MONOTONIC);
        if (kmeans_fit(&source, &o, &b->r, NULL) != APEX_OK) fail("kmeans_fit did not fit");
        *cpu = fmin(*cpu, clock_read(CLOCK_PROCESS_CPUTIME_ID) - c);
        *wall = fmin(*wall, clock_read(CLOCK_MONOTONIC) - w);
    }
}

static double round_run(struct bench *b, struct kmeans_tree *tree, struct kmeans_table *table,
                        struct kmeans_sums *sums, bool first)
{
    double c = clock_read(CLOCK_PROCESS_CPUTIME_ID);
    if (!first) kmeans_finish(sums, b->centroids);
    kmeans_table_set(table, b->centroids);
    kmeans_sums_clear(sums);
    kmeans_tree_sum(tree, table, sums);
    return clock_read(CLOCK_PROCESS_CPUTIME_ID) - c;
}

/* Least times of `repeat` runs of rounds on one tree, all but the first of each. */
static void iteration_pruned(struct bench *b)
{
    struct kmeans_source source = kmeans_source_of_arrays(&b->arrays);
    struct kmeans_tree *tree;
    struct kmeans_table *table;
    struct kmeans_sums *sums;
    if (kmeans_tree_new(&source, b->k, false, (unsigned)b->threads, &tree, NULL) != APEX_OK ||
        kmeans_table_new(b->k, b->d, &table) != APEX_OK ||
        kmeans_sums_new(b->k, b->d, &sums) != APEX_OK)
        fail("no memory");
    b->cpu = b->wall = INFINITY;
    for (size_t i = 0; i < b->repeat; i++) {
        double cpu = 0, wall = 0;
        memcpy(b->centroids, b->start, b->k * b->d * sizeof(double));
        round_run(b, tree, table, sums, true);
        round_run(b, tree, table, sums, false);
        double w = clock_read(CLOCK_MONOTONIC);
        for (size_t r = 1; r < b->rounds; r++)
            cpu += round_run(b, tree, table, sums, false);
        wall = clock_read(CLOCK_MONOTONIC) - w;
        b->cpu = fmin(b->cpu, cpu / (double)(b->rounds - 1));
        b->wall = fmin(b->wall, wall / (double)(b->rounds - 1));
    }
    b->r.rounds = (unsigned)b->rounds;
    b->r.inertia = kmeans_inertia(sums, b->centroids);
    kmeans_tree_free(tree);
    kmeans_table_free(table);
    kmeans_sums_free(sums);
}

static void iteration(struct bench *b)
{
    if (b->rounds < 2) fail("too few rounds to tell one's time");
    if (b->mode == KMEANS_PRUNED) {
        iteration_pruned(b);
        return;
    }
    double cpu, wall;
    fit(b, b->start, 1, &cpu, &wall);
    fit(b, b->start, b->rounds, &b->cpu, &b->wall);
    if (b->r.rounds < 2) fail("the end came too early to tell a round's time");
    b->cpu = (b->cpu - cpu) / (b->r.rounds - 1);
    b->wall = (b->wall - wall) / (b->r.rounds - 1);
}

static int number_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *numbers, size_t n)
{
    qsort(numbers, n, sizeof *numbers, number_order);
    return numbers[n / 2];
}

static void fits(struct bench *b)
{
    double *cpu = room(b->seeds, sizeof *cpu), *wall = room(b->seeds, sizeof *wall),
           *inertia = room(b->seeds, sizeof *inertia);
    for (size_t i = 0; i < b->seeds; i++, b->seed++) {
        fit(b, NULL, 0, &cpu[i], &wall[i]);
        inertia[i] = b->r.inertia;
    }
    b->cpu = median(cpu, b->seeds);
    b->wall = median(wall, b->seeds);
    b->r.inertia = median(inertia, b->seeds);
    free(cpu);
    free(wall);
    free(inertia);
}

/* Labels and distances as the contract has them where a manifest gives up obliviousness. */
static void assign_pruned(struct bench *b, const struct kmeans_chunk *all, uint32_t *labels,
                          double *distance)
{
    struct kmeans_locator *locator;
    double(*unit)[3] = room(b->k, sizeof *unit);
    if (b->d != 2) fail("places have two coordinates");
    for (size_t c = 0; c < b->k; c++)
        exact_unit(b->centroids[2 * c] * GEO_DEGREE, b->centroids[2 * c + 1] * GEO_DEGREE,
                   unit[c]);
    if (kmeans_locator_new(b->centroids, b->k, 2, &locator) != APEX_OK) fail("no memory");
    for (size_t at = 0; at < b->n; at += CHUNK) {
        size_t n = b->n - at < CHUNK ? b->n - at : CHUNK;
        struct kmeans_chunk chunk = {.n = n,
                                     .column = {all->column[0] + at, all->column[1] + at}};
        kmeans_locate(locator, &chunk, labels + at);
        geo_chords(chunk.column[0], chunk.column[1], labels + at, n, (const double(*)[3])unit,
                   b->k, true, distance + at);
    }
    kmeans_locator_free(locator);
    free(unit);
}

static void assign(struct bench *b)
{
    struct kmeans_chunk all = {.n = b->n};
    uint32_t *labels = room(b->n, sizeof *labels);
    double *distance = room(b->n, sizeof *distance);
    memcpy(all.column, b->arrays.column, sizeof all.column);
    memcpy(b->centroids, b->start, b->k * b->d * sizeof(double));
    b->cpu = b->wall = INFINITY;
    for (size_t i = 0; i < b->repeat; i++) {
        double c = clock_read(CLOCK_PROCESS_CPUTIME_ID), w = clock_read(CLOCK_MONOTONIC);
        if (b->mode == KMEANS_PRUNED)
            assign_pruned(b, &all, labels, distance);
        else if (kmeans_assign(b->centroids, b->k, b->d, &all, labels, distance) != APEX_OK)
            fail("kmeans_assign did not label");
        b->cpu = fmin(b->cpu, clock_read(CLOCK_PROCESS_CPUTIME_ID) - c);
        b->wall = fmin(b->wall, clock_read(CLOCK_MONOTONIC) - w);
    }
    for (size_t i = 0; i < b->n; i++)
        b->r.inertia += distance[i];
    free(labels);
    free(distance);
}

static void print(const struct bench *b)
{
    double sum = 0;
    for (size_t i = 0; i < b->k * b->d; i++)
        sum += b->centroids[i] * (double)(i % 7 + 1);
    printf("{\"op\": \"kmeans_%s%s\", \"n\": %zu, \"d\": %zu, \"k\": %zu, \"threads\": %zu, "
           "\"level\": %d, \"rounds\": %u, \"seconds_cpu\": %.6f, \"seconds_wall\": %.6f, "
           "\"ns_per_point_and_centroid\": %.4f, \"answer\": [%.17g, %.17g]}\n",
           b->op, (const char *[]){"", "_plain", "_pruned"}[b->mode % 3], b->n, b->d, b->k,
           b->threads, (int)simd_level(), b->r.rounds, b->cpu, b->wall,
           b->cpu / (double)b->n / (double)b->k * 1e9, b->r.inertia, sum);
}

int main(int argc, char **argv)
{
    struct bench b = {.op = "iteration",
                      .n = 1000000,
                      .d = 2,
                      .k = 64,
                      .rounds = 6,
                      .repeat = 3,
                      .restarts = 1,
                      .threads = 1,
                      .level = SIMD_LEVEL_512,
                      .seed = 1,
                      .seeds = 1};
    for (int i = 1; i < argc; i++)
        argument_take(&b, argv[i]);
    simd_level_limit((enum simd_level)b.level);
    bench_open(&b);
    if (strcmp(b.op, "iteration") == 0)
        iteration(&b);
    else if (strcmp(b.op, "fit") == 0)
        fits(&b);
    else if (strcmp(b.op, "rounds") == 0)
        fit(&b, b.start, b.rounds, &b.cpu, &b.wall);
    else if (strcmp(b.op, "assign") == 0)
        assign(&b);
    else
        fail("op is iteration, rounds, fit or assign");
    print(&b);
    return 0;
}
