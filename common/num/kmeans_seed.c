#include "common/num/kmeans_seed.h"

#include "common/base/size.h"
#include "common/base/try.h"
#include "common/num/exact.h"
#include "common/num/kmeans_draw.h"
#include "common/num/kmeans_draw_tree.h"
#include "common/num/kmeans_order.h"
#include "common/num/leak.h"
#include "common/num/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TRIALS_MAX = 16, SAMPLE_GROWTH = 8 };
static const uint64_t sample_stream = UINT64_MAX; /* of the generator; restarts have 0, 1, .. */

struct kmeans_seeding {
    size_t k, n;
    struct kmeans_draw draw;
    struct draw_tree *tree; /* or NULL: oblivious */
};

/* Row numbers of the sample: one of each run [i n / m, (i + 1) n / m). */
struct picking {
    struct random_state random;
    size_t n, m, at;
    size_t row; /* of number `at` */
};

static size_t run_start(const struct picking *p, size_t i)
{
    return (size_t)((unsigned __int128)i * p->n / p->m);
}

static void pick_next(struct picking *p)
{
    size_t first = run_start(p, p->at), len = run_start(p, p->at + 1) - first;
    p->row = first + (p->n == p->m ? 0 : (size_t)(random_next(&p->random) % len));
}

static void rows_take(struct kmeans_draw *draw, const struct kmeans_chunk *chunk, size_t first,
                      struct picking *p)
{
    while (p->at < p->m && p->row < first + chunk->n) {
        size_t from = p->row - first;
        for (size_t j = 0; j < draw->d; j++)
            draw->x[j * draw->stride + p->at] = chunk->column[j][from];
        draw->weight[p->at] = chunk->weights ? (double)(int64_t)chunk->weights[from] : 1;
        if (++p->at < p->m) pick_next(p);
    }
}

static apex_status sample_read(const struct kmeans_source *source, const uint8_t seed[32],
                               size_t m, struct kmeans_draw *draw, struct num_place *place)
{
    struct picking p = {.n = source->n, .m = m};
    size_t first = 0;
    random_seed(&p.random, seed, sample_stream);
    pick_next(&p);
    for (size_t i = 0; i < source->n_chunks; i++) {
        struct kmeans_chunk chunk = {0};
        TRY(source->chunk(source->context, i, 0, &chunk));
        rows_take(draw, &chunk, first, &p);
        first += chunk.n;
    }
    if (p.at == m) return APEX_OK;
    if (place) *place = (struct num_place){NUM_OPTION, 4};
    return APEX_E_USAGE;
}

/* Rows of the sample that have a weight. */
static size_t rows_weighing(const struct kmeans_draw *draw)
{
    uint64_t rows = 0;
    for (size_t i = 0; i < draw->n; i++)
        rows += draw->weight[i] > 0;
    num_leak(&rows, sizeof rows);
    return (size_t)rows;
}

static apex_status sample_make(struct kmeans_seeding *s, const struct kmeans_source *source,
                               const uint8_t seed[32], struct num_place *place)
{
    size_t m = source->n < KMEANS_SEED_ROWS ? source->n : KMEANS_SEED_ROWS;
    for (;;) {
        kmeans_draw_close(&s->draw);
        TRY(kmeans_draw_open(&s->draw, m, source->d));
        TRY(sample_read(source, seed, m, &s->draw, place));
        size_t rows = rows_weighing(&s->draw);
        s->n = m;
        if (rows >= s->k) return APEX_OK;
        if (m == source->n) {
            if (place) *place = (struct num_place){rows ? NUM_FEWER_THAN_K : NUM_NO_ROWS, rows};
            return APEX_E_DATA;
        }
        m = m < source->n / SAMPLE_GROWTH ? m * SAMPLE_GROWTH : source->n;
    }
}

apex_status kmeans_seeding_new(const struct kmeans_source *source, size_t k,
                               const uint8_t seed[32], bool pruned,
                               struct kmeans_seeding **seeding, struct num_place *place)
{
    struct kmeans_seeding *s = calloc(1, sizeof *s);
    if (!s) return APEX_E_MEMORY;
    s->k = k;
    apex_status status = sample_make(s, source, seed, place);
    if (status == APEX_OK && pruned && source->d <= ORDER_DIMS_MAX)
        status = draw_tree_new(&s->draw, &s->tree);
    if (status == APEX_OK)
        *seeding = s;
    else
        kmeans_seeding_free(s);
    return status;
}

void kmeans_seeding_free(struct kmeans_seeding *s)
{
    if (!s) return;
    draw_tree_free(s->tree);
    kmeans_draw_close(&s->draw);
    free(s);
}

size_t kmeans_seeding_rows(const struct kmeans_seeding *s)
{
    return s->n;
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

/* The candidate that leaves least, the first on a tie. */
static void best_take(const double *candidate, const double *left, unsigned trials, size_t d,
                      double *centroid)
{
    double least = left[0];
    memcpy(centroid, candidate, d * sizeof *centroid);
    for (unsigned t = 1; t < trials; t++) {
        uint64_t less = -(uint64_t)(left[t] < least);
        least = choose(less, left[t], least);
        for (size_t j = 0; j < d; j++)
            centroid[j] = choose(less, candidate[t * d + j], centroid[j]);
    }
}

/* The passes, over rows or over boxes of them. */
static void pair(const struct kmeans_seeding *s, const double *unit, double *candidate)
{
    if (s->tree)
        draw_tree_pair(s->tree, unit, candidate);
    else
        kmeans_draw_pair(&s->draw, unit, candidate);
}

static void try(const struct kmeans_seeding *s, const double *candidate, double *left)
{
    if (s->tree)
        draw_tree_try(s->tree, candidate, left);
    else
        kmeans_draw_try(&s->draw, candidate, left);
}

static void take(struct kmeans_seeding *s, const double *centroid, bool first)
{
    if (s->tree)
        draw_tree_take(s->tree, centroid, first);
    else
        kmeans_draw_take(&s->draw, centroid, first);
}

void kmeans_seeding_start(struct kmeans_seeding *s, const uint8_t seed[32], unsigned restart,
                          double *centroids)
{
    struct random_state r;
    double candidate[TRIALS_MAX * KMEANS_DIMS_MAX], left[TRIALS_MAX], unit[TRIALS_MAX];
    unsigned trials = (3 + (unsigned)exact_log((double)s->k)) / 2 * 2;
    size_t d = s->draw.d;
    random_seed(&r, seed, restart);
    kmeans_draw_start(&s->draw);
    for (size_t c = 0; c < s->k; c++) {
        unsigned n = c == 0 ? 2 : trials;
        for (unsigned t = 0; t < n; t++)
            unit[t] = random_unit(&r);
        for (unsigned t = 0; t < n; t += 2)
            pair(s, unit + t, candidate + t * d);
        if (c > 0)
            for (unsigned t = 0; t < n; t += 2)
                try(s, candidate + t * d, left + t);
        best_take(candidate, left, c == 0 ? 1 : n, d, centroids + c * d);
        take(s, centroids + c * d, c == 0);
    }
}
