#include "client/lib/error.h"
#include "client/lib/rows_in.h"
#include "common/base/try.h"
#include "common/wire/json.h"

#include <stdio.h>
#include <stdlib.h>

enum { CELL_TEXT_MAX = 4096, MAP_NAMES_MAX = 64 };
enum form { FORM_LIST, FORM_LINES, FORM_GEOJSON };

struct rows_json {
    struct rows_in *in;
    struct json json;
    enum form form;
    uint64_t row, row_line;
    const char *fault;          /* why the row in hand is bad */
    char fault_column[NAME_MAX_LEN + 1];
    uint8_t *text;              /* n_columns x CELL_TEXT_MAX: cells' texts */
    struct raw_cell raw[COLUMNS_MAX];
    bool given[COLUMNS_MAX];
};

static apex_status fail_here(struct rows_json *r, const char *what)
{
    char text[200];
    snprintf(text, sizeof text, "line %llu, column %llu: %s%s", (unsigned long long)r->json.line, (unsigned long long)r->json.column, what,
             r->row ? "" : " (before the first row)");
    return apex_fail(r->in->error, APEX_E_FORMAT, text, "nothing was sent", "correct the file and try again", "you");
}

static apex_status next(struct rows_json *r, enum json_event *e)
{
    for (;;) {
        apex_status s = json_next(&r->json, e);
        if (s == APEX_E_LIMIT) return fail_here(r, "a text is too long, or the values are too deep");
        if (s != APEX_OK) return fail_here(r, "this is not JSON");
        if (*e != JSON_MORE) return APEX_OK;
        struct span piece;
        TRY(rows_piece(r->in, &piece));
        json_feed(&r->json, piece, piece.len == 0);
    }
}

static apex_status skip(struct rows_json *r, enum json_event e)
{
    unsigned depth = 0;
    for (;;) {
        if (e == JSON_OBJECT || e == JSON_ARRAY) depth++;
        if (e == JSON_OBJECT_END || e == JSON_ARRAY_END) depth--;
        if (depth == 0 && e != JSON_KEY) return APEX_OK;
        TRY(next(r, &e));
    }
}

static void fault(struct rows_json *r, const char *column, const char *why)
{
    if (r->fault) return;
    r->fault = why;
    snprintf(r->fault_column, sizeof r->fault_column, "%.64s", column);
}

/* The dataset's column that the file calls `key`, by --map or by its own name; n_columns when there is none. */
static size_t column_of(const struct rows_json *r, struct span key)
{
    const struct manifest_dataset *s = r->in->schema;
    const char *map = r->in->options->map;
    for (size_t i = 0; i < s->n_columns; i++) {
        struct span name = span_text(s->columns[i].name);
        for (const char *at = map; at && *at;) {
            const char *end = strchr(at, ','), *equals = strchr(at, '=');
            if (!end) end = at + strlen(at);
            if (equals && equals < end && span_equal(span_of(at, (size_t)(equals - at)), span_text(s->columns[i].name)))
                name = span_of(equals + 1, (size_t)(end - equals - 1));
            at = *end ? end + 1 : end;
        }
        if (span_equal(name, key)) return i;
    }
    return s->n_columns;
}

static void cell_set(struct rows_json *r, size_t i, enum cell_kind kind, struct span text)
{
    if (r->given[i]) fault(r, r->in->schema->columns[i].name, "the key occurs twice");
    r->given[i] = true;
    if (text.len > CELL_TEXT_MAX) {
        fault(r, r->in->schema->columns[i].name, "the value is too long");
        text.len = 0;
    }
    memcpy(r->text + i * CELL_TEXT_MAX, text.data, text.len);
    r->raw[i] = (struct raw_cell){kind, span_of(r->text + i * CELL_TEXT_MAX, text.len)};
}

