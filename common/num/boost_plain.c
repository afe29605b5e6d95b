#include "common/base/size.h"
#include "common/base/wipe.h"
#include "common/num/boost_tree.h"
#include "common/num/parallel.h"

#include <stdlib.h>
#include <string.h>

/* Rows are listed node by node; of two children the smaller is built. Work is
 * cut into items of at most ITEM_ROWS rows of one node; sums of integers are
 * the same however it is cut. */
enum { ITEM_ROWS = 1 << 16, TILE_ROWS = 1 << 10, TILE_BYTES = 40 << 10, AHEAD = 24 };

/* A bin of the histogram in hand: g, and h with the rows' count above its 40
 * low bits, so that a row is one vector added. An item's h is below 2^16 x
 * 2^15. */
typedef int64_t bin_sums __attribute__((vector_size(16)));
enum { COUNT_AT = 40 };

struct item {
    size_t node, from, to;
    size_t n_left; /* of a cut item: its rows that go left; where they and the
                      others go */
    size_t left_at, right_at;
};
struct boost_plain {
    const struct boost_tree *tree;
    struct boost_tree *t;
    size_t n_live, n_bins_padded;
    uint32_t *live, *rows, *spare; /* all that count; by node; while they move */
    const uint32_t *now;           /* live or rows */
    bin_sums *bins[PARALLEL_THREADS_MAX];
    struct item *items;
    size_t n_items, start[2 * BOOST_LEVEL_NODES + 1];
    void *room;
    size_t room_len;
};

static size_t items_most(const struct boost_plain *p)
{
    return p->n_live / ITEM_ROWS + 2 * BOOST_LEVEL_NODES;
}

static apex_status plain_room(struct boost_plain *p, const struct boost_rows *r)
{
    size_t list, bins, items, len;
    if (!size_mul(p->n_live, sizeof(uint32_t), &list) || !size_align(list, 64, &list) ||
        !size_mul(r->d * p->n_bins_padded, sizeof(bin_sums), &bins) ||
        !size_mul(items_most(p), sizeof(struct item), &items) ||
        !size_mul(bins, r->threads, &len) || !size_add(len, 3 * list, &len) ||
        !size_add(len, items, &len) || !size_align(len, 64, &len))
        return APEX_E_LIMIT;
    uint8_t *room = aligned_alloc(64, len);
    if (!room) return APEX_E_MEMORY;
    memset(room, 0, len);
    p->room = room;
    p->room_len = len;
    p->live = (uint32_t *)room;
    p->rows = (uint32_t *)(room + list);
    p->spare = (uint32_t *)(room + 2 * list);
    for (unsigned t = 0; t < r->threads; t++)
        p->bins[t] = (bin_sums *)(room + 3 * list + t * bins);
    p->items = (struct item *)(room + 3 * list + r->threads * bins);
    return APEX_OK;
}

apex_status boost_plain_open(struct boost_plain **out, const struct boost_tree *t)
{
    const struct boost_rows *r = t->rows;
    if (r->n_padded > UINT32_MAX) return APEX_E_LIMIT;
    struct boost_plain *p = calloc(1, sizeof *p);
    if (!p) return APEX_E_MEMORY;
    p->n_bins_padded = boost_bins_padded(t->model->n_bins);
    for (size_t i = 0; i < r->n; i++)
        p->n_live += r->live[i];
    apex_status s = plain_room(p, r);
    if (s != APEX_OK) {
        free(p);
        return s;
    }
    for (size_t i = 0, at = 0; i < r->n; i++)
        if (r->live[i]) p->live[at++] = (uint32_t)i;
    *out = p;
    return APEX_OK;
}

void boost_plain_close(struct boost_plain *p)
{
    if (!p) return;
    wipe(p->room, p->room_len);
    free(p->room);
    free(p);
}

static void item_add(struct boost_plain *p, size_t node, size_t from, size_t to)
{
    for (size_t at = from; at < to; at += ITEM_ROWS) {
        size_t end = to - at < ITEM_ROWS ? to : at + ITEM_ROWS;
        p->items[p->n_items++] = (struct item){.node = node, .from = at, .to = end};
    }
}

