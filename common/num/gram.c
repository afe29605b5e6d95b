#include "common/num/gram.h"

#include "common/base/try.h"
#include "common/num/column.h"
#include "common/num/exact_inline.h"
#include "common/num/leak.h"
#include "common/num/parallel.h"
#include "common/num/reduce.h"
#include "common/num/refuse.h"
#include "common/num/scratch.h"
#include "common/num/simd.h"
#include "common/num/tile.h"

#include <float.h>
#include <string.h>

size_t gram_len(size_t m)
{
    return 1 + m + tile_entries(m);
}

/* Scratch: weights, their roots, the target padded, a chunk's columns (a column of ones first),
 * the lanes of their products, the products, and which columns there are. */
struct room {
    double *weight, *root, *target, *columns, *lanes, *sums;
    const double **column;
};

size_t gram_room(size_t m)
{
    return sizeof(double) *
               (3 * BLOCK_ROWS + (m + 1) * TILE_ROWS + tile_entries(m + 1) * (TILE_LANES + 1)) +
           sizeof(double *) * m;
}

static struct room room_of(void *memory, size_t m)
{
    struct room r = {.weight = memory};
    r.root = r.weight + BLOCK_ROWS;
    r.target = r.root + BLOCK_ROWS;
    r.columns = r.target + BLOCK_ROWS;
    r.lanes = r.columns + (m + 1) * TILE_ROWS;
    r.sums = r.lanes + tile_entries(m + 1) * TILE_LANES;
    r.column = (const double **)(void *)(r.sums + tile_entries(m + 1));
    return r;
}

/* 1 / x where x > 0, else 0. */
static double inverse_or_0(double x)
{
    uint64_t there = exact_mask(x > 0.0);
    return exact_select(there, 1.0 / exact_select(there, x, 1.0), 0.0);
}

/* Means to centre about; what they lack in digits is put right by part_correct(). */
COLUMN_INLINE void means_body(const struct room *room, size_t m, size_t rows, double inverse,
                              double *mean)
{
    for (size_t j = 0; j < m; j++)
        mean[j] = column_dot(room->column[j], room->weight, rows) * inverse;
}

COLUMN_INLINE void centre_body(const struct room *room, size_t m, const double *mean,
                               size_t from, size_t rows)
{
    double *COLUMN_RESTRICT out = room->columns;
    const double *root = room->root + from;
    for (size_t r = 0; r < rows; r++)
        out[r] = root[r];
    for (size_t j = 0; j < m; j++) {
        const double *x = room->column[j] + from, about = mean[j];
        out += TILE_ROWS;
        for (size_t r = 0; r < rows; r++)
            out[r] = root[r] * column_counted(root[r], x[r] - about);
    }
}

struct level {
    void (*means)(const struct room *, size_t, size_t, double, double *);
    void (*centre)(const struct room *, size_t, const double *, size_t, size_t);
};
#define LEVEL(suffix, target)                                                                  \
    target static void means_##suffix(const struct room *room, size_t m, size_t rows,          \
                                      double inverse, double *mean)                            \
    {                                                                                          \
        means_body(room, m, rows, inverse, mean);                                              \
    }                                                                                          \
    target static void centre_##suffix(const struct room *room, size_t m, const double *mean,  \
                                       size_t from, size_t rows)                               \
    {                                                                                          \
        centre_body(room, m, mean, from, rows);                                                \
    }
LEVEL(512, SIMD_512)
LEVEL(256, SIMD_256)
LEVEL(any, )

static struct level level_here(void)
{
    switch (simd_level()) {
    case SIMD_LEVEL_512: return (struct level){means_512, centre_512};
    case SIMD_LEVEL_256: return (struct level){means_256, centre_256};
    default: return (struct level){means_any, centre_any};
    }
}

/* From products about `mean`, with a column of ones before them, to a partial about the true
 * means. */
static void part_correct(const double *sums, size_t m, double weight, double *partial)
{
    double inverse = inverse_or_0(weight), *mean = partial + 1, *product = partial + 1 + m;
    partial[0] = weight;
    for (size_t i = 0; i < m; i++) {
        double left = sums[1 + i] * inverse;
        for (size_t j = i; j < m; j++)
            product[tile_at(m, i, j)] = sums[tile_at(m + 1, 1 + i, 1 + j)] - left * sums[1 + j];
    }
    for (size_t j = 0; j < m; j++)
        mean[j] += sums[1 + j] * inverse;
}

