#include "client/lib/decimal.h"

#include <locale.h>
#include <pthread.h>
#include <stdlib.h>

enum { EXPONENT_MAX = 100000, INT64_DIGITS = 19, DOUBLE_DIGITS = 15, EXACT_TENS = 22 };

static struct span digits_take(struct span *t)
{
    size_t n = 0;
    while (n < t->len && t->data[n] >= '0' && t->data[n] <= '9')
        n++;
    struct span digits = span_of(t->data, n);
    *t = span_of(t->data + n, t->len - n);
    return digits;
}

static bool byte_take(struct span *t, uint8_t a, uint8_t b)
{
    if (t->len == 0 || (t->data[0] != a && t->data[0] != b)) return false;
    *t = span_of(t->data + 1, t->len - 1);
    return true;
}

static bool exponent_take(struct span *t, int *exponent)
{
    bool minus = byte_take(t, '-', '-');
    if (!minus) (void)byte_take(t, '+', '+');
    struct span digits = digits_take(t);
    int v = 0;
    for (size_t i = 0; i < digits.len && v < EXPONENT_MAX; i++)
        v = v * 10 + (digits.data[i] - '0');
    if (v > EXPONENT_MAX) v = EXPONENT_MAX;
    *exponent = minus ? -v : v;
    return digits.len > 0;
}

bool decimal_parse(struct span text, struct decimal *d)
{
    *d = (struct decimal){0};
    if (text.len == 0 || text.len > DECIMAL_TEXT_MAX) return false;
    d->negative = byte_take(&text, '-', '-');
    if (!d->negative) (void)byte_take(&text, '+', '+');
    d->whole = digits_take(&text);
    if (byte_take(&text, '.', '.')) d->fraction = digits_take(&text);
    if (d->whole.len + d->fraction.len == 0) return false;
    if (byte_take(&text, 'e', 'E') && !exponent_take(&text, &d->exponent)) return false;
    return text.len == 0;
}

static size_t n_digits(const struct decimal *d)
{
    return d->whole.len + d->fraction.len;
}

/* Beyond the last digit there are zeros. */
static unsigned digit_at(const struct decimal *d, size_t i)
{
    if (i < d->whole.len) return (unsigned)(d->whole.data[i] - '0');
    return i < n_digits(d) ? (unsigned)(d->fraction.data[i - d->whole.len] - '0') : 0;
}

static size_t first_digit(const struct decimal *d)
{
    size_t i = 0;
    while (i < n_digits(d) && digit_at(d, i) == 0)
        i++;
    return i;
}

static bool with_sign(bool negative, uint64_t magnitude, int64_t *value)
{
    if (magnitude > (uint64_t)INT64_MAX + negative) return false;
    *value = negative ? -(int64_t)(magnitude / 2) - (int64_t)(magnitude - magnitude / 2)
                      : (int64_t)magnitude;
    return true;
}

bool decimal_round(const struct decimal *d, int places, int64_t *value)
{
    /* How many of the digits stand before the point once it has moved. */
    long keep = (long)d->whole.len + d->exponent + places;
    long first = (long)first_digit(d);
    uint64_t v = 0;
    if (first == (long)n_digits(d) || keep < first) {
        *value = 0;
        return true;
    }
    if (keep - first > INT64_DIGITS) return false;
    for (long i = first; i < keep; i++)
        v = v * 10 + digit_at(d, (size_t)i);
    v += digit_at(d, (size_t)keep) >= 5;
    return with_sign(d->negative, v, value);
}

bool decimal_whole(const struct decimal *d)
{
    long point = (long)d->whole.len + d->exponent;
    for (size_t i = point > 0 ? (size_t)point : 0; i < n_digits(d); i++)
        if (digit_at(d, i) != 0) return false;
    return true;
}

/* Both the digits and the power of ten are doubles without error, so one operation rounds once.
 */
static bool double_exact(const struct decimal *d, double *value)
{
    static const double tens[EXACT_TENS + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    long power = (long)d->exponent - (long)d->fraction.len;
    size_t n = n_digits(d), first = first_digit(d);
    uint64_t v = 0;
    if (n - first > DOUBLE_DIGITS || power > EXACT_TENS || power < -EXACT_TENS) return false;
    for (size_t i = first; i < n; i++)
        v = v * 10 + digit_at(d, i);
    *value = power < 0 ? (double)v / tens[-power] : (double)v * tens[power];
    if (d->negative) *value = -*value;
    return true;
}

static locale_t plain_locale;
static void plain_locale_make(void)
{
    plain_locale = newlocale(LC_ALL_MASK, "C", NULL); /* "C" is built in: it cannot fail */
}

/* glibc's strtod rounds correctly; a program's own locale must not move the point. */
static double double_slow(struct span text)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char copy[DECIMAL_TEXT_MAX + 1];
    pthread_once(&once, plain_locale_make);
    memcpy(copy, text.data, text.len);
    copy[text.len] = 0;
    return strtod_l(copy, NULL, plain_locale);
}

double decimal_double(struct span text, const struct decimal *d)
{
    double value;
    return double_exact(d, &value) ? value : double_slow(text);
}
