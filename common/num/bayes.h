/* Gaussian naive Bayes: per class and feature a mean and a variance; a row goes to the class of
 * greatest joint log-likelihood
 *     log prior(c) - 1/2 sum_f log(2 pi variance(c,f)) - 1/2 sum_f (x_f - mean(c,f))^2 /
 * variance(c,f) the lower class on a tie.
 *
 * Variances are of the population, plus epsilon = smoothing (1e-9) times the largest variance
 * of a feature over all rows, as scikit-learn 1.2 has it; where every feature is constant,
 * epsilon is `smoothing` itself, and any class is as good as its prior. Weights scale a row's
 * share in priors, means and variances (in epsilon too); weight 0 leaves the row out.
 *
 * Two forms, both partial / merge / finish:
 *   rows of doubles (struct num_block): per block and class the mean and the sum of squares
 *     about it, in two passes over the block that lies in the cache, corrected (Chan, Golub and
 *     LeVeque 1983, equation 1.7), merged in block order (their equation 2.1): one pass over
 *     the rows, as exact as a second pass with the known mean;
 *   columns of int32 (struct bayes_chunk; latitude and longitude): exact integer sums, so that
 *     neither chunks nor threads nor order show. The model is then in steps of the columns.
 *
 * Oblivious: each class passes over all rows and takes its own through masks; nothing is
 * indexed by a label. The time of fitting and predicting is rows x classes x features.
 * Leaks: rows, features, classes, options; the status and its place (which class has too few
 * rows). bayes_plain_add leaks labels through addresses, as its name says.
 *
 * APEX_E_USAGE: no feature, options out of range (NUM_OPTION, numbered below).
 * APEX_E_DATA: NUM_NO_ROWS; NUM_ONE_CLASS (fewer than two classes); NUM_EMPTY_CLASS at a class
 * with fewer than rows_min rows, or at n_classes when a row that counts has a label not below
 * it; NUM_RANGE at a feature whose numbers are too far apart for doubles. APEX_E_MEMORY,
 * APEX_E_LIMIT. Source: Hastie, Tibshirani and Friedman, The Elements of Statistical Learning,
 * section 6.6.3. */
#ifndef COMMON_NUM_BAYES_H
#define COMMON_NUM_BAYES_H

#include "common/num/block.h"
#include "common/num/fault.h"
#include "include/apex/status.h"

#include <stddef.h>
#include <stdint.h>

struct bayes_options {
    size_t n_classes, n_features; /* 0 and 1 */
    double smoothing;             /* 2: 0 or more and finite; 0: 1e-9 */
    const double *prior;          /* 3: n_classes numbers above 0, made to sum to 1; NULL: the
                                     classes' shares of the weights */
    uint64_t rows_min;            /* 4: of each class; 0: 1 */
};
struct bayes {
    size_t n_classes, n_features;
    uint64_t *counts;        /* classes: rows of weight above 0 */
    double *prior;           /* classes */
    double *mean, *variance; /* classes x features, row-major; epsilon included */
    double epsilon;
    double *shift;    /* features: a number in their midst, taken off before the rest (0 but for
                         chunks) */
    double *constant; /* classes x (1 + 2 features): log prior + norm, then per feature s and o
                         with (s (x - shift) + o)^2 = (x - mean)^2 / (2 variance) */
};
/* A model of zeros, to be filled by bayes_finish or, from a stored model, by the caller: prior,
 * mean and variance (counts and epsilon are for reading), then bayes_ready. */
apex_status bayes_new(size_t n_classes, size_t n_features, struct bayes **model);
void bayes_free(struct bayes *model); /* wipes */
/* Makes the constants from prior, mean and variance. APEX_E_DATA: NUM_RANGE. */
apex_status bayes_ready(struct bayes *model, struct num_place *place);

/* --- Rows of doubles ------------------------------------------------------------------------
 */
/* bayes_fit is the whole; the parts are for those who merge themselves. A partial is
 * bayes_partial_len bytes, 8-byte aligned, zeroed before first use. */
apex_status bayes_fit(const struct num_source *rows, const struct bayes_options *options,
                      unsigned threads, struct bayes **model, struct num_place *place);
apex_status bayes_partial_len(const struct bayes_options *options, size_t *len,
                              struct num_place *place);
void bayes_partial(const struct bayes_options *options, const struct num_block *block,
                   void *partial);
void bayes_merge(const struct bayes_options *options, void *total, const void *partial);
apex_status bayes_finish(const struct bayes_options *options, const void *total,
                         struct bayes **model, struct num_place *place);

/* Classes of a block's rows. joint: NULL, or n_classes x BLOCK_ROWS joint log-likelihoods,
 * class by class. Rows of weight 0 are classified like others. */
void bayes_predict_block(const struct bayes *model, const struct num_block *block,
                         uint32_t *labels, double *joint);
/* From joint log-likelihoods of n rows to probabilities that sum to 1 over the classes, in
 * place. */
void bayes_probabilities(size_t n_classes, size_t n, double *joint);
/* Classes of all rows of a source. labels: n_rows. APEX_E_USAGE: not the model's columns. */
apex_status bayes_predict(const struct bayes *model, const struct num_source *rows,
                          unsigned threads, uint32_t *labels);

/* counts[c] += rows labelled c, through compares; labels not below n_classes count nowhere.
 * used: NULL, or n bytes, 0 leaves a row out. */
void bayes_count(const uint32_t *labels, const uint8_t *used, size_t n, size_t n_classes,
                 uint64_t *counts);

/* --- Columns of int32, chunk by chunk -------------------------------------------------------
 */
enum { BAYES_DIMS_MAX = 4, BAYES_CHUNK_MAX = 1 << 30 };

struct bayes_chunk {
    size_t n; /* rows, at most BAYES_CHUNK_MAX */
    const int32_t *coordinate[BAYES_DIMS_MAX];
    const void *label;    /* n labels of label_bytes each; not read when predicting */
    unsigned label_bytes; /* 1, 2 or 4: uint8_t, uint16_t, uint32_t */
    const uint8_t *used;  /* n: 0 leaves the row out; NULL: all count */
};
struct bayes_sums {
    size_t n_classes, n_features;
    uint64_t *rows;            /* classes */
    uint64_t unseen;           /* rows that count with a label not below n_classes */
    __int128 *sum;             /* classes x features */
    unsigned __int128 *square; /* classes x features */
};
apex_status bayes_sums_new(size_t n_classes, size_t n_features, struct bayes_sums **sums);
void bayes_sums_free(struct bayes_sums *sums); /* wipes */
/* Adds a chunk; up to 2^40 rows in all. APEX_E_USAGE: an unknown label_bytes or too many rows.
 * Memory: about 500 bytes x classes x features / 2 per thread. */
apex_status bayes_chunk_add(struct bayes_sums *sums, const struct bayes_chunk *chunk,
                            unsigned threads);
/* The same sums, indexed by label: not oblivious. */
apex_status bayes_plain_add(struct bayes_sums *sums, const struct bayes_chunk *chunk);
/* total += part; the same shape. */
apex_status bayes_sums_merge(struct bayes_sums *total, const struct bayes_sums *part);
apex_status bayes_sums_finish(const struct bayes_sums *sums,
                              const struct bayes_options *options, struct bayes **model,
                              struct num_place *place);
/* Classes of a chunk's rows into n labels of label_bytes each. APEX_E_USAGE: the model has
 * other features, or more classes than label_bytes can tell. */
apex_status bayes_chunk_predict(const struct bayes *model, const struct bayes_chunk *chunk,
                                unsigned threads, void *labels, unsigned label_bytes);

#endif
