/* k-means on boxes of rows gives the bytes of k-means on rows. */
#include "common/num/kmeans.h"
#include "common/num/kmeans_locate.h"
#include "common/num/kmeans_order.h"
#include "common/num/random.h"
#include "common/num/simd.h"
#include "tests/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { N = 2000, DIMS = KMEANS_PRUNED_DIMS + 1, K = 48 };

static const uint8_t seed[32] = {9, 8, 7};
static struct random_state r;
static int32_t column[DIMS][N];
static uint32_t weights[N];

static int32_t whole(void)
{
    return (int32_t)(uint32_t)(random_next(&r) >> 32);
}

static size_t below(size_t n)
{
    return (size_t)(random_next(&r) % n);
}

/* Rows of many shapes, each by the coordinate and the row. */
static int32_t hills(size_t j, size_t i)
{
    static int32_t hill[20][DIMS];
    if (i == 0)
        for (size_t h = 0; h < 20; h++)
            hill[h][j] = whole() / 2;
    return hill[i * 7 % 20][j] + whole() / 256;
}

static int32_t anywhere(size_t j, size_t i)
{
    (void)j;
    (void)i;
    return whole();
}

static int32_t a_few_places(size_t j, size_t i)
{
    static const int32_t place[] = {-5, 0, 3, 1000000, -77777777};
    return place[(i * (j + 3) + i / 7) % 5];
}

static int32_t one_place(size_t j, size_t i)
{
    (void)i;
    return (int32_t)j * 1234567 - 7;
}

static int32_t on_a_line(size_t j, size_t i)
{
    static int32_t at[N];
    if (j == 0) at[i] = whole() / 8;
    return at[i] * (int32_t)(j + 1) + 11;
}

static int32_t on_a_lattice(size_t j, size_t i) /* many rows as near to two centroids */
{
    return (int32_t)(i / (j ? j * 30 : 1) % 30) * 1000;
}

static int32_t at_the_ends(size_t j, size_t i)
{
    (void)j;
    (void)i;
    static const int32_t end[] = {INT32_MIN, INT32_MAX, INT32_MIN + 1, INT32_MAX - 1, 0};
    return end[below(5)];
}

static int32_t close_but_one(size_t j, size_t i) /* differences that rounding hides */
{
    (void)j;
    return i == 17 ? INT32_MIN : 2000000000 + (int32_t)below(40);
}

static int32_t in_rings(size_t j, size_t i)
{
    double turn = (double)i * 0.1, far = 1e8 * (double)(i % 5 + 1);
    return (int32_t)(far * (j % 2 ? sin(turn) : cos(turn)));
}

static int32_t (*const shapes[])(size_t, size_t) = {hills,       anywhere,      a_few_places,
                                                    one_place,   on_a_line,     on_a_lattice,
                                                    at_the_ends, close_but_one, in_rings};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static void rows_make(size_t shape, size_t n)
{
    for (size_t j = 0; j < DIMS; j++)
        for (size_t i = 0; i < n; i++)
            column[j][i] = shapes[shape](j, i);
    for (size_t i = 0; i < n; i++)
        weights[i] = below(5) == 0   ? 0
                     : below(7) == 0 ? UINT32_MAX - (uint32_t)below(9)
                                     : (uint32_t)below(100);
}

/* Rows, or beside rows, or far from all, or all the same. */
static void start_make(size_t kind, size_t n, size_t k, size_t d, double *start)
{
    for (size_t c = 0; c < k; c++) {
        size_t row = below(n);
        for (size_t j = 0; j < d; j++)
            start[c * d + j] = kind == 0   ? column[j][row]
                               : kind == 1 ? column[j][row] + random_unit(&r) - 0.5
                               : kind == 2 ? (c % 3 ? column[j][row] : 0x1p32 * random_unit(&r))
                                           : column[j][c % 2];
    }
}

struct answer {
    apex_status status;
    struct num_place place;
    double centroids[K * DIMS];
    uint64_t weights[K], rows[K];
    struct kmeans_result r;
};

static void fit(const struct kmeans_arrays *a, struct kmeans_options o, enum kmeans_mode mode,
                struct answer *out)
{
    struct kmeans_source source = kmeans_source_of_arrays(a);
    memset(out, 0, sizeof *out);
    o.mode = mode;
    out->r = (struct kmeans_result){
        .centroids = out->centroids, .weights = out->weights, .rows = out->rows};
    out->status = kmeans_fit(&source, &o, &out->r, &out->place);
}

