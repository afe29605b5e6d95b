#include "common/num/sort.h"

#include "common/num/simd.h"

#include <math.h>
#include <stdbool.h>

/* Numbers travel as integers of the same order: compares and exchanges of bits, no float. */
typedef int64_t sort_key __attribute__((may_alias));
#define KEY_MOST INT64_MAX

/* What is sorted at once in a copy on the stack, its rows beyond n padded: every loop there has
 * a length known to the compiler. WIDE numbers apart, neighbours are whole vectors; nearer than
 * that, the copy is turned so that they become so. */
enum { CHUNK = 512, WIDE = 8, DEEP = CHUNK / WIDE };

#define INLINE static inline __attribute__((always_inline))
#define RESTRICT __restrict__
/* Iterations of the next loop touch different rows: what restrict says is lost in inlining. */
#if defined(__clang__)
#define INDEPENDENT
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif

struct rows {
    sort_key *key;
    uint32_t *narrow; /* at most one payload */
    uint64_t *wide;
};
enum payload { NO_PAYLOAD, NARROW, BROAD };

INLINE int64_t mask_of(bool condition)
{
    return -(int64_t)condition;
}

/* Afterwards *a is not above *b. */
INLINE void exchange(int64_t *a, int64_t *b)
{
    int64_t x = *a, y = *b, moved = (x ^ y) & mask_of(x > y);
    *a = x ^ moved;
    *b = y ^ moved;
}

INLINE void exchange_pair(int64_t *a, int64_t *b, uint64_t *p, uint64_t *q)
{
    int64_t x = *a, y = *b;
    uint64_t u = *p, v = *q;
    int64_t swap = mask_of(x > y) | (mask_of(x == y) & mask_of(u > v));
    int64_t moved = (x ^ y) & swap;
    uint64_t carried = (u ^ v) & (uint64_t)swap;
    *a = x ^ moved;
    *b = y ^ moved;
    *p = u ^ carried;
    *q = v ^ carried;
}

/* One layer of `count` comparators: (low + i, high + i), or mirrored (low + i, high - i). */
INLINE void layer(struct rows r, enum payload kind, size_t low, size_t high, bool mirrored,
                  size_t count)
{
    sort_key *RESTRICT a = r.key + low, *RESTRICT b = r.key + high;
    const ptrdiff_t step = mirrored ? -1 : 1;
    if (kind == NO_PAYLOAD) {
        INDEPENDENT
        for (size_t i = 0; i < count; i++) {
            int64_t x = a[i], y = b[step * (ptrdiff_t)i];
            exchange(&x, &y);
            a[i] = x;
            b[step * (ptrdiff_t)i] = y;
        }
    } else if (kind == BROAD) {
        uint64_t *RESTRICT p = r.wide + low, *RESTRICT q = r.wide + high;
        INDEPENDENT
        for (size_t i = 0; i < count; i++) {
            int64_t x = a[i], y = b[step * (ptrdiff_t)i];
            uint64_t u = p[i], v = q[step * (ptrdiff_t)i];
            exchange_pair(&x, &y, &u, &v);
            a[i] = x;
            b[step * (ptrdiff_t)i] = y;
            p[i] = u;
            q[step * (ptrdiff_t)i] = v;
        }
    } else {
        uint32_t *RESTRICT p = r.narrow + low, *RESTRICT q = r.narrow + high;
        INDEPENDENT
        for (size_t i = 0; i < count; i++) {
            int64_t x = a[i], y = b[step * (ptrdiff_t)i];
            uint64_t u = p[i], v = q[step * (ptrdiff_t)i];
            exchange_pair(&x, &y, &u, &v);
            a[i] = x;
            b[step * (ptrdiff_t)i] = y;
            p[i] = (uint32_t)u;
            q[step * (ptrdiff_t)i] = (uint32_t)v;
        }
    }
}

/* A chunk turned: number WIDE * deep + w lies at [w][deep]. */
struct turned {
    int64_t key[WIDE][DEEP];
    uint64_t payload[WIDE][DEEP];
};
struct chunk {
    _Alignas(64) int64_t key[CHUNK];
    _Alignas(64) uint64_t payload[CHUNK];
    _Alignas(64) struct turned turned;
};

INLINE void chunk_turn(struct chunk *c, enum payload kind)
{
    for (size_t w = 0; w < WIDE; w++)
        for (size_t d = 0; d < DEEP; d++)
            c->turned.key[w][d] = c->key[WIDE * d + w];
    for (size_t w = 0; w < WIDE && kind; w++)
        for (size_t d = 0; d < DEEP; d++)
            c->turned.payload[w][d] = c->payload[WIDE * d + w];
}

