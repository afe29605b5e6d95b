/* Owners' files, from bytes to cells, and what is said about those that cannot be read. */
#include "client/lib/cell.h"
#include "client/lib/csv.h"
#include "client/lib/decimal.h"
#include "client/lib/show.h"
#include "tests/check.h"
#include "tests/client/rows.h"

#include <jansson.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static struct rows_read r;

static uint64_t seed;
static uint64_t next(void)
{
    uint64_t z = seed += 0x9E3779B97F4A7C15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

struct text_case {
    const char *file, *map, *cells; /* what became of each row */
};

static void all_taken(const struct text_case *cases, size_t n,
                      const struct manifest_dataset *schema)
{
    for (size_t i = 0; i < n; i++) {
        rows_from(span_text(cases[i].file), cases[i].map, schema, &r);
        buffer_u8(&r.cells, 0);
        if (r.status != APEX_OK || strcmp((const char *)r.cells.data, cases[i].cells) != 0)
            fail_msg("case %zu, %s: status %d, %s; read: %s", i, cases[i].file, (int)r.status,
                     r.error.what, (const char *)r.cells.data);
        rows_clear(&r);
    }
}
#define ALL_TAKEN(cases, schema) all_taken(cases, sizeof cases / sizeof *cases, schema)

static void csv_of_many_forms_is_read(void **state)
{
    (void)state;
    static const struct text_case cases[] = {
        {"latitude,longitude\n1,2\n", NULL, "10000000,20000000\n"},
        {"latitude;longitude\n1;2\n", NULL, "10000000,20000000\n"},
        {"latitude\tlongitude\n1\t2\n", NULL, "10000000,20000000\n"},
        {"latitude|longitude\n1|2\n", NULL, "10000000,20000000\n"},
        {"longitude,latitude\n1,2\n", NULL, "20000000,10000000\n"},
        {"latitude,longitude\r\n1,2\r\n3,4\r\n", NULL,
         "10000000,20000000\n30000000,40000000\n"},
        {"latitude,longitude\r1,2\r3,4", NULL, "10000000,20000000\n30000000,40000000\n"},
        {"\xef\xbb\xbflatitude,longitude\n1,2", NULL, "10000000,20000000\n"},
        {"\"latitude\",\"longitude\"\n\"1\",\"2\"", NULL, "10000000,20000000\n"},
        {"\n\nlatitude,longitude\n\n1,2\n\n\n3,4\n\n", NULL,
         "10000000,20000000\n30000000,40000000\n"},
        {" latitude , longitude\n 1 ,\t2 \n", NULL, "10000000,20000000\n"},
        {"latitude,longitude\n+1.5,-2e0\n.5,5.\n1e1,100E-1\n-0.0,0e99999\n", NULL,
         "15000000,-20000000\n5000000,50000000\n100000000,100000000\n0,0\n"},
        {"latitude,longitude\n90,180\n-90,-180\n", NULL,
         "900000000,1800000000\n-900000000,-1800000000\n"},
    };
    ALL_TAKEN(cases, &rows_places);
}

static void quotes_hide_delimiters_quotes_and_line_ends(void **state)
{
    (void)state;
    static const struct text_case cases[] = {
        {"lat,lon,f,i,c,b,d\n1,2,,,\"a,b\",,\n", NULL, "10000000,20000000,-,-,a,b,-,-\n"},
        {"lat,lon,f,i,c,b,d\n1,2,,,\"say \"\"hi\"\"\",,\n", NULL,
         "10000000,20000000,-,-,say \"hi\",-,-\n"},
        {"lat,lon,f,i,c,b,d\n1,2,,,\"\"\"\",,\n", NULL, "10000000,20000000,-,-,\",-,-\n"},
        {"lat,lon,f,i,c,b,d\n1,2,,,\"\",,\n", NULL, "10000000,20000000,-,-,-,-,-\n"},
        {"lat,lon,f,i,c,b,d\n1,2,,, in the\"middle ,,\n", NULL,
         "10000000,20000000,-,-,in the\"middle,-,-\n"},
        {"lat,lon,f,i,c,b,d\n1,2,,,\" kept \",,\n", NULL, "10000000,20000000,-,-, kept ,-,-\n"},
    };
    ALL_TAKEN(cases, &rows_all);
    rows_from(span_text("a,latitude,longitude\n\"x\r\ny,\"\"\n\",1,2\n\"\",3,4"),
              "latitude=2,longitude=longitude", &rows_places, &r);
    CHECK_OK(r.status);
    CHECK(
        span_equal(buffer_span(&r.cells), SPAN_TEXT("10000000,20000000\n30000000,40000000\n")));
    rows_clear(&r);
}

static void every_type_has_its_texts(void **state)
{
    (void)state;
    static const struct text_case cases[] = {
        {"lat,lon,f,i,c,b,d\n0,0,0.1,9223372036854775807,NA,true,1970-01-01\n", NULL,
         "0,0,0.10000000000000001,9223372036854775807,NA,t,0\n"},
        {"lat,lon,f,i,c,b,d\n0,0,-0,-9223372036854775808,\xc3\xa9,0,2000-02-29\n", NULL,
         "0,0,0,-9223372036854775808,\xc3\xa9,f,11016\n"},
        {"lat,lon,f,i,c,b,d\n0,0,1e-999,1.50e1,1,FALSE,1969-12-31\n", NULL,
         "0,0,0,15,1,f,-1\n"},
        {"lat,lon,f,i,c,b,d\n0,0,5e-324,-1200e-2,x,yes,0000-03-01\n", NULL,
         "0,0,4.9406564584124654e-324,-12,x,t,-719468\n"},
        {"lat,lon,f,i,c,b,d\n0,0,1.7976931348623158e308,0,x,no,9999-12-31\n", NULL,
         "0,0,1.7976931348623157e+308,0,x,f,2932896\n"},
    };
    ALL_TAKEN(cases, &rows_all);
}

static void bad_cells_are_named_with_row_line_column_value_and_reason(void **state)
{
    (void)state;
    static const struct {
        const char *row, *column, *value, *reason;
    } cases[] = {
        {"north,0,,,,,", "lat", "north", "not a number"},
        {"90.0000001,0,,,,,", "lat", "90.0000001",
         "a latitude lies between -90 and 90 degrees"},
        {"0,-180.00000005,,,,,", "lon", "-180.00000005",
         "a longitude lies between -180 and 180 degrees"},
        {"1e30,0,,,,,", "lat", "1e30", "a latitude lies between -90 and 90 degrees"},
        {",0,,,,,", "lat", "", "a value is missing"},
        {"NaN,0,,,,,", "lat", "NaN", "not a finite number"},
        {"0,0,-Infinity,,,,", "f", "-Infinity", "not a finite number"},
        {"0,0,1e309,,,,", "f", "1e309", "too large for a float64"},
        {"0,0,1.7976931348623159e308,,,,", "f", "1.7976931348623159e308",
         "too large for a float64"},
        {"0,0,0x10,,,,", "f", "0x10", "not a number"},
        {"0,0,1 000,,,,", "f", "1 000", "not a number"},
        {"0,0,1e,,,,", "f", "1e", "not a number"},
        {"0,0,.,,,,", "f", ".", "not a number"},
        {"0,0,--1,,,,", "f", "--1", "not a number"},
        {"0,0,\"1,5\",,,,", "f", "1,5", "not a number; write decimals with a point"},
        {"0,0,n/a,,,,", "f", "n/a",
         "not a number; leave the cell empty if the value is missing"},
        {"0,0,,2.5,,,", "i", "2.5", "a whole number is expected"},
        {"0,0,,25e-1,,,", "i", "25e-1", "a whole number is expected"},
        {"0,0,,9223372036854775808,,,", "i", "9223372036854775808", "too large for an int64"},
        {"0,0,,-9223372036854775809,,,", "i", "-9223372036854775809", "too large for an int64"},
        {"0,0,,1e99,,,", "i", "1e99", "too large for an int64"},
        {"0,0,,,\"a\tb\",,", "c", "a\\tb", "control characters are not allowed in a category"},
        {"0,0,,,\xff,,", "c", "\\xff", "not UTF-8 text"},
        {"0,0,,,\xed\xa0\x80,,", "c", "\\xed\\xa0\\x80", "not UTF-8 text"},
        {"0,0,,,0123456789012345678901234567890123456789012345678901234567890123x,,", "c",
         "01234567890123456789012345678901234567890123...", "a category has at most 64 bytes"},
        {"0,0,,,,maybe,", "b", "maybe", "true or false is expected"},
        {"0,0,,,,,2026-02-29", "d", "2026-02-29", "there is no such day"},
        {"0,0,,,,,1900-02-29", "d", "1900-02-29", "there is no such day"},
        {"0,0,,,,,2026-00-10", "d", "2026-00-10", "there is no such day"},
        {"0,0,,,,,29.02.2024", "d", "29.02.2024", "a date such as 2026-11-23 is expected"},
        {"0,0,,,,,2026-1-01", "d", "2026-1-01", "a date such as 2026-11-23 is expected"},
        {"0,0,,,,", "", "6 fields, not 7", "the row has fewer fields than the first"},
        {"0,0,,,,,,", "", "8 fields, not 7", "the row has more fields than the first"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char file[300];
        snprintf(file, sizeof file, "lat,lon,f,i,c,b,d\n\n0,0,,,\"q\",,\n%s\n0,0,,,,,\n",
                 cases[i].row);
        rows_from(span_text(file), NULL, &rows_all, &r);
        const struct complaint *c = &r.complaints.item[0];
        bool good = r.status == APEX_E_DATA && r.complaints.total == 1 && r.complaints.n == 1 &&
                    r.summary.rows == 2 && r.n_groups == 0 && c->row == 2 && c->line == 4 &&
                    strcmp(c->column, cases[i].column) == 0 &&
                    strcmp(c->value, cases[i].value) == 0 &&
                    strcmp(c->reason, cases[i].reason) == 0;
        if (!good)
            fail_msg("%s: status %d, row %d line %d column %s value %s: %s", cases[i].row,
                     (int)r.status, (int)c->row, (int)c->line, c->column, c->value,
                     c->reason ? c->reason : "");
        rows_clear(&r);
    }
}

static void lines_are_counted_through_quotes_and_any_line_end(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        uint64_t row, line;
    } cases[] = {
        {"lat,lon,f,i,c,b,d\nx,0,,,,,", 1, 2},
        {"lat,lon,f,i,c,b,d\r\n\r\n0,0,,,,,\r\nx,0,,,,,\r\n", 2, 4},
        {"lat,lon,f,i,c,b,d\r0,0,,,,,\r\rx,0,,,,,\r", 2, 4},
        {"\"lat\",lon,f,i,c,b,d\n\"0\n\",0,,,,,\n0,0,,,,,\n", 1, 2},
        {"lat,lon,f,i,c,b,d\nx\"\n0,0,,,,,\n", 1, 2},
        {"lat,lon,f,i,c,b,d\n0,0,,,\"\n\n\",,\n", 1, 2},
        {"lat,lon,f,i,\"c\",b,d\r\n\"0\",0,,,,\"0\",\r\n0,0,,,\"a\r\nb\r\n\",,\r\nx,0,,,,,", 2,
         3},
        {"lat,lon,f,i,c,b,d\n,,,\"\n\n\",,,\n", 1, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rows_from(span_text(cases[i].file), NULL, &rows_all, &r);
        const struct complaint *c = &r.complaints.item[0];
        if (r.status != APEX_E_DATA || c->row != cases[i].row || c->line != cases[i].line)
            fail_msg("%s: status %d, row %d, line %d", cases[i].file, (int)r.status,
                     (int)c->row, (int)c->line);
        rows_clear(&r);
    }
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

struct refusal_case {
    const char *file;
    size_t len; /* 0: a text */
    const char *map;
    apex_status status;
    const char *what; /* part of what is said */
};

static void all_refused(const struct refusal_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct refusal_case *c = &cases[i];
        rows_from(c->len ? span_of(c->file, c->len) : span_text(c->file), c->map, &rows_places,
                  &r);
        if (r.status != c->status || !strstr(r.error.what, c->what) || r.n_groups > 0 ||
            !strstr(r.error.not_done, "nothing was sent") || !r.error.next[0])
            fail_msg("case %zu, %s: status %d, \"%s\" (next: %s)", i, c->file, (int)r.status,
                     r.error.what, r.error.next);
        rows_clear(&r);
    }
}
#define ALL_REFUSED(cases) all_refused(cases, sizeof cases / sizeof *cases)

static void files_that_are_no_rows_are_refused_with_the_place(void **state)
{
    (void)state;
    static const struct refusal_case cases[] = {
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
    ALL_REFUSED(cases);
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

static void rows_and_fields_beyond_the_limits_are_refused(void **state)
{
    (void)state;
    BUFFER_CLEARED file = {0};
    for (int i = 0; i < 1025; i++)
        buffer_text(&file, "a,");
    rows_from(buffer_span(&file), NULL, &rows_places, &r);
    CHECK_STATUS(r.status, APEX_E_FORMAT);
    CHECK(strstr(r.error.what, "1024 fields"));
    for (int quoted = 0; quoted < 2; quoted++) {
        file.len = 0;
        buffer_text(&file, quoted ? "latitude,longitude\n1,\"" : "latitude,longitude\n1,");
        for (int i = 0; i < 1 << 16; i++)
            buffer_text(&file, "0123456789abcdef"); /* 1 MiB */
        buffer_text(&file, quoted ? "\"\n" : "\n");
        rows_from(buffer_span(&file), NULL, &rows_places, &r);
        CHECK_STATUS(r.status, APEX_E_FORMAT);
        CHECK(strstr(r.error.what, "line 2: a row is longer than 1 MiB"));
    }
}

/* The delimiter is what the lines agree on. */
static void decimal_commas_and_texts_do_not_mislead_about_the_delimiter(void **state)
{
    (void)state;
    static const struct {
        const char *first;
        uint8_t delimiter;
    } cases[] = {
        {"a,b\n1,2\n", ','},
        {"lat;lon\n1,5;2,5\n", ';'},
        {"1,5;2,5\n1,5;2,5\n", ';'},
        {"1,5\t2,5\n1,5\t2,5\n", '\t'},
        {"a,b,c\n1,2,x;y\n", ','},
        {"a;b\n\"x,y,z\";2\n", ';'},
        {"a,b|c\n1,2|3\n4,5\n6,7\n", ','},
        {"single\n1\n", ','},
        {"a;b;c,d", ';'},
        {"\"a;b;c\",d\n1,2\n", ','},
        {"a|b\n1|2\n\n3|4", '|'},
        {"a\tb c,d\n1\t2 3\n", '\t'},
        {"1;2\n1;2\n1,2;3,4\n", ';'},
        {"1,5;2,5;3,5\n1,5;2,5;3,5\n", ';'},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (csv_delimiter(span_text(cases[i].first)) != cases[i].delimiter)
            fail_msg("%s: %c", cases[i].first, csv_delimiter(span_text(cases[i].first)));
    }
}

static void maps_say_which_column_is_which(void **state)
{
    (void)state;
    static const struct text_case cases[] = {
        {"Lat,Lng\n1,2\n", "latitude=Lat,longitude=Lng", "10000000,20000000\n"},
        {"Lat,Lng\n1,2\n", "longitude=1,latitude=2", "20000000,10000000\n"},
        {"1,2\n3,4\n", "latitude=1,longitude=2", "10000000,20000000\n30000000,40000000\n"},
        {"2,1\n3,4\n", "latitude=1,longitude=2",
         "20000000,10000000\n30000000,40000000\n"}, /* positions, not the cells' texts */
        {"a,b,2020\n1,2,3\n", "latitude=1,longitude=2",
         "10000000,20000000\n"}, /* a number names an ignored column */
        {"a,b,2020\n1,2,3\n", "latitude=a,longitude=2020", "10000000,30000000\n"},
        {"a b,=c=\n1,2\n", "latitude=a b,longitude==c=", "10000000,20000000\n"},
        {"a,a\n1,2\n", "latitude=1,longitude=2", "10000000,20000000\n"},
        {"x,7\nnorth,2\n", "latitude=2,longitude=2", "70000000,70000000\n20000000,20000000\n"},
        {"{\"a\": 1, \"b\": 2}\n", "latitude=a,longitude=b", "10000000,20000000\n"},
        {"[{\"a\": 1, \"longitude\": 2, \"rest\": [1, {\"a\": 3}]}]", "latitude=a",
         "10000000,20000000\n"},
    };
    ALL_TAKEN(cases, &rows_places);
    static const struct refusal_case refused[] = {
        {"a,b\n1,2\n", 0, "latitude", APEX_E_USAGE, "not of the form"},
        {"a,b\n1,2\n", 0, "", APEX_E_USAGE, "not of the form"},
        {"a,b\n1,2\n", 0, "latitude=a,", APEX_E_USAGE, "not of the form"},
        {"a,b\n1,2\n", 0, "latitude=,longitude=b", APEX_E_USAGE, "not of the form"},
        {"a,b\n1,2\n", 0, "latitude=a,latitude=b", APEX_E_USAGE, "twice"},
        {"a,b\n1,2\n", 0, "latitude=a,width=b", APEX_E_USAGE, "has not"},
        {"a,b\n1,2\n", 0, "latitude=a", APEX_E_USAGE, "leaves out"},
        {"a,b\n1,2\n", 0, "latitude=a,longitude=c", APEX_E_USAGE, "not in the file"},
        {"a,b\n1,2\n", 0, "latitude=a,longitude=3", APEX_E_USAGE, "not in the file"},
        {"a,b\n1,2\n", 0, "latitude=a,longitude=0", APEX_E_USAGE, "not in the file"},
        {"a,a\n1,2\n", 0, "latitude=a,longitude=2", APEX_E_USAGE, "same name"},
        {"[{\"a\": 1, \"b\": 2}]", 0, "latitude=a,width=b", APEX_E_USAGE, "has not"},
        {"[{\"a\": 1, \"b\": 2}]", 0, "latitude=a,longitude=a", APEX_E_USAGE, "one key"},
        {"[{\"a\": 1, \"b\": 2}]", 0, "latitude=longitude", APEX_E_USAGE, "one key"},
    };
    ALL_REFUSED(refused);
}

/* What is offered works when it is taken at its word. */
static void an_offered_map_can_be_given_back(void **state)
{
    (void)state;
    static const struct {
        const char *file, *offer;
    } cases[] = {
        {"Lat,Lng\n1,2\n", "latitude=Lat,longitude=Lng"},
        {"id,x,y\na,1,2\n", "latitude=y,longitude=x"},
        {"1,2\n", "latitude=1,longitude=2"},
        {"latitude,latitude\n1,2\n", "latitude=1,longitude=2"},
        {"a\nb,c\n1,2\n", NULL},
        {"\"x,y\",LATITUDE\n1,2\n", "latitude=LATITUDE,longitude=1"},
        {"it's,\"q\"\"q\"\n1,2\n", "latitude=1,longitude=q\"q"},
        {"\x1b[31m,\xff\n1.00000000000000000000000000,2\n", "latitude=1,longitude=2"},
        {"lat,lat,longitude\n1,5,2\n", "latitude=1,longitude=longitude"},
        {"note,longitude\n1,2\n", "latitude=note,longitude=longitude"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char map[280];
        rows_from(span_text(cases[i].file), NULL, &rows_places, &r);
        CHECK_STATUS(r.status, APEX_E_USAGE);
        if (!cases[i].offer) continue;
        const char *begin = strchr(r.error.next, '\''), *end = strrchr(r.error.next, '\'');
        CHECK(begin && end > begin);
        snprintf(map, sizeof map, "%.*s", (int)(end - begin - 1), begin + 1);
        if (strcmp(map, cases[i].offer) != 0) fail_msg("%s: %s", cases[i].file, map);
        rows_from(span_text(cases[i].file), map, &rows_places, &r);
        CHECK_OK(r.status);
        CHECK(r.summary.rows == 1);
        rows_clear(&r);
    }
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

static void json_lists_lines_and_geojson_are_read(void **state)
{
    (void)state;
    static const struct text_case cases[] = {
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
    ALL_TAKEN(cases, &rows_places);
    static const struct text_case typed[] = {
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
    ALL_TAKEN(typed, &rows_all);
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
    static const struct refusal_case cases[] = {
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
    ALL_REFUSED(cases);
}

/* Decimals in lat and lon against 128-bit integers. */
static void degrees_are_rounded_exactly_halves_away_from_zero(void **state)
{
    (void)state;
    seed = 1;
    for (int i = 0; i < 200000; i++) {
        int fraction = (int)(next() % 12), zeros = (int)(next() % 3), e = (int)(next() % 7) - 3;
        int64_t digits = (int64_t)(next() % (i % 2 ? 2000000000 : 20000)), expected, got;
        __int128 scaled = digits;
        char text[80], whole[40];
        snprintf(whole, sizeof whole, "%0*lld", fraction + 1 + zeros, (long long)digits);
        int point = (int)strlen(whole) - fraction;
        snprintf(text, sizeof text, "%s%.*s.%se%d", i % 3 ? "-" : "", point, whole,
                 whole + point, e);
        int power = 7 - fraction + e; /* digits * 10^power */
        __int128 divisor = 1;
        for (; power > 0; power--)
            scaled *= 10;
        for (; power < 0; power++)
            divisor *= 10;
        __int128 exact = (2 * scaled + divisor) / (2 * divisor);
        bool fits = exact <= INT64_MAX;
        expected = i % 3 ? -(int64_t)exact : (int64_t)exact;
        if (decimal_scaled(span_text(text), 7, &got) != fits || (fits && got != expected))
            fail_msg("%s: %lld, not %lld", text, (long long)got, (long long)expected);
    }
}

static void floats_are_the_nearest_double(void **state)
{
    (void)state;
    static const char *const hard[] = {"9007199254740993",
                                       "0.1",
                                       "2.2250738585072011e-308",
                                       "179769313486231580793728971405301e276",
                                       "1e23",
                                       "8.442911973260991817129021e-309",
                                       "123456789012345678",
                                       "0.000000000000000000000000000000000000000000000000001",
                                       "1e22",
                                       "1e-22",
                                       "999999999999999e22",
                                       "9007199254740992.5"};
    struct decimal d;
    for (size_t i = 0; i < sizeof hard / sizeof *hard; i++) {
        CHECK(decimal_parse(span_text(hard[i]), &d));
        CHECK(decimal_double(span_text(hard[i]), &d) == strtod(hard[i], NULL));
    }
    seed = 2;
    for (int i = 0; i < 200000; i++) {
        char text[64];
        unsigned long long a = next() % (i % 3 ? 1000000000 : UINT64_MAX),
                           b = next() % 1000000000;
        if (i % 2)
            snprintf(text, sizeof text, "%s%llu.%llue%d", i % 5 ? "" : "-", a, b,
                     (int)(next() % 60) - 30);
        else
            snprintf(text, sizeof text, "%llu.%06llu", a % 1000, b % 1000000);
        if (!decimal_parse(span_text(text), &d)) fail_msg("%s", text);
        double got = decimal_double(span_text(text), &d), want = strtod(text, NULL);
        if (memcmp(&got, &want, sizeof got) != 0)
            fail_msg("%s: %.17g, not %.17g", text, got, want);
    }
}

static void numbers_mean_the_same_in_every_locale(void **state)
{
    (void)state;
    struct decimal d;
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "ps_AF"};
    for (size_t i = 0; i < sizeof names / sizeof *names && !setlocale(LC_NUMERIC, names[i]);)
        i++;
    CHECK(decimal_parse(SPAN_TEXT("1.5e-300"), &d));
    CHECK(decimal_double(SPAN_TEXT("1.5e-300"), &d) == 1.5e-300);
    CHECK(decimal_parse(SPAN_TEXT("1.25"), &d));
    CHECK(decimal_double(SPAN_TEXT("1.25"), &d) == 1.25);
    CHECK(setlocale(LC_NUMERIC, "C"));
}

static void shown_text_is_harmless_and_short(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"plain", "plain"},
        {"", ""},
        {"\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9"},
        {"a\nb\rc\td\\e", "a\\nb\\rc\\td\\\\e"},
        {"\x1b[2J", "\\x1b[2J"},
        {"\x7f", "\\x7f"},
        {"\xc2\x9b", "\\xc2\\x9b"}, /* CSI, one character */
        {"\xe2\x80\xae"
         "x",
         "\\xe2\\x80\\xaex"}, /* right-to-left override */
        {"\xff\xfe", "\\xff\\xfe"},
        {"\xc3", "\\xc3"},
        {"\xe2\x82", "\\xe2\\x82"},
        {"\xc2\xa0", "\\xc2\\xa0"},
        {"\xef\xbb\xbfx", "\\xef\\xbb\\xbfx"},
        {"\xf0\x9f\x97\xbe", "\xf0\x9f\x97\xbe"},
        {"012345678901234567890", "012345678901234567890"},
        {"01234567890123456789012", "01234567890123456789012"},
        {"012345678901234567890123", "01234567890123456789..."},
        {"0123456789012345678\xc3\xa9xxxxxx", "0123456789012345678..."},
        {"0123456789012345678901\n", "01234567890123456789..."},
    };
    char out[24];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        text_show(span_text(cases[i].text), out, sizeof out);
        if (strcmp(out, cases[i].shown) != 0) fail_msg("case %zu: %s", i, out);
    }
    seed = 3;
    for (int i = 0; i < 20000; i++) {
        uint8_t text[40], len = (uint8_t)(next() % sizeof text);
        for (size_t k = 0; k < len; k++)
            text[k] = (uint8_t)next();
        memset(out, 'z', sizeof out);
        text_show(span_of(text, len), out, sizeof out);
        json_t *as_json =
            json_stringn(out, strnlen(out, sizeof out)); /* refuses what is not UTF-8 */
        CHECK(memchr(out, 0, sizeof out) && as_json);
        for (const char *p = out; *p; p++)
            CHECK((uint8_t)*p >= 0x20 && *p != 0x7f);
        json_decref(as_json);
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
    int32_t lat = (int32_t)(next() % 1800000001) - 900000000,
            lon = (int32_t)((int64_t)(next() % 3600000001) - 1800000000),
            days = (int32_t)(next() % 2932897);
    double f = ldexp((double)(int64_t)next(), (int)(next() % 100) - 80);
    int64_t i64 = (int64_t)next();
    const char *c = texts[next() % 9];
    for (size_t i = 0; i < ROWS_COLUMNS; i++)
        missing[i] = i > 1 && next() % 4 == 0;
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
        bool quote = !missing[i] &&
                     (strpbrk(cell[i], ",;|\t\"") || cell[i][0] == ' ' || next() % 5 == 0);
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
    size_t n_groups = 0;
    struct reader_options o = {
        .map = "latitude=1,longitude=2", .group = count_groups, .context = &n_groups};
    CHECK(pipe(ends) == 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    long before = peak_kib();
    CHECK(pthread_create(&thread, NULL, pipe_fill, &ends[1]) == 0);
    CHECK_OK(reader_run(path, &rows_places, &o, &r.complaints, &r.summary, &r.error));
    pthread_join(thread, NULL);
    close(ends[0]);
    CHECK(r.summary.rows == PIPED_ROWS && n_groups == (PIPED_ROWS + 65535) / 65536);
    CHECK(before > 0 && peak_kib() - before < 8 * 1024);
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
        cmocka_unit_test(csv_of_many_forms_is_read),
        cmocka_unit_test(quotes_hide_delimiters_quotes_and_line_ends),
        cmocka_unit_test(every_type_has_its_texts),
        cmocka_unit_test(bad_cells_are_named_with_row_line_column_value_and_reason),
        cmocka_unit_test(lines_are_counted_through_quotes_and_any_line_end),
        cmocka_unit_test(every_bad_row_is_counted_and_the_first_hundred_are_listed),
        cmocka_unit_test(after_a_bad_row_no_group_is_handed_on),
        cmocka_unit_test(files_that_are_no_rows_are_refused_with_the_place),
        cmocka_unit_test(what_is_not_a_file_is_said),
        cmocka_unit_test(rows_and_fields_beyond_the_limits_are_refused),
        cmocka_unit_test(decimal_commas_and_texts_do_not_mislead_about_the_delimiter),
        cmocka_unit_test(maps_say_which_column_is_which),
        cmocka_unit_test(an_offered_map_can_be_given_back),
        cmocka_unit_test(columns_left_out_are_listed_once),
        cmocka_unit_test(json_lists_lines_and_geojson_are_read),
        cmocka_unit_test(bad_json_rows_are_named),
        cmocka_unit_test(bad_features_are_named),
        cmocka_unit_test(what_is_not_json_is_refused_with_the_place),
        cmocka_unit_test(degrees_are_rounded_exactly_halves_away_from_zero),
        cmocka_unit_test(floats_are_the_nearest_double),
        cmocka_unit_test(numbers_mean_the_same_in_every_locale),
        cmocka_unit_test(shown_text_is_harmless_and_short),
        cmocka_unit_test(rows_of_random_cells_come_back_from_every_form),
        cmocka_unit_test(no_matter_where_a_piece_ends),
        cmocka_unit_test(memory_stays_bounded_whatever_the_size),
        cmocka_unit_test(the_original_format_is_taken_and_refused_as_it_should),
        cmocka_unit_test(every_messy_file_ends_as_expected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
