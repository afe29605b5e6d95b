/* Leaks planted on purpose: a proof that cannot see these proves nothing. */
#include "tests/oblivious/secret.h"

#include <stdlib.h>

enum { N = 256 };
static double row[N];
static uint32_t label[N];
static volatile double total;
static double counts[16];
static double *copy;

static void fill(uint64_t seed)
{
    for (size_t i = 0; i < N; i++) {
        row[i] = oblivious_unit(seed, i) - 0.5;
        label[i] = (uint32_t)(oblivious_number(seed, N + i) & 15);
    }
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

static void stores_under_a_mask(void)
{
    secret(row, sizeof row);
    for (size_t i = 0; i < N; i += 8)
        if (row[i] > 0) copy[i] = row[i];
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
    {"a store under a secret condition", fill, stores_under_a_mask, .caught = true},
    {"a sum and a count by comparison", fill, selects},
};
OBLIVIOUS(cases)