INLINE void chunk_turn_back(struct chunk *c, enum payload kind)
{
    for (size_t d = 0; d < DEEP; d++)
        for (size_t w = 0; w < WIDE; w++)
            c->key[WIDE * d + w] = c->turned.key[w][d];
    for (size_t d = 0; d < DEEP && kind; d++)
        for (size_t w = 0; w < WIDE; w++)
            c->payload[WIDE * d + w] = c->turned.payload[w][d];
}

/* Comparators between rows v and w of the turned chunk. */
INLINE void turned_layer(struct chunk *c, enum payload kind, size_t v, size_t w)
{
    int64_t *RESTRICT a = c->turned.key[v], *RESTRICT b = c->turned.key[w];
    uint64_t *RESTRICT p = c->turned.payload[v], *RESTRICT q = c->turned.payload[w];
    INDEPENDENT
    for (size_t d = 0; d < DEEP; d++) {
        int64_t x = a[d], y = b[d];
        if (kind) {
            uint64_t s = p[d], t = q[d];
            exchange_pair(&x, &y, &s, &t);
            p[d] = s;
            q[d] = t;
        } else {
            exchange(&x, &y);
        }
        a[d] = x;
        b[d] = y;
    }
}

/* The layers of distance 4, 2, 1 that end every merge. */
INLINE void turned_merge(struct chunk *c, enum payload kind, size_t first)
{
    for (size_t distance = first; distance >= 1; distance /= 2)
        for (size_t v = 0; v < WIDE; v++)
            if (!(v & distance)) turned_layer(c, kind, v, v + distance);
}

INLINE void chunk_layer(struct chunk *c, enum payload kind, size_t low, size_t high,
                        bool mirrored, size_t count)
{
    struct rows r = {.key = c->key, .wide = c->payload};
    layer(r, kind ? BROAD : NO_PAYLOAD, low, high, mirrored, count);
}

/* All layers of distance `first` and less. */
INLINE void chunk_merge(struct chunk *c, enum payload kind, size_t first)
{
    for (size_t distance = first; distance >= WIDE; distance /= 2)
        for (size_t at = 0; at < CHUNK; at += 2 * distance)
            chunk_layer(c, kind, at, at + distance, false, distance);
    chunk_turn(c, kind);
    turned_merge(c, kind, WIDE / 2);
    chunk_turn_back(c, kind);
}

INLINE void chunk_sort(struct chunk *c, enum payload kind)
{
    chunk_turn(c, kind);
    for (size_t size = 2; size <= WIDE; size *= 2) {
        for (size_t at = 0; at < WIDE; at += size)
            for (size_t i = 0; i < size / 2; i++)
                turned_layer(c, kind, at + i, at + size - 1 - i);
        turned_merge(c, kind, size / 4);
    }
    chunk_turn_back(c, kind);
    for (size_t size = 2 * WIDE; size <= CHUNK; size *= 2) {
        for (size_t at = 0; at < CHUNK; at += size)
            chunk_layer(c, kind, at, at + size - 1, true, size / 2);
        chunk_merge(c, kind, size / 4);
    }
}

INLINE void chunk_load(struct chunk *c, struct rows r, enum payload kind, size_t from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        c->key[i] = r.key[from + i];
    for (size_t i = n; i < CHUNK; i++)
        c->key[i] = KEY_MOST;
    for (size_t i = 0; i < n && kind; i++)
        c->payload[i] = kind == NARROW ? r.narrow[from + i] : r.wide[from + i];
    for (size_t i = n; i < CHUNK && kind; i++)
        c->payload[i] = UINT64_MAX;
}

INLINE void chunk_store(const struct chunk *c, struct rows r, enum payload kind, size_t from,
                        size_t n)
{
    for (size_t i = 0; i < n; i++)
        r.key[from + i] = c->key[i];
    for (size_t i = 0; i < n && kind == NARROW; i++)
        r.narrow[from + i] = (uint32_t)c->payload[i];
    for (size_t i = 0; i < n && kind == BROAD; i++)
        r.wide[from + i] = c->payload[i];
}

INLINE void chunk_body(struct rows r, enum payload kind, size_t from, size_t n, bool sorted)
{
    struct chunk c;
    chunk_load(&c, r, kind, from, n);
    if (sorted)
        chunk_merge(&c, kind, CHUNK / 2);
    else
        chunk_sort(&c, kind);
    chunk_store(&c, r, kind, from, n);
}