/* Features from..to of some rows. */
static void tile_add(const struct boost_rows *r, const int32_t *gh, const uint32_t *row,
                     size_t n, size_t from, size_t to, size_t padded, bin_sums *bins)
{
    size_t d = r->d;
    for (size_t i = 0; i < n; i++) {
        size_t ahead = row[i + AHEAD < n ? i + AHEAD : n - 1];
        __builtin_prefetch(r->bins + ahead * d + from);
        __builtin_prefetch(gh + ahead);
        const uint8_t *x = r->bins + row[i] * d;
        int32_t both = gh[row[i]];
        const bin_sums add = {(int16_t)both, (int64_t)(both >> 16) + ((int64_t)1 << COUNT_AT)};
        bin_sums *to_bins = bins + from * padded;
        for (size_t f = from; f < to; f++, to_bins += padded)
            to_bins[x[f]] += add;
    }
}

static void bins_unpack(const bin_sums *bins, size_t d, size_t padded, int64_t *hist)
{
    for (size_t f = 0; f < d; f++, bins += padded, hist += 3 * padded)
        for (size_t b = 0; b < padded; b++) {
            hist[b] += bins[b][0];
            hist[padded + b] += bins[b][1] & (((int64_t)1 << COUNT_AT) - 1);
            hist[2 * padded + b] += bins[b][1] >> COUNT_AT;
        }
}

static void item_build(void *context, size_t index, unsigned thread)
{
    const struct boost_plain *p = context;
    const struct item *item = &p->items[index];
    const struct boost_rows *r = p->t->rows;
    const int32_t *gh = r->gh + p->t->score * r->n_padded;
    size_t padded = p->n_bins_padded, built = p->t->level == 0 ? 0 : item->node / 2;
    size_t at_once = TILE_BYTES / (padded * sizeof(bin_sums));
    if (at_once == 0) at_once = 1;
    memset(p->bins[thread], 0, r->d * padded * sizeof(bin_sums));
    for (size_t at = item->from; at < item->to; at += TILE_ROWS) {
        size_t n = item->to - at < TILE_ROWS ? item->to - at : TILE_ROWS;
        for (size_t f = 0; f < r->d; f += at_once)
            tile_add(r, gh, p->now + at, n, f, f + at_once < r->d ? f + at_once : r->d, padded,
                     p->bins[thread]);
    }
    bins_unpack(p->bins[thread], r->d, padded, boost_tree_built(p->t, thread, built));
}

/* Of each pair the child with fewer rows: it gets the new place, its sibling
 * the parent's. */
static void level_build(struct boost_plain *p)
{
    struct boost_tree *t = p->t;
    p->n_items = 0;
    if (t->level == 0) item_add(p, 0, 0, p->n_live);
    for (size_t j = 0; j + 1 < t->n_nodes; j += 2) {
        size_t left = p->start[j + 1] - p->start[j], right = p->start[j + 2] - p->start[j + 1];
        if (right < left) {
            size_t place = t->place[j];
            t->place[j] = t->place[j + 1];
            t->place[j + 1] = place;
        }
        size_t small = right < left ? j + 1 : j;
        item_add(p, small, p->start[small], p->start[small + 1]);
    }
    parallel_blocks(t->rows->threads, p->n_items, item_build, p);
}

struct cut {
    const uint8_t *bins; /* of the node's feature, in the first row */
    size_t d;
    uint8_t above;
};

static struct cut item_cut(const struct boost_plain *p, const struct item *item)
{
    const struct boost_split *s = &p->t->split[item->node];
    return (struct cut){p->t->rows->bins + s->feature, p->t->rows->d, s->bin};
}

/* An item's rows to the same stretch of `spare`: those that go left from its
 * beginning, the others from its end. */
static void item_cut_rows(void *context, size_t index, unsigned thread)
{
    struct boost_plain *p = context;
    struct item *item = &p->items[index];
    const struct cut cut = item_cut(p, item);
    uint32_t *left = p->spare + item->from, *right = p->spare + item->to - 1;
    (void)thread;
    for (size_t i = item->from; i < item->to; i++) {
        uint32_t row = p->now[i];
        __builtin_prefetch(cut.bins + p->now[i + AHEAD < item->to ? i + AHEAD : i] * cut.d);
        size_t goes = cut.bins[row * cut.d] > cut.above;
        *left = row;
        *right = row;
        left += 1 - goes;
        right -= goes;
    }
    item->n_left = (size_t)(left - (p->spare + item->from));
}

