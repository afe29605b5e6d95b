/* What is told of sites once they stand: rows and contributors of each, how many lie within a
 * radius, and how far rows are from their site.
 *
 * Counts are of all rows. Distances are of all rows up to MEASURE_SAMPLE_ROWS, above that of as
 * many drawn evenly by row number under the run's seed. Leaks: shapes, the sites, the radius;
 * not which row belongs to which site, nor how many, unless `plain`; of a site that is told,
 * how often the window of its greatest distances was widened. */
#ifndef CONTRACTS_CLUSTER_MEASURE_H
#define CONTRACTS_CLUSTER_MEASURE_H

#include "contracts/cluster/places.h"

enum { MEASURE_SAMPLE_ROWS = 1 << 18 };
/* Unless the rules are loose, the last bits of a row's chord say whose it is, through sorting
 * and all: far less than what any number is told to. */
enum { MEASURE_TAG = PARTIES_MAX - 1 };
_Static_assert((PARTIES_MAX & MEASURE_TAG) == 0, "a tag is the last bits of a number");

struct measure {
    struct places *places;
    size_t k;
    const double *site;      /* k x 2: latitude, longitude in degrees */
    const double *centroids; /* k x d for labels as k-means has them, or NULL: the nearest on
                                the sphere */
    struct kmeans_source source; /* of the points that go with `centroids` */
    double radius_km;
    bool plain; /* branches and addresses may follow rows */
    struct release_rules rules;
    /* What measure_all fills; ours. */
    struct release_cell *cell, *inside; /* k: rows that count */
    struct release_cell all_inside;
    uint64_t *told; /* k: rows that are told of */
    /* Where rows have weights, so many as heavy as the heaviest of a site would weigh as much
     * as all of it, by party: what a weighted mean or sum rests on. Otherwise `cell` itself. A
     * site that either of them keeps back has its reason in `cell`. k. */
    struct release_cell *weighed;
    uint64_t weighed_of_all;    /* of all rows, in rows as heavy as the heaviest */
    size_t n_sample, n_sampled; /* rows drawn, and those of them that count */
    double *key;
    uint64_t *chord;     /* bits of squared chords, by site and ascending */
    uint64_t *sampled;   /* k: how many of the sample a site has */
    double *all;         /* squared chords of the sample, ascending */
    uint64_t *chord_all; /* their bits */
};
struct spread { /* not a number: not told */
    double median_km, p95_km, most_km;
    double reach_km; /* how far out rows may lie, to be used and not told; not a number where
                        there are fewer than minimum_rows */
};

apex_status measure_all(struct measure *m);
/* Of site c, whose cell may be told, or with c = k of all rows. One row's distance told from
 * three places would find the row: each number is the root mean square of the window of
 * distances around its quantile (release_window), of the greatest for most_km, if the rules let
 * the window pass; reach_km of one that is widened until they do. With loose rules, the
 * quantile and the maximum themselves. */
struct spread measure_spread(const struct measure *m, size_t c);
/* Its reach_km alone, or where there is none, that of all rows. */
double measure_reach(const struct measure *m, size_t c);

#endif
