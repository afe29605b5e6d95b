/* Naive Bayes on columns of int32: exact sums, chunk by chunk, and predictions. */
#include "common/base/size.h"
#include "common/base/try.h"
#include "common/base/wipe.h"
#include "common/num/bayes_model.h"
#include "common/num/bayes_tile.h"
#include "common/num/parallel.h"
#include "common/num/vec.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE_ROWS = 64 * BAYES_ROWS }; /* what a thread takes at a time */
#define ROWS_TOTAL (UINT64_C(1) << 40)
#define BIAS INT64_C(0x80000000)

static size_t cells_len(const struct bayes_sums *s)
{
    return s->n_classes * s->n_features * sizeof(__int128);
}

apex_status bayes_sums_new(size_t n_classes, size_t n_features, struct bayes_sums **out)
{
    size_t cells;
    if (n_classes == 0 || n_classes > UINT32_MAX || n_features == 0 ||
        n_features > BAYES_DIMS_MAX)
        return APEX_E_USAGE;
    if (!size_mul(n_classes, n_features, &cells)) return APEX_E_LIMIT;
    struct bayes_sums *s = calloc(1, sizeof *s);
    if (!s) return APEX_E_MEMORY;
    *s = (struct bayes_sums){.n_classes = n_classes,
                             .n_features = n_features,
                             .rows = calloc(n_classes, sizeof *s->rows),
                             .sum = calloc(cells, sizeof *s->sum),
                             .square = calloc(cells, sizeof *s->square)};
    if (!s->rows || !s->sum || !s->square) {
        bayes_sums_free(s);
        return APEX_E_MEMORY;
    }
    *out = s;
    return APEX_OK;
}

void bayes_sums_free(struct bayes_sums *s)
{
    if (!s) return;
    if (s->rows) wipe(s->rows, s->n_classes * sizeof *s->rows);
    if (s->sum) wipe(s->sum, cells_len(s));
    if (s->square) wipe(s->square, cells_len(s));
    free(s->rows);
    free(s->sum);
    free(s->square);
    free(s);
}

struct adding {
    const struct bayes_chunk *chunk;
    size_t n_classes, n_pairs, len; /* words of one thread's sums of one pair */
    size_t d;
    uint64_t *sums;          /* per thread and pair */
    struct bayes_tile *tile; /* per thread */
    uint64_t *counted;       /* per thread: rows that count */
};

/* Labels of any width; -1 for rows that do not count, up to a multiple of 32. */
static void labels_fill(struct bayes_tile *t, const struct bayes_chunk *c, size_t first,
                        size_t n, uint64_t *counted)
{
    const uint8_t *u8 = c->label;
    const uint16_t *u16 = c->label;
    const uint32_t *u32 = c->label;
    uint64_t sum = n;
    if (c->label_bytes == 1)
        for (size_t i = 0; i < n; i++)
            t->label[i] = u8[first + i];
    else if (c->label_bytes == 2)
        for (size_t i = 0; i < n; i++)
            t->label[i] = u16[first + i];
    else
        for (size_t i = 0; i < n; i++)
            t->label[i] = u32[first + i];
    for (size_t i = 0; c->used && i < n; i++) {
        int64_t out = -(int64_t)(c->used[first + i] == 0);
        t->label[i] |= out;
        sum += (uint64_t)out;
    }
    for (size_t i = n; i < (n + 31) / 32 * 32; i++)
        t->label[i] = -1;
    *counted += sum;
}

static void piece_add(void *context, size_t piece, unsigned thread)
{
    const struct adding *a = context;
    const struct bayes_chunk *c = a->chunk;
    struct bayes_tile *t = &a->tile[thread];
    size_t from = piece * PIECE_ROWS, end = c->n - from < PIECE_ROWS ? c->n : from + PIECE_ROWS;
    for (size_t at = from; at < end; at += BAYES_ROWS) {
        size_t n = end - at < BAYES_ROWS ? end - at : BAYES_ROWS;
        labels_fill(t, c, at, n, &a->counted[thread]);
        for (size_t p = 0; p < a->n_pairs; p++) {
            const int32_t *y = 2 * p + 1 < a->d ? c->coordinate[2 * p + 1] + at : NULL;
            bayes_tile_fill(t, c->coordinate[2 * p] + at, y, n);
            bayes_tile_add(t, a->n_classes, a->sums + (thread * a->n_pairs + p) * a->len);
        }
    }
}

