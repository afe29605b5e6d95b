#include "contracts/lib/learn.h"

#include "common/base/try.h"
#include "common/num/cells.h"
#include "common/wire/cbor.h"
#include "contracts/lib/model_bytes.h"

#include <math.h>
#include <stdlib.h>

const struct encoding *learn_encoding(const struct learn *l)
{
    return l->training.encoding ? l->training.encoding : &l->encoding;
}

/* Rows of each class, by party; of numbers, all as one class. */
static apex_status classes_count(struct learn *l)
{
    size_t k = learn_encoding(l)->n_classes ? learn_encoding(l)->n_classes : 1;
    uint64_t *counts = calloc(k * l->rules.n_parties, sizeof *counts);
    uint32_t *none = calloc(BLOCK_ROWS, sizeof *none);
    l->classes = calloc(k, sizeof *l->classes);
    if (!counts || !none || !l->classes) return APEX_E_MEMORY;
    for (size_t b = 0; b < l->training.source.n_blocks; b++) {
        struct num_block block;
        l->training.source.block(&l->training, b, 0, &block);
        struct cells_rows rows = {block.n, block.label ? block.label : none, block.weight, NULL,
                                  frame_parties(&l->training, 0)};
        cells_count(&rows, k, l->rules.n_parties, counts);
    }
    release_cells_of(&l->rules, counts, k, l->classes);
    for (size_t c = 0; c < k; c++) {
        l->trained.rows += l->classes[c].rows;
        for (size_t p = 0; p < l->rules.n_parties; p++)
            l->trained.by_party[p] += l->classes[c].by_party[p];
    }
    free(counts);
    free(none);
    return APEX_OK;
}

apex_status learn_train(struct learn *l, const char *dataset, bool is_private)
{
    const struct frame_choice choice = {
        .dataset = dataset,
        .is_private = is_private,
        .target = l->target,
        .kind = l->kind,
        .rules = is_private || release_is_loose(&l->rules) ? NULL : &l->rules};
    TRY(frame_open(l->run, &choice, &l->training));
    TRY(classes_count(l));
    if (l->trained.rows == 0)
        apex_refuse(l->run, APEX_REFUSE_NO_DATA, "no training rows without missing values");
    if (!is_private) release_demand(l->run, &l->rules, &l->trained);
    TRY(learner_fit(&l->training, &l->options, false, &l->learner));
    apex_progress(l->run, 60);
    return APEX_OK;
}

apex_status learn_leave(struct learn *l)
{
    BUFFER_CLEARED out = {0};
    size_t k = learn_encoding(l)->n_classes ? learn_encoding(l)->n_classes : 1;
    TRY(encoding_write(learn_encoding(l), &out));
    model_put_cell(&out, &l->rules, &l->trained);
    cbor_put_array(&out, k);
    for (size_t c = 0; c < k; c++)
        model_put_cell(&out, &l->rules, &l->classes[c]);
    TRY(learner_write(&l->learner, &out));
    return apex_model_leave(l->run, out.data, out.len);
}

apex_status learn_take(struct learn *l)
{
    const uint8_t *bytes;
    size_t len = apex_model(l->run, &bytes), k;
    struct cursor c = cursor_on(span_of(bytes, len));
    TRY(encoding_parse(&c, &l->encoding));
    if (l->encoding.kind != l->kind) return APEX_E_FORMAT;
    TRY(model_cell(&c, &l->rules, &l->trained));
    TRY(cbor_array(&c, &k));
    if (k != (l->encoding.n_classes ? l->encoding.n_classes : 1)) return APEX_E_FORMAT;
    l->classes = calloc(k, sizeof *l->classes);
    if (!l->classes) return APEX_E_MEMORY;
    for (size_t i = 0; i < k; i++)
        TRY(model_cell(&c, &l->rules, &l->classes[i]));
    TRY(learner_parse(&c, &l->learner));
    if (l->learner.n_features != l->encoding.n_features ||
        l->learner.n_classes != l->encoding.n_classes)
        return APEX_E_FORMAT;
    l->target = l->encoding.target;
    return cursor_end(&c);
}

apex_status learn_frame(struct learn *l, const char *dataset, bool is_private, bool targetless,
                        const struct encoding *like, struct frame *frame)
{
    const struct frame_choice choice = {.dataset = dataset,
                                        .is_private = is_private,
                                        .target = l->target,
                                        .kind = l->kind,
                                        .like = like ? like : learn_encoding(l),
                                        .targetless = targetless};
    return frame_open(l->run, &choice, frame);
}

void learn_head_out(struct learn *l)
{
    struct apex_run *run = l->run;
    const char *name = learner_name(l->learner.kind, l->learner.n_classes);
    size_t n = learn_encoding(l)->n_classes;
    apex_json_object(run, NULL);
    apex_json_text(run, "function", apex_function(run), strlen(apex_function(run)));
    apex_json_text(run, "model", name, strlen(name));
    apex_json_integer(run, "training_rows", (int64_t)l->trained.rows);
    if (l->training.encoding)
        release_count(run, &l->rules, "training_rows_dropped",
                      l->training.n_rows - l->trained.rows);
    apex_json_integer(run, "n_features", (int64_t)learn_encoding(l)->n_features);
    if (n) apex_json_integer(run, "n_classes", (int64_t)n);
}

/* A figure is a mean: with one row more, told to the last digit and multiplied by the rows, it
 * is that row's own. */
static double coarse(const struct learn *l, double value, double reach, uint64_t rows)
{
    return release_to(value, release_precision(&l->rules, reach, rows > 0 ? rows : 1));
}

/* A residual is taken to reach three times their root mean square; r2 then moves by as much of
 * what is left to explain. */
