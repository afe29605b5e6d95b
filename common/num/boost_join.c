#include "common/num/boost.h"

#include <math.h>
#include <stdbool.h>

/* A subtree: what its leaves sum to. */
struct whole {
    uint64_t rows, parties;
    double sum; /* of value times rows */
};
struct tree {
    double *threshold, *value;
    uint64_t *rows, *parties;
    uint32_t *feature;
    uint8_t *bin;
};

static struct whole whole_of(const struct tree *t, size_t first, size_t n)
{
    struct whole w = {0};
    for (size_t i = first; i < first + n; i++) {
        w.rows += t->rows[i];
        w.parties |= t->parties[i];
        w.sum += t->value[i] * (double)t->rows[i];
    }
    return w;
}

static unsigned bits_count(uint64_t bits)
{
    unsigned n = 0;
    for (; bits; bits &= bits - 1)
        n++;
    return n;
}

/* A leaf no row can reach is not short of any. */
static bool is_short(const struct whole *w, uint64_t min_rows, unsigned min_parties)
{
    return w->rows > 0 && (w->rows < min_rows || bits_count(w->parties) < min_parties);
}

static void no_split(struct tree *t, size_t node)
{
    t->threshold[node] = INFINITY;
    t->feature[node] = 0;
    t->bin[node] = BOOST_NO_SPLIT;
}

/* All rows of a subtree to its first leaf: `node` is the `at`-th of its level,
 * which is `height` above the leaves. Returns how many leaves with rows there
 * were. */
static size_t subtree_join(struct tree *t, size_t node, size_t at, size_t height,
                           const struct whole *w)
{
    size_t n = (size_t)1 << height, first = at << height, had = 0;
    for (size_t i = first; i < first + n; i++) {
        had += t->rows[i] > 0;
        t->value[i] = 0;
        t->rows[i] = t->parties[i] = 0;
    }
    t->value[first] = w->sum / (double)w->rows;
    t->rows[first] = w->rows;
    t->parties[first] = w->parties;
    for (size_t level = 0; level < height; level++) {
        size_t leftmost = ((node + 1) << level) - 1;
        for (size_t j = 0; j < (size_t)1 << level; j++)
            no_split(t, leftmost + j);
    }
    return had;
}

/* From the lowest nodes upwards: where a child is short, its parent becomes a
 * leaf. */
static size_t tree_join(struct tree *t, size_t depth, uint64_t min_rows, unsigned min_parties)
{
    size_t joined = 0;
    for (size_t height = 1; height <= depth; height++) {
        size_t nodes = (size_t)1 << (depth - height), half = (size_t)1 << (height - 1);
        for (size_t at = 0; at < nodes; at++) {
            size_t first = at << height;
            struct whole left = whole_of(t, first, half),
                         right = whole_of(t, first + half, half),
                         both = whole_of(t, first, 2 * half);
            if (!is_short(&left, min_rows, min_parties) &&
                !is_short(&right, min_rows, min_parties))
                continue;
            joined += subtree_join(t, nodes - 1 + at, at, height, &both);
        }
    }
    return joined;
}

void boost_join_leaves(struct boost_model *m, uint64_t min_rows, unsigned min_parties,
                       size_t *joined, size_t *short_trees)
{
    *joined = *short_trees = 0;
    for (size_t i = 0; i < m->n_trees; i++) {
        size_t leaf = i * m->n_leaves, node = i * m->n_nodes;
        struct tree t = {m->threshold + node,    m->value + leaf,   m->leaf_rows + leaf,
                         m->leaf_parties + leaf, m->feature + node, m->bin + node};
        *joined += tree_join(&t, m->depth, min_rows, min_parties);
        struct whole all = whole_of(&t, 0, m->n_leaves);
        if (!is_short(&all, min_rows, min_parties)) continue;
        ++*short_trees;
        t.value[0] = 0;
        t.rows[0] = t.parties[0] = 0;
    }
}
