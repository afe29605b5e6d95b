/* Pearson's correlations of all columns of numbers, over rows in which none is missing. */
#include "common/base/try.h"
#include "common/num/gram.h"
#include "contracts/describe/describe.h"
#include "contracts/lib/fault.h"

#include <math.h>
#include <stdlib.h>

struct correlating {
    const struct telling *t;
    size_t m;
    const struct apex_column **columns;
    struct encoding_feature *features;
    struct release_cell complete;
    double *reach; /* m: of each column, in its standard deviations */
    double *r;     /* m x m */
};

static apex_status columns_choose(struct correlating *w)
{
    const struct apex_column *columns;
    size_t n = apex_schema(w->t->run, w->t->dataset, &columns);
    w->columns = calloc(n + 1, sizeof *w->columns);
    w->features = calloc(n + 1, sizeof *w->features);
    if (!w->columns || !w->features) return APEX_E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        if (!column_is_number(&columns[i])) continue;
        memcpy(w->features[w->m].column, columns[i].name, sizeof columns[i].name);
        w->columns[w->m++] = &columns[i];
    }
    if (w->m < 2)
        apex_refuse(w->t->run, APEX_REFUSE_PARAMETER,
                    "the dataset has fewer than two columns of numbers");
    return APEX_OK;
}

static apex_status products_make(struct correlating *w)
{
    struct num_place place = {NUM_FINE, 0};
    const struct telling *t = w->t;
    const struct encoding like = {
        .kind = FRAME_NO_TARGET, .n_features = w->m, .features = w->features};
    const struct frame_choice choice = {
        .dataset = t->dataset, .is_private = t->own, .like = &like};
    struct frame frame;
    double *gram = calloc(gram_len(w->m), sizeof *gram);
    w->r = calloc(w->m * w->m, sizeof *w->r);
    if (!gram || !w->r) return APEX_E_MEMORY;
    TRY(frame_open(t->run, &choice, &frame));
    TRY(frame_count(&frame, &w->complete));
    rows_out(t, &w->complete);
    release_count(t->run, &t->rules, "rows_dropped", frame.n_rows - w->complete.rows);
    fault_refuse(t->run, gram_fit(apex_threads(t->run), &frame.source, false, gram, &place),
                 &place);
    fault_refuse(t->run, describe_correlation(w->m, gram, w->r, &place), &place);
    frame_close(&frame);
    free(gram);
    return APEX_OK;
}

/* How far out a row of each column may be, from what summary tells. */
static apex_status reaches_make(struct correlating *w)
{
    struct num_place place = {NUM_FINE, 0};
    const struct telling *t = w->t;
    w->reach = calloc(w->m, sizeof *w->reach);
    if (!w->reach) return APEX_E_MEMORY;
    for (size_t i = 0; i < w->m && !release_is_loose(&t->rules); i++) {
        struct column c;
        struct told told;
        struct release_cell present;
        TRY(column_open(t->run, t->dataset, t->own, w->columns[i], &c));
        TRY(column_present(&c, &present));
        fault_refuse(
            t->run,
            told_of(&t->rules, &c.source, apex_threads(t->run), &present, &told, &place),
            &place);
        w->reach[i] = told.sd > 0 ? told.reach / told.sd : 0;
        column_close(&c);
    }
    return APEX_OK;
}

/* One row at (x, y), in standard deviations, moves r by (x y - r (x^2 + y^2) / 2) / n, to first
 * order. */
static double r_told(const struct correlating *w, size_t i, size_t j)
{
    double r = w->r[i * w->m + j], x = w->reach[i], y = w->reach[j];
    if (i == j) return r;
    r = release_to(r, release_precision(&w->t->rules, x * y + fabs(r) * (x * x + y * y) / 2,
                                        w->complete.rows));
    return fmax(-1, fmin(1, r));
}

apex_status correlations_out(const struct telling *t)
{
    struct correlating w = {.t = t};
    struct apex_run *run = t->run;
    TRY(columns_choose(&w));
    TRY(products_make(&w));
    TRY(reaches_make(&w));
    apex_json_array(run, "columns");
    for (size_t i = 0; i < w.m; i++)
        apex_json_text(run, NULL, w.columns[i]->name, strlen(w.columns[i]->name));
    apex_json_end(run);
    apex_json_array(run, "correlations");
    for (size_t i = 0; i < w.m; i++) {
        apex_json_array(run, NULL);
        for (size_t j = 0; j < w.m; j++)
            apex_json_number(run, NULL, r_told(&w, i, j));
        apex_json_end(run);
    }
    apex_json_end(run);
    free(w.columns);
    free(w.features);
    free(w.reach);
    free(w.r);
    return APEX_OK;
}
