#include "common/num/choose.h"
#include "common/num/cover.h"
#include "common/num/random.h"
#include "tests/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 257, D = 3, K = 5 };
static int32_t column[D][N];
static uint32_t labels[N], weights[N];
static const uint8_t seed[32] = {9};

static void rows_make(void)
{
    struct random_state r;
    random_seed(&r, seed, 1);
    for (size_t i = 0; i < N; i++) {
        labels[i] = (uint32_t)(random_next(&r) % K);
        weights[i] = random_next(&r) % 6 > 0;
        for (size_t f = 0; f < D; f++)
            column[f][i] = (int32_t)((random_unit(&r) + labels[i] % 3) * 1e9);
    }
}

static double distance(size_t i, size_t j, size_t d)
{
    double sum = 0;
    for (size_t f = 0; f < d; f++)
        sum += pow((double)column[f][i] - column[f][j], 2);
    return sqrt(sum);
}

/* The definition, row by row. */
static double silhouette_by_hand(size_t n, size_t d, const uint32_t *weight)
{
    double total = 0, rows = 0;
    for (size_t i = 0; i < n; i++) {
        double sum[K] = {0}, count[K] = {0}, b = INFINITY;
        if (weight && !weight[i]) continue;
        for (size_t j = 0; j < n; j++) {
            if (j == i || (weight && !weight[j])) continue;
            sum[labels[j]] += distance(i, j, d);
            count[labels[j]]++;
        }
        rows++;
        for (size_t c = 0; c < K; c++)
            if (c != labels[i] && count[c] > 0) b = fmin(b, sum[c] / count[c]);
        double a = count[labels[i]] > 0 ? sum[labels[i]] / count[labels[i]] : 0;
        if (count[labels[i]] > 0 && fmax(a, b) > 0) total += (b - a) / fmax(a, b);
    }
    return total / rows;
}

static struct kmeans_chunk chunk_of(size_t n, const uint32_t *weight)
{
    return (struct kmeans_chunk){
        .n = n, .column = {column[0], column[1], column[2]}, .weights = weight};
}

static void silhouettes_are_those_of_the_definition(void **state)
{
    (void)state;
    for (size_t n = 20; n <= N; n += 79)
        for (size_t d = 1; d <= D; d++)
            for (unsigned weighed = 0; weighed < 2; weighed++) {
                struct kmeans_chunk c = chunk_of(n, weighed ? weights : NULL);
                double got;
                CHECK_OK(choose_silhouette(&c, d, labels, K, &got, NULL));
                CHECK(fabs(got - silhouette_by_hand(n, d, c.weights)) < 1e-12);
            }
}

static void awkward_clusters_have_an_end(void **state)
{
    static uint32_t one[N], apart[3] = {0, 1, 2};
    struct kmeans_chunk c = chunk_of(N, NULL), three = chunk_of(3, NULL);
    static int32_t same[4];
    struct kmeans_chunk equal = {.n = 4, .column = {same}}, none = chunk_of(0, NULL);
    struct num_place place;
    double got = -7;
    (void)state;
    CHECK_STATUS(choose_silhouette(&c, D, one, K, &got, &place), APEX_E_DATA);
    CHECK(place.fault == NUM_ONE_CLASS && got == -7);
    CHECK_OK(choose_silhouette(&three, D, apart, 3, &got, NULL));
    CHECK(got == 0); /* each is alone */
    CHECK_OK(choose_silhouette(&equal, 1, labels, K, &got, NULL));
    CHECK(got == 0); /* no distance anywhere */
    CHECK_STATUS(choose_silhouette(&none, D, labels, K, &got, &place), APEX_E_USAGE);
    CHECK(place.fault == NUM_OPTION && place.at == 0);
    CHECK_STATUS(choose_silhouette(&c, 0, labels, K, &got, &place), APEX_E_USAGE);
    CHECK(place.at == 1);
    CHECK_STATUS(choose_silhouette(&c, D, labels, 0, &got, &place), APEX_E_USAGE);
    CHECK(place.at == 2);
}

