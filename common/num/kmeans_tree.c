#include "common/num/kmeans_tree.h"

#include "common/base/size.h"
#include "common/base/try.h"
#include "common/num/kmeans_filter.h"

#include <stdlib.h>
#include <string.h>

/* Rows per thread for which another is worth waking, and groups of nodes for each to have its
 * fair share. */
enum { THREAD_ROWS = 1 << 16, THREAD_GROUPS = 16 };

_Static_assert((int)KMEANS_PRUNED_DIMS == (int)ORDER_DIMS_MAX, "what the header promises");

bool kmeans_tree_fits(const struct kmeans_source *source)
{
    return source->d <= ORDER_DIMS_MAX && source->n <= UINT32_MAX;
}

/* Copies the rows of a chunk that have a weight. */
static void rows_take(struct kmeans_tree *t, const struct kmeans_chunk *chunk, size_t at)
{
    struct order_rows *rows = &t->rows;
    size_t kept = at;
    if (!chunk->weights) {
        for (size_t j = 0; j < rows->d; j++)
            memcpy(rows->column[j] + at, chunk->column[j], chunk->n * sizeof(int32_t));
        rows->n = at + chunk->n;
        return;
    }
    for (size_t i = 0; i < chunk->n; i++) {
        if (chunk->weights[i] == 0) continue;
        for (size_t j = 0; j < rows->d; j++)
            rows->column[j][kept] = chunk->column[j][i];
        rows->column[rows->d][kept++] = (int32_t)chunk->weights[i];
    }
    rows->n = kept;
}

static apex_status wrong_chunks(struct num_place *place)
{
    if (place) *place = (struct num_place){NUM_OPTION, 4};
    return APEX_E_USAGE;
}

static apex_status rows_read(struct kmeans_tree *t, const struct kmeans_source *source,
                             struct num_place *place)
{
    size_t seen = 0;
    TRY(order_rows_open(&t->rows, source->n, source->d, source->d + t->weighted));
    t->rows.n = 0;
    for (size_t i = 0; i < source->n_chunks; i++) {
        struct kmeans_chunk chunk = {0};
        TRY(source->chunk(source->context, i, 0, &chunk));
        if (chunk.n == 0) continue;
        if ((chunk.weights != NULL) != t->weighted || chunk.n > source->n - seen)
            return wrong_chunks(place);
        rows_take(t, &chunk, t->rows.n);
        kmeans_squares(&chunk, source->d, &t->squares);
        seen += chunk.n;
    }
    return seen == source->n ? APEX_OK : wrong_chunks(place);
}

/* What rows and nodes sum to. */

static apex_status sums_open(struct kmeans_tree *t)
{
    for (size_t level = 0; level < t->boxes.n_levels; level++) {
        size_t n = t->boxes.n[level];
        t->sum[level] = boxes_room(n * t->rows.d, sizeof *t->sum[level]);
        if (t->weighted) t->weight[level] = boxes_room(n, sizeof *t->weight[level]);
        if (!t->sum[level] || (t->weighted && !t->weight[level])) return APEX_E_MEMORY;
    }
    return APEX_OK;
}

static void leaf_sum(struct kmeans_tree *t, size_t leaf)
{
    size_t d = t->rows.d, first = leaf * BOXES_LEAF, rows = boxes_rows(&t->boxes, 0, leaf);
    const int32_t *weight = t->weighted ? t->rows.column[d] + first : NULL;
    for (size_t j = 0; j < d; j++) {
        const int32_t *x = t->rows.column[j] + first;
        int64_t plain = 0;
        __int128 sum = 0;
        for (size_t i = 0; !weight && i < rows; i++)
            plain += x[i];
        for (size_t i = 0; weight && i < rows; i++)
            sum += (int64_t)x[i] * (int64_t)(uint32_t)weight[i];
        t->sum[0][leaf * d + j] = weight ? sum : plain;
    }
    for (size_t i = 0; weight && i < rows; i++)
        t->weight[0][leaf] += (uint32_t)weight[i];
}

static void node_sum(void *context, size_t level, size_t node)
{
    struct kmeans_tree *t = context;
    size_t d = t->rows.d, first = node * BOXES_FAN;
    if (level == 0) {
        leaf_sum(t, node);
        return;
    }
    for (size_t i = first; i < first + boxes_group(&t->boxes, level - 1, node); i++) {
        for (size_t j = 0; j < d; j++)
            t->sum[level][node * d + j] += t->sum[level - 1][i * d + j];
        if (t->weighted) t->weight[level][node] += t->weight[level - 1][i];
    }
}

