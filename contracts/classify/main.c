/* The contract `classify`: Gaussian naive Bayes over the union of the parties' labelled rows.
 * docs/contracts/classify.md tells its mathematics. market      how many of all parties' rows
 * fall into each class: the addressable market per country own_market  the same, trained on the
 * requester's private rows, sent with the request evaluate    trained on `training`, scored on
 * `holdout` predict     the class of each of the requester's own rows; to it alone */
#include "common/base/size.h"
#include "common/base/try.h"
#include "common/num/bayes.h"
#include "contracts/classify/rows.h"

#include <math.h>
#include <stdlib.h>

struct work {
    struct apex_run *run;
    struct release_rules rules;
    struct classes classes;
    struct rows training;
    struct bayes *model;
};

/* The rows' features column by column. */
static apex_status columns_open(const struct rows *r, double **cells, const double ***column,
                                struct num_source *source)
{
    size_t len, room = r->n + 1;
    if (!size_mul(room, r->n_features, &len) || !size_mul(len, sizeof(double), &len))
        return APEX_E_LIMIT;
    *cells = malloc(len);
    *column = malloc(r->n_features * sizeof **column);
    if (!*cells || !*column) return APEX_E_MEMORY;
    for (size_t f = 0; f < r->n_features; f++) {
        (*column)[f] = *cells + f * room;
        for (size_t i = 0; i < r->n; i++)
            (*cells)[f * room + i] = r->feature[i * r->n_features + f];
    }
    struct num_arrays arrays = {r->n, r->n_features, *column, NULL, NULL, r->label};
    return num_source_of_arrays(&arrays, source);
}

static apex_status train(struct work *w, const struct rows_choice *choice)
{
    struct num_place place = {NUM_FINE, 0};
    struct num_source source = {0};
    const double **column = NULL;
    double *cells = NULL;
    TRY(classes_load(w->run, choice, &w->classes));
    TRY(rows_load(w->run, choice, &w->classes, &w->training));
    const struct rows *r = &w->training;
    if (r->n == 0 || r->n_features == 0)
        apex_refuse(w->run, APEX_REFUSE_NO_DATA, "no training rows without missing values");
    if (!choice->is_private) release_demand(w->run, &w->rules, &r->all);
    const struct bayes_options o = {.n_classes = w->classes.n, .n_features = r->n_features};
    TRY(columns_open(r, &cells, &column, &source));
    apex_status s = bayes_fit(&source, &o, apex_threads(w->run), &w->model, &place);
    num_source_of_arrays_free(&source);
    free(cells);
    free(column);
    if (s == APEX_E_DATA)
        apex_refuse(w->run, APEX_REFUSE_NO_DATA,
                    place.fault == NUM_ONE_CLASS ? "the training rows have one class only"
                    : place.fault == NUM_EMPTY_CLASS
                        ? "a class has no training row without missing values"
                        : "the training rows' numbers are too far apart");
    apex_progress(w->run, 40);
    return s;
}

static apex_status predict_rows(const struct work *w, const struct rows *rows, uint32_t **out)
{
    struct num_source source = {0};
    const double **column = NULL;
    double *cells = NULL;
    *out = malloc((rows->n + 1) * sizeof **out);
    if (!*out) return APEX_E_MEMORY;
    if (rows->n == 0) return APEX_OK;
    if (rows->n_features != w->model->n_features)
        apex_refuse(w->run, APEX_REFUSE_PARAMETER,
                    "training and other rows have different features");
    TRY(columns_open(rows, &cells, &column, &source));
    apex_status s = bayes_predict(w->model, &source, apex_threads(w->run), *out);
    num_source_of_arrays_free(&source);
    free(cells);
    free(column);
    return s;
}

static void count(struct release_cell *cells, const struct rows *rows,
                  const uint32_t *predicted)
{
    for (size_t i = 0; i < rows->n; i++) {
        cells[predicted[i]].rows++;
        cells[predicted[i]].by_party[rows->party[i]]++;
    }
}

/* Class counts under the release rules; the total is told, so single hidden cells are covered.
 */
static void counts_out(struct work *w, struct release_cell *cells, uint64_t total)
{
    char words[120];
    size_t hidden = 0;
    for (size_t c = 0; c < w->classes.n; c++)
        cells[c].reason =
            cells[c].rows ? release_judge(&w->rules, &cells[c]) : RELEASE_FEW_ROWS;
    if (w->rules.minimum_rows <= 1 && w->rules.minimum_contributors <= 1)
        for (size_t c = 0; c < w->classes.n; c++)
            if (cells[c].rows == 0)
                cells[c].reason = RELEASE_OK; /* no minimum: zero is a number like others */
    release_complement(&w->rules, cells, w->classes.n);
    apex_json_array(w->run, "classes");
    for (size_t c = 0; c < w->classes.n; c++) {
        apex_json_object(w->run, NULL);
        apex_json_text(w->run, "class", w->classes.name[c].text, w->classes.name[c].len);
        if (cells[c].reason == RELEASE_OK) {
            apex_json_integer(w->run, "rows", (int64_t)cells[c].rows);
            apex_json_number(w->run, "share", (double)cells[c].rows / (double)total);
            apex_json_integer(w->run, "contributors",
                              (int64_t)release_contributors(&cells[c], w->rules.n_parties));
        } else {
            release_words(&w->rules, cells[c].reason, words);
            apex_json_text(w->run, "suppressed", words, strlen(words));
            hidden++;
        }
        apex_json_end(w->run);
    }
    apex_json_end(w->run);
    apex_json_integer(w->run, "suppressed_classes", (int64_t)hidden);
}