static void numbers_out(struct learn *l, const struct evaluation *e)
{
    const struct regression_figures *f = &e->numbers;
    double reach = 3 * f->rmse;
    apex_json_number(l->run, "r2", coarse(l, f->r2, 18 * (1 - f->r2), e->all.rows));
    apex_json_number(l->run, "rmse",
                     release_is_loose(&l->rules)
                         ? f->rmse
                         : sqrt(coarse(l, f->rmse * f->rmse, reach * reach, e->all.rows)));
    apex_json_number(l->run, "mae", coarse(l, f->mae, reach, e->all.rows));
}

static void told_or_null(struct apex_run *run, const char *key, bool told, double value)
{
    if (told)
        apex_json_number(run, key, value);
    else
        apex_json_null(run, key);
}

static bool crossed_told(const struct evaluation *e, size_t truth, size_t predicted)
{
    return e->crossed[truth * (e->n_classes + 1) + predicted].reason == RELEASE_OK;
}

/* Whether the rows of every true class may be told; `right`: and how many of them are right. */
static bool truth_told(const struct evaluation *e, bool right)
{
    for (size_t c = 0; c < e->n_classes; c++)
        if (!crossed_told(e, c, e->n_classes) || (right && !crossed_told(e, c, c)))
            return false;
    return true;
}

static uint64_t truth_least(const struct evaluation *e)
{
    uint64_t least = UINT64_MAX;
    for (size_t c = 0; c < e->n_classes; c++)
        if (e->truth[c].rows < least) least = e->truth[c].rows;
    return least;
}

/* How well scores put class 1 above class 0: ratios of the rows of both. A row moves the area
 * by no more than one of its class's, the precision by the sum of what it does to each place
 * below; the best tenth is a small table of its own, told as a share of rows is. */
static void ranking_out(struct learn *l, const struct evaluation *e)
{
    const struct ranking *r = &e->ranking;
    uint64_t positive = e->truth[1].rows, tenth = e->all.rows / 10;
    bool told = truth_told(e, false), loose = release_is_loose(&l->rules);
    told_or_null(l->run, "roc_auc", told, coarse(l, r->auc, 1, truth_least(e)));
    told_or_null(l->run, "average_precision", told,
                 coarse(l, r->average_precision, 1 + log((double)(positive > 0 ? positive : 1)),
                        positive));
    told_or_null(l->run, "positives_in_top_tenth",
                 told && (loose || tenth >= l->rules.minimum_rows),
                 coarse(l, r->top, (double)l->rules.minimum_rows / 2, tenth));
}

void learn_figures_out(struct learn *l, const struct evaluation *e)
{
    struct apex_run *run = l->run;
    if (e->n_classes == 0) {
        numbers_out(l, e);
        return;
    }
    apex_json_number(run, "accuracy",
                     coarse(l, (double)e->right / (double)e->all.rows, 1, e->all.rows));
    if (e->has_figures && !l->learner.map) {
        double loss = e->figures.log_loss;
        told_or_null(run, "balanced_accuracy", truth_told(e, true),
                     coarse(l, e->figures.balanced_accuracy, 1, truth_least(e)));
        apex_json_number(run, "log_loss",
                         coarse(l, loss, 3 * (loss + log((double)e->n_classes)), e->all.rows));
    }
    if (e->has_ranking) ranking_out(l, e);
}

/* One row of the answer to a requester, about a row of its own. */
static void own_row_out(struct learn *l, const struct learner_room *room, size_t row, size_t i)
{
    const struct encoding *e = learn_encoding(l);
    struct apex_run *run = l->run;
    apex_json_object(run, NULL);
    apex_json_integer(run, "row", (int64_t)row + 1);
    if (e->n_classes == 0) {
        apex_json_number(run, "value", room->value[i]);
    } else {
        const struct encoding_text *t = &e->classes[room->label[i]];
        apex_json_text(run, "class", t->text, t->len);
        if (room->probable && e->n_classes == 2)
            apex_json_number(run, "score", room->probability[1][i]);
    }
    apex_json_end(run);
}

/* The requester's rows are its own to see: nothing of them is hidden from it. */
static apex_status own_blocks_out(struct learn *l, struct frame *own)
{
    struct learner_room room;
    uint64_t dropped = 0;
    TRY(learner_room_new(&l->learner, true, &room));
    apex_json_array(l->run, "predictions");
    for (size_t b = 0; b < own->source.n_blocks; b++) {
        struct num_block block;
        own->source.block(own, b, 0, &block);
        learner_predict(&l->learner, &block, &room);
        for (size_t i = 0; i < block.n; i++) {
            if (block.weight[i] > 0)
                own_row_out(l, &room, b * BLOCK_ROWS + i, i);
            else
                dropped++;
        }
    }
    apex_json_end(l->run);
    apex_json_integer(l->run, "rows", (int64_t)(own->n_rows - dropped));
    apex_json_integer(l->run, "rows_dropped", (int64_t)dropped);
    learner_room_clear(&room);
    return APEX_OK;
}

apex_status learn_own_rows_out(struct learn *l, const char *dataset)
{
    struct frame own;
    struct encoding like = *learn_encoding(l);
    if (frame_tables(l->run, dataset, true) == 0)
        apex_refuse(l->run, APEX_REFUSE_NO_DATA,
                    "send your rows with the request (--rows FILE)");
    like.kind = FRAME_NO_TARGET; /* a target beside them is not looked at */
    TRY(learn_frame(l, dataset, true, true, &like, &own));
    apex_status s = own_blocks_out(l, &own);
    frame_close(&own);
    return s;
}
