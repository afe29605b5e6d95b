/* The rows of a chunk, stripe by stripe: labelled, split into planes, summed. */
#include "common/base/size.h"
#include "common/num/kmeans_kernel.h"
#include "common/num/kmeans_step.h"
#include "common/num/simd.h"

#include <stdlib.h>
#include <string.h>

enum {
    PLANES_ROOM = 1 << 14,  /* int16 numbers that stay in the first-level cache */
    CACHE_LINE = 64,        /* keeps planes out of each other's cache sets */
    PER_COLUMN = 2,         /* planes of a coordinate */
    PER_COLUMN_WEIGHTED = 4 /* planes of a coordinate times a weight */
};

struct kmeans_worker {
    size_t k, d, rows; /* of a stripe */
    size_t n_planes, stride, n_pending;
    bool weighted;
    int32_t *pad[KMEANS_DIMS_MAX]; /* the last rows of a chunk, filled up */
    int32_t *product;              /* two columns */
    uint32_t *label, *weight;
    uint16_t *ordered;
    int16_t *planes; /* n_planes, `stride` apart */
    int32_t *sums;   /* (k + 1) x (n_planes + 1) x KMEANS_LANES */
};

static size_t stripe_rows(size_t n_planes)
{
    size_t rows = PLANES_ROOM / n_planes / KMEANS_VECTOR * KMEANS_VECTOR;
    return rows < KMEANS_VECTOR ? KMEANS_VECTOR : rows > KMEANS_STRIPE ? KMEANS_STRIPE : rows;
}

static void *lines(size_t count, size_t size)
{
    size_t bytes;
    if (!size_mul(count, size, &bytes) || !size_align(bytes, 64, &bytes)) return NULL;
    void *p = aligned_alloc(64, bytes);
    if (p) memset(p, 0, bytes);
    return p;
}

apex_status kmeans_worker_new(size_t k, size_t d, bool weighted, struct kmeans_worker **worker)
{
    struct kmeans_worker *w = calloc(1, sizeof *w);
    if (!w) return APEX_E_MEMORY;
    w->k = k;
    w->d = d;
    w->weighted = weighted;
    w->n_planes = weighted ? PER_COLUMN_WEIGHTED * d + 3 : PER_COLUMN * d;
    w->rows = stripe_rows(w->n_planes);
    w->stride = w->rows + CACHE_LINE / sizeof(int16_t);
    bool whole = true;
    for (size_t j = 0; j < d; j++)
        whole &= (w->pad[j] = lines(w->rows, sizeof(int32_t))) != NULL;
    w->product = lines(2 * w->rows, sizeof *w->product);
    w->label = lines(w->rows, sizeof *w->label);
    w->weight = lines(w->rows, sizeof *w->weight);
    w->ordered = lines(w->rows, sizeof *w->ordered);
    w->planes = lines(w->n_planes * w->stride, sizeof *w->planes);
    w->sums = lines((k + 1) * (w->n_planes + 1) * KMEANS_LANES, sizeof *w->sums);
    *worker = w;
    if (whole && w->product && w->label && w->weight && w->ordered && w->planes && w->sums)
        return APEX_OK;
    kmeans_worker_free(w);
    *worker = NULL;
    return APEX_E_MEMORY;
}

void kmeans_worker_free(struct kmeans_worker *w)
{
    if (!w) return;
    for (size_t j = 0; j < w->d; j++)
        free(w->pad[j]);
    free(w->product);
    free(w->label);
    free(w->weight);
    free(w->ordered);
    free(w->planes);
    free(w->sums);
    free(w);
}

struct stripe {
    size_t n, full; /* rows, and rounded up to KMEANS_VECTOR */
    const int32_t *column[KMEANS_DIMS_MAX];
    const uint32_t *weight; /* NULL: 1 each */
};

static size_t vectors(size_t n)
{
    return (n + KMEANS_VECTOR - 1) / KMEANS_VECTOR * KMEANS_VECTOR;
}

/* In place, or copied with zeros after it where the chunk ends. */
static void stripe_take(struct kmeans_worker *w, const struct kmeans_chunk *chunk, size_t at,
                        size_t n, struct stripe *s)
{
    s->n = n;
    s->full = vectors(n);
    s->weight = chunk->weights ? chunk->weights + at : NULL;
    for (size_t j = 0; j < w->d; j++) {
        s->column[j] = chunk->column[j] + at;
        if (s->full == n) continue;
        memcpy(w->pad[j], s->column[j], n * sizeof(int32_t));
        memset(w->pad[j] + n, 0, (s->full - n) * sizeof(int32_t));
        s->column[j] = w->pad[j];
    }
    if (s->full == n || !s->weight) return;
    memcpy(w->weight, s->weight, n * sizeof *w->weight);
    memset(w->weight + n, 0, (s->full - n) * sizeof *w->weight);
    s->weight = w->weight;
}

