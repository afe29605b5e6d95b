#include "common/num/boost_rows.h"

#include "common/base/size.h"
#include "common/base/wipe.h"
#include "common/num/exact_inline.h"
#include "common/num/leak.h"
#include "common/num/parallel.h"
#include "common/num/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a thread noticed on its pass; a fault is told once all rows are seen. */
struct seen {
    double weight_most;
    uint8_t not_finite[2]; /* the target, the weight */
    uint8_t label_high;
    uint8_t *column_not_finite; /* d */
};
struct pass {
    struct boost_rows *r;
    const struct num_source *source;
    const struct boost_options *o;
    struct boost_model *model;
    size_t n_sample;
    size_t *row;   /* n_sample: the sample's rows, ascending; public */
    double *cells; /* d x n_sample */
    uint8_t *runs; /* threads x n_sample */
    struct seen seen[PARALLEL_THREADS_MAX];
};

/* One row from each of n_sample equal stretches; all, where n_sample = n. */
static void sample_draw(struct pass *p)
{
    struct random_state random = {{0}};
    size_t n = p->source->n_rows, m = p->n_sample;
    if (m < n) random_seed(&random, p->o->seed, 0);
    for (size_t i = 0; i < m; i++) {
        double place =
            m < n ? ((double)i + random_unit(&random)) * ((double)n / (double)m) : (double)i;
        size_t row = (size_t)place;
        p->row[i] = row < n ? row : n - 1;
    }
}

