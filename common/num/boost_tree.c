#include "common/num/boost_tree.h"

#include "common/base/size.h"
#include "common/base/wipe.h"
#include "common/num/exact_inline.h"
#include "common/num/parallel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool room_lens(const struct boost_tree *t, size_t *hist, size_t *lent, size_t *seen,
                      size_t *allowed)
{
    size_t threads = t->rows->threads;
    return size_mul(t->n_hists, t->hist_len, hist) && size_mul(*hist, sizeof(int64_t), hist) &&
           size_mul(t->n_built, t->hist_len, lent) && size_mul(*lent, sizeof(int64_t), lent) &&
           size_mul(*lent, threads - 1, lent) &&
           size_mul(threads * t->n_parties * sizeof(uint64_t), t->model->n_leaves, seen) &&
           size_mul(t->hist_len / 3, sizeof(uint64_t), allowed);
}

apex_status boost_tree_open(struct boost_tree *t, struct boost_rows *rows,
                            struct boost_model *model, const struct boost_options *o)
{
    size_t hist, lent, seen, allowed, len;
    *t = (struct boost_tree){.rows = rows,
                             .model = model,
                             .n_parties = o->may_stand ? o->n_parties : 0,
                             .may_stand = o->may_stand,
                             .parties_context = o->parties_context};
    t->rule = (struct boost_rule){.lambda = o->lambda,
                                  .min_hessian = o->min_hessian,
                                  .min_gain = o->min_gain,
                                  .rate = o->rate,
                                  .min_rows = o->min_rows ? o->min_rows : 1,
                                  .cut = model->loss != BOOST_SQUARED};
    t->hist_len = boost_hist_len(rows->d, model->n_bins);
    t->n_hists = (size_t)1 << (model->depth - 1);
    t->n_built = t->n_hists > 1 ? t->n_hists / 2 : 1;
    if (!room_lens(t, &hist, &lent, &seen, &allowed) || !size_add(hist, lent, &len) ||
        !size_add(len, seen, &len) || !size_add(len, allowed, &len) ||
        !size_align(len, 64, &len))
        return APEX_E_LIMIT;
    t->room = aligned_alloc(64, len);
    if (!t->room) return APEX_E_MEMORY;
    t->room_len = len;
    memset(t->room, 0, len);
    t->hist = t->room;
    t->lent = t->hist + t->n_hists * t->hist_len;
    t->allowed = (uint64_t *)(t->lent + (rows->threads - 1) * t->n_built * t->hist_len);
    t->seen = t->allowed + t->hist_len / 3;
    return APEX_OK;
}

void boost_tree_close(struct boost_tree *t)
{
    if (t->room) wipe(t->room, t->room_len);
    free(t->room);
    t->room = NULL;
}

/* Nodes built on the level in hand: the root, then one child of each node
 * above. */
static size_t built_here(const struct boost_tree *t)
{
    return t->level == 0 ? 1 : t->n_nodes / 2;
}

static void built_zero(struct boost_tree *t)
{
    size_t n = built_here(t), len = n * t->hist_len * sizeof(int64_t);
    size_t first = t->level == 0 ? 0 : t->n_nodes / 2;
    memset(t->hist + first * t->hist_len, 0, len);
    for (unsigned thread = 1; thread < t->rows->threads; thread++)
        memset(t->lent + (thread - 1) * t->n_built * t->hist_len, 0, len);
}

void boost_tree_start(struct boost_tree *t, size_t index, size_t score)
{
    t->index = index;
    t->score = score;
    t->level = 0;
    t->n_nodes = 1;
    t->place[0] = 0;
    t->rule.g_unit = t->rows->g_unit;
    t->rule.h_unit = t->rows->h_unit;
    memset(t->seen, 0, t->rows->threads * t->n_parties * t->model->n_leaves * sizeof *t->seen);
    built_zero(t);
}

/* The child of pair `built` whose histogram is built: the one in the new place.
 */
static size_t built_node(const struct boost_tree *t, size_t built)
{
    if (t->level == 0) return 0;
    return 2 * built + (t->place[2 * built] < t->n_nodes / 2);
}

int64_t *boost_tree_built(const struct boost_tree *t, unsigned thread, size_t built)
{
    if (thread == 0) return t->hist + t->place[built_node(t, built)] * t->hist_len;
    return t->lent + ((thread - 1) * t->n_built + built) * t->hist_len;
}

BOOST_BODY void numbers_add_body(int64_t *to, const int64_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += from[i];
}
BOOST_LEVELS(static, numbers_add, (int64_t * to, const int64_t *from, size_t n), (to, from, n))

BOOST_BODY void numbers_take_body(int64_t *from, const int64_t *taken, size_t n)
{
    for (size_t i = 0; i < n; i++)
        from[i] -= taken[i];
}
BOOST_LEVELS(static, numbers_take, (int64_t * from, const int64_t *taken, size_t n),
             (from, taken, n))

