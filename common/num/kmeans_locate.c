#include "common/num/kmeans_locate.h"

#include "common/base/try.h"
#include "common/num/kmeans_filter.h"
#include "common/num/simd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

/* A table has 2^BITS cells, or a few less, d coordinates together. A cell says what it is: a
 * centroid, a table, or where in `list` its candidates are, their number first; where they are
 * FEW or less, the last is repeated until they are FEW. */
enum { BITS = 6, CELLS = 1 << BITS, FEW = 4, TABLES_MAX = 1 << 15, WIDTH_MAX = 36 };
enum cell_kind { CELL_CENTROID, CELL_FEW, CELL_LIST, CELL_TABLE, CELL_OUTSIDE };
/* In two dimensions the first tables' levels are looked up at once, for many rows together. */
enum {
    FLAT_LEVELS = 3,
    FLAT_BITS = FLAT_LEVELS * BITS / 2, /* of a coordinate */
    FLAT_CELLS = 1 << 2 * FLAT_BITS,
    FLAT_ROWS = 256
};
#define KIND_SHIFT 29
#define KIND_REST ((UINT32_C(1) << KIND_SHIFT) - 1)

/* What a centroid's scores are made of, in two dimensions. */
struct flat_score {
    double square, coefficient[2];
};

struct kmeans_locator {
    struct kmeans_table *table;
    unsigned bits, shift; /* of a coordinate in a table; of the first table's cells */
    int64_t low[ORDER_DIMS_MAX];
    size_t n_tables, tables_most, n_list, list_room;
    uint32_t (*cell)[CELLS];
    uint16_t *list;
    uint32_t *flat;           /* FLAT_CELLS, and one for all rows outside; or NULL */
    struct flat_score *score; /* k, with flat */
};

/* A table to be filled: where it is, and what its rows may have. */
struct pending {
    int64_t low[ORDER_DIMS_MAX];
    unsigned shift; /* of its cells */
    size_t list;    /* in the locator's */
};
struct making {
    struct kmeans_locator *l;
    struct kmeans_filter filter;
    struct pending *pending; /* by table */
    uint8_t *keep;
    uint16_t *start; /* the first table's candidates */
    size_t n_start;
};

static unsigned width_of(double range)
{
    unsigned width = 0;
    while (width < WIDTH_MAX && ldexp(1, (int)width) < range)
        width++;
    return width;
}

/* A window somewhat wider than the centroids' box: on the whole Earth, 2^32. */
static const double window = 1.125;

static void window_set(struct kmeans_locator *l, const double *centroids, size_t k, size_t d)
{
    double low[ORDER_DIMS_MAX], high[ORDER_DIMS_MAX], widest = 1;
    for (size_t j = 0; j < d; j++) {
        low[j] = high[j] = centroids[j];
        for (size_t c = 1; c < k; c++) {
            low[j] = fmin(low[j], centroids[c * d + j]);
            high[j] = fmax(high[j], centroids[c * d + j]);
        }
        widest = fmax(widest, high[j] - low[j]);
    }
    l->bits = BITS / (unsigned)d;
    unsigned width = width_of(window * widest);
    l->shift = width > l->bits ? width - l->bits : 0;
    for (size_t j = 0; j < d; j++)
        l->low[j] =
            (int64_t)floor((low[j] + high[j]) / 2) - (INT64_C(1) << (l->shift + l->bits - 1));
}

static apex_status list_put(struct kmeans_locator *l, const uint16_t *list, size_t m,
                            size_t *at)
{
    size_t few = m < FEW ? FEW - m : 0;
    if (l->list_room - l->n_list < m + few + 1) {
        size_t room = 2 * l->list_room + m + few + 1;
        uint16_t *grown = realloc(l->list, room * sizeof *grown);
        if (!grown) return APEX_E_MEMORY;
        l->list = grown;
        l->list_room = room;
    }
    *at = l->n_list;
    l->list[l->n_list++] = (uint16_t)m;
    memcpy(l->list + l->n_list, list, m * sizeof *list);
    l->n_list += m;
    for (size_t i = 0; i < few; i++)
        l->list[l->n_list++] = list[m - 1];
    return APEX_OK;
}

/* A cell with several candidates: a table of its own, if there is one left and it would help.
 */
