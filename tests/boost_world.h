/* Rows of a made-up world, and trees fitted to them, for the tests of boosting. */
#ifndef TESTS_BOOST_WORLD_H
#define TESTS_BOOST_WORLD_H

#include "common/num/boost.h"
#include "common/num/parallel.h"
#include "common/num/random.h"
#include "common/num/simd.h"
#include "tests/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 9000, DIMS = 5, CLASSES = 3 };
static const uint8_t seed[32] = {5, 4, 3};

/* Labels and targets follow from three of five columns, with noise. */
struct world {
    size_t n;
    double *column[DIMS], *weight, *target;
    uint32_t *label, *two; /* of CLASSES; 0 or 1 */
    uint8_t *party;
};

static inline double noise(struct random_state *r)
{
    return random_unit(r) + random_unit(r) + random_unit(r) - 1.5;
}

static inline struct world world_make(size_t n, uint64_t stream)
{
    struct world w = {.n = n};
    struct random_state r;
    random_seed(&r, seed, stream);
    for (size_t j = 0; j < DIMS; j++)
        w.column[j] = malloc(n * sizeof(double));
    w.weight = malloc(n * sizeof(double));
    w.target = malloc(n * sizeof(double));
    w.label = malloc(n * sizeof(uint32_t));
    w.two = malloc(n * sizeof(uint32_t));
    w.party = malloc(n);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < DIMS; j++)
            w.column[j][i] = noise(&r);
        w.column[3][i] = floor(4 * random_unit(&r)); /* few values */
        double z = w.column[0][i] * w.column[1][i] + w.column[2][i] + 0.2 * noise(&r);
        w.target[i] = 10 * z + w.column[3][i];
        w.two[i] = z > 0;
        w.label[i] = z > 0.3 ? 2 : z > -0.3;
        w.weight[i] = (double)(random_next(&r) % 4); /* a quarter of the rows do not count */
        w.party[i] = (uint8_t)(random_next(&r) % 5);
    }
    return w;
}

static inline void world_free(struct world *w)
{
    for (size_t j = 0; j < DIMS; j++)
        free(w->column[j]);
    free(w->weight);
    free(w->target);
    free(w->label);
    free(w->two);
    free(w->party);
}

/* A source that knows its rows' parties. */
struct lent {
    struct num_source arrays, source;
    const uint8_t *party;
    size_t index[PARALLEL_THREADS_MAX];
};

static inline void lent_block(void *context, size_t index, unsigned thread,
                              struct num_block *out)
{
    struct lent *l = context;
    l->index[thread] = index;
    l->arrays.block(l->arrays.context, index, thread, out);
}

static inline const uint8_t *lent_parties(void *context, unsigned thread)
{
    const struct lent *l = context;
    return l->party + l->index[thread] * BLOCK_ROWS;
}

static inline void lent_open(struct lent *l, const struct world *w, enum boost_loss loss,
                             bool weighted)
{
    const struct num_arrays a = {.n_rows = w->n,
                                 .n_columns = DIMS,
                                 .column = (const double *const *)w->column,
                                 .weight = weighted ? w->weight : NULL,
                                 .target = loss == BOOST_SQUARED ? w->target : NULL,
                                 .label = loss == BOOST_SQUARED    ? NULL
                                          : loss == BOOST_LOGISTIC ? w->two
                                                                   : w->label};
    *l = (struct lent){.party = w->party};
    CHECK_OK(num_source_of_arrays(&a, &l->arrays));
    l->source = l->arrays;
    l->source.block = lent_block;
    l->source.context = l;
}

static inline struct boost_options options_of(enum boost_loss loss)
{
    return (struct boost_options){.loss = loss,
                                  .n_classes = CLASSES,
                                  .rounds = 4,
                                  .depth = 4,
                                  .bins = 32,
                                  .rate = 0.3,
                                  .lambda = 0.5,
                                  .min_rows = 3,
                                  .seed = seed,
                                  .threads = 1};
}

static inline struct boost_model fitted(const struct world *w,
                                        const struct boost_options *options, bool weighted,
                                        bool plain)
{
    struct boost_options o = *options;
    struct boost_model m;
    struct lent l;
    lent_open(&l, w, o.loss, weighted);
    o.parties = lent_parties;
    o.n_parties = 5;
    o.parties_context = &l;
    CHECK_OK((plain ? boost_plain_fit : boost_fit)(&l.source, &o, &m, NULL));
    num_source_of_arrays_free(&l.arrays);
    return m;
}

static inline void same_model(const struct boost_model *a, const struct boost_model *b)
{
    assert_int_equal(a->room_len, b->room_len);
    assert_memory_equal(a->room, b->room, a->room_len);
}

static const enum boost_loss losses[] = {BOOST_LOGISTIC, BOOST_SOFTMAX, BOOST_SQUARED};
enum { LOSSES = sizeof losses / sizeof *losses };

#endif
