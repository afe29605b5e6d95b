/* The contract `describe`: what the union of the parties' rows looks like, column by column.
 * docs/contracts/describe.md tells its mathematics.
 *   summary        counts, moments, extremes and quantiles of numbers, counts of categories
 *   own_summary    the same of the requester's own rows beside all parties'; to it alone
 *   histogram      rows between public edges
 *   own_histogram  the same of the requester's own rows beside all parties'; to it alone
 *   counts         rows of each category
 *   crosstab       rows by two category columns, with their totals
 *   correlations   of all columns of numbers
 *   private_summary, private_histogram, private_counts  the same, differentially private */
#include "common/base/try.h"
#include "contracts/describe/describe.h"
#include "contracts/lib/private.h"

#include <math.h>
#include <stdlib.h>

static const char DATASET[] = "records";
#define EDGE_STEPS 1024.0 /* of a column's bounds */

static struct telling all_of(struct apex_run *run)
{
    return (struct telling){run, DATASET, false, release_rules_of(run)};
}

static struct telling own_of(struct apex_run *run)
{
    return (struct telling){run, DATASET, true,
                            (struct release_rules){1, 1, 1, apex_parties(run), 1}};
}

static const struct apex_column *column_asked(struct apex_run *run, const char *param,
                                              bool number)
{
    const struct apex_column *c = column_find(run, DATASET, apex_param_text(run, param));
    if (!c)
        apex_refuse(run, APEX_REFUSE_PARAMETER, "column: the dataset has none of this name");
    if (column_is_number(c) != number)
        apex_refuse(run, APEX_REFUSE_PARAMETER,
                    number ? "column: not one of numbers; counts is for categories"
                           : "column: not a category or bool; histogram is for numbers");
    return c;
}

/* Of the manifest's bounds; coordinates have their own. False: it states none. */
static bool bounds_of(const struct apex_column *c, double *least, double *most)
{
    bool latitude = c->type == APEX_LATITUDE, place = latitude || c->type == APEX_LONGITUDE;
    *least = c->bounded ? c->min : latitude ? -90 : -180;
    *most = c->bounded ? c->max : -*least;
    return c->bounded || place;
}

/* Edges lie on a public grid: who may move one a little at a time finds where a count turns,
 * which is a row's own number. */
static void edges_snap(double *edges, size_t n, double least, double most)
{
    double step = (most - least) / EDGE_STEPS;
    for (size_t i = 0; i < n; i++) {
        double at = floor((edges[i] - least) / step + 0.5);
        at = at > 0 ? at < EDGE_STEPS ? at : EDGE_STEPS : 0;
        edges[i] = at == EDGE_STEPS ? most : least + at * step;
    }
}

/* Those given, or so many bins of about equal width between the bounds: public both. */
static size_t edges_make(struct apex_run *run, const struct apex_column *c, double **edges)
{
    const double *given;
    struct release_rules rules = release_rules_of(run);
    bool loose = release_is_loose(&rules);
    double least, most;
    size_t n = apex_param_points(run, "edges", 1, &given),
           bins = (size_t)apex_param_number(run, "bins");
    if (!bounds_of(c, &least, &most) && (n == 0 || !loose))
        apex_refuse(
            run, APEX_REFUSE_PARAMETER,
            "column: the manifest states no bounds of it, from which edges are counted");
    *edges = malloc((n ? n : bins + 1) * sizeof **edges);
    if (!*edges) return 0;
    for (size_t i = 0; i < n; i++)
        (*edges)[i] = given[i];
    for (size_t i = 0; n == 0 && i <= bins; i++)
        (*edges)[i] = i == bins ? most : least + (most - least) * ((double)i / (double)bins);
    if (!loose) edges_snap(*edges, n ? n : bins + 1, least, most);
    if (describe_edges_check(*edges, n ? n : bins + 1, NULL) != APEX_OK)
        apex_refuse(
            run, APEX_REFUSE_PARAMETER,
            "edges: 2 to 1025 numbers, each a step (1/1024 of the bounds) above the last");
    return n ? n : bins + 1;
}

static void head_out(struct apex_run *run)
{
    apex_json_object(run, NULL);
    apex_json_text(run, "function", apex_function(run), strlen(apex_function(run)));
}

/* The requester's rows beside all: `tell` twice. */
static apex_status beside(struct apex_run *run, apex_status (*tell)(const struct telling *))
{
    struct telling own = own_of(run), all = all_of(run);
    if (frame_tables(run, DATASET, true) == 0)
        apex_refuse(run, APEX_REFUSE_NO_DATA, "send your rows with the request (--rows FILE)");
    head_out(run);
    apex_json_object(run, "own");
    TRY(tell(&own));
    apex_json_end(run);
    apex_json_object(run, "all");
    TRY(tell(&all));
    apex_json_end(run);
    apex_json_end(run);
    return APEX_OK;
}

static apex_status alone(struct apex_run *run, apex_status (*tell)(const struct telling *))
{
    struct telling all = all_of(run);
    head_out(run);
    TRY(tell(&all));
    apex_json_end(run);
    return APEX_OK;
}

static apex_status histogram_tell(const struct telling *t)
{
    double *edges = NULL;
    const struct apex_column *c = column_asked(t->run, "column", true);
    size_t n = edges_make(t->run, c, &edges);
    apex_status s = edges ? histogram_out(t, c, edges, n) : APEX_E_MEMORY;
    free(edges);
    return s;
}

static apex_status counts_tell(const struct telling *t)
{
    return counts_out(t, column_asked(t->run, "column", false));
}

static apex_status crosstab_tell(const struct telling *t)
{
    const struct apex_column *down = column_asked(t->run, "down", false),
                             *across = column_asked(t->run, "across", false);
    if (down == across)
        apex_refuse(t->run, APEX_REFUSE_PARAMETER,
                    "down, across: two different columns are needed");
    return crosstab_out(t, across, down);
}

static apex_status private_histogram_tell(const struct telling *t)
{
    return private_histogram_out(t, column_asked(t->run, "column", true));
}

static apex_status private_counts_tell(const struct telling *t)
{
    return private_counts_out(t, column_asked(t->run, "column", false));
}

apex_status apex_contract(struct apex_run *run)
{
    static const struct {
        const char *name;
        apex_status (*how)(struct apex_run *, apex_status (*)(const struct telling *));
        apex_status (*tell)(const struct telling *);
    } functions[] = {{"summary", alone, summary_out},
                     {"own_summary", beside, summary_out},
                     {"histogram", alone, histogram_tell},
                     {"own_histogram", beside, histogram_tell},
                     {"counts", alone, counts_tell},
                     {"crosstab", alone, crosstab_tell},
                     {"correlations", alone, correlations_out},
                     {"private_summary", alone, private_summary_out},
                     {"private_histogram", alone, private_histogram_tell},
                     {"private_counts", alone, private_counts_tell}};
    private_asked(run);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (strcmp(functions[i].name, apex_function(run)) == 0)
            return functions[i].how(run, functions[i].tell);
    apex_refuse(run, APEX_REFUSE_OTHER, "the program has no such function");
}
