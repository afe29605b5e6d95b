#include "client/lib/cell.h"

#include "common/wire/cbor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { NUMBER_TEXT_MAX = 400, SCALED_DIGITS_MAX = 18 };

struct decimal { bool negative; const uint8_t *whole, *fraction; size_t n_whole, n_fraction; int exponent; };

static size_t digits_at(const uint8_t *at, const uint8_t *end)
{
    size_t n = 0;
    while (at + n < end && at[n] >= '0' && at[n] <= '9') n++;
    return n;
}

/* [+-] digits [. digits] [e [+-] digits], with a digit somewhere. */
static bool decimal_parse(struct span t, struct decimal *d)
{
    const uint8_t *p = t.data, *end = t.data + t.len;
    *d = (struct decimal){0};
    if (t.len == 0 || t.len > NUMBER_TEXT_MAX) return false;
    if (*p == '+' || *p == '-') d->negative = *p++ == '-';
    d->whole = p;
    p += d->n_whole = digits_at(p, end);
    if (p < end && *p == '.') {
        d->fraction = ++p;
        p += d->n_fraction = digits_at(p, end);
    }
    if (d->n_whole + d->n_fraction == 0) return false;
    if (p < end && (*p == 'e' || *p == 'E')) {
        bool minus = false;
        if (++p < end && (*p == '+' || *p == '-')) minus = *p++ == '-';
        size_t n = digits_at(p, end);
        if (n == 0 || n > 4) return false;
        for (size_t i = 0; i < n; i++) d->exponent = d->exponent * 10 + (p[i] - '0');
        if (minus) d->exponent = -d->exponent;
        p += n;
    }
    return p == end;
}

static unsigned digit_of(const struct decimal *d, size_t i)
{
    if (i < d->n_whole) return (unsigned)(d->whole[i] - '0');
    return i < d->n_whole + d->n_fraction ? (unsigned)(d->fraction[i - d->n_whole] - '0') : 0;
}

bool decimal_scaled(struct span text, int places, int64_t *value)
{
    struct decimal d;
    int64_t v = 0;
    if (!decimal_parse(text, &d)) return false;
    /* How many of its digits stand before the point once it is scaled. */
    long keep = (long)d.n_whole + d.exponent + places;
    bool significant = false;
    for (long i = 0, taken = 0; i < keep; i++) {
        unsigned digit = digit_of(&d, (size_t)i);
        significant |= digit != 0;
        if (!significant) continue;
        if (++taken > SCALED_DIGITS_MAX) return false;
        v = v * 10 + digit;
    }
    if (keep >= 0 && digit_of(&d, (size_t)keep) >= 5) v++;
    *value = d.negative ? -v : v;
    return true;
}

static const char *not_number(const struct raw_cell *raw)
{
    static const char *const words[] = {"nan", "inf", "infinity", "na", "n/a", "null", "none"};
    char text[16] = "";
    if (raw->kind == CELL_TRUE || raw->kind == CELL_FALSE) return "a number is expected, not true or false";
    struct span t = raw->text;
    if (t.len && (t.data[0] == '-' || t.data[0] == '+')) t = span_of(t.data + 1, t.len - 1);
    for (size_t i = 0; i < t.len && i < sizeof text - 1; i++) text[i] = (char)(t.data[i] | 0x20);
    for (size_t i = 0; i < 3; i++)
        if (strcmp(text, words[i]) == 0) return "not a finite number";
    for (size_t i = 3; i < 7; i++)
        if (strcmp(text, words[i]) == 0) return "not a number; leave the cell empty if the value is missing";
    return "not a number";
}

static const char *scaled_parse(const struct raw_cell *raw, const struct manifest_column *c, struct cell *cell)
{
    int64_t v, most = c->type == COLUMN_LATITUDE ? INT64_C(900000000) : INT64_C(1800000000);
    struct decimal d;
    if (!decimal_parse(raw->text, &d)) return not_number(raw);
    const char *range = c->type == COLUMN_LATITUDE ? "a latitude lies between -90 and 90 degrees" : "a longitude lies between -180 and 180 degrees";
    if (!decimal_scaled(raw->text, 7, &v) || v > most || v < -most) return range;
    cell->i32 = (int32_t)v;
    double degrees = cell->i32 / 1e7;
    return degrees < c->min || degrees > c->max ? "outside the range the contract allows" : NULL;
}

static const char *bounds(double v, const struct manifest_column *c)
{
    if (c->has_min && v < c->min) return "below the least value the contract allows";
    return c->has_max && v > c->max ? "above the greatest value the contract allows" : NULL;
}

static const char *float_parse(const struct raw_cell *raw, const struct manifest_column *c, struct cell *cell)
{
    char text[NUMBER_TEXT_MAX + 1];
    struct decimal d;
    if (!decimal_parse(raw->text, &d)) return not_number(raw);
    memcpy(text, raw->text.data, raw->text.len);
    text[raw->text.len] = 0;
    cell->f64 = strtod(text, NULL);
    return isfinite(cell->f64) ? bounds(cell->f64, c) : "too large for a float64";
}

