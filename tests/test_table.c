/* Tables from writer to parser and back. */
#include "common/base/endian.h"
#include "common/wire/table.h"
#include "tests/check.h"
#include "tests/rebuild.h"

#include <math.h>
#include <stdlib.h>

enum { N_TYPES = 7 };
static struct manifest_column all_types[N_TYPES] = {
    {.name = "lat", .type = COLUMN_LATITUDE, .missing = true},
    {.name = "long", .type = COLUMN_LONGITUDE, .missing = true},
    {.name = "float", .type = COLUMN_FLOAT64, .missing = true},
    {.name = "integer", .type = COLUMN_INT64, .missing = true},
    {.name = "kind", .type = COLUMN_CATEGORY, .missing = true},
    {.name = "flag", .type = COLUMN_BOOL, .missing = true},
    {.name = "on", .type = COLUMN_DATE, .missing = true}};
static const struct manifest_dataset all = {"all", N_TYPES, all_types};

static uint8_t *bytes, *again; /* GROUP_BYTES each, 64-byte aligned */
static struct table_group group;

static int setup(void **state)
{
    (void)state;
    bytes = aligned_alloc(64, GROUP_BYTES);
    again = aligned_alloc(64, GROUP_BYTES);
    return bytes && again ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    free(bytes);
    free(again);
    return 0;
}

static uint64_t seed;

static uint64_t next(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed >> 24;
}

static void put(struct table_writer *w, size_t i, enum column_type type, uint64_t value,
                size_t n_texts)
{
    char text[CATEGORY_MAX + 1];
    switch (type) {
    case COLUMN_LATITUDE:
    case COLUMN_LONGITUDE:
    case COLUMN_DATE: table_writer_i32(w, i, (int32_t)(uint32_t)value); return;
    case COLUMN_FLOAT64: table_writer_f64(w, i, (double)value / 7 - 1e9); return;
    case COLUMN_INT64: table_writer_i64(w, i, (int64_t)(value << 24)); return;
    case COLUMN_BOOL: table_writer_bool(w, i, value & 1); return;
    case COLUMN_CATEGORY:
        snprintf(text, sizeof text, "%llx%0*d", (unsigned long long)(value % n_texts),
                 (int)(value % 48), 0);
        CHECK_OK(table_writer_category(w, i, span_text(text)));
    }
}

/* Rows until the group is full or `rows` are there; one cell in `gaps` is missing where it may
 * be. Returns the number of rows. */
static size_t fill(struct table_writer *w, const struct manifest_dataset *s, size_t rows,
                   unsigned gaps, size_t n_texts)
{
    bool full = false;
    size_t n = 0;
    for (; n < rows && !full; n++) {
        for (size_t i = 0; i < s->n_columns; i++) {
            if (s->columns[i].missing && next() % gaps == 0)
                table_writer_missing(w, i);
            else
                put(w, i, s->columns[i].type, next(), n_texts);
        }
        CHECK_OK(table_writer_row_end(w, &full));
        CHECK(table_writer_rows(w) == n + 1);
    }
    return n;
}

static void same_when_rebuilt(size_t len, bool last)
{
    static struct manifest_column columns[COLUMNS_MAX];
    size_t again_len;
    CHECK(rebuild_schema(&group, columns));
    CHECK_OK(rebuild(&group, &(struct manifest_dataset){"", group.n_columns, columns}, last,
                     again, &again_len));
    CHECK(again_len == len);
    CHECK(memcmp(bytes, again, len) == 0);
}