static bool same(const struct answer *a, const struct answer *b, size_t k, size_t d)
{
    return a->status == b->status && a->place.fault == b->place.fault &&
           a->place.at == b->place.at && a->r.rounds == b->r.rounds &&
           a->r.converged == b->r.converged && a->r.seed_rows == b->r.seed_rows &&
           memcmp(&a->r.inertia, &b->r.inertia, sizeof(double)) == 0 &&
           memcmp(a->centroids, b->centroids, k * d * sizeof(double)) == 0 &&
           memcmp(a->weights, b->weights, k * sizeof(uint64_t)) == 0 &&
           memcmp(a->rows, b->rows, k * sizeof(uint64_t)) == 0;
}

static struct kmeans_arrays arrays(size_t n, size_t d, bool weighted, size_t chunk_rows)
{
    struct kmeans_arrays a = {
        .n = n, .d = d, .weights = weighted ? weights : NULL, .chunk_rows = chunk_rows};
    for (size_t j = 0; j < d; j++)
        a.column[j] = column[j];
    return a;
}

static struct answer expected, found;

static void compare(size_t n, size_t d, size_t k, bool weighted, const double *start,
                    unsigned max_rounds)
{
    struct kmeans_arrays a = arrays(n, d, weighted, 1 + below(n));
    struct kmeans_options o = {.k = k,
                               .seed = seed,
                               .start = start,
                               .max_rounds = max_rounds,
                               .restarts = 1 + (unsigned)below(3)};
    simd_level_limit(SIMD_LEVEL_512);
    fit(&a, o, KMEANS_OBLIVIOUS, &expected);
    for (int level = SIMD_LEVEL_ANY; level <= SIMD_LEVEL_512; level++) {
        simd_level_limit((enum simd_level)level);
        o.threads = 1 + (unsigned)below(4);
        a.chunk_rows = 1 + below(n);
        fit(&a, o, KMEANS_PRUNED, &found);
        CHECK(same(&expected, &found, k, d));
    }
    simd_level_limit(SIMD_LEVEL_512);
}

static void every_shape_of_rows_and_start_gives_the_same_bytes(void **state)
{
    static const size_t rows[] = {1, 2, 31, 32, 33, 257, 800, N}, clusters[] = {1, 2, 5, 16, K};
    double start[K * DIMS];
    (void)state;
    random_seed(&r, seed, 1);
    for (size_t shape = 0; shape < SHAPES; shape++)
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            for (size_t d = 1; d <= DIMS; d++) {
                size_t n = rows[i], k = clusters[below(5)];
                if (k > n) k = n;
                rows_make(shape, n);
                start_make(below(4), n, k, d, start);
                compare(n, d, k, below(2), below(3) ? start : NULL, 1 + (unsigned)below(8));
            }
}

static void hundreds_of_rounds_give_the_same_bytes(void **state)
{
    double start[K * DIMS];
    (void)state;
    random_seed(&r, seed, 2);
    for (size_t shape = 0; shape < SHAPES; shape++)
        for (size_t d = 2; d <= 3; d++) {
            rows_make(shape, N);
            start_make(shape % 4, N, 30, d, start);
            compare(N, d, 30, d == 3, start, 300);
            compare(N, d, 1 + below(K), d == 2, NULL, 300); /* from k-means++ */
        }
}

static void more_clusters_than_places_end_with_empty_ones(void **state)
{
    double start[K * 2];
    (void)state;
    random_seed(&r, seed, 3);
    rows_make(2, N);
    start_make(3, N, K, 2, start);
    compare(N, 2, K, false, start, 0);
    CHECK(found.status == APEX_OK && found.r.converged);
    size_t empty = 0; /* there are 25 places */
    for (size_t c = 0; c < K; c++)
        empty += found.rows[c] == 0;
    CHECK(empty >= K - 25);
    compare(N, 2, K, true, NULL, 0);
}

static void bad_input_gets_the_same_status_and_place(void **state)
{
    double start[K * 2];
    (void)state;
    random_seed(&r, seed, 4);
    rows_make(0, 200);
    start_make(0, 200, 5, 2, start);
    memset(weights, 0, sizeof weights);
    compare(200, 2, 5, true, start, 0);
    CHECK(found.status == APEX_E_DATA && found.place.fault == NUM_NO_ROWS);
    weights[3] = weights[4] = 1;
    compare(200, 2, 5, true, start, 0);
    CHECK(found.status == APEX_E_DATA && found.place.fault == NUM_FEWER_THAN_K &&
          found.place.at == 2);
    compare(200, 2, 5, true, NULL, 0);
    CHECK(found.status == APEX_E_DATA && found.place.at == 2);
    compare(4, 2, 5, false, start, 0);
    CHECK(found.status == APEX_E_USAGE && found.place.fault == NUM_FEWER_THAN_K);
    start[3] = NAN;
    compare(200, 2, 5, false, start, 0);
    CHECK(found.status == APEX_E_USAGE && found.place.fault == NUM_NOT_FINITE);
}

