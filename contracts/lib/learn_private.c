/* private_train: a model made of released numbers, told and left in the contract. What is used
 * of it later costs nothing more. */
#include "common/base/try.h"
#include "common/num/private_bayes.h"
#include "common/num/private_logistic.h"
#include "common/num/private_ridge.h"
#include "contracts/lib/fault.h"
#include "contracts/lib/learn.h"
#include "contracts/lib/private.h"

#include <stdlib.h>

enum { HOLDOUT_PART = 10 }; /* of the budget, where there are held-out rows */

struct fitting {
    struct learn *l;
    struct private_answer answer;
    struct private_bounds *bounds;
    uint64_t amount;
    struct num_place place;
};

static apex_status bayes_learn(struct fitting *f)
{
    const struct learner *r = &f->l->learner;
    const struct private_moments_options o = {r->n_features, r->n_classes, f->bounds};
    return private_bayes_fit(&f->l->training.source, &o, f->amount, &f->answer.how,
                             &f->l->learner.bayes, &f->place);
}

/* The two classes' one row of coefficients, of the higher one. */
static apex_status logistic_learn(struct fitting *f)
{
    const struct learn *l = f->l;
    const double c = l->options.penalty;
    TRY(logistic_new(2, l->learner.n_features, &f->l->learner.logistic));
    struct logistic *m = l->learner.logistic;
    struct private_logistic fitted = {.coefficient = m->raw};
    const struct private_logistic_options o = {
        .n_columns = l->learner.n_features, .bounds = f->bounds, .penalty = c > 0 ? 1 / c : 0};
    TRY(private_logistic_fit(&l->training.source, &o, f->amount, &f->answer.how, &fitted,
                             &f->place));
    m->n_outputs = 1;
    m->n_seen = 2;
    m->seen[1] = 1;
    for (size_t j = 0; j < m->n_columns; j++) {
        m->sd[j] = 1;
        m->coefficient[j] = m->raw[j];
    }
    m->intercept[0] = m->raw_intercept[0] = fitted.intercept;
    m->rounds = fitted.rounds;
    return APEX_OK;
}

static apex_status linear_learn(struct fitting *f)
{
    const struct private_ridge_options o = {.n_columns = f->l->learner.n_features,
                                            .bounds = f->bounds,
                                            .alpha = f->l->options.penalty};
    return private_ridge_fit(&f->l->training.source, &o, f->amount, &f->answer.how,
                             &f->l->learner.ridge, &f->place);
}

static apex_status fit(struct fitting *f)
{
    switch (f->l->learner.kind) {
    case LEARNER_BAYES: return bayes_learn(f);
    case LEARNER_LOGISTIC: return logistic_learn(f);
    case LEARNER_LINEAR: return linear_learn(f);
    default: break;
    }
    apex_refuse(f->l->run, APEX_REFUSE_PARAMETER, "method: has no private form");
}

/* Rows as released, where the model has them: kept as the first party's, told as they are. */
static apex_status released_rows(struct learn *l)
{
    const size_t k = l->learner.n_classes ? l->learner.n_classes : 1;
    l->classes = calloc(k, sizeof *l->classes);
    if (!l->classes) return APEX_E_MEMORY;
    for (size_t c = 0; l->learner.bayes && c < k; c++) {
        l->classes[c].rows = l->classes[c].by_party[0] = l->learner.bayes->counts[c];
        l->trained.rows += l->classes[c].rows;
    }
    double weight = l->learner.ridge ? l->learner.ridge->weight : 0;
    l->trained.rows += (uint64_t)(weight > 0 ? weight + 0.5 : 0);
    l->trained.by_party[0] = l->trained.rows;
    return APEX_OK;
}

/* Held-out rows that the model gets right, and others. */
struct scoring {
    const struct learner *learner;
    struct learner_room *room;
};

static void right_add(const void *context, const struct num_block *block, int64_t *values)
{
    const struct scoring *s = context;
    learner_predict(s->learner, block, s->room);
    for (size_t i = 0; i < block->n; i++) {
        int64_t counts = private_counts_row(block->weight[i]);
        int64_t right = counts & -(int64_t)(s->room->label[i] == block->label[i]);
        values[0] += right;
        values[1] += counts - right;
    }
}

