#include "client/lib/json_rows.h"

#include "client/lib/error.h"
#include "common/base/try.h"
#include "common/base/wipe.h"

#include <stdio.h>
#include <stdlib.h>

apex_status json_rows_fail(struct rows_json *r, const char *what)
{
    char text[200];
    unsigned long long line = r->json.line, column = r->json.column, row = r->row;
    snprintf(text, sizeof text, "line %llu, column %llu, row %llu: %s", line, column, row,
             what);
    return apex_fail(r->in->error, APEX_E_FORMAT, text, "nothing was sent",
                     "correct the file and try again", "you");
}

apex_status json_rows_next(struct rows_json *r, enum json_event *e)
{
    for (;;) {
        apex_status s = json_next(&r->json, e);
        if (s == APEX_E_LIMIT)
            return json_rows_fail(r,
                                  "a text is longer than 8192 bytes, or values are nested more "
                                  "than 64 deep");
        if (s != APEX_OK) return json_rows_fail(r, "this is not JSON");
        if (*e != JSON_MORE) return APEX_OK;
        struct span piece;
        TRY(rows_piece(r->in, &piece));
        json_feed(&r->json, piece, piece.len == 0);
    }
}

apex_status json_rows_skip(struct rows_json *r, enum json_event e)
{
    unsigned depth = 0;
    for (;;) {
        if (e == JSON_OBJECT || e == JSON_ARRAY) depth++;
        if (e == JSON_OBJECT_END || e == JSON_ARRAY_END) depth--;
        if (depth == 0 && e != JSON_KEY) return APEX_OK;
        TRY(json_rows_next(r, &e));
    }
}

void json_rows_fault(struct rows_json *r, struct span column, const char *why)
{
    if (r->fault) return;
    r->fault = why;
    r->fault_column = column;
}

/* The dataset's column that the file calls `key`; n_columns when there is none. Rows mostly
 * have their keys in one order. */
static size_t column_of(struct rows_json *r, struct span key)
{
    size_t n = r->in->schema->n_columns;
    for (size_t k = 0, i = r->next_column; k < n; k++, i++) {
        if (i >= n) i = 0;
        if (!span_equal(r->key[i], key)) continue;
        r->next_column = i + 1;
        return i;
    }
    return n;
}

static void cell_set(struct rows_json *r, size_t i, enum cell_kind kind, struct span text)
{
    struct span name = span_text(r->in->schema->columns[i].name);
    if (r->given[i]) json_rows_fault(r, name, "the key occurs twice");
    r->given[i] = true;
    if (text.len > CELL_TEXT_MAX) {
        json_rows_fault(r, name, "the value is longer than 4096 bytes");
        text.len = 0;
    }
    memcpy(r->text + i * CELL_TEXT_MAX, text.data, text.len);
    r->raw[i] = (struct raw_cell){kind, span_of(r->text + i * CELL_TEXT_MAX, text.len)};
}

apex_status json_rows_value(struct rows_json *r, size_t i, enum json_event e)
{
    switch (e) {
    case JSON_STRING: cell_set(r, i, CELL_TEXT, json_text(&r->json)); return APEX_OK;
    case JSON_NUMBER: cell_set(r, i, CELL_NUMBER, json_text(&r->json)); return APEX_OK;
    case JSON_TRUE: cell_set(r, i, CELL_TRUE, SPAN_TEXT("true")); return APEX_OK;
    case JSON_FALSE: cell_set(r, i, CELL_FALSE, SPAN_TEXT("false")); return APEX_OK;
    case JSON_NULL: cell_set(r, i, CELL_MISSING, SPAN_TEXT("")); return APEX_OK;
    default:
        json_rows_fault(r, span_text(r->in->schema->columns[i].name),
                        "a single value is expected");
        return json_rows_skip(r, e);
    }
}

static void ignore(struct rows_json *r, struct span key)
{
    struct ignored_names *g = &r->ignored;
    size_t kept = key.len < IGNORED_NAME_LEN ? key.len : IGNORED_NAME_LEN;
    for (size_t k = 0, i = g->next; k < g->n; k++, i++) {
        if (i >= g->n) i = 0;
        if (g->len[i] != key.len || memcmp(g->name[i], key.data, kept) != 0) continue;
        g->next = i + 1;
        return;
    }
    if (g->n == IGNORED_NAMES_MAX) return;
    g->len[g->n] = key.len;
    memcpy(g->name[g->n++], key.data, kept);
    rows_ignored(r->in, key);
}

static void unknown_key(struct rows_json *r, struct span key, bool strict)
{
    if (!strict) {
        ignore(r, key);
        return;
    }
    if (r->fault) return;
    size_t kept = key.len < sizeof r->fault_name ? key.len : sizeof r->fault_name;
    memcpy(r->fault_name, key.data, kept);
    json_rows_fault(r, span_of(r->fault_name, kept),
                    "the dataset has no such column; take the key out, or say with --map which "
                    "keys are meant");
}

apex_status json_rows_members(struct rows_json *r, bool strict)
{
    enum json_event e;
    for (;;) {
        TRY(json_rows_next(r, &e));
        if (e == JSON_OBJECT_END) return APEX_OK;
        size_t i = column_of(r, json_text(&r->json));
        bool known = i < r->in->schema->n_columns && !r->placed[i];
        if (!known) unknown_key(r, json_text(&r->json), strict);
        TRY(json_rows_next(r, &e));
        TRY(known ? json_rows_value(r, i, e) : json_rows_skip(r, e));
    }
}

