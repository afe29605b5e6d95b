#include "contracts/lib/evaluate.h"

#include "common/base/size.h"
#include "common/base/try.h"
#include "common/num/cells.h"
#include "common/num/reduce.h"

#include <stdlib.h>

enum { TOP_SHARE_PERCENT = 10 };

/* A partial or total, in this order: counts by party of predicted, of true and of crossed
 * classes, rows told rightly, rows by party (uint64_t), then doubles of class_len or a struct
 * regression_sums. */
struct layout {
    size_t predicted, truth, crossed, right, rows, figures, len;
};
struct evaluating {
    struct frame *frame;
    const struct learner *learner;
    struct evaluation *e;
    bool labelled, detailed;
    size_t n_parties;
    struct layout at;
    struct learner_room room[FRAME_THREADS_MAX];
    uint32_t *pair[FRAME_THREADS_MAX];
    double *keys; /* n rows: for the ranking */
    uint64_t *marks;
};

static uint64_t *u64_at(void *partial, size_t at)
{
    return (uint64_t *)((uint8_t *)partial + at);
}

static void layout_make(struct evaluating *w)
{
    struct layout *l = &w->at;
    size_t k = w->e->n_classes, word = sizeof(uint64_t), cells = k * w->n_parties * word;
    l->truth = l->predicted + cells;
    l->crossed = l->truth + (w->labelled ? cells : 0);
    l->right = l->crossed + (w->e->has_figures ? k * cells : 0);
    l->rows = l->right + word;
    l->figures = l->rows + w->n_parties * word;
    l->len = l->figures + (k == 0              ? sizeof(struct regression_sums)
                           : w->e->has_figures ? class_len(k) * sizeof(double)
                                               : 0);
}

static void classes_count(struct evaluating *w, const struct num_block *b, unsigned thread,
                          void *partial)
{
    const struct learner_room *room = &w->room[thread];
    size_t k = w->e->n_classes;
    struct cells_rows rows = {b->n, room->label, frame_weights_of_any(w->frame, thread), NULL,
                              frame_parties(w->frame, thread)};
    cells_count(&rows, k, w->n_parties, u64_at(partial, w->at.predicted));
    if (!w->labelled) return;
    rows.label = b->label;
    rows.weight = b->weight;
    cells_count(&rows, k, w->n_parties, u64_at(partial, w->at.truth));
    uint64_t *right = u64_at(partial, w->at.right);
    for (size_t i = 0; i < b->n; i++)
        *right += (room->label[i] == b->label[i]) & (b->weight[i] > 0);
    if (!w->e->has_figures) return;
    cells_pair(b->label, k, room->label, k, b->n, w->pair[thread]);
    rows.label = w->pair[thread];
    cells_count(&rows, k * k, w->n_parties, u64_at(partial, w->at.crossed));
    class_partial(b, k, room->label,
                  room->probable ? (const double *const *)room->probability : NULL,
                  room->scratch, (double *)(void *)u64_at(partial, w->at.figures));
}

static void rows_count(struct evaluating *w, const struct num_block *b, unsigned thread,
                       void *partial)
{
    static const uint32_t none[BLOCK_ROWS];
    struct cells_rows rows = {b->n, none, frame_weights_of_any(w->frame, thread), NULL,
                              frame_parties(w->frame, thread)};
    cells_count(&rows, 1, w->n_parties, u64_at(partial, w->at.rows));
}

static void block_evaluate(void *context, size_t index, unsigned thread, void *partial)
{
    struct evaluating *w = context;
    struct learner_room *room = &w->room[thread];
    struct num_block b;
    w->frame->source.block(w->frame->source.context, index, thread, &b);
    learner_predict(w->learner, &b, room);
    rows_count(w, &b, thread, partial);
    if (w->e->n_classes == 0) {
        if (w->labelled)
            regression_partial(
                &b, room->value,
                (struct regression_sums *)(void *)u64_at(partial, w->at.figures));
        return;
    }
    classes_count(w, &b, thread, partial);
    if (w->keys)
        ranking_fill(&b, room->probability[1], 1, w->keys + index * BLOCK_ROWS,
                     w->marks + index * BLOCK_ROWS);
}

static void partial_merge(void *context, void *total, const void *partial)
{
    struct evaluating *w = context;
    uint64_t *t = total;
    const uint64_t *p = partial;
    for (size_t i = 0; i < w->at.figures / sizeof *t; i++)
        t[i] += p[i];
    void *to = u64_at(total, w->at.figures);
    const void *from = (const uint8_t *)partial + w->at.figures;
    if (w->e->n_classes == 0)
        regression_merge(to, from);
    else if (w->e->has_figures)
        class_merge(w->e->n_classes, to, from);
}

static void cells_of(const struct evaluating *w, const uint64_t *counts, size_t n,
                     struct release_cell *cells)
{
    for (size_t c = 0; c < n; c++)
        for (size_t p = 0; p < w->n_parties; p++) {
            cells[c].by_party[p] = counts[c * w->n_parties + p];
            cells[c].rows += counts[c * w->n_parties + p];
        }
}

static apex_status ranking_make(struct evaluating *w)
{
    struct num_place place = {NUM_FINE, 0};
    if (!w->keys) return APEX_OK;
    apex_status s = ranking_finish(w->keys, w->marks, w->frame->n_rows,
                                   TOP_SHARE_PERCENT / 100.0, &w->e->ranking, &place);
    w->e->has_ranking = s == APEX_OK;
    return s == APEX_E_DATA ? APEX_OK : s;
}

/* Rows of classes that training never saw are one more true class, where there are any: they
 * are predicted too, and would follow from the totals. */
