#include "contracts/cluster/measure.h"

#include "common/base/endian.h"
#include "common/base/try.h"
#include "common/num/exact.h"
#include "common/num/geo.h"
#include "common/num/kmeans_locate.h"
#include "common/num/parallel.h"
#include "common/num/sort.h"
#include "contracts/cluster/sample.h"
#include "contracts/lib/run.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

enum { SITE_KEY = 8, SAMPLE_STREAM = 77 };
/* What a row is to its site: one bit each. */
enum { IS_TOLD = 1, COUNTS = 2, IS_INSIDE = 4, SEEN = 8 };
/* Sites, and rows times sites, from which it is faster to find rows by place than to compare
 * all sites. */
enum { LOCATED_SITES = 48, LOCATED_SITES_SPHERE = 160, LOCATED_WORK = 1 << 23 };

/* One thread's counts and room. */
struct counter {
    uint64_t *rows, *inside; /* parties x k */
    uint64_t *told;          /* k */
    uint64_t *weight;        /* parties x k */
    uint32_t *most;          /* k: the greatest weight */
    uint32_t (*seen)[SEEN];  /* k: a chunk's rows, where places need not be hidden */
    uint32_t *label;
    double *chord2;
    uint8_t *mask;
};
struct measuring {
    struct measure *m;
    double (*unit)[3];
    double within;                  /* squared chord of the radius */
    uint32_t *drawn;                /* row numbers of the sample, ascending */
    struct kmeans_locator *locator; /* or NULL: rows compare all sites */
    struct counter counter[PLACES_THREADS_MAX];
};

static apex_status counter_new(const struct measure *m, struct counter *c)
{
    size_t cells = m->rules.n_parties * m->k;
    *c = (struct counter){.rows = calloc(cells, sizeof *c->rows),
                          .inside = calloc(cells, sizeof *c->inside),
                          .told = calloc(m->k, sizeof *c->told),
                          .weight = calloc(cells, sizeof *c->weight),
                          .most = calloc(m->k, sizeof *c->most),
                          .seen = calloc(m->k, sizeof *c->seen),
                          .label = malloc(GROUP_ROWS_MAX * sizeof *c->label),
                          .chord2 = malloc(GROUP_ROWS_MAX * sizeof *c->chord2),
                          .mask = malloc(GROUP_ROWS_MAX)};
    return c->rows && c->inside && c->told && c->weight && c->most && c->seen && c->label &&
                   c->chord2 && c->mask
               ? APEX_OK
               : APEX_E_MEMORY;
}

static void counter_free(struct counter *c)
{
    free(c->rows);
    free(c->inside);
    free(c->told);
    free(c->weight);
    free(c->most);
    free(c->seen);
    free(c->label);
    free(c->chord2);
    free(c->mask);
}

static void labels_fill(const struct measuring *w, size_t index, unsigned thread,
                        const struct places_chunk *chunk, struct counter *c)
{
    const struct measure *m = w->m;
    struct kmeans_chunk points;
    const double(*unit)[3] = (const double(*)[3])w->unit;
    if (!m->centroids) {
        geo_nearest(chunk->latitude, chunk->longitude, chunk->n, unit, m->k, c->label,
                    c->chord2);
        return;
    }
    if (m->source.chunk(m->source.context, index, thread, &points) != APEX_OK)
        _exit(RUN_EXIT_MEMORY);
    if (w->locator)
        kmeans_locate(w->locator, &points, c->label);
    else if (kmeans_assign(m->centroids, m->k, m->source.d, &points, c->label, NULL) != APEX_OK)
        _exit(RUN_EXIT_MEMORY);
    geo_chords(chunk->latitude, chunk->longitude, c->label, chunk->n, unit, m->k, m->plain,
               c->chord2);
}