/* The first of the sample's rows that is not before `row`. */
static size_t sample_at(const struct pass *p, size_t row)
{
    size_t low = 0, high = p->n_sample;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->row[middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void sample_block(void *context, size_t index, unsigned thread)
{
    const struct pass *p = context;
    struct num_block b;
    size_t first = boost_first(index), from = sample_at(p, first);
    p->source->block(p->source->context, index, thread, &b);
    size_t to = sample_at(p, first + b.n);
    for (size_t f = 0; f < p->r->d; f++)
        for (size_t i = from; i < to; i++) {
            size_t row = p->row[i] - first;
            uint64_t counts = exact_mask(b.weight[row] > 0);
            double cell = b.column[f][row];
            counts &= exact_mask(cell - cell == 0); /* else told on the second pass */
            p->cells[f * p->n_sample + i] = exact_select(counts, cell, INFINITY);
        }
}

static void column_edges(void *context, size_t f, unsigned thread)
{
    const struct pass *p = context;
    boost_edges_choose(p->cells + f * p->n_sample, p->n_sample, p->model->n_bins,
                       p->runs + thread * p->n_sample,
                       p->model->edges + f * (p->model->n_bins - 1));
}

static size_t sample_len(size_t n, size_t d)
{
    size_t m = BOOST_SAMPLE_CELLS / d;
    if (m < BOOST_SAMPLE_LEAST) m = BOOST_SAMPLE_LEAST;
    if (m > BOOST_SAMPLE_ROWS) m = BOOST_SAMPLE_ROWS;
    return m < n ? m : n;
}

static apex_status edges_make(struct pass *p)
{
    size_t m = p->n_sample, cells, bytes;
    if (!size_mul(m, p->r->d, &cells) || !size_mul(cells, sizeof(double), &bytes))
        return APEX_E_LIMIT;
    p->row = malloc(m * sizeof *p->row);
    p->cells = malloc(bytes);
    p->runs = malloc(m * p->r->threads);
    apex_status s = APEX_E_MEMORY;
    if (p->row && p->cells && p->runs) {
        sample_draw(p);
        parallel_blocks(p->r->threads, p->r->n_blocks, sample_block, p);
        parallel_blocks(p->r->threads, p->r->d, column_edges, p);
        wipe(p->cells, bytes);
        wipe(p->runs, m * p->r->threads);
        s = APEX_OK;
    }
    free(p->row);
    free(p->cells);
    free(p->runs);
    return s;
}

/* 1 where one of n numbers is not finite. */
BOOST_BODY void any_wild_body(const double *x, size_t n, uint8_t *wild)
{
    uint64_t any = 0;
    for (size_t i = 0; i < n; i++)
        any |= exact_mask(!(x[i] - x[i] == 0));
    *wild |= (uint8_t)(any & 1);
}
BOOST_LEVELS(static, any_wild, (const double *x, size_t n, uint8_t *wild), (x, n, wild))

static void bins_keep(const struct pass *p, const struct num_block *b, size_t index)
{
    const struct boost_rows *r = p->r;
    size_t n_edges = p->model->n_bins - 1, padded = boost_count(r, index);
    uint8_t bins[BLOCK_ROWS];
    for (size_t f = 0; f < r->d; f++) {
        const double *edges = p->model->edges + f * n_edges;
        boost_bins_of(b->column[f], padded, edges, n_edges,
                      r->row_by_row ? bins : boost_column(r, index, f));
        uint8_t *row = r->bins + boost_first(index) * r->d + f;
        for (size_t i = 0; i < padded && r->row_by_row; i++)
            row[i * r->d] = bins[i];
    }
}

static void target_keep(const struct pass *p, const struct num_block *b, size_t first,
                        struct seen *seen)
{
    double *target = p->r->target + first;
    uint32_t most = p->o->loss == BOOST_LOGISTIC ? 2 : (uint32_t)p->o->n_classes;
    if (p->o->loss == BOOST_SQUARED) {
        memcpy(target, b->target, b->n * sizeof *target);
        any_wild(target, b->n, &seen->not_finite[0]);
        return;
    }
    for (size_t i = 0; i < b->n; i++) {
        seen->label_high |= b->label[i] >= most;
        target[i] = b->label[i];
    }
}

static void keep_block(void *context, size_t index, unsigned thread)
{
    struct pass *p = context;
    struct seen *seen = &p->seen[thread];
    struct num_block b;
    size_t first = boost_first(index);
    p->source->block(p->source->context, index, thread, &b);
    for (size_t f = 0; f < p->r->d; f++)
        any_wild(b.column[f], b.n, &seen->column_not_finite[f]);
    any_wild(b.weight, b.n, &seen->not_finite[1]);
    bins_keep(p, &b, index);
    target_keep(p, &b, first, seen);
    for (size_t i = 0; i < b.n; i++) {
        uint64_t counts = exact_mask(b.weight[i] > 0);
        p->r->weight[first + i] = exact_select(counts, b.weight[i], 0.0);
        p->r->live[first + i] = (uint8_t)(counts & 1);
        seen->weight_most = exact_select(exact_mask(b.weight[i] > seen->weight_most),
                                         b.weight[i], seen->weight_most);
    }
    if (p->r->party) {
        const uint8_t *party = p->o->parties(p->o->parties_context, thread);
        memcpy(p->r->party + first, party, b.n);
    }
}

static apex_status fault_at(struct num_place *place, enum num_fault fault, size_t at)
{
    if (place) *place = (struct num_place){fault, at};
    return APEX_E_DATA;
}

static apex_status seen_judge(struct pass *p, struct num_place *place)
{
    size_t d = p->r->d;
    struct seen *all = &p->seen[0];
    for (unsigned t = 1; t < p->r->threads; t++) {
        const struct seen *s = &p->seen[t];
        for (size_t f = 0; f < d; f++)
            all->column_not_finite[f] |= s->column_not_finite[f];
        all->not_finite[0] |= s->not_finite[0];
        all->not_finite[1] |= s->not_finite[1];
        all->label_high |= s->label_high;
        all->weight_most = exact_select(exact_mask(s->weight_most > all->weight_most),
                                        s->weight_most, all->weight_most);
    }
    p->r->weight_most = all->weight_most;
    uint8_t none = !(all->weight_most > 0);
    num_leak(all->column_not_finite, d);
    num_leak(all->not_finite, sizeof all->not_finite);
    num_leak(&all->label_high, sizeof all->label_high);
    num_leak(&none, sizeof none);
    for (size_t f = 0; f < d; f++)
        if (all->column_not_finite[f]) return fault_at(place, NUM_NOT_FINITE, f);
    for (size_t i = 0; i < 2; i++)
        if (all->not_finite[i]) return fault_at(place, NUM_NOT_FINITE, d + i);
    if (all->label_high) return fault_at(place, NUM_RANGE, d);
    if (none) return fault_at(place, NUM_NO_ROWS, 0);
    return APEX_OK;
}

static apex_status rows_keep(struct pass *p, struct num_place *place)
{
    size_t d = p->r->d;
    uint8_t *flags = calloc(p->r->threads, d);
    if (!flags) return APEX_E_MEMORY;
    for (unsigned t = 0; t < p->r->threads; t++)
        p->seen[t].column_not_finite = flags + t * d;
    parallel_blocks(p->r->threads, p->r->n_blocks, keep_block, p);
    apex_status s = seen_judge(p, place);
    free(flags);
    return s;
}

/* Takes the next `count` x `size` bytes of what will be one room, aligned;
 * first call with room NULL to learn the length. */
static bool room_take(struct boost_rows *r, size_t *at, size_t count, size_t size, void *where)
{
    size_t bytes, end;
    if (!size_mul(count, size, &bytes) || !size_align(bytes, 64, &bytes) ||
        !size_add(*at, bytes, &end))
        return false;
    if (r->room) {
        void *here = (uint8_t *)r->room + *at;
        memcpy(where, &here, sizeof here);
    }
    *at = end;
    return true;
}

static bool room_lay(struct boost_rows *r, bool parties, size_t *len)
{
    size_t scores, cells, at = 0, n = r->n_padded;
    return size_mul(n, r->n_scores, &scores) && size_mul(n, r->d, &cells) &&
           room_take(r, &at, cells, 1, &r->bins) && room_take(r, &at, n, 1, &r->live) &&
           room_take(r, &at, n, 1, &r->node) &&
           (!parties || room_take(r, &at, n, 1, &r->party)) &&
           room_take(r, &at, n, sizeof(double), &r->target) &&
           room_take(r, &at, n, sizeof(double), &r->weight) &&
           room_take(r, &at, scores, sizeof(double), &r->score) &&
           room_take(r, &at, scores, sizeof(int32_t), &r->gh) && size_add(at, 0, len);
}

static apex_status rows_room(struct boost_rows *r, bool parties)
{
    if (!room_lay(r, parties, &r->room_len)) return APEX_E_LIMIT;
    r->room = aligned_alloc(64, r->room_len);
    if (!r->room) return APEX_E_MEMORY;
    memset(r->room, 0, r->room_len);
    return room_lay(r, parties, &r->room_len) ? APEX_OK : APEX_E_BUG;
}

apex_status boost_rows_open(struct boost_rows *r, const struct num_source *source,
                            const struct boost_options *options, struct boost_model *model,
                            struct num_place *place)
{
    struct pass p = {.r = r, .source = source, .o = options, .model = model};
    r->n = source->n_rows;
    r->n_padded = boost_padded(r->n);
    r->d = source->n_columns;
    r->n_blocks = source->n_blocks;
    r->n_scores = model->n_scores;
    p.n_sample = sample_len(r->n, r->d);
    apex_status s = rows_room(r, options->may_stand != NULL);
    if (s == APEX_OK) s = edges_make(&p);
    if (s == APEX_OK) s = rows_keep(&p, place);
    return s;
}

void boost_rows_close(struct boost_rows *r)
{
    if (r->room) wipe(r->room, r->room_len);
    free(r->room);
    r->room = NULL;
}