static void head_out(struct work *w)
{
    const char *function = apex_function(w->run);
    apex_json_object(w->run, NULL);
    apex_json_text(w->run, "function", function, strlen(function));
    apex_json_text(w->run, "model", "gaussian-naive-bayes", 20);
    apex_json_integer(w->run, "training_rows", (int64_t)w->training.n);
    release_count(w->run, &w->rules, "training_rows_dropped", w->training.n_dropped);
    apex_json_integer(w->run, "n_classes", (int64_t)w->classes.n);
}

/* `training` rows are customers too, where the request says so. */
static apex_status market(struct work *w, bool own)
{
    struct rows_choice labelled = {"training", own, true},
                       unlabelled = {"customers", false, false},
                       held = {"holdout", false, false};
    struct rows customers, holdout;
    uint32_t *predicted;
    TRY(train(w, &labelled));
    struct release_cell *cells = calloc(w->classes.n, sizeof *cells), all = {0};
    if (!cells) return APEX_E_MEMORY;
    TRY(rows_load(w->run, &unlabelled, &w->classes, &customers));
    TRY(rows_load(w->run, &held, &w->classes, &holdout));
    const struct rows *sets[] = {&customers, &holdout, &w->training};
    bool with_training = !own && strcmp(apex_param_text(w->run, "over"), "all") == 0;
    for (size_t s = 0; s < (with_training ? 3u : 2u); s++) {
        TRY(predict_rows(w, sets[s], &predicted));
        count(cells, sets[s], predicted);
        for (size_t p = 0; p < w->rules.n_parties; p++)
            all.by_party[p] += sets[s]->all.by_party[p];
        all.rows += sets[s]->n;
        free(predicted);
    }
    release_demand(w->run, &w->rules, &all);
    head_out(w);
    apex_json_integer(w->run, "rows", (int64_t)all.rows);
    release_count(w->run, &w->rules, "rows_dropped", customers.n_dropped + holdout.n_dropped);
    apex_json_integer(w->run, "contributors",
                      (int64_t)release_contributors(&all, w->rules.n_parties));
    counts_out(w, cells, all.rows);
    apex_json_end(w->run);
    free(cells);
    return APEX_OK;
}

static apex_status evaluate(struct work *w)
{
    struct rows_choice labelled = {"training", false, true}, held = {"holdout", false, true};
    struct rows holdout;
    uint32_t *predicted;
    uint64_t right = 0;
    TRY(train(w, &labelled));
    TRY(rows_load(w->run, &held, &w->classes, &holdout));
    release_demand(w->run, &w->rules, &holdout.all);
    struct release_cell *cells = calloc(w->classes.n, sizeof *cells);
    if (!cells) return APEX_E_MEMORY;
    TRY(predict_rows(w, &holdout, &predicted));
    for (size_t i = 0; i < holdout.n; i++)
        right += predicted[i] == holdout.label[i];
    count(cells, &holdout, predicted);
    head_out(w);
    apex_json_integer(w->run, "holdout_rows", (int64_t)holdout.n);
    release_count(w->run, &w->rules, "holdout_rows_dropped", holdout.n_dropped);
    apex_json_number(w->run, "accuracy", (double)right / (double)holdout.n);
    counts_out(w, cells, holdout.n);
    apex_json_end(w->run);
    free(predicted);
    free(cells);
    return APEX_OK;
}

static apex_status predict(struct work *w)
{
    struct rows_choice labelled = {"training", false, true}, own = {"customers", true, false};
    struct rows rows;
    uint32_t *predicted;
    if (!rows_any(w->run, &own))
        apex_refuse(w->run, APEX_REFUSE_NO_DATA,
                    "send the rows to classify with the request (--rows FILE)");
    TRY(train(w, &labelled));
    TRY(rows_load(w->run, &own, &w->classes, &rows));
    TRY(predict_rows(w, &rows, &predicted));
    head_out(w);
    apex_json_integer(w->run, "rows", (int64_t)rows.n);
    apex_json_integer(w->run, "rows_dropped", (int64_t)rows.n_dropped);
    apex_json_array(w->run, "predictions");
    for (size_t i = 0; i < rows.n; i++) {
        const struct class_name *name = &w->classes.name[predicted[i]];
        apex_json_object(w->run, NULL);
        apex_json_integer(w->run, "row", (int64_t)rows.origin[i] + 1);
        apex_json_text(w->run, "class", name->text, name->len);
        apex_json_end(w->run);
    }
    apex_json_end(w->run);
    apex_json_end(w->run);
    free(predicted);
    return APEX_OK;
}

apex_status apex_contract(struct apex_run *run)
{
    struct work w = {.run = run, .rules = release_rules_of(run)};
    const char *function = apex_function(run);
    if (strcmp(function, "market") == 0) return market(&w, false);
    if (strcmp(function, "own_market") == 0) return market(&w, true);
    if (strcmp(function, "evaluate") == 0) return evaluate(&w);
    return predict(&w);
}
