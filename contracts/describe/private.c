/* private_summary, private_histogram and private_counts: each column on its own, so that a cell
 * that is missing takes no other with it. */
#include "common/base/try.h"
#include "contracts/describe/describe.h"
#include "contracts/lib/fault.h"
#include "contracts/lib/private.h"

#include <math.h>
#include <stdlib.h>

/* A mean needs public bounds; a category has none, but its counts. */
static bool has_mean(const struct apex_column *c)
{
    return c->type == APEX_BOOL || (c->type != APEX_CATEGORY && c->bounded && c->min < c->max);
}

/* A column of numbers or of bools as one feature; of texts as a bare target of the values that
 * the manifest lists. */
struct one {
    struct encoding_feature feature;
    struct encoding like;
    struct frame frame;
};

static apex_status one_open(const struct telling *t, const struct apex_column *c, bool texts,
                            struct one *o)
{
    struct frame_choice choice = {.dataset = t->dataset, .listed = true};
    *o = (struct one){0};
    memcpy(o->feature.column, c->name, sizeof o->feature.column);
    o->like =
        (struct encoding){.kind = FRAME_NO_TARGET, .n_features = 1, .features = &o->feature};
    if (texts) {
        choice.target = c->name;
        choice.kind = FRAME_LABELS;
        choice.bare = true;
    } else
        choice.like = &o->like;
    return frame_open(t->run, &choice, &o->frame);
}

/* --- Means --- */

static apex_status mean_out(const struct telling *t, const struct apex_column *c,
                            uint64_t amount, struct private_answer *a)
{
    struct num_place place = {NUM_FINE, 0};
    double mean, deviation;
    struct private_means m = {.mean = &mean, .deviation = &deviation};
    const struct private_bounds bounds = private_column_bounds(t->run, t->dataset, c->name);
    struct one o;
    TRY(one_open(t, c, false, &o));
    fault_refuse(t->run, private_means(&o.frame.source, &bounds, amount, &a->how, &m, &place),
                 &place);
    frame_close(&o.frame);
    apex_json_object(t->run, NULL);
    name_out(t, c);
    apex_json_integer(t->run, "present", m.count);
    apex_json_number(t->run, "mean", mean);
    apex_json_number(t->run, "noise_sd", deviation);
    apex_json_end(t->run);
    return APEX_OK;
}

static void others_out(const struct telling *t, const struct apex_column *columns, size_t n)
{
    apex_json_array(t->run, "without_bounds");
    for (size_t c = 0; c < n; c++)
        if (!has_mean(&columns[c]) && columns[c].type != APEX_CATEGORY)
            apex_json_text(t->run, NULL, columns[c].name, strlen(columns[c].name));
    apex_json_end(t->run);
}

apex_status private_summary_out(const struct telling *t)
{
    struct private_answer a;
    const struct apex_column *columns;
    size_t n = apex_schema(t->run, t->dataset, &columns), left = 0;
    private_open(t->run, t->dataset, &a);
    for (size_t c = 0; c < n; c++)
        left += has_mean(&columns[c]);
    if (left == 0)
        apex_refuse(t->run, APEX_REFUSE_PARAMETER,
                    "no column has the min and max that a private mean needs");
    apex_json_array(t->run, "columns");
    for (size_t c = 0; c < n; c++)
        if (has_mean(&columns[c]))
            TRY(mean_out(t, &columns[c], private_budget_share(&a.budget, 1, left--), &a));
    apex_json_end(t->run);
    others_out(t, columns, n);
    private_out(&a);
    return APEX_OK;
}

/* --- Counts --- */

static void count_json(struct apex_run *run, int64_t rows)
{
    apex_json_integer(run, "rows", rows);
    apex_json_end(run);
}

apex_status private_histogram_out(const struct telling *t, const struct apex_column *c)
{
    struct private_answer a;
    struct num_place place = {NUM_FINE, 0};
    struct one o;
    double variance = 0;
    size_t n = (size_t)apex_param_number(t->run, "bins");
    const struct private_bounds bounds = private_column_bounds(t->run, t->dataset, c->name);
    int64_t *counts = calloc(n, sizeof *counts);
    if (!counts) return APEX_E_MEMORY;
    private_open(t->run, t->dataset, &a);
    TRY(one_open(t, c, false, &o));
    fault_refuse(t->run,
                 private_histogram(&o.frame.source, 0, bounds, n, a.budget.total, &a.how,
                                   counts, &variance, &place),
                 &place);
    frame_close(&o.frame);
    name_out(t, c);
    apex_json_number(t->run, "noise_sd", sqrt(variance));
    apex_json_array(t->run, "bins");
    for (size_t b = 0; b < n; b++) {
        double width = (bounds.max - bounds.min) / (double)n;
        apex_json_object(t->run, NULL);
        apex_json_number(t->run, "from", bounds.min + width * (double)b);
        apex_json_number(t->run, "to",
                         b + 1 == n ? bounds.max : bounds.min + width * (double)(b + 1));
        count_json(t->run, counts[b]);
    }
    apex_json_end(t->run);
    private_out(&a);
    free(counts);
    return APEX_OK;
}

apex_status private_counts_out(const struct telling *t, const struct apex_column *c)
{
    struct private_answer a;
    struct num_place place = {NUM_FINE, 0};
    struct one o;
    double variance = 0;
    private_open(t->run, t->dataset, &a);
    TRY(one_open(t, c, true, &o));
    const struct encoding *e = o.frame.encoding;
    int64_t *counts = calloc(e->n_classes, sizeof *counts);
    if (!counts) return APEX_E_MEMORY;
    fault_refuse(t->run,
                 private_class_counts(&o.frame.source, e->n_classes, a.budget.total, &a.how,
                                      counts, &variance, &place),
                 &place);
    name_out(t, c);
    apex_json_number(t->run, "noise_sd", sqrt(variance));
    apex_json_array(t->run, "categories");
    for (size_t i = 0; i < e->n_classes; i++) {
        apex_json_object(t->run, NULL);
        apex_json_text(t->run, "category", e->classes[i].text, e->classes[i].len);
        count_json(t->run, counts[i]);
    }
    apex_json_end(t->run);
    private_out(&a);
    free(counts);
    frame_close(&o.frame);
    return APEX_OK;
}
