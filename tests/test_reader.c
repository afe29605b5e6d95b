/* What all forms of owners' files have in common, from the file to the groups; and the
 * project's own collection of awkward ones. */
#include "tests/check.h"
#include "tests/client/rows.h"

#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static struct rows_read r;

static uint64_t seed;

static void files_that_are_no_rows_are_refused_with_the_place(void **state)
{
    (void)state;
    static const struct rows_refusal cases[] = {
        {"", 0, NULL, APEX_E_FORMAT, "empty (line 1"},
        {"\xef\xbb\xbf", 0, NULL, APEX_E_FORMAT, "empty (line 1"},
        {"\n \n", 0, NULL, APEX_E_USAGE, "line 2"},
        {"\n\n", 0, NULL, APEX_E_FORMAT, "no data rows"},
        {"latitude,longitude\n", 0, NULL, APEX_E_FORMAT, "no data rows"},
        {"[]", 0, NULL, APEX_E_FORMAT, "no data rows"},
        {"{\"type\": \"FeatureCollection\", \"features\": []}", 0, NULL, APEX_E_FORMAT,
         "no data rows"},
        {"a\0b,c\n", 6, NULL, APEX_E_FORMAT, "not text"},
        {"\x1f\x8b\x08\x01\x02\x03\x04\x05\x06", 0, NULL, APEX_E_FORMAT, "not text"},
        {"\xff\xfel\0a\0t\0", 8, NULL, APEX_E_FORMAT, "UTF-16"},
        {"\xfe\xff\0l\0a\0t", 8, NULL, APEX_E_FORMAT, "UTF-16"},
        {"l\0a\0t\0,\0l\0o\0n\0\n\0", 16, NULL, APEX_E_FORMAT, "UTF-16"},
        {"\0l\0a\0t\0,\0l\0o\0n\0\n", 16, NULL, APEX_E_FORMAT, "UTF-16"},
        {"latitude,longitude\n\"1,2\n3,4\n", 0, NULL, APEX_E_FORMAT,
         "line 2: a quote is opened and never closed"},
        {"latitude,longitude\n1,\"2\"x\n", 0, NULL, APEX_E_FORMAT,
         "line 2: text follows a closing quote"},
        {"latitude,longitude\n1,\"2\" \n", 0, NULL, APEX_E_FORMAT,
         "line 2: text follows a closing quote"},
    };
    ROWS_ALL_REFUSED(cases);
}

static void what_is_not_a_file_is_said(void **state)
{
    (void)state;
    rows_from_path("/tmp/no such folder/rows.csv", NULL, &rows_places, &r);
    CHECK_STATUS(r.status, APEX_E_IO);
    CHECK(strstr(r.error.what, "/tmp/no such folder/rows.csv cannot be opened: No such file"));
    rows_from_path("/tmp", NULL, &rows_places, &r);
    CHECK_STATUS(r.status, APEX_E_FORMAT);
    CHECK(strstr(r.error.what, "folder"));
}

static void every_bad_row_is_counted_and_the_first_hundred_are_listed(void **state)
{
    (void)state;
    BUFFER_CLEARED file = {0};
    buffer_text(&file, "latitude,longitude\n");
    for (int i = 0; i < 1000; i++)
        buffer_text(&file, i % 4 ? "1,2\n" : "x,y\n");
    rows_from(buffer_span(&file), NULL, &rows_places, &r);
    CHECK_STATUS(r.status, APEX_E_DATA);
    CHECK(r.complaints.total == 250 && r.complaints.n == COMPLAINTS_MAX &&
          r.summary.rows == 750);
    for (size_t i = 0; i < COMPLAINTS_MAX; i++)
        CHECK(r.complaints.item[i].row == 4 * i + 1 && r.complaints.item[i].line == 4 * i + 2);
    rows_clear(&r);
}

static void after_a_bad_row_no_group_is_handed_on(void **state)
{
    (void)state;
    BUFFER_CLEARED file = {0};
    size_t per_group = table_rows_per_group(&rows_places);
    buffer_text(&file, "latitude,longitude\n");
    for (size_t i = 0; i < 3 * per_group + 5; i++)
        buffer_text(&file, i == per_group + 7 ? "91,0\n" : "1,2\n");
    rows_from(buffer_span(&file), NULL, &rows_places, &r);
    CHECK_STATUS(r.status, APEX_E_DATA);
    CHECK(r.n_groups == 1 && r.complaints.total == 1 &&
          r.complaints.item[0].row == per_group + 8);
    rows_clear(&r);
}

