#include "common/num/boost_tree.h"
#include "common/num/parallel.h"

#include <string.h>

struct level {
    struct boost_tree *t;
    const uint32_t *feature; /* of the level above, or NULL at the root */
    const uint8_t *bin;
    size_t n_above;
};

static void level_route(const struct level *l, size_t block)
{
    const struct boost_rows *r = l->t->rows;
    size_t first = boost_first(block), n = boost_count(r, block);
    if (l->feature)
        boost_route(boost_column(r, block, 0), n, r->d, l->feature, l->bin, l->n_above,
                    r->node + first);
    else
        memset(r->node + first, 0, n);
}

/* Left children are built, whatever their size; right ones follow from their
 * parents. */
static void level_block(void *context, size_t block, unsigned thread)
{
    const struct level *l = context;
    const struct boost_rows *r = l->t->rows;
    size_t first = boost_first(block), n_built = l->feature ? l->n_above : 1;
    _Alignas(64) uint8_t scratch[BOOST_HIST_SCRATCH];
    const struct boost_hist_rows rows = {
        .bins = boost_column(r, block, 0),
        .gh = r->gh + l->t->score * r->n_padded + first,
        .live = r->live + first,
        .node = r->node + first,
        .n = boost_count(r, block),
        .d = r->d,
        .n_bins = l->t->model->n_bins,
    };
    level_route(l, block);
    for (size_t j = 0; j < n_built; j++)
        boost_hist_add(&rows, (uint8_t)(2 * j), scratch, boost_tree_built(l->t, thread, j));
}

static void leaves_block(void *context, size_t block, unsigned thread)
{
    const struct level *l = context;
    const struct boost_rows *r = l->t->rows;
    size_t first = boost_first(block), n_leaves = l->t->model->n_leaves;
    level_route(l, block);
    if (r->party)
        boost_leaf_count(r->node + first, r->live + first, r->party + first,
                         boost_count(r, block), n_leaves,
                         l->t->seen + thread * l->t->n_parties * n_leaves);
}

static void scores_block(void *context, size_t block, unsigned thread)
{
    const struct boost_tree *t = context;
    const struct boost_rows *r = t->rows;
    size_t first = boost_first(block);
    (void)thread;
    boost_leaf_add(r->node + first, boost_count(r, block), t->value, t->model->n_leaves,
                   r->score + t->score * r->n_padded + first);
}

void boost_oblivious_tree(struct boost_tree *t)
{
    const struct boost_model *m = t->model;
    const struct boost_rows *r = t->rows;
    struct level l = {.t = t};
    bool deeper = true;
    while (deeper) {
        parallel_blocks(r->threads, r->n_blocks, level_block, &l);
        boost_tree_merge(t);
        boost_tree_split(t);
        size_t nodes = t->index * m->n_nodes + t->n_nodes - 1;
        l = (struct level){t, m->feature + nodes, m->bin + nodes, t->n_nodes};
        deeper = boost_tree_descend(t);
    }
    parallel_blocks(r->threads, r->n_blocks, leaves_block, &l);
    boost_tree_settle(t);
    parallel_blocks(r->threads, r->n_blocks, scores_block, t);
}