void gram_partial(const struct num_block *block, bool target, void *memory, double *partial)
{
    const struct level level = level_here();
    const size_t m = block->n_columns + target, rows = column_rows(block->n);
    const struct room room = room_of(memory, m);
    for (size_t j = 0; j < block->n_columns; j++)
        room.column[j] = block->column[j];
    if (target) {
        column_pad(block->target, block->n, room.target);
        room.column[m - 1] = room.target;
    }
    column_pad(block->weight, block->n, room.weight);
    memcpy(room.root, room.weight, rows * sizeof *room.root);
    tile_sqrt(room.root, rows);
    double weight = column_sum(room.weight, rows);
    level.means(&room, m, rows, inverse_or_0(weight), partial + 1);
    memset(room.lanes, 0, tile_entries(m + 1) * TILE_LANES * sizeof *room.lanes);
    for (size_t from = 0; from < rows; from += TILE_ROWS) {
        size_t chunk = rows - from < TILE_ROWS ? rows - from : TILE_ROWS;
        level.centre(&room, m, partial + 1, from, chunk);
        tile_add(room.columns, m + 1, chunk, room.lanes);
    }
    tile_sum(room.lanes, tile_entries(m + 1), room.sums);
    part_correct(room.sums, m, weight, partial);
}

void gram_merge(size_t m, double *total, const double *partial)
{
    double inverse = inverse_or_0(total[0] + partial[0]), share = partial[0] * inverse;
    double both = total[0] * share;
    double *mean = total + 1, *product = total + 1 + m;
    const double *other = partial + 1, *other_product = partial + 1 + m;
    for (size_t i = 0; i < m; i++) {
        double left = both * (other[i] - mean[i]);
        double *row = product + tile_at(m, i, i) - i;
        const double *other_row = other_product + tile_at(m, i, i) - i;
        for (size_t j = i; j < m; j++)
            row[j] += other_row[j] + left * (other[j] - mean[j]);
    }
    for (size_t j = 0; j < m; j++)
        mean[j] += share * (other[j] - mean[j]);
    total[0] += partial[0];
}

apex_status gram_finish(size_t m, const double *total, struct num_place *place)
{
    bool rows = total[0] > 0;
    size_t column = 0, sound = 0;
    for (; column < m; column++) {
        double mean = exact_abs(gram_means(total)[column]);
        double square = gram_products(total, m)[tile_at(m, column, column)];
        sound +=
            (size_t)(1 & (mean < DBL_MAX / 4) & (square < DBL_MAX / 4)) & (sound == column);
    }
    num_leak(&rows, sizeof rows);
    num_leak(&sound, sizeof sound);
    if (!rows) return refuse(place, NUM_NO_ROWS, 0);
    if (sound < m) return refuse(place, NUM_RANGE, sound);
    return APEX_OK;
}

struct pass {
    const struct num_source *source;
    size_t m;
    bool target, missing[PARALLEL_THREADS_MAX];
    struct scratch scratch;
};

static void pass_partial(void *context, size_t index, unsigned thread, void *partial)
{
    struct pass *p = context;
    struct num_block block;
    p->source->block(p->source->context, index, thread, &block);
    if (p->target && !block.target)
        p->missing[thread] = true;
    else
        gram_partial(&block, p->target, scratch_of(&p->scratch, thread), partial);
}

static void pass_merge(void *context, void *total, const void *partial)
{
    const struct pass *p = context;
    gram_merge(p->m, total, partial);
}

apex_status gram_fit(unsigned threads, const struct num_source *source, bool target,
                     double *total, struct num_place *place)
{
    struct pass p = {.source = source, .m = source->n_columns + target, .target = target};
    if (p.m == 0 || p.m > GRAM_COLUMNS_MAX) return APEX_E_USAGE;
    memset(total, 0, gram_len(p.m) * sizeof *total);
    TRY(scratch_new(threads, gram_room(p.m), &p.scratch));
    const struct reduction r = {source->n_blocks, gram_len(p.m) * sizeof *total, pass_partial,
                                pass_merge, &p};
    apex_status status = reduce_blocks(p.scratch.threads, &r, total);
    scratch_free(&p.scratch);
    TRY(status);
    for (size_t t = 0; t < PARALLEL_THREADS_MAX; t++)
        if (p.missing[t]) return APEX_E_USAGE;
    return gram_finish(p.m, total, place);
}
