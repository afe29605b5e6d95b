/* k-means: a fit from a given and from a k-means++ start, with and without weights, for the
 * kernels of d = 2, 3 and more; labels, distances, counts, weights. */
#include "tests/oblivious/secret.h"

#include "common/num/kmeans.h"

enum { ROWS = 600, DIMS = 5, K = 5 };
static int32_t column[DIMS][ROWS];
static uint32_t weights[ROWS], labels[ROWS], most[K];
static uint8_t mask[ROWS];
static double start[K * DIMS], centroids[K * DIMS], distance[ROWS];
static uint64_t counts[K], rows[K];
static const uint8_t seed_bytes[32] = {7};
static size_t n, k, rounds;

static void fill(uint64_t seed)
{
    n = rows_watched(ROWS, 40);
    k = rows_watched(K, 3);
    rounds = rows_watched(2, 1);
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < DIMS; j++)
            column[j][i] = (int32_t)(oblivious_number(seed, DIMS * i + j) >> 32);
        weights[i] = (uint32_t)(oblivious_number(seed, 100000 + i) >> 40);
        labels[i] = (uint32_t)(oblivious_number(seed, 200000 + i) % K);
        mask[i] = (uint8_t)(oblivious_number(seed, 300000 + i) & 1);
    }
    for (size_t i = 0; i < K * DIMS; i++)
        start[i] = (double)(oblivious_number(9, i) >> 40); /* far off: no fit ends early */
}

static struct kmeans_arrays arrays_of(size_t d, bool weighted)
{
    struct kmeans_arrays a = {
        .n = n, .d = d, .weights = weighted ? weights : NULL, .chunk_rows = 256};
    for (size_t j = 0; j < d; j++)
        a.column[j] = column[j];
    return a;
}

static void inputs_hide(void)
{
    secret(column, sizeof column);
    secret(weights, sizeof weights);
}

static void fit(size_t d, bool weighted, const double *from)
{
    struct kmeans_arrays a = arrays_of(d, weighted);
    struct kmeans_source source = kmeans_source_of_arrays(&a);
    struct kmeans_options o = {.k = k,
                               .restarts = (unsigned)rounds,
                               .max_rounds = (unsigned)rounds,
                               .start = from,
                               .seed = seed_bytes};
    struct kmeans_result r = {.centroids = centroids, .weights = counts, .rows = rows};
    inputs_hide();
    if (kmeans_fit(&source, &o, &r, NULL) != APEX_OK) __builtin_trap();
}

static void fit_2(void)
{
    fit(2, false, start);
}

static void fit_2_weighted(void)
{
    fit(2, true, start);
}

static void fit_3(void)
{
    fit(3, false, start);
}

static void fit_5(void)
{
    fit(DIMS, false, start);
}

static void fit_5_weighted(void)
{
    fit(DIMS, true, start);
}

static void seed_2(void)
{
    fit(2, true, NULL);
}

static void seed_5(void)
{
    fit(DIMS, false, NULL);
}

static void assign(size_t d)
{
    struct kmeans_arrays a = arrays_of(d, false);
    struct kmeans_chunk chunk = {.n = n};
    for (size_t j = 0; j < d; j++)
        chunk.column[j] = a.column[j];
    inputs_hide();
    secret(start, sizeof start);
    if (kmeans_assign(start, k, d, &chunk, labels, distance) != APEX_OK) __builtin_trap();
}

static void assign_2(void)
{
    assign(2);
}

static void assign_5(void)
{
    assign(DIMS);
}

static void count(void)
{
    secret(labels, sizeof labels);
    secret(mask, sizeof mask);
    kmeans_count(labels, mask, n, K, counts);
    kmeans_count(labels, NULL, n, K, counts);
}

static void weigh(void)
{
    secret(labels, sizeof labels);
    secret(weights, sizeof weights);
    kmeans_weigh(labels, weights, n, K, counts, most);
}

static const struct oblivious_case cases[] = {
    {"k-means of d = 2", fill, fit_2},
    {"k-means of d = 2 with weights", fill, fit_2_weighted},
    {"k-means of d = 3", fill, fit_3},
    {"k-means of d = 5", fill, fit_5},
    {"k-means of d = 5 with weights", fill, fit_5_weighted},
    {"k-means++ of d = 2 with weights, the better of two", fill, seed_2},
    {"k-means++ of d = 5, the better of two", fill, seed_5},
    {"labels and distances, d = 2", fill, assign_2},
    {"labels and distances, d = 5", fill, assign_5},
    {"counts of labels", fill, count},
    {"weights of labels", fill, weigh}};
OBLIVIOUS(cases)
