/* CSV as RFC 4180 has it and as people make it: the tokeniser (csv.c) and what the first row
 * means (csv_header.c). */
#ifndef CLIENT_LIB_CSV_H
#define CLIENT_LIB_CSV_H

#include "client/lib/map.h"
#include "client/lib/rows_in.h"

enum { ROW_BYTES_MAX = 1 << 20 };

struct csv {
    struct rows_in *in;
    struct column_map map;
    uint8_t delimiter;
    unsigned state;
    bool after_cr;
    uint64_t line, row_line, row; /* row: data rows, from 1 */
    uint8_t *text; /* ROW_BYTES_MAX: the row's fields, unquoted, one after another */
    size_t len;
    size_t n_fields, end[FIELDS_PER_ROW_MAX];
    bool quoted[FIELDS_PER_ROW_MAX];
    bool has_first_row;
    size_t n_expected;          /* fields of the first row */
    size_t source[COLUMNS_MAX]; /* column of the schema -> field */
    struct raw_cell raw[COLUMNS_MAX];
    struct csv_quick *quick; /* from the first row on */
};

/* A field of the row at hand, lent until the next row. */
static inline struct span csv_field(const struct csv *c, size_t i)
{
    size_t start = i ? c->end[i - 1] : 0;
    return span_of(c->text + start, c->end[i] - start);
}
/* Without the blanks around it. */
struct span csv_trim(struct span text);
/* The same, unless they were quoted. */
struct span csv_cell(const struct csv *c, size_t i);

/* The one of , ; tab | that the first lines agree on. */
uint8_t csv_delimiter(struct span first);
/* Fills c->source from the first row and --map. *is_data: the row is not a header but the first
 * row of data.
 *
 * Without --map the row must name the dataset's columns, all and no others, in any order. With
 * it, each name is a position (1-based) if it is a number that is one, else a name in the row.
 * If all are positions, the row counts as data when any of the fields they pick for a column
 * that is not a category reads as a number, date or bool. APEX_E_USAGE: they do not match; the
 * error offers a --map. */
apex_status csv_first_row(struct csv *c, bool *is_data);

/* Between rows: takes from the front of a piece the rows that hold nothing unusual, many at a
 * time, and leaves *at where the careful reader has to go on, for a row at least. What both
 * make of a row is the same; only the careful one complains (csv_quick.c). */
apex_status csv_quick_new(struct csv *c);
void csv_quick_free(struct csv *c); /* wipes */
apex_status csv_quick_rows(struct csv *c, struct span piece, size_t *at);

#endif