static void cells_of_every_type_come_back(void **state)
{
    (void)state;
    struct table_writer *w;
    bool full;
    size_t len;
    CHECK_OK(table_writer_new(&all, &w));
    for (int row = 0; row < 9; row++) {
        table_writer_i32(w, 0, -900000000 + row);
        table_writer_i32(w, 1, 1800000000 - row);
        if (row == 4)
            table_writer_missing(w, 2);
        else
            table_writer_f64(w, 2, row == 0 ? -0.0 : row * 0.1);
        table_writer_i64(w, 3, row % 2 ? INT64_MIN + row : INT64_MAX - row);
        if (row == 8)
            table_writer_missing(w, 4);
        else
            CHECK_OK(table_writer_category(
                w, 4, row % 3 ? SPAN_TEXT("\xc3\xa9t\xc3\xa9") : SPAN_TEXT("hiver")));
        table_writer_bool(w, 5, row % 2);
        table_writer_i32(w, 6, row - 4);
        CHECK_OK(table_writer_row_end(w, &full));
        CHECK(!full);
    }
    CHECK_OK(table_writer_take(w, true, bytes, &len));
    CHECK(len % 64 == 0 && len < 4096 && table_writer_rows(w) == 0);
    CHECK_OK(table_group_parse(span_of(bytes, len), &group));
    CHECK(group.n_rows == 9 && group.n_columns == N_TYPES);
    for (size_t i = 0; i < N_TYPES; i++) {
        CHECK(group.columns[i].type == all_types[i].type &&
              span_equal(group.columns[i].name, span_text(all_types[i].name)));
        CHECK((group.columns[i].validity != NULL) == (i == 2 || i == 4));
        CHECK((uintptr_t)group.columns[i].data % 64 == 0);
    }
    CHECK(rebuild_missing(&group.columns[2], 4) && !rebuild_missing(&group.columns[2], 5) &&
          rebuild_missing(&group.columns[4], 8));
    for (int row = 0; row < 9; row++) {
        CHECK(((const int32_t *)group.columns[0].data)[row] == -900000000 + row);
        CHECK(((const int32_t *)group.columns[1].data)[row] == 1800000000 - row);
        double f = ((const double *)group.columns[2].data)[row];
        CHECK(f == (row == 4 ? 0 : row * 0.1) && !signbit(f));
        CHECK(((const int64_t *)group.columns[3].data)[row] ==
              (row % 2 ? INT64_MIN + row : INT64_MAX - row));
        if (row < 8)
            CHECK(span_equal(
                rebuild_text(&group.columns[4], ((const uint32_t *)group.columns[4].data)[row]),
                row % 3 ? SPAN_TEXT("\xc3\xa9t\xc3\xa9") : SPAN_TEXT("hiver")));
        CHECK(((const uint8_t *)group.columns[5].data)[row] == row % 2);
        CHECK(((const int32_t *)group.columns[6].data)[row] == row - 4);
    }
    CHECK(group.columns[4].n_dict == 2);
    CHECK_STATUS(table_writer_take(w, true, bytes, &len),
                 APEX_E_USAGE); /* nothing was written since */
    table_writer_free(w);
}

static void equal_rows_give_equal_bytes_after_any_group_before(void **state)
{
    (void)state;
    struct table_writer *w;
    size_t len, len2;
    CHECK_OK(table_writer_new(&all, &w));
    seed = 5;
    fill(w, &all, 100, 1u << 31, 9); /* none is missing */
    CHECK_OK(table_writer_take(w, true, bytes, &len));
    seed = 99;
    fill(w, &all, 3000, 2, 500); /* leaves traces, if any are left */
    CHECK_OK(table_writer_take(w, true, again, &len2));
    seed = 5;
    fill(w, &all, 100, 1u << 31, 9);
    CHECK_OK(table_writer_take(w, true, again, &len2));
    CHECK(len == len2 && memcmp(bytes, again, len) == 0);
    table_writer_free(w);
}

static void schema_random(struct manifest_dataset *s, struct manifest_column *columns, size_t n)
{
    *s = (struct manifest_dataset){"random", n, columns};
    for (size_t i = 0; i < n; i++) {
        columns[i] = (struct manifest_column){.type = (enum column_type)(1 + next() % N_TYPES),
                                              .missing = next() % 2};
        snprintf(columns[i].name, sizeof columns[i].name, "c%zu%.*s", i, (int)(next() % 40),
                 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    }
}

static void full_groups_of_any_schema_fit_and_come_back(void **state)
{
    (void)state;
    static struct manifest_column columns[COLUMNS_MAX];
    static const size_t widths[] = {1, 1, 1, 2, 3, 5, 8, 13, 40, 100, 256};
    for (size_t round = 0; round < 3 * sizeof widths / sizeof *widths; round++) {
        struct manifest_dataset s;
        struct table_writer *w;
        size_t len;
        seed = 1000 + round;
        schema_random(&s, columns, widths[round / 3]);
        CHECK(table_rows_per_group(&s) % 64 == 0 && table_rows_per_group(&s) <= GROUP_ROWS_MAX);
        CHECK_OK(table_writer_new(&s, &w));
        size_t n =
            fill(w, &s, SIZE_MAX, 1 + (unsigned)(round % 3) * 10, round % 2 ? 50 : 1 << 20);
        CHECK(n <= table_rows_per_group(&s));
        CHECK_OK(table_writer_take(w, false, bytes, &len));
        CHECK(len == GROUP_BYTES);
        CHECK_OK(table_group_parse(span_of(bytes, len), &group));
        CHECK(group.n_rows == n);
        size_t row, column;
        CHECK_OK(table_group_check(&group, &s, &row, &column));
        table_writer_free(w);
        if (round % 2)
            same_when_rebuilt(len, false); /* few texts: looking them up takes no time */
    }
}

/* Boundaries: one row, a byte's and an alignment's worth of rows, one more and one less, the
 * last row of a group. */
static void groups_of_every_size_come_back(void **state)
{
    (void)state;
    size_t most = table_rows_per_group(&all);
    const size_t sizes[] = {1,  2,  7,  8,   9,   15,  16,       17,
                            63, 64, 65, 511, 512, 513, most - 1, most};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct table_writer *w;
        size_t len;
        seed = i;
        CHECK_OK(table_writer_new(&all, &w));
        CHECK(fill(w, &all, sizes[i], 4, 20) == sizes[i]);
        CHECK_OK(table_writer_take(w, true, bytes, &len));
        CHECK_OK(table_group_parse(span_of(bytes, len), &group));
        CHECK(group.n_rows == sizes[i]);
        same_when_rebuilt(len, true);
        table_writer_free(w);
    }
}