static apex_status value_take(struct rows_json *r, size_t i, enum json_event e)
{
    switch (e) {
    case JSON_STRING: cell_set(r, i, CELL_TEXT, json_text(&r->json)); return APEX_OK;
    case JSON_NUMBER: cell_set(r, i, CELL_NUMBER, json_text(&r->json)); return APEX_OK;
    case JSON_TRUE: cell_set(r, i, CELL_TRUE, SPAN_TEXT("true")); return APEX_OK;
    case JSON_FALSE: cell_set(r, i, CELL_FALSE, SPAN_TEXT("false")); return APEX_OK;
    case JSON_NULL: cell_set(r, i, CELL_MISSING, (struct span){(const uint8_t *)"", 0}); return APEX_OK;
    default: fault(r, r->in->schema->columns[i].name, "a single value is expected"); return skip(r, e);
    }
}

/* The members of one object; `strict`: a key that is no column makes the row bad. */
static apex_status members_read(struct rows_json *r, bool strict)
{
    enum json_event e;
    for (;;) {
        TRY(next(r, &e));
        if (e == JSON_OBJECT_END) return APEX_OK;
        char name[NAME_MAX_LEN + 1];
        size_t i = column_of(r, json_text(&r->json));
        snprintf(name, sizeof name, "%.64s", (const char *)r->json.text);
        TRY(next(r, &e));
        if (i < r->in->schema->n_columns) TRY(value_take(r, i, e));
        else {
            if (strict) fault(r, name, "the dataset has no such column; take the key out, it would not be sent");
            TRY(skip(r, e));
        }
    }
}

static void row_begin(struct rows_json *r)
{
    r->row++;
    r->row_line = r->json.token_line;
    r->fault = NULL;
    r->fault_column[0] = 0;
    for (size_t i = 0; i < r->in->schema->n_columns; i++) {
        r->given[i] = false;
        r->raw[i] = (struct raw_cell){CELL_MISSING, {(const uint8_t *)"", 0}};
    }
}

static apex_status row_finish(struct rows_json *r)
{
    if (!r->fault) return rows_add(r->in, r->row, r->row_line, r->raw);
    rows_complain(r->in, r->row, r->row_line, r->fault_column, (struct span){NULL, 0}, r->fault);
    return APEX_OK;
}

static apex_status object_row(struct rows_json *r, enum json_event e)
{
    row_begin(r);
    if (e == JSON_OBJECT) TRY(members_read(r, true));
    else {
        fault(r, "", "a row is an object such as {\"latitude\": 1, \"longitude\": 2}");
        TRY(skip(r, e));
    }
    return row_finish(r);
}

static size_t place_column(const struct rows_json *r, enum column_type type)
{
    size_t i = 0;
    while (i < r->in->schema->n_columns && r->in->schema->columns[i].type != type) i++;
    return i;
}

/* RFC 7946: longitude first. */
static apex_status coordinates_read(struct rows_json *r)
{
    static const enum column_type order[] = {COLUMN_LONGITUDE, COLUMN_LATITUDE};
    enum json_event e;
    size_t n = 0;
    TRY(next(r, &e));
    if (e != JSON_ARRAY) {
        fault(r, "", "coordinates are [longitude, latitude]");
        return skip(r, e);
    }
    for (;; n++) {
        TRY(next(r, &e));
        if (e == JSON_ARRAY_END) break;
        size_t i = n < 2 ? place_column(r, order[n]) : COLUMNS_MAX;
        if (i < r->in->schema->n_columns) TRY(value_take(r, i, e));
        else TRY(skip(r, e));
    }
    if (n < 2) fault(r, "", "coordinates are [longitude, latitude]");
    return APEX_OK;
}

static apex_status geometry_read(struct rows_json *r)
{
    enum json_event e;
    bool point = false, coordinates = false;
    TRY(next(r, &e));
    if (e != JSON_OBJECT) {
        fault(r, "", "the feature has no geometry");
        return skip(r, e);
    }
    for (;;) {
        TRY(next(r, &e));
        if (e == JSON_OBJECT_END) break;
        if (span_equal(json_text(&r->json), SPAN_TEXT("coordinates"))) {
            coordinates = true;
            TRY(coordinates_read(r));
            continue;
        }
        bool type = span_equal(json_text(&r->json), SPAN_TEXT("type"));
        TRY(next(r, &e));
        point |= type && e == JSON_STRING && span_equal(json_text(&r->json), SPAN_TEXT("Point"));
        TRY(skip(r, e));
    }
    if (!point || !coordinates) {
        r->fault = NULL;
        fault(r, "", "only points can be read; the geometry is another");
    }
    return APEX_OK;
}

