#include "client/lib/cell.h"

#include "client/lib/decimal.h"
#include "common/wire/cbor.h"

#include <math.h>

static const char *const bool_words[] = {"false", "true",  "0",    "1",  "False",
                                         "True",  "FALSE", "TRUE", "no", "yes"};
enum { N_BOOL_WORDS = sizeof bool_words / sizeof *bool_words };

static bool is_word(struct span t, const char *word)
{
    size_t i = 0;
    for (; i < t.len && word[i]; i++)
        if ((t.data[i] | 0x20) != (uint8_t)word[i]) return false;
    return i == t.len && !word[i];
}

/* Digits with one comma in them, as many countries write decimals. */
static bool has_decimal_comma(struct span t)
{
    size_t commas = 0;
    for (size_t i = 0; i < t.len; i++) {
        bool digit = t.data[i] >= '0' && t.data[i] <= '9', sign = i == 0 && t.data[i] == '-';
        commas += t.data[i] == ',';
        if (!digit && !sign && t.data[i] != ',') return false;
    }
    return commas == 1;
}

static const char *not_number(const struct raw_cell *raw)
{
    static const char *const infinite[] = {"nan", "inf", "infinity"};
    static const char *const missing[] = {"na", "n/a", "null", "none"};
    struct span t = raw->text;
    if (raw->kind == CELL_TRUE || raw->kind == CELL_FALSE)
        return "a number is expected, not true or false";
    if (t.len > DECIMAL_TEXT_MAX) return "a number has at most 400 characters";
    if (has_decimal_comma(t)) return "not a number; write decimals with a point";
    for (size_t i = 0; i < 4; i++)
        if (is_word(t, missing[i]))
            return "not a number; leave the cell empty if the value is missing";
    if (t.len && (t.data[0] == '-' || t.data[0] == '+')) t = span_of(t.data + 1, t.len - 1);
    for (size_t i = 0; i < 3; i++)
        if (is_word(t, infinite[i])) return "not a finite number";
    return "not a number";
}

static const char *bounds(double v, const struct manifest_column *c)
{
    if (c->has_min && v < c->min) return "below the least value the contract allows";
    return c->has_max && v > c->max ? "above the greatest value the contract allows" : NULL;
}

static const char *degrees_parse(const struct raw_cell *raw, const struct manifest_column *c,
                                 struct cell *cell)
{
    bool latitude = c->type == COLUMN_LATITUDE;
    int64_t v, most = latitude ? INT64_C(900000000) : INT64_C(1800000000);
    struct decimal d;
    if (!decimal_parse(raw->text, &d)) return not_number(raw);
    if (!decimal_round(&d, 7, &v) || v > most || v < -most)
        return latitude ? "a latitude lies between -90 and 90 degrees"
                        : "a longitude lies between -180 and 180 degrees";
    cell->i32 = (int32_t)v;
    return bounds(cell->i32 / 1e7, c);
}

static const char *float_parse(const struct raw_cell *raw, const struct manifest_column *c,
                               struct cell *cell)
{
    struct decimal d;
    if (!decimal_parse(raw->text, &d)) return not_number(raw);
    cell->f64 = decimal_double(raw->text, &d);
    return isfinite(cell->f64) ? bounds(cell->f64, c) : "too large for a float64";
}

static const char *int_parse(const struct raw_cell *raw, const struct manifest_column *c,
                             struct cell *cell)
{
    struct decimal d;
    if (!decimal_parse(raw->text, &d)) return not_number(raw);
    if (!decimal_whole(&d)) return "a whole number is expected";
    if (!decimal_round(&d, 0, &cell->i64)) return "too large for an int64";
    return bounds((double)cell->i64, c);
}

static const char *category_parse(const struct raw_cell *raw, const struct manifest_column *c,
                                  struct cell *cell)
{
    struct span t = raw->text;
    if (t.len == 0) return "the text is empty; use null if the value is missing";
    if (t.len > CATEGORY_MAX) return "a category has at most 64 bytes";
    if (!cbor_utf8_valid(t)) return "not UTF-8 text";
    for (size_t i = 0; i < t.len; i++)
        if (t.data[i] < 0x20 || t.data[i] == 0x7f)
            return "control characters are not allowed in a category";
    if (!manifest_column_allows(c, t)) return "not one of the values that the manifest lists";
    cell->text = t;
    return NULL;
}

