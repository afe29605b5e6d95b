/* Each party's rows alone against all rows together: what joining is worth. */
#include "common/base/try.h"
#include "contracts/lib/learn.h"

#include <stdlib.h>

struct alone {
    struct learn *l;
    struct frame *holdout;
    size_t party;
    struct encoding like; /* the classes this party has rows of; borrows features */
    uint32_t *map;        /* to those of all */
    uint64_t rows;
    struct release_rules rules; /* of its model: it is one party's */
};

static apex_status classes_pick(struct alone *a)
{
    const struct encoding *all = learn_encoding(a->l);
    a->like = *all;
    a->like.classes = calloc(all->n_classes + 1, sizeof *a->like.classes);
    a->map = calloc(all->n_classes + 1, sizeof *a->map);
    a->like.n_classes = 0;
    if (!a->like.classes || !a->map) return APEX_E_MEMORY;
    for (size_t c = 0; c < (all->n_classes ? all->n_classes : 1); c++) {
        uint64_t rows = a->l->classes[c].by_party[a->party];
        if (all->n_classes && (rows == 0 || rows < a->l->rules.minimum_rows)) continue;
        a->rows += rows;
        if (all->n_classes == 0) continue;
        a->map[a->like.n_classes] = (uint32_t)c;
        a->like.classes[a->like.n_classes++] = all->classes[c];
    }
    return APEX_OK;
}

static apex_status alone_fit(struct alone *a, struct learner *learner)
{
    struct frame own;
    TRY(learn_frame(a->l, a->l->training.choice.dataset, false, false, &a->like, &own));
    own.only_party = a->party;
    if (!release_is_loose(&a->l->rules)) own.choice.rules = &a->rules;
    apex_status s = learner_fit(&own, &a->l->options, true, learner);
    frame_close(&own);
    if (s == APEX_OK && a->like.n_classes != learn_encoding(a->l)->n_classes) {
        learner->map = a->map;
        a->map = NULL;
    }
    return s;
}

static apex_status alone_out(struct alone *a)
{
    struct learner learner = {0}, pooled = a->l->learner;
    struct evaluation e;
    struct apex_run *run = a->l->run;
    apex_json_object(run, NULL);
    apex_json_integer(run, "party", (int64_t)a->party);
    if (a->rows < a->l->rules.minimum_rows) {
        release_suppressed(run, &a->l->rules, RELEASE_FEW_ROWS);
        apex_json_end(run);
        return APEX_OK;
    }
    apex_json_integer(run, "training_rows", (int64_t)a->rows);
    if (a->like.n_classes) apex_json_integer(run, "classes_seen", (int64_t)a->like.n_classes);
    apex_status s = alone_fit(a, &learner);
    if (s == APEX_E_DATA) {
        apex_json_text(run, "failed", "its rows alone do not allow this model", 38);
    } else {
        TRY(s);
        TRY(evaluate(a->holdout, &learner, true, true, &e));
        a->l->learner = learner; /* figures_out looks whether labels are mapped */
        learn_figures_out(a->l, &e);
        a->l->learner = pooled;
        evaluation_clear(&e);
    }
    learner_clear(&learner);
    apex_json_end(run);
    return APEX_OK;
}

apex_status learn_compare_out(struct learn *l, struct frame *holdout)
{
    struct evaluation e;
    apex_status s = APEX_OK;
    TRY(evaluate(holdout, &l->learner, true, true, &e));
    release_demand(l->run, &l->rules, &e.all);
    apex_json_integer(l->run, "holdout_rows", (int64_t)e.all.rows);
    apex_json_object(l->run, "pooled");
    learn_figures_out(l, &e);
    apex_json_end(l->run);
    evaluation_clear(&e);
    apex_json_array(l->run, "alone");
    for (size_t p = 0; p < l->rules.n_parties && s == APEX_OK; p++) {
        struct alone a = {.l = l, .holdout = holdout, .party = p, .rules = l->rules};
        a.rules.minimum_contributors = 1;
        a.rules.maximum_share = 1;
        s = classes_pick(&a);
        if (s == APEX_OK && a.rows > 0) s = alone_out(&a);
        free(a.like.classes);
        free(a.map);
        apex_progress(l->run, (unsigned)(60 + 40 * (p + 1) / l->rules.n_parties));
    }
    apex_json_end(l->run);
    return s;
}
