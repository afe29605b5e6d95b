/* An answer about sites: what every function of the contract has in common, written once the
 * sites stand. */
#ifndef CONTRACTS_CLUSTER_ANSWER_H
#define CONTRACTS_CLUSTER_ANSWER_H

#include "contracts/cluster/measure.h"

#define KM_OF_DEGREE 111.195 /* of a great circle */

struct answer {
    struct apex_run *run;
    struct places places;
    struct measure measure;
    /* Where k-means ran out of rounds, a site is the mean of other rows than those nearest to
     * it now: `made` tells of these, by the centroids `from` (else, and where the rules are
     * loose, NULL, and `made` is `measure`). */
    struct measure made;
    double *from;
    size_t k;
    double *site; /* k x 2: latitude, longitude in degrees */
    uint64_t *weight;
    bool share_of_all; /* within the radius: of all rows alone, not of each site's, some of
                          which might have to be hidden and the whole with them */
};

/* Room for k sites; radius_km is a parameter of the function. */
apex_status answer_open(struct answer *a, size_t k);
/* "rows", "sites" and all that is told of them. */
apex_status answer_out(struct answer *a);

/* All that is to be known of the sites, once they stand. */
apex_status answer_measure(struct answer *a);
/* k-means of all places from `start` (k x d, or NULL), and how it went. */
apex_status sites_fit(struct answer *a, const double *start, bool sphere);
/* Degrees into the coordinates that k-means works on (1e-7 degree, or 2^-30 of the Earth's
 * radius), and back. */
void to_coordinates(const double *degrees, bool sphere, double *centroid);
void to_degrees(const double *centroid, bool sphere, double *degrees);

/* Where a centroid may be told to be: on the Earth, to the precision that one of `rows` rows
 * within reach_km of it could move it by. */
void place_told(const struct release_rules *rules, const double *degrees, double reach_km,
                uint64_t rows, double *told);
/* How far a mean of unit vectors is from the middle of the Earth, as a part of its radius: one
 * row turns it by as much more as it is shorter. 1 for planar ones. */
double centroid_length(const double *centroid, bool sphere);

/* The functions choose_k and cover. */
apex_status choose_k(struct answer *a);
apex_status cover(struct answer *a);
/* The function private_sites, which asks for no release rule. */
apex_status private_sites(struct apex_run *run);

#endif