/* One class's lanes of a pair into the exact sums. */
static void lanes_add(const uint64_t *lanes, size_t k, __int128 *sum, unsigned __int128 *square,
                      uint64_t *rows)
{
    uint64_t n = 0, x = 0;
    unsigned __int128 q = 0;
    for (size_t l = 0; l < BAYES_LANES; l++) {
        n += lanes[l];
        x += lanes[(1 + k) * BAYES_LANES + l];
        q += lanes[(3 + 2 * k) * BAYES_LANES + l];
        q += (unsigned __int128)lanes[(4 + 2 * k) * BAYES_LANES + l] << 32;
    }
    *sum += (__int128)x - (__int128)BIAS * (__int128)n;
    *square += q;
    *rows = n;
}

static void thread_merge(const struct adding *a, unsigned thread, struct bayes_sums *s)
{
    uint64_t seen = 0;
    for (size_t c = 0; c < s->n_classes; c++)
        for (size_t f = 0; f < s->n_features; f++) {
            uint64_t rows;
            lanes_add(a->sums + (thread * a->n_pairs + f / 2) * a->len +
                          c * BAYES_SUMS * BAYES_LANES,
                      f % 2, &s->sum[c * s->n_features + f], &s->square[c * s->n_features + f],
                      &rows);
            /* of the pair's first coordinate: the second's words hold no count of their own */
            if (f == 0) {
                s->rows[c] += rows;
                seen += rows;
            }
        }
    s->unseen += a->counted[thread] - seen;
}

static apex_status chunk_check(const struct bayes_chunk *c, unsigned label_bytes)
{
    if (label_bytes != 1 && label_bytes != 2 && label_bytes != 4) return APEX_E_USAGE;
    return c->n > BAYES_CHUNK_MAX ? APEX_E_USAGE : APEX_OK;
}

static unsigned threads_for(unsigned threads, size_t n_pieces)
{
    if (threads > PARALLEL_THREADS_MAX) threads = PARALLEL_THREADS_MAX;
    if (threads > n_pieces) threads = (unsigned)n_pieces;
    return threads ? threads : 1;
}

apex_status bayes_chunk_add(struct bayes_sums *s, const struct bayes_chunk *chunk,
                            unsigned threads)
{
    size_t n_pieces = (chunk->n + PIECE_ROWS - 1) / PIECE_ROWS, words;
    size_t classes = (s->n_classes + BAYES_CLASSES - 1) / BAYES_CLASSES * BAYES_CLASSES;
    struct adding a = {chunk, s->n_classes, (s->n_features + 1) / 2, 0, s->n_features};
    TRY(chunk_check(chunk, chunk->label_bytes));
    if (chunk->n == 0) return APEX_OK;
    threads = threads_for(threads, n_pieces);
    if (!size_mul(classes, BAYES_SUMS * BAYES_LANES, &a.len) ||
        !size_mul(a.len, threads * a.n_pairs, &words) || words > SIZE_MAX / sizeof(uint64_t))
        return APEX_E_LIMIT;
    a.sums = aligned_alloc(64, words * sizeof *a.sums);
    a.tile = aligned_alloc(64, threads * sizeof *a.tile);
    a.counted = calloc(threads, sizeof *a.counted);
    apex_status status = a.sums && a.tile && a.counted ? APEX_OK : APEX_E_MEMORY;
    if (status == APEX_OK) {
        memset(a.sums, 0, words * sizeof *a.sums);
        memset(a.tile, 0, threads * sizeof *a.tile);
        parallel_blocks(threads, n_pieces, piece_add, &a);
        for (unsigned t = 0; t < threads; t++)
            thread_merge(&a, t, s);
        wipe(a.sums, words * sizeof *a.sums);
        wipe(a.tile, threads * sizeof *a.tile);
    }
    free(a.sums);
    free(a.tile);
    free(a.counted);
    return status;
}

