#include "common/num/screen.h"
#include "common/num/encode.h"
#include "common/num/random.h"
#include "common/num/simd.h"
#include "common/num/standard.h"
#include "tests/check.h"
#include "tests/real_data.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t seed[32] = {6};
static const enum simd_level levels[] = {SIMD_LEVEL_512, SIMD_LEVEL_256, SIMD_LEVEL_ANY};

/* --- The insurers' claims -------------------------------------------------------------------
 */
struct claims {
    struct real_data *data;
    int32_t *fixed[KMEANS_DIMS_MAX];
    double *mean, *sd;
    double centroids[8 * KMEANS_DIMS_MAX];
    uint64_t sizes[8];
    double inertia;
};

static void claims_encode(struct claims *c)
{
    struct real_part train = real_part_open(c->data, false);
    struct num_arrays a = {train.n, train.d, (const double *const *)train.column};
    struct num_arrays b = {c->data->n, c->data->d, (const double *const *)c->data->column};
    struct num_source s;
    c->mean = calloc(2 * train.d, sizeof *c->mean);
    c->sd = c->mean + train.d;
    CHECK_OK(num_source_of_arrays(&a, &s));
    CHECK_OK(standard_fit(2, &s, c->mean, c->sd, NULL));
    num_source_of_arrays_free(&s);
    for (size_t f = 0; f < train.d; f++)
        c->fixed[f] = malloc(c->data->n * sizeof **c->fixed);
    CHECK_OK(num_source_of_arrays(&b, &s));
    encode_fixed_rows(&s, 2, c->mean, c->sd, c->fixed, NULL);
    num_source_of_arrays_free(&s);
    real_part_close(&train);
}

static void claims_cluster(struct claims *c, const json_t *want)
{
    size_t d = c->data->d;
    double start[8 * KMEANS_DIMS_MAX];
    struct kmeans_arrays a = {.n = c->data->n, .d = d};
    for (size_t k = 0; k < 8; k++)
        for (size_t f = 0; f < d; f++)
            start[k * d + f] = c->fixed[f][json_integer_value(
                json_array_get(json_object_get(want, "init_rows_among_used_rows"), k))];
    for (size_t f = 0; f < d; f++)
        a.column[f] = c->fixed[f];
    struct kmeans_source s = kmeans_source_of_arrays(&a);
    struct kmeans_result r = {.centroids = c->centroids, .rows = c->sizes};
    CHECK_OK(kmeans_fit(&s, &(struct kmeans_options){.k = 8, .threads = 2, .start = start}, &r,
                        NULL));
    CHECK(r.converged);
    c->inertia = r.inertia * 0x1p-40;
}

static void clusters_of_claims_are_those_of_the_reference(void **state)
{
    struct claims c = {.data = real_data_open("vehicle_claims")};
    (void)state;
    if (!c.data) skip();
    const json_t *want =
        real_data_at(c.data, "classification", "kmeans_on_standardised_features", NULL);
    size_t n = c.data->n, d = c.data->d;
    claims_encode(&c);
    claims_cluster(&c, want);
    double inertia = json_number_value(json_object_get(want, "inertia"));
    CHECK(fabs(c.inertia - inertia) <= 1e-6 * inertia);
    struct kmeans_chunk chunk = {.n = n};
    for (size_t f = 0; f < d; f++)
        chunk.column[f] = c.fixed[f];
    uint32_t *labels = malloc(n * sizeof *labels);
    double *scores = malloc(n * sizeof *scores), sum = 0;
    uint8_t *fraud = malloc(n);
    uint64_t rows[8] = {0}, positive[8] = {0};
    CHECK_OK(screen_scores(c.centroids, 8, d, &chunk, labels, scores));
    for (size_t i = 0; i < n; i++) {
        fraud[i] = c.data->label[i] == 1;
        sum += scores[i] * scores[i];
    }
    CHECK(fabs(sum - inertia) <= 1e-6 * inertia);
    screen_rates_add(labels, fraud, NULL, n, 8, rows, positive);
    for (size_t k = 0; k < 8; k++) {
        double rate = json_number_value(
            json_array_get(json_object_get(want, "positive_rate_per_cluster"), k));
        CHECK((json_int_t)rows[k] ==
              json_integer_value(json_array_get(json_object_get(want, "sizes"), k)));
        CHECK(rows[k] == c.sizes[k]);
        CHECK(fabs((double)positive[k] / (double)rows[k] - rate) < 1e-11);
    }
    for (size_t f = 0; f < d; f++)
        free(c.fixed[f]);
    free(c.mean);
    free(labels);
    free(scores);
    free(fraud);
    real_data_close(c.data);
}

