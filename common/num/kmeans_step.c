#include "common/num/kmeans_step.h"

#include "common/base/size.h"
#include "common/num/kmeans_kernel.h"
#include "common/num/simd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct kmeans_kernel *kmeans_kernel(void)
{
#if SIMD_X86
    if (simd_level() == SIMD_LEVEL_512 && __builtin_cpu_supports("avx512vnni"))
        return &kmeans_kernel_512;
    if (simd_level() != SIMD_LEVEL_ANY) return &kmeans_kernel_256;
#endif
    return &kmeans_kernel_any;
}

static void *room(size_t count, size_t size)
{
    size_t bytes;
    if (!size_mul(count, size, &bytes) || !size_align(bytes + !bytes, 64, &bytes)) return NULL;
    void *p = aligned_alloc(64, bytes);
    if (p) memset(p, 0, bytes);
    return p;
}

/* Sums. */

apex_status kmeans_sums_new(size_t k, size_t d, struct kmeans_sums **sums)
{
    struct kmeans_sums *s = calloc(1, sizeof *s);
    if (!s) return APEX_E_MEMORY;
    *s = (struct kmeans_sums){.k = k,
                              .d = d,
                              .sum = room(k * d, sizeof *s->sum),
                              .weight = room(k, sizeof *s->weight),
                              .rows = room(k, sizeof *s->rows)};
    if (s->sum && s->weight && s->rows) {
        *sums = s;
        return APEX_OK;
    }
    kmeans_sums_free(s);
    return APEX_E_MEMORY;
}

void kmeans_sums_free(struct kmeans_sums *s)
{
    if (!s) return;
    free(s->sum);
    free(s->weight);
    free(s->rows);
    free(s);
}

void kmeans_sums_clear(struct kmeans_sums *s)
{
    memset(s->sum, 0, s->k * s->d * sizeof *s->sum);
    memset(s->weight, 0, s->k * sizeof *s->weight);
    memset(s->rows, 0, s->k * sizeof *s->rows);
    s->squares = 0;
    s->n = 0;
}

bool kmeans_sums_equal(const struct kmeans_sums *a, const struct kmeans_sums *b)
{
    unsigned __int128 other = 0;
    for (size_t i = 0; i < a->k * a->d; i++)
        other |= (unsigned __int128)(a->sum[i] ^ b->sum[i]);
    for (size_t c = 0; c < a->k; c++)
        other |= a->weight[c] ^ b->weight[c];
    return ((uint64_t)other | (uint64_t)(other >> 64)) == 0;
}

void kmeans_merge(struct kmeans_sums *total, const struct kmeans_sums *part)
{
    for (size_t i = 0; i < total->k * total->d; i++)
        total->sum[i] += part->sum[i];
    for (size_t c = 0; c < total->k; c++) {
        total->weight[c] += part->weight[c];
        total->rows[c] += part->rows[c];
    }
    total->squares += part->squares;
    total->n += part->n;
}

/* sum / weight, in steps that are the same for any numbers: the sum as a double and what it
 * leaves (Knuth's two-sum), then the quotient and what its exact remainder adds.
 * weight < 2^53, |sum| < 2^84. */
static double mean_of(__int128 sum, double weight)
{
    double high = (double)(int64_t)(sum >> 42) * 0x1p42,
           low = (double)(int64_t)(sum & (((__int128)1 << 42) - 1));
    double whole = high + low, part = whole - high;
    double left = (high - (whole - part)) + (low - part);
    double most = whole / weight, rest = fma(-most, weight, whole) + left;
    return most + rest / weight;
}

static double choose(uint64_t mask, double a, double b)
{
    uint64_t x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    x = (x & mask) | (y & ~mask);
    memcpy(&a, &x, sizeof a);
    return a;
}

void kmeans_finish(const struct kmeans_sums *total, double *centroids)
{
    for (size_t c = 0; c < total->k; c++) {
        int64_t weight = (int64_t)total->weight[c];
        uint64_t some = (uint64_t)(-weight >> 63);
        double divisor = (double)(weight + (int64_t)(~some & 1));
        for (size_t j = 0; j < total->d; j++) {
            double *at = centroids + c * total->d + j;
            *at = choose(some, mean_of(total->sum[c * total->d + j], divisor), *at);
        }
    }
}

