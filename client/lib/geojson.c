/* GeoJSON points (RFC 7946): a FeatureCollection, one row a feature. Latitude and longitude
 * come from the geometry alone, all other columns from the properties. */
#include "client/lib/json_rows.h"
#include "common/base/try.h"

static bool key_is(const struct rows_json *r, const char *name)
{
    return span_equal(json_text(&r->json), span_text(name));
}

static size_t column_of_type(const struct rows_json *r, enum column_type type)
{
    const struct manifest_dataset *s = r->in->schema;
    size_t i = 0;
    while (i < s->n_columns && s->columns[i].type != type)
        i++;
    return i;
}

/* Longitude first (section 3.1.1); an altitude may follow and is left out. */
static apex_status coordinates_read(struct rows_json *r)
{
    static const enum column_type order[] = {COLUMN_LONGITUDE, COLUMN_LATITUDE};
    enum json_event e;
    size_t n = 0;
    TRY(json_rows_next(r, &e));
    if (e != JSON_ARRAY) {
        json_rows_fault(r, SPAN_TEXT("coordinates"), "[longitude, latitude] is expected");
        return json_rows_skip(r, e);
    }
    for (;; n++) {
        TRY(json_rows_next(r, &e));
        if (e == JSON_ARRAY_END) break;
        size_t i = n < 2 ? column_of_type(r, order[n]) : COLUMNS_MAX;
        TRY(i < r->in->schema->n_columns ? json_rows_value(r, i, e) : json_rows_skip(r, e));
    }
    if (n < 2)
        json_rows_fault(r, SPAN_TEXT("coordinates"), "[longitude, latitude] is expected");
    return APEX_OK;
}

static apex_status geometry_members(struct rows_json *r, bool *point, bool *coordinates)
{
    enum json_event e;
    for (;;) {
        TRY(json_rows_next(r, &e));
        if (e == JSON_OBJECT_END) return APEX_OK;
        bool type = key_is(r, "type"), here = key_is(r, "coordinates");
        *coordinates |= here;
        if (here) {
            TRY(coordinates_read(r));
            continue;
        }
        TRY(json_rows_next(r, &e));
        *point |= type && e == JSON_STRING && key_is(r, "Point");
        TRY(json_rows_skip(r, e));
    }
}

static apex_status geometry_read(struct rows_json *r)
{
    enum json_event e;
    bool point = false, coordinates = false;
    const char *before = r->fault;
    TRY(json_rows_next(r, &e));
    if (e != JSON_OBJECT) {
        json_rows_fault(r, SPAN_TEXT("geometry"), "the feature has no geometry");
        return json_rows_skip(r, e);
    }
    TRY(geometry_members(r, &point, &coordinates));
    if (point && coordinates) return APEX_OK;
    if (!before) r->fault = NULL; /* say what it is rather than what its coordinates are not */
    json_rows_fault(r, SPAN_TEXT("geometry"),
                    "only points can be read; the geometry is another");
    return APEX_OK;
}

static apex_status feature_members(struct rows_json *r)
{
    enum json_event e;
    for (;;) {
        TRY(json_rows_next(r, &e));
        if (e == JSON_OBJECT_END) return APEX_OK;
        bool properties = key_is(r, "properties");
        if (key_is(r, "geometry")) {
            TRY(geometry_read(r));
            continue;
        }
        TRY(json_rows_next(r, &e));
        TRY(properties && e == JSON_OBJECT ? json_rows_members(r, false)
                                           : json_rows_skip(r, e));
    }
}

static apex_status feature_row(struct rows_json *r, enum json_event e)
{
    json_rows_begin(r);
    if (e == JSON_OBJECT)
        TRY(feature_members(r));
    else {
        json_rows_fault(r, SPAN_TEXT(""), "a feature is an object");
        TRY(json_rows_skip(r, e));
    }
    return json_rows_finish(r);
}

static apex_status features_read(struct rows_json *r)
{
    enum json_event e;
    for (;;) {
        TRY(json_rows_next(r, &e));
        if (e == JSON_ARRAY_END) return APEX_OK;
        TRY(feature_row(r, e));
    }
}

apex_status geojson_read(struct rows_json *r)
{
    enum json_event e;
    size_t latitude = column_of_type(r, COLUMN_LATITUDE),
           longitude = column_of_type(r, COLUMN_LONGITUDE);
    if (latitude < COLUMNS_MAX) r->placed[latitude] = true;
    if (longitude < COLUMNS_MAX) r->placed[longitude] = true;
    for (;;) {
        TRY(json_rows_next(r, &e));
        if (e == JSON_OBJECT_END) return APEX_OK;
        bool features = key_is(r, "features");
        TRY(json_rows_next(r, &e));
        TRY(features && e == JSON_ARRAY ? features_read(r) : json_rows_skip(r, e));
    }
}