static bool whole_number(struct span text)
{
    struct decimal d;
    if (!decimal_parse(text, &d)) return false;
    size_t n = d.n_whole + d.n_fraction;
    for (size_t i = 0; i < n; i++)
        if ((long)i >= (long)d.n_whole + d.exponent && digit_of(&d, i) != 0) return false;
    return true;
}

static const char *int_parse(const struct raw_cell *raw, const struct manifest_column *c, struct cell *cell)
{
    struct decimal d;
    if (!decimal_parse(raw->text, &d)) return not_number(raw);
    if (!whole_number(raw->text)) return "a whole number is expected";
    if (!decimal_scaled(raw->text, 0, &cell->i64)) return "too large for an int64 of 18 digits";
    return bounds((double)cell->i64, c);
}

static const char *category_parse(const struct raw_cell *raw, struct cell *cell)
{
    if (raw->text.len > CATEGORY_MAX) return "a category has at most 64 bytes";
    if (!cbor_utf8_valid(raw->text)) return "not UTF-8 text";
    for (size_t i = 0; i < raw->text.len; i++)
        if (raw->text.data[i] < 0x20 || raw->text.data[i] == 0x7f) return "control characters are not allowed in a category";
    cell->text = raw->text;
    return NULL;
}

static const char *bool_parse(const struct raw_cell *raw, bool csv, struct cell *cell)
{
    static const char *const words[] = {"false", "true", "0", "1", "False", "True", "FALSE", "TRUE", "no", "yes"};
    cell->b = raw->kind == CELL_TRUE;
    if (raw->kind == CELL_TRUE || raw->kind == CELL_FALSE) return NULL;
    for (size_t i = 0; csv && i < sizeof words / sizeof *words; i++) {
        if (!span_equal(raw->text, span_text(words[i]))) continue;
        cell->b = i % 2 == 1;
        return NULL;
    }
    return "true or false is expected";
}

/* Days since 1970-01-01. Source: H. Hinnant, chrono-compatible low-level date algorithms. */
static int32_t days_of(int y, unsigned m, unsigned d)
{
    y -= m <= 2;
    int era = (y >= 0 ? y : y - 399) / 400;
    unsigned yoe = (unsigned)(y - era * 400), doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    return era * 146097 + (int)(yoe * 365 + yoe / 4 - yoe / 100 + doy) - 719468;
}

static const char *date_parse(const struct raw_cell *raw, const struct manifest_column *c, struct cell *cell)
{
    static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const uint8_t *t = raw->text.data;
    unsigned part[3] = {0, 0, 0};
    static const size_t at[] = {0, 5, 8}, len[] = {4, 2, 2};
    if (raw->text.len != 10 || t[4] != '-' || t[7] != '-') return "a date such as 2026-11-23 is expected";
    for (size_t i = 0; i < 3; i++) {
        if (digits_at(t + at[i], t + at[i] + len[i]) != len[i]) return "a date such as 2026-11-23 is expected";
        for (size_t k = 0; k < len[i]; k++) part[i] = part[i] * 10 + (t[at[i] + k] - '0');
    }
    bool leap = part[0] % 4 == 0 && (part[0] % 100 != 0 || part[0] % 400 == 0);
    if (part[1] < 1 || part[1] > 12 || part[2] < 1 || part[2] > days[part[1] - 1] + (part[1] == 2 && leap)) return "there is no such day";
    cell->i32 = days_of((int)part[0], part[1], part[2]);
    return bounds(cell->i32, c);
}

const char *cell_parse(const struct raw_cell *raw, const struct manifest_column *column, bool csv, struct cell *cell)
{
    bool number = column->type != COLUMN_CATEGORY && column->type != COLUMN_BOOL && column->type != COLUMN_DATE;
    *cell = (struct cell){.missing = raw->kind == CELL_MISSING};
    if (cell->missing) return column->missing ? NULL : "a value is missing";
    if (number && !csv && raw->kind == CELL_TEXT) return "a number is expected, not a text";
    switch (column->type) {
    case COLUMN_LATITUDE:
    case COLUMN_LONGITUDE: return scaled_parse(raw, column, cell);
    case COLUMN_FLOAT64: return float_parse(raw, column, cell);
    case COLUMN_INT64: return int_parse(raw, column, cell);
    case COLUMN_BOOL: return bool_parse(raw, csv, cell);
    case COLUMN_CATEGORY: return raw->kind == CELL_TEXT || raw->kind == CELL_NUMBER ? category_parse(raw, cell) : "a text is expected";
    case COLUMN_DATE: return raw->kind == CELL_TEXT ? date_parse(raw, column, cell) : "a date such as 2026-11-23 is expected";
    }
    return "a column of unknown type";
}
