/* Reads rows from bytes as from a file and writes down what became of each cell. For tests of
 * the readers. */
#ifndef TESTS_CLIENT_ROWS_H
#define TESTS_CLIENT_ROWS_H

#include "client/lib/reader.h"
#include "common/base/buffer.h"
#include "include/apex/apex.h"

enum { ROWS_COLUMNS = 7 };
/* lat latitude, lon longitude, f float64, i int64, c category, b bool, d date; all but lat and
 * lon may be missing. */
extern const struct manifest_dataset rows_all;
/* latitude, longitude. */
extern const struct manifest_dataset rows_places;

struct rows_read {
    apex_status status;
    struct buffer cells; /* "lat,lon,…\n" a row: integers as they are, %.17g, text, t or f, -
                            for missing */
    size_t n_groups;
    struct complaints complaints;
    struct reader_summary summary;
    struct apex_error error;
};

/* *r is cleared first, and is the caller's to clear. map may be NULL. */
void rows_from(struct span file, const char *map, const struct manifest_dataset *schema,
               struct rows_read *r);
void rows_from_path(const char *path, const char *map, const struct manifest_dataset *schema,
                    struct rows_read *r);
void rows_clear(struct rows_read *r);
/* Adds a group's cells as above; the group must parse and keep to the schema. */
apex_status rows_write(struct span group, const struct manifest_dataset *schema,
                       struct buffer *cells);

/* Files that are read whole, and what becomes of their rows. */
struct rows_case {
    const char *file, *map, *cells;
};
void rows_all_taken(const struct rows_case *cases, size_t n,
                    const struct manifest_dataset *schema);
#define ROWS_ALL_TAKEN(cases, schema)                                                          \
    rows_all_taken(cases, sizeof cases / sizeof *cases, schema)

/* Files of places that are not read at all, and a part of what is said. */
struct rows_refusal {
    const char *file;
    size_t len; /* 0: a text */
    const char *map;
    apex_status status;
    const char *what;
};
void rows_all_refused(const struct rows_refusal *cases, size_t n);
#define ROWS_ALL_REFUSED(cases) rows_all_refused(cases, sizeof cases / sizeof *cases)

static inline uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

#endif
