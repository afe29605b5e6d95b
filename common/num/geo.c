#include "common/num/geo.h"

#include "common/num/exact.h"
#include "common/num/exact_inline.h"
#include "common/num/kmeans_kernel.h"
#include "common/num/simd.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum { GEO_ROWS = 512 }; /* taken at once: their vectors stay in the first-level cache */

struct vectors {
    double x[GEO_ROWS], y[GEO_ROWS], z[GEO_ROWS];
};

INLINE void units(const int32_t *latitude, const int32_t *longitude, size_t n,
                  struct vectors *v)
{
    for (size_t i = 0; i < n; i++) {
        double slat, clat, slon, clon;
        exact_sincos_inline(latitude[i] * GEO_DEGREE, &slat, &clat);
        exact_sincos_inline(longitude[i] * GEO_DEGREE, &slon, &clon);
        v->x[i] = clat * clon;
        v->y[i] = clat * slon;
        v->z[i] = slat;
    }
}

/* To the nearest integer: 1.5 * 2^52 leaves it in the low bits. */
INLINE int32_t rounded(double x)
{
    return (int32_t)(uint32_t)exact_bits(x + EXACT_ROUND);
}

INLINE void vectors_body(const int32_t *latitude, const int32_t *longitude, size_t n,
                         int32_t *x, int32_t *y, int32_t *z)
{
    struct vectors v;
    units(latitude, longitude, n, &v);
    for (size_t i = 0; i < n; i++) {
        x[i] = rounded(v.x[i] * GEO_VECTOR);
        y[i] = rounded(v.y[i] * GEO_VECTOR);
        z[i] = rounded(v.z[i] * GEO_VECTOR);
    }
}

INLINE double chord(const struct vectors *v, size_t i, const double *unit)
{
    double dx = v->x[i] - unit[0], dy = v->y[i] - unit[1], dz = v->z[i] - unit[2];
    return dx * dx + dy * dy + dz * dz;
}

/* With each row's own site beside it. */
INLINE void chords_body(const int32_t *latitude, const int32_t *longitude,
                        const uint32_t *label, size_t n, const struct vectors *own, size_t k,
                        double *chord2)
{
    struct vectors v;
    units(latitude, longitude, n, &v);
    for (size_t i = 0; i < n; i++) {
        const double unit[3] = {own->x[i], own->y[i], own->z[i]};
        chord2[i] = exact_select((uint64_t)0 - (label[i] < k), chord(&v, i, unit), 4);
    }
}

INLINE void chords_plain_body(const int32_t *latitude, const int32_t *longitude,
                              const uint32_t *label, size_t n, const double (*unit)[3],
                              size_t k, double *chord2)
{
    struct vectors v;
    units(latitude, longitude, n, &v);
    for (size_t i = 0; i < n; i++)
        chord2[i] = label[i] < k ? chord(&v, i, unit[label[i]]) : 4;
}

INLINE void nearest_body(const int32_t *latitude, const int32_t *longitude, size_t n,
                         const double (*unit)[3], size_t k, uint32_t *label, double *chord2)
{
    struct vectors v;
    double index[GEO_ROWS];
    units(latitude, longitude, n, &v);
    for (size_t i = 0; i < n; i++) {
        chord2[i] = 8;
        index[i] = 0;
    }
    for (size_t c = 0; c < k; c++)
        for (size_t i = 0; i < n; i++) {
            double d = chord(&v, i, unit[c]);
            uint64_t nearer = (uint64_t)0 - (d < chord2[i]);
            chord2[i] = exact_select(nearer, d, chord2[i]);
            index[i] = exact_select(nearer, (double)c, index[i]);
        }
    for (size_t i = 0; i < n; i++)
        label[i] = (uint32_t)(int32_t)index[i];
}

#define VECTORS_ARGUMENTS                                                                      \
    const int32_t *la, const int32_t *lo, size_t n, int32_t *x, int32_t *y, int32_t *z
#define CHORDS_ARGUMENTS                                                                       \
    const int32_t *la, const int32_t *lo, const uint32_t *label, size_t n,                     \
        const struct vectors *own, size_t k, double *chord2
#define CHORDS_PLAIN_ARGUMENTS                                                                 \
    const int32_t *la, const int32_t *lo, const uint32_t *label, size_t n,                     \
        const double(*unit)[3], size_t k, double *chord2