static size_t small(size_t rows)
{
    struct table_writer *w;
    size_t len;
    seed = 7;
    CHECK_OK(table_writer_new(&all, &w));
    fill(w, &all, rows, 4, 5);
    CHECK_OK(table_writer_take(w, true, bytes, &len));
    table_writer_free(w);
    return len;
}

static void any_changed_byte_is_refused_or_leaves_another_well_formed_group(void **state)
{
    (void)state;
    static struct manifest_column columns[COLUMNS_MAX];
    static const uint8_t changes[] = {1, 2, 4, 8, 16, 32, 64, 128, 0xff};
    size_t len = small(21), again_len, refused = 0, taken = 0;
    for (size_t at = 0; at < len; at++) {
        for (size_t k = 0; k < sizeof changes; k++) {
            bytes[at] ^= changes[k];
            apex_status s = table_group_parse(span_of(bytes, len), &group);
            CHECK(s == APEX_OK || s == APEX_E_FORMAT);
            if (s != APEX_OK)
                refused++;
            else if (rebuild_schema(&group, columns)) {
                taken++;
                CHECK_OK(rebuild(&group,
                                 &(struct manifest_dataset){"", group.n_columns, columns}, true,
                                 again, &again_len));
                if (again_len != len || memcmp(bytes, again, len) != 0)
                    fail_msg("byte %zu with %#x: two forms of one group", at, changes[k]);
            }
            bytes[at] ^= changes[k];
        }
    }
    CHECK(refused > 9 * 500 && taken > 9 * 500); /* both happen */
}

static void a_group_of_another_length_is_refused(void **state)
{
    (void)state;
    size_t len = small(21);
    for (size_t cut = 0; cut < len; cut++)
        CHECK_STATUS(table_group_parse(span_of(bytes, cut), &group), APEX_E_FORMAT);
    for (size_t more = 1; more <= 256; more++)
        CHECK_STATUS(table_group_parse(span_of(bytes, len + more), &group), APEX_E_FORMAT);
    CHECK_OK(table_group_parse(span_of(bytes, GROUP_BYTES),
                               &group)); /* the writer zeroed the rest: a full group */
    bytes[GROUP_BYTES - 1] = 1;
    CHECK_STATUS(table_group_parse(span_of(bytes, GROUP_BYTES), &group), APEX_E_FORMAT);
    memmove(bytes + 8, bytes, len);
    CHECK_STATUS(table_group_parse(span_of(bytes + 8, len), &group),
                 APEX_E_FORMAT); /* not aligned */
    CHECK_STATUS(table_group_parse((struct span){NULL, 0}, &group), APEX_E_FORMAT);
}

/* One column, two rows; the column's head stands at 16, its data at 64. */
static size_t one_column(enum column_type type, bool missing)
{
    struct manifest_column column = {.name = "c", .type = type, .missing = missing};
    const struct manifest_dataset s = {"d", 1, &column};
    struct table_writer *w;
    bool full;
    size_t len;
    CHECK_OK(table_writer_new(&s, &w));
    for (int row = 0; row < 2; row++) {
        if (missing && row)
            table_writer_missing(w, 0);
        else if (type == COLUMN_CATEGORY)
            CHECK_OK(table_writer_category(w, 0, row ? SPAN_TEXT("ab") : SPAN_TEXT("b")));
        else
            put(w, 0, type, 1, 1);
        CHECK_OK(table_writer_row_end(w, &full));
    }
    CHECK_OK(table_writer_take(w, true, bytes, &len));
    table_writer_free(w);
    return len;
}

