/* Real rows and what scikit-learn made of them: ../shared/data and its reference/NAME.json, for
 * tests. Rows and columns are those the reference used: rows with an empty used cell left out,
 * a text column as one 0/1 column per text but the first (named COLUMN=TEXT). */
#ifndef TESTS_REAL_DATA_H
#define TESTS_REAL_DATA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct real_data {
    size_t n, d, n_classes;
    double **column; /* d arrays of n */
    uint32_t *label; /* n: place in the reference's classes, or n_classes */
    bool *is_test;   /* n: splitmix64(2^32 + row) % 10 >= 7 */
    size_t *row;     /* n: its number in the file, from 0 */
    json_t *reference;
};
/* NULL where there is no such data (a clone without ../shared): the caller skips. */
struct real_data *real_data_open(const char *name);
void real_data_close(struct real_data *data);
/* reference.a.b.c: the path's keys, ended by NULL. */
const json_t *real_data_at(const struct real_data *data, ...);
/* The rows of one part, in their order: arrays of doubles and labels, ours to free with
 * real_part_close. */
struct real_part {
    size_t n;
    double **column;
    uint32_t *label;
    size_t d;
};
struct real_part real_part_open(const struct real_data *data, bool is_test);
void real_part_close(struct real_part *part);

#endif