void json_rows_begin(struct rows_json *r)
{
    r->row++;
    r->row_line = r->json.token_line;
    r->fault = NULL;
    for (size_t i = 0; i < r->in->schema->n_columns; i++) {
        r->given[i] = false;
        r->raw[i] = (struct raw_cell){CELL_MISSING, SPAN_TEXT("")};
    }
}

apex_status json_rows_finish(struct rows_json *r)
{
    if (!r->fault) return rows_add(r->in, r->row, r->row_line, r->raw);
    rows_complain(r->in, r->row, r->row_line, r->fault_column, SPAN_TEXT(""), r->fault);
    return APEX_OK;
}

static apex_status object_row(struct rows_json *r, enum json_event e)
{
    json_rows_begin(r);
    if (e == JSON_OBJECT)
        TRY(json_rows_members(r, !r->map.given));
    else {
        json_rows_fault(r, SPAN_TEXT(""),
                        "a row is an object such as {\"latitude\": 1, \"longitude\": 2}");
        TRY(json_rows_skip(r, e));
    }
    return json_rows_finish(r);
}

/* The original APEX form: [{"latitude": …}, …]. */
static apex_status list_read(struct rows_json *r)
{
    enum json_event e;
    for (;;) {
        TRY(json_rows_next(r, &e));
        if (e == JSON_ARRAY_END) return APEX_OK;
        TRY(object_row(r, e));
    }
}

/* One object a line. A lone object on the only line is rather a document of another form. */
static apex_status lines_read(struct rows_json *r, enum json_event e)
{
    uint64_t before = 0;
    while (e != JSON_END) {
        if (before == r->json.token_line)
            return json_rows_fail(r, "JSON lines have one row a line");
        TRY(object_row(r, e));
        before = r->json.token_line; /* where the row ended */
        TRY(json_rows_next(r, &e));
    }
    if (r->row == 1 && r->json.line == 1)
        return json_rows_fail(r, "a single object is not a list of rows; put it in [ ]");
    return APEX_OK;
}

enum form { FORM_LIST, FORM_LINES, FORM_GEOJSON };

/* A first object with a list named "features" is a GeoJSON collection, else the first of JSON
 * lines. Only the first piece of the file is looked at. */
static enum form form_of(struct json *j, struct span first)
{
    enum json_event e;
    json_init(j, false);
    json_feed(j, first, false);
    if (json_next(j, &e) != APEX_OK || e != JSON_OBJECT) return FORM_LIST;
    while (json_next(j, &e) == APEX_OK && e != JSON_MORE && j->depth > 0) {
        if (e != JSON_KEY || j->depth != 1 || !span_equal(json_text(j), SPAN_TEXT("features")))
            continue;
        if (json_next(j, &e) == APEX_OK && e == JSON_ARRAY) return FORM_GEOJSON;
    }
    return FORM_LINES;
}

static apex_status document_read(struct rows_json *r, enum form form)
{
    enum json_event e;
    TRY(json_rows_next(r, &e));
    if (form == FORM_LINES) return lines_read(r, e);
    if (form == FORM_GEOJSON)
        TRY(geojson_read(r));
    else if (e == JSON_ARRAY)
        TRY(list_read(r));
    else
        return json_rows_fail(r, "a list of rows is expected");
    return json_rows_next(r, &e); /* JSON_END, or an error at what follows */
}

static apex_status keys_find(struct rows_json *r)
{
    const struct manifest_dataset *s = r->in->schema;
    const char *why = column_map_parse(r->in->options->map, s, &r->map);
    for (size_t i = 0; i < s->n_columns; i++)
        r->key[i] = r->map.name[i].data ? r->map.name[i] : span_text(s->columns[i].name);
    for (size_t i = 0; i < s->n_columns && !why; i++)
        for (size_t k = 0; k < i; k++)
            if (span_equal(r->key[i], r->key[k])) why = "--map gives two columns one key";
    if (!why) return APEX_OK;
    return apex_fail(r->in->error, APEX_E_USAGE, why, "nothing was sent",
                     "write --map 'column=key,…' with the dataset's columns on the left",
                     "you");
}

static apex_status rows_read(struct rows_json *r, struct span first)
{
    static const char *const names[] = {"JSON list", "JSON lines", "GeoJSON"};
    enum form form = form_of(&r->json, first);
    snprintf(r->in->summary->format, sizeof r->in->summary->format, "%s", names[form]);
    TRY(keys_find(r));
    json_init(&r->json, form == FORM_LINES);
    json_feed(&r->json, first, false);
    return document_read(r, form);
}

apex_status json_rows_read(struct rows_in *in, struct span first)
{
    size_t text_len = in->schema->n_columns * CELL_TEXT_MAX;
    struct rows_json *r = calloc(1, sizeof *r);
    uint8_t *text = malloc(text_len);
    apex_status s = APEX_E_MEMORY;
    if (r && text) {
        r->in = in;
        r->text = text;
        s = rows_read(r, first);
    }
    if (text) wipe(text, text_len);
    if (r) wipe(r, sizeof *r);
    free(text);
    free(r);
    return s;
}
