#include "common/num/random.h"
#include "common/num/simd.h"
#include "common/num/sort.h"
#include "tests/check.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

enum { MOST = 5000 };
static const uint8_t seed[32] = {7};
static const enum simd_level levels[] = {SIMD_LEVEL_ANY, SIMD_LEVEL_256, SIMD_LEVEL_512};
/* Around each size at which the network changes its shape. */
static const size_t sizes[] = {0,    1,    2,    3,    5,    7,    8,   9,
                               63,   64,   65,   511,  512,  513,  777, 1023,
                               1024, 1025, 1535, 1537, 2048, 2049, 4999};

struct pair {
    double key;
    uint64_t payload;
};

static int64_t order(double x)
{
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits ^ ((bits >> 63) & INT64_MAX);
}

static int by_key_then_payload(const void *a, const void *b)
{
    const struct pair *p = a, *q = b;
    int64_t x = order(p->key), y = order(q->key);
    if (x != y) return x < y ? -1 : 1;
    return p->payload < q->payload ? -1 : p->payload > q->payload;
}

/* Kinds of rows: many ties, all different, already ordered, backwards, and awkward numbers. */
static double key_of(unsigned kind, size_t i, size_t n, struct random_state *r)
{
    static const double awkward[] = {0.0,     -0.0,     INFINITY, -INFINITY,      DBL_MIN,
                                     DBL_MAX, -DBL_MAX, 5e-324,   -5e-324,        1.0,
                                     -1.0,    1e-310,   -1e-310,  1 + DBL_EPSILON};
    switch (kind) {
    case 0: return (double)(random_next(r) % 5);
    case 1: return random_unit(r) - 0.5;
    case 2: return (double)i;
    case 3: return (double)(n - i);
    default: return awkward[random_next(r) % (sizeof awkward / sizeof *awkward)];
    }
}

static void rows_make(struct pair *rows, size_t n, unsigned kind)
{
    struct random_state r;
    random_seed(&r, seed, n * 5 + kind);
    for (size_t i = 0; i < n; i++)
        rows[i] = (struct pair){key_of(kind, i, n, &r), random_next(&r) % 7};
}

static void rows_check(const struct pair *rows, struct pair *sorted, size_t n)
{
    static double keys[MOST], narrow_keys[MOST], broad_keys[MOST];
    static uint32_t narrow[MOST];
    static uint64_t broad[MOST];
    memcpy(sorted, rows, n * sizeof *rows);
    qsort(sorted, n, sizeof *sorted, by_key_then_payload);
    for (size_t i = 0; i < n; i++) {
        keys[i] = narrow_keys[i] = broad_keys[i] = rows[i].key;
        narrow[i] = (uint32_t)rows[i].payload;
        broad[i] = rows[i].payload << 60 | rows[i].payload; /* compared without a sign */
    }
    static double plain[MOST];
    static uint64_t came[MOST];
    for (size_t i = 0; i < n; i++) {
        plain[i] = rows[i].key;
        came[i] = i;
    }
    CHECK_OK(sort_plain(plain, came, n));
    for (size_t i = 0; i < n; i++) {
        CHECK(memcmp(&plain[i], &sorted[i].key, sizeof *plain) == 0);
        CHECK(memcmp(&plain[i], &rows[came[i]].key, sizeof *plain) == 0);
        if (i && order(plain[i]) == order(plain[i - 1])) CHECK(came[i] > came[i - 1]);
    }
    sort_doubles(keys, n);
    sort_doubles_u32(narrow_keys, narrow, n);
    sort_doubles_u64(broad_keys, broad, n);
    for (size_t i = 0; i < n; i++) {
        CHECK(memcmp(&keys[i], &sorted[i].key, sizeof *keys) == 0);
        CHECK(memcmp(&narrow_keys[i], &sorted[i].key, sizeof *keys) == 0);
        CHECK(memcmp(&broad_keys[i], &sorted[i].key, sizeof *keys) == 0);
        CHECK(narrow[i] == sorted[i].payload);
        CHECK(broad[i] == (sorted[i].payload << 60 | sorted[i].payload));
    }
}

static void numbers_and_pairs_come_in_total_order_for_any_n_at_every_level(void **state)
{
    static struct pair rows[MOST], sorted[MOST];
    (void)state;
    for (size_t l = 0; l < sizeof levels / sizeof *levels; l++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            for (unsigned kind = 0; kind < 5; kind++) {
                simd_level_limit(levels[l]);
                rows_make(rows, sizes[s], kind);
                rows_check(rows, sorted, sizes[s]);
            }
    simd_level_limit(SIMD_LEVEL_512);
}

/* A network that sorts all rows of 0 and 1 sorts everything (Knuth, section 5.3.4, theorem Z):
 * all of them at once up to n = 16, as bits of the number of the row. */
static void the_network_sorts_every_row_of_zeros_and_ones(void **state)
{
    double keys[16];
    (void)state;
    for (size_t n = 1; n <= 16; n++)
        for (uint32_t bits = 0; bits < UINT32_C(1) << n; bits += n < 13 ? 1 : 11) {
            size_t ones = 0;
            for (size_t i = 0; i < n; i++)
                ones += (size_t)(keys[i] = bits >> i & 1);
            sort_doubles(keys, n);
            for (size_t i = 0; i < n; i++)
                CHECK(keys[i] == (i >= n - ones));
        }
}

static void nothing_beyond_the_last_row_is_touched(void **state)
{
    static double keys[MOST];
    static uint32_t narrow[MOST];
    static uint64_t broad[MOST];
    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        size_t n = sizes[s];
        for (size_t i = 0; i < MOST; i++) {
            keys[i] = i < n ? (double)(n - i) : -1;
            narrow[i] = (uint32_t)i;
            broad[i] = i;
        }
        sort_doubles_u32(keys, narrow, n);
        sort_doubles_u64(keys, broad, n);
        sort_doubles(keys, n);
        for (size_t i = n; i < MOST; i++)
            CHECK(keys[i] == -1 && narrow[i] == i && broad[i] == i);
    }
}

static void quantiles_are_those_of_numpy(void **state)
{
    static const double sorted[] = {-3, -1, 0, 2, 10};
    static const struct {
        size_t n;
        double q, want;
    } cases[] = {{5, 0, -3},     {5, 1, 10},   {5, 0.5, 0},  {5, 0.25, -1}, {5, 0.1, -2.2},
                 {5, 0.95, 8.4}, {1, 0.5, -3}, {2, 0.5, -2}, {4, 0.5, -0.5}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK(fabs(sorted_quantile(sorted, cases[i].n, cases[i].q) - cases[i].want) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_pairs_come_in_total_order_for_any_n_at_every_level),
        cmocka_unit_test(the_network_sorts_every_row_of_zeros_and_ones),
        cmocka_unit_test(nothing_beyond_the_last_row_is_touched),
        cmocka_unit_test(quantiles_are_those_of_numpy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
