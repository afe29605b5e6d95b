/* Leaks planted on purpose: a proof that cannot see these proves nothing. */
#include "tests/oblivious/secret.h"

#include "common/num/simd.h"

#include <immintrin.h>
#include <stdlib.h>

enum { N = 256 };
static double row[N];
static uint32_t label[N];
static uint64_t divisor[N];
static volatile double total;
static volatile uint64_t quotients;
static double counts[16];
static double *copy;

static void fill(uint64_t seed)
{
    for (size_t i = 0; i < N; i++) {
        row[i] = oblivious_unit(seed, i) - 0.5;
        label[i] = (uint32_t)(oblivious_number(seed, N + i) & 15);
    }
    for (size_t i = 0; i < N; i++)
        divisor[i] = oblivious_number(seed, 2 * N + i) >> 20 | 1;
    if (!copy) copy = calloc(N, sizeof *copy);
}

static void branches(void)
{
    secret(row, sizeof row);
    for (size_t i = 0; i < N; i++)
        if (row[i] > 0.49) total = total + 1;
}

static void indexes(void)
{
    secret(label, sizeof label);
    for (size_t i = 0; i < N; i++)
        counts[label[i]] += 1;
}

/* The first row that is above: a loop that ends early. */
static void ends_early(void)
{
    size_t i = 0;
    secret(row, sizeof row);
    while (i < N && row[i] < 0.45)
        i++;
    total = (double)i;
}

static void divides(void)
{
    uint64_t sum = 0;
    secret(divisor, sizeof divisor);
    for (size_t i = 0; i < N; i++)
        sum += 0xFFFFFFFFFFFFu / divisor[i];
    quotients = sum;
}

static void divides_in_registers(void)
{
    uint64_t sum = 1;
    secret(divisor, sizeof divisor);
    for (size_t i = 0; i < N; i++)
        sum += 0xFFFFFFFFFFFFu / (divisor[i] + sum);
    quotients = sum;
}

static void stores_under_a_mask(void)
{
    secret(row, sizeof row);
    for (size_t i = 0; i < N; i += 8)
        if (row[i] > 0) copy[i] = row[i];
}

/* By the instructions of each level: a gather; a store of the lanes that are above. */
SIMD_512 static void gathers_512(void)
{
    __m512d sum = _mm512_setzero_pd();
    for (size_t i = 0; i < N; i += 8)
        sum = _mm512_add_pd(
            sum, _mm512_i32gather_pd(_mm256_loadu_si256((const void *)(label + i)), counts, 8));
    total = _mm512_reduce_add_pd(sum);
}

SIMD_256 static void gathers_256(void)
{
    __m256d sum = _mm256_setzero_pd();
    for (size_t i = 0; i < N; i += 4)
        sum = _mm256_add_pd(
            sum, _mm256_i32gather_pd(counts, _mm_loadu_si128((const void *)(label + i)), 8));
    total = sum[0] + sum[1];
}

static void gathers(void)
{
    secret(label, sizeof label);
    if (simd_level() == SIMD_LEVEL_512)
        gathers_512();
    else if (simd_level() == SIMD_LEVEL_256)
        gathers_256();
    else
        total = counts[label[0]];
}

SIMD_512 static void stores_512(void)
{
    for (size_t i = 0; i < N; i += 8) {
        __m512d x = _mm512_loadu_pd(row + i);
        _mm512_mask_storeu_pd(copy + i, _mm512_cmp_pd_mask(x, _mm512_setzero_pd(), _CMP_GT_OQ),
                              x);
    }
}

SIMD_512 static void packs_512(void)
{
    for (size_t i = 0; i < N; i += 8) {
        __m512d x = _mm512_loadu_pd(row + i);
        _mm512_mask_compressstoreu_pd(
            copy + i, _mm512_cmp_pd_mask(x, _mm512_setzero_pd(), _CMP_GT_OQ), x);
    }
}

static void stores_lanes(void)
{
    if (simd_level() == SIMD_LEVEL_512)
        stores_512();
    else
        stores_under_a_mask();
}

static void packs_lanes(void)
{
    if (simd_level() == SIMD_LEVEL_512)
        packs_512();
    else
        stores_under_a_mask();
}

/* And one that is none, without which red would prove as little. */
static void selects(void)
{
    double sum = 0;
    uint64_t above = 0;
    secret(row, sizeof row);
    secret(label, sizeof label);
    for (size_t i = 0; i < N; i++) {
        sum += row[i];
        above += label[i] > 7;
    }
    declassify(&sum, sizeof sum);
    declassify(&above, sizeof above);
    total = sum + (double)above;
}

static const struct oblivious_case cases[] = {
    {"a branch on a row", fill, branches, .caught = true},
    {"an index by a label", fill, indexes, .caught = true},
    {"a loop that ends early", fill, ends_early, .caught = true},
    {"a division by an integer", fill, divides, .caught = true, .unseen_by_valgrind = true},
    {"another division", fill, divides_in_registers, .caught = true,
     .unseen_by_valgrind = true},
    {"a store under a secret condition", fill, stores_under_a_mask, .caught = true},
    {"a gather by labels", fill, gathers, .caught = true},
    {"a store of some lanes", fill, stores_lanes, .caught = true},
    {"a store of some lanes side by side", fill, packs_lanes, .caught = true},
    {"a sum and a count by comparison", fill, selects},
};
OBLIVIOUS(cases)
