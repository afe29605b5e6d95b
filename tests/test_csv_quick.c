/* The quick way through CSV beside the careful one: the same groups, the same complaints, for
 * files of all kinds and every level of instructions. */
#include "client/lib/cell.h"
#include "client/lib/decimal.h"
#include "client/lib/numerals.h"
#include "client/lib/scan.h"
#include "common/base/buffer.h"
#include "common/num/simd.h"
#include "tests/check.h"
#include "tests/client/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static uint64_t seed;

static size_t pick(size_t n)
{
    return (size_t)(splitmix64(&seed) % n);
}

static int every_level(void **state)
{
    (void)state;
    simd_level_limit(SIMD_LEVEL_512);
    return 0;
}

/* Mostly decimals of up to 16 bytes, and whatever else stands in such a cell. */
static size_t cell_make(uint8_t *at)
{
    static const char odd[] = "0123456789.-+e ,";
    size_t len = pick(12) ? 1 + pick(NUMERAL_LEN_MAX) : pick(20), point = pick(24);
    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)(i == 0 && pick(2) ? '-' : i == point ? '.' : '0' + (int)pick(10));
    if (len && pick(16) == 0) at[pick(len)] = (uint8_t)odd[pick(sizeof odd - 1)];
    return len;
}

enum { CELLS = 24, CELL_SPACE = 20 };
struct cells {
    uint8_t space[NUMERAL_LEN_MAX + CELLS * (CELL_SPACE + 1)];
    uint32_t stop[CELLS + NUMERALS_AT_ONCE], len[CELLS + NUMERALS_AT_ONCE];
    size_t n;
};

static void cells_make(struct cells *c)
{
    size_t at = NUMERAL_LEN_MAX;
    c->n = 1 + pick(CELLS);
    for (size_t i = 0; i < c->n; i++) {
        size_t len = cell_make(c->space + at);
        at += len;
        c->stop[i] = (uint32_t)(at - NUMERAL_LEN_MAX);
        c->len[i] = (uint32_t)len;
        c->space[at++] = (uint8_t)splitmix64(&seed);
    }
}

static void cell_compare(struct span text, int64_t value, unsigned places)
{
    int64_t whole;
    struct decimal d;
    if (!decimal_scaled(text, (int)places, &whole) || whole != value)
        fail_msg("%.*s: %lld / 10^%u", (int)text.len, (const char *)text.data, (long long)value,
                 places);
    CHECK(decimal_parse(text, &d) && d.fraction.len == places);
}

static void numerals_are_the_decimals_they_are_at_every_level(void **state)
{
    (void)state;
    static struct cells c;
    static int64_t value[3][CELLS + NUMERALS_AT_ONCE];
    static uint8_t places[3][CELLS + NUMERALS_AT_ONCE];
    const uint8_t *text = c.space + NUMERAL_LEN_MAX;
    size_t n[3], taken = 0;
    seed = 1;
    for (int round = 0; round < 1000000; round++) {
        cells_make(&c);
        for (int level = 0; level < 3; level++) {
            simd_level_limit((enum simd_level)level);
            n[level] = numerals_read(text, c.stop, c.len, c.n, value[level], places[level]);
        }
        for (size_t i = 0; i < n[0]; i++)
            cell_compare(span_of(text + c.stop[i] - c.len[i], c.len[i]), value[0][i],
                         places[0][i]);
        for (int level = 1; level < 3; level++) {
            CHECK(n[level] <= n[0] && n[0] - n[level] < NUMERALS_AT_ONCE);
            CHECK(memcmp(value[level], value[0], n[level] * sizeof(int64_t)) == 0);
            CHECK(memcmp(places[level], places[0], n[level]) == 0);
        }
        taken += n[2];
    }
    CHECK(taken > 2000000);
}

/* The same, byte by byte. */
static size_t ends_naive(const uint8_t *text, size_t len, uint32_t *ends, size_t most)
{
    size_t n = 0;
    for (size_t i = 0; i < len && n < most; i++) {
        bool lone = text[i] == '\r' && (i + 1 == len || text[i + 1] != '\n');
        if (text[i] == '"' || lone) break;
        if (text[i] == ';' || text[i] == '\n') ends[n++] = (uint32_t)i;
    }
    return n;
}