/* --- Rows made up ---------------------------------------------------------------------------
 */
enum { N = 9001, D = 3, K = 5 };
static int32_t column[D][N];
static double centroids[K * D];
static uint8_t used[N];

static void rows_make(void)
{
    struct random_state r;
    random_seed(&r, seed, 1);
    for (size_t i = 0; i < N; i++) {
        for (size_t f = 0; f < D; f++)
            column[f][i] = (int32_t)((random_unit(&r) + random_unit(&r) - 1) * 4 * 1048576);
        used[i] = random_next(&r) % 5 > 0;
    }
    for (size_t f = 0; f < D; f++)
        column[f][17] = 100 * 1048576; /* one far out */
    used[17] = 1;
    for (size_t i = 0; i < K * D; i++)
        centroids[i] = (random_unit(&r) - 0.5) * 4 * 1048576;
}

static struct kmeans_chunk chunk_made(void)
{
    return (struct kmeans_chunk){.n = N, .column = {column[0], column[1], column[2]}};
}

static void scores_are_distances_to_the_nearest_centroid(void **state)
{
    static double scores[N], again[N];
    static uint32_t labels[N];
    struct kmeans_chunk chunk = chunk_made();
    (void)state;
    CHECK_OK(screen_scores(centroids, K, D, &chunk, labels, scores));
    for (size_t i = 0; i < N; i++) {
        double least = INFINITY;
        for (size_t k = 0; k < K; k++) {
            double sum = 0;
            for (size_t f = 0; f < D; f++)
                sum += (column[f][i] - centroids[k * D + f]) *
                       (column[f][i] - centroids[k * D + f]);
            least = fmin(least, sqrt(sum) / 1048576);
        }
        CHECK(fabs(scores[i] - least) <= 1e-12 * least);
    }
    for (unsigned l = 0; l < 3; l++) {
        simd_level_limit(levels[l]);
        CHECK_OK(screen_scores(centroids, K, D, &chunk, NULL, again));
        CHECK(memcmp(scores, again, sizeof scores) == 0);
    }
    simd_level_limit(SIMD_LEVEL_512);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double middle_of(double *x, size_t n)
{
    qsort(x, n, sizeof *x, ascending);
    return n % 2 ? x[n / 2] : 0.5 * (x[n / 2 - 1] + x[n / 2]);
}

static void thresholds_are_those_of_sorting(void **state)
{
    static double scores[N], kept[N];
    static uint8_t flags[N];
    struct kmeans_chunk chunk = chunk_made();
    struct describe_array a = {N, scores, NULL, used};
    struct screen_threshold t, first;
    size_t n = 0;
    (void)state;
    CHECK_OK(screen_scores(centroids, K, D, &chunk, NULL, scores));
    for (size_t i = 0; i < N; i++)
        if (used[i]) kept[n++] = scores[i];
    double median = middle_of(kept, n);
    double top = kept[(size_t)(0.99 * (double)(n - 1))],
           next = kept[(size_t)(0.99 * (double)(n - 1)) + 1];
    for (size_t i = 0; i < n; i++)
        kept[i] = fabs(kept[i] - median);
    double mad = middle_of(kept, n);
    for (unsigned threads = 1; threads <= 7; threads++) {
        CHECK_OK(screen_threshold_of(&a, &(struct screen_rule){SCREEN_MAD, 3, 0}, threads, &t,
                                     NULL));
        if (threads == 1) first = t;
        CHECK(memcmp(&first, &t, sizeof t) == 0);
    }
    CHECK(fabs(t.median - median) <= 1e-15 * median && fabs(t.mad - mad) <= 1e-15);
    CHECK(fabs(t.threshold - (median + 3 * 1.4826 * mad)) <= 1e-14);
    uint64_t count = screen_flag(scores, used, N, t.threshold, flags), want = 0;
    for (size_t i = 0; i < N; i++) {
        CHECK(flags[i] == (used[i] && scores[i] > t.threshold));
        want += flags[i];
    }
    CHECK(count == want && flags[17] == 1);
    CHECK_OK(
        screen_threshold_of(&a, &(struct screen_rule){SCREEN_QUANTILE, 0, 0.99}, 2, &t, NULL));
    CHECK(t.threshold >= top && t.threshold <= next);
    count = screen_flag(scores, used, N, t.threshold, flags);
    CHECK(count == n - 1 - (size_t)(0.99 * (double)(n - 1)));
}

static void awkward_scores_end_well(void **state)
{
    static double same[50];
    uint8_t none[50] = {0}, flags[50];
    struct describe_array a = {50, same, NULL, NULL};
    struct screen_threshold t;
    struct num_place place;
    static const struct {
        struct screen_rule rule;
        size_t at;
    } wrong[] = {{{SCREEN_MAD, -1, 0}, 0},
                 {{SCREEN_MAD, NAN, 0}, 0},
                 {{SCREEN_MAD, INFINITY, 0}, 0},
                 {{SCREEN_QUANTILE, 0, 1.01}, 1},
                 {{SCREEN_QUANTILE, 0, NAN}, 1}};
    (void)state;
    for (size_t i = 0; i < 50; i++)
        same[i] = 2.5;
    same[49] = 3;
    CHECK_OK(screen_threshold_of(&a, &(struct screen_rule){SCREEN_MAD, 3, 0}, 1, &t, NULL));
    CHECK(t.median == 2.5 && t.mad == 0 && t.threshold == 2.5);
    CHECK(screen_flag(same, NULL, 50, t.threshold, flags) == 1 && flags[49] == 1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK_STATUS(screen_threshold_of(&a, &wrong[i].rule, 1, &t, &place), APEX_E_USAGE);
        CHECK(place.fault == NUM_OPTION && place.at == wrong[i].at);
    }
    a.used = none;
    CHECK_STATUS(
        screen_threshold_of(&a, &(struct screen_rule){SCREEN_MAD, 3, 0}, 1, &t, &place),
        APEX_E_DATA);
    CHECK(place.fault == NUM_NO_ROWS);
    a.n_rows = 0;
    CHECK_STATUS(screen_threshold_of(&a, &(struct screen_rule){SCREEN_MAD, 3, 0}, 1, &t, NULL),
                 APEX_E_DATA);
    struct kmeans_chunk chunk = chunk_made();
    CHECK_STATUS(screen_scores(centroids, 0, D, &chunk, NULL, same), APEX_E_USAGE);
}

static void rates_count_each_row_once(void **state)
{
    static uint32_t labels[N];
    static uint8_t positive[N];
    uint64_t rows[K] = {0}, hits[K] = {0}, want_rows[K] = {0}, want_hits[K] = {0};
    struct random_state r;
    (void)state;
    random_seed(&r, seed, 2);
    for (size_t i = 0; i < N; i++) {
        labels[i] = (uint32_t)(random_next(&r) % K);
        positive[i] = random_next(&r) % 7 == 0;
        want_rows[labels[i]] += used[i];
        want_hits[labels[i]] += used[i] & positive[i];
    }
    screen_rates_add(labels, positive, used, 6000, K, rows, hits);
    screen_rates_add(labels + 6000, positive + 6000, used + 6000, N - 6000, K, rows, hits);
    CHECK(memcmp(rows, want_rows, sizeof rows) == 0 &&
          memcmp(hits, want_hits, sizeof hits) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clusters_of_claims_are_those_of_the_reference),
        cmocka_unit_test(scores_are_distances_to_the_nearest_centroid),
        cmocka_unit_test(thresholds_are_those_of_sorting),
        cmocka_unit_test(awkward_scores_end_well), cmocka_unit_test(rates_count_each_row_once)};
    rows_make();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
