/* Quantiles, histograms and categories of a column: all by counting through compares. */
#include "common/base/try.h"
#include "common/base/wipe.h"
#include "common/num/bayes.h"
#include "common/num/describe_block.h"
#include "common/num/leak.h"
#include "common/num/reduce.h"
#include "common/num/refuse.h"
#include "common/num/vec.h"

#include <float.h>

#if SIMD_X86
#define LEVEL 512
#include "common/num/describe_count_body.h"
#undef LEVEL
#define LEVEL 256
#include "common/num/describe_count_body.h"
#undef LEVEL
#endif
#define LEVEL any
#include "common/num/describe_count_body.h"
#undef LEVEL

/* --- Quantiles ------------------------------------------------------------------------------
 */
/* Bits are found from the top in an order without signs: an image plus 2^63. */
#define TOP (UINT64_C(1) << 63)

static apex_status wrong(struct num_place *place)
{
    if (place) *place = (struct num_place){NUM_OPTION, 3};
    return APEX_E_USAGE;
}

apex_status describe_search_begin(struct describe_search *s, const double *quantiles, size_t n,
                                  uint64_t present, struct num_place *place)
{
    unsigned char none = present == 0;
    if (n == 0 || n > DESCRIBE_QUANTILES_MAX) return wrong(place);
    for (size_t q = 0; q < n; q++)
        if (!(quantiles[q] >= 0 && quantiles[q] <= 1)) return wrong(place);
    num_leak(&none, sizeof none);
    if (none) return refuse(place, NUM_NO_ROWS, 0);
    memset(s, 0, sizeof *s);
    s->n_quantiles = n;
    for (size_t q = 0; q < n; q++) {
        double at = (double)(int64_t)(present - 1) * quantiles[q];
        s->rank[q] = (uint64_t)(int64_t)at; /* towards 0 */
        s->share[q] = at - (double)(int64_t)s->rank[q];
    }
    return APEX_OK;
}

/* The bound of a counting pass: the bits so far and the next one. */
static int64_t bound_of(const struct describe_search *s, size_t q)
{
    return (int64_t)((s->at[q] | TOP >> s->pass) ^ TOP);
}

/* Images of a block's cells; returns how many with those that pad it. Whether a column has
 * cells that are missing, or rows that do not count, is public; which is not. */
static size_t images_fill(const struct describe_cells *c, int64_t image[static BLOCK_ROWS])
{
    size_t n = c->n;
    if (c->present || c->used)
        VEC_DISPATCH(images, c->value, c->present ? c->present : c->used,
                     c->used ? c->used : c->present, n, image);
    else
        VEC_DISPATCH(images_all, c->value, n, image);
    for (; n % 16 != 0; n++)
        image[n] = INT64_MAX;
    return n;
}

void describe_tally_partial(const struct describe_search *s, const struct describe_cells *cells,
                            struct describe_tally *t)
{
    _Alignas(64) int64_t image[BLOCK_ROWS];
    int64_t next;
    size_t n = images_fill(cells, image);
    for (size_t q = 0; q < s->n_quantiles; q++) {
        if (s->pass < 64) {
            VEC_DISPATCH(count_below, image, n, bound_of(s, q), &t->below[q]);
            continue;
        }
        VEC_DISPATCH(next_above, image, n, (int64_t)(s->at[q] ^ TOP), &t->below[q], &next);
        t->above[q] = ~((uint64_t)next ^ TOP);
    }
    wipe(image, n * sizeof *image);
}

void describe_tally_merge(const struct describe_search *s, struct describe_tally *total,
                          const struct describe_tally *partial)
{
    for (size_t q = 0; q < s->n_quantiles; q++) {
        uint64_t more = vec_mask(partial->above[q] > total->above[q]);
        total->below[q] += partial->below[q];
        total->above[q] = (partial->above[q] & more) | (total->above[q] & ~more);
    }
}

void describe_search_step(struct describe_search *s, const struct describe_tally *total)
{
    for (size_t q = 0; q < s->n_quantiles; q++) {
        if (s->pass < 64) {
            /* The greatest bound with no more than `rank` cells below it is the cell itself. */
            uint64_t keep = vec_mask(total->below[q] <= s->rank[q]);
            s->at[q] |= TOP >> s->pass & keep;
            continue;
        }
        uint64_t same = vec_mask(total->below[q] > s->rank[q] + 1);
        same |= vec_mask(total->above[q] == 0); /* no cell is greater */
        s->next[q] = (s->at[q] & same) | (~total->above[q] & ~same);
    }
    s->pass++;
}

static double number_of(uint64_t found)
{
    int64_t image = (int64_t)(found ^ TOP);
    double x;
    image ^= (image >> 63) & INT64_MAX;
    memcpy(&x, &image, sizeof x);
    return x;
}

void describe_search_finish(const struct describe_search *s, double *values)
{
    for (size_t q = 0; q < s->n_quantiles; q++) {
        double low = number_of(s->at[q]), high = number_of(s->next[q]);
        /* Where the way is 0, a next one that overflows the difference must not show. */
        uint64_t between = vec_mask(s->share[q] > 0);
        high = vec_pick(between, high, low);
        values[q] = (1 - s->share[q]) * low + s->share[q] * high;
        values[q] = vec_pick(vec_mask(low == high), low, values[q]);
    }
}

struct tallying {
    struct describe_source source;
    struct describe_search search;
};

static void tally_block(void *context, size_t index, unsigned thread, void *partial)
{
    const struct tallying *t = context;
    struct describe_cells cells;
    t->source.cells(t->source.context, index, thread, &cells);
    describe_tally_partial(&t->search, &cells, partial);
}

static void tally_add(void *context, void *total, const void *partial)
{
    const struct tallying *t = context;
    describe_tally_merge(&t->search, total, partial);
}

