#include "contracts/cluster/answer.h"

#include "common/base/try.h"
#include "common/num/exact.h"

#include <math.h>
#include <stdlib.h>

apex_status answer_open(struct answer *a, size_t k)
{
    a->k = k;
    a->site = calloc(2 * k, sizeof *a->site);
    a->weight = calloc(k, sizeof *a->weight);
    a->measure = (struct measure){.places = &a->places,
                                  .k = k,
                                  .site = a->site,
                                  .radius_km = apex_param_number(a->run, "radius_km"),
                                  .plain = !apex_oblivious(a->run),
                                  .rules = release_rules_of(a->run)};
    return a->site && a->weight ? APEX_OK : APEX_E_MEMORY;
}

static void spread_out(struct apex_run *run, const struct spread *s)
{
    apex_json_number(run, "median_km", s->median_km);
    apex_json_number(run, "p95_km", s->p95_km);
    apex_json_number(run, "max_km", s->most_km);
}

/* A site rests on the rows that it is the mean of as much as on those nearest to it. */
apex_status answer_measure(struct answer *a)
{
    struct measure *m = &a->measure;
    a->made = *m;
    TRY(measure_all(m));
    if (!a->from) {
        a->made = *m;
        return APEX_OK;
    }
    a->made.centroids = a->from;
    TRY(measure_all(&a->made));
    for (size_t c = 0; c < m->k; c++)
        if (m->cell[c].reason == RELEASE_OK) m->cell[c].reason = a->made.cell[c].reason;
    return APEX_OK;
}

void place_told(const struct release_rules *rules, const double *degrees, double reach_km,
                uint64_t rows, double *told)
{
    double reach = reach_km / KM_OF_DEGREE, sine, cosine;
    exact_sincos_degrees(degrees[0], &sine, &cosine);
    double flat = cosine > 0.01 ? cosine : 0.01;
    told[0] = release_to(degrees[0], release_precision(rules, reach, rows));
    told[1] = release_to(degrees[1], release_precision(rules, reach / flat, rows));
    told[0] = fmax(-90, fmin(90, told[0]));
    told[1] = fmax(-180, fmin(180, told[1]));
}

/* The place of a site; of one that k-means found, as it may be told. */
static void place_out(struct answer *a, size_t c, double reach_km)
{
    const struct measure *m = &a->measure;
    size_t d = m->source.d;
    double told[2] = {a->site[2 * c], a->site[2 * c + 1]};
    uint64_t rows = m->weighed[c].rows, made = a->made.weighed[c].rows;
    if (m->centroids)
        place_told(&m->rules, told, reach_km / centroid_length(m->centroids + c * d, d == 3),
                   rows < made ? rows : made, told);
    apex_json_number(a->run, "latitude", told[0]);
    apex_json_number(a->run, "longitude", told[1]);
}

/* As a sum: to twice what the heaviest row adds to it. */
static void weight_out(struct answer *a, size_t c)
{
    const struct measure *m = &a->measure;
    double weight = (double)a->weight[c];
    apex_json_number(
        a->run, "weight",
        release_to(weight, release_precision(&m->rules, weight, m->weighed[c].rows)));
}

static void site_out(struct answer *a, size_t c)
{
    const struct measure *m = &a->measure;
    const struct release_rules coarse = release_coarse(&m->rules);
    char words[120];
    apex_json_object(a->run, NULL);
    apex_json_integer(a->run, "site", (int64_t)c);
    if (m->cell[c].reason != RELEASE_OK) {
        release_words(&m->rules, m->cell[c].reason, words);
        apex_json_text(a->run, "suppressed", words, strlen(words));
        apex_json_end(a->run);
        return;
    }
    struct spread spread = measure_spread(m, c);
    double reach_km = measure_reach(m, c);
    place_out(a, c, a->from ? fmax(reach_km, measure_reach(&a->made, c)) : reach_km);
    release_rows(a->run, &coarse, "rows", m->told[c]);
    apex_json_integer(a->run, "contributors",
                      (int64_t)release_contributors(&m->cell[c], m->rules.n_parties));
    if (a->places.weighted) weight_out(a, c);
    if (!a->share_of_all)
        release_share(a->run, &m->rules, "within_radius", &m->inside[c], &m->cell[c]);
    spread_out(a->run, &spread);
    apex_json_end(a->run);
}

/* Rows within the radius (or, outside, beyond it) of every site, hidden where the site's share
 * is not told. */
static bool shares_fit(const struct measure *m, bool outside, struct release_cell *part)
{
    for (size_t c = 0; c < m->k; c++) {
        bool told = m->cell[c].reason == RELEASE_OK &&
                    release_share_told(&m->rules, &m->inside[c], &m->cell[c]);
        part[c] = m->inside[c];
        for (size_t p = 0; outside && p < m->rules.n_parties; p++)
            part[c].by_party[p] = m->cell[c].by_party[p] - m->inside[c].by_party[p];
        if (outside) part[c].rows = m->cell[c].rows - m->inside[c].rows;
        part[c].reason = told ? RELEASE_OK : release_judge(&m->rules, &part[c]);
        if (!told && part[c].reason == RELEASE_OK) part[c].reason = RELEASE_WITHHELD;
    }
    return release_total_fits(&m->rules, part, m->k);
}

/* The share of all rows, unless a site's that is not told would follow. */
static apex_status all_inside_out(struct answer *a)
{
    const struct measure *m = &a->measure;
    struct release_cell *part = calloc(m->k, sizeof *part);
    if (!part) return APEX_E_MEMORY;
    if (a->share_of_all || (shares_fit(m, false, part) && shares_fit(m, true, part)))
        release_share(a->run, &m->rules, "within_radius", &m->all_inside, &a->places.all);
    else
        apex_json_null(a->run, "within_radius");
    free(part);
    return APEX_OK;
}

apex_status answer_out(struct answer *a)
{
    const struct measure *m = &a->measure;
    struct apex_run *run = a->run;
    size_t hidden = 0;
    for (size_t c = 0; c < m->k; c++)
        hidden += m->cell[c].reason != RELEASE_OK;
    if (!release_total_fits(&m->rules, m->cell, m->k)) /* a hidden site would follow */
        apex_json_null(run, "rows");
    else
        apex_json_integer(run, "rows", (int64_t)a->places.n_told);
    release_count(run, &m->rules, "rows_dropped", a->places.n_dropped);
    apex_json_integer(run, "contributors",
                      (int64_t)release_contributors(&a->places.all, m->rules.n_parties));
    apex_json_integer(run, "k", (int64_t)a->k);
    apex_json_integer(run, "suppressed_sites", (int64_t)hidden);
    apex_json_number(run, "radius_km", m->radius_km);
    TRY(all_inside_out(a));
    if (m->n_sample < a->places.n)
        apex_json_integer(run, "distances_of_rows_drawn", (int64_t)m->n_sample);
    apex_json_array(run, "sites");
    for (size_t c = 0; c < a->k; c++)
        site_out(a, c);
    apex_json_end(run);
    struct spread all = measure_spread(m, m->k);
    apex_json_object(run, "distance");
    spread_out(run, &all);
    apex_json_end(run);
    return APEX_OK;
}
