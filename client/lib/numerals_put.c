/* From value and places to a column's items. Most batches are good as a whole, so first all are
 * put without asking one by one; a doubt goes through them again for the first that is not
 * good. A doubt is a negative number, so that doubts join with |. */
#include "client/lib/numerals.h"

#include "common/num/simd.h"

enum { DEGREE_PLACES = 7, PLACES_MAX = 15 };
static const int64_t tens[PLACES_MAX + 1] = {INT64_C(1),
                                             INT64_C(10),
                                             INT64_C(100),
                                             INT64_C(1000),
                                             INT64_C(10000),
                                             INT64_C(100000),
                                             INT64_C(1000000),
                                             INT64_C(10000000),
                                             INT64_C(100000000),
                                             INT64_C(1000000000),
                                             INT64_C(10000000000),
                                             INT64_C(100000000000),
                                             INT64_C(1000000000000),
                                             INT64_C(10000000000000),
                                             INT64_C(100000000000000),
                                             INT64_C(1000000000000000)};

static inline __attribute__((always_inline)) int64_t degrees_one(int64_t v, int64_t places,
                                                                 int64_t least, int64_t most,
                                                                 int32_t *out)
{
    const int64_t far = 1800000000;
    int64_t doubt = (far - v) | (far + v) | (DEGREE_PLACES - places);
    /* What wraps is in doubt already. */
    v = (int64_t)((uint64_t)v * (uint64_t)tens[(DEGREE_PLACES - places) & DEGREE_PLACES]);
    *out = (int32_t)v;
    return doubt | -(int64_t)(v < least) | -(int64_t)(v > most);
}

/* Both numbers are doubles without error, so the division rounds once. Source: Clinger, as in
 * decimal.h. */
static inline __attribute__((always_inline)) int64_t doubles_one(int64_t v, int64_t places,
                                                                 double least, double most,
                                                                 double *out)
{
    const int64_t exact = INT64_C(1) << 53;
    *out = (double)v / (double)tens[places];
    return (exact - v) | (exact + v) | -(int64_t)(*out < least) | -(int64_t)(*out > most);
}

static inline __attribute__((always_inline)) int64_t integers_one(int64_t v, int64_t places,
                                                                  double least, double most,
                                                                  int64_t *out)
{
    *out = v;
    return -places | -(int64_t)((double)v < least) | -(int64_t)((double)v > most);
}

#define ALL_BODY(kind)                                                                         \
    int64_t doubt = 0;                                                                         \
    for (size_t i = 0; i < n; i++)                                                             \
        doubt |= kind##_one(value[i], places[i], least, most, &out[i]);                        \
    return doubt >= 0;
#define LEVELS(kind, bound, item)                                                              \
    SIMD_512 static int kind##_512(const int64_t *restrict value,                              \
                                   const uint8_t *restrict places, size_t n, bound least,      \
                                   bound most, item *restrict out){ALL_BODY(                   \
        kind)} SIMD_256 static int kind##_256(const int64_t *restrict value,                   \
                                              const uint8_t *restrict places, size_t n,        \
                                              bound least, bound most, item *restrict out)     \
    {                                                                                          \
        ALL_BODY(kind)                                                                         \
    }                                                                                          \
    static int kind##_any(const int64_t *restrict value, const uint8_t *restrict places,       \
                          size_t n, bound least, bound most, item *restrict out){              \
        ALL_BODY(kind)} size_t numerals_##kind(const int64_t *value, const uint8_t *places,    \
                                               size_t n, bound least, bound most, item *out)   \
    {                                                                                          \
        enum simd_level level = simd_level();                                                  \
        size_t good = 0;                                                                       \
        if (level == SIMD_LEVEL_512   ? kind##_512(value, places, n, least, most, out)         \
            : level == SIMD_LEVEL_256 ? kind##_256(value, places, n, least, most, out)         \
                                      : kind##_any(value, places, n, least, most, out))        \
            return n;                                                                          \
        while (good < n &&                                                                     \
               kind##_one(value[good], places[good], least, most, &out[good]) >= 0)            \
            good++;                                                                            \
        return good;                                                                           \
    }
LEVELS(degrees, int64_t, int32_t)
LEVELS(doubles, double, double)
LEVELS(integers, double, int64_t)
