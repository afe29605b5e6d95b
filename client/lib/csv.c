#include "client/lib/error.h"
#include "client/lib/rows_in.h"
#include "common/base/try.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* RFC 4180 and what people make of it. States of a field: */
enum { FIELD_START, FIELD_PLAIN, FIELD_QUOTED, FIELD_QUOTE_SEEN };
enum { ROW_BYTES_MAX = 1 << 20 };

struct csv {
    struct rows_in *in;
    uint8_t delimiter;
    unsigned state;
    bool after_cr;
    uint64_t line, row_line, row;  /* row: data rows, from 1 */
    uint8_t *text;                 /* ROW_BYTES_MAX: the row's fields, unquoted, one after another */
    size_t len;
    size_t n_fields, end[FIELDS_PER_ROW_MAX];
    bool quoted[FIELDS_PER_ROW_MAX];
    bool has_header_read;
    size_t n_expected;             /* fields of the header (or of the first row) */
    size_t source[COLUMNS_MAX];    /* column of the schema -> field */
    struct raw_cell raw[COLUMNS_MAX];
};

static struct span field_at(const struct csv *c, size_t i)
{
    size_t start = i ? c->end[i - 1] : 0;
    return span_of(c->text + start, c->end[i] - start);
}

static struct span trimmed(struct span t)
{
    while (t.len && (t.data[0] == ' ' || t.data[0] == '\t')) t = span_of(t.data + 1, t.len - 1);
    while (t.len && (t.data[t.len - 1] == ' ' || t.data[t.len - 1] == '\t')) t.len--;
    return t;
}

/* The delimiter that occurs most outside quotes in the first line. */
static uint8_t delimiter_of(struct span first)
{
    static const uint8_t candidates[] = {',', ';', '\t', '|'};
    size_t count[4] = {0}, best = 0;
    bool quoted = false;
    for (size_t i = 0; i < first.len && (quoted || (first.data[i] != '\n' && first.data[i] != '\r')); i++) {
        if (first.data[i] == '"') quoted = !quoted;
        for (size_t k = 0; k < 4 && !quoted; k++) count[k] += first.data[i] == candidates[k];
    }
    for (size_t k = 1; k < 4; k++)
        if (count[k] > count[best]) best = k;
    return candidates[best];
}

static bool same_name(struct span field, const char *name)
{
    return field.len == strlen(name) && strncasecmp((const char *)field.data, name, field.len) == 0;
}

static bool exact_name(struct span field, const char *name)
{
    return span_equal(field, span_text(name));
}

/* Common other names, for the guess that is offered. */
static bool alias_name(struct span f, const struct manifest_column *c)
{
    static const char *const lat[] = {"lat", "y", "breite", "latitud", "lat_dd"}, *const lon[] = {"lng", "lon", "long", "x", "longitud", "laenge"},
                      *const label[] = {"class", "label", "category", "country", "target"};
    const char *const *names = c->type == COLUMN_LATITUDE ? lat : c->type == COLUMN_LONGITUDE ? lon : label;
    size_t n = c->type == COLUMN_LATITUDE ? 5 : c->type == COLUMN_LONGITUDE ? 6 : c->type == COLUMN_CATEGORY ? 5 : 0;
    for (size_t i = 0; i < n; i++)
        if (same_name(f, names[i])) return true;
    return same_name(f, c->name);
}

/* A field of the first row that is a number where the column holds numbers: the row is data, not a header. */
static bool row_looks_like_data(const struct csv *c)
{
    for (size_t i = 0; i < c->n_fields; i++) {
        int64_t ignored;
        if (decimal_scaled(trimmed(field_at(c, i)), 3, &ignored)) return true;
    }
    return false;
}

static bool guess_one(const struct csv *c, const struct manifest_column *column, uint64_t *used, size_t *field)
{
    for (size_t f = 0; f < c->n_fields && f < 64; f++) {
        if (*used >> f & 1 || !alias_name(trimmed(field_at(c, f)), column)) continue;
        *used |= UINT64_C(1) << f;
        *field = f;
        return true;
    }
    return false;
}

static apex_status mapping_offer(struct csv *c, bool headerless, const char *why)
{
    const struct manifest_dataset *s = c->in->schema;
    char map[200] = "", what[220];
    size_t len = 0;
    uint64_t used = 0;
    for (size_t i = 0; i < s->n_columns && len < sizeof map - 80; i++) {
        size_t field = i;
        struct span name = {NULL, 0};
        bool guessed = !headerless && guess_one(c, &s->columns[i], &used, &field);
        if (guessed) name = trimmed(field_at(c, field));
        bool by_name = guessed && strcmp(why, "two columns of the file have the same name") != 0;
        len += (size_t)snprintf(map + len, sizeof map - len, "%s%.40s=", i ? "," : "", s->columns[i].name);
        if (by_name) len += (size_t)snprintf(map + len, sizeof map - len, "%.*s", (int)(name.len < 30 ? name.len : 30), (const char *)name.data);
        else len += (size_t)snprintf(map + len, sizeof map - len, "%zu", (guessed ? field : i) + 1);
    }
    snprintf(what, sizeof what, "line 1: %s", why);
    apex_status st = apex_fail(c->in->error, APEX_E_USAGE, what, "nothing was sent", "", "you");
    snprintf(c->in->error->next, sizeof c->in->error->next, "say which column is which, for example --map '%.200s'", map);
    return st;
}