static void merge_one(void *context, size_t built, unsigned thread)
{
    const struct boost_tree *t = context;
    int64_t *mine = boost_tree_built(t, 0, built);
    (void)thread;
    for (unsigned other = 1; other < t->rows->threads; other++)
        numbers_add(mine, boost_tree_built(t, other, built), t->hist_len);
    if (t->level == 0) return;
    size_t sibling = built_node(t, built) ^ 1;
    numbers_take(t->hist + t->place[sibling] * t->hist_len, mine, t->hist_len);
}

void boost_tree_merge(struct boost_tree *t)
{
    parallel_blocks(t->rows->threads, built_here(t), merge_one, t);
    if (t->level == 0) t->total[0] = boost_hist_sums(t->hist, t->model->n_bins);
}

struct boost_sums boost_hist_sums(const int64_t *hist, size_t n_bins)
{
    struct boost_sums s = {0};
    size_t padded = boost_bins_padded(n_bins);
    for (size_t b = 0; b < padded; b++) {
        s.g += hist[b];
        s.h += hist[padded + b];
        s.rows += hist[2 * padded + b];
    }
    return s;
}

static void split_one(void *context, size_t node, unsigned thread)
{
    struct boost_tree *t = context;
    (void)thread;
    boost_split_find(t->hist + t->place[node] * t->hist_len, t->allowed, t->rows->d,
                     t->model->n_bins, t->total[node], &t->rule, &t->split[node]);
}

/* The edge above a bin of a feature, passing over all edges. */
static double threshold_of(const struct boost_model *m, const struct boost_split *s)
{
    uint64_t bits = exact_bits(INFINITY);
    size_t n_edges = m->n_bins - 1;
    for (size_t f = 0; f < m->n_features; f++)
        for (size_t b = 0; b < n_edges; b++) {
            uint64_t here = exact_mask(f == s->feature) & exact_mask(b == s->bin);
            bits = (exact_bits(m->edges[f * n_edges + b]) & here) | (bits & ~here);
        }
    return exact_of_bits(bits);
}

void boost_tree_split(struct boost_tree *t)
{
    struct boost_model *m = t->model;
    size_t first = t->index * m->n_nodes + t->n_nodes - 1;
    parallel_blocks(t->rows->threads, t->n_nodes, split_one, t);
    for (size_t j = 0; j < t->n_nodes; j++) {
        const struct boost_split *s = &t->split[j];
        m->feature[first + j] = s->feature;
        m->bin[first + j] = s->bin;
        m->threshold[first + j] = threshold_of(m, s);
        t->gain[t->n_nodes - 1 + j] = s->gain;
    }
}

static double leaf_value(const struct boost_rule *rule, const struct boost_sums *s)
{
    double g = (double)s->g * rule->g_unit, h = (double)s->h * rule->h_unit + rule->lambda;
    uint64_t some = exact_mask(h > 0), cut = exact_mask(rule->cut);
    double step = -g / exact_select(some, h, 1.0);
    double kept = exact_clamp(step, -BOOST_STEP_MAX, BOOST_STEP_MAX);
    return exact_select(some, exact_select(cut, kept, step), 0.0) * rule->rate;
}

static void gains_write(struct boost_tree *t)
{
    struct boost_model *m = t->model;
    const uint32_t *feature = m->feature + t->index * m->n_nodes;
    for (size_t i = 0; i < m->n_nodes; i++)
        for (size_t f = 0; f < m->n_features; f++)
            m->importance[f] +=
                exact_of_bits(exact_bits(t->gain[i]) & exact_mask(f == feature[i]));
}

void boost_tree_settle(struct boost_tree *t)
{
    struct boost_model *m = t->model;
    size_t first = t->index * m->n_leaves;
    boost_tree_join(t);
    gains_write(t);
    for (size_t j = 0; j < m->n_leaves; j++) {
        t->value[j] = leaf_value(&t->rule, &t->total[j]);
        m->value[first + j] = exact_select(t->own[j], t->value[j], 0.0);
        m->leaf_rows[first + j] = (uint64_t)t->total[j].rows & t->own[j];
    }
}

bool boost_tree_descend(struct boost_tree *t)
{
    for (size_t j = t->n_nodes; j-- > 0;) {
        const struct boost_sums all = t->total[j], left = t->split[j].left;
        t->total[2 * j] = left;
        t->total[2 * j + 1] =
            (struct boost_sums){all.g - left.g, all.h - left.h, all.rows - left.rows};
    }
    if (t->level + 1 == t->model->depth) return false;
    for (size_t j = t->n_nodes; j-- > 0;) {
        size_t parent = t->place[j];
        t->place[2 * j] = parent + t->n_nodes;
        t->place[2 * j + 1] = parent;
    }
    t->n_nodes *= 2;
    t->level++;
    built_zero(t);
    return true;
}
