/* Rows out of JSON lists, JSON lines and GeoJSON, and what is said about those that are not
 * good. */
#include "tests/check.h"
#include "tests/client/rows.h"

#include <stdio.h>

static struct rows_read r;

static void json_lists_lines_and_geojson_are_read(void **state)
{
    (void)state;
    static const struct rows_case cases[] = {
        {" [ {\"longitude\": 2, \"latitude\": 1} ]\n", NULL, "10000000,20000000\n"},
        {"\xef\xbb\xbf[{\"latitude\":1,\"longitude\":2}]", NULL, "10000000,20000000\n"},
        {"{\"latitude\": 1, \"longitude\": 2}\n{\"latitude\": 3, \"longitude\": 4}", NULL,
         "10000000,20000000\n30000000,40000000\n"},
        {"{\"latitude\": 1, \"longitude\": 2}\n", NULL, "10000000,20000000\n"},
        {"\r\n{\"latitude\": 1,\r\n \"longitude\": 2}\r\n\r\n{\"latitude\": 3, \"longitude\": "
         "4}\r\n",
         NULL, "10000000,20000000\n30000000,40000000\n"},
        {"{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"geometry\":{"
         "\"type\":\"Point\",\"coordinates\":[175.25,-37.75,12]},\"properties\":null}]}",
         NULL, "-377500000,1752500000\n"},
        {"{\"features\":[{\"geometry\":{\"coordinates\":[175.25,-37.75],\"bbox\":[[1]],"
         "\"type\":\"Point\"}}], \"crs\":{\"a\":[]},\"type\":\"FeatureCollection\"}",
         NULL, "-377500000,1752500000\n"},
    };
    ROWS_ALL_TAKEN(cases, &rows_places);
    static const struct rows_case typed[] = {
        {"[{\"lat\":0,\"lon\":0,\"f\":1e-1,\"i\":3,\"c\":\"x\",\"b\":true,\"d\":\"1970-01-02\"}"
         ",{\"lat\":0,\"lon\":0,\"c\":7,\"b\":false,\"f\":null}]",
         NULL, "0,0,0.10000000000000001,3,x,t,1\n0,0,-,-,7,f,-\n"},
        {"{\"features\":[{\"properties\":{\"c\":\"NA\",\"i\":5},\"geometry\":{\"type\":"
         "\"Point\",\"coordinates\":[1,2]}}]}",
         NULL, "20000000,10000000,-,5,NA,-,-\n"},
        {"{\"lat\":0,\"lon\":0,\"c\":\"features\"}\n{\"lat\":0,\"lon\":0,\"c\":"
         "\"FeatureCollection\"}\n",
         NULL, "0,0,-,-,features,-,-\n0,0,-,-,FeatureCollection,-,-\n"},
    };
    ROWS_ALL_TAKEN(typed, &rows_all);
}

static void bad_json_rows_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *row, *column, *value, *reason;
    } cases[] = {
        {"{\"lat\": \"1\", \"lon\": 0}", "lat", "1", "a number is expected, not a text"},
        {"{\"lat\": true, \"lon\": 0}", "lat", "true",
         "a number is expected, not true or false"},
        {"{\"lat\": null, \"lon\": 0}", "lat", "", "a value is missing"},
        {"{\"lat\": 0}", "lon", "", "a value is missing"},
        {"{\"lat\": [1], \"lon\": 0}", "lat", "", "a single value is expected"},
        {"{\"lat\": 0, \"lon\": 0, \"lat\": 0}", "lat", "", "the key occurs twice"},
        {"{\"lat\": 0, \"lon\": 0, \"x\\u001b[2J\": {\"a\": []}}", "x\\x1b[2J", "",
         "the dataset has no such column; take the key out, or say with --map which keys are "
         "meant"},
        {"{\"lat\": 0, \"lon\": 1e999}", "lon", "1e999",
         "a longitude lies between -180 and 180 degrees"},
        {"{\"lat\": 0, \"lon\": 0, \"c\": \"\"}", "c", "",
         "the text is empty; use null if the value is missing"},
        {"{\"lat\": 0, \"lon\": 0, \"c\": \"a\\u0000\"}", "c", "a\\x00",
         "control characters are not allowed in a category"},
        {"{\"lat\": 0, \"lon\": 0, \"c\": false}", "c", "false", "a text is expected"},
        {"{\"lat\": 0, \"lon\": 0, \"b\": 1}", "b", "1", "true or false is expected"},
        {"{\"lat\": 0, \"lon\": 0, \"d\": 20260101}", "d", "20260101",
         "a date such as 2026-11-23 is expected"},
        {"[0, 0]", "", "", "a row is an object such as {\"latitude\": 1, \"longitude\": 2}"},
        {"7", "", "", "a row is an object such as {\"latitude\": 1, \"longitude\": 2}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int lines = 0; lines < 2; lines++) {
            char file[300];
            const char *good = "{\"lat\": 0, \"lon\": 0}";
            snprintf(file, sizeof file, lines ? "%s\n%s\n%s\n" : "[%s,\n%s,\n%s]", good,
                     cases[i].row, good);
            rows_from(span_text(file), NULL, &rows_all, &r);
            const struct complaint *c = &r.complaints.item[0];
            if (r.status != APEX_E_DATA || r.complaints.total != 1 || c->row != 2 ||
                c->line != 2 || strcmp(c->column, cases[i].column) != 0 ||
                strcmp(c->value, cases[i].value) != 0 ||
                strcmp(c->reason, cases[i].reason) != 0)
                fail_msg("%s: status %d, row %d line %d column %s value %s: %s", file,
                         (int)r.status, (int)c->row, (int)c->line, c->column, c->value,
                         c->reason ? c->reason : "");
            rows_clear(&r);
        }
}

