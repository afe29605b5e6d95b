/* One cell of a row, from text to the column's type. */
#ifndef CLIENT_LIB_CELL_H
#define CLIENT_LIB_CELL_H

#include "common/wire/table.h"

enum cell_kind { CELL_MISSING, CELL_TEXT, CELL_NUMBER, CELL_TRUE, CELL_FALSE };
/* As read: CSV knows texts only (an empty one is missing), JSON knows all kinds. `text` is
 * lent. */
struct raw_cell {
    enum cell_kind kind;
    struct span text;
};
struct cell {
    bool missing;
    int32_t i32;
    int64_t i64;
    double f64;
    bool b;
    struct span text;
};

/* NULL when the cell fits its column; else the reason, a fixed phrase. `csv`: texts stand for
 * numbers, and words for bools. Numbers are [+-]digits[.digits][e[+-]digits], whatever the
 * locale, of at most 400 characters. Rounding: latitude, longitude   the decimal times 10^7,
 * exactly, then to the nearest integer, halves away from zero float64               the nearest
 * double, halves to even (IEEE 754); -0 becomes 0; what rounds to infinity is refused int64 no
 * rounding: a fraction other than zero is refused; "1e3" and "2.0" are whole Bounds are checked
 * on what is stored. */
const char *cell_parse(const struct raw_cell *raw, const struct manifest_column *column,
                       bool csv, struct cell *cell);
/* A decimal text times 10^places, rounded half away from zero. False: not a decimal, or not an
 * int64. */
bool decimal_scaled(struct span text, int places, int64_t *value);
/* The text is a decimal, a date or a word for true or false: a value rather than a column's
 * name. */
bool cell_looks_like_value(struct span text);

#endif