#define NEAREST_ARGUMENTS                                                                      \
    const int32_t *la, const int32_t *lo, size_t n, const double(*unit)[3], size_t k,          \
        uint32_t *label, double *chord2
#define LEVEL(attribute, name)                                                                 \
    attribute static void vectors_##name(VECTORS_ARGUMENTS)                                    \
    {                                                                                          \
        vectors_body(la, lo, n, x, y, z);                                                      \
    }                                                                                          \
    attribute static void chords_##name(CHORDS_ARGUMENTS)                                      \
    {                                                                                          \
        chords_body(la, lo, label, n, own, k, chord2);                                         \
    }                                                                                          \
    attribute static void chords_plain_##name(CHORDS_PLAIN_ARGUMENTS)                          \
    {                                                                                          \
        chords_plain_body(la, lo, label, n, unit, k, chord2);                                  \
    }                                                                                          \
    attribute static void nearest_##name(NEAREST_ARGUMENTS)                                    \
    {                                                                                          \
        nearest_body(la, lo, n, unit, k, label, chord2);                                       \
    }
LEVEL(SIMD_512, 512)
LEVEL(SIMD_256, 256)
LEVEL(, any)

static const struct {
    void (*vectors)(VECTORS_ARGUMENTS);
    void (*chords)(CHORDS_ARGUMENTS);
    void (*chords_plain)(CHORDS_PLAIN_ARGUMENTS);
    void (*nearest)(NEAREST_ARGUMENTS);
} levels[] = {[SIMD_LEVEL_ANY] = {vectors_any, chords_any, chords_plain_any, nearest_any},
              [SIMD_LEVEL_256] = {vectors_256, chords_256, chords_plain_256, nearest_256},
              [SIMD_LEVEL_512] = {vectors_512, chords_512, chords_plain_512, nearest_512}};

static size_t step(size_t at, size_t n)
{
    return n - at < GEO_ROWS ? n - at : GEO_ROWS;
}

void geo_vectors(const int32_t *latitude, const int32_t *longitude, size_t n, int32_t *x,
                 int32_t *y, int32_t *z)
{
    for (size_t at = 0; at < n; at += GEO_ROWS)
        levels[simd_level()].vectors(latitude + at, longitude + at, step(at, n), x + at, y + at,
                                     z + at);
}

/* Every row passes all sites to find its own (kmeans_kernel.h). */
static void chords_hidden(const int32_t *latitude, const int32_t *longitude,
                          const uint32_t *label, size_t n, const double (*unit)[3], size_t k,
                          double *chord2)
{
    struct vectors own;
    uint32_t padded[GEO_ROWS] = {0};
    size_t room = (n + 31) / 32 * 32;
    memcpy(padded, label, n * sizeof *label);
    kmeans_kernel()->own(unit[0], 3, k, padded, room, own.x);
    kmeans_kernel()->own(unit[0] + 1, 3, k, padded, room, own.y);
    kmeans_kernel()->own(unit[0] + 2, 3, k, padded, room, own.z);
    levels[simd_level()].chords(latitude, longitude, label, n, &own, k, chord2);
}

void geo_chords(const int32_t *latitude, const int32_t *longitude, const uint32_t *label,
                size_t n, const double (*unit)[3], size_t k, bool plain, double *chord2)
{
    for (size_t at = 0; at < n; at += GEO_ROWS)
        (plain ? levels[simd_level()].chords_plain : chords_hidden)(
            latitude + at, longitude + at, label + at, step(at, n), unit, k, chord2 + at);
}

void geo_nearest(const int32_t *latitude, const int32_t *longitude, size_t n,
                 const double (*unit)[3], size_t k, uint32_t *label, double *chord2)
{
    for (size_t at = 0; at < n; at += GEO_ROWS)
        levels[simd_level()].nearest(latitude + at, longitude + at, step(at, n), unit, k,
                                     label + at, chord2 + at);
}

double geo_km(double chord2)
{
    return 2.0 * EARTH_RADIUS_KM * exact_asin(0.5 * exact_sqrt(chord2));
}

double geo_chord2(double km)
{
    double sine, cosine, half = km / (2.0 * EARTH_RADIUS_KM) * (180.0 / 3.14159265358979323846);
    if (half > 90) half = 90;
    exact_sincos_degrees(half, &sine, &cosine);
    return 4.0 * sine * sine;
}
