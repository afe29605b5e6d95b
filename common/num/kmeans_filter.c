/* The walk down the tree, compiled for every instruction level and the dimensions it has. */
#include "common/num/kmeans_filter.h"

_Static_assert((int)BOXES_FAN == (int)VEC, "a lane for each node of a group");

#define LEVEL any
#include "common/num/kmeans_filter_body.h"
#undef LEVEL
#if SIMD_X86
#define LEVEL 256
#include "common/num/kmeans_filter_body.h"
#undef LEVEL
#define LEVEL 512
#include "common/num/kmeans_filter_body.h"
#undef LEVEL
#endif

void kmeans_filter_choose(struct kmeans_filter *f, size_t d)
{
    VEC_DISPATCH(filter_choose, f, d);
}

unsigned kmeans_filter_boxes(const struct kmeans_filter *f, size_t d, const uint16_t *list,
                             size_t m, const double (*low)[VEC], const double (*high)[VEC],
                             uint8_t *keep, double *number)
{
    unsigned many = 0;
    VEC_DISPATCH(many = filter_boxes, f, d, list, m, low, high, keep, number);
    return many;
}

/* More than two scores of one row and what keeps() finds can be wrong by together. With
 * u = 2^-53 and M no less than any sum on the way (a square and the products of a row with
 * coefficients), a score takes d fused steps and is off by d u M; keeps() rounds a difference
 * of squares (u M), of coefficients (d times, twice the product: 2 u M in all), its products (2
 * u M) and d sums (2 d u M): together (4 d + 5) u M. M itself is rounded up by the spare
 * factor. */
double kmeans_filter_doubt(const struct kmeans_table *t, const double *low, const double *high)
{
    double most = 0;
    for (size_t c = 0; c < t->k; c++) {
        double sum = t->square[c];
        for (size_t j = 0; j < t->d; j++) {
            double reach = fmax(fabs(low[j] - t->centre[j]), fabs(high[j] - t->centre[j]));
            sum += reach * fabs(table_coefficient(t, t->d, c)[j * KMEANS_GROUP]);
        }
        most = fmax(most, sum);
    }
    return (8 * (double)t->d + 10) * 0x1p-53 * most;
}

static bool same_centroid(const struct kmeans_table *t, size_t a, size_t b)
{
    const double *x = table_coefficient(t, t->d, a), *y = table_coefficient(t, t->d, b);
    bool same = t->square[a] == t->square[b];
    for (size_t j = 0; j < t->d; j++)
        same &= x[j * KMEANS_GROUP] == y[j * KMEANS_GROUP];
    return same;
}

static size_t hash_of(const struct kmeans_table *t, size_t c)
{
    const double *x = table_coefficient(t, t->d, c);
    uint64_t hash = 0, bits;
    for (size_t j = 0; j < t->d; j++) {
        double number = x[j * KMEANS_GROUP] + 0.0; /* -0 is 0 */
        memcpy(&bits, &number, sizeof bits);
        hash = (hash ^ bits) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 32;
    }
    return (size_t)hash;
}

size_t kmeans_filter_room(size_t k)
{
    size_t room = 1;
    while (room < 2 * k)
        room *= 2;
    return room;
}

size_t kmeans_filter_start(const struct kmeans_table *t, uint32_t *seen, uint16_t *list)
{
    size_t n = 0, room = kmeans_filter_room(t->k);
    memset(seen, 0, room * sizeof *seen);
    for (size_t c = 0; c < t->k; c++) {
        size_t at = hash_of(t, c) & (room - 1);
        while (seen[at] && !same_centroid(t, seen[at] - 1, c))
            at = (at + 1) & (room - 1);
        if (seen[at]) continue;
        seen[at] = (uint32_t)c + 1;
        list[n++] = (uint16_t)c;
    }
    return n;
}
