/* The functions that every contract which learns has. */
#include "common/base/try.h"
#include "contracts/lib/learn.h"

static apex_status holdout_out(struct learn *l)
{
    struct frame holdout;
    struct evaluation e;
    TRY(learn_frame(l, "holdout", false, false, NULL, &holdout));
    TRY(evaluate(&holdout, &l->learner, true, true, &e));
    release_demand(l->run, &l->rules, &e.all);
    apex_json_integer(l->run, "holdout_rows", (int64_t)e.all.rows);
    release_count(l->run, &l->rules, "holdout_rows_dropped", holdout.n_rows - e.all.rows);
    learn_figures_out(l, &e);
    if (l->more_out) TRY(l->more_out(l, &e));
    evaluation_clear(&e);
    frame_close(&holdout);
    return APEX_OK;
}

static apex_status evaluated(struct learn *l)
{
    TRY(learn_train(l, "training", false));
    learn_head_out(l);
    return holdout_out(l);
}

static apex_status compared(struct learn *l)
{
    struct frame holdout;
    TRY(learn_train(l, "training", false));
    TRY(learn_frame(l, "holdout", false, false, NULL, &holdout));
    learn_head_out(l);
    TRY(learn_compare_out(l, &holdout));
    frame_close(&holdout);
    return APEX_OK;
}

static apex_status predicted(struct learn *l)
{
    TRY(learn_train(l, "training", false));
    learn_head_out(l);
    return learn_own_rows_out(l, l->own);
}

static apex_status trained(struct learn *l)
{
    TRY(learn_train(l, "training", false));
    TRY(learn_leave(l));
    learn_head_out(l);
    return frame_tables(l->run, "holdout", false) > 0 ? holdout_out(l) : APEX_OK;
}

static apex_status scored(struct learn *l)
{
    TRY(learn_take(l));
    learn_head_out(l);
    return learn_own_rows_out(l, l->own);
}

static apex_status told(struct learn *l)
{
    if (!apex_exports(l->run))
        apex_refuse(l->run, APEX_REFUSE_OTHER, "the manifest does not let models out");
    TRY(learn_take(l));
    release_demand(l->run, &l->rules, &l->trained);
    learn_head_out(l);
    return learner_out(l->run, &l->learner, learn_encoding(l));
}

apex_status learn_function(struct learn *l)
{
    static const struct {
        const char *name;
        apex_status (*answer)(struct learn *);
    } functions[] = {{"evaluate", evaluated},
                     {"compare", compared},
                     {"predict", predicted},
                     {"train", trained},
                     {"score", scored},
                     {"model", told},
                     {"private_train", learn_private},
                     {"score_private", scored}};
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (strcmp(functions[i].name, apex_function(l->run)) != 0) continue;
        TRY(functions[i].answer(l));
        apex_json_end(l->run);
        return APEX_OK;
    }
    apex_refuse(l->run, APEX_REFUSE_OTHER, "the program has no such function");
}
