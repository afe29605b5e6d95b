#include "client/lib/csv.h"
#include "client/lib/error.h"
#include "client/lib/show.h"

#include <stdio.h>
#include <strings.h>

enum {
    LINES_LOOKED_AT = 32,
    OFFER_MAX = MAP_OFFER_MAX,
    N_DELIMITERS = 4,
    SHOWN_MAX = 41,
    NO_FIELD = FIELDS_PER_ROW_MAX
};
static const uint8_t delimiters[N_DELIMITERS] = {',', ';', '\t', '|'};

/* Delimiters outside quotes in the line at *at, which moves to the next one. False: the line
 * does not end here. */
static bool line_count(struct span text, size_t *at, size_t count[static N_DELIMITERS])
{
    bool quoted = false;
    memset(count, 0, N_DELIMITERS * sizeof *count);
    for (size_t i = *at; i < text.len; i++) {
        uint8_t b = text.data[i];
        if (!quoted && (b == '\n' || b == '\r')) {
            *at = i + 1;
            return true;
        }
        if (b == '"') quoted = !quoted;
        for (size_t k = 0; k < N_DELIMITERS && !quoted; k++)
            count[k] += b == delimiters[k];
    }
    return false;
}

/* Every line has as many of the true delimiter as the first. Commas beside semicolons or tabs
 * may be decimals': then each field has at most one. */
uint8_t csv_delimiter(struct span first)
{
    static const size_t decimals[N_DELIMITERS] = {[1] = 2, [2] = 2};
    size_t at = 0, head[N_DELIMITERS], count[N_DELIMITERS], best = 0;
    bool agreed[N_DELIMITERS], more = line_count(first, &at, head);
    for (size_t k = 0; k < N_DELIMITERS; k++)
        agreed[k] = head[k] > 0;
    for (size_t n = 0; more && n < LINES_LOOKED_AT && line_count(first, &at, count); n++)
        for (size_t k = 0; k < N_DELIMITERS && (count[0] | count[1] | count[2] | count[3]); k++)
            agreed[k] = agreed[k] && count[k] == head[k];
    for (size_t k = 1; k < N_DELIMITERS; k++) {
        size_t more_than = agreed[k] && best == 0 ? decimals[k] : 0;
        if (agreed[k] == agreed[best] ? head[k] + more_than > head[best] : agreed[k]) best = k;
    }
    return delimiters[best];
}

struct span csv_trim(struct span t)
{
    while (t.len && (t.data[0] == ' ' || t.data[0] == '\t'))
        t = span_of(t.data + 1, t.len - 1);
    while (t.len && (t.data[t.len - 1] == ' ' || t.data[t.len - 1] == '\t'))
        t.len--;
    return t;
}

struct span csv_cell(const struct csv *c, size_t i)
{
    return c->quoted[i] ? csv_field(c, i) : csv_trim(csv_field(c, i));
}

static bool same_name(struct span field, const char *name)
{
    return field.len == strlen(name) &&
           strncasecmp((const char *)field.data, name, field.len) == 0;
}

/* Common other names, for the guess that is offered. */
static bool alias_name(struct span f, const struct manifest_column *c)
{
    static const char *const lat[] = {"lat", "y", "breite", "latitud", "lat_dd", NULL};
    static const char *const lon[] = {"lng", "lon", "long", "x", "longitud", "laenge", NULL};
    static const char *const label[] = {"class",   "label",  "category",
                                        "country", "target", NULL};
    static const char *const none[] = {NULL};
    const char *const *name = none;
    if (c->type == COLUMN_LATITUDE) name = lat;
    if (c->type == COLUMN_LONGITUDE) name = lon;
    if (c->type == COLUMN_CATEGORY) name = label;
    for (; *name; name++)
        if (same_name(f, *name)) return true;
    return same_name(f, c->name);
}

/* The field for a column: by its name, or any; one that no other column has taken. */
static size_t guess(const struct csv *c, const struct manifest_column *column, const bool *used)
{
    size_t f = 0;
    while (f < c->n_fields && (used[f] || (column && !alias_name(csv_cell(c, f), column))))
        f++;
    return f < c->n_fields ? f : NO_FIELD;
}

/* Names first, so that no position takes a field that has the right name. */
static void guess_all(const struct csv *c, bool is_data, size_t source[static COLUMNS_MAX])
{
    bool used[FIELDS_PER_ROW_MAX + 1] = {false};
    size_t n = c->in->schema->n_columns;
    for (size_t i = 0; i < n; i++) {
        source[i] = is_data ? NO_FIELD : guess(c, &c->in->schema->columns[i], used);
        used[source[i]] = true;
    }
    for (size_t i = 0; i < n; i++) {
        if (source[i] == NO_FIELD) source[i] = guess(c, NULL, used);
        if (source[i] == NO_FIELD) source[i] = i;
        used[source[i]] = true;
    }
}

/* A name that --map can say and that no other field has; else the position. */
static void offer_source(const struct csv *c, size_t field, char out[static SHOWN_MAX])
{
    struct span name = field < c->n_fields ? csv_cell(c, field) : (struct span){NULL, 0};
    text_show(name, out, SHOWN_MAX);
    bool sayable = name.len > 0 && span_equal(name, span_text(out)) && !strpbrk(out, ",'") &&
                   !cell_looks_like_value(name);
    for (size_t f = 0; sayable && f < c->n_fields; f++)
        sayable = f == field || !span_equal(name, csv_cell(c, f));
    if (!sayable) snprintf(out, SHOWN_MAX, "%zu", field + 1);
}

