/* The contract `screen`: which rows lie far from what all parties' rows look like, and where
 * rows of a kind (fraud) gather. docs/contracts/screen.md tells its mathematics.
 *   train   clusters of the training rows and the threshold, left in the contract; rows,
 *           flagged rows and rates by class of each cluster
 *   rates   the same of all parties' held-out rows, by a model that was left
 *   screen  cluster, score and flag of each of the requester's own rows; to it alone
 *   score   the same, by a model that was left
 *   model   centroids and threshold, where the manifest lets them out */
#include "common/base/try.h"
#include "contracts/lib/private.h"
#include "contracts/screen/screen.h"

static const char TRAINING[] = "training", HOLDOUT[] = "holdout", CLAIMS[] = "claims";

static void own_rows_demand(struct screen *s)
{
    if (frame_tables(s->run, CLAIMS, true) == 0)
        apex_refuse(s->run, APEX_REFUSE_NO_DATA,
                    "send your rows with the request (--rows FILE)");
}

/* The scale is that of the training rows; clusters are of them, or of
 * those held out too. */
static apex_status fitted(struct screen *s)
{
    TRY(scale_fit(s, TRAINING));
    TRY(rows_add(s, TRAINING, false, true));
    if (strcmp(apex_param_text(s->run, "over"), "all") == 0)
        TRY(rows_add(s, HOLDOUT, false, true));
    return screen_fit(s);
}

static apex_status train(struct screen *s)
{
    TRY(fitted(s));
    TRY(screen_leave(s));
    head_out(s);
    apex_json_integer(s->run, "dropped_centroids", (int64_t)s->k_dropped);
    apex_json_number(
        s->run, "inertia",
        release_to(s->inertia, release_precision(&s->rules, s->inertia, s->rows.cell.rows)));
    apex_json_integer(s->run, "rounds", s->rounds);
    return rates_out(s);
}

static apex_status rates(struct screen *s)
{
    TRY(screen_take(s));
    TRY(rows_add(s, HOLDOUT, false, true));
    release_demand(s->run, &s->rules, &s->rows.cell);
    TRY(screen_use(s));
    head_out(s);
    return rates_out(s);
}

static apex_status own_scored(struct screen *s)
{
    s->rows = (struct rows){0};
    TRY(rows_add(s, CLAIMS, true, false));
    TRY(screen_use(s));
    head_out(s);
    own_rows_out(s);
    return APEX_OK;
}

static apex_status screened(struct screen *s)
{
    own_rows_demand(s);
    TRY(fitted(s));
    return own_scored(s);
}

static apex_status scored(struct screen *s)
{
    own_rows_demand(s);
    TRY(screen_take(s));
    return own_scored(s);
}

static apex_status told(struct screen *s)
{
    if (!apex_exports(s->run))
        apex_refuse(s->run, APEX_REFUSE_OTHER, "the manifest does not let models out");
    TRY(screen_take(s));
    release_demand(s->run, &s->rules, &s->model.trained);
    head_out(s);
    model_out(s);
    return APEX_OK;
}

apex_status apex_contract(struct apex_run *run)
{
    static const struct {
        const char *name;
        apex_status (*answer)(struct screen *);
    } functions[] = {{"train", train},
                     {"rates", rates},
                     {"screen", screened},
                     {"score", scored},
                     {"model", told}};
    struct screen s = {.run = run, .rules = release_rules_of(run)};
    private_asked(run);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (strcmp(functions[i].name, apex_function(run)) != 0) continue;
        TRY(functions[i].answer(&s));
        apex_json_end(run);
        return APEX_OK;
    }
    apex_refuse(run, APEX_REFUSE_OTHER, "the program has no such function");
}