static void the_elbow_is_furthest_below_the_line(void **state)
{
    static const double bent[] = {100, 40, 20, 18, 16, 15}, straight[] = {3, 2, 1},
                        flat[] = {5, 5, 5}, two[] = {9, 1}, rising[] = {1, 2, 3};
    (void)state;
    CHECK(choose_elbow(bent, 6) == 2);
    CHECK(choose_elbow(straight, 3) == 0);
    CHECK(choose_elbow(flat, 3) == 0);
    CHECK(choose_elbow(two, 2) == 0);
    CHECK(choose_elbow(rising, 3) == 0);
    CHECK(choose_elbow(bent, 0) == 0);
}

/* --- Cover ---------------------------------------------------------------------------------
 */
enum { SETS = 9, ROWS = 100, WORDS = 2 };

static uint64_t union_of(const uint64_t *sets, const size_t *chosen, size_t n)
{
    uint64_t rows = 0;
    for (size_t w = 0; w < WORDS; w++) {
        uint64_t all = 0;
        for (size_t c = 0; c < n; c++)
            all |= sets[chosen[c] * WORDS + w];
        rows += (uint64_t)__builtin_popcountll(all);
    }
    return rows;
}

/* The fewest of all 2^SETS choices. */
static size_t fewest(const uint64_t *sets, uint64_t wanted)
{
    size_t best = SIZE_MAX;
    for (unsigned mask = 0; mask < 1u << SETS; mask++) {
        size_t chosen[SETS], n = 0;
        for (size_t s = 0; s < SETS; s++)
            if (mask >> s & 1) chosen[n++] = s;
        if (n < best && union_of(sets, chosen, n) >= wanted) best = n;
    }
    return best;
}

static void covers_reach_what_is_wanted_with_few(void **state)
{
    struct random_state r;
    size_t more = 0;
    (void)state;
    random_seed(&r, seed, 2);
    for (unsigned trial = 0; trial < 200; trial++) {
        uint64_t sets[SETS * WORDS] = {0};
        size_t chosen[SETS], n, all[SETS];
        for (size_t s = 0; s < SETS; s++) {
            all[s] = s;
            for (size_t i = 0; i < ROWS; i++)
                sets[s * WORDS + i / 64] |= (uint64_t)(random_next(&r) % 4 == 0) << i % 64;
        }
        uint64_t wanted = union_of(sets, all, SETS) * (trial % 10 + 1) / 10;
        CHECK_OK(cover_choose(sets, SETS, WORDS, wanted, 1, chosen, &n));
        CHECK(union_of(sets, chosen, n) >= wanted);
        size_t least = fewest(sets, wanted);
        CHECK((double)n <= (1 + log(ROWS)) * (double)least);
        more += n - least;
        for (size_t c = 0; c < n; c++) { /* none is superfluous */
            size_t rest[SETS], m = 0;
            for (size_t o = 0; o < n; o++)
                if (o != c) rest[m++] = chosen[o];
            CHECK(n == 1 || union_of(sets, rest, m) < wanted);
        }
    }
    CHECK(more < 60); /* of 200 trials: nearly always the fewest */
}

static void covers_count_in_steps(void **state)
{
    static const uint64_t sets[] = {0xfff, 0xffff, 0xff0000, 0x7};
    size_t chosen[4], n;
    (void)state;
    CHECK_OK(cover_choose(sets, 4, 1, 24, 10, chosen, &n));
    CHECK(n == 2 && chosen[0] == 0 && chosen[1] == 2); /* 20 rows; 24 are no step more */
    CHECK_OK(cover_choose(sets, 4, 1, 10, 10, chosen, &n));
    CHECK(n == 1 && chosen[0] == 0); /* 12 and 16 rows are one step alike */
    CHECK_OK(cover_choose(sets, 4, 1, 0, 1, chosen, &n));
    CHECK(n == 0);
    CHECK_OK(cover_choose(sets, 4, 1, 64, 64, chosen, &n));
    CHECK(n == 0); /* none adds a step */
    CHECK_STATUS(cover_choose(sets, 4, 1, 1, 0, chosen, &n), APEX_E_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silhouettes_are_those_of_the_definition),
        cmocka_unit_test(awkward_clusters_have_an_end),
        cmocka_unit_test(the_elbow_is_furthest_below_the_line),
        cmocka_unit_test(covers_reach_what_is_wanted_with_few),
        cmocka_unit_test(covers_count_in_steps)};
    rows_make();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