static apex_status cell_put(struct making *m, const struct pending *p, size_t table,
                            size_t cell, const uint16_t *kept, size_t n)
{
    struct kmeans_locator *l = m->l;
    size_t at, d = l->table->d;
    TRY(list_put(l, kept, n, &at));
    if (n <= FEW || p->shift < l->bits || l->n_tables == l->tables_most) {
        enum cell_kind kind = n <= FEW ? CELL_FEW : CELL_LIST;
        l->cell[table][cell] = (uint32_t)at | (uint32_t)kind << KIND_SHIFT;
        return at <= KIND_REST ? APEX_OK : APEX_E_MEMORY;
    }
    struct pending *next = &m->pending[l->n_tables];
    *next = (struct pending){.shift = p->shift - l->bits, .list = at};
    for (size_t j = 0; j < d; j++)
        next->low[j] =
            p->low[j] +
            (int64_t)((cell >> (d - 1 - j) * l->bits & ((1u << l->bits) - 1)) << p->shift);
    l->cell[table][cell] = (uint32_t)l->n_tables++ | (uint32_t)CELL_TABLE << KIND_SHIFT;
    return APEX_OK;
}

static void boxes_set(const struct kmeans_locator *l, const struct pending *p, size_t first,
                      double (*low)[VEC], double (*high)[VEC])
{
    for (size_t j = 0; j < l->table->d; j++)
        for (size_t i = 0; i < VEC; i++) {
            size_t step =
                (first + i) >> (l->table->d - 1 - j) * l->bits & ((1u << l->bits) - 1);
            low[j][i] = (double)(p->low[j] + (int64_t)(step << p->shift));
            high[j][i] = low[j][i] + (double)((UINT64_C(1) << p->shift) - 1);
        }
}

static apex_status table_fill(struct making *m, size_t table, uint16_t *kept)
{
    struct kmeans_locator *l = m->l;
    const struct pending p = m->pending[table];
    double low[ORDER_DIMS_MAX][VEC], high[ORDER_DIMS_MAX][VEC], number[VEC];
    size_t d = l->table->d, n = table ? l->list[p.list] : m->n_start;
    for (size_t first = 0; first < (size_t)1 << l->bits * d; first += VEC) {
        /* the lists move when they grow */
        const uint16_t *list = table ? l->list + p.list + 1 : m->start;
        boxes_set(l, &p, first, low, high);
        unsigned many = kmeans_filter_boxes(&m->filter, d, list, n, (const double(*)[VEC])low,
                                            (const double(*)[VEC])high, m->keep, number);
        for (unsigned i = 0; i < VEC; i++) {
            l->cell[table][first + i] = (uint32_t)(int32_t)number[i];
            if (!(many >> i & 1)) continue;
            list = table ? l->list + p.list + 1 : m->start;
            size_t n_kept = filter_kept(m->keep, list, n, i, kept);
            TRY(cell_put(m, &p, table, first + i, kept, n_kept));
        }
    }
    return APEX_OK;
}

/* The nearest tables first: the queue is the tables themselves. */
static apex_status tables_fill(struct making *m, uint32_t *seen, uint16_t *kept)
{
    struct kmeans_locator *l = m->l;
    double low[ORDER_DIMS_MAX], high[ORDER_DIMS_MAX];
    for (size_t j = 0; j < l->table->d; j++) {
        m->pending[0].low[j] = l->low[j];
        low[j] = (double)l->low[j];
        high[j] = low[j] + (double)(UINT64_C(1) << (l->shift + l->bits));
    }
    m->pending[0].shift = l->shift;
    m->n_start = kmeans_filter_start(l->table, seen, m->start);
    m->filter = (struct kmeans_filter){.table = l->table,
                                       .doubt = kmeans_filter_doubt(l->table, low, high)};
    l->n_tables = 1;
    for (size_t table = 0; table < l->n_tables; table++)
        TRY(table_fill(m, table, kept));
    return APEX_OK;
}

static apex_status locator_make(struct kmeans_locator *l)
{
    size_t k = l->table->k;
    l->tables_most = 64 + 4 * k < TABLES_MAX ? 64 + 4 * k : TABLES_MAX;
    struct making m = {.l = l,
                       .pending = calloc(l->tables_most, sizeof *m.pending),
                       .keep = calloc(k, sizeof *m.keep),
                       .start = calloc(k, sizeof *m.start)};
    uint32_t *seen = calloc(kmeans_filter_room(k), sizeof *seen);
    uint16_t *kept = calloc(k + 1, sizeof *kept);
    l->cell = calloc(l->tables_most, sizeof *l->cell);
    apex_status s = m.pending && m.keep && m.start && seen && kept && l->cell
                        ? tables_fill(&m, seen, kept)
                        : APEX_E_MEMORY;
    free(m.pending);
    free(m.keep);
    free(m.start);
    free(seen);
    free(kept);
    return s;
}

