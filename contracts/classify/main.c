/* The contract `classify`: which class a row belongs to, learned from the union of the parties'
 * labelled rows. docs/contracts/classify.md tells its mathematics.
 *   market      how many of all parties' rows fall into each class: the addressable market
 *   own_market  the same, trained on the requester's private rows, sent with the request
 *   evaluate    trained on `training`, scored on `holdout`
 *   compare     each party's rows alone against all, on the same held-out rows
 *   predict     the class of each of the requester's own rows; to it alone
 *   train       leaves the model in the contract
 *   score       the class of each of the requester's own rows, by a model that was left
 *   model       its parameters, where the manifest lets them out
 *   private_train, score_private  differentially private: naive Bayes, logistic regression */
#include "common/base/try.h"
#include "contracts/lib/learn.h"
#include "contracts/lib/private.h"

#include <stdlib.h>

/* Predicted classes as they may be told beside all rows. Where there is a confusion matrix they
 * are its totals, settled there in the same way. */
static void counts_settle(struct learn *l, struct evaluation *e)
{
    size_t k = e->n_classes;
    release_settle(&l->rules, e->predicted, k);
    for (size_t c = 0; c < k; c++) {
        if (e->crossed) e->predicted[c].reason = e->crossed[k * (k + 1) + c].reason;
        if (e->predicted[c].rows == 0 && e->predicted[c].reason == RELEASE_OK)
            e->predicted[c].reason = release_judge(&l->rules, &e->predicted[c]);
    }
}

static bool crossed_told(const struct evaluation *e, size_t truth, size_t predicted)
{
    const struct release_cell *cell = &e->crossed[truth * (e->n_classes + 1) + predicted];
    return cell->reason == RELEASE_OK && cell->rows > 0;
}

/* A name is a training row's: told where that class or some count of it may be. The requester's
 * own training rows are its to see. */
static bool named(const struct learn *l, const struct evaluation *e, size_t class)
{
    bool told = release_is_loose(&l->rules) || l->training.choice.is_private ||
                l->classes[class].reason == RELEASE_OK ||
                e->predicted[class].reason == RELEASE_OK;
    for (size_t c = 0; e->crossed && c < e->n_classes && !told; c++)
        told = crossed_told(e, class, c) || crossed_told(e, c, class);
    return told;
}

static void count_out(struct learn *l, const struct evaluation *e, size_t class)
{
    struct apex_run *run = l->run;
    const struct release_cell *cell = &e->predicted[class];
    const struct encoding_text *name = &learn_encoding(l)->classes[class];
    apex_json_object(run, NULL);
    apex_json_text(run, "class", name->text, name->len);
    if (cell->reason == RELEASE_OK) {
        release_rows(run, &l->rules, "rows", cell->rows);
        apex_json_number(run, "share", release_ratio(&l->rules, cell->rows, e->all.rows));
        apex_json_integer(run, "contributors",
                          (int64_t)release_contributors(cell, l->rules.n_parties));
    } else {
        release_suppressed(run, &l->rules, cell->reason);
    }
    apex_json_end(run);
}

/* Classes without a name are left out here and in the matrix; how many are hidden is told. */
static void counts_out(struct learn *l, struct evaluation *e)
{
    size_t hidden = 0;
    counts_settle(l, e);
    apex_json_array(l->run, "classes");
    for (size_t c = 0; c < e->n_classes; c++) {
        if (named(l, e, c)) count_out(l, e, c);
        hidden += e->predicted[c].reason != RELEASE_OK;
    }
    apex_json_end(l->run);
    apex_json_integer(l->run, "suppressed_classes", (int64_t)hidden);
}

/* Who trains by its own rows moves the boundary between two classes as it likes; where a count
 * turns is then a row's own place. Rounded, two counts with one row between them are alike. */
static void coarsen(struct release_rules *rules)
{
    if (rules->round_to < rules->minimum_rows) rules->round_to = rules->minimum_rows;
}

/* Adds what the model says of a dataset's rows. */
static apex_status market_add(struct learn *l, const char *dataset, struct evaluation *total,
                              uint64_t *dropped)
{
    struct frame frame;
    struct evaluation e;
    struct encoding like = *learn_encoding(l);
    if (frame_tables(l->run, dataset, false) == 0) return APEX_OK;
    like.kind = FRAME_NO_TARGET; /* customers have no class */
    TRY(learn_frame(l, dataset, false, true, &like, &frame));
    TRY(evaluate(&frame, &l->learner, false, false, &e));
    evaluation_add(total, &e);
    *dropped += frame.n_rows - e.all.rows;
    evaluation_clear(&e);
    frame_close(&frame);
    return APEX_OK;
}

/* `training` rows are customers too, where the request says so. */
static apex_status market(struct learn *l, bool own)
{
    struct evaluation total = {0};
    uint64_t dropped = 0;
    TRY(learn_train(l, "training", own));
    if (own) coarsen(&l->rules);
    total.n_classes = learn_encoding(l)->n_classes;
    total.predicted = calloc(total.n_classes, sizeof *total.predicted);
    if (!total.predicted) return APEX_E_MEMORY;
    TRY(market_add(l, "customers", &total, &dropped));
    TRY(market_add(l, "holdout", &total, &dropped));
    if (!own && strcmp(apex_param_text(l->run, "over"), "all") == 0)
        TRY(market_add(l, "training", &total, &dropped));
    release_demand(l->run, &l->rules, &total.all);
    learn_head_out(l);
    apex_json_integer(l->run, "rows", (int64_t)total.all.rows);
    release_count(l->run, &l->rules, "rows_dropped", dropped);
    apex_json_integer(l->run, "contributors",
                      (int64_t)release_contributors(&total.all, l->rules.n_parties));
    counts_out(l, &total);
    apex_json_end(l->run);
    evaluation_clear(&total);
    return APEX_OK;
}

/* True by predicted; what may not be told is null. */
static void crossed_out(struct learn *l, const struct evaluation *e)
{
    size_t k = e->n_classes;
    apex_json_array(l->run, "confusion");
    for (size_t t = 0; t < k; t++) {
        if (!named(l, e, t)) continue;
        apex_json_array(l->run, NULL);
        for (size_t p = 0; p < k; p++) {
            const struct release_cell *cell = &e->crossed[t * (k + 1) + p];
            if (!named(l, e, p)) continue;
            if (cell->reason == RELEASE_OK)
                release_rows(l->run, &l->rules, NULL, cell->rows);
            else
                apex_json_null(l->run, NULL);
        }
        apex_json_end(l->run);
    }
    apex_json_end(l->run);
}

static apex_status more_out(struct learn *l, struct evaluation *e)
{
    counts_out(l, e);
    if (e->crossed) crossed_out(l, e);
    return APEX_OK;
}

apex_status apex_contract(struct apex_run *run)
{
    struct learn l = {.run = run,
                      .rules = release_rules_of(run),
                      .kind = FRAME_LABELS,
                      .target = "class",
                      .own = "customers",
                      .more_out = more_out,
                      .options = learner_options_of(run, false)};
    const char *function = apex_function(run);
    private_asked(run);
    if (strcmp(function, "market") == 0) return market(&l, false);
    if (strcmp(function, "own_market") == 0) return market(&l, true);
    return learn_function(&l);
}