apex_status bayes_plain_add(struct bayes_sums *s, const struct bayes_chunk *c)
{
    TRY(chunk_check(c, c->label_bytes));
    for (size_t i = 0; i < c->n; i++) {
        uint32_t label = c->label_bytes == 1   ? ((const uint8_t *)c->label)[i]
                         : c->label_bytes == 2 ? ((const uint16_t *)c->label)[i]
                                               : ((const uint32_t *)c->label)[i];
        if (c->used && !c->used[i]) continue;
        if (label >= s->n_classes) {
            s->unseen++;
            continue;
        }
        s->rows[label]++;
        for (size_t f = 0; f < s->n_features; f++) {
            int64_t x = c->coordinate[f][i];
            s->sum[label * s->n_features + f] += x;
            s->square[label * s->n_features + f] += (uint64_t)(x * x);
        }
    }
    return APEX_OK;
}

apex_status bayes_sums_merge(struct bayes_sums *total, const struct bayes_sums *part)
{
    if (total->n_classes != part->n_classes || total->n_features != part->n_features)
        return APEX_E_USAGE;
    for (size_t c = 0; c < total->n_classes; c++)
        total->rows[c] += part->rows[c];
    for (size_t i = 0; i < total->n_classes * total->n_features; i++) {
        total->sum[i] += part->sum[i];
        total->square[i] += part->square[i];
    }
    total->unseen += part->unseen;
    return APEX_OK;
}

/* To double within two units in the last place, without a branch (the compiler's own has some).
 */
static double wide(__int128 x)
{
    __int128 sign = x >> 127;
    unsigned __int128 size = (unsigned __int128)((x ^ sign) - sign);
    double high = (double)(int64_t)(uint64_t)(size >> 64),
           middle = (double)(int64_t)(uint32_t)(size >> 32),
           low = (double)(int64_t)(uint32_t)size;
    return (high * 0x1p64 + (middle * 0x1p32 + low)) * (double)(1 + 2 * (int)sign);
}

/* With q an integer next to the mean, sum (x - q)^2 is exact and so small that taking
 * (mean - q)^2 off its mean costs no digit. */
static void moments_of(uint64_t rows, __int128 sum, unsigned __int128 square, double *mean,
                       double *variance)
{
    double n = ((double)(int64_t)rows + vec_one(rows == 0));
    int64_t q = (int64_t)vec_nearest(wide(sum) / n);
    __int128 rest = sum - (__int128)q * (__int128)rows;
    __int128 squares = (__int128)square - 2 * (__int128)q * sum + (__int128)rows * q * q;
    double beside = wide(rest) / n;
    *mean = (double)q + beside;
    *variance = vec_positive(wide(squares) / n - beside * beside);
}

struct moments_room {
    double *weight, *mean, *variance;
};

static void moments_fill(const struct bayes_sums *s, const struct moments_room *r,
                         struct bayes_moments *m)
{
    __int128 all = 0;
    int64_t rows = 0;
    for (size_t c = 0; c < s->n_classes; c++) {
        r->weight[c] = (double)(int64_t)s->rows[c];
        rows += (int64_t)s->rows[c];
        for (size_t i = c * s->n_features; i < (c + 1) * s->n_features; i++)
            moments_of(s->rows[c], s->sum[i], s->square[i], &r->mean[i], &r->variance[i]);
    }
    for (size_t f = 0; f < s->n_features; f++, all = 0) {
        for (size_t c = 0; c < s->n_classes; c++)
            all += s->sum[c * s->n_features + f];
        m->shift[f] = vec_nearest(wide(all) / ((double)rows + vec_one(rows == 0)));
    }
    m->weight = m->rows = r->weight;
    m->mean = r->mean;
    m->variance = r->variance;
    m->unseen = (double)(int64_t)s->unseen;
    m->n_shifts = s->n_features;
}