/* What the tables of FLAT_LEVELS levels say of each cell; what goes on deeper stays a table. */
static apex_status flat_make(struct kmeans_locator *l)
{
    const unsigned mask = (1u << l->bits) - 1;
    if (l->table->d != 2 || l->shift + l->bits < FLAT_BITS) return APEX_OK;
    l->flat = malloc((FLAT_CELLS + 1) * sizeof *l->flat);
    l->score = calloc(l->table->k, sizeof *l->score);
    if (!l->flat || !l->score) return APEX_E_MEMORY;
    for (size_t c = 0; c < l->table->k; c++) {
        const double *from = table_coefficient(l->table, l->table->d, c);
        l->score[c] = (struct flat_score){l->table->square[c], {from[0], from[KMEANS_GROUP]}};
    }
    for (unsigned cell = 0; cell < FLAT_CELLS; cell++) {
        unsigned x = cell >> FLAT_BITS, y = cell & ((1u << FLAT_BITS) - 1), shift = FLAT_BITS;
        uint32_t what = (uint32_t)CELL_TABLE << KIND_SHIFT;
        while (shift > 0 && what >> KIND_SHIFT == CELL_TABLE) {
            shift -= l->bits;
            what =
                l->cell[what & KIND_REST][(x >> shift & mask) << l->bits | (y >> shift & mask)];
        }
        l->flat[cell] = what;
    }
    l->flat[FLAT_CELLS] = (uint32_t)CELL_OUTSIDE << KIND_SHIFT;
    return APEX_OK;
}

apex_status kmeans_locator_new(const double *centroids, size_t k, size_t d,
                               struct kmeans_locator **locator)
{
    if (k == 0 || k > KMEANS_K_MAX || d == 0 || d > ORDER_DIMS_MAX) return APEX_E_USAGE;
    struct kmeans_locator *l = calloc(1, sizeof *l);
    if (!l) return APEX_E_MEMORY;
    apex_status s = kmeans_table_new(k, d, &l->table);
    if (s == APEX_OK) {
        kmeans_table_set(l->table, centroids);
        window_set(l, centroids, k, d);
        s = locator_make(l);
    }
    if (s == APEX_OK) s = flat_make(l);
    if (s == APEX_OK)
        *locator = l;
    else
        kmeans_locator_free(l);
    return s;
}

void kmeans_locator_free(struct kmeans_locator *l)
{
    if (!l) return;
    kmeans_table_free(l->table);
    free(l->cell);
    free(l->list);
    free(l->flat);
    free(l->score);
    free(l);
}

/* The one of m candidates that a row prefers; NULL: of all. */
INLINE uint32_t best_of(const struct kmeans_table *t, const int64_t *x, size_t d,
                        const uint16_t *list, size_t m)
{
    double best = INFINITY;
    uint32_t label = 0;
    for (size_t i = 0; i < m; i++) {
        size_t c = list ? list[i] : i;
        const double *coefficient = table_coefficient(t, t->d, c);
        double score = t->square[c];
        for (size_t j = 0; j < d; j++)
            score = fma((double)x[j] - t->centre[j], coefficient[j * KMEANS_GROUP], score);
        if (score >= best) continue;
        best = score;
        label = (uint32_t)c;
    }
    return label;
}

/* From a cell on whose table, if it is one, has cells 2^shift wide. */
INLINE uint32_t locate_from(const struct kmeans_locator *l, uint32_t what, unsigned shift,
                            const int64_t *x, size_t d)
{
    unsigned bits = BITS / (unsigned)d, mask = (1u << bits) - 1;
    for (;; shift -= bits) {
        uint32_t rest = what & KIND_REST;
        unsigned cell = 0;
        switch (what >> KIND_SHIFT) {
        case CELL_CENTROID: return rest;
        case CELL_FEW:
        case CELL_LIST: return best_of(l->table, x, d, l->list + rest + 1, l->list[rest]);
        case CELL_OUTSIDE: return best_of(l->table, x, d, NULL, l->table->k);
        default: break;
        }
        for (size_t j = 0; j < d; j++)
            cell = cell << bits | ((unsigned)((uint64_t)(x[j] - l->low[j]) >> shift) & mask);
        what = l->cell[rest][cell];
    }
}

INLINE uint32_t locate(const struct kmeans_locator *l, const int64_t *x, size_t d)
{
    uint64_t outside = 0;
    enum cell_kind first = CELL_TABLE;
    for (size_t j = 0; j < d; j++)
        outside |= (uint64_t)(x[j] - l->low[j]) >> (l->shift + BITS / (unsigned)d);
    if (outside) first = CELL_OUTSIDE;
    return locate_from(l, (uint32_t)first << KIND_SHIFT, l->shift, x, d);
}