static void ends_are_found_up_to_the_first_quote_or_lone_cr(void **state)
{
    (void)state;
    enum { LEN = 400 };
    static uint8_t text[LEN + SCAN_SLACK];
    static uint32_t ends[LEN + SCAN_SLACK], naive[LEN];
    static const char kinds[] = "aaaaaaaaaa;;\n\n\r\"";
    seed = 2;
    for (int round = 0; round < 100000; round++) {
        size_t len = pick(LEN), most = 1 + pick(LEN), few = 10 + pick(sizeof kinds - 10);
        for (size_t i = 0; i < sizeof text; i++)
            text[i] = (uint8_t)kinds[pick(pick(50) ? few : sizeof kinds - 1)];
        for (size_t i = 0; i + 1 < sizeof text; i++)
            if (text[i] == '\r' && pick(30)) text[i + 1] = '\n';
        size_t expected = ends_naive(text, len, naive, LEN);
        for (int level = 0; level < 3; level++) {
            bool crlf;
            simd_level_limit((enum simd_level)level);
            size_t n = scan_ends(text, len, ';', ends, most, &crlf);
            CHECK(n == expected || (n >= most && n < most + SCAN_SLACK && n <= expected));
            CHECK(memcmp(ends, naive, n * sizeof *ends) == 0);
            for (size_t i = 0; i < n; i++)
                CHECK(crlf || text[ends[i]] != '\n' || ends[i] == 0 ||
                      text[ends[i] - 1] != '\r');
        }
    }
}

/* Whole files. */

enum { N_COLUMNS = 7 };
static struct manifest_column columns[N_COLUMNS] = {
    {.name = "lat", .type = COLUMN_LATITUDE, .has_min = true, .min = -89.9999999},
    {.name = "lon", .type = COLUMN_LONGITUDE, .missing = true, .has_max = true, .max = 178.25},
    {.name = "f", .type = COLUMN_FLOAT64, .missing = true, .has_min = true, .min = -1e9},
    {.name = "i", .type = COLUMN_INT64, .missing = true, .has_max = true, .max = 9e14},
    {.name = "c", .type = COLUMN_CATEGORY, .missing = true},
    {.name = "b", .type = COLUMN_BOOL},
    {.name = "d", .type = COLUMN_DATE, .missing = true},
};
static const char *const odd_cells[] = {"",
                                        " ",
                                        "-",
                                        ".",
                                        "-.",
                                        "1.",
                                        ".5",
                                        "-.5",
                                        "+7",
                                        "-0",
                                        "-0.0",
                                        "-0e5",
                                        "1e2",
                                        "25e-1",
                                        "--1",
                                        "1-",
                                        "0x1",
                                        "nan",
                                        "-inf",
                                        "1,5",
                                        " 12 ",
                                        "\t3",
                                        "00000000000000001",
                                        "0000000000000000000000000000000000001.5",
                                        "90.00000004",
                                        "90.00000005",
                                        "-89.99999994",
                                        "-90",
                                        "178.25",
                                        "178.2500001",
                                        "12.34567891234567",
                                        "9007199254740993",
                                        "9999999999999999",
                                        "123456789012345678901234567890",
                                        "9223372036854775807",
                                        "0.1",
                                        ".000000000000001",
                                        "true",
                                        "no",
                                        "2024-02-29",
                                        "2023-02-29",
                                        "\"7\"",
                                        "\"a\"\"b\"",
                                        "\"x\ny\"",
                                        "x\"y",
                                        "\xc3\xa9",
                                        "\xff",
                                        "a\rb"};
enum { N_ODD = sizeof odd_cells / sizeof *odd_cells };
/* Unusual, and yet right for the first three columns and the fifth. */
static const char *const mild_cells[] = {
    "+7",    "-0",    "-0.0", "-0e5",   "1e1",
    "25e-1", "1.",    ".5",   " 12 ",   "\t3",
    "\"7\"", "\"7\"", "-.5",  "0003.5", "12.34567891234567"};
enum { N_MILD = sizeof mild_cells / sizeof *mild_cells };

