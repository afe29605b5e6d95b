/* k-means on any processor: plain C with masks, no intrinsics. */
#include "common/num/kmeans_kernel.h"

#include <math.h>
#include <string.h>

enum { ROWS = 32 };

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void scores(const struct kmeans_table *t, const int32_t *const *column, size_t at,
                   size_t c, double score[ROWS])
{
    const double *coefficient = t->coefficient + c / KMEANS_GROUP * t->d * KMEANS_GROUP;
    for (size_t i = 0; i < ROWS; i++)
        score[i] = t->square[c];
    for (size_t j = 0; j < t->d; j++)
        for (size_t i = 0; i < ROWS; i++)
            score[i] = fma((double)column[j][at + i] - t->centre[j],
                           coefficient[j * KMEANS_GROUP + c % KMEANS_GROUP], score[i]);
}

static void label_any(const struct kmeans_table *t, const int32_t *const *column, size_t n,
                      uint32_t *label)
{
    for (size_t at = 0; at < n; at += ROWS) {
        double best[ROWS], score[ROWS];
        uint64_t index[ROWS] = {0};
        for (size_t i = 0; i < ROWS; i++)
            best[i] = INFINITY;
        for (size_t c = 0; c < t->k; c++) {
            scores(t, column, at, c, score);
            for (size_t i = 0; i < ROWS; i++) {
                uint64_t less = -(uint64_t)(score[i] < best[i]);
                best[i] = double_of((bits_of(score[i]) & less) | (bits_of(best[i]) & ~less));
                index[i] = (c & less) | (index[i] & ~less);
            }
        }
        for (size_t i = 0; i < ROWS; i++)
            label[at + i] = (uint32_t)index[i];
    }
}

static void split_any(const int32_t *column, size_t n, int16_t *high, int16_t *low)
{
    for (size_t i = 0; i < n; i++) {
        high[i] = (int16_t)(column[i] >> 16);
        low[i] = (int16_t)((column[i] & 0xffff) - 0x8000);
    }
}

static void order_any(const uint32_t *label, size_t n, uint16_t *ordered)
{
    for (size_t i = 0; i < n; i++)
        ordered[i] = (uint16_t)label[i];
}

static void plane_sum(const int16_t *mask, const int16_t *plane, size_t n, int32_t *sums)
{
    for (size_t i = 0; i < n; i += KMEANS_LANES)
        for (size_t l = 0; l < KMEANS_LANES; l++)
            sums[l] += plane[i + l] & mask[i + l];
}

static void sum_any(const uint16_t *ordered, const int16_t *planes, size_t n_planes,
                    size_t stride, size_t n, size_t k, int32_t *sums)
{
    int16_t mask[KMEANS_VECTOR];
    for (size_t c = 0; c < k; c++, sums += (n_planes + 1) * KMEANS_LANES)
        for (size_t at = 0; at < n; at += KMEANS_VECTOR) {
            for (size_t i = 0; i < KMEANS_VECTOR; i++)
                mask[i] = (int16_t) - (ordered[at + i] == c);
            for (size_t p = 0; p < n_planes; p++)
                plane_sum(mask, planes + p * stride + at, KMEANS_VECTOR,
                          sums + p * KMEANS_LANES);
            for (size_t i = 0; i < KMEANS_VECTOR; i++)
                sums[n_planes * KMEANS_LANES + i % KMEANS_LANES] -= mask[i];
        }
}

static void own_any(const double *values, size_t step, size_t k, const uint32_t *label,
                    size_t n, double *own)
{
    uint64_t mine[ROWS];
    for (size_t at = 0; at < n; at += ROWS) {
        memset(mine, 0, sizeof mine);
        for (size_t c = 0; c < k; c++) {
            uint64_t value = bits_of(values[c * step]);
            for (size_t i = 0; i < ROWS; i++)
                mine[i] |= value & -(uint64_t)(label[at + i] == c);
        }
        memcpy(own + at, mine, sizeof mine);
    }
}

const struct kmeans_kernel kmeans_kernel_any = {label_any, split_any, order_any, sum_any,
                                                own_any};