static bool bool_word(struct span text, bool *value)
{
    for (size_t i = 0; i < N_BOOL_WORDS; i++) {
        if (!span_equal(text, span_text(bool_words[i]))) continue;
        *value = i % 2 == 1;
        return true;
    }
    return false;
}

static const char *bool_parse(const struct raw_cell *raw, bool csv, struct cell *cell)
{
    cell->b = raw->kind == CELL_TRUE;
    if (raw->kind == CELL_TRUE || raw->kind == CELL_FALSE) return NULL;
    return csv && bool_word(raw->text, &cell->b) ? NULL : "true or false is expected";
}

/* Days since 1970-01-01. Source: H. Hinnant, chrono-compatible low-level date algorithms. */
static int32_t days_of(int y, unsigned m, unsigned d)
{
    y -= m <= 2;
    int era = (y >= 0 ? y : y - 399) / 400;
    unsigned yoe = (unsigned)(y - era * 400);
    unsigned doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    return era * 146097 + (int)(yoe * 365 + yoe / 4 - yoe / 100 + doy) - 719468;
}

/* YYYY-MM-DD (ISO 8601); whether there is such a day is asked after. */
static bool date_form(struct span t, unsigned part[static 3])
{
    static const char form[] = "0000-11-22";
    if (t.len != sizeof form - 1) return false;
    part[0] = part[1] = part[2] = 0;
    for (size_t i = 0; i < t.len; i++) {
        bool digit = t.data[i] >= '0' && t.data[i] <= '9';
        if (form[i] == '-' ? t.data[i] != '-' : !digit) return false;
        if (digit) part[form[i] - '0'] = part[form[i] - '0'] * 10 + (t.data[i] - '0');
    }
    return true;
}

static const char *date_parse(const struct raw_cell *raw, const struct manifest_column *c,
                              struct cell *cell)
{
    static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned p[3];
    if (!date_form(raw->text, p)) return "a date such as 2026-11-23 is expected";
    bool leap = p[0] % 4 == 0 && (p[0] % 100 != 0 || p[0] % 400 == 0);
    if (p[1] < 1 || p[1] > 12 || p[2] < 1 || p[2] > days[p[1] - 1] + (p[1] == 2 && leap))
        return "there is no such day";
    cell->i32 = days_of((int)p[0], p[1], p[2]);
    return bounds(cell->i32, c);
}

bool decimal_scaled(struct span text, int places, int64_t *value)
{
    struct decimal d;
    return decimal_parse(text, &d) && decimal_round(&d, places, value);
}

bool cell_looks_like_value(struct span text)
{
    struct decimal d;
    unsigned part[3];
    bool b;
    return decimal_parse(text, &d) || date_form(text, part) || bool_word(text, &b);
}

const char *cell_parse(const struct raw_cell *raw, const struct manifest_column *column,
                       bool csv, struct cell *cell)
{
    bool text = raw->kind == CELL_TEXT, number = raw->kind == CELL_NUMBER;
    *cell = (struct cell){.missing = raw->kind == CELL_MISSING};
    if (cell->missing) return column->missing ? NULL : "a value is missing";
    switch (column->type) {
    case COLUMN_BOOL: return bool_parse(raw, csv, cell);
    case COLUMN_CATEGORY:
        return text || number ? category_parse(raw, column, cell) : "a text is expected";
    case COLUMN_DATE:
        return text ? date_parse(raw, column, cell) : "a date such as 2026-11-23 is expected";
    default: break;
    }
    if (text && !csv) return "a number is expected, not a text";
    switch (column->type) {
    case COLUMN_LATITUDE:
    case COLUMN_LONGITUDE: return degrees_parse(raw, column, cell);
    case COLUMN_FLOAT64: return float_parse(raw, column, cell);
    default: return int_parse(raw, column, cell);
    }
}