static void presence_block(void *context, size_t index, unsigned thread, void *partial)
{
    const struct tallying *t = context;
    struct describe_cells c;
    uint64_t *sum = partial;
    t->source.cells(t->source.context, index, thread, &c);
    for (size_t i = 0; i < c.n; i++)
        *sum += (c.used ? c.used[i] : 1u) & (c.present ? c.present[i] : 1u);
}

static void presence_add(void *context, void *total, const void *partial)
{
    (void)context;
    *(uint64_t *)total += *(const uint64_t *)partial;
}

static apex_status presence_count(struct tallying *t, unsigned threads, uint64_t *present)
{
    const struct reduction r = {t->source.n_blocks, sizeof *present, presence_block,
                                presence_add, t};
    *present = 0;
    return reduce_blocks(threads, &r, present);
}

static apex_status search_all(struct tallying *t, unsigned threads, double *values)
{
    const struct reduction r = {t->source.n_blocks, sizeof(struct describe_tally), tally_block,
                                tally_add, t};
    while (t->search.pass < DESCRIBE_PASSES) {
        struct describe_tally total = {0};
        TRY(reduce_blocks(threads, &r, &total));
        describe_search_step(&t->search, &total);
    }
    describe_search_finish(&t->search, values);
    wipe(t, sizeof *t);
    return APEX_OK;
}

apex_status describe_quantiles(const struct describe_source *source, unsigned threads,
                               const double *quantiles, size_t n_quantiles, double *values,
                               struct num_place *place)
{
    struct tallying t = {.source = *source};
    uint64_t present;
    TRY(presence_count(&t, threads, &present));
    TRY(describe_search_begin(&t.search, quantiles, n_quantiles, present, place));
    return search_all(&t, threads, values);
}

apex_status describe_ranks(const struct describe_source *source, unsigned threads,
                           const uint64_t *ranks, size_t n_ranks, double *values,
                           struct num_place *place)
{
    static const double none[DESCRIBE_QUANTILES_MAX];
    struct tallying t = {.source = *source};
    uint64_t present;
    TRY(presence_count(&t, threads, &present));
    num_leak(&present, sizeof present);
    TRY(describe_search_begin(&t.search, none, n_ranks, present, place));
    for (size_t i = 0; i < n_ranks; i++) {
        if (ranks[i] >= present) return wrong(place);
        t.search.rank[i] = ranks[i];
    }
    return search_all(&t, threads, values);
}

/* --- Histograms and categories --------------------------------------------------------------
 */
apex_status describe_edges_check(const double *edges, size_t n, struct num_place *place)
{
    if (n < 2 || n > DESCRIBE_EDGES_MAX) return wrong(place);
    for (size_t e = 0; e < n; e++)
        if (!(edges[e] >= -DBL_MAX && edges[e] <= DBL_MAX) ||
            (e > 0 && !(edges[e] > edges[e - 1])))
            return wrong(place);
    return APEX_OK;
}

void describe_histogram_add(const struct describe_cells *cells, const double *edges, size_t n,
                            uint64_t *counts)
{
    struct describe_block b;
    uint64_t below[DESCRIBE_EDGES_MAX], upto;
    describe_block_fill(cells, &b);
    VEC_DISPATCH(edges, &b, edges, n, below, &upto);
    counts[0] += below[0];
    for (size_t e = 1; e + 1 < n; e++)
        counts[e] += below[e] - below[e - 1];
    counts[n - 1] += upto - below[n - 2];
    counts[n] += (uint64_t)(int64_t)b.rows - upto;
    counts[n + 1] += (uint64_t)(int64_t)b.missing;
    wipe(&b, sizeof b);
}

struct binning {
    struct describe_source source;
    const double *edges;
    size_t n_edges;
};

static void bins_block(void *context, size_t index, unsigned thread, void *partial)
{
    const struct binning *b = context;
    struct describe_cells cells;
    b->source.cells(b->source.context, index, thread, &cells);
    describe_histogram_add(&cells, b->edges, b->n_edges, partial);
}

static void bins_add(void *context, void *total, const void *partial)
{
    const struct binning *b = context;
    for (size_t i = 0; i < b->n_edges + 2; i++)
        ((uint64_t *)total)[i] += ((const uint64_t *)partial)[i];
}

apex_status describe_histogram(const struct describe_source *source, unsigned threads,
                               const double *edges, size_t n_edges, uint64_t *counts,
                               struct num_place *place)
{
    struct binning b = {*source, edges, n_edges};
    TRY(describe_edges_check(edges, n_edges, place));
    const struct reduction r = {source->n_blocks, (n_edges + 2) * sizeof *counts, bins_block,
                                bins_add, &b};
    memset(counts, 0, (n_edges + 2) * sizeof *counts);
    return reduce_blocks(threads, &r, counts);
}

void describe_categories_add(const uint32_t *codes, const uint8_t *present, const uint8_t *used,
                             size_t n, size_t n_categories, uint64_t *counts)
{
    enum { STRIPE = 4096 };
    uint8_t own[STRIPE];
    for (size_t at = 0; at < n; at += STRIPE) {
        size_t some = n - at < STRIPE ? n - at : STRIPE;
        uint64_t rows = 0, counted = 0;
        for (size_t i = 0; i < some; i++) {
            uint8_t here = used ? used[at + i] : 1;
            own[i] = here & (present ? present[at + i] : 1);
            rows += here;
            counted += (uint64_t)(own[i] & (uint8_t)(codes[at + i] < n_categories));
        }
        bayes_count(codes + at, own, some, n_categories, counts);
        counts[n_categories] += rows - counted;
    }
    wipe(own, sizeof own);
}
