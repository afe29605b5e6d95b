#include "common/num/boost_rows.h"
#include "tests/boost_world.h"

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
    long double k = (long double)t->m->n_scores, factor = k > 1 ? k / (k - 1) : 1;
    for (size_t i = 0; i < w->n; i++) {
        long double s = t->m->base[0], x = w->weight[i];
        if (t->m->loss == BOOST_SOFTMAX) { /* the first class's tree; shares add up to 1 */
            long double p = expl(s);
            t->g[i] = x * (p - (w->label[i] == 0));
            t->h[i] = x * p * (1 - p) * factor;
            continue;
        }
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
        struct boost_options o = options_of(losses[stream % LOSSES]);
        o.bins = 256; /* a bin for each value: all splits can be had */
        o.depth = 3;
        o.rounds = 1;
        o.lambda = stream / 3 % 3 * 0.5;
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

static void of_two_equal_columns_the_first_is_taken(void **state)
{
    struct world w = world_make(2000, 21);
    struct boost_options o = options_of(BOOST_SQUARED);
    (void)state;
    for (size_t i = 0; i < w.n; i++) {
        w.column[4][i] = w.column[0][i];
        w.column[3][i] = w.column[2][i];
    }
    struct boost_model m = fitted(&w, &o, true, false);
    for (size_t i = 0; i < m.n_trees * m.n_nodes; i++)
        CHECK(m.feature[i] != 4 && m.feature[i] != 3);
    boost_clear(&m);
    world_free(&w);
}

/* One row of a kind whose label is the other one, alone in a column: by the time it is told
 * apart its own step would be tens. */
static void steps_of_a_classifier_are_cut(void **state)
{
    struct world w = world_make(1000, 22);
    struct boost_options o = options_of(BOOST_LOGISTIC);
    double most = 0;
    (void)state;
    o.rounds = 8;
    o.depth = 1;
    o.rate = 1;
    o.lambda = 0;
    o.min_rows = 1;
    for (size_t i = 0; i < w.n; i++) {
        for (size_t j = 0; j < DIMS; j++)
            w.column[j][i] = j == 0 ? i >= 500 : j == 1 ? i == 3 : 0;
        w.two[i] = i >= 500 || i == 3;
    }
    struct boost_model m = fitted(&w, &o, false, false);
    for (size_t i = 0; i < m.n_trees * m.n_leaves; i++)
        most = fmax(most, fabs(m.value[i]));
    CHECK(most == BOOST_STEP_MAX);
    boost_clear(&m);
    world_free(&w);
}

/* What the splits of each feature gain in the first tree, by hand. */
static void importance_is_the_sum_of_gains(void **state)
{
    struct world w = world_make(300, 23);
    struct boost_options o = options_of(BOOST_SQUARED);
    (void)state;
    o.depth = o.rounds = 1;
    o.min_rows = 1;
    struct boost_model m = fitted(&w, &o, true, false);
    struct hand t = {
        &w, &m, &o, calloc(w.n, sizeof(long double)), calloc(w.n, sizeof(long double)), 0};
    size_t row[300], n = 0;
    for (size_t i = 0; i < w.n; i++)
        if (w.weight[i] > 0) row[n++] = i;
    gradients_by_hand(&t);
    long double gain = hand_gain(&t, row, n, m.feature[0], m.threshold[0]);
    for (size_t f = 0; f < DIMS; f++)
        CHECK(f == m.feature[0] ? fabsl(m.importance[f] - gain) < 1e-3L * gain
                                : m.importance[f] == 0);
    free(t.g);
    free(t.h);
    boost_clear(&m);
    world_free(&w);
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

static void leaves_keep_their_least_rows_and_tell_how_many(void **state)
{
    struct world w = world_make(4000, 10);
    struct boost_options o = options_of(BOOST_LOGISTIC);
    (void)state;
    o.min_rows = 150;
    struct boost_model m = fitted(&w, &o, true, false);
    for (size_t t = 0; t < m.n_trees; t++) {
        uint64_t rows[1 << BOOST_DEPTH_MAX] = {0};
        for (size_t i = 0; i < w.n; i++) {
            size_t node = 0;
            while (node < m.n_nodes) {
                size_t at = t * m.n_nodes + node;
                node = 2 * node + 1 + (w.column[m.feature[at]][i] > m.threshold[at]);
            }
            rows[node - m.n_nodes] += w.weight[i] > 0;
        }
        assert_memory_equal(rows, m.leaf_rows + t * m.n_leaves, m.n_leaves * sizeof *rows);
        for (size_t j = 0; j < m.n_leaves; j++)
            CHECK(rows[j] == 0 || rows[j] >= o.min_rows);
    }
    boost_clear(&m);
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
    for (int heavy = 0; heavy <= 2; heavy += 2) { /* half are `heavy`, the others in 0..1 */
        for (size_t i = 0; i < 20000; i++)
            sample[i] = random_unit(&r) < 0.5 ? heavy : random_unit(&r);
        boost_edges_choose(sample, 20000, 64, run, edges);
        for (size_t e = 1; e < 61; e++)
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
    static const uint8_t other_seed[32] = {99};
    o.seed = other_seed;
    struct boost_model c = fitted(&w, &o, true, true);
    CHECK(memcmp(a.edges, c.edges, 7 * DIMS * sizeof *a.edges) != 0);
    boost_clear(&c);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_threads_and_instruction_levels_give_the_same_bytes),
        cmocka_unit_test(every_depth_and_number_of_bins_gives_the_same_bytes_in_both_forms),
        cmocka_unit_test(each_split_is_the_best_there_is),
        cmocka_unit_test(of_two_equal_columns_the_first_is_taken),
        cmocka_unit_test(steps_of_a_classifier_are_cut),
        cmocka_unit_test(importance_is_the_sum_of_gains),
        cmocka_unit_test(rows_of_weight_zero_count_for_nothing),
        cmocka_unit_test(the_order_of_rows_does_not_show),
        cmocka_unit_test(a_column_in_other_units_gives_the_same_tree),
        cmocka_unit_test(leaves_keep_their_least_rows_and_tell_how_many),
        cmocka_unit_test(a_column_of_few_values_has_a_bin_for_each),
        cmocka_unit_test(edges_of_a_sample_are_near_the_quantiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