static apex_status short_chunk(void *context, size_t index, unsigned thread,
                               struct kmeans_chunk *out)
{
    (void)thread;
    *out =
        (struct kmeans_chunk){.n = *(const size_t *)context, .column = {column[0], column[1]}};
    if (index == 1) out->weights = weights;
    return APEX_OK;
}

static void chunks_that_do_not_add_up_are_refused(void **state)
{
    static const size_t wrong[] = {99, 101, SIZE_MAX / 2};
    double start[4] = {0, 0, 1, 1}, centroids[4];
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        size_t n = i < 3 ? wrong[i] : 100;
        struct kmeans_source s = {
            .n = 100, .d = 2, .n_chunks = 1 + (i == 4), .chunk = short_chunk, .context = &n};
        struct kmeans_options o = {.k = 2, .start = start, .mode = KMEANS_PRUNED};
        struct kmeans_result result = {.centroids = centroids};
        struct num_place place;
        apex_status status = kmeans_fit(&s, &o, &result, &place);
        CHECK(i == 3 ? status == APEX_OK
                     : status == APEX_E_USAGE && place.fault == NUM_OPTION && place.at == 4);
    }
}

/* By hand, and in another order of rows. */
static void a_round_is_the_means_of_the_nearest_by_brute_force(void **state)
{
    enum { ROWS = 500, CLUSTERS = 13 };
    double start[CLUSTERS * 2];
    struct answer other;
    (void)state;
    random_seed(&r, seed, 5);
    rows_make(1, ROWS);
    start_make(0, ROWS, CLUSTERS, 2, start);
    compare(ROWS, 2, CLUSTERS, true, start, 1);
    long double sum[CLUSTERS][2] = {{0}}, weight[CLUSTERS] = {0};
    for (size_t i = 0; i < ROWS; i++) {
        long double least = INFINITY;
        size_t best = 0;
        for (size_t c = 0; c < CLUSTERS; c++) {
            long double x = column[0][i] - (long double)start[2 * c],
                        y = column[1][i] - (long double)start[2 * c + 1];
            if (x * x + y * y >= least) continue;
            least = x * x + y * y;
            best = c;
        }
        weight[best] += weights[i];
        sum[best][0] += (long double)weights[i] * column[0][i];
        sum[best][1] += (long double)weights[i] * column[1][i];
    }
    for (size_t c = 0; c < CLUSTERS; c++)
        for (size_t j = 0; j < 2 && weight[c] > 0; j++)
            CHECK(fabsl(sum[c][j] / weight[c] - found.centroids[2 * c + j]) < 1e-6L);
    for (size_t i = ROWS - 1; i > 0; i--) { /* rows change places */
        size_t with = below(i + 1);
        for (size_t j = 0; j < 2; j++) {
            int32_t x = column[j][i];
            column[j][i] = column[j][with];
            column[j][with] = x;
        }
        uint32_t w = weights[i];
        weights[i] = weights[with];
        weights[with] = w;
    }
    other = found;
    compare(ROWS, 2, CLUSTERS, true, start, 1);
    CHECK(same(&other, &found, CLUSTERS, 2));
}

static void many_rows_over_threads_give_the_same_bytes(void **state)
{
    enum { MANY = 300000 };
    int32_t *x = malloc(2 * MANY * sizeof *x);
    struct kmeans_arrays a = {.n = MANY, .d = 2, .column = {x, x + MANY}};
    struct kmeans_options o = {.k = 50, .seed = seed, .max_rounds = 12};
    (void)state;
    random_seed(&r, seed, 6);
    for (size_t i = 0; i < MANY; i++)
        for (size_t j = 0; j < 2; j++)
            x[j * MANY + i] = hills(j, i);
    fit(&a, o, KMEANS_OBLIVIOUS, &expected);
    for (o.threads = 1; o.threads <= 5; o.threads += 2) {
        fit(&a, o, KMEANS_PRUNED, &found);
        CHECK(found.status == APEX_OK && same(&expected, &found, 50, 2));
    }
    free(x);
}

/* Of memory in the address space, only so much more. */
static void memory_limit(size_t more, struct rlimit *before)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    CHECK(f && fscanf(f, "%lu", &pages) == 1);
    fclose(f);
    getrlimit(RLIMIT_AS, before);
    struct rlimit now = {pages * (size_t)sysconf(_SC_PAGESIZE) + more, before->rlim_max};
    CHECK(setrlimit(RLIMIT_AS, &now) == 0);
}

