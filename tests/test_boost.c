#include "common/num/boost.h"
#include "common/num/boost_rows.h"
#include "common/num/parallel.h"
#include "common/num/random.h"
#include "common/num/simd.h"
#include "tests/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 9000, DIMS = 5, CLASSES = 3 };
static const uint8_t seed[32] = {5, 4, 3};

/* Rows of a made-up world: labels and targets follow from three of five columns, with noise. */
struct world {
    size_t n;
    double *column[DIMS], *weight, *target;
    uint32_t *label, *two; /* of CLASSES; 0 or 1 */
    uint8_t *party;
};

static double noise(struct random_state *r)
{
    return random_unit(r) + random_unit(r) + random_unit(r) - 1.5;
}

static struct world world_make(size_t n, uint64_t stream)
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

static void world_free(struct world *w)
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

static void lent_block(void *context, size_t index, unsigned thread, struct num_block *out)
{
    struct lent *l = context;
    l->index[thread] = index;
    l->arrays.block(l->arrays.context, index, thread, out);
}

static const uint8_t *lent_parties(void *context, unsigned thread)
{
    const struct lent *l = context;
    return l->party + l->index[thread] * BLOCK_ROWS;
}

static void lent_open(struct lent *l, const struct world *w, enum boost_loss loss,
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

static struct boost_options options_of(enum boost_loss loss)
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

static struct boost_model fitted(const struct world *w, const struct boost_options *options,
                                 bool weighted, bool plain)
{
    struct boost_options o = *options;
    struct boost_model m;
    struct lent l;
    lent_open(&l, w, o.loss, weighted);
    o.parties = lent_parties;
    o.parties_context = &l;
    CHECK_OK((plain ? boost_plain_fit : boost_fit)(&l.source, &o, &m, NULL));
    num_source_of_arrays_free(&l.arrays);
    return m;
}

static void same_model(const struct boost_model *a, const struct boost_model *b)
{
    assert_int_equal(a->room_len, b->room_len);
    assert_memory_equal(a->room, b->room, a->room_len);
}

static const enum boost_loss losses[] = {BOOST_LOGISTIC, BOOST_SOFTMAX, BOOST_SQUARED};
enum { LOSSES = sizeof losses / sizeof *losses };

static void both_forms_threads_and_instruction_levels_give_the_same_bytes(void **state)
{
    struct world w = world_make(ROWS, 1);
    (void)state;
    for (size_t l = 0; l < LOSSES; l++) {
        struct boost_options o = options_of(losses[l]);
        struct boost_model first = fitted(&w, &o, true, false);
        for (int plain = 0; plain < 2; plain++)
            for (int level = 0; level <= SIMD_LEVEL_512; level++)
                for (unsigned threads = 1; threads <= 7; threads += 3) {
                    simd_level_limit((enum simd_level)level);
                    o.threads = threads;
                    struct boost_model again = fitted(&w, &o, true, plain);
                    same_model(&first, &again);
                    boost_clear(&again);
                }
        simd_level_limit(SIMD_LEVEL_512);
        boost_clear(&first);
    }
    world_free(&w);
}

static void every_depth_and_number_of_bins_gives_the_same_bytes_in_both_forms(void **state)
{
    static const unsigned bins[] = {2, 3, 17, 64, 65, 100, 256};
    struct world w = world_make(700, 2);
    (void)state;
    for (unsigned depth = 1; depth <= BOOST_DEPTH_MAX; depth++)
        for (size_t b = 0; b < sizeof bins / sizeof *bins; b++) {
            struct boost_options o = options_of(BOOST_LOGISTIC);
            o.depth = depth;
            o.bins = bins[b];
            o.rounds = 2;
            struct boost_model oblivious = fitted(&w, &o, true, false),
                               plain = fitted(&w, &o, true, true);
            same_model(&oblivious, &plain);
            CHECK_OK(boost_check(&plain));
            boost_clear(&oblivious);
            boost_clear(&plain);
        }
    world_free(&w);
}

/* The rows of a node and their gradients, for the tree by hand. */
struct hand {
    const struct world *w;
    const struct boost_model *m;
    const struct boost_options *o;
    long double *g, *h;
    size_t n_checked;
};

static long double hand_worth(long double g, long double h, double lambda)
{
    return h + lambda > 0 ? g * g / (h + lambda) : 0;
}

/* The gain of sending rows above x to the right, or -1 where a side is too small. */
static long double hand_gain(const struct hand *t, const size_t *row, size_t n, size_t f,
                             double x)
{
    long double g[2] = {0}, h[2] = {0};
    size_t rows[2] = {0};
    for (size_t i = 0; i < n; i++) {
        int right = t->w->column[f][row[i]] > x;
        g[right] += t->g[row[i]];
        h[right] += t->h[row[i]];
        rows[right]++;
    }
    if (rows[0] < t->o->min_rows || rows[1] < t->o->min_rows) return -1;
    return hand_worth(g[0], h[0], t->o->lambda) + hand_worth(g[1], h[1], t->o->lambda) -
           hand_worth(g[0] + g[1], h[0] + h[1], t->o->lambda);
}

static void hand_leaf(const struct hand *t, const size_t *row, size_t n, size_t leaf)
{
    long double g = 0, h = 0;
    for (size_t i = 0; i < n; i++) {
        g += t->g[row[i]];
        h += t->h[row[i]];
    }
    long double value = h + t->o->lambda > 0 ? -t->o->rate * g / (h + t->o->lambda) : 0;
    CHECK(fabsl(value - t->m->value[leaf]) < 1e-3L * (1 + fabsl(value)));
    assert_int_equal(t->m->leaf_rows[leaf], n);
}

/* No split of a node of the first tree may be worth more than the one the tree has. */
static void hand_node(struct hand *t, size_t *row, size_t n, size_t node)
{
    const struct boost_model *m = t->m;
    if (node >= m->n_nodes) {
        hand_leaf(t, row, n, node - m->n_nodes);
        return;
    }
    long double best = 0, mine = 0;
    for (size_t f = 0; f < DIMS; f++)
        for (size_t i = 0; i < n; i++) {
            long double gain = hand_gain(t, row, n, f, t->w->column[f][row[i]]);
            best = gain > best ? gain : best;
        }
    if (m->bin[node] != BOOST_NO_SPLIT)
        mine = hand_gain(t, row, n, m->feature[node], m->threshold[node]);
    CHECK(mine >= best * (1 - 1e-3L) - 1e-4L);
    size_t *left = malloc((n + 1) * sizeof *left), *right = malloc((n + 1) * sizeof *right);
    size_t n_left = 0, n_right = 0;
    for (size_t i = 0; i < n; i++)
        if (t->w->column[m->feature[node]][row[i]] > m->threshold[node])
            right[n_right++] = row[i];
        else
            left[n_left++] = row[i];
    t->n_checked++;
    hand_node(t, left, n_left, 2 * node + 1);
    hand_node(t, right, n_right, 2 * node + 2);
    free(left);
    free(right);
}

static void gradients_by_hand(struct hand *t)
{
    const struct world *w = t->w;
    for (size_t i = 0; i < w->n; i++) {
        long double s = t->m->base[0], x = w->weight[i];
        if (t->m->loss == BOOST_SQUARED) {
            t->g[i] = x * (s - w->target[i]);
            t->h[i] = x;
            continue;
        }
        long double p = 1 / (1 + expl(-s));
        t->g[i] = x * (p - w->two[i]);
        t->h[i] = x * p * (1 - p);
    }
}

static void each_split_is_the_best_there_is(void **state)
{
    (void)state;
    for (uint64_t stream = 0; stream < 40; stream++) {
        struct world w = world_make(60, 100 + stream);
        struct boost_options o = options_of(stream % 2 ? BOOST_SQUARED : BOOST_LOGISTIC);
        o.bins = 256; /* a bin for each value: all splits can be had */
        o.depth = 3;
        o.rounds = 1;
        o.lambda = stream % 3 * 0.5;
        o.min_rows = 1 + stream % 4;
        struct boost_model m = fitted(&w, &o, true, false);
        struct hand t = {
            &w, &m, &o, calloc(w.n, sizeof(long double)), calloc(w.n, sizeof(long double)), 0};
        size_t row[60], n = 0;
        for (size_t i = 0; i < w.n; i++)
            if (w.weight[i] > 0) row[n++] = i;
        gradients_by_hand(&t);
        hand_node(&t, row, n, 0);
        CHECK(t.n_checked == 7);
        free(t.g);
        free(t.h);
        boost_clear(&m);
        world_free(&w);
    }
}

static double *scored(const struct world *w, const struct boost_model *m, bool plain)
{
    struct lent l;
    struct num_block b;
    double *score = aligned_alloc(64, m->n_scores * BLOCK_ROWS * sizeof *score);
    void *scratch = aligned_alloc(64, boost_scratch_len(m));
    lent_open(&l, w, BOOST_SQUARED, false);
    l.source.block(l.source.context, 0, 0, &b);
    if (plain)
        boost_plain_predict(m, &b, score);
    else
        boost_predict(m, &b, scratch, score);
    free(scratch);
    num_source_of_arrays_free(&l.arrays);
    return score;
}

/* Down the tree by its thresholds. */
static double score_by_hand(const struct world *w, const struct boost_model *m, size_t row,
                            size_t c)
{
    double score = m->base[c];
    for (size_t t = c; t < m->n_trees; t += m->n_scores) {
        size_t node = 0;
        while (node < m->n_nodes) {
            size_t at = t * m->n_nodes + node;
            node = 2 * node + 1 + (w->column[m->feature[at]][row] > m->threshold[at]);
        }
        score += m->value[t * m->n_leaves + node - m->n_nodes];
    }
    return score;
}

static void predictions_of_both_forms_follow_the_tree(void **state)
{
    struct world w = world_make(3001, 3), other = world_make(2999, 4);
    (void)state;
    for (size_t l = 0; l < LOSSES; l++) {
        struct boost_options o = options_of(losses[l]);
        struct boost_model m = fitted(&w, &o, true, true);
        for (int level = 0; level <= SIMD_LEVEL_512; level++) {
            simd_level_limit((enum simd_level)level);
            double *a = scored(&other, &m, false), *b = scored(&other, &m, true);
            for (size_t c = 0; c < m.n_scores; c++)
                for (size_t i = 0; i < other.n; i++) {
                    double want = score_by_hand(&other, &m, i, c);
                    CHECK(a[c * BLOCK_ROWS + i] == want && b[c * BLOCK_ROWS + i] == want);
                }
            free(a);
            free(b);
        }
        simd_level_limit(SIMD_LEVEL_512);
        boost_clear(&m);
    }
    world_free(&w);
    world_free(&other);
}

static void shares_add_up_to_one_and_follow_scores(void **state)
{
    struct world w = world_make(2000, 5);
    (void)state;
    for (size_t l = 0; l < 2; l++) {
        struct boost_options o = options_of(losses[l]);
        struct boost_model m = fitted(&w, &o, false, false);
        double *raw = scored(&w, &m, false), *share = scored(&w, &m, false);
        boost_shares(&m, share);
        for (size_t i = 0; i < w.n; i++) {
            double sum = 0, total = 0;
            for (size_t c = 0; c < m.n_scores; c++)
                total += exp(raw[c * BLOCK_ROWS + i]);
            if (m.n_scores == 1) total += 1;
            for (size_t c = 0; c < m.n_scores; c++) {
                sum += share[c * BLOCK_ROWS + i];
                CHECK(fabs(share[c * BLOCK_ROWS + i] - exp(raw[c * BLOCK_ROWS + i]) / total) <
                      1e-14);
            }
            CHECK(m.n_scores == 1 || fabs(sum - 1) < 1e-14);
        }
        free(raw);
        free(share);
        boost_clear(&m);
    }
    world_free(&w);
}

/* Row i of `from` becomes row `to` of `w`. */
static void row_copy(struct world *w, size_t to, const struct world *from, size_t i)
{
    for (size_t j = 0; j < DIMS; j++)
        w->column[j][to] = from->column[j][i];
    w->weight[to] = from->weight[i];
    w->target[to] = from->target[i];
    w->label[to] = from->label[i];
    w->two[to] = from->two[i];
    w->party[to] = from->party[i];
}

static void rows_of_weight_zero_count_for_nothing(void **state)
{
    struct world w = world_make(ROWS, 6), dense = world_make(ROWS, 6);
    struct boost_options o = options_of(BOOST_SOFTMAX);
    (void)state;
    dense.n = 0;
    for (size_t i = 0; i < w.n; i++)
        if (w.weight[i] > 0) row_copy(&dense, dense.n++, &w, i);
    CHECK(dense.n < w.n * 4 / 5);
    struct boost_model a = fitted(&w, &o, true, false), b = fitted(&dense, &o, true, false);
    same_model(&a, &b);
    boost_clear(&a);
    boost_clear(&b);
    world_free(&w);
    world_free(&dense);
}

static void the_order_of_rows_does_not_show(void **state)
{
    struct world w = world_make(ROWS, 7), mixed = world_make(ROWS, 8);
    struct boost_options o = options_of(BOOST_SOFTMAX);
    (void)state;
    for (size_t i = 0; i < w.n; i++)
        row_copy(&mixed, i, &w, i * 7919 % w.n);
    struct boost_model a = fitted(&w, &o, true, false), b = fitted(&mixed, &o, true, false);
    same_model(&a, &b);
    boost_clear(&a);
    boost_clear(&b);
    world_free(&w);
    world_free(&mixed);
}

static void a_column_in_other_units_gives_the_same_tree(void **state)
{
    struct world w = world_make(3000, 9), scaled = world_make(3000, 9);
    struct boost_options o = options_of(BOOST_SQUARED);
    (void)state;
    for (size_t i = 0; i < w.n; i++)
        scaled.column[0][i] *= 1024;
    struct boost_model a = fitted(&w, &o, true, false), b = fitted(&scaled, &o, true, false);
    size_t nodes = a.n_trees * a.n_nodes;
    assert_memory_equal(a.feature, b.feature, nodes * sizeof *a.feature);
    assert_memory_equal(a.bin, b.bin, nodes);
    assert_memory_equal(a.value, b.value, a.n_trees * a.n_leaves * sizeof *a.value);
    boost_clear(&a);
    boost_clear(&b);
    world_free(&w);
    world_free(&scaled);
}

static void leaves_keep_their_least_rows_and_tell_rows_and_parties(void **state)
{
    struct world w = world_make(4000, 10);
    struct boost_options o = options_of(BOOST_LOGISTIC);
    (void)state;
    o.min_rows = 150;
    struct boost_model m = fitted(&w, &o, true, false);
    for (size_t t = 0; t < m.n_trees; t++) {
        uint64_t rows[1 << BOOST_DEPTH_MAX] = {0}, parties[1 << BOOST_DEPTH_MAX] = {0};
        for (size_t i = 0; i < w.n; i++) {
            size_t node = 0;
            while (node < m.n_nodes) {
                size_t at = t * m.n_nodes + node;
                node = 2 * node + 1 + (w.column[m.feature[at]][i] > m.threshold[at]);
            }
            if (!(w.weight[i] > 0)) continue;
            rows[node - m.n_nodes]++;
            parties[node - m.n_nodes] |= UINT64_C(1) << w.party[i];
        }
        assert_memory_equal(rows, m.leaf_rows + t * m.n_leaves, m.n_leaves * sizeof *rows);
        assert_memory_equal(parties, m.leaf_parties + t * m.n_leaves,
                            m.n_leaves * sizeof *parties);
        for (size_t j = 0; j < m.n_leaves; j++)
            CHECK(rows[j] == 0 || rows[j] >= o.min_rows);
    }
    boost_clear(&m);
    world_free(&w);
}

static double rows_times_value(const struct boost_model *m, size_t tree)
{
    double sum = 0;
    for (size_t j = tree * m->n_leaves; j < (tree + 1) * m->n_leaves; j++)
        sum += m->value[j] * (double)m->leaf_rows[j];
    return sum;
}

static void joined_leaves_have_enough_rows_and_parties(void **state)
{
    struct world w = world_make(3000, 11);
    struct boost_options o = options_of(BOOST_LOGISTIC);
    size_t joined, short_trees;
    (void)state;
    o.min_rows = 1;
    o.depth = 6;
    struct boost_model m = fitted(&w, &o, true, false), before = fitted(&w, &o, true, false);
    boost_join_leaves(&m, 60, 5, &joined, &short_trees);
    CHECK(joined > 0 && short_trees == 0);
    CHECK_OK(boost_check(&m));
    for (size_t t = 0; t < m.n_trees; t++) {
        size_t rows = 0, had = 0;
        for (size_t j = t * m.n_leaves; j < (t + 1) * m.n_leaves; j++) {
            CHECK(m.leaf_rows[j] == 0 || (m.leaf_rows[j] >= 60 && m.leaf_parties[j] == 31));
            rows += m.leaf_rows[j];
            had += before.leaf_rows[j];
        }
        CHECK(rows == had);
        CHECK(fabs(rows_times_value(&m, t) - rows_times_value(&before, t)) < 1e-9);
    }
    boost_join_leaves(&m, 1000000, 1, &joined, &short_trees);
    CHECK(short_trees == m.n_trees);
    double *score = scored(&w, &m, false);
    for (size_t i = 0; i < w.n; i++)
        CHECK(score[i] == m.base[0]);
    free(score);
    boost_clear(&m);
    boost_clear(&before);
    world_free(&w);
}

static void a_column_of_few_values_has_a_bin_for_each(void **state)
{
    static double sample[20000], edges[255];
    static uint8_t run[20000];
    struct random_state r;
    (void)state;
    random_seed(&r, seed, 12);
    for (size_t i = 0; i < 20000; i++) /* nine in ten are 7, the others 0..19 */
        sample[i] = random_unit(&r) < 0.9 ? 7 : floor(20 * random_unit(&r));
    boost_edges_choose(sample, 20000, 64, run, edges);
    for (size_t e = 0; e < 63; e++)
        CHECK(e < 19 ? edges[e] == (double)e + 0.5 : isinf(edges[e]));
    for (size_t i = 0; i < 20000; i++) /* half are 0, the others all different */
        sample[i] = random_unit(&r) < 0.5 ? 0 : random_unit(&r);
    boost_edges_choose(sample, 20000, 64, run, edges);
    for (size_t e = 0; e < 63; e++) {
        CHECK(isfinite(edges[e]) || e == 62);
        if (e > 0 && e < 62)
            CHECK(edges[e] - edges[e - 1] > 0.01 && edges[e] - edges[e - 1] < 0.03);
    }
    boost_edges_choose(sample, 1, 64, run, edges); /* one row: nothing to tell apart */
    CHECK(isinf(edges[0]));
}

/* More rows than are sampled: edges near the quantiles, whichever threads asked for blocks. */
static void edges_of_a_sample_are_near_the_quantiles(void **state)
{
    struct world w = world_make(BOOST_SAMPLE_ROWS + 9999, 19);
    struct boost_options o = options_of(BOOST_LOGISTIC);
    (void)state;
    o.rounds = o.depth = 1;
    o.bins = 8;
    struct boost_model a = fitted(&w, &o, true, false);
    o.threads = 3;
    struct boost_model b = fitted(&w, &o, true, true);
    same_model(&a, &b);
    for (size_t e = 0; e < 7; e++) {
        double below = 0, all = 0;
        for (size_t i = 0; i < w.n; i++) {
            all += w.weight[i] > 0;
            below += w.weight[i] > 0 && w.column[1][i] <= a.edges[7 + e];
        }
        CHECK(fabs(below / all - (double)(e + 1) / 8) < 0.002);
    }
    boost_clear(&a);
    boost_clear(&b);
    world_free(&w);
}

static void an_exclusive_or_is_learned(void **state)
{
    struct world w = world_make(4000, 13);
    struct boost_options o = options_of(BOOST_LOGISTIC);
    size_t right = 0;
    (void)state;
    o.rounds = 20;
    for (size_t i = 0; i < w.n; i++)
        w.two[i] = (w.column[0][i] > 0.1) != (w.column[1][i] > -0.2);
    struct boost_model m = fitted(&w, &o, false, false);
    double *score = scored(&w, &m, false);
    for (size_t i = 0; i < w.n; i++)
        right += (score[i] > 0) == (w.two[i] == 1);
    CHECK(right > w.n * 97 / 100);
    CHECK(m.importance[0] + m.importance[1] >
          10 * (m.importance[2] + m.importance[3] + m.importance[4]));
    free(score);
    boost_clear(&m);
    world_free(&w);
}

static void refused(const struct world *w, const struct boost_options *o, apex_status status,
                    enum num_fault fault, size_t at)
{
    for (int plain = 0; plain < 2; plain++) {
        struct boost_model m = {0};
        struct num_place place = {NUM_FINE, 0};
        struct lent l;
        lent_open(&l, w, o->loss, true);
        CHECK_STATUS((plain ? boost_plain_fit : boost_fit)(&l.source, o, &m, &place), status);
        assert_int_equal(place.fault, fault);
        assert_int_equal(place.at, at);
        CHECK(m.room == NULL);
        num_source_of_arrays_free(&l.arrays);
    }
}

static void options_out_of_range_are_named_by_number(void **state)
{
    struct world w = world_make(50, 14);
    struct boost_options good = options_of(BOOST_SOFTMAX), bad[12];
    (void)state;
    for (size_t i = 1; i < 12; i++)
        bad[i] = good;
    bad[1].loss = (enum boost_loss)7;
    bad[2].n_classes = 1;
    bad[3].rounds = 0;
    bad[4].depth = BOOST_DEPTH_MAX + 1;
    bad[5].bins = 1;
    bad[6].rate = 0;
    bad[7].lambda = NAN;
    bad[8].min_hessian = -1;
    bad[9].min_gain = INFINITY;
    bad[11].seed = NULL;
    for (size_t i = 1; i < 12; i++)
        if (i != 10) refused(&w, &bad[i], APEX_E_USAGE, NUM_OPTION, i);
    world_free(&w);
}

static void bad_rows_get_a_status_and_a_place(void **state)
{
    struct world w = world_make(300, 15);
    struct boost_options two = options_of(BOOST_LOGISTIC), many = options_of(BOOST_SOFTMAX),
                         number = options_of(BOOST_SQUARED);
    (void)state;
    w.n = 0;
    refused(&w, &two, APEX_E_DATA, NUM_NO_ROWS, 0);
    w.n = 300;
    w.column[2][17] = NAN;
    refused(&w, &two, APEX_E_DATA, NUM_NOT_FINITE, 2);
    w.column[2][17] = -INFINITY;
    refused(&w, &two, APEX_E_DATA, NUM_NOT_FINITE, 2);
    w.column[2][17] = 0;
    w.target[299] = NAN;
    refused(&w, &number, APEX_E_DATA, NUM_NOT_FINITE, DIMS);
    w.target[299] = 1e80;
    w.weight[299] = 1;
    refused(&w, &number, APEX_E_DATA, NUM_RANGE, DIMS);
    w.target[299] = 0;
    w.weight[0] = INFINITY;
    refused(&w, &number, APEX_E_DATA, NUM_NOT_FINITE, DIMS + 1);
    w.weight[0] = 1;
    w.label[5] = CLASSES;
    refused(&w, &many, APEX_E_DATA, NUM_RANGE, DIMS);
    for (size_t i = 0; i < w.n; i++)
        w.label[i] = i % 2 ? 2 : 0;
    refused(&w, &many, APEX_E_DATA, NUM_EMPTY_CLASS, 1);
    for (size_t i = 0; i < w.n; i++)
        w.label[i] = w.two[i] = w.weight[i] > 0; /* class 0 in rows that do not count */
    refused(&w, &many, APEX_E_DATA, NUM_ONE_CLASS, 1);
    refused(&w, &two, APEX_E_DATA, NUM_ONE_CLASS, 1);
    memset(w.weight, 0, w.n * sizeof *w.weight);
    refused(&w, &two, APEX_E_DATA, NUM_NO_ROWS, 0);
    refused(&w, &number, APEX_E_DATA, NUM_NO_ROWS, 0);
    world_free(&w);
}

/* Rows that have nothing to split: every row stays where it began. */
static void constant_columns_tiny_tables_and_huge_numbers_are_no_trouble(void **state)
{
    (void)state;
    for (size_t l = 0; l < LOSSES; l++) {
        struct world w = world_make(CLASSES, 16);
        struct boost_options o = options_of(losses[l]);
        o.min_rows = 1;
        o.lambda = 0;
        for (size_t i = 0; i < w.n; i++) {
            w.weight[i] = 1;
            w.label[i] = (uint32_t)i;
            w.two[i] = i == 1;
        }
        for (int constant = 0; constant < 2; constant++) {
            for (size_t j = 0; j < DIMS; j++)
                for (size_t i = 0; i < w.n; i++)
                    w.column[j][i] = constant ? 1.5 : 1e308 * ((double)i - 1);
            struct boost_model m = fitted(&w, &o, true, false), p = fitted(&w, &o, true, true);
            same_model(&m, &p);
            CHECK_OK(boost_check(&m));
            CHECK((m.importance[0] > 0) == !constant);
            double *score = scored(&w, &m, false);
            for (size_t i = 0; i < w.n; i++)
                CHECK(isfinite(score[i]) && (!constant || fabs(score[i] - m.base[0]) < 1e-3));
            free(score);
            boost_clear(&m);
            boost_clear(&p);
        }
        world_free(&w);
    }
}

static void a_long_run_on_separable_rows_stays_finite(void **state)
{
    struct world w = world_make(200, 17);
    struct boost_options o = options_of(BOOST_LOGISTIC);
    (void)state;
    o.rounds = 400;
    o.rate = 1;
    o.lambda = 0;
    for (size_t i = 0; i < w.n; i++)
        w.two[i] = w.column[4][i] > 0;
    struct boost_model m = fitted(&w, &o, false, false);
    double *score = scored(&w, &m, false);
    for (size_t i = 0; i < w.n; i++)
        CHECK(isfinite(score[i]) && (score[i] > 3) == (w.two[i] == 1) && fabs(score[i]) < 100);
    free(score);
    boost_clear(&m);
    world_free(&w);
}

static void a_model_that_is_none_is_told(void **state)
{
    struct world w = world_make(500, 18);
    struct boost_options o = options_of(BOOST_LOGISTIC);
    (void)state;
    struct boost_model m = fitted(&w, &o, false, false);
    CHECK_OK(boost_check(&m));
    m.feature[0] += DIMS;
    CHECK_STATUS(boost_check(&m), APEX_E_FORMAT);
    m.feature[0] -= DIMS;
    m.bin[0] ^= 1;
    CHECK_STATUS(boost_check(&m), APEX_E_FORMAT);
    m.bin[0] ^= 1;
    m.value[3] = NAN;
    CHECK_STATUS(boost_check(&m), APEX_E_FORMAT);
    m.value[3] = 0;
    double edge = m.edges[1];
    m.edges[1] = m.edges[0] - 1;
    CHECK_STATUS(boost_check(&m), APEX_E_FORMAT);
    m.edges[1] = edge;
    CHECK_OK(boost_check(&m));
    boost_clear(&m);
    struct boost_model wide = {.loss = BOOST_SQUARED,
                               .n_features = 1,
                               .n_scores = 2,
                               .n_trees = 1,
                               .depth = 1,
                               .n_bins = 2};
    CHECK_STATUS(boost_init(&wide), APEX_E_USAGE);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_threads_and_instruction_levels_give_the_same_bytes),
        cmocka_unit_test(every_depth_and_number_of_bins_gives_the_same_bytes_in_both_forms),
        cmocka_unit_test(each_split_is_the_best_there_is),
        cmocka_unit_test(predictions_of_both_forms_follow_the_tree),
        cmocka_unit_test(shares_add_up_to_one_and_follow_scores),
        cmocka_unit_test(rows_of_weight_zero_count_for_nothing),
        cmocka_unit_test(the_order_of_rows_does_not_show),
        cmocka_unit_test(a_column_in_other_units_gives_the_same_tree),
        cmocka_unit_test(leaves_keep_their_least_rows_and_tell_rows_and_parties),
        cmocka_unit_test(joined_leaves_have_enough_rows_and_parties),
        cmocka_unit_test(a_column_of_few_values_has_a_bin_for_each),
        cmocka_unit_test(edges_of_a_sample_are_near_the_quantiles),
        cmocka_unit_test(an_exclusive_or_is_learned),
        cmocka_unit_test(options_out_of_range_are_named_by_number),
        cmocka_unit_test(bad_rows_get_a_status_and_a_place),
        cmocka_unit_test(constant_columns_tiny_tables_and_huge_numbers_are_no_trouble),
        cmocka_unit_test(a_long_run_on_separable_rows_stays_finite),
        cmocka_unit_test(a_model_that_is_none_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
