/* One cell of a row, from text to the column's type. */
#ifndef CLIENT_LIB_CELL_H
#define CLIENT_LIB_CELL_H

#include "common/wire/table.h"

enum cell_kind { CELL_MISSING, CELL_TEXT, CELL_NUMBER, CELL_TRUE, CELL_FALSE };
/* As read: CSV knows texts only (an empty one is missing), JSON knows all kinds. `text` is lent. */
struct raw_cell { enum cell_kind kind; struct span text; };
struct cell { bool missing; int32_t i32; int64_t i64; double f64; bool b; struct span text; };

/* NULL when the cell fits its column; else the reason, a fixed phrase. Decimals become 1e-7 degree by rounding half away from
 * zero, exactly; float64 by correctly rounded conversion. `csv`: texts stand for numbers, and words for bools. */
const char *cell_parse(const struct raw_cell *raw, const struct manifest_column *column, bool csv, struct cell *cell);
/* A decimal text times 10^places, rounded half away from zero. False: not a decimal, or it does not fit. */
bool decimal_scaled(struct span text, int places, int64_t *value);

#endif
