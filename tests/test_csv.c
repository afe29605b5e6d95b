/* CSV of every make, from bytes to cells, and what is said about cells and files that are not
 * good. */
#include "client/lib/csv.h"
#include "tests/check.h"
#include "tests/client/rows.h"

#include <stdio.h>

static struct rows_read r;

static void csv_of_many_forms_is_read(void **state)
{
    (void)state;
    static const struct rows_case cases[] = {
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
    ROWS_ALL_TAKEN(cases, &rows_places);
}

static void quotes_hide_delimiters_quotes_and_line_ends(void **state)
{
    (void)state;
    static const struct rows_case cases[] = {
        {"lat,lon,f,i,c,b,d\n1,2,,,\"a,b\",,\n", NULL, "10000000,20000000,-,-,a,b,-,-\n"},
        {"lat,lon,f,i,c,b,d\n1,2,,,\"say \"\"hi\"\"\",,\n", NULL,
         "10000000,20000000,-,-,say \"hi\",-,-\n"},
        {"lat,lon,f,i,c,b,d\n1,2,,,\"\"\"\",,\n", NULL, "10000000,20000000,-,-,\",-,-\n"},
        {"lat,lon,f,i,c,b,d\n1,2,,,\"\",,\n", NULL, "10000000,20000000,-,-,-,-,-\n"},
        {"lat,lon,f,i,c,b,d\n1,2,,, in the\"middle ,,\n", NULL,
         "10000000,20000000,-,-,in the\"middle,-,-\n"},
        {"lat,lon,f,i,c,b,d\n1,2,,,\" kept \",,\n", NULL, "10000000,20000000,-,-, kept ,-,-\n"},
    };
    ROWS_ALL_TAKEN(cases, &rows_all);
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
    static const struct rows_case cases[] = {
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
    ROWS_ALL_TAKEN(cases, &rows_all);
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
        uint64_t row, line; /* of the last bad row */
    } cases[] = {
        {"lat,lon,f,i,c,b,d\nx,0,,,,,", 1, 2},
        {"lat,lon,f,i,c,b,d\r\n\r\n0,0,,,,,\r\nx,0,,,,,\r\n", 2, 4},
        {"lat,lon,f,i,c,b,d\r0,0,,,,,\r\rx,0,,,,,\r", 2, 4},
        {"\"lat\",lon,f,i,c,b,d\n\"0\n\",0,,,,,\n0,0,,,,,\n", 1, 2},
        {"lat,lon,f,i,c,b,d\nx\"\n0,0,,,,,\n", 1, 2},
        {"lat,lon,f,i,c,b,d\n0,0,,,\"\n\n\",,\n", 1, 2},
        {"lat,lon,f,i,\"c\",b,d\r\n\"0\",0,,,,\"0\",\r\n0,0,,,\"a\r\nb\r\n\",,\r\nx,0,,,,,", 3,
         6},
        {"lat,lon,f,i,c,b,d\n0,0,,,\"a\rb\nc\r\",,\nx,0,,,,,\n", 2, 6},
        {"lat,lon,f,i,c,b,d\n,,,\"\n\n\",,,\n", 1, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rows_from(span_text(cases[i].file), NULL, &rows_all, &r);
        const struct complaint *c = &r.complaints.item[r.complaints.n - 1];
        if (r.status != APEX_E_DATA || r.complaints.n < 1 || c->row != cases[i].row ||
            c->line != cases[i].line)
            fail_msg("%s: status %d, row %d, line %d", cases[i].file, (int)r.status,
                     (int)c->row, (int)c->line);
        rows_clear(&r);
    }
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
    static const struct rows_case cases[] = {
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
        {"{\"x\": {\"features\": [7]}, \"a\": 1, \"b\": 2}\n", "latitude=a,longitude=b",
         "10000000,20000000\n"},
        {"[{\"a\": 1, \"longitude\": 2, \"rest\": [1, {\"a\": 3}]}]", "latitude=a",
         "10000000,20000000\n"},
    };
    ROWS_ALL_TAKEN(cases, &rows_places);
    static const struct rows_refusal refused[] = {
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
    ROWS_ALL_REFUSED(refused);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_of_many_forms_is_read),
        cmocka_unit_test(quotes_hide_delimiters_quotes_and_line_ends),
        cmocka_unit_test(every_type_has_its_texts),
        cmocka_unit_test(bad_cells_are_named_with_row_line_column_value_and_reason),
        cmocka_unit_test(lines_are_counted_through_quotes_and_any_line_end),
        cmocka_unit_test(rows_and_fields_beyond_the_limits_are_refused),
        cmocka_unit_test(decimal_commas_and_texts_do_not_mislead_about_the_delimiter),
        cmocka_unit_test(maps_say_which_column_is_which),
        cmocka_unit_test(an_offered_map_can_be_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
