#include "common/base/size.h"
#include "common/base/try.h"
#include "common/num/encode.h"
#include "common/num/standard.h"
#include "contracts/lib/column.h"
#include "contracts/lib/fault.h"
#include "contracts/screen/screen.h"

#include <math.h>
#include <stdlib.h>

/* How many standard deviations out a row is taken to be at most when the scale is rounded. */
#define SCALE_REACH 8

static apex_status grow(void *at, size_t n, size_t unit)
{
    void **array = at;
    size_t bytes;
    if (!size_mul(n, unit, &bytes)) return APEX_E_LIMIT;
    void *more = realloc(*array, bytes + 1);
    if (!more) return APEX_E_MEMORY;
    *array = more;
    return APEX_OK;
}

static apex_status rows_grow(struct rows *r, size_t n)
{
    for (size_t f = 0; f < r->d; f++)
        TRY(grow(&r->column[f], n, sizeof **r->column));
    TRY(grow(&r->weight, n, sizeof *r->weight));
    TRY(grow(&r->used, n, sizeof *r->used));
    TRY(grow(&r->party, n, sizeof *r->party));
    return grow(&r->class, n, sizeof *r->class);
}

static void cells_fill(struct screen *s, struct frame *frame, size_t first)
{
    struct rows *r = &s->rows;
    int32_t *to[KMEANS_DIMS_MAX];
    for (size_t f = 0; f < r->d; f++)
        to[f] = r->column[f] + first;
    encode_fixed_rows(&frame->source, apex_threads(s->run), s->model.mean, s->model.sd, to,
                      r->weight + first);
    for (size_t t = 0; t < frame->n_tables; t++)
        memset(r->party + first + frame->tables[t].first,
               (int)apex_table_party(frame->tables[t].table), frame->tables[t].n);
    for (size_t i = first; i < r->n; i++) {
        r->used[i] = (uint8_t)r->weight[i];
        r->cell.by_party[r->party[i]] += r->used[i];
        r->cell.rows += r->used[i];
        r->dropped += 1u - r->used[i];
    }
}

/* The first dataset with labels says which there are; a text that is not among them is no
 * label. */
static apex_status labels_fill(struct screen *s, const char *dataset, size_t first)
{
    struct rows *r = &s->rows;
    struct frame frame;
    struct num_block b;
    const struct frame_choice choice = {.dataset = dataset,
                                        .target = SCREEN_TARGET,
                                        .kind = FRAME_LABELS,
                                        .like = r->labels.n_classes ? &r->labels : NULL,
                                        .bare = true};
    TRY(frame_open(s->run, &choice, &frame));
    if (!choice.like) {
        r->labels = frame.own;
        frame.own = (struct encoding){0};
        frame.encoding = &r->labels;
    }
    if (r->labels.n_classes > SCREEN_CLASSES_MAX)
        apex_refuse(s->run, APEX_REFUSE_OTHER, "more than 64 classes");
    for (size_t i = 0; i < frame.source.n_blocks; i++) {
        frame.source.block(&frame, i, 0, &b);
        uint32_t *to = r->class + first + i * BLOCK_ROWS;
        for (size_t j = 0; j < b.n; j++) {
            uint32_t there = -(uint32_t)(b.weight[j] > 0);
            to[j] = (b.label[j] & there) | ~there;
        }
    }
    frame_close(&frame);
    return APEX_OK;
}

apex_status rows_add(struct screen *s, const char *dataset, bool is_private, bool labelled)
{
    struct rows *r = &s->rows;
    struct frame frame;
    size_t first = r->n;
    const struct frame_choice choice = {
        .dataset = dataset, .is_private = is_private, .like = &s->model.encoding};
    r->d = s->model.d;
    if (frame_tables(s->run, dataset, is_private) == 0) return APEX_OK;
    TRY(frame_open(s->run, &choice, &frame));
    r->n += frame.n_rows;
    TRY(rows_grow(r, r->n));
    cells_fill(s, &frame, first);
    frame_close(&frame);
    memset(r->class + first, 0xff, (r->n - first) * sizeof *r->class); /* none */
    const struct apex_column *target = column_find(s->run, dataset, SCREEN_TARGET);
    if (!labelled || !target) return APEX_OK;
    return labels_fill(s, dataset, first);
}

/* Rounded as means that leave are: who sends rows and reads their scores finds the scale. */
static void scale_round(struct screen *s, uint64_t rows)
{
    struct screen_model *m = &s->model;
    for (size_t f = 0; f < m->d; f++) {
        double sd = m->sd[f], reach = SCALE_REACH * sd;
        m->mean[f] = release_to(m->mean[f], release_precision(&s->rules, reach, rows));
        double variance =
            release_to(sd * sd, release_precision(&s->rules, reach * reach, rows));
        /* With few rows the precision may be coarser than the variance itself. */
        if (variance > 0 && !release_is_loose(&s->rules)) m->sd[f] = sqrt(variance);
    }
}

apex_status scale_fit(struct screen *s, const char *dataset)
{
    struct screen_model *m = &s->model;
    struct num_place place = {NUM_FINE, 0};
    struct frame frame;
    struct release_cell cell;
    const struct frame_choice choice = {.dataset = dataset, .target = SCREEN_TARGET};
    TRY(frame_open(s->run, &choice, &frame));
    TRY(frame_count(&frame, &cell));
    release_demand(s->run, &s->rules, &cell);
    m->encoding = frame.own;
    frame.own = (struct encoding){0};
    frame.encoding = &m->encoding;
    m->d = m->encoding.n_features;
    if (m->d > KMEANS_DIMS_MAX) apex_refuse(s->run, APEX_REFUSE_OTHER, "more than 64 features");
    m->mean = calloc(m->d, sizeof *m->mean);
    m->sd = calloc(m->d, sizeof *m->sd);
    if (!m->mean || !m->sd) return APEX_E_MEMORY;
    fault_refuse(s->run,
                 standard_fit(apex_threads(s->run), &frame.source, m->mean, m->sd, &place),
                 &place);
    scale_round(s, cell.rows);
    frame_close(&frame);
    return APEX_OK;
}