static apex_status mapping_offer(const struct csv *c, bool is_data, const char *why)
{
    const struct manifest_dataset *s = c->in->schema;
    char map[OFFER_MAX] = "", what[200], name[SHOWN_MAX];
    struct apex_error *e = c->in->error;
    size_t len = 0, source[COLUMNS_MAX];
    guess_all(c, is_data, source);
    for (size_t i = 0; i < s->n_columns && len < sizeof map; i++) {
        if (is_data)
            snprintf(name, sizeof name, "%zu", source[i] + 1);
        else
            offer_source(c, source[i], name);
        len += (size_t)snprintf(map + len, sizeof map - len, "%s%s=%s", i ? "," : "",
                                s->columns[i].name, name);
    }
    if (len >= sizeof map) snprintf(map, sizeof map, "%.64s=1,…", s->columns[0].name);
    snprintf(c->in->summary->offer, sizeof c->in->summary->offer, "%s", map);
    snprintf(what, sizeof what, "line %llu: %s", (unsigned long long)c->row_line, why);
    apex_status st = apex_fail(e, APEX_E_USAGE, what, "nothing was sent", "", "you");
    snprintf(e->next, sizeof e->next, "say which column is which, for example --map '%.*s'",
             OFFER_MAX, map);
    return st;
}

static bool position_of(struct span text, size_t n_fields, size_t *field)
{
    size_t v = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || v > FIELDS_PER_ROW_MAX) return false;
        v = v * 10 + (size_t)(text.data[i] - '0');
    }
    if (v < 1 || v > n_fields) return false;
    *field = v - 1;
    return true;
}

/* NULL, or why there is no such field. */
static const char *field_named(const struct csv *c, struct span name, size_t *field)
{
    size_t found = 0;
    for (size_t f = 0; f < c->n_fields; f++) {
        if (!span_equal(csv_cell(c, f), name)) continue;
        *field = f;
        found++;
    }
    if (found == 1) return NULL;
    return found ? "two columns of the file have the same name; give their positions"
                 : "a column named in --map is not in the file";
}

static const char *sources_mapped(struct csv *c, bool *all_positions)
{
    *all_positions = true;
    for (size_t i = 0; i < c->in->schema->n_columns; i++) {
        struct span name = c->map.name[i];
        if (!name.data) return "--map leaves out a column of the dataset";
        if (position_of(name, c->n_fields, &c->source[i])) continue;
        const char *why = field_named(c, name, &c->source[i]);
        if (why) return why;
        *all_positions = false;
    }
    return NULL;
}

static bool header_has_twins(const struct csv *c)
{
    for (size_t i = 0; i < c->n_fields; i++)
        for (size_t k = i + 1; k < c->n_fields; k++)
            if (span_equal(csv_cell(c, i), csv_cell(c, k))) return true;
    return false;
}

/* What is not asked for needs the owner's word, so there is one field for each column, no more.
 */
static const char *sources_named(struct csv *c)
{
    const struct manifest_dataset *s = c->in->schema;
    size_t found = 0;
    for (size_t i = 0; i < s->n_columns; i++)
        found += field_named(c, span_text(s->columns[i].name), &c->source[i]) == NULL;
    if (found == s->n_columns && c->n_fields == found) return NULL;
    if (header_has_twins(c)) return "two columns of the file have the same name";
    return found == s->n_columns ? "the file has columns that the dataset has not; they would "
                                   "be left out and never sent"
                                 : "the file's columns are not named as the dataset's";
}

static bool any_field_is_value(const struct csv *c)
{
    for (size_t f = 0; f < c->n_fields; f++)
        if (cell_looks_like_value(csv_cell(c, f))) return true;
    return false;
}

/* A category's name and its values look the same, so these columns do not tell. */
static bool picked_fields_are_values(const struct csv *c)
{
    const struct manifest_dataset *s = c->in->schema;
    for (size_t i = 0; i < s->n_columns; i++)
        if (s->columns[i].type != COLUMN_CATEGORY &&
            cell_looks_like_value(csv_cell(c, c->source[i])))
            return true;
    return false;
}

static void note_ignored(struct csv *c)
{
    bool used[FIELDS_PER_ROW_MAX] = {false};
    for (size_t i = 0; i < c->in->schema->n_columns; i++)
        used[c->source[i]] = true;
    for (size_t f = 0; f < c->n_fields; f++)
        if (!used[f]) rows_ignored(c->in, csv_cell(c, f));
}

apex_status csv_first_row(struct csv *c, bool *is_data)
{
    bool all_positions = false;
    *is_data = false;
    c->n_expected = c->n_fields;
    const char *why = c->map.given ? sources_mapped(c, &all_positions) : sources_named(c);
    if (why) {
        bool data = any_field_is_value(c);
        return mapping_offer(c, data,
                             data && !c->map.given ? "the file seems to have no header" : why);
    }
    *is_data = all_positions && picked_fields_are_values(c);
    if (!*is_data) note_ignored(c);
    return APEX_OK;
}
