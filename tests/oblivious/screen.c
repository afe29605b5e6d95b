/* The anomaly screen and what encodes its rows: fixed point, one-hot, scores, thresholds,
 * flags, rates. */
#include "common/num/encode.h"
#include "common/num/screen.h"
#include "tests/oblivious/secret.h"

enum { ROWS = 500, DIMS = 4, K = 3, CODES = 6 };
static double cells[ROWS], scores[ROWS], one_hot[ROWS], centroids[K * DIMS];
static double mean, sd;
static int32_t column[DIMS][ROWS];
static uint32_t labels[ROWS], codes[ROWS], rank_of[CODES] = {3, 1, 4, 0, 5, 2};
static uint8_t used[ROWS], positive[ROWS];
static uint64_t rows[K], hits[K];
static size_t n;

static void fill(uint64_t seed)
{
    n = rows_watched(ROWS, 40);
    mean = oblivious_unit(seed, 1);
    sd = 0.1 + oblivious_unit(seed, 2);
    for (size_t i = 0; i < ROWS; i++) {
        cells[i] = (oblivious_unit(seed, 1000 + i) - 0.5) * 5000;
        scores[i] = oblivious_unit(seed, 2000 + i);
        for (size_t f = 0; f < DIMS; f++)
            column[f][i] = (int32_t)(oblivious_number(seed, 3000 * (f + 1) + i) >> 32);
        labels[i] = (uint32_t)(oblivious_number(seed, 20000 + i) % K);
        codes[i] = (uint32_t)(oblivious_number(seed, 21000 + i) % (CODES + 1));
        used[i] = i == 0 || oblivious_number(seed, 22000 + i) % 3 > 0;
        positive[i] = (uint8_t)(oblivious_number(seed, 23000 + i) & 1);
    }
    for (size_t i = 0; i < K * DIMS; i++)
        centroids[i] = (oblivious_unit(seed, 30000 + i) - 0.5) * 1e9;
}

static void hide(void)
{
    secret(cells, sizeof cells);
    secret(scores, sizeof scores);
    secret(column, sizeof column);
    secret(labels, sizeof labels);
    secret(codes, sizeof codes);
    secret(used, sizeof used);
    secret(positive, sizeof positive);
    secret(centroids, sizeof centroids);
    secret(&mean, sizeof mean);
    secret(&sd, sizeof sd);
}

static void encode(void)
{
    hide();
    encode_fixed(cells, n, mean, sd, column[0]);
    encode_recode(codes, n, rank_of, CODES, labels);
    encode_one_hot(labels, n, 2, one_hot);
}

static void score(void)
{
    struct kmeans_chunk chunk = {.n = n,
                                 .column = {column[0], column[1], column[2], column[3]}};
    hide();
    if (screen_scores(centroids, K, DIMS, &chunk, labels, scores) != APEX_OK) __builtin_trap();
}

static void threshold(void)
{
    const struct screen_rule rule = {SCREEN_MAD, 3, 0};
    struct describe_array a = {rows_watched(ROWS, 3), scores, NULL, used};
    struct screen_threshold t;
    hide();
    if (screen_threshold_of(&a, &rule, 1, &t, NULL) != APEX_OK) __builtin_trap();
}

static void flag(void)
{
    hide();
    hits[0] = screen_flag(scores, used, n, scores[0], positive);
}

static void rates(void)
{
    hide();
    screen_rates_add(labels, positive, used, n, K, rows, hits);
}

static const struct oblivious_case cases[] = {
    {"fixed point, ranks and 0/1 columns", fill, encode},
    {"distances to the nearest centroid", fill, score},
    {"a threshold from all scores", fill, threshold},
    {"flags", fill, flag},
    {"rates of clusters", fill, rates}};
OBLIVIOUS(cases)