static void columns_left_out_are_listed_once(void **state)
{
    (void)state;
    static const struct {
        const char *file, *map, *ignored;
        uint64_t n;
    } cases[] = {
        {"id,latitude,longitude,note\n7,1,2,x\n", "latitude=latitude,longitude=longitude",
         "id, note", 2},
        {"i\td,latitude,longitude\n7,1,2\n", "latitude=latitude,longitude=longitude", "i\\td",
         1},
        {"[{\"id\": 1, \"latitude\": 1, \"longitude\": 2}, {\"note\": 0, \"latitude\": 1, "
         "\"longitude\": 2, \"id\": 1}]",
         "latitude=latitude", "id, note", 2},
        {"[{\"latitude\": 1, \"longitude\": 2, \"id\": 1, \"i\": 1}]", "latitude=latitude",
         "id, i", 2},
        {"{\"features\": [{\"type\": \"Feature\", \"properties\": {\"name\": \"x\", "
         "\"latitude\": 9}, \"geometry\": {\"type\": \"Point\", \"coordinates\": [2, 1]}}]}",
         NULL, "name, latitude", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rows_from(span_text(cases[i].file), cases[i].map, &rows_places, &r);
        CHECK_OK(r.status);
        if (r.summary.ignored_columns != cases[i].n ||
            strcmp(r.summary.ignored, cases[i].ignored) != 0)
            fail_msg("%s: %s", cases[i].file, r.summary.ignored);
        CHECK(strncmp((const char *)r.cells.data, "10000000,20000000\n", 18) ==
              0); /* of the geometry, not of the properties */
        rows_clear(&r);
    }
}

/* Rows of random cells, written in each form, come back as they are. */
struct random_rows {
    struct buffer csv, json, lines, cells;
};

static void random_row(struct random_rows *w, size_t n, char delimiter, const char *newline)
{
    static const char *const texts[] = {
        "NA",       "x,y",  "with \"quotes\"", "semi;colon", "\xe6\x9d\xb1\xe4\xba\xac",
        "tab|pipe", "true", "  blank ",        "7"};
    bool missing[ROWS_COLUMNS];
    char cell[ROWS_COLUMNS][80], text[800];
    int32_t lat = (int32_t)(splitmix64(&seed) % 1800000001) - 900000000,
            lon = (int32_t)((int64_t)(splitmix64(&seed) % 3600000001) - 1800000000),
            days = (int32_t)(splitmix64(&seed) % 2932897);
    double f = ldexp((double)(int64_t)splitmix64(&seed), (int)(splitmix64(&seed) % 100) - 80);
    int64_t i64 = (int64_t)splitmix64(&seed);
    const char *c = texts[splitmix64(&seed) % 9];
    for (size_t i = 0; i < ROWS_COLUMNS; i++)
        missing[i] = i > 1 && splitmix64(&seed) % 4 == 0;
    snprintf(cell[0], 80, "%s%d.%07d", lat < 0 ? "-" : "", abs(lat) / 10000000,
             abs(lat) % 10000000);
    snprintf(cell[1], 80, "%s%d.%07d", lon < 0 ? "-" : "", abs(lon) / 10000000,
             abs(lon) % 10000000);
    snprintf(cell[2], 80, "%.17g", f);
    snprintf(cell[3], 80, "%lld", (long long)i64);
    snprintf(cell[4], 80, "%s", c);
    snprintf(cell[5], 80, "%s", n % 2 ? "true" : "false");
    time_t at = (time_t)days * 86400;
    struct tm tm;
    gmtime_r(&at, &tm);
    snprintf(cell[6], 80, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    snprintf(text, sizeof text, "%d,%d,", lat, lon);
    buffer_text(&w->cells, text);
    for (size_t i = 2; i < ROWS_COLUMNS; i++) {
        snprintf(text, sizeof text, "%d", days);
        buffer_text(&w->cells, missing[i] ? "-"
                               : i == 5   ? (n % 2 ? "t" : "f")
                               : i == 6   ? text
                                          : cell[i]);
        buffer_text(&w->cells, i + 1 < ROWS_COLUMNS ? "," : "\n");
    }
    BUFFER_CLEARED raw = {0};
    buffer_text(&raw, "{");
    for (size_t i = 0; i < ROWS_COLUMNS; i++) {
        bool quote = !missing[i] && (strpbrk(cell[i], ",;|\t\"") || cell[i][0] == ' ' ||
                                     splitmix64(&seed) % 5 == 0);
        if (i) buffer_u8(&w->csv, (uint8_t)delimiter);
        if (quote) buffer_text(&w->csv, "\"");
        for (const char *p = cell[i]; *p && !missing[i]; p++) {
            if (*p == '"') buffer_text(&w->csv, "\"");
            buffer_u8(&w->csv, (uint8_t)*p);
        }
        if (quote) buffer_text(&w->csv, "\"");
        if (missing[i]) continue;
        json_t *string = json_string(cell[i]);
        char *quoted = json_dumps(string, JSON_ENCODE_ANY | (n % 3 ? 0 : JSON_ENSURE_ASCII));
        snprintf(text, sizeof text, "%s\"%s\": %s", i ? ", " : "", rows_all.columns[i].name,
                 i == 4 || i == 6 ? quoted : cell[i]);
        buffer_text(&raw, text);
        free(quoted);
        json_decref(string);
    }
    buffer_text(&raw, "}");
    buffer_text(&w->csv, newline);
    if (n) buffer_text(&w->json, ",\n");
    buffer_append(&w->json, buffer_span(&raw));
    buffer_append(&w->lines, buffer_span(&raw));
    buffer_text(&w->lines, newline);
}

static void same_cells(struct span file, const struct random_rows *w, const char *form)
{
    rows_from(file, NULL, &rows_all, &r);
    if (r.status != APEX_OK) fail_msg("%s: %s", form, r.error.what);
    CHECK(strcmp(r.summary.format, form) == 0);
    CHECK(span_equal(buffer_span(&r.cells), buffer_span(&w->cells)));
    rows_clear(&r);
}

static void rows_of_random_cells_come_back_from_every_form(void **state)
{
    (void)state;
    static const char delimiters[] = ",;\t|", *const newlines[] = {"\n", "\r\n"};
    for (size_t round = 0; round < 8; round++) {
        struct random_rows w = {0};
        char head[32];
        seed = round;
        size_t n = round < 6 ? 50 : 30000; /* several groups, many pieces */
        snprintf(head, sizeof head, "lat%1$clon%1$cf%1$ci%1$cc%1$cb%1$cd%2$s",
                 delimiters[round % 4], newlines[round % 2]);
        buffer_text(&w.csv, head);
        buffer_text(&w.json, "[");
        for (size_t i = 0; i < n; i++)
            random_row(&w, i, delimiters[round % 4], newlines[round % 2]);
        buffer_text(&w.json, "]");
        same_cells(buffer_span(&w.csv), &w, "CSV");
        same_cells(buffer_span(&w.json), &w, "JSON list");
        same_cells(buffer_span(&w.lines), &w, "JSON lines");
        buffer_clear(&w.csv);
        buffer_clear(&w.json);
        buffer_clear(&w.lines);
        buffer_clear(&w.cells);
    }
}

/* The file is read in pieces of 256 KiB; nothing may depend on where one ends. */
static void no_matter_where_a_piece_ends(void **state)
{
    (void)state;
    static const char csv[] =
        "\",1,\"2\"\r\n\"a\"\"b\r\n\",3,4\r\n\r\n\"\xe6\x9d\xb1\",\"5\",6";
    static const char json[] =
        "{\"latitude\" : 1.0e0 , "
        "\"longitude\":2},{\"latitude\":3,\"n\":\"\\u00e9\xe6\x9d\xb1\\ud83d\\ude00\","
        "\"longitude\":4},{\"n\":[true,false,null],\"latitude\":5,\"longitude\":6}]";
    for (size_t shift = 0; shift < sizeof json + 1; shift++)
        for (int is_json = 0; is_json < 2; is_json++) {
            BUFFER_CLEARED file = {0};
            buffer_text(&file, is_json ? "[" : "n,latitude,longitude\n\"");
            while (file.len < (256 << 10) - shift)
                buffer_u8(&file, is_json ? ' ' : 'x');
            buffer_text(&file, is_json ? json : csv);
            rows_from(buffer_span(&file),
                      is_json ? "latitude=latitude" : "latitude=2,longitude=3", &rows_places,
                      &r);
            if (r.status != APEX_OK ||
                !span_equal(
                    buffer_span(&r.cells),
                    SPAN_TEXT("10000000,20000000\n30000000,40000000\n50000000,60000000\n")))
                fail_msg("shift %zu: %s", shift, r.error.what);
            rows_clear(&r);
        }
}

/* A file that never ends up on a disk: 200 MB of rows through a pipe. */
enum { PIPED_ROWS = 10000000 };
static void *pipe_fill(void *context)
{
    FILE *f = fdopen(*(int *)context, "w");
    fputs("latitude,longitude,note\n", f);
    for (int i = 0; i < PIPED_ROWS / 10; i++)
        fputs("-36.8485,174.76,a\n1,2,b\n3,4,c\n5,6,d\n7,8,e\n9,10,f\n11,12,g\n13,14,h\n15,16,"
              "i\n17.1234567,18.7654321,j\n",
              f);
    fclose(f);
    return NULL;
}

static long peak_kib(void)
{
    char line[200];
    long kib = -1;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "VmHWM:", 6) == 0) kib = strtol(line + 6, NULL, 10);
    if (f) fclose(f);
    return kib;
}