static apex_status right_release(struct fitting *f, struct frame *holdout, uint64_t amount,
                                 struct private_statistic *s)
{
    struct learner_room room;
    const struct scoring scoring = {&f->l->learner, &room};
    const struct private_summing summing = {.rows = &holdout->source,
                                            .threads = 1, /* one room */
                                            .n_values = 2,
                                            .add = right_add,
                                            .context = &scoring};
    TRY(learner_room_new(&f->l->learner, false, &room));
    TRY(private_sum(&summing, s->values));
    learner_room_clear(&room);
    return private_release(s, amount, f->answer.how.budget, f->answer.how.random, &f->place);
}

static apex_status accuracy_out(struct fitting *f)
{
    struct frame holdout;
    int64_t values[2];
    struct private_statistic s = {
        .what = "held-out rows", .values = values, .n = 2, .l1 = 1, .l2_squared = 1};
    TRY(learn_frame(f->l, "holdout", false, false, NULL, &holdout));
    apex_status status = right_release(f, &holdout, private_budget_left(&f->answer.budget), &s);
    frame_close(&holdout);
    fault_refuse(f->l->run, status, &f->place);
    double all = (double)(values[0] + values[1]), share = all > 0 ? (double)values[0] / all : 0;
    apex_json_integer(f->l->run, "holdout_rows", values[0] + values[1]);
    apex_json_number(f->l->run, "accuracy", share < 0 ? 0 : share > 1 ? 1 : share);
    return APEX_OK;
}

static apex_status frame_of_training(struct fitting *f)
{
    struct learn *l = f->l;
    const struct frame_choice choice = {
        .dataset = "training", .target = l->target, .kind = l->kind, .listed = true};
    TRY(frame_open(l->run, &choice, &l->training));
    l->learner = (struct learner){.kind = l->options.kind,
                                  .n_classes = l->training.encoding->n_classes,
                                  .n_features = l->training.encoding->n_features};
    if (l->learner.kind == LEARNER_LOGISTIC && l->learner.n_classes != 2)
        apex_refuse(l->run, APEX_REFUSE_PARAMETER,
                    "method: a private logistic regression "
                    "tells two classes apart, no more");
    return private_frame_bounds(&l->training, &f->bounds);
}

static void head_out(struct fitting *f)
{
    struct learn *l = f->l;
    const char *name = learner_name(l->learner.kind, l->learner.n_classes);
    apex_json_object(l->run, NULL);
    apex_json_text(l->run, "function", apex_function(l->run), strlen(apex_function(l->run)));
    apex_json_text(l->run, "model", name, strlen(name));
    if (l->trained.rows > 0)
        apex_json_integer(l->run, "training_rows", (int64_t)l->trained.rows);
    apex_json_integer(l->run, "n_features", (int64_t)l->learner.n_features);
    if (l->learner.n_classes > 0)
        apex_json_integer(l->run, "n_classes", (int64_t)l->learner.n_classes);
    if (l->learner.ridge) apex_json_number(l->run, "r2", l->learner.ridge->r2);
    if (l->learner.ridge) apex_json_number(l->run, "rmse", l->learner.ridge->rmse);
}

apex_status learn_private(struct learn *l)
{
    struct fitting f = {.l = l};
    private_open(l->run, "training", &f.answer);
    bool scored = l->kind == FRAME_LABELS && frame_tables(l->run, "holdout", false) > 0;
    TRY(frame_of_training(&f));
    f.amount = f.answer.budget.total - (scored ? f.answer.budget.total / HOLDOUT_PART : 0);
    fault_refuse(l->run, fit(&f), &f.place);
    TRY(released_rows(l));
    TRY(learn_leave(l));
    head_out(&f);
    if (scored) TRY(accuracy_out(&f));
    if (apex_exports(l->run))
        TRY(learner_out(l->run, &l->learner, l->training.encoding));
    private_out(&f.answer);
    free(f.bounds);
    return APEX_OK;
}
