/* Decimal texts to numbers, exactly and whatever the locale. */
#ifndef CLIENT_LIB_DECIMAL_H
#define CLIENT_LIB_DECIMAL_H

#include "common/base/span.h"

enum { DECIMAL_TEXT_MAX = 400 };

/* The value is +-digits * 10^exponent, `digits` being the whole and fraction digits joined.
 * Lent from the text. */
struct decimal {
    bool negative;
    struct span whole, fraction;
    int exponent; /* as written; what does not matter any more is cut at +-100000 */
};

/* [+-]digits[.digits][e[+-]digits] with a digit before the e, and nothing else. */
bool decimal_parse(struct span text, struct decimal *d);
/* d * 10^places to the nearest integer, halves away from zero, computed on the digits. False:
 * not an int64. */
bool decimal_round(const struct decimal *d, int places, int64_t *value);
/* Has no fraction other than zero. */
bool decimal_whole(const struct decimal *d);
/* The nearest double, halves to even; infinite when there is none. `text`: what d was parsed
 * from. Source: W. D. Clinger, How to read floating point numbers accurately, PLDI 1990,
 * section 3 (the fast path). */
double decimal_double(struct span text, const struct decimal *d);

#endif
