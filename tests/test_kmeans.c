#include "common/num/kmeans.h"
#include "common/num/random.h"
#include "common/num/simd.h"
#include "tests/check.h"

#include <math.h>
#include <stdlib.h>

static const uint8_t seed[32] = {1, 2, 3};

enum { N = 5000 };
static int32_t lat[N], lon[N];

static int points_make(void **state)
{
    struct random_state r;
    (void)state;
    random_seed(&r, seed, 7);
    for (size_t i = 0; i < N; i++) {
        lat[i] = (int32_t)((random_unit(&r) - 0.5) * 1.8e9);
        lon[i] = (int32_t)((random_unit(&r) - 0.5) * 3.6e9);
    }
    return 0;
}

struct answer {
    double centroids[3 * 64];
    uint32_t labels[N];
    uint64_t rows[64];
    struct kmeans_result r;
};

static void fit(const struct kmeans_arrays *p, size_t k, unsigned threads, const double *start,
                struct answer *a)
{
    struct kmeans_options o = {
        .k = k, .restarts = 2, .threads = threads, .seed = seed, .start = start};
    struct kmeans_source source = kmeans_source_of_arrays(p);
    struct kmeans_chunk all = {.n = p->n, .column = {p->column[0], p->column[1]}};
    a->r = (struct kmeans_result){.centroids = a->centroids, .rows = a->rows};
    CHECK_OK(kmeans_fit(&source, &o, &a->r, NULL));
    CHECK_OK(kmeans_assign(a->centroids, k, p->d, &all, a->labels, NULL));
}

static void threads_and_levels_do_not_show(void **state)
{
    struct kmeans_arrays p = {.n = N, .d = 2, .column = {lat, lon}, .chunk_rows = 333};
    static struct answer one, many;
    (void)state;
    fit(&p, 17, 1, NULL, &one);
    for (unsigned threads = 2; threads <= 7; threads++) {
        simd_level_limit((enum simd_level)(threads % 3));
        fit(&p, 17, threads, NULL, &many);
        CHECK(memcmp(one.centroids, many.centroids, 34 * sizeof(double)) == 0);
        CHECK(one.r.inertia == many.r.inertia &&
              memcmp(one.labels, many.labels, sizeof one.labels) == 0);
    }
    simd_level_limit(SIMD_LEVEL_512);
}

static void a_fixed_point_is_a_fixed_point_by_brute_force(void **state)
{
    static struct answer a;
    (void)state;
    struct kmeans_arrays p = {.n = 400, .d = 2, .column = {lat, lon}};
    fit(&p, 9, 2, NULL, &a);
    CHECK(a.r.converged);
    long double sums[9][2] = {{0}}, inertia = 0;
    uint64_t n[9] = {0};
    for (size_t i = 0; i < 400; i++) {
        size_t best = 0;
        long double least = INFINITY;
        for (size_t c = 0; c < 9; c++) {
            long double dx = lat[i] - (long double)a.centroids[2 * c],
                        dy = lon[i] - (long double)a.centroids[2 * c + 1];
            if (dx * dx + dy * dy >= least) continue;
            least = dx * dx + dy * dy;
            best = c;
        }
        CHECK(a.labels[i] == best);
        sums[best][0] += lat[i];
        sums[best][1] += lon[i];
        n[best]++;
        inertia += least;
    }
    CHECK(fabsl(inertia / (long double)a.r.inertia - 1) < 1e-15L);
    for (size_t c = 0; c < 9; c++) {
        CHECK(n[c] == a.rows[c]);
        for (size_t d = 0; d < 2; d++)
            CHECK(n[c] == 0 || fabsl(sums[c][d] / n[c] - a.centroids[2 * c + d]) < 1e-6L);
    }
}

/* Where a fit runs out of rounds: whose means the centroids are. */
static void centroids_are_means_of_the_rows_where_they_stood(void **state)
{
    static struct answer a;
    double start[2 * 9], from[2 * 9];
    (void)state;
    struct kmeans_arrays p = {.n = 400, .d = 2, .column = {lat, lon}};
    struct kmeans_source source = kmeans_source_of_arrays(&p);
    struct kmeans_chunk all = {.n = p.n, .column = {lat, lon}};
    for (size_t c = 0; c < 9; c++) { /* the last lies where no row is near */
        start[2 * c] = c < 8 ? lat[c] : 4e9;
        start[2 * c + 1] = c < 8 ? lon[c] : 4e9;
    }
    struct kmeans_options o = {.k = 9, .max_rounds = 1, .start = start};
    a.r = (struct kmeans_result){.centroids = a.centroids, .from = from};
    for (o.max_rounds = 1; o.max_rounds <= 3; o.max_rounds++) {
        double sums[9][2] = {{0}}, n[9] = {0};
        CHECK_OK(kmeans_fit(&source, &o, &a.r, NULL));
        CHECK(!a.r.converged && (o.max_rounds > 1 || !memcmp(from, start, sizeof start)));
        CHECK_OK(kmeans_assign(from, 9, 2, &all, a.labels, NULL));
        for (size_t i = 0; i < p.n; i++) {
            sums[a.labels[i]][0] += lat[i];
            sums[a.labels[i]][1] += lon[i];
            n[a.labels[i]]++;
        }
        for (size_t i = 0; i < 2 * 9; i++) {
            double mean = n[i / 2] > 0 ? sums[i / 2][i % 2] / n[i / 2] : from[i];
            CHECK(fabs(mean - a.centroids[i]) < 1e-6);
        }
    }
    o.max_rounds = 0;
    CHECK_OK(kmeans_fit(&source, &o, &a.r, NULL));
    CHECK(a.r.converged && memcmp(from, a.centroids, sizeof from) == 0);
}

static void weights_of_labels_are_summed_and_the_greatest_found(void **state)
{
    enum { K = 7 };
    static uint32_t labels[N], weights[N];
    struct random_state r;
    uint64_t sums[K] = {0};
    uint32_t most[K] = {0};
    (void)state;
    random_seed(&r, seed, 3);
    for (size_t i = 0; i < N; i++) {
        labels[i] =
            (uint32_t)(random_unit(&r) * (K + 1)); /* K: nowhere; 0: none has a weight */
        weights[i] = labels[i] ? (uint32_t)(random_unit(&r) * UINT32_MAX) : 0;
        if (labels[i] == K) continue;
        sums[labels[i]] += weights[i];
        if (weights[i] > most[labels[i]]) most[labels[i]] = weights[i];
    }
    for (unsigned level = 0; level <= SIMD_LEVEL_512; level++) {
        uint64_t found[K] = {0};
        uint32_t greatest[K] = {0};
        simd_level_limit((enum simd_level)level);
        kmeans_weigh(labels, weights, 1000, K, found, greatest); /* added to */
        kmeans_weigh(labels + 1000, weights + 1000, N - 1000, K, found, greatest);
        CHECK(memcmp(found, sums, sizeof sums) == 0);
        CHECK(memcmp(greatest, most, sizeof most) == 0);
    }
    simd_level_limit(SIMD_LEVEL_512);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_and_levels_do_not_show),
        cmocka_unit_test(a_fixed_point_is_a_fixed_point_by_brute_force),
        cmocka_unit_test(centroids_are_means_of_the_rows_where_they_stood),
        cmocka_unit_test(weights_of_labels_are_summed_and_the_greatest_found)};
    return cmocka_run_group_tests(tests, points_make, NULL);
}
