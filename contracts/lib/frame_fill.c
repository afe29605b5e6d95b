#include "contracts/lib/frame_fill.h"

#include "common/base/endian.h"
#include "common/base/size.h"
#include "common/base/wipe.h"
#include "contracts/lib/run.h"

#include <stdlib.h>

apex_status frame_scratch_new(size_t n_features, struct frame_scratch **scratch)
{
    size_t cells = 0;
    struct frame_scratch *s = calloc(1, sizeof *s);
    if (!s || !size_mul(n_features * sizeof(double), BLOCK_ROWS, &cells)) {
        free(s);
        return APEX_E_MEMORY;
    }
    s->n_features = n_features;
    s->cells = aligned_alloc(64, cells ? cells : 64);
    s->columns = calloc(n_features + 1, sizeof *s->columns);
    s->weight = aligned_alloc(64, BLOCK_ROWS * sizeof *s->weight);
    s->any_weight = aligned_alloc(64, BLOCK_ROWS * sizeof *s->any_weight);
    s->target = aligned_alloc(64, BLOCK_ROWS * sizeof *s->target);
    s->label = aligned_alloc(64, BLOCK_ROWS * sizeof *s->label);
    s->party = aligned_alloc(64, BLOCK_ROWS);
    *scratch = s;
    if (!s->cells || !s->columns || !s->weight || !s->any_weight || !s->target || !s->label ||
        !s->party)
        return APEX_E_MEMORY;
    memset(s->cells, 0, cells);
    for (size_t i = 0; i < n_features; i++)
        s->columns[i] = s->cells + i * BLOCK_ROWS;
    return APEX_OK;
}

void frame_scratch_free(struct frame_scratch *s)
{
    if (!s) return;
    if (s->cells) wipe(s->cells, s->n_features * BLOCK_ROWS * sizeof *s->cells);
    free(s->cells);
    free(s->columns);
    free(s->weight);
    free(s->any_weight);
    free(s->target);
    free(s->label);
    free(s->party);
    free(s);
}

/* A run of rows that lie in one group: rows `from`.. of the group go to row `to`.. of the
 * block.
 */
struct piece {
    const struct frame *frame;
    const struct frame_table *table;
    size_t group, from, to, n;
    unsigned thread;
};

static void numbers_fill(const struct table_column *c, size_t from, size_t n, double *out)
{
    switch (c->type) {
    case COLUMN_LATITUDE:
    case COLUMN_LONGITUDE:
        for (size_t i = 0; i < n; i++)
            out[i] = ((const int32_t *)c->data)[from + i] / 1e7;
        return;
    case COLUMN_DATE:
        for (size_t i = 0; i < n; i++)
            out[i] = ((const int32_t *)c->data)[from + i];
        return;
    case COLUMN_INT64:
        for (size_t i = 0; i < n; i++)
            out[i] = (double)((const int64_t *)c->data)[from + i];
        return;
    case COLUMN_BOOL:
        for (size_t i = 0; i < n; i++)
            out[i] = ((const uint8_t *)c->data)[from + i];
        return;
    default: memcpy(out, (const double *)c->data + from, n * sizeof *out);
    }
}

static void indicator_fill(const uint32_t *codes, size_t n, uint32_t code, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = codes[i] == code;
}

/* A missing cell takes its row's weight. */
static void validity_apply(const struct table_column *c, size_t from, size_t n, double *weight)
{
    if (!c->validity) return;
    for (size_t i = 0; i < n; i++) {
        size_t at = from + i;
        weight[i] *= c->validity[at >> 3] >> (at & 7) & 1;
    }
}

static void labels_fill(const struct piece *p, const struct table_column *c, uint32_t *label,
                        double *weight)
{
    const uint32_t *rank = p->table->rank[p->group], *codes = c->data;
    const uint8_t *bools = c->data;
    if (c->type == COLUMN_BOOL) {
        for (size_t i = 0; i < p->n; i++)
            label[i] = bools[p->from + i];
        return;
    }
    memset(label, 0, p->n * sizeof *label);
    for (uint32_t code = 0; code < c->n_dict; code++) {
        uint32_t at = rank[code] == FRAME_NO_CODE ? 0 : rank[code];
        double unknown = rank[code] == FRAME_NO_CODE ? 0 : 1;
        for (size_t i = 0; i < p->n; i++) {
            uint32_t mask = -(uint32_t)(codes[p->from + i] == code);
            label[i] |= at & mask;
            weight[i] *= 1 - (double)(mask & 1) * (1 - unknown);
        }
    }
}