static void values_without_a_meaning_are_refused(void **state)
{
    (void)state;
    static const double odd[] = {NAN, INFINITY, -INFINITY, -0.0};
    for (size_t i = 0; i < 4; i++) {
        size_t len = one_column(COLUMN_FLOAT64, false);
        CHECK_OK(table_group_parse(span_of(bytes, len), &group));
        memcpy(bytes + 64, &odd[i], 8);
        CHECK_STATUS(table_group_parse(span_of(bytes, len), &group), APEX_E_FORMAT);
    }
    size_t len = one_column(COLUMN_BOOL, false);
    bytes[64] = 2;
    CHECK_STATUS(table_group_parse(span_of(bytes, len), &group), APEX_E_FORMAT);
    len = one_column(COLUMN_INT64, true);
    CHECK_OK(table_group_parse(span_of(bytes, len), &group));
    bytes[64 + 8] = 1; /* a missing cell with a value: a hiding place */
    CHECK_STATUS(table_group_parse(span_of(bytes, len), &group), APEX_E_FORMAT);
    len = one_column(COLUMN_INT64, true);
    bytes[128] |= 2; /* a bitmap, though none is missing */
    CHECK_STATUS(table_group_parse(span_of(bytes, len), &group), APEX_E_FORMAT);
    bytes[128] = 1 | 4; /* a bit beyond the rows */
    CHECK_STATUS(table_group_parse(span_of(bytes, len), &group), APEX_E_FORMAT);
}

