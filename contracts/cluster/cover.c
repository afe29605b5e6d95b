/* Few sites, so that a share of rows lies within a radius of one. Candidates are the centroids
 * of a sample's clusters, many small ones, then a third fewer, and so on down to one; those
 * that enough rows stand by, to the precision that they may be told. Which are taken is
 * common/num/cover.h's; what is told of them is of all rows. */
#include "common/num/cover.h"

#include "common/base/size.h"
#include "common/base/try.h"
#include "common/num/cells.h"
#include "common/num/exact.h"
#include "common/num/geo.h"
#include "contracts/cluster/answer.h"
#include "contracts/cluster/sample.h"
#include "contracts/lib/column.h"
#include "contracts/lib/fault.h"

#include <math.h>
#include <stdlib.h>

enum { COVER_ROWS = 1 << 16 };

struct covering {
    struct answer *a;
    struct release_rules rules;
    struct sample rows;
    size_t n_candidates;
    double *candidate; /* n_candidates x 2: degrees */
    /* One round of clusters. */
    size_t k;
    bool settled;
    double *centroid; /* k x 3 */
    double *place;    /* k x 2: degrees */
    struct release_cell *cell;
    double reach_km; /* how far rows are from their candidate, as it may be told */
    uint32_t *label;
    double *chord2;
    size_t words;
    uint64_t *sets;
    size_t *chosen, n_chosen;
};

static apex_status candidates_fit(struct covering *w)
{
    struct num_place place = {NUM_FINE, 0};
    struct apex_run *run = w->a->run;
    const struct kmeans_options o = {.k = w->k,
                                     .restarts = 1,
                                     .threads = apex_threads(run),
                                     .mode =
                                         apex_oblivious(run) ? KMEANS_OBLIVIOUS : KMEANS_PRUNED,
                                     .seed = apex_seed(run)};
    struct kmeans_result r = {.centroids = w->centroid};
    struct kmeans_source source = kmeans_source_of_arrays(&w->rows.arrays);
    struct kmeans_chunk chunk = {.n = w->rows.n};
    memcpy(chunk.column, w->rows.arrays.column, sizeof chunk.column);
    fault_refuse(run, kmeans_fit(&source, &o, &r, &place), &place);
    w->settled = r.converged || release_is_loose(&w->rules);
    for (size_t c = 0; c < w->k; c++)
        to_degrees(w->centroid + 3 * c, true, w->place + 2 * c);
    return kmeans_assign(w->centroid, w->k, 3, &chunk, w->label, NULL);
}

static apex_status candidates_count(struct covering *w)
{
    uint64_t *counts = calloc(w->k * w->rules.n_parties + 1, sizeof *counts);
    if (!counts) return APEX_E_MEMORY;
    struct cells_rows rows = {w->rows.n, w->label, NULL, w->rows.used, w->rows.party};
    cells_count(&rows, w->k, w->rules.n_parties, counts);
    release_cells_of(&w->rules, counts, w->k, w->cell);
    free(counts);
    return APEX_OK;
}

static void units_of(const double *place, size_t k, double (*unit)[3])
{
    for (size_t c = 0; c < k; c++)
        exact_unit(place[2 * c], place[2 * c + 1], unit[c]);
}

static apex_status reach_find(struct covering *w)
{
    static const double most = 1;
    struct num_place place = {NUM_FINE, 0};
    double(*unit)[3] = malloc((w->k + 1) * sizeof *unit);
    if (!unit) return APEX_E_MEMORY;
    units_of(w->place, w->k, unit);
    geo_chords(w->rows.latitude, w->rows.longitude, w->label, w->rows.n,
               (const double(*)[3])unit, w->k, !apex_oblivious(w->a->run), w->chord2);
    free(unit);
    for (size_t i = 0; i < w->rows.n; i++)
        w->chord2[i] = geo_km(w->chord2[i]);
    struct told_quantiles reach;
    const struct describe_array km = {w->rows.n, w->chord2, NULL, w->rows.used, w->rows.party};
    struct describe_source source = describe_source_of_array(&km);
    fault_refuse(w->a->run,
                 told_quantiles(&w->rules, &source, apex_threads(w->a->run), &w->rows.all,
                                &most, 1, &reach, &place),
                 &place);
    w->reach_km = reach.value[0];
    return APEX_OK;
}

/* Keeps clusters that may be told, where they may be told to be: none of a fit that ran out of
 * rounds, whose centroids are the means of other rows than those that were counted. */
static void candidates_keep(struct covering *w)
{
    for (size_t c = 0; c < w->k; c++) {
        if (!w->settled || w->cell[c].reason != RELEASE_OK) continue;
        place_told(&w->rules, w->place + 2 * c,
                   w->reach_km / centroid_length(w->centroid + 3 * c, true), w->cell[c].rows,
                   w->candidate + 2 * w->n_candidates);
        w->n_candidates++;
    }
}