/* w x as a whole number of 64 bits: its high half, and its low half less 2^31. */
static void products(const int32_t *column, const uint32_t *weight, size_t n, int32_t *high,
                     int32_t *low)
{
    for (size_t i = 0; i < n; i++) {
        int64_t p = (int64_t)column[i] * (int64_t)weight[i];
        high[i] = (int32_t)(p >> 32);
        low[i] = (int32_t)((uint32_t)p ^ 0x80000000u);
    }
}

static void planes_weighted(struct kmeans_worker *w, const struct kmeans_kernel *kernel,
                            const struct stripe *s)
{
    int16_t *plane = w->planes;
    int32_t *high = w->product, *low = w->product + w->rows;
    for (size_t j = 0; j < w->d; j++, plane += PER_COLUMN_WEIGHTED * w->stride) {
        products(s->column[j], s->weight, s->full, high, low);
        kernel->split(high, s->full, plane, plane + w->stride);
        kernel->split(low, s->full, plane + 2 * w->stride, plane + 3 * w->stride);
    }
    uint32_t *some = (uint32_t *)w->product;
    for (size_t i = 0; i < s->full; i++)
        some[i] = (s->weight[i] | -s->weight[i]) >> 31;
    kernel->order(some, s->full, (uint16_t *)plane + 2 * w->stride);
    for (size_t i = 0; i < s->full; i++)
        low[i] = (int32_t)(s->weight[i] ^ 0x80000000u);
    kernel->split(low, s->full, plane, plane + w->stride);
}

static void planes_make(struct kmeans_worker *w, const struct kmeans_kernel *kernel,
                        const struct stripe *s)
{
    if (s->weight) {
        planes_weighted(w, kernel, s);
        return;
    }
    for (size_t j = 0; j < w->d; j++)
        kernel->split(s->column[j], s->full, w->planes + PER_COLUMN * j * w->stride,
                      w->planes + (PER_COLUMN * j + 1) * w->stride);
}

static int64_t lane_sum(const int32_t *lanes)
{
    int64_t sum = 0;
    for (size_t l = 0; l < KMEANS_LANES; l++)
        sum += lanes[l];
    return sum;
}

/* The sum of whole coordinates from its two planes. */
static int64_t pair_sum(const int32_t *lanes, int64_t rows)
{
    return (lane_sum(lanes) * 0x10000) + lane_sum(lanes + KMEANS_LANES) + 0x8000 * rows;
}

static void flush_weighted(const struct kmeans_worker *w, const int32_t *lanes, int64_t rows,
                           size_t c, struct kmeans_sums *sums)
{
    const int64_t half = (int64_t)1 << 31;
    for (size_t j = 0; j < w->d; j++, lanes += PER_COLUMN_WEIGHTED * KMEANS_LANES)
        sums->sum[c * w->d + j] +=
            (__int128)pair_sum(lanes, rows) * ((__int128)1 << 32) +
            (__int128)(pair_sum(lanes + 2 * KMEANS_LANES, rows) + half * rows);
    sums->weight[c] += (uint64_t)(pair_sum(lanes, rows) + half * rows);
    sums->rows[c] += (uint64_t)lane_sum(lanes + 2 * KMEANS_LANES);
}

static void flush(struct kmeans_worker *w, struct kmeans_sums *sums)
{
    size_t len = (w->n_planes + 1) * KMEANS_LANES;
    for (size_t c = 0; c < w->k; c++) {
        const int32_t *lanes = w->sums + c * len;
        int64_t rows = lane_sum(lanes + w->n_planes * KMEANS_LANES);
        if (w->weighted) {
            flush_weighted(w, lanes, rows, c, sums);
            continue;
        }
        for (size_t j = 0; j < w->d; j++)
            sums->sum[c * w->d + j] += pair_sum(lanes + PER_COLUMN * j * KMEANS_LANES, rows);
        sums->weight[c] += (uint64_t)rows;
        sums->rows[c] += (uint64_t)rows;
    }
    memset(w->sums, 0, (w->k + 1) * len * sizeof *w->sums);
    w->n_pending = 0;
}

static void sum_oblivious(struct kmeans_worker *w, const struct kmeans_kernel *kernel,
                          const struct stripe *s, struct kmeans_sums *sums)
{
    if (w->n_pending + s->full > KMEANS_FLUSH) flush(w, sums);
    planes_make(w, kernel, s);
    kernel->order(w->label, s->full, w->ordered);
    kernel->sum(w->ordered, w->planes, w->n_planes, w->stride, s->full, w->k, w->sums);
    w->n_pending += s->full;
}