static apex_status walks_open(struct kmeans_tree *t)
{
    size_t list;
    if (!size_mul(BOXES_LEVELS_MAX, t->k + 1, &list)) return APEX_E_LIMIT;
    t->seen = calloc(kmeans_filter_room(t->k), sizeof *t->seen);
    t->list = calloc(t->k, sizeof *t->list);
    if (!t->seen || !t->list) return APEX_E_MEMORY;
    for (unsigned i = 0; i < t->threads; i++) {
        struct kmeans_filter *f = &t->filter[i];
        f->tree = t;
        f->list = calloc(list, sizeof *f->list);
        f->keep = calloc(list, sizeof *f->keep);
        if (!f->list || !f->keep) return APEX_E_MEMORY;
        if (i > 0) TRY(kmeans_sums_new(t->k, t->rows.d, &f->sums));
    }
    return APEX_OK;
}

static apex_status tree_make(struct kmeans_tree *t, const struct kmeans_source *source,
                             struct num_place *place)
{
    TRY(rows_read(t, source, place));
    TRY(order_rows_sort(&t->rows, BOXES_LEAF, t->threads));
    TRY(boxes_open(&t->rows, t->threads, &t->boxes));
    TRY(sums_open(t));
    boxes_each(&t->boxes, t->threads, node_sum, t);
    return walks_open(t);
}

apex_status kmeans_tree_new(const struct kmeans_source *source, size_t k, bool weighted,
                            unsigned threads, struct kmeans_tree **tree,
                            struct num_place *place)
{
    struct kmeans_tree *t = calloc(1, sizeof *t);
    if (!t) return APEX_E_MEMORY;
    if (threads > source->n / THREAD_ROWS) threads = (unsigned)(source->n / THREAD_ROWS);
    t->k = k;
    t->n_source = source->n;
    t->weighted = weighted;
    t->threads = threads > PARALLEL_THREADS_MAX ? PARALLEL_THREADS_MAX : threads ? threads : 1;
    apex_status s = tree_make(t, source, place);
    if (s == APEX_OK)
        *tree = t;
    else
        kmeans_tree_free(t);
    return s;
}

void kmeans_tree_free(struct kmeans_tree *t)
{
    if (!t) return;
    for (size_t level = 0; level < t->boxes.n_levels; level++) {
        free(t->sum[level]);
        free(t->weight[level]);
    }
    boxes_close(&t->boxes);
    order_rows_close(&t->rows);
    for (unsigned i = 0; i < t->threads; i++) {
        free(t->filter[i].list);
        free(t->filter[i].keep);
        if (i > 0) kmeans_sums_free(t->filter[i].sums);
    }
    free(t->seen);
    free(t->list);
    free(t);
}

/* A round. */

static double doubt_of(const struct kmeans_tree *t, const struct kmeans_table *table)
{
    size_t top = t->boxes.n_levels - 1;
    double low[ORDER_DIMS_MAX], high[ORDER_DIMS_MAX];
    for (size_t j = 0; j < t->rows.d; j++)
        for (size_t node = 0; node < t->boxes.n[top]; node++) {
            const int32_t *box = boxes_at(&t->boxes, top, node, j);
            low[j] = node && low[j] < box[0] ? low[j] : box[0];
            high[j] = node && high[j] > box[BOXES_FAN] ? high[j] : box[BOXES_FAN];
        }
    return kmeans_filter_doubt(table, low, high);
}

struct walk {
    struct kmeans_tree *tree;
    size_t level, n_list;
};

static void group_visit(void *context, size_t group, unsigned thread)
{
    const struct walk *w = context;
    struct kmeans_filter *f = &w->tree->filter[thread];
    f->visit(f, w->level, group, w->tree->list, w->n_list);
}

void kmeans_tree_sum(struct kmeans_tree *t, const struct kmeans_table *table,
                     struct kmeans_sums *sums)
{
    sums->n += t->n_source;
    sums->squares += t->squares;
    if (t->boxes.n_levels == 0) return;
    struct walk w = {t, t->boxes.n_levels - 1, kmeans_filter_start(table, t->seen, t->list)};
    while (t->threads > 1 && w.level > 0 &&
           boxes_groups(&t->boxes, w.level) < (size_t)t->threads * THREAD_GROUPS)
        w.level--;
    double doubt = doubt_of(t, table);
    t->filter[0].sums = sums;
    for (unsigned i = 0; i < t->threads; i++) {
        t->filter[i].table = table;
        t->filter[i].doubt = doubt;
        kmeans_filter_choose(&t->filter[i], t->rows.d);
        if (i > 0) kmeans_sums_clear(t->filter[i].sums);
    }
    parallel_blocks(t->threads, boxes_groups(&t->boxes, w.level), group_visit, &w);
    for (unsigned i = 1; i < t->threads; i++)
        kmeans_merge(sums, t->filter[i].sums);
}
