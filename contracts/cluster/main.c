/* The contract `cluster`: sites for the union of the parties' places. docs/contracts/cluster.md
 * tells its mathematics.
 *   sites           k-means; per site its place, rows, contributors and radius
 *   weighted_sites  the same, each row weighing what its int64 column says
 *   coverage        of sites that are given: the share of rows within a radius, and how far
 *                   rows are from their nearest site
 *   choose_k        inertia and silhouette for a range of k
 *   cover           few sites, so that a share of rows lies within a radius of one
 *   private_sites   k-means, differentially private */
#include "common/base/try.h"
#include "contracts/cluster/answer.h"
#include "contracts/lib/private.h"

#include <math.h>
#include <stdlib.h>

static apex_status sites(struct answer *a)
{
    const double *given;
    struct release_rules rules = release_rules_of(a->run);
    bool sphere = strcmp(apex_param_text(a->run, "metric"), "great-circle") == 0;
    size_t n_start = apex_param_points(a->run, "start", 2, &given),
           k = n_start ? n_start : (size_t)apex_param_number(a->run, "k");
    /* The rule that closes the hole of k = n: every centroid could rest on minimum_rows rows.
     */
    if (k > release_k_most(&rules, a->places.all.rows))
        apex_refuse(a->run, APEX_REFUSE_K,
                    "k is above the number of rows divided by minimum_rows");
    TRY(answer_open(a, k));
    TRY(places_source(&a->places, sphere, &a->measure.source));
    double *start = n_start ? calloc(k * a->measure.source.d, sizeof *start) : NULL;
    if (n_start && !start) return APEX_E_MEMORY;
    for (size_t c = 0; c < n_start; c++)
        to_coordinates(given + 2 * c, sphere, start + c * a->measure.source.d);
    apex_json_object(a->run, NULL);
    TRY(sites_fit(a, start, sphere));
    TRY(answer_out(a));
    apex_json_end(a->run);
    return APEX_OK;
}

static apex_status coverage(struct answer *a)
{
    const double *given;
    size_t k = apex_param_points(a->run, "sites", 2, &given);
    if (k == 0)
        apex_refuse(a->run, APEX_REFUSE_PARAMETER, "sites: at least one place is needed");
    TRY(answer_open(a, k));
    for (size_t c = 0; c < k; c++) {
        if (fabs(given[2 * c]) > 90 || fabs(given[2 * c + 1]) > 180)
            apex_refuse(a->run, APEX_REFUSE_PARAMETER, "sites: a place is not on the Earth");
        memcpy(a->site + 2 * c, given + 2 * c, 2 * sizeof *given);
    }
    TRY(answer_measure(a));
    apex_json_object(a->run, NULL);
    apex_json_text(a->run, "function", "coverage", 8);
    TRY(answer_out(a));
    apex_json_end(a->run);
    return APEX_OK;
}

apex_status apex_contract(struct apex_run *run)
{
    static const struct {
        const char *name;
        apex_status (*answer)(struct answer *);
    } functions[] = {{"sites", sites},
                     {"weighted_sites", sites},
                     {"coverage", coverage},
                     {"choose_k", choose_k},
                     {"cover", cover}};
    struct answer a = {.run = run};
    struct release_rules rules = release_rules_of(run);
    if (private_asked(run) && strcmp(apex_function(run), "private_sites") == 0)
        return private_sites(run);
    TRY(places_open(run, strcmp(apex_function(run), "weighted_sites") == 0, &a.places));
    release_demand(run, &rules, &a.places.all);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (strcmp(functions[i].name, apex_function(run)) == 0) return functions[i].answer(&a);
    apex_refuse(run, APEX_REFUSE_OTHER, "the program has no such function");
}