apex_status bayes_sums_finish(const struct bayes_sums *s, const struct bayes_options *o,
                              struct bayes **model, struct num_place *place)
{
    struct bayes_moments m = {0};
    TRY(bayes_options_check(o, place));
    if (o->n_classes != s->n_classes) return bayes_fault(place, APEX_E_USAGE, NUM_OPTION, 0);
    if (o->n_features != s->n_features) return bayes_fault(place, APEX_E_USAGE, NUM_OPTION, 1);
    size_t cells = s->n_classes * s->n_features, len = (s->n_classes + 2 * cells);
    double *room = calloc(len, sizeof *room);
    if (!room) return APEX_E_MEMORY;
    struct moments_room r = {room, room + s->n_classes, room + s->n_classes + cells};
    moments_fill(s, &r, &m);
    apex_status status = bayes_of_moments(o, &m, model, place);
    wipe(room, len * sizeof *room);
    free(room);
    return status;
}

struct predicting {
    const struct bayes *model;
    const struct bayes_chunk *chunk;
    uint8_t *labels;
    unsigned label_bytes;
};

static inline __attribute__((always_inline)) void doubles_of(const int32_t *restrict x,
                                                             size_t n, double shift,
                                                             double *restrict out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (double)x[i] - shift;
}
static void doubles_any(const int32_t *x, size_t n, double shift, double *out)
{
    doubles_of(x, n, shift, out);
}
#if SIMD_X86
SIMD_256 static void doubles_256(const int32_t *x, size_t n, double shift, double *out)
{
    doubles_of(x, n, shift, out);
}
#endif

static void labels_out(const uint32_t *label, size_t n, unsigned bytes, uint8_t *out)
{
    uint16_t *u16 = (void *)out;
    if (bytes == 4) memcpy(out, label, n * 4);
    for (size_t i = 0; bytes == 1 && i < n; i++)
        out[i] = (uint8_t)label[i];
    for (size_t i = 0; bytes == 2 && i < n; i++)
        u16[i] = (uint16_t)label[i];
}

static void tile_predict(const struct predicting *p, size_t first, size_t n)
{
    _Alignas(64) double room[BAYES_DIMS_MAX][BAYES_ROWS];
    const double *column[BAYES_DIMS_MAX];
    uint32_t labels[BAYES_ROWS];
    for (size_t f = 0; f < p->model->n_features; f++) {
        const int32_t *x = p->chunk->coordinate[f] + first;
#if SIMD_X86
        if (simd_level() != SIMD_LEVEL_ANY)
            doubles_256(x, n, p->model->shift[f], room[f]);
        else
#endif
            doubles_any(x, n, p->model->shift[f], room[f]);
        for (size_t i = n; i % 32 != 0; i++)
            room[f][i] = 0;
        column[f] = room[f];
    }
    bayes_classify(p->model, column, n, labels, NULL);
    labels_out(labels, n, p->label_bytes, p->labels + first * p->label_bytes);
}

static void piece_predict(void *context, size_t piece, unsigned thread)
{
    const struct predicting *p = context;
    size_t from = piece * PIECE_ROWS,
           end = p->chunk->n - from < PIECE_ROWS ? p->chunk->n : from + PIECE_ROWS;
    (void)thread;
    for (size_t at = from; at < end; at += BAYES_ROWS)
        tile_predict(p, at, end - at < BAYES_ROWS ? end - at : BAYES_ROWS);
}

apex_status bayes_chunk_predict(const struct bayes *model, const struct bayes_chunk *chunk,
                                unsigned threads, void *labels, unsigned label_bytes)
{
    struct predicting p = {model, chunk, labels, label_bytes};
    TRY(chunk_check(chunk, label_bytes));
    if (model->n_features > BAYES_DIMS_MAX ||
        (label_bytes < 4 && model->n_classes > (size_t)1 << 8 * label_bytes))
        return APEX_E_USAGE;
    parallel_blocks(threads, (chunk->n + PIECE_ROWS - 1) / PIECE_ROWS, piece_predict, &p);
    return APEX_OK;
}