static void without_memory_for_a_tree_rows_are_passed_one_by_one(void **state)
{
    enum { MANY = 1000000 };
#ifdef __SANITIZE_ADDRESS__
    skip(); /* it reserves its shadow when it likes */
#endif
    int32_t *x = malloc(2 * MANY * sizeof *x);
    double start[2 * 4];
    struct kmeans_arrays a = {.n = MANY, .d = 2, .column = {x, x + MANY}};
    struct kmeans_options o = {.k = 4, .start = start, .max_rounds = 2};
    struct rlimit before;
    (void)state;
    random_seed(&r, seed, 8);
    for (size_t i = 0; i < 2 * MANY; i++)
        x[i] = whole();
    for (size_t i = 0; i < 8; i++)
        start[i] = x[i];
    fit(&a, o, KMEANS_OBLIVIOUS, &expected);
    memory_limit(3 << 20, &before); /* the rows alone take 8 MB */
    fit(&a, o, KMEANS_PRUNED, &found);
    setrlimit(RLIMIT_AS, &before);
    CHECK(found.status == APEX_OK && same(&expected, &found, 4, 2));
    free(x);
}

static void labels_by_place_are_those_of_all_distances(void **state)
{
    static uint32_t labels[N], by_place[N];
    double start[K * DIMS];
    (void)state;
    random_seed(&r, seed, 7);
    for (size_t i = 0; i < SHAPES * KMEANS_PRUNED_DIMS * 12; i++) {
        size_t d = 1 + i / SHAPES % KMEANS_PRUNED_DIMS, k = 1 + below(i % 3 ? K : 6);
        struct kmeans_locator *locator;
        struct kmeans_arrays a = arrays(N, d, false, 0);
        struct kmeans_chunk all = {.n = N};
        memcpy(all.column, a.column, sizeof all.column);
        rows_make(i % SHAPES, N);
        start_make(below(4), N, k, d, start);
        if (below(4) == 0) /* other rows than the centroids are of: many outside all cells */
            rows_make(below(SHAPES), N);
        CHECK_OK(kmeans_assign(start, k, d, &all, labels, NULL));
        simd_level_limit((enum simd_level)below(3));
        CHECK_OK(kmeans_locator_new(start, k, d, &locator));
        kmeans_locate(locator, &all, by_place);
        CHECK(memcmp(labels, by_place, sizeof labels) == 0);
        kmeans_locator_free(locator);
        simd_level_limit(SIMD_LEVEL_512);
    }
    struct kmeans_locator *none = NULL;
    CHECK(kmeans_locator_new(start, 0, 2, &none) == APEX_E_USAGE && !none);
    CHECK(kmeans_locator_new(start, 2, 0, &none) == APEX_E_USAGE && !none);
    CHECK(kmeans_locator_new(start, 2, KMEANS_PRUNED_DIMS + 1, &none) == APEX_E_USAGE && !none);
}

/* Ordering loses no row, and rows beside each other are near: on a lattice, 16 of them would
 * fit a box of 3 by 3 steps at best; line by line it would be 15. */
static void order_keeps_rows_and_brings_neighbours_together(void **state)
{
    enum { SIDE = 32, RUN = 16 };
    struct order_rows rows;
    bool seen[SIDE * SIDE] = {false};
    int32_t steps = 0;
    (void)state;
    CHECK_OK(order_rows_open(&rows, SIDE * SIDE, 2, 3));
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        size_t at = i * 389 % (SIDE * SIDE);
        rows.column[0][i] = (int32_t)(at / SIDE) - 5;
        rows.column[1][i] = (int32_t)(at % SIDE);
        rows.column[2][i] = (int32_t)at;
    }
    CHECK_OK(order_rows_sort(&rows, RUN, 2));
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        size_t at = (size_t)rows.column[2][i];
        CHECK(!seen[at] && rows.column[0][i] == (int32_t)(at / SIDE) - 5 &&
              rows.column[1][i] == (int32_t)(at % SIDE));
        seen[at] = true;
    }
    for (size_t i = 0; i < SIDE * SIDE; i += RUN)
        for (size_t j = 0; j < 2; j++) {
            int32_t low = INT32_MAX, high = INT32_MIN;
            for (size_t at = i; at < i + RUN; at++) {
                low = rows.column[j][at] < low ? rows.column[j][at] : low;
                high = rows.column[j][at] > high ? rows.column[j][at] : high;
            }
            steps += high - low;
        }
    CHECK(steps <= SIDE * SIDE / RUN * 8);
    order_rows_close(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_of_rows_and_start_gives_the_same_bytes),
        cmocka_unit_test(hundreds_of_rounds_give_the_same_bytes),
        cmocka_unit_test(more_clusters_than_places_end_with_empty_ones),
        cmocka_unit_test(bad_input_gets_the_same_status_and_place),
        cmocka_unit_test(chunks_that_do_not_add_up_are_refused),
        cmocka_unit_test(a_round_is_the_means_of_the_nearest_by_brute_force),
        cmocka_unit_test(many_rows_over_threads_give_the_same_bytes),
        cmocka_unit_test(without_memory_for_a_tree_rows_are_passed_one_by_one),
        cmocka_unit_test(labels_by_place_are_those_of_all_distances),
        cmocka_unit_test(order_keeps_rows_and_brings_neighbours_together)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
