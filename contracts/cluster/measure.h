/* What is told of sites once they stand: rows and contributors of each, how many lie within a
 * radius, and how far rows are from their site.
 *
 * Counts are of all rows. Distances are of all rows up to MEASURE_SAMPLE_ROWS, above that of as
 * many drawn evenly by row number under the run's seed. Leaks: shapes, the sites, the radius;
 * not which row belongs to which site, nor how many, unless `plain`. */
#ifndef CONTRACTS_CLUSTER_MEASURE_H
#define CONTRACTS_CLUSTER_MEASURE_H

#include "contracts/cluster/places.h"

enum { MEASURE_SAMPLE_ROWS = 1 << 18 };

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
    uint64_t *chord;   /* bits of squared chords, by site and ascending */
    uint64_t *sampled; /* k: how many of the sample a site has */
    double *all;       /* squared chords of the sample, ascending */
};
struct spread {
    bool told; /* false: fewer than minimum_rows rows to tell it of */
    double median_km, p95_km, most_km;
};

apex_status measure_all(struct measure *m);
/* Of site c, or with c = k of all rows. One row's distance told from three places would find
 * the row: each number is the root mean square of the minimum_rows distances around its
 * quantile, of the greatest for most_km; with a minimum of 1, the quantile and the maximum
 * themselves. */
struct spread measure_spread(const struct measure *m, size_t c);
/* Its most_km alone, or where that is not told, that of all rows. */
double measure_reach(const struct measure *m, size_t c);

#endif
