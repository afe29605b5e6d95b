#include "common/num/boost_tree.h"
#include "common/num/exact_inline.h"

#include <math.h>

/* A subtree: what its leaves sum to. */
struct whole {
    struct boost_sums sums;
    uint64_t by_party[BOOST_PARTIES_MAX];
};

static void whole_of(const struct boost_tree *t, size_t first, size_t n, struct whole *w)
{
    *w = (struct whole){0};
    for (size_t i = first; i < first + n; i++) {
        const int64_t own = (int64_t)t->own[i];
        w->sums.g += t->total[i].g & own;
        w->sums.h += t->total[i].h & own;
        w->sums.rows += t->total[i].rows & own;
        for (size_t p = 0; p < t->n_parties; p++)
            w->by_party[p] += t->seen[p * t->model->n_leaves + i] & t->own[i];
    }
}

/* All ones where rows are there and may not have a value of their own. */
static uint64_t short_of(const struct boost_tree *t, const struct whole *w)
{
    bool stands = t->may_stand(t->parties_context, w->by_party);
    return exact_mask(w->sums.rows > 0) & exact_mask(!stands);
}

static void sums_take(struct boost_sums *to, const struct boost_sums *from, uint64_t takes)
{
    int64_t mask = (int64_t)takes;
    to->g = (from->g & mask) | (to->g & ~mask);
    to->h = (from->h & mask) | (to->h & ~mask);
    to->rows = (from->rows & mask) | (to->rows & ~mask);
}

/* Where `joins`: the subtree's leaves are one, in the place of its first. Each place keeps the
 * sums of the leaf that its rows now belong to. */
static void leaves_join(struct boost_tree *t, size_t first, size_t n, const struct whole *w,
                        uint64_t joins)
{
    uint64_t had = 0;
    for (size_t i = first; i < first + n; i++) {
        uint64_t head = joins & exact_mask(i == first);
        had += t->own[i] & exact_mask(t->total[i].rows > 0) & 1;
        sums_take(&t->total[i], &w->sums, joins);
        t->own[i] = (t->own[i] & ~joins) | head;
        for (size_t p = 0; p < t->n_parties; p++) {
            uint64_t *seen = &t->seen[p * t->model->n_leaves + i];
            *seen = (w->by_party[p] & head) | (*seen & ~joins);
        }
    }
    *t->model->joined += had & joins;
}

static void node_unsplit(struct boost_tree *t, size_t node, uint64_t joins)
{
    struct boost_model *m = t->model;
    size_t at = t->index * m->n_nodes + node;
    m->threshold[at] = exact_select(joins, INFINITY, m->threshold[at]);
    m->feature[at] &= (uint32_t)~joins;
    m->bin[at] = (uint8_t)((m->bin[at] & ~joins) | (BOOST_NO_SPLIT & joins));
    t->gain[node] = exact_select(joins, 0.0, t->gain[node]);
}

/* Where a child of the `at`-th node, `height` above the leaves, is short, the node becomes a
 * leaf. */
static void node_join(struct boost_tree *t, size_t at, size_t height)
{
    size_t half = (size_t)1 << (height - 1), first = at << height;
    size_t node = ((size_t)1 << (t->model->depth - height)) - 1 + at;
    struct whole left, right, both;
    whole_of(t, first, half, &left);
    whole_of(t, first + half, half, &right);
    whole_of(t, first, 2 * half, &both);
    uint64_t joins = short_of(t, &left) | short_of(t, &right);
    leaves_join(t, first, 2 * half, &both, joins);
    for (size_t level = 0; level < height; level++)
        for (size_t j = 0; j < (size_t)1 << level; j++)
            node_unsplit(t, ((node + 1) << level) - 1 + j, joins);
}

/* A tree of too few rows as a whole says nothing. */
static void tree_judge(struct boost_tree *t)
{
    const struct boost_sums none = {0};
    struct whole all;
    whole_of(t, 0, t->model->n_leaves, &all);
    uint64_t too_few = short_of(t, &all);
    for (size_t i = 0; i < t->model->n_leaves; i++)
        sums_take(&t->total[i], &none, too_few);
}

void boost_tree_join(struct boost_tree *t)
{
    size_t n_leaves = t->model->n_leaves;
    for (size_t i = 0; i < n_leaves; i++)
        t->own[i] = ~UINT64_C(0);
    if (!t->may_stand) return;
    for (unsigned thread = 1; thread < t->rows->threads; thread++)
        for (size_t i = 0; i < t->n_parties * n_leaves; i++)
            t->seen[i] += t->seen[thread * t->n_parties * n_leaves + i];
    for (size_t height = 1; height <= t->model->depth; height++)
        for (size_t at = 0; at < n_leaves >> height; at++)
            node_join(t, at, height);
    tree_judge(t);
}