/* Which rows lie within the radius of each candidate. */
static apex_status sets_fill(struct covering *w)
{
    double unit[1][3], within = geo_chord2(w->a->measure.radius_km);
    size_t cells = 0;
    w->words = (w->rows.n + 63) / 64;
    if (!size_mul(w->n_candidates, w->words + 1, &cells)) return APEX_E_LIMIT;
    w->sets = calloc(cells, sizeof *w->sets);
    w->chosen = calloc(w->n_candidates, sizeof *w->chosen);
    if (!w->sets || !w->chosen) return APEX_E_MEMORY;
    for (size_t c = 0; c < w->n_candidates; c++) {
        uint64_t *set = w->sets + c * w->words;
        units_of(w->candidate + 2 * c, 1, unit);
        geo_nearest(w->rows.latitude, w->rows.longitude, w->rows.n, (const double(*)[3])unit, 1,
                    w->label, w->chord2);
        for (size_t i = 0; i < w->rows.n; i++)
            set[i / 64] |= (uint64_t)(w->rows.used[i] & (w->chord2[i] <= within)) << i % 64;
    }
    return APEX_OK;
}

static apex_status open_all(struct covering *w)
{
    size_t asked = (size_t)apex_param_number(w->a->run, "candidates"), most;
    TRY(sample_open(&w->a->places, COVER_ROWS, true, &w->rows));
    most = release_k_most(&w->rules, w->rows.all.rows);
    w->k = asked < most ? asked : most;
    if (w->k == 0)
        apex_refuse(w->a->run, APEX_REFUSE_ROWS, "there are fewer rows than minimum_rows");
    w->candidate = calloc(2 * 3 * w->k + 2, sizeof *w->candidate); /* 1 + 2/3 + 4/9 + ... */
    w->centroid = calloc(3 * w->k, sizeof *w->centroid);
    w->place = calloc(2 * w->k, sizeof *w->place);
    w->cell = calloc(w->k, sizeof *w->cell);
    w->label = malloc((w->rows.n + 1) * sizeof *w->label);
    w->chord2 = malloc((w->rows.n + 1) * sizeof *w->chord2);
    return w->candidate && w->centroid && w->place && w->cell && w->label && w->chord2
               ? APEX_OK
               : APEX_E_MEMORY;
}

static apex_status chosen_out(struct covering *w, double share)
{
    struct answer *a = w->a;
    TRY(answer_open(a, w->n_chosen));
    a->share_of_all = true;
    for (size_t c = 0; c < w->n_chosen; c++)
        memcpy(a->site + 2 * c, w->candidate + 2 * w->chosen[c], 2 * sizeof *a->site);
    TRY(answer_measure(a));
    apex_json_object(a->run, NULL);
    apex_json_text(a->run, "function", "cover", 5);
    apex_json_number(a->run, "share_asked", share);
    apex_json_integer(a->run, "candidates", (int64_t)w->n_candidates);
    if (w->rows.n < a->places.n) apex_json_integer(a->run, "of_rows_drawn", (int64_t)w->rows.n);
    TRY(answer_out(a));
    apex_json_end(a->run);
    return APEX_OK;
}

static apex_status candidates_make(struct covering *w)
{
    TRY(open_all(w));
    for (size_t most = w->k; w->k > 0; w->k = w->k * 2 / 3) {
        memset(w->cell, 0, w->k * sizeof *w->cell);
        TRY(candidates_fit(w));
        TRY(candidates_count(w));
        TRY(reach_find(w));
        candidates_keep(w);
        apex_progress(w->a->run, (unsigned)(70 - 70 * w->k / most));
    }
    if (w->n_candidates == 0)
        apex_refuse(w->a->run, APEX_REFUSE_ROWS,
                    "no cluster of rows has enough of them and enough contributors");
    return sets_fill(w);
}

apex_status cover(struct answer *a)
{
    struct covering w = {.a = a, .rules = release_rules_of(a->run)};
    double share = apex_param_number(a->run, "share");
    uint64_t step = w.rules.minimum_rows > 1 ? w.rules.minimum_rows : 1;
    a->measure.radius_km = apex_param_number(a->run, "radius_km");
    TRY(candidates_make(&w));
    TRY(cover_choose(w.sets, w.n_candidates, w.words,
                     (uint64_t)ceil(share * (double)w.rows.all.rows), step, w.chosen,
                     &w.n_chosen));
    if (w.n_chosen == 0)
        apex_refuse(a->run, APEX_REFUSE_PARAMETER,
                    "radius_km: no candidate has enough rows within it");
    TRY(chosen_out(&w, share));
    sample_clear(&w.rows);
    free(w.candidate);
    free(w.centroid);
    free(w.place);
    free(w.cell);
    free(w.label);
    free(w.chord2);
    free(w.sets);
    free(w.chosen);
    return APEX_OK;
}