static void item_place_rows(void *context, size_t index, unsigned thread)
{
    const struct boost_plain *p = context;
    const struct item *item = &p->items[index];
    size_t n_right = item->to - item->from - item->n_left;
    (void)thread;
    memcpy(p->rows + item->left_at, p->spare + item->from, item->n_left * sizeof *p->rows);
    for (size_t i = 0; i < n_right; i++)
        p->rows[item->right_at + i] = p->spare[item->to - 1 - i];
}

static void items_of_level(struct boost_plain *p)
{
    p->n_items = 0;
    for (size_t j = 0; j < p->t->n_nodes; j++)
        item_add(p, j, p->start[j], p->start[j + 1]);
}

/* Rows of each node to its children, and where those begin: children's counts
 * are the tree's.
 */
static void level_cut(struct boost_plain *p, size_t n_above)
{
    size_t start[2 * BOOST_LEVEL_NODES + 1] = {0}, at[2 * BOOST_LEVEL_NODES];
    parallel_blocks(p->t->rows->threads, p->n_items, item_cut_rows, p);
    for (size_t i = 0; i < p->n_items; i++) {
        const struct item *item = &p->items[i];
        start[2 * item->node + 1] += item->n_left;
        start[2 * item->node + 2] += item->to - item->from - item->n_left;
    }
    for (size_t j = 0; j < 2 * n_above; j++) {
        at[j] = start[j];
        start[j + 1] += start[j];
    }
    for (size_t i = 0; i < p->n_items; i++) {
        struct item *item = &p->items[i];
        item->left_at = at[2 * item->node];
        item->right_at = at[2 * item->node + 1];
        at[2 * item->node] += item->n_left;
        at[2 * item->node + 1] += item->to - item->from - item->n_left;
    }
    memcpy(p->start, start, sizeof start);
    parallel_blocks(p->t->rows->threads, p->n_items, item_place_rows, p);
    p->now = p->rows;
}

static void item_leaf(void *context, size_t index, unsigned thread)
{
    const struct boost_plain *p = context;
    const struct item *item = &p->items[index];
    const struct cut cut = item_cut(p, item);
    uint8_t *node = p->t->rows->node;
    (void)thread;
    for (size_t i = item->from; i < item->to; i++) {
        uint32_t row = p->now[i];
        __builtin_prefetch(cut.bins + p->now[i + AHEAD < item->to ? i + AHEAD : i] * cut.d);
        node[row] = (uint8_t)(2 * item->node + (cut.bins[row * cut.d] > cut.above));
    }
}

static void block_count(void *context, size_t block, unsigned thread)
{
    const struct boost_plain *p = context;
    const struct boost_rows *r = p->t->rows;
    size_t n_leaves = p->t->model->n_leaves;
    uint64_t *seen = p->t->seen + thread * p->t->n_parties * n_leaves;
    size_t first = boost_first(block), end = first + boost_count(r, block);
    for (size_t i = first; i < end; i++)
        seen[r->party[i] * n_leaves + r->node[i]] += r->live[i];
}

static void block_leaf(void *context, size_t block, unsigned thread)
{
    const struct boost_plain *p = context;
    const struct boost_rows *r = p->t->rows;
    double *score = r->score + p->t->score * r->n_padded;
    size_t first = boost_first(block), end = first + boost_count(r, block);
    (void)thread;
    for (size_t i = first; i < end; i++)
        score[i] += p->t->value[r->node[i]];
}

void boost_plain_tree(struct boost_plain *p, struct boost_tree *t)
{
    bool deeper = true;
    p->t = t;
    p->now = p->live;
    p->start[0] = 0;
    p->start[1] = p->n_live;
    for (;;) {
        level_build(p);
        boost_tree_merge(t);
        boost_tree_split(t);
        items_of_level(p);
        size_t n_above = t->n_nodes;
        deeper = boost_tree_descend(t);
        if (!deeper) break;
        level_cut(p, n_above);
    }
    parallel_blocks(t->rows->threads, p->n_items, item_leaf, p);
    if (t->rows->party) parallel_blocks(t->rows->threads, t->rows->n_blocks, block_count, p);
    boost_tree_settle(t);
    parallel_blocks(t->rows->threads, t->rows->n_blocks, block_leaf, p);
}
