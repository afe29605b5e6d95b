#include "client/cli/cli.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Of a bare answer, or of a result file, whose provenance is in the receipt. */
static json_t *rows_of(json_t *answer)
{
    json_t *inner = json_object_get(answer, "result");
    if (json_is_object(inner)) answer = inner;
    static const char *const names[] = {"sites", "classes", "predictions"};
    for (size_t i = 0; i < 3; i++) {
        json_t *rows = json_object_get(answer, names[i]);
        if (json_is_array(rows)) return rows;
    }
    return NULL;
}

static void csv_value(const json_t *v, FILE *out)
{
    if (json_is_integer(v))
        fprintf(out, "%lld", (long long)json_integer_value(v));
    else if (json_is_real(v))
        fprintf(out, "%.15g", json_real_value(v));
    else if (json_is_boolean(v))
        fprintf(out, "%s", json_is_true(v) ? "true" : "false");
    else if (json_is_string(v)) {
        const char *t = json_string_value(v);
        /* A cell that a spreadsheet would take for a formula is told not to be one. */
        bool quote = strpbrk(t, ",\"\r\n") != NULL, formula = t[0] && strchr("=+-@", t[0]);
        if (quote || formula) fputc('"', out);
        if (formula) fputc('\'', out);
        for (; *t; t++) {
            if (*t == '"') fputc('"', out);
            fputc(*t, out);
        }
        if (quote || formula) fputc('"', out);
    }
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

bool export_csv(const char *result, FILE *out)
{
    const char *names[64];
    json_t *answer = json_loads(result, JSON_REJECT_DUPLICATES, NULL), *rows = rows_of(answer);
    size_t n = rows ? columns_of(rows, names, 64) : 0;
    for (size_t k = 0; k < n; k++)
        fprintf(out, "%s%s", k ? "," : "", names[k]);
    if (n) fputc('\n', out);
    for (size_t i = 0; n && i < json_array_size(rows); i++) {
        for (size_t k = 0; k < n; k++) {
            if (k) fputc(',', out);
            csv_value(json_object_get(json_array_get(rows, i), names[k]), out);
        }
        fputc('\n', out);
    }
    json_decref(answer);
    return n > 0 && !ferror(out);
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
    json_t *answer = json_loads(result, JSON_REJECT_DUPLICATES, NULL), *sites = rows_of(answer);
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
    FILE *f = fopen(cli->output, "wb");
    bool fine = f && (csv ? export_csv : export_geojson)(result, f);
    if (f) fine = fclose(f) == 0 && fine;
    free(result);
    if (fine) return EXIT_OK;
    return cli_usage(cli,
                     f ? "this answer has nothing of that form to export"
                       : "the output file cannot be written",
                     "see `apex verify` for what the file holds");
}