static void good_cell(struct buffer *file, size_t column)
{
    char text[40];
    int places = (int)pick(9),
        tens[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    int fraction = (int)pick((size_t)tens[places]);
    const char *sign = pick(2) ? "-" : "";
    switch (column) {
    case 0:
        snprintf(text, sizeof text, "%s%d.%0*d", sign, (int)pick(90), places, fraction);
        break;
    case 1:
        snprintf(text, sizeof text, "%s%d.%0*d", sign, (int)pick(178), places, fraction);
        break;
    case 2:
        snprintf(text, sizeof text, pick(3) ? "%.6f" : "%.17g",
                 (double)(int64_t)splitmix64(&seed) / 1e12);
        break;
    case 3:
        snprintf(text, sizeof text, "%s%llu", sign, (unsigned long long)pick(1000000));
        break;
    case 4: snprintf(text, sizeof text, "kind %d", (int)pick(40)); break;
    case 5: snprintf(text, sizeof text, "%d", (int)pick(2)); break;
    default:
        snprintf(text, sizeof text, "20%02d-0%d-%02d", (int)pick(100), 1 + (int)pick(9),
                 1 + (int)pick(28));
    }
    if (places == 0 && column < 2) text[strlen(text) - 1] = 0; /* no fraction at all */
    buffer_text(file, text);
}

static bool mild_cell(struct buffer *file, size_t column)
{
    if (column == 3 || column > 4) return false;
    buffer_text(file, mild_cells[pick(N_MILD)]);
    return true;
}

/* `odd`: one cell, row or line end in so many is an unusual one; 0: none, but every so often
 * one that is only mildly so. */
static void rows_make(struct buffer *file, const struct manifest_dataset *s, size_t n,
                      size_t odd)
{
    static const char delimiters[] = ",;\t|", *const ends[] = {"\n", "\r\n", "\r", "\n\n",
                                                               "\r\r\n"};
    uint8_t delimiter = (uint8_t)delimiters[pick(4)];
    size_t end = pick(2);
    for (size_t r = 0; r <= n; r++) {
        size_t cells = s->n_columns;
        if (r && odd && pick(8 * odd) == 0) cells += pick(2) ? 1 : (size_t)-1;
        for (size_t i = 0; i < cells; i++) {
            size_t column = i % s->n_columns;
            if (i) buffer_u8(file, delimiter);
            if (r == 0)
                buffer_text(file, s->columns[column].name);
            else if (odd && pick(odd) == 0)
                buffer_text(file, odd_cells[pick(N_ODD)]);
            else if (!s->columns[column].missing || pick(20)) {
                size_t kind = (size_t)(&s->columns[column] - columns);
                if (odd || pick(30) || !mild_cell(file, kind)) good_cell(file, kind);
            }
        }
        buffer_text(file, ends[odd && pick(8 * odd) == 0 ? pick(5) : end]);
    }
    for (size_t i = 0; odd && i < file->len / (100 * odd); i++)
        if (pick(3) == 0) file->data[file->len / 2 + pick(file->len / 2)] = (uint8_t)pick(128);
}

struct outcome {
    apex_status status;
    struct buffer groups;
    struct complaints complaints;
    struct reader_summary summary;
    struct apex_error error;
};

static apex_status group_keep(void *context, struct span group)
{
    struct outcome *o = context;
    buffer_append(&o->groups, group);
    return buffer_ok(&o->groups);
}

static void file_read(const char *path, const struct manifest_dataset *s, bool careful,
                      struct outcome *o)
{
    struct reader_options options = {.group = group_keep, .context = o, .careful = careful};
    memset(&o->error, 0, sizeof o->error);
    o->groups.len = 0;
    o->status = reader_run(path, s, &options, &o->complaints, &o->summary, &o->error);
}

static void same_outcome(const struct outcome *a, const struct outcome *b)
{
    CHECK(a->status == b->status);
    CHECK(strcmp(a->error.what, b->error.what) == 0);
    CHECK(a->summary.rows == b->summary.rows);
    CHECK(a->complaints.total == b->complaints.total);
    CHECK(a->complaints.n == b->complaints.n);
    for (size_t i = 0; i < a->complaints.n; i++) {
        const struct complaint *x = &a->complaints.item[i], *y = &b->complaints.item[i];
        CHECK(x->row == y->row && x->line == y->line && x->reason == y->reason);
        CHECK(strcmp(x->column, y->column) == 0 && strcmp(x->value, y->value) == 0);
    }
    CHECK(span_equal(buffer_span(&a->groups), buffer_span(&b->groups)));
}

/* Returns how many rows were good. */
static size_t n_groups;
static uint64_t file_compare(struct span file, const struct manifest_dataset *s)
{
    static struct outcome careful, quick;
    char path[40];
    int fd = memfd_create("rows", MFD_CLOEXEC);
    CHECK(fd >= 0 && write(fd, file.data, file.len) == (ssize_t)file.len);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    file_read(path, s, true, &careful);
    for (int level = 0; level < 3; level++) {
        simd_level_limit((enum simd_level)level);
        file_read(path, s, false, &quick);
        same_outcome(&quick, &careful);
    }
    close(fd);
    n_groups += careful.groups.len > 0;
    return careful.summary.rows;
}

/* The first n columns, or only one of them. */
static struct manifest_dataset some_columns(size_t from, size_t n)
{
    return (struct manifest_dataset){"rows", n, columns + from};
}

static void the_careful_way_and_the_quick_one_agree_on_every_file(void **state)
{
    (void)state;
    static const size_t odds[] = {0, 3, 20, 200, 2000};
    uint64_t rows = 0;
    seed = 3;
    for (int round = 0; round < 1500; round++) {
        BUFFER_CLEARED file = {0};
        size_t from = pick(3) ? 0 : pick(N_COLUMNS), most = N_COLUMNS - from;
        struct manifest_dataset s = some_columns(from, pick(2) ? 1 + pick(most) : most);
        rows_make(&file, &s, 1 + pick(round % 10 ? 300 : 9000), odds[pick(5)]);
        rows += file_compare(buffer_span(&file), &s);
    }
    CHECK(rows > 400000 && n_groups > 300);
}

static void both_ways_fill_groups_alike(void **state)
{
    (void)state;
    seed = 4;
    for (size_t from = 0; from < 5; from += 2) { /* with and without a category */
        BUFFER_CLEARED file = {0};
        struct manifest_dataset s = some_columns(0, from + 1);
        rows_make(&file, &s, 200000, from == 2 ? 500 : 0);
        CHECK(file_compare(buffer_span(&file), &s) > 100000);
    }
}

static void rows_of_a_thousand_fields_are_cut_alike(void **state)
{
    (void)state;
    BUFFER_CLEARED file = {0};
    struct manifest_dataset s = some_columns(0, 2);
    static struct outcome careful, quick;
    for (int r = 0; r < 400; r++)
        for (int f = 0; f < 1024; f++) {
            buffer_text(&file, r == 0 && f == 7 ? "lat" : r == 0 && f == 1023 ? "lon" : "5");
            buffer_text(&file, f == 1023 ? "\r\n" : ",");
        }
    char path[40];
    int fd = memfd_create("rows", MFD_CLOEXEC);
    CHECK(fd >= 0 && write(fd, file.data, file.len) == (ssize_t)file.len);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    for (int way = 0; way < 2; way++) {
        struct outcome *o = way ? &careful : &quick;
        struct reader_options options = {
            .map = "lat=lat,lon=lon", .group = group_keep, .context = o, .careful = way};
        o->groups.len = 0;
        o->status = reader_run(path, &s, &options, &o->complaints, &o->summary, &o->error);
        CHECK_OK(o->status);
    }
    same_outcome(&quick, &careful);
    CHECK(quick.summary.rows == 399);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(numerals_are_the_decimals_they_are_at_every_level,
                                  every_level),
        cmocka_unit_test_teardown(ends_are_found_up_to_the_first_quote_or_lone_cr, every_level),
        cmocka_unit_test_teardown(the_careful_way_and_the_quick_one_agree_on_every_file,
                                  every_level),
        cmocka_unit_test_teardown(both_ways_fill_groups_alike, every_level),
        cmocka_unit_test(rows_of_a_thousand_fields_are_cut_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
