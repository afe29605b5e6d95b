#include "tests/boost_world.h"

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

/* At least 60 rows, none of five parties without any, none with more than three tenths. */
static bool stands(void *context, const uint64_t *by_party)
{
    uint64_t rows = 0, most = 0, least = UINT64_MAX;
    (void)context;
    for (size_t p = 0; p < 5; p++) {
        rows += by_party[p];
        if (by_party[p] > most) most = by_party[p];
        if (by_party[p] < least) least = by_party[p];
    }
    return rows >= 60 && least > 0 && 10 * most <= 3 * rows;
}

static bool none_stands(void *context, const uint64_t *by_party)
{
    (void)context;
    (void)by_party;
    return false;
}

/* Of a tree: rows of each leaf by party, gradients' sums there, under the scores so far. */
struct leaves {
    uint64_t by_party[1 << BOOST_DEPTH_MAX][5];
    size_t leaf[3000];
};

static void leaves_count(const struct world *w, const struct boost_model *m, size_t tree,
                         struct leaves *l)
{
    memset(l, 0, sizeof *l);
    for (size_t i = 0; i < w->n; i++) {
        size_t node = 0;
        while (node < m->n_nodes) {
            size_t at = tree * m->n_nodes + node;
            node = 2 * node + 1 + (w->column[m->feature[at]][i] > m->threshold[at]);
        }
        l->leaf[i] = node - m->n_nodes;
        l->by_party[l->leaf[i]][w->party[i]] += w->weight[i] > 0;
    }
}

/* On squared loss: what a leaf says is what its own rows' residuals say, and the next tree's
 * residuals are after what was said: nothing that may not stand was used on the way. */
static void leaves_stand(const struct world *w, const struct boost_options *o,
                         const struct boost_model *m)
{
    static struct leaves l;
    double *score = calloc(w->n, sizeof *score);
    for (size_t t = 0; t < m->n_trees; t++) {
        double g[1 << BOOST_DEPTH_MAX] = {0}, h[1 << BOOST_DEPTH_MAX] = {0};
        leaves_count(w, m, t, &l);
        for (size_t i = 0; i < w->n; i++) {
            g[l.leaf[i]] += w->weight[i] * (m->base[0] + score[i] - w->target[i]);
            h[l.leaf[i]] += w->weight[i];
        }
        for (size_t j = 0; j < m->n_leaves; j++) {
            const uint64_t *n = l.by_party[j], rows = n[0] + n[1] + n[2] + n[3] + n[4];
            CHECK(rows == m->leaf_rows[t * m->n_leaves + j]);
            CHECK(rows == 0 || stands(NULL, n));
            if (rows == 0) continue;
            double value = -o->rate * g[j] / (h[j] + o->lambda);
            CHECK(fabs(value - m->value[t * m->n_leaves + j]) < 1e-3);
        }
        for (size_t i = 0; i < w->n; i++)
            score[i] += m->value[t * m->n_leaves + l.leaf[i]];
    }
    free(score);
}

static void leaves_that_may_not_stand_are_joined_before_they_are_used(void **state)
{
    struct world w = world_make(3000, 11);
    struct boost_options o = options_of(BOOST_SQUARED);
    (void)state;
    o.min_rows = 1;
    o.depth = 6;
    struct boost_model before = fitted(&w, &o, true, false);
    o.may_stand = stands;
    struct boost_model m = fitted(&w, &o, true, false), plain = fitted(&w, &o, true, true);
    o.threads = 3;
    struct boost_model threads = fitted(&w, &o, true, false);
    CHECK(*before.joined == 0 && *m.joined > 0);
    CHECK_OK(boost_check(&m));
    same_model(&m, &plain);
    same_model(&m, &threads);
    leaves_stand(&w, &o, &m);
    boost_clear(&m);
    boost_clear(&before);
    boost_clear(&plain);
    boost_clear(&threads);
    world_free(&w);
}

/* The best split of all would tell one party's rows from the others'. */
static void a_split_that_could_not_stand_is_no_hindrance(void **state)
{
    struct world w = world_make(3000, 15);
    struct boost_options o = options_of(BOOST_SQUARED);
    (void)state;
    for (size_t i = 0; i < w.n; i++) {
        w.column[0][i] = w.party[i];
        w.target[i] = 100 * w.party[i] + (w.column[1][i] > 0 ? 10 : 0);
    }
    o.may_stand = stands;
    struct boost_model m = fitted(&w, &o, true, false), plain = fitted(&w, &o, true, true);
    same_model(&m, &plain);
    CHECK(m.importance[0] == 0 && m.importance[1] > 0);
    leaves_stand(&w, &o, &m);
    boost_clear(&m);
    boost_clear(&plain);
    world_free(&w);
}

static void rows_that_may_not_stand_together_say_nothing(void **state)
{
    struct world w = world_make(3000, 12);
    struct boost_options o = options_of(BOOST_SQUARED);
    (void)state;
    o.may_stand = none_stands;
    struct boost_model m = fitted(&w, &o, true, false);
    double *score = scored(&w, &m, false);
    for (size_t i = 0; i < w.n; i++)
        CHECK(score[i] == m.base[0]);
    for (size_t f = 0; f < m.n_features; f++)
        CHECK(m.importance[f] == 0);
    free(score);
    boost_clear(&m);
    world_free(&w);
}

static void leaves_are_judged_by_parties_or_not_at_all(void **state)
{
    struct boost_options o = options_of(BOOST_SQUARED);
    struct num_place place;
    struct world w = world_make(100, 12);
    struct boost_model m;
    struct lent l;
    (void)state;
    lent_open(&l, &w, o.loss, false);
    o.may_stand = stands;
    assert_int_equal(boost_fit(&l.source, &o, &m, &place), APEX_E_USAGE);
    CHECK(place.fault == NUM_OPTION && place.at == 12);
    num_source_of_arrays_free(&l.arrays);
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
        cmocka_unit_test(predictions_of_both_forms_follow_the_tree),
        cmocka_unit_test(shares_add_up_to_one_and_follow_scores),
        cmocka_unit_test(leaves_that_may_not_stand_are_joined_before_they_are_used),
        cmocka_unit_test(a_split_that_could_not_stand_is_no_hindrance),
        cmocka_unit_test(rows_that_may_not_stand_together_say_nothing),
        cmocka_unit_test(leaves_are_judged_by_parties_or_not_at_all),
        cmocka_unit_test(an_exclusive_or_is_learned),
        cmocka_unit_test(options_out_of_range_are_named_by_number),
        cmocka_unit_test(bad_rows_get_a_status_and_a_place),
        cmocka_unit_test(constant_columns_tiny_tables_and_huge_numbers_are_no_trouble),
        cmocka_unit_test(a_long_run_on_separable_rows_stays_finite),
        cmocka_unit_test(a_model_that_is_none_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
