#include "common/num/cells.h"
#include "tests/oblivious/secret.h"

enum { N = 5000, LABELS = 20, PARTIES = 3 };
static uint32_t label[N], other[N], pair[N];
static double weight[N];
static uint8_t mask[N], party[N];
static uint64_t counts[LABELS * PARTIES];

static void fill(uint64_t seed)
{
    for (size_t i = 0; i < N; i++) {
        label[i] = (uint32_t)(oblivious_number(seed, i) % LABELS);
        other[i] = (uint32_t)(oblivious_number(seed, N + i) % 4);
        weight[i] = (double)(oblivious_number(seed, 2 * N + i) % 3);
        mask[i] = (uint8_t)(oblivious_number(seed, 3 * N + i) % 2);
        party[i] = (uint8_t)(i / 700 % PARTIES);
    }
}

static void hide(void)
{
    secret(label, sizeof label);
    secret(other, sizeof other);
    secret(weight, sizeof weight);
    secret(mask, sizeof mask);
}

static void count(void)
{
    const struct cells_rows rows = {N, label, weight, mask, party};
    hide();
    cells_count(&rows, LABELS, PARTIES, counts);
}

static void make_pairs(void)
{
    hide();
    cells_pair(label, LABELS, other, 3, N, pair);
}

static const struct oblivious_case cases[] = {
    {"rows are counted by label and party", fill, count},
    {"two labels become one", fill, make_pairs}};
OBLIVIOUS(cases)