static uint64_t unseen_fill(const struct evaluating *w, struct release_cell *unseen)
{
    const struct evaluation *e = w->e;
    uint64_t rows = 0;
    for (size_t c = 0; c < e->n_classes; c++) {
        unseen[c] = e->predicted[c];
        for (size_t t = 0; t < e->n_classes; t++) {
            const struct release_cell *seen = &e->crossed[t * (e->n_classes + 1) + c];
            unseen[c].rows -= seen->rows;
            for (size_t p = 0; p < w->n_parties; p++)
                unseen[c].by_party[p] -= seen->by_party[p];
        }
        rows += unseen[c].rows;
    }
    return rows;
}

static apex_status crossed_make(struct evaluating *w, const uint64_t *counts)
{
    struct release_rules rules = release_rules_of(w->frame->run);
    size_t k = w->e->n_classes, n = k + 1;
    struct release_cell *crossed = w->e->crossed;
    bool any;
    for (size_t c = 0; c < k; c++)
        cells_of(w, counts + c * k * w->n_parties, k, crossed + c * n);
    bool more = unseen_fill(w, crossed + k * n) > 0;
    TRY(release_cross(&rules, crossed, more ? n : k, k, true, &any));
    if (more) memcpy(crossed + k * n, crossed + n * n, n * sizeof *crossed);
    return APEX_OK;
}

static apex_status finish(struct evaluating *w, void *total)
{
    struct evaluation *e = w->e;
    cells_of(w, u64_at(total, w->at.rows), 1, &e->all);
    cells_of(w, u64_at(total, w->at.predicted), e->n_classes, e->predicted);
    if (w->labelled && e->n_classes)
        cells_of(w, u64_at(total, w->at.truth), e->n_classes, e->truth);
    e->right = *u64_at(total, w->at.right);
    void *figures = u64_at(total, w->at.figures);
    if (e->n_classes == 0) {
        regression_finish(figures, &e->numbers);
        return APEX_OK;
    }
    if (e->has_figures) {
        TRY(crossed_make(w, u64_at(total, w->at.crossed)));
        class_finish(e->n_classes, figures, &e->figures);
    }
    return ranking_make(w);
}

static apex_status rooms_make(struct evaluating *w, bool probable)
{
    for (unsigned t = 0; t < apex_threads(w->frame->run) && t < FRAME_THREADS_MAX; t++) {
        TRY(learner_room_new(w->learner, probable, &w->room[t]));
        w->pair[t] = malloc(BLOCK_ROWS * sizeof **w->pair);
        if (!w->pair[t]) return APEX_E_MEMORY;
    }
    return APEX_OK;
}

static apex_status open_all(struct evaluating *w)
{
    struct evaluation *e = w->e;
    size_t k = e->n_classes, n = w->frame->n_rows;
    bool probable = w->detailed && w->learner->n_classes <= LEARNER_PROBABLE_MAX &&
                    w->learner->kind != LEARNER_CONSTANT && !w->learner->map;
    e->has_figures = w->labelled && w->detailed && k > 0 && k <= LEARNER_PROBABLE_MAX;
    layout_make(w);
    e->predicted = calloc(k + 1, sizeof *e->predicted);
    e->truth = calloc(k + 1, sizeof *e->truth);
    e->crossed = e->has_figures ? calloc((k + 2) * (k + 1), sizeof *e->crossed) : NULL;
    if (!e->predicted || !e->truth || (e->has_figures && !e->crossed)) return APEX_E_MEMORY;
    if (w->labelled && k == 2 && probable && n > 0) {
        w->keys = malloc((n + BLOCK_ROWS) * sizeof *w->keys);
        w->marks = malloc((n + BLOCK_ROWS) * sizeof *w->marks);
        if (!w->keys || !w->marks) return APEX_E_MEMORY;
    }
    return rooms_make(w, probable);
}

static apex_status pass(struct evaluating *w)
{
    TRY(open_all(w));
    uint64_t *total = calloc(w->at.len / 8 + 2, sizeof *total);
    if (!total) return APEX_E_MEMORY;
    const struct reduction r = {.n_blocks = w->frame->source.n_blocks,
                                .partial_len = w->at.len,
                                .partial = block_evaluate,
                                .merge = partial_merge,
                                .context = w};
    apex_status s = reduce_blocks(apex_threads(w->frame->run), &r, total);
    if (s == APEX_OK) s = finish(w, total);
    free(total);
    return s;
}

apex_status evaluate(struct frame *frame, const struct learner *learner, bool labelled,
                     bool detailed, struct evaluation *e)
{
    struct evaluating *w = calloc(1, sizeof *w);
    *e = (struct evaluation){.n_classes = frame->encoding->n_classes};
    if (!w) return APEX_E_MEMORY;
    w->frame = frame;
    w->learner = learner;
    w->e = e;
    w->labelled = labelled;
    w->detailed = detailed;
    w->n_parties = apex_parties(frame->run);
    apex_status s = pass(w);
    for (unsigned t = 0; t < FRAME_THREADS_MAX; t++) {
        learner_room_clear(&w->room[t]);
        free(w->pair[t]);
    }
    free(w->keys);
    free(w->marks);
    free(w);
    return s;
}

void evaluation_clear(struct evaluation *e)
{
    free(e->predicted);
    free(e->truth);
    free(e->crossed);
    *e = (struct evaluation){0};
}

static void cell_add(struct release_cell *to, const struct release_cell *from)
{
    to->rows += from->rows;
    for (size_t p = 0; p < PARTIES_MAX; p++)
        to->by_party[p] += from->by_party[p];
}

void evaluation_add(struct evaluation *total, const struct evaluation *part)
{
    cell_add(&total->all, &part->all);
    for (size_t c = 0; c < total->n_classes; c++)
        cell_add(&total->predicted[c], &part->predicted[c]);
}
