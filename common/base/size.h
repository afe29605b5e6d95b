/* Sizes that cannot wrap: each returns false, and writes nothing, when the result does not fit.
 */
#ifndef COMMON_BASE_SIZE_H
#define COMMON_BASE_SIZE_H

#include <stdbool.h>
#include <stddef.h>

static inline bool size_add(size_t a, size_t b, size_t *sum)
{
    size_t r;
    if (__builtin_add_overflow(a, b, &r)) return false;
    *sum = r;
    return true;
}

static inline bool size_mul(size_t a, size_t b, size_t *product)
{
    size_t r;
    if (__builtin_mul_overflow(a, b, &r)) return false;
    *product = r;
    return true;
}

/* The least multiple of `unit` (a power of two) that is not below `n`. */
static inline bool size_align(size_t n, size_t unit, size_t *aligned)
{
    size_t r;
    if (!size_add(n, unit - 1, &r)) return false;
    *aligned = r & ~(unit - 1);
    return true;
}

#endif