static apex_status feature_row(struct rows_json *r, enum json_event e)
{
    row_begin(r);
    if (e != JSON_OBJECT) {
        fault(r, "", "a feature is an object");
        TRY(skip(r, e));
        return row_finish(r);
    }
    for (;;) {
        TRY(next(r, &e));
        if (e == JSON_OBJECT_END) return row_finish(r);
        bool geometry = span_equal(json_text(&r->json), SPAN_TEXT("geometry")), properties = span_equal(json_text(&r->json), SPAN_TEXT("properties"));
        if (geometry) {
            TRY(geometry_read(r));
            continue;
        }
        TRY(next(r, &e));
        if (properties && e == JSON_OBJECT) TRY(members_read(r, false));
        else TRY(skip(r, e));
    }
}

static apex_status list_read(struct rows_json *r, apex_status (*one)(struct rows_json *, enum json_event))
{
    enum json_event e;
    for (;;) {
        TRY(next(r, &e));
        if (e == JSON_ARRAY_END) return APEX_OK;
        TRY(one(r, e));
    }
}

static apex_status collection_read(struct rows_json *r)
{
    enum json_event e;
    bool any = false;
    for (;;) {
        TRY(next(r, &e));
        if (e == JSON_OBJECT_END) break;
        bool features = span_equal(json_text(&r->json), SPAN_TEXT("features"));
        TRY(next(r, &e));
        if (features && e == JSON_ARRAY) TRY(list_read(r, feature_row));
        else TRY(skip(r, e));
        any |= features;
    }
    return any ? APEX_OK : fail_here(r, "a list of rows, JSON lines, or a GeoJSON FeatureCollection is expected");
}

static bool says(struct span first, const char *word)
{
    size_t n = first.len < 4096 ? first.len : 4096;
    return memmem(first.data, n, word, strlen(word)) != NULL;
}

/* An object first: a FeatureCollection, or JSON lines when a second object follows on a line of its own. */
static enum form form_of(struct span first)
{
    size_t at = 0;
    while (at < first.len && (first.data[at] == ' ' || first.data[at] == '\n' || first.data[at] == '\r' || first.data[at] == '\t')) at++;
    if (at == first.len || first.data[at] != '{') return FORM_LIST;
    return says(first, "FeatureCollection") ? FORM_GEOJSON : FORM_LINES;
}

static apex_status document_read(struct rows_json *r)
{
    enum json_event e;
    TRY(next(r, &e));
    if (r->form == FORM_LINES) {
        uint64_t before = 0;
        while (e != JSON_END) {
            if (before == r->json.token_line) return fail_here(r, "JSON lines have one row a line");
            TRY(object_row(r, e));
            before = r->json.token_line; /* where the row ended */
            TRY(next(r, &e));
        }
        if (r->row == 1 && r->json.line == 1) return fail_here(r, "a single object is not a list of rows; put it in [ ]");
        return APEX_OK;
    }
    if (r->form == FORM_GEOJSON) TRY(collection_read(r));
    else if (e != JSON_ARRAY) return fail_here(r, "a list of rows is expected");
    else TRY(list_read(r, object_row));
    return next(r, &e); /* JSON_END, or an error at what follows */
}

apex_status json_rows_read(struct rows_in *in, struct span first)
{
    static const char *const names[] = {"JSON list", "JSON lines", "GeoJSON"};
    struct rows_json *r = calloc(1, sizeof *r);
    uint8_t *text = malloc(in->schema->n_columns * CELL_TEXT_MAX);
    apex_status s = APEX_E_MEMORY;
    if (r && text) {
        r->in = in;
        r->text = text;
        r->form = form_of(first);
        snprintf(in->summary->format, sizeof in->summary->format, "%s", names[r->form]);
        json_init(&r->json, r->form == FORM_LINES);
        json_feed(&r->json, first, false);
        s = document_read(r);
    }
    free(text);
    free(r);
    return s;
}