/* The nearest whole number, |x| < 2^51; rint() is a branch without SSE 4.1. */
static double whole_of(double x)
{
    const double magic = 0x1.8p52;
    return (x + magic) - magic;
}

static double double_of(unsigned __int128 x)
{
    double part[4];
    for (int i = 0; i < 4; i++)
        part[i] = (double)(int64_t)(uint32_t)(x >> 32 * i);
    return (part[3] * 0x1p96 + part[2] * 0x1p64) + (part[1] * 0x1p32 + part[0]);
}

static double signed_of(__int128 x)
{
    return (double)(int64_t)(x >> 64) * 0x1p64 +
           ((double)(int64_t)(uint32_t)(x >> 32) * 0x1p32 + (double)(int64_t)(uint32_t)x);
}

/* About whole-numbered centres i: sum w |x|^2 - 2 i.sum + i^2 weight, in whole numbers; then
 * what the fractions f of the centroids add: -2 f.(sum - i weight) + f^2 weight. */
double kmeans_inertia(const struct kmeans_sums *total, const double *centroids)
{
    unsigned __int128 whole = total->squares;
    double rest = 0;
    for (size_t c = 0; c < total->k; c++)
        for (size_t j = 0; j < total->d; j++) {
            double at = centroids[c * total->d + j], near = whole_of(at), fraction = at - near;
            __int128 i = (__int128)(int64_t)near, weight = (__int128)total->weight[c],
                     sum = total->sum[c * total->d + j], off = sum - i * weight;
            whole -= (unsigned __int128)i * (unsigned __int128)(sum + off);
            rest += fma(-2 * fraction, signed_of(off),
                        fraction * fraction * (double)(int64_t)total->weight[c]);
        }
    double inertia = double_of(whole) + rest;
    return choose(-(uint64_t)(inertia > 0), inertia, 0);
}

/* The table. */

apex_status kmeans_table_new(size_t k, size_t d, struct kmeans_table **table)
{
    struct kmeans_table *t = calloc(1, sizeof *t);
    if (!t) return APEX_E_MEMORY;
    t->k = k;
    t->d = d;
    t->groups = (k + KMEANS_GROUP - 1) / KMEANS_GROUP;
    t->centre = room(d, sizeof(double));
    t->coefficient = room(t->groups * KMEANS_GROUP * d, sizeof(double));
    t->square = room(t->groups * KMEANS_GROUP, sizeof(double));
    t->centroids = room(k * d, sizeof(double));
    if (t->centre && t->coefficient && t->square && t->centroids) {
        *table = t;
        return APEX_OK;
    }
    kmeans_table_free(t);
    return APEX_E_MEMORY;
}

void kmeans_table_free(struct kmeans_table *t)
{
    if (!t) return;
    free(t->centre);
    free(t->coefficient);
    free(t->square);
    free(t->centroids);
    free(t);
}

static void centre_set(struct kmeans_table *t)
{
    for (size_t j = 0; j < t->d; j++) {
        double sum = 0;
        for (size_t c = 0; c < t->k; c++)
            sum += t->centroids[c * t->d + j];
        t->centre[j] = whole_of(sum / (double)t->k);
    }
}

void kmeans_table_set(struct kmeans_table *t, const double *centroids)
{
    memcpy(t->centroids, centroids, t->k * t->d * sizeof *centroids);
    centre_set(t);
    for (size_t c = 0; c < t->groups * KMEANS_GROUP; c++) {
        double *coefficient =
            t->coefficient + c / KMEANS_GROUP * t->d * KMEANS_GROUP + c % KMEANS_GROUP;
        t->square[c] = c < t->k ? 0 : INFINITY;
        for (size_t j = 0; j < t->d && c < t->k; j++) {
            double off = centroids[c * t->d + j] - t->centre[j];
            coefficient[j * KMEANS_GROUP] = -2 * off;
            t->square[c] = fma(off, off, t->square[c]);
        }
    }
}
