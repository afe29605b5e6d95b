#include "common/num/kmeans_order.h"

#include "common/base/size.h"
#include "common/num/parallel.h"
#include "common/num/room.h"
#include "common/num/simd.h"

#include <stdlib.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum {
    BITS_MAX = 10,    /* of a cell's number: d coordinates together */
    ROWS_PER_CELL = 8 /* that a pass aims at */
};

/* Where along the curve a cell is, for each number of bits per coordinate. */
struct curve {
    size_t d;
    unsigned most; /* bits per coordinate */
    uint16_t place[BITS_MAX + 1][ORDER_CELLS];
};

/* A box of rows, cut into cells that are as wide as high. */
struct cells {
    int32_t low[ORDER_DIMS_MAX];
    unsigned shift, bits;
    const uint16_t *place;
};
struct box {
    int32_t low[ORDER_DIMS_MAX], high[ORDER_DIMS_MAX];
};

/* Skilling's transform of a cell's coordinates to its place on the curve. */
static unsigned curve_place(unsigned cell, size_t d, unsigned bits)
{
    unsigned x[ORDER_DIMS_MAX], turn = 0, place = 0;
    for (size_t j = 0; j < d; j++)
        x[j] = cell >> (d - 1 - j) * bits & ((1u << bits) - 1);
    for (unsigned q = bits - 1; q > 0; q--)
        for (size_t j = 0; j < d; j++) {
            unsigned below = (1u << q) - 1, swap = (x[0] ^ x[j]) & below;
            if (x[j] >> q & 1)
                x[0] ^= below;
            else {
                x[0] ^= swap;
                x[j] ^= swap;
            }
        }
    for (size_t j = 1; j < d; j++)
        x[j] ^= x[j - 1];
    for (unsigned q = bits - 1; q > 0; q--)
        if (x[d - 1] >> q & 1) turn ^= (1u << q) - 1;
    for (unsigned q = bits; q-- > 0;)
        for (size_t j = 0; j < d; j++)
            place = place << 1 | ((x[j] ^ turn) >> q & 1);
    return place;
}

static void curve_make(struct curve *c, size_t d)
{
    c->d = d;
    c->most = BITS_MAX / (unsigned)d;
    for (unsigned bits = 1; bits <= c->most; bits++)
        for (unsigned cell = 0; cell < 1u << d * bits; cell++)
            c->place[bits][cell] = (uint16_t)curve_place(cell, d, bits);
}

/* Bounds of a column; low and high hold some bounds already. */
INLINE void bounds_body(const int32_t *x, size_t n, int32_t *low, int32_t *high)
{
    int32_t l = *low, h = *high;
    for (size_t i = 0; i < n; i++) {
        l = x[i] < l ? x[i] : l;
        h = x[i] > h ? x[i] : h;
    }
    *low = l;
    *high = h;
}
SIMD_512 static void bounds_512(const int32_t *x, size_t n, int32_t *low, int32_t *high)
{
    bounds_body(x, n, low, high);
}
SIMD_256 static void bounds_256(const int32_t *x, size_t n, int32_t *low, int32_t *high)
{
    bounds_body(x, n, low, high);
}
static void bounds_any(const int32_t *x, size_t n, int32_t *low, int32_t *high)
{
    bounds_body(x, n, low, high);
}

static const struct box nowhere = {
    .low = {INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX},
    .high = {INT32_MIN, INT32_MIN, INT32_MIN, INT32_MIN},
};

static void box_add(struct box *b, const int32_t *const *column, size_t d, size_t n)
{
    enum simd_level level = n < ORDER_PAD ? SIMD_LEVEL_ANY : simd_level();
    for (size_t j = 0; j < d; j++)
        (level == SIMD_LEVEL_512   ? bounds_512
         : level == SIMD_LEVEL_256 ? bounds_256
                                   : bounds_any)(column[j], n, &b->low[j], &b->high[j]);
}

/* False: all rows are in one place. */
static bool cells_make(const struct curve *c, const struct box *b, size_t n, struct cells *out)
{
    uint32_t widest = 0;
    unsigned bits = 1, width = 0;
    for (size_t j = 0; j < c->d; j++) {
        uint32_t wide = (uint32_t)b->high[j] - (uint32_t)b->low[j];
        if (wide > widest) widest = wide;
        out->low[j] = b->low[j];
    }
    if (widest == 0) return false;
    while (bits < c->most && (n / ROWS_PER_CELL) >> c->d * bits > 0)
        bits++;
    while (width < 32 && widest >> width > 0)
        width++;
    out->bits = bits;
    out->shift = width > bits ? width - bits : 0;
    out->place = c->place[bits];
    return true;
}

INLINE unsigned key_of(const struct cells *c, const int32_t *const *column, size_t d, size_t i)
{
    unsigned cell = 0;
    for (size_t j = 0; j < d; j++)
        cell = cell << c->bits | ((uint32_t)column[j][i] - (uint32_t)c->low[j]) >> c->shift;
    return c->place[cell];
}

INLINE void keys_body(const struct cells *c, const int32_t *const *column, size_t d, size_t n,
                      uint16_t *key, uint32_t *count)
{
    for (size_t i = 0; i < n; i++) {
        key[i] = (uint16_t)key_of(c, column, d, i);
        count[key[i]]++;
    }
}

/* Keys of n rows, and how many have each. */
static void keys_make(const struct cells *c, const int32_t *const *column, size_t d, size_t n,
                      uint16_t *key, uint32_t *count)
{
    if (d == 2)
        keys_body(c, column, 2, n, key, count);
    else
        keys_body(c, column, d, n, key, count);
}