/* The first drawn row that is not below `row`. */
static size_t drawn_from(const struct measuring *w, size_t row)
{
    size_t low = 0, high = w->m->n_sample;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (w->drawn[middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void sample_take(const struct measuring *w, const struct places_chunk *chunk,
                        const struct counter *c)
{
    struct measure *m = w->m;
    size_t end = drawn_from(w, chunk->first + chunk->n);
    uint64_t tag = release_is_loose(&m->rules) ? 0 : MEASURE_TAG;
    for (size_t s = drawn_from(w, chunk->first); s < end; s++) {
        size_t i = w->drawn[s] - chunk->first;
        uint64_t out = (uint64_t)chunk->told[i] - 1, bits; /* all ones: not told of */
        double chord2;
        memcpy(&bits, &c->chord2[i], sizeof bits);
        m->chord[s] = (bits & ~tag) | (chunk->party & tag);
        memcpy(&chord2, &m->chord[s], sizeof chord2);
        uint64_t site = (c->label[i] & ~out) | (m->k & out);
        m->key[s] = (double)site * SITE_KEY + chord2;
    }
}

/* By site: rows that count, those of them inside the radius, and all that are told of. */
static void sites_count(const struct measure *m, const struct places_chunk *chunk,
                        struct counter *c)
{
    size_t at = chunk->party * m->k;
    if (!m->plain) {
        kmeans_count(c->label, chunk->counts, chunk->n, m->k, c->rows + at);
        kmeans_count(c->label, c->mask, chunk->n, m->k, c->inside + at);
        if (m->places->weighted) /* else those that count */
            kmeans_count(c->label, chunk->told, chunk->n, m->k, c->told);
        return;
    }
    memset(c->seen, 0, m->k * sizeof *c->seen);
    for (size_t i = 0; i < chunk->n; i++)
        c->seen[c->label[i]][chunk->told[i] * IS_TOLD + chunk->counts[i] * COUNTS +
                             c->mask[i] * IS_INSIDE]++;
    for (size_t site = 0; site < m->k; site++)
        for (unsigned what = 0; what < SEEN; what++) {
            c->rows[at + site] += what & COUNTS ? c->seen[site][what] : 0;
            c->inside[at + site] += what & IS_INSIDE ? c->seen[site][what] : 0;
            c->told[site] += what & IS_TOLD ? c->seen[site][what] : 0;
        }
}

static void sites_weigh(const struct measure *m, const struct places_chunk *chunk,
                        struct counter *c)
{
    size_t at = chunk->party * m->k;
    if (!m->plain) {
        kmeans_weigh(c->label, chunk->weight, chunk->n, m->k, c->weight + at, c->most);
        return;
    }
    for (size_t i = 0; i < chunk->n; i++) {
        uint32_t site = c->label[i], weight = chunk->weight[i];
        c->weight[at + site] += weight;
        if (weight > c->most[site]) c->most[site] = weight;
    }
}

static void chunk_measure(void *context, size_t index, unsigned thread)
{
    struct measuring *w = context;
    struct counter *c = &w->counter[thread];
    struct places_chunk chunk;
    places_chunk(w->m->places, index, thread, &chunk);
    labels_fill(w, index, thread, &chunk, c);
    places_chunk(w->m->places, index, thread, &chunk);
    for (size_t i = 0; i < chunk.n; i++)
        c->mask[i] = chunk.counts[i] & (c->chord2[i] <= w->within);
    sites_count(w->m, &chunk, c);
    if (w->m->places->weighted) sites_weigh(w->m, &chunk, c);
    sample_take(w, &chunk, c);
}

static void cells_add(const struct measure *m, const uint64_t *counts,
                      struct release_cell *cells)
{
    for (size_t p = 0; p < m->rules.n_parties; p++)
        for (size_t c = 0; c < m->k; c++) {
            cells[c].by_party[p] += counts[p * m->k + c];
            cells[c].rows += counts[p * m->k + c];
        }
}

/* The rules on rows hold for weights when each row is taken for the part of a row that it
 * weighs beside the heaviest. */
static void cells_weigh(struct measuring *w)
{
    struct measure *m = w->m;
    uint64_t all = 0, heaviest = 1;
    for (size_t c = 0; c < m->k; c++) {
        struct release_cell *cell = &m->weighed[c];
        uint64_t most = 1;
        for (unsigned t = 0; t < m->places->threads; t++)
            if (w->counter[t].most[c] > most) most = w->counter[t].most[c];
        all += cell->rows;
        if (most > heaviest) heaviest = most;
        cell->rows = 0;
        for (size_t p = 0; p < m->rules.n_parties; p++)
            cell->rows += cell->by_party[p] /= most;
        if (m->cell[c].reason == RELEASE_OK) m->cell[c].reason = release_judge(&m->rules, cell);
    }
    m->weighed_of_all = all / heaviest;
}

static void counters_add(struct measuring *w)
{
    struct measure *m = w->m;
    for (unsigned t = 0; t < m->places->threads; t++) {
        cells_add(m, w->counter[t].rows, m->cell);
        cells_add(m, w->counter[t].inside, m->inside);
        if (m->places->weighted) cells_add(m, w->counter[t].weight, m->weighed);
        for (size_t c = 0; c < m->k; c++)
            m->told[c] += w->counter[t].told[c];
    }
    for (size_t c = 0; c < m->k && !m->places->weighted; c++)
        m->told[c] = m->cell[c].rows;
    for (size_t c = 0; c < m->k; c++) {
        m->cell[c].reason = release_judge(&m->rules, &m->cell[c]);
        m->all_inside.rows += m->inside[c].rows;
        for (size_t p = 0; p < m->rules.n_parties; p++)
            m->all_inside.by_party[p] += m->inside[c].by_party[p];
    }
    m->weighed_of_all = m->places->all.rows;
    if (m->places->weighted) cells_weigh(w);
}

/* How many of the sorted sample lie below a key. */
static uint64_t sample_below(const struct measure *m, double end)
{
    uint64_t until = 0;
    for (size_t s = 0; s < m->n_sample; s++)
        until += m->key[s] < end;
    return until;
}

/* By site and distance. */
static void sites_sort(struct measure *m)
{
    uint64_t below = 0;
    sort_doubles_u64(m->key, m->chord, m->n_sample);
    sort_doubles(m->all, m->n_sample);
    for (size_t c = 0; c < m->k; c++) {
        uint64_t until = sample_below(m, (double)((c + 1) * SITE_KEY));
        m->sampled[c] = until - below;
        below = until;
    }
    m->n_sampled = (size_t)below;
}

/* The same where places need not be hidden: all by distance, then dealt out to their sites. */
static apex_status sites_sort_plain(struct measure *m)
{
    uint64_t below = 0, *next = calloc(m->k + 1, sizeof *next);
    if (!next) return APEX_E_MEMORY;
    for (size_t s = 0; s < m->n_sample; s++) {
        m->chord[s] = (uint64_t)(m->key[s] / SITE_KEY);
        m->sampled[m->chord[s]]++;
    }
    apex_status sorted = sort_plain(m->all, m->chord, m->n_sample);
    for (size_t c = 0; c <= m->k; c++) {
        next[c] = below;
        below += m->sampled[c];
    }
    m->n_sampled = (size_t)(below - m->sampled[m->k]);
    for (size_t s = 0; s < m->n_sample; s++)
        m->key[next[m->chord[s]]++] = m->all[s];
    memcpy(m->chord, m->key, m->n_sample * sizeof *m->chord);
    free(next);
    return sorted;
}

/* Sorted by site and distance; then how many each site has. */
static apex_status sample_sort(struct measure *m)
{
    for (size_t s = 0; s < m->n_sample; s++)
        memcpy(&m->all[s], &m->chord[s], sizeof *m->all);
    for (size_t s = 0; s < m->n_sample; s++) /* those that do not count go last */
        m->all[s] += m->key[s] >= (double)(m->k * SITE_KEY) ? 8.0 : 0.0;
    apex_status sorted = APEX_OK;
    if (m->plain)
        sorted = sites_sort_plain(m);
    else
        sites_sort(m);
    memcpy(m->chord_all, m->all, m->n_sample * sizeof *m->chord_all);
    return sorted;
}

static bool located(const struct measure *m)
{
    size_t least = m->source.d == 2 ? LOCATED_SITES : LOCATED_SITES_SPHERE;
    return m->k >= least && m->places->n >= LOCATED_WORK / m->k;
}

static apex_status open_all(struct measuring *w)
{
    struct measure *m = w->m;
    size_t n = m->places->n;
    m->n_sample = n < MEASURE_SAMPLE_ROWS ? n : MEASURE_SAMPLE_ROWS;
    if (n > UINT32_MAX) return APEX_E_LIMIT;
    m->cell = calloc(m->k, sizeof *m->cell);
    m->inside = calloc(m->k, sizeof *m->inside);
    m->told = calloc(m->k, sizeof *m->told);
    m->weighed = m->places->weighted ? calloc(m->k, sizeof *m->weighed) : m->cell;
    m->sampled = calloc(m->k + 1, sizeof *m->sampled);
    m->key = malloc((m->n_sample + 1) * sizeof *m->key);
    m->chord = malloc((m->n_sample + 1) * sizeof *m->chord);
    m->all = malloc((m->n_sample + 1) * sizeof *m->all);
    m->chord_all = malloc((m->n_sample + 1) * sizeof *m->chord_all);
    w->drawn = malloc((m->n_sample + 1) * sizeof *w->drawn);
    w->unit = malloc(m->k * sizeof *w->unit);
    if (!m->cell || !m->inside || !m->told || !m->weighed || !m->sampled || !m->key ||
        !m->chord || !m->all || !m->chord_all || !w->drawn || !w->unit)
        return APEX_E_MEMORY;
    for (unsigned t = 0; t < m->places->threads; t++)
        TRY(counter_new(m, &w->counter[t]));
    for (size_t c = 0; c < m->k; c++)
        exact_unit(m->site[2 * c], m->site[2 * c + 1], w->unit[c]);
    w->within = geo_chord2(m->radius_km);
    if (m->plain && m->centroids && located(m))
        TRY(kmeans_locator_new(m->centroids, m->k, m->source.d, &w->locator));
    sample_draw(w->m->places->run, n, w->m->n_sample, SAMPLE_STREAM, w->drawn);
    return APEX_OK;
}

apex_status measure_all(struct measure *m)
{
    struct measuring w = {.m = m};
    apex_status s = open_all(&w);
    if (s == APEX_OK) {
        parallel_blocks(m->places->threads, m->places->n_chunks, chunk_measure, &w);
        counters_add(&w);
        s = sample_sort(m);
    }
    for (unsigned t = 0; t < m->places->threads; t++)
        counter_free(&w.counter[t]);
    kmeans_locator_free(w.locator);
    free(w.drawn);
    free(w.unit);
    return s;
}