static bool position_of(struct span text, size_t n_fields, size_t *field)
{
    size_t v = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || v > 100000) return false;
        v = v * 10 + (size_t)(text.data[i] - '0');
    }
    if (text.len == 0 || v < 1 || v > n_fields) return false;
    *field = v - 1;
    return true;
}

static apex_status field_named(struct csv *c, struct span name, size_t *field, const char **why)
{
    size_t found = 0;
    for (size_t f = 0; f < c->n_fields; f++) {
        if (!span_equal(trimmed(field_at(c, f)), name)) continue;
        *field = f;
        found++;
    }
    if (found == 0 && position_of(name, c->n_fields, field)) return APEX_OK;
    *why = found > 1 ? "two columns of the file have the same name" : "a column named in --map is not in the file";
    return found == 1 ? APEX_OK : APEX_E_USAGE;
}

/* "column=name,column=name": every column of the dataset once. */
static apex_status map_by_option(struct csv *c, const char *map, const char **why)
{
    bool seen[COLUMNS_MAX] = {false};
    const struct manifest_dataset *s = c->in->schema;
    size_t n = 0;
    while (*map) {
        const char *end = strchr(map, ','), *equals = strchr(map, '=');
        if (!end) end = map + strlen(map);
        *why = "--map is not of the form column=name,column=name";
        if (!equals || equals > end) return APEX_E_USAGE;
        size_t i = 0;
        while (i < s->n_columns && !exact_name(span_of(map, (size_t)(equals - map)), s->columns[i].name)) i++;
        *why = "--map names a column that the dataset has not, or names one twice";
        if (i == s->n_columns || seen[i]) return APEX_E_USAGE;
        seen[i] = true;
        n++;
        TRY(field_named(c, trimmed(span_of(equals + 1, (size_t)(end - equals - 1))), &c->source[i], why));
        map = *end ? end + 1 : end;
    }
    *why = "--map leaves out a column of the dataset";
    return n == s->n_columns ? APEX_OK : APEX_E_USAGE;
}

static bool header_has_twins(const struct csv *c)
{
    for (size_t i = 0; i < c->n_fields; i++)
        for (size_t k = i + 1; k < c->n_fields; k++)
            if (span_equal(trimmed(field_at(c, i)), trimmed(field_at(c, k)))) return true;
    return false;
}

/* Names must be those of the dataset, no more and no fewer, in any order: what is not asked for needs the owner's word. */
static apex_status map_by_names(struct csv *c, const char **why)
{
    const struct manifest_dataset *s = c->in->schema;
    *why = "two columns of the file have the same name";
    if (header_has_twins(c)) return APEX_E_USAGE;
    for (size_t i = 0; i < s->n_columns; i++) {
        size_t f = 0;
        while (f < c->n_fields && !exact_name(trimmed(field_at(c, f)), s->columns[i].name)) f++;
        *why = "the file's columns are not named as the dataset's";
        if (f == c->n_fields) return APEX_E_USAGE;
        c->source[i] = f;
    }
    *why = "the file has columns that the dataset has not; they would be left out and never sent";
    return c->n_fields == s->n_columns ? APEX_OK : APEX_E_USAGE;
}

static void note_ignored(struct csv *c)
{
    struct reader_summary *s = c->in->summary;
    size_t len = 0;
    for (size_t f = 0; f < c->n_fields; f++) {
        bool used = false;
        for (size_t i = 0; i < c->in->schema->n_columns; i++) used |= c->source[i] == f;
        if (used) continue;
        struct span name = trimmed(field_at(c, f));
        s->ignored_columns++;
        if (len + name.len + 3 < sizeof s->ignored) len += (size_t)snprintf(s->ignored + len, sizeof s->ignored - len, "%s%.*s", len ? ", " : "", (int)name.len, (const char *)name.data);
    }
}

static apex_status data_row(struct csv *c)
{
    struct rows_in *in = c->in;
    c->row++;
    if (c->n_fields != c->n_expected) {
        rows_complain(in, c->row, c->row_line, "", span_of(c->text, c->len),
                      c->n_fields < c->n_expected ? "the row has fewer fields than the header" : "the row has more fields than the header");
        return APEX_OK;
    }
    for (size_t i = 0; i < in->schema->n_columns; i++) {
        struct span text = field_at(c, c->source[i]);
        if (!c->quoted[c->source[i]]) text = trimmed(text);
        c->raw[i] = (struct raw_cell){text.len ? CELL_TEXT : CELL_MISSING, text};
    }
    return rows_add(in, c->row, c->row_line, c->raw);
}