static void bad_features_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *feature, *column, *reason;
    } cases[] = {
        {"{\"geometry\": null}", "geometry", "the feature has no geometry"},
        {"{\"properties\": {}}", "latitude", "a value is missing"},
        {"{\"geometry\": {\"type\": \"LineString\", \"coordinates\": [[1, 2], [3, 4]]}}",
         "geometry", "only points can be read; the geometry is another"},
        {"{\"geometry\": {\"type\": \"Point\"}}", "geometry",
         "only points can be read; the geometry is another"},
        {"{\"geometry\": {\"coordinates\": [1, 2]}}", "geometry",
         "only points can be read; the geometry is another"},
        {"{\"geometry\": {\"type\": \"Point\", \"coordinates\": [1]}}", "coordinates",
         "[longitude, latitude] is expected"},
        {"{\"geometry\": {\"type\": \"Point\", \"coordinates\": {}}}", "coordinates",
         "[longitude, latitude] is expected"},
        {"{\"geometry\": {\"type\": \"Point\", \"coordinates\": [\"1\", 2]}}", "longitude",
         "a number is expected, not a text"},
        {"{\"geometry\": {\"type\": \"Point\", \"coordinates\": [37, 175]}}", "latitude",
         "a latitude lies between -90 and 90 degrees"},
        {"{\"geometry\": {\"type\": \"Point\", \"coordinates\": [1, 2]}, \"geometry\": "
         "{\"type\": \"Point\", \"coordinates\": [1, 2]}}",
         "longitude", "the key occurs twice"},
        {"[]", "", "a feature is an object"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char file[400];
        const char *good = "{\"geometry\": {\"type\": \"Point\", \"coordinates\": [1, 2]}}";
        snprintf(file, sizeof file, "{\"features\": [%s,\n%s\n,%s]}", good, cases[i].feature,
                 good);
        rows_from(span_text(file), NULL, &rows_places, &r);
        const struct complaint *c = &r.complaints.item[0];
        if (r.status != APEX_E_DATA || r.complaints.total != 1 || c->row != 2 || c->line != 2 ||
            strcmp(c->column, cases[i].column) != 0 || strcmp(c->reason, cases[i].reason) != 0)
            fail_msg("%s: status %d, row %d line %d column %s: %s", file, (int)r.status,
                     (int)c->row, (int)c->line, c->column, c->reason ? c->reason : "");
        rows_clear(&r);
    }
}

static void what_is_not_json_is_refused_with_the_place(void **state)
{
    (void)state;
    static const struct rows_refusal cases[] = {
        {"[{\"latitude\": 1,\n \"longitude\": x}]", 0, NULL, APEX_E_FORMAT,
         "line 2, column 15, row 1: this is not JSON"},
        {"[{\"latitude\": 1, \"longitude\": 2}\n", 0, NULL, APEX_E_FORMAT,
         "line 2, column 1, row 1"},
        {"[{\"latitude\": 1, \"longitude\": 2}],", 0, NULL, APEX_E_FORMAT, "line 1, column 34"},
        {"[{\"latitude\": 1, \"longitude\": 2}][]", 0, NULL, APEX_E_FORMAT,
         "line 1, column 34"},
        {"{\"latitude\": 1, \"longitude\": 2}", 0, NULL, APEX_E_FORMAT,
         "a single object is not a list"},
        {"{\"latitude\": 1, \"longitude\": 2} {\"latitude\": 1, \"longitude\": 2}", 0, NULL,
         APEX_E_FORMAT, "one row a line"},
        {"{\"latitude\": 1, \"longitude\": 2}\n{\"latitude\": 1,\n\"longitude\": 2} "
         "{\"latitude\": 1, \"longitude\": 2}",
         0, NULL, APEX_E_FORMAT, "one row a line"},
        {"// comment\n[]", 0, NULL, APEX_E_FORMAT, "line 1, column 1"},
        {"{\"features\": [", 0, NULL, APEX_E_FORMAT, "line 1, column 15"},
        {"{\"features\": {\"a\": 1}}", 0, NULL, APEX_E_FORMAT, "a single object"},
    };
    ROWS_ALL_REFUSED(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_lists_lines_and_geojson_are_read),
        cmocka_unit_test(bad_json_rows_are_named),
        cmocka_unit_test(bad_features_are_named),
        cmocka_unit_test(what_is_not_json_is_refused_with_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
