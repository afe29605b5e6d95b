#include "client/cli/cli.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Of a bare answer, or of a result file, whose provenance is in the receipt. */
static json_t *answer_of(json_t *file)
{
    json_t *inner = json_object_get(file, "result");
    return json_is_object(inner) ? inner : file;
}

/* The list that an answer is about: the first of these that is one of objects. */
static json_t *rows_of(json_t *answer)
{
    static const char *const names[] = {
        "sites", "predictions", "scores",  "clusters", "classes",
        "bins",  "categories",  "columns", "alone",    "k"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        json_t *rows = json_object_get(answer, names[i]);
        if (json_is_object(json_array_get(rows, 0))) return rows;
    }
    return NULL;
}

/* A cell that a spreadsheet would take for a formula is told not to be one. */
static void csv_text(const char *t, FILE *out)
{
    bool quote = strpbrk(t, ",\"\r\n") != NULL, formula = t[0] && strchr("=+-@\t\r", t[0]);
    if (quote || formula) fputc('"', out);
    if (formula) fputc('\'', out);
    for (; *t; t++) {
        if (*t == '"') fputc('"', out);
        fputc(*t, out);
    }
    if (quote || formula) fputc('"', out);
}

static void csv_value(const json_t *v, FILE *out)
{
    if (json_is_integer(v))
        fprintf(out, "%lld", (long long)json_integer_value(v));
    else if (json_is_real(v))
        fprintf(out, "%.15g", json_real_value(v));
    else if (json_is_boolean(v))
        fprintf(out, "%s", json_is_true(v) ? "true" : "false");
    else if (json_is_string(v))
        csv_text(json_string_value(v), out);
}

/* The columns are all keys that occur, in the order in which they first do. */
static size_t columns_of(const json_t *rows, const char **names, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const char *key;
        json_t *value;
        json_object_foreach(json_array_get(rows, i), key, value)
        {
            size_t k = 0;
            while (k < n && strcmp(names[k], key) != 0)
                k++;
            if (k == n && n < max) names[n++] = key;
        }
    }
    return n;
}

static void rows_csv(const json_t *rows, FILE *out)
{
    const char *names[64];
    size_t n = columns_of(rows, names, 64);
    for (size_t k = 0; k < n; k++) {
        if (k) fputc(',', out);
        csv_text(names[k], out);
    }
    fputc('\n', out);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        for (size_t k = 0; k < n; k++) {
            if (k) fputc(',', out);
            csv_value(json_object_get(json_array_get(rows, i), names[k]), out);
        }
        fputc('\n', out);
    }
}

/* A name, or where a row or column of totals has none, that. */
static void name_csv(const json_t *names, size_t at, FILE *out)
{
    if (at < json_array_size(names))
        csv_value(json_array_get(names, at), out);
    else
        fputs("total", out);
}

/* Rows of numbers with a name before each, and a first line of names. */
static void matrix_csv(const json_t *matrix, const json_t *down, const json_t *across,
                       FILE *out)
{
    size_t wide = json_array_size(json_array_get(matrix, 0));
    for (size_t k = 0; k < wide; k++) {
        fputc(',', out);
        name_csv(across, k, out);
    }
    fputc('\n', out);
    for (size_t i = 0; i < json_array_size(matrix); i++) {
        name_csv(down, i, out);
        for (size_t k = 0; k < wide; k++) {
            fputc(',', out);
            csv_value(json_array_get(json_array_get(matrix, i), k), out);
        }
        fputc('\n', out);
    }
}

bool export_csv(const char *result, FILE *out)
{
    json_t *file = json_loads(result, JSON_REJECT_DUPLICATES, NULL), *answer = answer_of(file),
           *rows = rows_of(answer), *r = json_object_get(answer, "correlations"),
           *table = json_object_get(answer, "table"),
           *names = json_object_get(answer, "columns");
    if (json_is_array(r))
        matrix_csv(r, names, names, out);
    else if (json_is_array(table))
        matrix_csv(table, json_object_get(answer, "down"), json_object_get(answer, "across"),
                   out);
    else if (rows)
        rows_csv(rows, out);
    bool any = json_is_array(r) || json_is_array(table) || rows;
    json_decref(file);
    return any && !ferror(out);
}

static json_t *feature_of(json_t *site)
{
    json_t *lat = json_object_get(site, "latitude"), *lon = json_object_get(site, "longitude");
    if (!json_is_number(lat) || !json_is_number(lon)) return NULL;
    json_t *feature = json_object(), *geometry = json_object(), *at = json_array(),
           *properties = json_copy(site);
    json_array_append(at, lon); /* RFC 7946: longitude first */
    json_array_append(at, lat);
    json_object_set_new(geometry, "type", json_string("Point"));
    json_object_set_new(geometry, "coordinates", at);
    json_object_del(properties, "latitude");
    json_object_del(properties, "longitude");
    json_object_set_new(feature, "type", json_string("Feature"));
    json_object_set_new(feature, "geometry", geometry);
    json_object_set_new(feature, "properties", properties);
    return feature;
}

/* A member of our own (RFC 7946, section 6.1): which contract and run this came from. */
static void provenance_set(json_t *collection, json_t *receipt)
{
    static const char *const keys[] = {"address", "function", "run", "simulated"};
    json_t *p = json_object();
    for (size_t i = 0; i < 4 && receipt; i++)
        json_object_set(p, keys[i], json_object_get(receipt, keys[i]));
    if (receipt) json_object_set(collection, "apex", p);
    json_decref(p);
}

bool export_geojson(const char *result, FILE *out)
{
    json_t *answer = json_loads(result, JSON_REJECT_DUPLICATES, NULL),
           *sites = rows_of(answer_of(answer));
    json_t *collection = json_object(), *features = json_array();
    for (size_t i = 0; i < json_array_size(sites); i++) {
        json_t *f = feature_of(json_array_get(sites, i));
        if (f) json_array_append_new(features, f);
    }
    json_object_set_new(collection, "type", json_string("FeatureCollection"));
    json_object_set(collection, "features", features);
    provenance_set(collection, json_object_get(answer, "receipt"));
    bool fine = json_array_size(features) > 0 &&
                json_dumpf(collection, out, JSON_INDENT(1) | JSON_REAL_PRECISION(15)) == 0;
    json_decref(features);
    json_decref(collection);
    json_decref(answer);
    return fine;
}

int cmd_export(struct cli *cli)
{
    size_t len, n = cli->output ? strlen(cli->output) : 0;
    bool csv = n > 4 && strcmp(cli->output + n - 4, ".csv") == 0,
         geojson = n > 8 && strcmp(cli->output + n - 8, ".geojson") == 0;
    if (!csv && !geojson)
        return cli_usage(cli, "the form is not named",
                         "usage: apex export FILE.json -o FILE.csv|.geojson");
    char *result = cli_load(cli, cli->word[0], &len);
    if (!result) return EXIT_DATA;
    enum saved saved = cli_write(cli->output, result, csv ? export_csv : export_geojson);
    int why = errno;
    free(result);
    errno = why;
    if (saved == SAVED) return EXIT_OK;
    return saved == SAVED_NOT ? cli_file_failed(cli, cli->output, "cannot be written",
                                                "what was there is as it was")
                              : cli_usage(cli, "this answer has nothing of that form to export",
                                          "see `apex verify` for what the file holds");
}