static apex_status first_row(struct csv *c)
{
    const char *why = NULL;
    bool headerless = row_looks_like_data(c);
    c->n_expected = c->n_fields;
    if (headerless && !c->in->options->map) return mapping_offer(c, true, "the file seems to have no header");
    apex_status s = c->in->options->map ? map_by_option(c, c->in->options->map, &why) : map_by_names(c, &why);
    if (s != APEX_OK) return mapping_offer(c, headerless, why);
    if (!headerless) note_ignored(c);
    return headerless ? data_row(c) : APEX_OK;
}

static apex_status row_end(struct csv *c)
{
    apex_status s = APEX_OK;
    bool blank = c->n_fields == 1 && c->end[0] == 0 && !c->quoted[0];
    if (!blank) {
        s = c->has_header_read ? data_row(c) : first_row(c);
        c->has_header_read = true;
    }
    c->len = c->n_fields = 0;
    c->state = FIELD_START;
    return s;
}

static apex_status field_end(struct csv *c)
{
    if (c->n_fields == FIELDS_PER_ROW_MAX)
        return apex_fail_at(c->in->error, APEX_E_FORMAT, c->line, "a row has more than 1024 fields", "nothing was sent");
    c->end[c->n_fields++] = c->len;
    c->state = FIELD_START;
    return APEX_OK;
}

static apex_status byte_put(struct csv *c, uint8_t b)
{
    if (c->len == ROW_BYTES_MAX)
        return apex_fail_at(c->in->error, APEX_E_FORMAT, c->row_line, "a row is longer than 1 MiB; is a quote left open?", "nothing was sent");
    c->text[c->len++] = b;
    return APEX_OK;
}

static apex_status byte_take(struct csv *c, uint8_t b)
{
    if (c->state == FIELD_START && c->n_fields < FIELDS_PER_ROW_MAX) c->quoted[c->n_fields] = false;
    if (c->state == FIELD_START && c->n_fields == 0) c->row_line = c->line;
    switch (c->state) {
    case FIELD_QUOTED:
        if (b == '"') c->state = FIELD_QUOTE_SEEN;
        else return byte_put(c, b);
        return APEX_OK;
    case FIELD_QUOTE_SEEN:
        if (b == '"') {
            c->state = FIELD_QUOTED;
            return byte_put(c, b);
        }
        break;
    case FIELD_START:
        if (b == '"') {
            c->quoted[c->n_fields < FIELDS_PER_ROW_MAX ? c->n_fields : 0] = true;
            c->state = FIELD_QUOTED;
            return APEX_OK;
        }
        break;
    default: break;
    }
    if (b == c->delimiter) return field_end(c);
    if (b == '\n' || b == '\r') {
        TRY(field_end(c));
        return row_end(c);
    }
    if (c->state == FIELD_QUOTE_SEEN)
        return apex_fail_at(c->in->error, APEX_E_FORMAT, c->line, "text follows a closing quote", "nothing was sent");
    c->state = FIELD_PLAIN;
    return byte_put(c, b);
}

/* Plain stretches are copied at once; all else goes byte by byte. */
static apex_status piece_take(struct csv *c, struct span piece)
{
    for (size_t i = 0; i < piece.len;) {
        uint8_t b = piece.data[i];
        if (c->after_cr && b == '\n' && c->state == FIELD_START && c->n_fields == 0) {
            c->after_cr = false; /* the second half of CRLF */
            i++;
            continue;
        }
        c->after_cr = b == '\r' && c->state != FIELD_QUOTED;
        TRY(byte_take(c, b));
        if (b == '\n' || c->after_cr) c->line++;
        i++;
        size_t n = i;
        while (c->state == FIELD_PLAIN && n < piece.len && piece.data[n] != c->delimiter && piece.data[n] != '\n' && piece.data[n] != '\r') n++;
        if (n == i) continue;
        if (n - i > ROW_BYTES_MAX - c->len) return apex_fail_at(c->in->error, APEX_E_FORMAT, c->row_line, "a row is longer than 1 MiB", "nothing was sent");
        memcpy(c->text + c->len, piece.data + i, n - i);
        c->len += n - i;
        i = n;
    }
    return APEX_OK;
}

static apex_status csv_run(struct csv *c, struct span piece)
{
    c->delimiter = delimiter_of(piece);
    while (piece.len > 0) {
        TRY(piece_take(c, piece));
        TRY(rows_piece(c->in, &piece));
    }
    if (c->state == FIELD_QUOTED) return apex_fail_at(c->in->error, APEX_E_FORMAT, c->row_line, "a quote is opened and never closed", "nothing was sent");
    if (c->len == 0 && c->n_fields == 0 && c->state == FIELD_START) return APEX_OK;
    TRY(field_end(c));
    return row_end(c);
}

apex_status csv_read(struct rows_in *in, struct span first)
{
    struct csv *c = calloc(1, sizeof *c);
    uint8_t *text = malloc(ROW_BYTES_MAX);
    apex_status s = APEX_E_MEMORY;
    snprintf(in->summary->format, sizeof in->summary->format, "CSV");
    if (c && text) {
        c->in = in;
        c->line = 1;
        c->text = text;
        s = csv_run(c, first);
    }
    free(text);
    free(c);
    return s;
}