static void dictionaries_are_sorted_used_and_text(void **state)
{
    (void)state;
    static const struct {
        const char *dict;
        size_t len;
        uint32_t codes[2];
        bool good;
    } cases[] = {
        {"\2\0\0\0\2\0ab\1\0b", 11, {1, 0}, true},
        {"\2\0\0\0\2\0ab\1\0b", 11, {0, 1}, true},
        {"\2\0\0\0\2\0ab\1\0b", 11, {1, 1}, false}, /* one entry is not used */
        {"\2\0\0\0\2\0ab\1\0b", 11, {1, 2}, false},
        {"\2\0\0\0\1\0b\2\0ab", 11, {1, 0}, false}, /* not ascending */
        {"\2\0\0\0\2\0ab\2\0ab", 12, {1, 0}, false},
        {"\2\0\0\0\1\0a\2\0ab", 11, {1, 0}, true},
        {"\2\0\0\0\0\0\1\0b", 9, {1, 0}, false}, /* an empty text */
        {"\1\0\0\0\2\0ab\1\0b", 11, {0, 0}, false},
        {"\3\0\0\0\2\0ab\1\0b", 11, {1, 0}, false},
        {"\2\0\0\0\2\0a\n\1\0b", 11, {1, 0}, false},
        {"\2\0\0\0\2\0\xc3\x28\2\0\xc3\xa9", 12, {1, 0}, false}, /* not UTF-8 */
        {"\2\0\0\0\1\0b\2\0\xc3\xa9", 11, {1, 0}, true},
        {"\377\377\377\377\2\0ab\1\0b", 11, {1, 0}, false},
        {"\2\0\0\0\2\0ab\377\377b", 11, {1, 0}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len = one_column(COLUMN_CATEGORY, false);
        CHECK(len == 192);
        put_le32(bytes + 64, cases[i].codes[0]);
        put_le32(bytes + 68, cases[i].codes[1]);
        memset(bytes + 128, 0, 64);
        memcpy(bytes + 128, cases[i].dict, cases[i].len);
        put_le32(bytes + 16 + 16, (uint32_t)cases[i].len);
        apex_status s = table_group_parse(span_of(bytes, len), &group);
        if ((s == APEX_OK) != cases[i].good) fail_msg("case %zu: %d", i, s);
    }
}

static void texts_too_short_or_too_long_are_not_written(void **state)
{
    (void)state;
    struct table_writer *w;
    char text[CATEGORY_MAX + 1];
    memset(text, 'x', sizeof text);
    CHECK_OK(table_writer_new(&all, &w));
    CHECK_STATUS(table_writer_category(w, 4, SPAN_TEXT("")), APEX_E_DATA);
    CHECK_STATUS(table_writer_category(w, 4, SPAN(text)), APEX_E_DATA);
    CHECK_OK(table_writer_category(w, 4, span_of(text, CATEGORY_MAX)));
    table_writer_free(w);
}

static void a_schema_is_checked_cell_by_cell(void **state)
{
    (void)state;
    struct manifest_column columns[N_TYPES];
    struct manifest_dataset s = {"all", N_TYPES, columns};
    struct table_writer *w;
    bool full;
    size_t len, row, column;
    memcpy(columns, all_types, sizeof columns);
    CHECK_OK(table_writer_new(&all, &w));
    for (int r = 0; r < 20; r++) {
        table_writer_i32(w, 0, r * 10000000);
        table_writer_i32(w, 1, -r * 10000000);
        table_writer_f64(w, 2, r / 2.0);
        if (r == 13)
            table_writer_missing(w, 3);
        else
            table_writer_i64(w, 3, r);
        CHECK_OK(table_writer_category(w, 4, r == 7 ? SPAN_TEXT("u") : SPAN_TEXT("t")));
        table_writer_bool(w, 5, true);
        table_writer_i32(w, 6, r);
        CHECK_OK(table_writer_row_end(w, &full));
    }
    CHECK_OK(table_writer_take(w, true, bytes, &len));
    table_writer_free(w);
    CHECK_OK(table_group_parse(span_of(bytes, len), &group));
    CHECK_OK(table_group_check(&group, &s, &row, &column));
    static const struct {
        size_t column;
        bool is_max;
        double bound;
        size_t row; /* the first out of bounds, or 20 */
    } cases[] = {{0, true, 19, 20},        {0, true, 18.9999999, 19}, {0, false, 0, 20},
                 {0, false, 0.0000001, 0}, {1, false, -19, 20},       {1, false, -7, 8},
                 {2, true, 9.5, 20},       {2, true, 2, 5},           {3, true, 19, 20},
                 {3, true, 12, 14},        {3, true, 14, 15},         {6, false, 1, 0},
                 {6, true, 3, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct manifest_column *c = &columns[cases[i].column];
        if (cases[i].is_max)
            *c = (struct manifest_column){
                .type = c->type, .missing = true, .has_max = true, .max = cases[i].bound};
        else
            *c = (struct manifest_column){
                .type = c->type, .missing = true, .has_min = true, .min = cases[i].bound};
        memcpy(c->name, all_types[cases[i].column].name, sizeof c->name);
        apex_status got = table_group_check(&group, &s, &row, &column);
        CHECK_STATUS(got, cases[i].row == 20 ? APEX_OK : APEX_E_DATA);
        if (got != APEX_OK) CHECK(row == cases[i].row && column == cases[i].column);
        *c = all_types[cases[i].column];
    }
    columns[3].missing = false;
    CHECK_STATUS(table_group_check(&group, &s, &row, &column), APEX_E_DATA);
    CHECK(row == 13 && column == 3);
    columns[6].has_min = true; /* an earlier row in a later column comes first */
    columns[6].min = 5;
    CHECK_STATUS(table_group_check(&group, &s, &row, &column), APEX_E_DATA);
    CHECK(row == 0 && column == 6);
    memcpy(columns, all_types, sizeof columns);
    static char values[2][CATEGORY_MAX + 1] = {"t", "u"};
    columns[4].values = values;
    columns[4].n_values = 2;
    CHECK_OK(table_group_check(&group, &s, &row, &column));
    columns[4].n_values = 1; /* a text that the manifest does not list */
    CHECK_STATUS(table_group_check(&group, &s, &row, &column), APEX_E_DATA);
    CHECK(row == 7 && column == 4);
    memcpy(columns, all_types, sizeof columns);
    columns[2].type = COLUMN_INT64;
    CHECK_STATUS(table_group_check(&group, &s, &row, &column), APEX_E_FORMAT);
    columns[2] = all_types[2];
    columns[2].name[0] = 'F';
    CHECK_STATUS(table_group_check(&group, &s, &row, &column), APEX_E_FORMAT);
    columns[2] = all_types[2];
    s.n_columns--;
    CHECK_STATUS(table_group_check(&group, &s, &row, &column), APEX_E_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_of_every_type_come_back),
        cmocka_unit_test(equal_rows_give_equal_bytes_after_any_group_before),
        cmocka_unit_test(full_groups_of_any_schema_fit_and_come_back),
        cmocka_unit_test(groups_of_every_size_come_back),
        cmocka_unit_test(any_changed_byte_is_refused_or_leaves_another_well_formed_group),
        cmocka_unit_test(a_group_of_another_length_is_refused),
        cmocka_unit_test(values_without_a_meaning_are_refused),
        cmocka_unit_test(dictionaries_are_sorted_used_and_text),
        cmocka_unit_test(texts_too_short_or_too_long_are_not_written),
        cmocka_unit_test(a_schema_is_checked_cell_by_cell),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
