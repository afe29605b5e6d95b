/* Plain decimals of a column, several at a time. */
#ifndef CLIENT_LIB_NUMERALS_H
#define CLIENT_LIB_NUMERALS_H

#include <stddef.h>
#include <stdint.h>

enum {
    NUMERAL_LEN_MAX = 16, /* bytes of a cell; also what is readable in front of a text */
    NUMERALS_AT_ONCE = 4, /* room behind the last cell of each array */
};

/* Reads cells of the form [-]digits[.digits], up to 16 bytes that end with a digit, as
 * value / 10^places, until one of the next NUMERALS_AT_ONCE is not of that form; returns how
 * many. Every level of simd.h gives the same numbers; how many it gives may differ by less than
 * NUMERALS_AT_ONCE.
 *   text          NUMERAL_LEN_MAX bytes in front of it are readable
 *   stop, len     cell i is text[stop[i] - len[i]..stop[i]); n of them, and room to write
 *                 NUMERALS_AT_ONCE more
 *   value, places room for n + NUMERALS_AT_ONCE; |value| < 10^16, places <= 15 */
size_t numerals_read(const uint8_t *text, uint32_t *stop, uint32_t *len, size_t n,
                     int64_t *value, uint8_t *places);

/* Put value[i] / 10^places[i] at out[i]; each returns how many of the first n come out right
 * and lie from `least` to `most`. `out` may be written beyond these, up to n. degrees    in
 * 1e-7, where that needs no rounding doubles    the nearest, where one division tells; zero is
 * +0 integers   without places; bounds as doubles */
size_t numerals_degrees(const int64_t *value, const uint8_t *places, size_t n, int64_t least,
                        int64_t most, int32_t *out);
size_t numerals_doubles(const int64_t *value, const uint8_t *places, size_t n, double least,
                        double most, double *out);
size_t numerals_integers(const int64_t *value, const uint8_t *places, size_t n, double least,
                         double most, int64_t *out);

#endif
