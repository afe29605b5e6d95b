/* Rows out of JSON: what the list forms (json_rows.c) and GeoJSON (geojson.c) share. */
#ifndef CLIENT_LIB_JSON_ROWS_H
#define CLIENT_LIB_JSON_ROWS_H

#include "client/lib/map.h"
#include "client/lib/rows_in.h"
#include "common/wire/json.h"

enum { CELL_TEXT_MAX = 4096, IGNORED_NAMES_MAX = 64, IGNORED_NAME_LEN = 64 };

/* Keys that were left out, so that each is noted once. */
struct ignored_names {
    size_t n, next; /* next: where the coming one probably is */
    size_t len[IGNORED_NAMES_MAX];
    uint8_t name[IGNORED_NAMES_MAX][IGNORED_NAME_LEN];
};

struct rows_json {
    struct rows_in *in;
    struct json json;
    struct column_map map;
    uint64_t row, row_line;
    const char *fault;        /* why the row at hand is bad; NULL: it is not, so far */
    struct span fault_column; /* lent: the schema's, or fault_name */
    uint8_t fault_name[NAME_MAX_LEN];
    uint8_t *text; /* n_columns x CELL_TEXT_MAX: the cells' texts */
    struct raw_cell raw[COLUMNS_MAX];
    bool given[COLUMNS_MAX];
    bool placed[COLUMNS_MAX];     /* GeoJSON: comes from the geometry */
    struct span key[COLUMNS_MAX]; /* what the file calls the column */
    size_t next_column;           /* where the coming key probably is */
    struct ignored_names ignored;
};

/* The next token, over pieces; a fault of the text ends the reading with its place. */
apex_status json_rows_next(struct rows_json *r, enum json_event *e);
/* The rest of the value that began with e. */
apex_status json_rows_skip(struct rows_json *r, enum json_event e);
apex_status json_rows_fail(struct rows_json *r, const char *what);
/* Notes why the row at hand is bad; the first reason stands. */
void json_rows_fault(struct rows_json *r, struct span column, const char *why);
/* Takes the value that began with e as the cell of column i. */
apex_status json_rows_value(struct rows_json *r, size_t i, enum json_event e);
/* The members of an object that was opened; `strict`: a key that is no column makes the row
 * bad. */
apex_status json_rows_members(struct rows_json *r, bool strict);
void json_rows_begin(struct rows_json *r);
apex_status json_rows_finish(struct rows_json *r);

/* The members of a FeatureCollection that was opened. */
apex_status geojson_read(struct rows_json *r);

#endif
