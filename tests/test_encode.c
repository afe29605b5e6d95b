#include "common/num/encode.h"
#include "common/num/random.h"
#include "common/num/simd.h"
#include "tests/check.h"
#include "tests/real_data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 5003 };
static const uint8_t seed[32] = {5, 5};
static const enum simd_level levels[] = {SIMD_LEVEL_512, SIMD_LEVEL_256, SIMD_LEVEL_ANY};

static void fixed_point_is_the_nearest_step_within_the_clamp(void **state)
{
    static double x[N];
    static int32_t got[3][N];
    const double mean = 12.5, sd = 0.75, most = 2047.0 * 1048576;
    struct random_state r;
    (void)state;
    random_seed(&r, seed, 1);
    for (size_t i = 0; i < N; i++)
        x[i] = mean + ldexp(random_unit(&r) - 0.5, (int)(random_next(&r) % 30) - 14);
    x[0] = 1e300;
    x[1] = -1e300;
    x[2] = mean;
    x[3] = mean + sd * 2047;
    x[4] = mean - sd * 2047.5;
    x[5] = -1.7e308;
    for (unsigned l = 0; l < 3; l++) {
        simd_level_limit(levels[l]);
        encode_fixed(x, N, mean, sd, got[l]);
    }
    simd_level_limit(SIMD_LEVEL_512);
    CHECK(memcmp(got[0], got[1], sizeof got[0]) == 0);
    CHECK(memcmp(got[0], got[2], sizeof got[0]) == 0);
    size_t clamped = 0;
    for (size_t i = 0; i < N; i++) {
        long double want = ((long double)x[i] - mean) / sd * 1048576;
        if (fabsl(want) >= most) {
            CHECK(got[0][i] == (want > 0 ? 2146435072 : -2146435072));
            clamped++;
        } else {
            CHECK(fabsl(got[0][i] - want) <= 0.5L + 1e-6L);
        }
    }
    CHECK(clamped > 4 && clamped < N / 2);
    CHECK(got[0][2] == 0);
}

static void whole_tables_are_encoded_by_any_number_of_threads(void **state)
{
    static double x[2][3 * BLOCK_ROWS], w[3 * BLOCK_ROWS];
    static int32_t fixed[2][3 * BLOCK_ROWS], one[3 * BLOCK_ROWS];
    static uint32_t weights[3 * BLOCK_ROWS];
    const double *const columns[2] = {x[0], x[1]}, mean[2] = {0.5, 1}, sd[2] = {0.25, 3};
    const size_t n = 3 * BLOCK_ROWS - 77;
    struct num_arrays a = {n, 2, columns, w, NULL, NULL};
    struct num_source s;
    struct random_state r;
    (void)state;
    random_seed(&r, seed, 2);
    for (size_t i = 0; i < n; i++) {
        x[0][i] = random_unit(&r);
        x[1][i] = random_unit(&r) * 10;
        w[i] = (double)(random_next(&r) % 3) / 2;
    }
    CHECK_OK(num_source_of_arrays(&a, &s));
    for (unsigned threads = 1; threads < 5; threads++) {
        memset(fixed, 0, sizeof fixed);
        encode_fixed_rows(&s, threads, mean, sd, (int32_t *const[]){fixed[0], fixed[1]},
                          weights);
        for (size_t f = 0; f < 2; f++) {
            encode_fixed(x[f], n, mean[f], sd[f], one);
            CHECK(memcmp(one, fixed[f], n * sizeof *one) == 0);
        }
        for (size_t i = 0; i < n; i++)
            CHECK(weights[i] == (w[i] > 0));
    }
    num_source_of_arrays_free(&s);
}

static struct encode_text text(const char *bytes)
{
    return (struct encode_text){bytes, strlen(bytes)};
}

static void categories_are_in_bytewise_order_each_once(void **state)
{
    struct encode_text texts[] = {text("rent"), text("\xc3\xa9"), text("own"), text(""),
                                  text("rent"), text("renter"),   text("Own"), text("own")};
    static const char *const want[] = {"", "Own", "own", "rent", "renter", "\xc3\xa9"};
    (void)state;
    size_t n = encode_categories(texts, 8);
    assert_int_equal(n, 6);
    for (size_t i = 0; i < n; i++) {
        CHECK(texts[i].len == strlen(want[i]) &&
              memcmp(texts[i].bytes, want[i], texts[i].len) == 0);
        CHECK(encode_rank(texts, n, text(want[i])) == i);
    }
    CHECK(encode_rank(texts, n, text("ren")) == n);
    CHECK(encode_rank(texts, 0, text("ren")) == 0 && encode_categories(texts, 0) == 0);
}

