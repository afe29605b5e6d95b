/* Boosted trees: a fit by each loss, with weights and parties, scores by
 * a model that is hidden too, shares. */
#include "tests/oblivious/secret.h"

#include "common/num/boost.h"

enum { ROWS = 400, DIMS = 2, CLASSES = 3, PARTIES = 3 };
static _Alignas(64) double column[DIMS][BLOCK_ROWS], weight[BLOCK_ROWS], target[BLOCK_ROWS];
static _Alignas(64) double score[CLASSES * BLOCK_ROWS];
static _Alignas(64) uint8_t scratch[(DIMS + 1) * BLOCK_ROWS];
static uint32_t label[BLOCK_ROWS], two[BLOCK_ROWS];
static uint8_t party[BLOCK_ROWS];
static const double *columns[DIMS] = {column[0], column[1]};
static const uint8_t seed_bytes[32] = {7};
static size_t n;
static enum boost_loss loss;

static void fill(uint64_t seed)
{
    n = rows_watched(ROWS, 50);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < DIMS; j++)
            column[j][i] = oblivious_unit(seed, 10 * i + j);
        /* Every class has rows that count, for every seed. */
        weight[i] = i < 2 * CLASSES ? 1 : (double)(oblivious_number(seed, 10 * i + 5) % 3);
        label[i] = (uint32_t)(i < CLASSES ? i : oblivious_number(seed, 10 * i + 6) % CLASSES);
        two[i] = label[i] > 0;
        target[i] = column[0][i] + 3 * oblivious_unit(seed, 10 * i + 7);
        party[i] = (uint8_t)(i % PARTIES);
    }
}

static void fill_two(uint64_t seed)
{
    loss = BOOST_LOGISTIC;
    fill(seed);
}

static void fill_many(uint64_t seed)
{
    loss = BOOST_SOFTMAX;
    fill(seed);
}

static void fill_numbers(uint64_t seed)
{
    loss = BOOST_SQUARED;
    fill(seed);
}

static void block(void *context, size_t index, unsigned thread, struct num_block *out)
{
    (void)context;
    (void)index;
    (void)thread;
    *out = (struct num_block){.n = n,
                              .n_columns = DIMS,
                              .column = columns,
                              .weight = weight,
                              .target = target,
                              .label = loss == BOOST_LOGISTIC ? two : label};
}

/* As the release rules have it: enough rows, and enough besides any one party's. */
static bool stands(void *context, const uint64_t *by_party)
{
    uint64_t rows = 0, most = 0;
    (void)context;
    for (size_t p = 0; p < PARTIES; p++) {
        rows += by_party[p];
        most ^= (most ^ by_party[p]) & -(uint64_t)(by_party[p] > most);
    }
    return (rows >= 4) & (rows - most >= 2);
}

static const uint8_t *parties(void *context, unsigned thread)
{
    (void)context;
    (void)thread;
    return party;
}

static struct boost_options options_here(void)
{
    bool many = rows_watched(1, 0);
    return (struct boost_options){.loss = loss,
                                  .n_classes = CLASSES,
                                  .rounds = many ? 3 : 1,
                                  .depth = many ? 3 : 2,
                                  .bins = many ? 70 : 8,
                                  .rate = 0.3,
                                  .lambda = 1,
                                  .min_rows = 2,
                                  .seed = seed_bytes,
                                  .may_stand = stands,
                                  .parties = parties,
                                  .n_parties = PARTIES};
}

static void inputs_hide(void)
{
    secret(column, sizeof column);
    secret(weight, sizeof weight);
    secret(target, sizeof target);
    secret(label, sizeof label);
    secret(two, sizeof two);
}

static struct boost_model model;

static void fit_here(struct boost_model *m)
{
    const struct num_source source = {
        .n_rows = n, .n_columns = DIMS, .n_blocks = 1, .block = block};
    const struct boost_options o = options_here();
    if (boost_fit(&source, &o, m, NULL) != APEX_OK) __builtin_trap();
}

static void fit(void)
{
    struct boost_model m;
    inputs_hide();
    fit_here(&m);
    boost_clear(&m);
}

/* With a model of its own for each seed. */
static void fill_model(uint64_t seed)
{
    loss = BOOST_SOFTMAX;
    fill(seed);
    boost_clear(&model);
    fit_here(&model);
}

static void predict(void)
{
    struct num_block b;
    inputs_hide();
    secret(model.room, model.room_len);
    block(NULL, 0, 0, &b);
    boost_predict(&model, &b, scratch, score);
}

static void shares(void)
{
    secret(score, sizeof score);
    boost_shares(&model, score);
}

static const struct oblivious_case cases[] = {
    {"trees of the logistic loss", fill_two, fit},
    {"trees of the softmax loss", fill_many, fit},
    {"trees of the squared loss", fill_numbers, fit},
    {"scores of rows by a hidden model", fill_model, predict},
    {"shares of classes", fill_model, shares},
};
OBLIVIOUS(cases)
