/* Rows as other kernels want them: standardised fixed point for k-means, 0/1 columns for
 * categories, and the split into training and test rows.
 *
 * Fixed point: a standardised cell (x - mean) / sd becomes an int32 in steps of ENCODE_STEP =
 * 2^-20 standard deviation, to the nearest (the even one of two), clamped at +-ENCODE_SD_MAX =
 * 2047 deviations, which is +-2146435072. Error of a cell inside the clamp: half a step, 4.8e-7
 * deviation, and what rounding (x - mean) / sd itself costs; so a squared distance D of d
 * columns is off by at most 2 sqrt(D d) 2^-20 + d 2^-40 (each difference of a cell and a
 * centroid by a step). Sums of such integers are exact.
 *
 * One-hot: texts in bytewise order, the first left out (it is what the others are compared
 * with); the column of category c is 1 where the row has it, else 0, found through compares.
 *
 * Split: a row's part follows its number and a seed, never its cells, so it is public where the
 * seed is. encode_hash is the rule of ../shared/data/README.md, for anybody to repeat;
 * encode_keyed_hash is a keyed pseudorandom function of a run's secret seed, so that nobody can
 * place rows in the test part beforehand.
 *
 * Leaks: shapes; which texts there are (encode_categories, encode_rank). Of cells and codes:
 * nothing. Sources: splitmix64, Steele, Lea and Flood, OOPSLA 2014, with Vigna's constants;
 * SipHash-2-4, Aumasson and Bernstein, INDOCRYPT 2012. */
#ifndef COMMON_NUM_ENCODE_H
#define COMMON_NUM_ENCODE_H

#include "common/num/block.h"
#include "include/apex/status.h"

#include <stddef.h>
#include <stdint.h>

#define ENCODE_STEP 0x1p-20
#define ENCODE_SD_MAX 2047.0

/* x: n finite numbers; mean finite, sd > 0, both finite. */
void encode_fixed(const double *x, size_t n, double mean, double sd, int32_t *fixed);
/* All rows of a source: d arrays of n_rows, and (unless NULL) weights: n_rows, 1 where a row's
 * weight is above 0, else 0. mean, sd: d, as common/num/standard.h gives them. Left to the
 * caller: 4 (d + 1) bytes a row. */
void encode_fixed_rows(const struct num_source *rows, unsigned threads, const double *mean,
                       const double *sd, int32_t *const *fixed, uint32_t *weights);

struct encode_text {
    const char *bytes;
    size_t len;
};
/* Sorts bytewise (a prefix before what it begins) and leaves each text once; how many. */
size_t encode_categories(struct encode_text *texts, size_t n);
/* Where a text is in such a list, or n. */
size_t encode_rank(const struct encode_text *texts, size_t n, struct encode_text text);
/* ranks[i] = rank_of[codes[i]] without indexing; UINT32_MAX for codes not below n_codes. May be
 * in place. Time: n x n_codes. */
void encode_recode(const uint32_t *codes, size_t n, const uint32_t *rank_of, size_t n_codes,
                   uint32_t *ranks);
/* column[i] = ranks[i] == category, as 1 or 0. */
void encode_one_hot(const uint32_t *ranks, size_t n, uint32_t category, double *column);

/* splitmix64(seed 2^32 + row). */
uint64_t encode_hash(uint64_t seed, uint64_t row);
/* SipHash-2-4 of the row's number (8 bytes, little-endian), keyed from the seed and a stream
 * number as common/num/random.h does. */
struct encode_key {
    uint64_t k[2];
};
struct encode_key encode_key_of(const uint8_t seed[32], uint64_t stream);
uint64_t encode_keyed_hash(const struct encode_key *key, uint64_t row);
/* 1 where hash % parts >= first_test, else 0, for rows first .. first + n - 1. key NULL: the
 * public hash of `seed`. parts > 0. README's split: seed 1, parts 10, first_test 7. */
struct encode_split {
    uint64_t seed;
    const struct encode_key *key;
    uint64_t parts, first_test;
};
void encode_test_rows(const struct encode_split *split, uint64_t first, size_t n,
                      uint8_t *is_test);

#endif
