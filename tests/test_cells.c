#include "common/num/cells.h"
#include "common/num/block.h"
#include "common/num/random.h"
#include "common/num/simd.h"
#include "tests/check.h"

#include <stdlib.h>
#include <string.h>

enum { N_MAX = 3 * BLOCK_ROWS, LABELS = 40, PARTIES = 5 };
static uint32_t label[N_MAX], second[N_MAX], pair[N_MAX];
static double weight[N_MAX];
static uint8_t mask[N_MAX], party[N_MAX];
static struct random_state randomness;

static size_t below(size_t n)
{
    return (size_t)(random_next(&randomness) % n);
}

static void rows_draw(size_t run)
{
    size_t in_hand = 0;
    for (size_t i = 0; i < N_MAX; i++) {
        label[i] = below(50) ? (uint32_t)below(LABELS + 3) : UINT32_MAX;
        second[i] = (uint32_t)below(7);
        weight[i] = below(4) ? (double)below(3) : -1.5;
        mask[i] = below(3) ? (uint8_t)below(256) : 0;
        if (i % run == 0) in_hand = below(PARTIES);
        party[i] = (uint8_t)in_hand;
    }
}

/* One row after the other. */
static void count_plainly(const struct cells_rows *r, size_t n_labels, uint64_t *counts)
{
    for (size_t i = 0; i < r->n; i++) {
        if (r->label[i] >= n_labels) continue;
        if (r->weight && !(r->weight[i] > 0)) continue;
        if (r->mask && !r->mask[i]) continue;
        counts[r->label[i] * PARTIES + (r->party ? r->party[i] : 0)]++;
    }
}

static void counts_are_those_of_a_plain_loop_at_every_level(void **state)
{
    static const size_t sizes[] = {0, 1, 7, 16, 100, BLOCK_ROWS, BLOCK_ROWS + 1, N_MAX},
                        runs[] = {1, 3, 1000, N_MAX}, labels[] = {0, 1, 7, 8, 9, LABELS};
    static uint64_t want[LABELS * PARTIES], got[LABELS * PARTIES];
    (void)state;
    for (size_t c = 0; c < 8 * 4 * 6 * 8; c++) {
        size_t n_labels = labels[c % 6], which = c / 6 % 8;
        if (c % 48 == 0) rows_draw(runs[c / 48 % 4]);
        struct cells_rows rows = {sizes[c / 48 / 4 % 8], label, which & 1 ? weight : NULL,
                                  which & 2 ? mask : NULL, which & 4 ? party : NULL};
        for (int level = SIMD_LEVEL_ANY; level <= SIMD_LEVEL_512; level++) {
            for (size_t k = 0; k < LABELS * PARTIES; k++)
                want[k] = got[k] = k;
            simd_level_limit((enum simd_level)level);
            count_plainly(&rows, n_labels, want);
            cells_count(&rows, n_labels, PARTIES, got);
            assert_memory_equal(want, got, sizeof want);
        }
    }
}

static void a_weight_that_is_no_number_counts_nowhere(void **state)
{
    const double odd[] = {1, 0.0 / 0.0, -0.0, 1e-300};
    const uint32_t zero[4] = {0};
    const struct cells_rows rows = {4, zero, odd, NULL, NULL};
    uint64_t count = 0;
    (void)state;
    cells_count(&rows, 1, 1, &count);
    assert_int_equal(count, 2);
}

static void pairs_tell_both_labels_or_neither(void **state)
{
    (void)state;
    rows_draw(10);
    for (int level = SIMD_LEVEL_ANY; level <= SIMD_LEVEL_512; level++) {
        simd_level_limit((enum simd_level)level);
        memset(pair, 7, sizeof pair);
        cells_pair(label, LABELS, second, 5, 1000, pair);
        for (size_t i = 0; i < 1000; i++)
            CHECK(label[i] < LABELS && second[i] < 5
                      ? pair[i] / 5 == label[i] && pair[i] % 5 == second[i]
                      : pair[i] == UINT32_MAX);
        CHECK(pair[1000] == 0x07070707);
    }
}

int main(void)
{
    static const uint8_t seed[32] = {9};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_those_of_a_plain_loop_at_every_level),
        cmocka_unit_test(a_weight_that_is_no_number_counts_nowhere),
        cmocka_unit_test(pairs_tell_both_labels_or_neither),
    };
    random_seed(&randomness, seed, 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