/* The one of FEW candidates that a row prefers, without a branch: which it is nobody guesses.
 */
INLINE uint32_t best_of_few(const struct kmeans_locator *l, const uint16_t *list, double x,
                            double y)
{
    double best = INFINITY;
    uint32_t label = 0;
    for (size_t i = 0; i < FEW; i++) {
        const struct flat_score *of = &l->score[list[i]];
        double score = fma(y, of->coefficient[1], fma(x, of->coefficient[0], of->square));
        uint32_t less = (uint32_t)0 - (uint32_t)(score < best);
        label = (list[i] & less) | (label & ~less);
        best = score < best ? score : best;
    }
    return label;
}

/* Up to FLAT_ROWS rows: their cells, what is in those, and for the rows whose cell does not
 * say, the candidates or the tables below. */
INLINE void flat_locate(const struct kmeans_locator *l, const int32_t *x, const int32_t *y,
                        size_t n, uint32_t *labels)
{
    const unsigned whole = l->shift + BITS / 2, shift = whole - FLAT_BITS;
    const int64_t left = l->low[0], below = l->low[1];
    uint32_t cell[FLAT_ROWS], what[FLAT_ROWS];
    uint16_t few[FLAT_ROWS + 1], other[FLAT_ROWS + 1];
    size_t n_few = 0, n_other = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t a = (uint64_t)(x[i] - left), b = (uint64_t)(y[i] - below);
        uint32_t in = (uint32_t)(a >> shift << FLAT_BITS | b >> shift);
        cell[i] = (a | b) >> whole ? FLAT_CELLS : in;
    }
    for (size_t i = 0; i < n; i++)
        labels[i] = what[i] = l->flat[cell[i]];
    for (size_t i = 0; i < n; i++) {
        few[n_few] = other[n_other] = (uint16_t)i;
        n_few += what[i] >> KIND_SHIFT == CELL_FEW;
        n_other += what[i] >> KIND_SHIFT > CELL_FEW;
    }
    for (size_t i = 0; i < n_few; i++)
        labels[few[i]] =
            best_of_few(l, l->list + (what[few[i]] & KIND_REST) + 1,
                        x[few[i]] - l->table->centre[0], y[few[i]] - l->table->centre[1]);
    for (size_t i = 0; i < n_other; i++) {
        const int64_t at[] = {x[other[i]], y[other[i]]};
        labels[other[i]] = locate_from(l, what[other[i]], shift - BITS / 2, at, 2);
    }
}

INLINE void rows_locate(const struct kmeans_locator *l, const struct kmeans_chunk *chunk,
                        size_t d, uint32_t *labels)
{
    for (size_t at = 0; d == 2 && l->flat && at < chunk->n; at += FLAT_ROWS)
        flat_locate(l, chunk->column[0] + at, chunk->column[1] + at,
                    chunk->n - at < FLAT_ROWS ? chunk->n - at : FLAT_ROWS, labels + at);
    if (d == 2 && l->flat) return;
    for (size_t i = 0; i < chunk->n; i++) {
        int64_t x[ORDER_DIMS_MAX];
        for (size_t j = 0; j < d; j++)
            x[j] = chunk->column[j][i];
        labels[i] = locate(l, x, d);
    }
}

INLINE void locate_body(const struct kmeans_locator *l, const struct kmeans_chunk *chunk,
                        uint32_t *labels)
{
    switch (l->table->d) {
    case 1: rows_locate(l, chunk, 1, labels); break;
    case 2: rows_locate(l, chunk, 2, labels); break;
    case 3: rows_locate(l, chunk, 3, labels); break;
    default: rows_locate(l, chunk, 4, labels);
    }
}
SIMD_512 static void locate_512(const struct kmeans_locator *l,
                                const struct kmeans_chunk *chunk, uint32_t *labels)
{
    locate_body(l, chunk, labels);
}
SIMD_256 static void locate_256(const struct kmeans_locator *l,
                                const struct kmeans_chunk *chunk, uint32_t *labels)
{
    locate_body(l, chunk, labels);
}
static void locate_any(const struct kmeans_locator *l, const struct kmeans_chunk *chunk,
                       uint32_t *labels)
{
    locate_body(l, chunk, labels);
}

void kmeans_locate(const struct kmeans_locator *l, const struct kmeans_chunk *chunk,
                   uint32_t *labels)
{
    enum simd_level level = simd_level();
    (level == SIMD_LEVEL_512   ? locate_512
     : level == SIMD_LEVEL_256 ? locate_256
                               : locate_any)(l, chunk, labels);
}