static void codes_become_ranks_and_columns_without_an_index(void **state)
{
    static uint32_t codes[N], ranks[N];
    static double column[N];
    static const uint32_t rank_of[] = {4, 0, 2, 2, 7};
    struct random_state r;
    (void)state;
    random_seed(&r, seed, 3);
    for (size_t i = 0; i < N; i++)
        codes[i] = (uint32_t)(random_next(&r) % 7);
    codes[9] = UINT32_MAX;
    for (unsigned l = 0; l < 3; l++) {
        simd_level_limit(levels[l]);
        encode_recode(codes, N, rank_of, 5, ranks);
        for (size_t i = 0; i < N; i++)
            CHECK(ranks[i] == (codes[i] < 5 ? rank_of[codes[i]] : UINT32_MAX));
    }
    simd_level_limit(SIMD_LEVEL_512);
    encode_one_hot(ranks, N, 2, column);
    for (size_t i = 0; i < N; i++)
        CHECK(column[i] == (ranks[i] == 2 ? 1.0 : 0.0));
    encode_recode(codes, N, rank_of, 5, codes); /* in place */
    CHECK(memcmp(codes, ranks, sizeof ranks) == 0);
}

static void hashes_are_those_published(void **state)
{
    struct encode_key key = {{0, 0}}; /* the paper's: bytes 0 to 15, message 0 to 7 */
    (void)state;
    CHECK(encode_hash(1, 0) == UINT64_C(14135772400868000056));
    CHECK(encode_hash(1, 1) == UINT64_C(2324861979054413167));
    CHECK(encode_hash(2, 0) == UINT64_C(16695506628682495282));
    CHECK(encode_hash(3, 0) == UINT64_C(5741395155545305595));
    key.k[0] = UINT64_C(0x0706050403020100);
    key.k[1] = UINT64_C(0x0f0e0d0c0b0a0908);
    CHECK(encode_keyed_hash(&key, UINT64_C(0x0706050403020100)) ==
          UINT64_C(0x93f5f5799a932462)); /* as `openssl mac SIPHASH` says too */
}

static void splits_follow_seed_and_row_alone(void **state)
{
    static uint8_t whole[N], part[N], keyed[N], other[N];
    const struct encode_split s = {1, NULL, 10, 7};
    struct encode_key a = encode_key_of(seed, 1), b = encode_key_of(seed, 2);
    struct real_data *r = real_data_open("iris");
    (void)state;
    encode_test_rows(&s, 0, N, whole);
    encode_test_rows(&s, 0, 1000, part);
    encode_test_rows(&s, 1000, N - 1000, part + 1000);
    CHECK(memcmp(whole, part, N) == 0);
    encode_test_rows(&(struct encode_split){1, &a, 10, 7}, 0, N, keyed);
    encode_test_rows(&(struct encode_split){1, &b, 10, 7}, 0, N, other);
    size_t n_whole = 0, n_keyed = 0, same = 0;
    for (size_t i = 0; i < N; i++) {
        n_whole += whole[i];
        n_keyed += keyed[i];
        same += keyed[i] == other[i];
        CHECK(whole[i] == (encode_hash(1, i) % 10 >= 7));
    }
    CHECK(n_whole > N / 4 && n_whole < N / 3 && n_keyed > N / 4 && n_keyed < N / 3);
    CHECK(same < N * 2 / 3); /* 0.7^2 + 0.3^2 = 0.58 of the rows */
    if (!r) skip();
    for (size_t i = 0; i < r->n; i++)
        CHECK(whole[r->row[i]] == r->is_test[i]);
    real_data_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_point_is_the_nearest_step_within_the_clamp),
        cmocka_unit_test(whole_tables_are_encoded_by_any_number_of_threads),
        cmocka_unit_test(categories_are_in_bytewise_order_each_once),
        cmocka_unit_test(codes_become_ranks_and_columns_without_an_index),
        cmocka_unit_test(hashes_are_those_published),
        cmocka_unit_test(splits_follow_seed_and_row_alone)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
