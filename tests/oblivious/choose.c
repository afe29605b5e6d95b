/* How many clusters, and which sets cover. */
#include "common/num/choose.h"
#include "common/num/cover.h"
#include "tests/oblivious/secret.h"

enum { ROWS = 150, DIMS = 2, K = 3, SETS = 4, WORDS = 2 };
static int32_t column[DIMS][ROWS];
static uint32_t labels[ROWS], weights[ROWS];
static uint64_t sets[SETS * WORDS];
static size_t n;

static void fill(uint64_t seed)
{
    n = rows_watched(ROWS, 7);
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t f = 0; f < DIMS; f++)
            column[f][i] = (int32_t)(oblivious_number(seed, 1000 * f + i) >> 32);
        labels[i] = (uint32_t)(i < K ? i : oblivious_number(seed, 5000 + i) % K);
        weights[i] = i < K || oblivious_number(seed, 6000 + i) % 4 > 0;
    }
}

static void silhouette(void)
{
    struct kmeans_chunk chunk = {.n = n, .column = {column[0], column[1]}, .weights = weights};
    double mean;
    secret(column, sizeof column);
    secret(labels, sizeof labels);
    secret(weights, sizeof weights);
    if (choose_silhouette(&chunk, DIMS, labels, K, &mean, NULL) != APEX_OK) __builtin_trap();
}

/* Two sets of one step each, up to eight of their rows missing, and two that add none. */
static void sets_fill(uint64_t seed)
{
    for (size_t s = 0; s < SETS; s++)
        for (size_t w = 0; w < WORDS; w++)
            sets[s * WORDS + w] = 0;
    for (size_t s = 0; s < WORDS; s++) {
        sets[s * WORDS + s] = ~UINT64_C(0);
        for (size_t i = 0; i < 8; i++)
            sets[s * WORDS + s] &= ~(UINT64_C(1) << oblivious_number(seed, 100 * s + i) % 64);
        sets[(s + 2) * WORDS + s] = oblivious_number(seed, 900 + s) & 0xff;
    }
}

static void cover(void)
{
    size_t chosen[SETS], n_chosen;
    secret(sets, sizeof sets);
    if (cover_choose(sets, SETS, WORDS, 100, 50, chosen, &n_chosen) != APEX_OK || n_chosen != 2)
        __builtin_trap();
}

static const struct oblivious_case cases[] = {
    {"silhouettes", fill, silhouette},
    {"which sets cover, counted in steps", sets_fill, cover}};
OBLIVIOUS(cases)