static void sum_plain(const struct kmeans_worker *w, const struct stripe *s,
                      struct kmeans_sums *sums)
{
    for (size_t i = 0; i < s->n; i++) {
        size_t c = w->label[i];
        int64_t weight = s->weight ? (int64_t)s->weight[i] : 1;
        for (size_t j = 0; j < w->d; j++)
            sums->sum[c * w->d + j] += (int64_t)s->column[j][i] * weight;
        sums->weight[c] += (uint64_t)weight;
        sums->rows[c] += weight != 0;
    }
}

/* The sum of x^2 w in parts of 32 bits, which a stripe does not overflow. */
static inline __attribute__((always_inline)) void squares_body(const int32_t *column,
                                                               const uint32_t *weight, size_t n,
                                                               uint64_t part[3])
{
    uint64_t a = 0, b = 0, c = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t wide = column[i];
        uint64_t square = (uint64_t)(wide * wide), by = weight ? weight[i] : 1,
                 low = (square & UINT32_MAX) * by, high = (square >> 32) * by;
        a += low & UINT32_MAX;
        b += (low >> 32) + (high & UINT32_MAX);
        c += high >> 32;
    }
    part[0] = a;
    part[1] = b;
    part[2] = c;
}
SIMD_512 static void squares_512(const int32_t *column, const uint32_t *weight, size_t n,
                                 uint64_t part[3])
{
    squares_body(column, weight, n, part);
}
SIMD_256 static void squares_256(const int32_t *column, const uint32_t *weight, size_t n,
                                 uint64_t part[3])
{
    squares_body(column, weight, n, part);
}
static void squares_any(const int32_t *column, const uint32_t *weight, size_t n,
                        uint64_t part[3])
{
    squares_body(column, weight, n, part);
}

static void squares_add(const int32_t *const *column, const uint32_t *weight, size_t d,
                        size_t n, unsigned __int128 *squares)
{
    enum simd_level level = simd_level();
    for (size_t j = 0; j < d; j++) {
        uint64_t part[3];
        (level == SIMD_LEVEL_512   ? squares_512
         : level == SIMD_LEVEL_256 ? squares_256
                                   : squares_any)(column[j], weight, n, part);
        *squares += (unsigned __int128)part[0] + ((unsigned __int128)part[1] << 32) +
                    ((unsigned __int128)part[2] << 64);
    }
}

void kmeans_squares(const struct kmeans_chunk *chunk, size_t d, unsigned __int128 *squares)
{
    const int32_t *column[KMEANS_DIMS_MAX];
    for (size_t at = 0; at < chunk->n; at += KMEANS_STRIPE) {
        for (size_t j = 0; j < d; j++)
            column[j] = chunk->column[j] + at;
        squares_add(column, chunk->weights ? chunk->weights + at : NULL, d,
                    chunk->n - at < KMEANS_STRIPE ? chunk->n - at : KMEANS_STRIPE, squares);
    }
}

void kmeans_partial(const struct kmeans_table *t, struct kmeans_worker *w,
                    const struct kmeans_chunk *chunk, const struct kmeans_partial_options *o,
                    struct kmeans_sums *sums)
{
    const struct kmeans_kernel *kernel = kmeans_kernel();
    size_t rows = w->rows;
    for (size_t at = 0; at < chunk->n; at += rows) {
        struct stripe s;
        stripe_take(w, chunk, at, chunk->n - at < rows ? chunk->n - at : rows, &s);
        kernel->label(t, s.column, (s.n + 31) / 32 * 32, w->label);
        for (size_t i = s.n; i < s.full; i++)
            w->label[i] = KMEANS_NOBODY;
        if (o->plain)
            sum_plain(w, &s, sums);
        else
            sum_oblivious(w, kernel, &s, sums);
        if (o->squares) squares_add(s.column, s.weight, w->d, s.n, &sums->squares);
    }
    if (!o->plain) flush(w, sums);
    sums->n += chunk->n;
}

void kmeans_label(const struct kmeans_table *t, struct kmeans_worker *w,
                  const struct kmeans_chunk *chunk, size_t first, size_t n, uint32_t *labels)
{
    const struct kmeans_kernel *kernel = kmeans_kernel();
    size_t rows = w->rows;
    for (size_t at = 0; at < n; at += rows) {
        struct stripe s;
        stripe_take(w, chunk, first + at, n - at < rows ? n - at : rows, &s);
        kernel->label(t, s.column, (s.n + 31) / 32 * 32, w->label);
        memcpy(labels + at, w->label, s.n * sizeof *labels);
    }
}
