/* The oracle for tables: a group that parses, written once more from its cells, is the same
 * bytes. For tests and fuzz targets. */
#ifndef TESTS_REBUILD_H
#define TESTS_REBUILD_H

#include "common/wire/table.h"

#include <stdio.h>

static inline bool rebuild_missing(const struct table_column *c, size_t row)
{
    return c->validity && !(c->validity[row / 8] >> (row % 8) & 1);
}

/* The i-th text of a dictionary. */
static inline struct span rebuild_text(const struct table_column *c, uint32_t code)
{
    struct span text = {NULL, 0};
    size_t at = 0;
    for (uint32_t i = 0; i <= code; i++)
        if (table_dict_next(c->dict, &at, &text) != APEX_OK) return (struct span){NULL, 0};
    return text;
}

static inline apex_status rebuild_cell(struct table_writer *w, const struct table_column *c,
                                       size_t i, size_t row)
{
    if (rebuild_missing(c, row)) {
        table_writer_missing(w, i);
        return APEX_OK;
    }
    switch (c->type) {
    case COLUMN_LATITUDE:
    case COLUMN_LONGITUDE:
    case COLUMN_DATE: table_writer_i32(w, i, ((const int32_t *)c->data)[row]); return APEX_OK;
    case COLUMN_FLOAT64: table_writer_f64(w, i, ((const double *)c->data)[row]); return APEX_OK;
    case COLUMN_INT64: table_writer_i64(w, i, ((const int64_t *)c->data)[row]); return APEX_OK;
    case COLUMN_BOOL: table_writer_bool(w, i, ((const uint8_t *)c->data)[row]); return APEX_OK;
    case COLUMN_CATEGORY:
        return table_writer_category(w, i, rebuild_text(c, ((const uint32_t *)c->data)[row]));
    }
    return APEX_E_BUG;
}

/* The schema a group was written with, or false when no schema has such names. columns:
 * COLUMNS_MAX. */
static inline bool rebuild_schema(const struct table_group *g, struct manifest_column *columns)
{
    for (size_t i = 0; i < g->n_columns; i++) {
        const struct table_column *c = &g->columns[i];
        if (memchr(c->name.data, 0, c->name.len)) return false;
        columns[i] = (struct manifest_column){.type = c->type, .missing = c->validity != NULL};
        snprintf(columns[i].name, sizeof columns[i].name, "%.*s", (int)c->name.len,
                 (const char *)c->name.data);
    }
    return true;
}

/* Writes `g` again into out (GROUP_BYTES, 64-byte aligned). */
static inline apex_status rebuild(const struct table_group *g,
                                  const struct manifest_dataset *schema, bool last,
                                  uint8_t *out, size_t *len)
{
    struct table_writer *w;
    bool full;
    apex_status s = table_writer_new(schema, &w);
    if (s != APEX_OK) return s;
    for (size_t row = 0; s == APEX_OK && row < g->n_rows; row++) {
        for (size_t i = 0; s == APEX_OK && i < g->n_columns; i++)
            s = rebuild_cell(w, &g->columns[i], i, row);
        if (s == APEX_OK) s = table_writer_row_end(w, &full);
    }
    if (s == APEX_OK) s = table_writer_take(w, last, out, len);
    table_writer_free(w);
    return s;
}

#endif