/* Counts become the places where cells begin. */
static void starts_make(uint32_t *count, size_t n)
{
    uint32_t at = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t here = count[i];
        count[i] = at;
        at += here;
    }
}

static void scatter(const int32_t *const *from, size_t n_columns, const uint16_t *key, size_t n,
                    uint32_t *at, int32_t *const *to)
{
    if (n_columns == 2) {
        for (size_t i = 0; i < n; i++) {
            uint32_t place = at[key[i]]++;
            to[0][place] = from[0][i];
            to[1][place] = from[1][i];
        }
        return;
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t place = at[key[i]]++;
        for (size_t j = 0; j < n_columns; j++)
            to[j][place] = from[j][i];
    }
}

/* What a range needs beside its rows lies at the same places of the room, so threads share it.
 */
struct ordering {
    struct order_rows *rows;
    size_t run;
    struct curve curve;
    int32_t *room[ORDER_COLUMNS_MAX];
    uint16_t *key;
    uint32_t ends[ORDER_CELLS]; /* of the first pass's cells */
};

/* Rows of a range, from the room back to where they belong. */
static void range_home(const struct ordering *o, size_t first, size_t n)
{
    for (size_t j = 0; j < o->rows->n_columns; j++)
        memcpy(o->rows->column[j] + first, o->room[j] + first, n * sizeof(int32_t));
}

/* One pass over a range, from its columns to the room or, if `away`, from the room to its
 * columns; its cells' ends, and how many cells: 0 where there is nothing to do. */
static size_t range_cut(const struct ordering *o, size_t first, size_t n, bool away,
                        uint32_t *ends)
{
    struct box box = nowhere;
    struct cells cells;
    int32_t *column[ORDER_COLUMNS_MAX], *room[ORDER_COLUMNS_MAX];
    const int32_t *const *from = (const int32_t *const *)(away ? room : column);
    size_t d = o->rows->d, n_columns = o->rows->n_columns;
    for (size_t j = 0; j < n_columns; j++) {
        column[j] = o->rows->column[j] + first;
        room[j] = o->room[j] + first;
    }
    if (n <= o->run) return 0;
    box_add(&box, from, d, n);
    if (!cells_make(&o->curve, &box, n, &cells)) return 0;
    size_t n_cells = (size_t)1 << d * cells.bits;
    memset(ends, 0, n_cells * sizeof *ends);
    keys_make(&cells, from, d, n, o->key + first, ends);
    starts_make(ends, n_cells);
    scatter(from, n_columns, o->key + first, n, ends, away ? column : room);
    return n_cells;
}

/* Each pass narrows the box of its rows at least by half, so at most 32 are open. What is not
 * cut any further goes home. */
static void range_order(const struct ordering *o, size_t first, size_t n, bool away)
{
    uint32_t ends[ORDER_CELLS];
    size_t n_cells = range_cut(o, first, n, away, ends), settled = 0;
    if (n_cells > 0) away = !away;
    for (size_t c = 0, begin = 0; c < n_cells; begin = ends[c++]) {
        if (ends[c] - begin <= o->run) continue;
        if (away) range_home(o, first + settled, begin - settled);
        range_order(o, first + begin, ends[c] - begin, away);
        settled = ends[c];
    }
    if (away) range_home(o, first + settled, n - settled);
}

static void cell_order(void *context, size_t index, unsigned thread)
{
    const struct ordering *o = context;
    size_t begin = index ? o->ends[index - 1] : 0;
    (void)thread;
    range_order(o, begin, o->ends[index] - begin, true);
}

apex_status order_rows_open(struct order_rows *rows, size_t n, size_t d, size_t n_columns)
{
    size_t room, bytes;
    *rows = (struct order_rows){.n = n, .d = d, .n_columns = n_columns};
    if (n > UINT32_MAX || !size_align(n + !n, ORDER_PAD, &room) ||
        !size_mul(room, sizeof(int32_t), &bytes))
        return APEX_E_LIMIT;
    for (size_t j = 0; j < n_columns; j++) {
        rows->column[j] = num_room(bytes);
        if (!rows->column[j]) return APEX_E_MEMORY;
        memset(rows->column[j] + n, 0, (room - n) * sizeof(int32_t));
    }
    return APEX_OK;
}

void order_rows_close(struct order_rows *rows)
{
    for (size_t j = 0; j < rows->n_columns; j++)
        free(rows->column[j]);
    *rows = (struct order_rows){0};
}

apex_status order_rows_sort(struct order_rows *rows, size_t run, unsigned threads)
{
    struct ordering *o = calloc(1, sizeof *o);
    bool whole = o != NULL;
    if (whole) {
        o->rows = rows;
        o->run = run;
        whole &= (o->key = num_room(rows->n * sizeof *o->key)) != NULL;
        for (size_t j = 0; j < rows->n_columns; j++)
            whole &= (o->room[j] = num_room(rows->n * sizeof(int32_t))) != NULL;
    }
    if (whole) {
        curve_make(&o->curve, rows->d);
        parallel_blocks(threads, range_cut(o, 0, rows->n, false, o->ends), cell_order, o);
    }
    for (size_t j = 0; o && j < rows->n_columns; j++)
        free(o->room[j]);
    if (o) free(o->key);
    free(o);
    return whole ? APEX_OK : APEX_E_MEMORY;
}