/* In or out of the test rows: by the hash of the row's number under the run's seed. Source:
 * splitmix64, Steele, Lea and Flood, OOPSLA 2014. */
static bool split_test(const struct apex_run *run, size_t row, double share)
{
    uint64_t z = get_be64(apex_seed(run)) + (row + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return (double)(z >> 11) * 0x1p-53 < share;
}

/* Which rows count, by what is public of them: their party, and the split. */
static void weights_fill(const struct piece *p, size_t row, double *weight, uint8_t *party)
{
    const struct frame *f = p->frame;
    size_t owner = apex_table_party(p->table->table);
    double counts = f->only_party == SIZE_MAX || f->only_party == owner;
    memset(party, (int)owner, p->n);
    for (size_t i = 0; i < p->n; i++) {
        bool test = f->part != FRAME_ALL_ROWS && split_test(f->run, row + i, f->test_share);
        weight[i] = f->part == FRAME_ALL_ROWS || test == (f->part == FRAME_TEST) ? counts : 0;
    }
}

static void piece_fill(const struct piece *p, size_t row, struct frame_scratch *s)
{
    const struct encoding *e = p->frame->encoding;
    const struct table_group *g = run_group(p->table->table, p->group, p->thread);
    weights_fill(p, row, s->weight + p->to, s->party + p->to);
    for (size_t i = 0; i < e->n_features; i++) {
        const struct table_column *c = &g->columns[p->table->column[i]];
        double *out = s->cells + i * BLOCK_ROWS + p->to;
        if (e->features[i].is_category)
            indicator_fill((const uint32_t *)c->data + p->from, p->n,
                           p->table->code[p->group][i], out);
        else
            numbers_fill(c, p->from, p->n, out);
        validity_apply(c, p->from, p->n, s->weight + p->to);
    }
    if (p->table->target == SIZE_MAX) {
        memset(s->label + p->to, 0, p->n * sizeof *s->label);
        memset(s->target + p->to, 0, p->n * sizeof *s->target);
        memcpy(s->any_weight + p->to, s->weight + p->to, p->n * sizeof *s->weight);
        return;
    }
    const struct table_column *c = &g->columns[p->table->target];
    validity_apply(c, p->from, p->n, s->weight + p->to);
    memcpy(s->any_weight + p->to, s->weight + p->to, p->n * sizeof *s->weight);
    if (e->kind == FRAME_LABELS)
        labels_fill(p, c, s->label + p->to, s->weight + p->to);
    else
        numbers_fill(c, p->from, p->n, s->target + p->to);
}

/* The table and group that hold a row: what is looked at is public. */
static void piece_find(const struct frame *f, size_t row, struct piece *p)
{
    size_t t = 0, g = 0;
    while (row >= f->tables[t].first + f->tables[t].n)
        t++;
    p->table = &f->tables[t];
    row -= p->table->first;
    while (row >= p->table->table->group_rows[g])
        row -= p->table->table->group_rows[g++];
    p->group = g;
    p->from = row;
    p->n = p->table->table->group_rows[g] - row;
}

void frame_fill(void *context, size_t index, unsigned thread, struct num_block *out)
{
    const struct frame *f = context;
    struct frame_scratch *s = f->scratch[thread];
    size_t first = index * BLOCK_ROWS, left = f->n_rows - first;
    size_t n = left < BLOCK_ROWS ? left : BLOCK_ROWS;
    for (size_t at = 0; at < n;) {
        struct piece p = {.frame = f, .to = at, .thread = thread};
        piece_find(f, first + at, &p);
        if (p.n > n - at) p.n = n - at;
        piece_fill(&p, first + at, s);
        at += p.n;
    }
    *out = (struct num_block){.n = n,
                              .n_columns = s->n_features,
                              .column = s->columns,
                              .weight = s->weight,
                              .target = f->encoding->kind == FRAME_NUMBERS ? s->target : NULL,
                              .label = f->encoding->kind == FRAME_LABELS ? s->label : NULL};
}

const double *frame_weights_of_any(const struct frame *frame, unsigned thread)
{
    return frame->scratch[thread]->any_weight;
}

const uint8_t *frame_parties(const struct frame *frame, unsigned thread)
{
    return frame->scratch[thread]->party;
}
