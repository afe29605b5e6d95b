/* Anomaly screen: how far a standardised row lies from the nearest of k centroids, and which
 * rows lie too far.
 *
 * Rows are int32 columns in steps of 2^-20 standard deviation (common/num/encode.h), centroids
 * those of common/num/kmeans.h on them. A row's score is its Euclidean distance to the nearest
 * centroid, in standard deviations. A row is flagged when its score is greater than a
 * threshold: SCREEN_MAD       median + c x 1.4826 x MAD of the scores of rows that count, the
 * MAD being the median distance from the median (1.4826 makes it a standard deviation where
 * scores are normal); where more than half of the scores are one number the MAD is 0 and every
 * greater score is flagged; SCREEN_QUANTILE  a quantile of those scores. Where labels exist,
 * rates per cluster tell whether some clusters hold more of what is sought.
 *
 * Oblivious throughout: distances to all centroids, quantiles by counting (describe.h), counts
 * by compares. Deterministic for any number of threads and any chunks.
 * Leaks: rows, columns, k, options; whether a row counts at all (NUM_NO_ROWS). The threshold is
 * an order statistic of rows: release rules decide how exactly it leaves.
 * APEX_E_USAGE: NUM_OPTION, at 0: c is below 0 or not finite; 1: the quantile is not in 0..1.
 * APEX_E_DATA: NUM_NO_ROWS. APEX_E_MEMORY, APEX_E_LIMIT. Source: Leys et al., Detecting
 * outliers: do not use standard deviation around the mean, use absolute deviation around the
 * median, 2013. */
#ifndef COMMON_NUM_SCREEN_H
#define COMMON_NUM_SCREEN_H

#include "common/num/describe.h"
#include "common/num/kmeans.h"

#include <stddef.h>
#include <stdint.h>

#define SCREEN_MAD_TO_SD 1.4826 /* 1 / the normal distribution's third quartile */

enum screen_kind { SCREEN_MAD, SCREEN_QUANTILE };

struct screen_rule {
    enum screen_kind kind;
    double c;        /* 0: of the MAD; 3 is usual */
    double quantile; /* 1 */
};
struct screen_threshold {
    double median, mad; /* of the scores; 1.4826 not in the MAD */
    double threshold;
};
/* Cluster and score of each row of a chunk. labels: n, or NULL; scores: n. */
apex_status screen_scores(const double *centroids, size_t k, size_t d,
                          const struct kmeans_chunk *chunk, uint32_t *labels, double *scores);
/* From the scores of all rows; `used` says which count. 133 passes over them. */
apex_status screen_threshold_of(const struct describe_array *scores,
                                const struct screen_rule *rule, unsigned threads,
                                struct screen_threshold *threshold, struct num_place *place);
/* flags[i] = score above the threshold and used (NULL: all are), as 1 or 0; how many. */
uint64_t screen_flag(const double *scores, const uint8_t *used, size_t n, double threshold,
                     uint8_t *flags);
/* Adds to rows[0 .. k-1] the rows of each cluster, to positive[..] those of them whose
 * `is_positive` byte is 1 (labels of a kind, or flags). used: NULL, or 1 for rows that count.
 */
void screen_rates_add(const uint32_t *labels, const uint8_t *is_positive, const uint8_t *used,
                      size_t n, size_t k, uint64_t *rows, uint64_t *positive);

#endif