/* One merge over `size` > CHUNK rows at `from`, of which n <= size exist, as far as chunks. The
 * layers nearest in memory are done together: halves in turn, each down to its chunks. */
INLINE void halves_body(struct rows r, enum payload kind, size_t from, size_t size, size_t n,
                        bool mirrored)
{
    size_t half = size / 2;
    if (n <= half) return;
    if (mirrored) /* (i, size - 1 - i) exists from i = size - n on */
        layer(r, kind, from + size - n, from + n - 1, true, half - (size - n));
    else
        layer(r, kind, from, from + half, false, n - half);
}

struct level {
    void (*halves)(struct rows, enum payload, size_t, size_t, size_t, bool);
    void (*chunk)(struct rows, enum payload, size_t, size_t, bool);
};

#define FOR_EACH_PAYLOAD(call)                                                                 \
    switch (kind) {                                                                            \
    case NO_PAYLOAD: call(NO_PAYLOAD); return;                                                 \
    case NARROW: call(NARROW); return;                                                         \
    case BROAD: call(BROAD); return;                                                           \
    }
#define HALVES(kind) halves_body(r, kind, from, size, n, mirrored)
#define CHUNK_BODY(kind) chunk_body(r, kind, from, n, sorted)
#define LEVEL(suffix, target)                                                                  \
    target static void halves_##suffix(struct rows r, enum payload kind, size_t from,          \
                                       size_t size, size_t n, bool mirrored){FOR_EACH_PAYLOAD( \
        HALVES)} target static void chunk_##suffix(struct rows r, enum payload kind,           \
                                                   size_t from, size_t n, bool sorted)         \
    {                                                                                          \
        FOR_EACH_PAYLOAD(CHUNK_BODY)                                                           \
    }
LEVEL(512, SIMD_512)
LEVEL(256, SIMD_256)
LEVEL(any, )

static struct level level_here(void)
{
    switch (simd_level()) {
    case SIMD_LEVEL_512: return (struct level){halves_512, chunk_512};
    case SIMD_LEVEL_256: return (struct level){halves_256, chunk_256};
    default: return (struct level){halves_any, chunk_any};
    }
}

static void merge_rows(const struct level *level, struct rows r, enum payload kind, size_t from,
                       size_t size, size_t n, bool mirrored)
{
    if (n == 0) return;
    if (size <= CHUNK) {
        level->chunk(r, kind, from, n, true);
        return;
    }
    size_t half = size / 2;
    level->halves(r, kind, from, size, n, mirrored);
    merge_rows(level, r, kind, from, half, n < half ? n : half, false);
    merge_rows(level, r, kind, from + half, half, n < half ? 0 : n - half, false);
}

static void sort_rows(const struct level *level, struct rows r, enum payload kind, size_t from,
                      size_t size, size_t n)
{
    if (n == 0) return;
    if (size <= CHUNK) {
        level->chunk(r, kind, from, n, false);
        return;
    }
    size_t half = size / 2;
    sort_rows(level, r, kind, from, half, n < half ? n : half);
    sort_rows(level, r, kind, from + half, half, n < half ? 0 : n - half);
    merge_rows(level, r, kind, from, size, n, true);
}

/* The bits of a double in an integer of the same order, and back: its own inverse. */
static void keys_turn(sort_key *key, size_t n)
{
    for (size_t i = 0; i < n; i++)
        key[i] ^= (key[i] >> 63) & INT64_MAX;
}

static void sort_any(struct rows r, enum payload kind, size_t n)
{
    const struct level level = level_here();
    size_t size = CHUNK;
    while (size < n && size <= SIZE_MAX / 2)
        size *= 2;
    keys_turn(r.key, n);
    sort_rows(&level, r, kind, 0, size, n);
    keys_turn(r.key, n);
}

void sort_doubles(double *keys, size_t n)
{
    sort_any((struct rows){.key = (sort_key *)keys}, NO_PAYLOAD, n);
}

void sort_doubles_u32(double *keys, uint32_t *payload, size_t n)
{
    sort_any((struct rows){.key = (sort_key *)keys, .narrow = payload}, NARROW, n);
}

void sort_doubles_u64(double *keys, uint64_t *payload, size_t n)
{
    sort_any((struct rows){.key = (sort_key *)keys, .wide = payload}, BROAD, n);
}

double sorted_quantile(const double *sorted, size_t n, double q)
{
    double place = q * (double)(n - 1), below = floor(place);
    size_t at = (size_t)below;
    size_t next = at + 1 < n ? at + 1 : at;
    return sorted[at] + (sorted[next] - sorted[at]) * (place - below);
}