static apex_status count_groups(void *context, struct span group)
{
    *(size_t *)context += group.len > 0;
    return APEX_OK;
}

static void memory_stays_bounded_whatever_the_size(void **state)
{
    (void)state;
    int ends[2];
    char path[40];
    pthread_t thread;
    size_t n_groups = 0, per_group = table_rows_per_group(&rows_places);
    struct reader_options o = {
        .map = "latitude=1,longitude=2", .group = count_groups, .context = &n_groups};
    CHECK(pipe(ends) == 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    long before = peak_kib();
    CHECK(pthread_create(&thread, NULL, pipe_fill, &ends[1]) == 0);
    CHECK_OK(reader_run(path, &rows_places, &o, &r.complaints, &r.summary, &r.error));
    pthread_join(thread, NULL);
    close(ends[0]);
    CHECK(r.summary.rows == PIPED_ROWS && n_groups == (PIPED_ROWS + per_group - 1) / per_group);
    CHECK(before > 0 && peak_kib() - before < 32 * 1024);
}

static json_t *shared_json(const char *path)
{
    json_t *tree = json_load_file(path, 0, NULL);
    if (!tree) print_message("(%s is not here: skipped)\n", path);
    return tree;
}

static struct manifest_column training_columns[] = {
    {.name = "latitude",
     .type = COLUMN_LATITUDE,
     .has_min = true,
     .has_max = true,
     .min = -90,
     .max = 90},
    {.name = "longitude",
     .type = COLUMN_LONGITUDE,
     .has_min = true,
     .has_max = true,
     .min = -180,
     .max = 180},
    {.name = "class",
     .type = COLUMN_INT64,
     .has_min = true,
     .has_max = true,
     .min = 0,
     .max = 4294967295},
};
static const struct manifest_dataset training = {"training", 3, training_columns};

static void the_original_format_is_taken_and_refused_as_it_should(void **state)
{
    (void)state;
    json_t *rejects = shared_json("../shared/data/apex/rejects.json"),
           *accepts = shared_json("../shared/data/apex/accepts.json"), *one;
    static const char *const keys[] = {"locations", "training"};
    size_t i, n = 0;
    if (!rejects || !accepts) skip();
    for (size_t k = 0; k < 2; k++)
        json_array_foreach(json_object_get(rejects, keys[k]), i, one)
        {
            rows_from(span_text(json_string_value(json_object_get(one, "input"))), NULL,
                      k ? &training : &rows_places, &r);
            bool place = r.complaints.n ? r.complaints.item[0].row > 0
                                        : strstr(r.error.what, "line ") != NULL;
            if ((r.status != APEX_E_FORMAT && r.status != APEX_E_DATA) || r.n_groups > 0 ||
                !place)
                fail_msg("%s: status %d, %s", json_string_value(json_object_get(one, "why")),
                         (int)r.status, r.error.what);
            n++;
        }
    CHECK(n >= 25);
    json_array_foreach(json_object_get(accepts, "locations"), i, one)
    {
        rows_from(span_text(json_string_value(json_object_get(one, "input"))), NULL,
                  &rows_places, &r);
        if (r.status != APEX_OK ||
            r.summary.rows != (uint64_t)json_integer_value(json_object_get(one, "points")))
            fail_msg("%s: %s", json_string_value(json_object_get(one, "why")), r.error.what);
        rows_clear(&r);
    }
    json_decref(rejects);
    json_decref(accepts);
}

static struct manifest_column class_columns[] = {
    {.name = "latitude",
     .type = COLUMN_LATITUDE,
     .has_min = true,
     .has_max = true,
     .min = -90,
     .max = 90},
    {.name = "longitude",
     .type = COLUMN_LONGITUDE,
     .has_min = true,
     .has_max = true,
     .min = -180,
     .max = 180},
    {.name = "class", .type = COLUMN_CATEGORY},
};
static const struct manifest_dataset with_class = {"class", 3, class_columns};

static bool bad_rows_are(const json_t *expected)
{
    size_t i;
    json_t *row;
    if (json_array_size(expected) != r.complaints.total) return false;
    json_array_foreach(expected, i, row) if (r.complaints.item[i].row !=
                                             (uint64_t)json_integer_value(row)) return false;
    return true;
}

static bool ends_as(const json_t *one, const char *must)
{
    uint64_t rows_ok = (uint64_t)json_integer_value(json_object_get(one, "rows_ok"));
    if (strcmp(must, "accept") == 0) return r.status == APEX_OK && r.summary.rows == rows_ok;
    if (strcmp(must, "refuse") == 0)
        return r.status == APEX_E_FORMAT && r.error.what[0] && r.n_groups == 0;
    if (strcmp(must, "accept_after_mapping") == 0)
        return r.status == APEX_E_USAGE && strstr(r.error.next, "--map '") && r.n_groups == 0;
    return r.status == APEX_E_DATA && r.summary.rows == rows_ok &&
           bad_rows_are(json_object_get(one, "bad_rows_1based"));
}

static void every_messy_file_ends_as_expected(void **state)
{
    (void)state;
    json_t *expected = shared_json("../shared/data/messy/expected.json"), *one;
    size_t i;
    if (!expected) skip();
    json_array_foreach(json_object_get(expected, "files"), i, one)
    {
        char path[200];
        const char *must = json_string_value(json_object_get(one, "must"));
        snprintf(path, sizeof path, "../shared/data/messy/%s",
                 json_string_value(json_object_get(one, "file")));
        rows_from_path(path, NULL, &with_class, &r);
        if (!ends_as(one, must))
            fail_msg("%s must %s: status %d, %s", path, must, (int)r.status, r.error.what);
        rows_clear(&r);
        if (strcmp(must, "accept_after_mapping") != 0) continue;
        rows_from_path(path,
                       strstr(path, "extra_columns") ? "latitude=3,longitude=4,class=5"
                                                     : "latitude=1,longitude=2,class=3",
                       &with_class, &r);
        CHECK(ends_as(one, "accept"));
        rows_clear(&r);
    }
    json_decref(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_that_are_no_rows_are_refused_with_the_place),
        cmocka_unit_test(what_is_not_a_file_is_said),
        cmocka_unit_test(every_bad_row_is_counted_and_the_first_hundred_are_listed),
        cmocka_unit_test(after_a_bad_row_no_group_is_handed_on),
        cmocka_unit_test(columns_left_out_are_listed_once),
        cmocka_unit_test(rows_of_random_cells_come_back_from_every_form),
        cmocka_unit_test(no_matter_where_a_piece_ends),
        cmocka_unit_test(memory_stays_bounded_whatever_the_size),
        cmocka_unit_test(the_original_format_is_taken_and_refused_as_it_should),
        cmocka_unit_test(every_messy_file_ends_as_expected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
