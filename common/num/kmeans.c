#include "common/num/kmeans.h"

#include "common/base/size.h"
#include "common/base/try.h"
#include "common/num/kmeans_seed.h"
#include "common/num/kmeans_step.h"
#include "common/num/kmeans_tree.h"
#include "common/num/leak.h"
#include "common/num/parallel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_ROWS = 1 << 16 };
/* Point-centroid-coordinates for which another thread is worth starting. */
static const double thread_work = 1 << 20;
static const double start_range = 0x1p32, weight_range = 0x1p53;

/* Of the restart in hand, and of the best. */
struct outcome {
    double *centroids, *from; /* from: before they last moved */
    struct kmeans_sums *sums;
    double inertia;
    unsigned rounds;
    bool converged;
};
struct fit {
    const struct kmeans_source *source;
    const struct kmeans_options *o;
    struct num_place *place;
    unsigned threads;
    bool weighted;
    struct kmeans_table *table;
    struct kmeans_tree *tree; /* or NULL */
    struct kmeans_worker *worker[PARALLEL_THREADS_MAX];
    struct kmeans_sums *part[PARALLEL_THREADS_MAX], *before;
    apex_status status[PARALLEL_THREADS_MAX];
    struct kmeans_partial_options how;
    struct outcome now, best;
    unsigned __int128 squares; /* of all rows: found in the first round of all */
    struct kmeans_seeding *seeding;
};

static apex_status wrong(const struct fit *f, apex_status s, enum num_fault fault, size_t at)
{
    if (f->place) *f->place = (struct num_place){fault, at};
    return s;
}

static apex_status start_check(const struct fit *f)
{
    for (size_t i = 0; f->o->start && i < f->o->k * f->source->d; i++) {
        double x = f->o->start[i];
        if (!isfinite(x)) return wrong(f, APEX_E_USAGE, NUM_NOT_FINITE, i % f->source->d);
        if (fabs(x) > start_range) return wrong(f, APEX_E_USAGE, NUM_RANGE, i % f->source->d);
    }
    return APEX_OK;
}

static apex_status options_check(const struct fit *f)
{
    const struct kmeans_source *s = f->source;
    if (f->o->k == 0 || f->o->k > KMEANS_K_MAX) return wrong(f, APEX_E_USAGE, NUM_OPTION, 1);
    if (!f->o->start && !f->o->seed) return wrong(f, APEX_E_USAGE, NUM_OPTION, 2);
    if (s->d == 0 || s->d > KMEANS_DIMS_MAX) return wrong(f, APEX_E_USAGE, NUM_OPTION, 3);
    if (s->n == 0) return wrong(f, APEX_E_USAGE, NUM_NO_ROWS, 0);
    if (s->n_chunks == 0) return wrong(f, APEX_E_USAGE, NUM_OPTION, 4);
    if (s->n < f->o->k) return wrong(f, APEX_E_USAGE, NUM_FEWER_THAN_K, s->n);
    return start_check(f);
}

static unsigned threads_of(const struct fit *f)
{
    double work = (double)f->source->n * (double)f->o->k * (double)f->source->d;
    unsigned threads = f->o->threads;
    if (threads > PARALLEL_THREADS_MAX) threads = PARALLEL_THREADS_MAX;
    if (threads > work / thread_work) threads = (unsigned)(work / thread_work);
    if (threads > f->source->n_chunks) threads = (unsigned)f->source->n_chunks;
    return threads ? threads : 1;
}

static apex_status outcome_open(struct outcome *r, size_t k, size_t d)
{
    r->centroids = calloc(k * d, sizeof *r->centroids);
    r->from = calloc(k * d, sizeof *r->from);
    return r->centroids && r->from ? kmeans_sums_new(k, d, &r->sums) : APEX_E_MEMORY;
}

/* What passes over boxes of rows need: a tree, if it fits and there is memory for one. */
static apex_status tree_open(struct fit *f)
{
    if (f->o->mode != KMEANS_PRUNED || !kmeans_tree_fits(f->source)) return APEX_OK;
    apex_status s =
        kmeans_tree_new(f->source, f->o->k, f->weighted, f->o->threads, &f->tree, f->place);
    return s == APEX_E_MEMORY ? APEX_OK : s;
}

/* What passes over rows need. */
static apex_status passes_open(struct fit *f)
{
    size_t k = f->o->k, d = f->source->d;
    f->threads = threads_of(f);
    f->how = (struct kmeans_partial_options){.squares = true,
                                             .plain = f->o->mode != KMEANS_OBLIVIOUS};
    for (unsigned t = 0; t < f->threads; t++) {
        TRY(kmeans_worker_new(k, d, f->weighted, &f->worker[t]));
        TRY(kmeans_sums_new(k, d, &f->part[t]));
    }
    return APEX_OK;
}

static apex_status fit_open(struct fit *f)
{
    size_t k = f->o->k, d = f->source->d;
    struct kmeans_chunk chunk = {0};
    TRY(f->source->chunk(f->source->context, 0, 0, &chunk));
    f->weighted = chunk.weights != NULL;
    if (f->weighted && f->source->n > UINT32_MAX) return APEX_E_LIMIT;
    TRY(outcome_open(&f->now, k, d));
    TRY(outcome_open(&f->best, k, d));
    TRY(kmeans_sums_new(k, d, &f->before));
    TRY(kmeans_table_new(k, d, &f->table));
    if (!f->o->start)
        TRY(kmeans_seeding_new(f->source, k, f->o->seed, f->o->mode == KMEANS_PRUNED,
                               &f->seeding, f->place));
    TRY(tree_open(f));
    return f->tree ? APEX_OK : passes_open(f);
}

static void fit_close(struct fit *f)
{
    free(f->now.centroids);
    free(f->now.from);
    free(f->best.centroids);
    free(f->best.from);
    kmeans_sums_free(f->now.sums);
    kmeans_sums_free(f->best.sums);
    kmeans_sums_free(f->before);
    kmeans_table_free(f->table);
    kmeans_tree_free(f->tree);
    for (unsigned t = 0; t < f->threads; t++) {
        kmeans_worker_free(f->worker[t]);
        kmeans_sums_free(f->part[t]);
    }
    kmeans_seeding_free(f->seeding);
}

static void chunk_work(void *context, size_t index, unsigned thread)
{
    struct fit *f = context;
    struct kmeans_chunk chunk = {0};
    if (f->status[thread] != APEX_OK) return;
    f->status[thread] = f->source->chunk(f->source->context, index, thread, &chunk);
    if (f->status[thread] != APEX_OK || chunk.n == 0) return;
    if ((chunk.weights != NULL) != f->weighted)
        f->status[thread] = wrong(f, APEX_E_USAGE, NUM_OPTION, 4);
    else
        kmeans_partial(f->table, f->worker[thread], &chunk, &f->how, f->part[thread]);
}

static apex_status chunks_sum(struct fit *f)
{
    for (unsigned t = 0; t < f->threads; t++) {
        kmeans_sums_clear(f->part[t]);
        f->status[t] = APEX_OK;
    }
    parallel_blocks(f->threads, f->source->n_chunks, chunk_work, f);
    for (unsigned t = 0; t < f->threads; t++) {
        TRY(f->status[t]);
        kmeans_merge(f->now.sums, f->part[t]);
    }
    if (f->how.squares) f->squares = f->now.sums->squares;
    f->now.sums->squares = f->squares;
    f->how.squares = false;
    return f->now.sums->n == f->source->n ? APEX_OK : wrong(f, APEX_E_USAGE, NUM_OPTION, 4);
}

/* Sums of all rows about the centroids in hand. */
static apex_status round_sum(struct fit *f)
{
    kmeans_table_set(f->table, f->now.centroids);
    kmeans_sums_clear(f->now.sums);
    if (!f->tree) return chunks_sum(f);
    kmeans_tree_sum(f->tree, f->table, f->now.sums);
    return APEX_OK;
}

/* What only the rows can tell. */
static apex_status rows_check(const struct fit *f)
{
    double weight = 0;
    uint64_t rows = 0;
    for (size_t c = 0; c < f->o->k; c++) {
        weight += (double)(int64_t)f->now.sums->weight[c];
        rows += f->now.sums->rows[c];
    }
    bool heavy = weight >= weight_range, few = rows < f->o->k, none = rows == 0;
    num_leak(&heavy, sizeof heavy);
    num_leak(&few, sizeof few);
    if (heavy) return wrong(f, APEX_E_DATA, NUM_RANGE, 0);
    if (!few) return APEX_OK;
    num_leak(&none, sizeof none);
    num_leak(&rows, sizeof rows);
    return wrong(f, APEX_E_DATA, none ? NUM_NO_ROWS : NUM_FEWER_THAN_K, (size_t)rows);
}

/* From the start in hand until no sum changes. */
static apex_status rounds_run(struct fit *f)
{
    size_t bytes = f->o->k * f->source->d * sizeof(double);
    unsigned most = f->o->max_rounds ? f->o->max_rounds : KMEANS_ROUNDS_MAX;
    TRY(round_sum(f));
    TRY(rows_check(f));
    f->now.converged = false;
    for (f->now.rounds = 0; f->now.rounds < most; f->now.rounds++) {
        struct kmeans_sums *swap = f->before;
        f->before = f->now.sums;
        f->now.sums = swap;
        memcpy(f->now.from, f->now.centroids, bytes);
        kmeans_finish(f->before, f->now.centroids);
        TRY(round_sum(f));
        f->now.converged = kmeans_sums_equal(f->before, f->now.sums);
        num_leak(&f->now.converged, sizeof f->now.converged);
        if (f->now.converged) break;
    }
    f->now.inertia = kmeans_inertia(f->now.sums, f->now.centroids);
    return APEX_OK;
}

static void bytes_choose(uint8_t mask, const void *from, void *to, size_t len)
{
    const uint8_t *a = from;
    uint8_t *b = to;
    for (size_t i = 0; i < len; i++)
        b[i] = (uint8_t)((a[i] & mask) | (b[i] & ~mask));
}

static void best_keep(struct fit *f, bool first)
{
    size_t k = f->o->k, d = f->source->d;
    uint8_t mask = (uint8_t) - (uint8_t)(first | (f->now.inertia < f->best.inertia));
    bytes_choose(mask, f->now.centroids, f->best.centroids, k * d * sizeof(double));
    bytes_choose(mask, f->now.from, f->best.from, k * d * sizeof(double));
    bytes_choose(mask, f->now.sums->weight, f->best.sums->weight, k * sizeof(uint64_t));
    bytes_choose(mask, f->now.sums->rows, f->best.sums->rows, k * sizeof(uint64_t));
    bytes_choose(mask, &f->now.inertia, &f->best.inertia, sizeof f->now.inertia);
    bytes_choose(mask, &f->now.rounds, &f->best.rounds, sizeof f->now.rounds);
    bytes_choose(mask, &f->now.converged, &f->best.converged, sizeof f->now.converged);
}

static apex_status fit_run(struct fit *f)
{
    size_t bytes = f->o->k * f->source->d * sizeof(double);
    unsigned tries = f->o->start || f->o->restarts == 0 ? 1 : f->o->restarts;
    for (unsigned t = 0; t < tries; t++) {
        if (f->o->start)
            memcpy(f->now.centroids, f->o->start, bytes);
        else
            kmeans_seeding_start(f->seeding, f->o->seed, t, f->now.centroids);
        TRY(rounds_run(f));
        best_keep(f, t == 0);
        if (f->o->progress)
            f->o->progress(f->o->context, (unsigned)((t + 1) * UINT64_C(100) / tries));
    }
    return APEX_OK;
}

static void result_write(const struct fit *f, struct kmeans_result *r)
{
    size_t k = f->o->k, bytes = k * f->source->d * sizeof(double);
    memcpy(r->centroids, f->best.centroids, bytes);
    if (r->from) memcpy(r->from, f->best.converged ? r->centroids : f->best.from, bytes);
    if (r->weights) memcpy(r->weights, f->best.sums->weight, k * sizeof *r->weights);
    if (r->rows) memcpy(r->rows, f->best.sums->rows, k * sizeof *r->rows);
    r->inertia = f->best.inertia;
    r->rounds = f->best.rounds;
    r->converged = f->best.converged;
    r->seed_rows = f->seeding ? kmeans_seeding_rows(f->seeding) : 0;
}

apex_status kmeans_fit(const struct kmeans_source *source, const struct kmeans_options *options,
                       struct kmeans_result *result, struct num_place *place)
{
    struct fit f = {.source = source, .o = options, .place = place};
    if (place) *place = (struct num_place){NUM_FINE, 0};
    TRY(options_check(&f));
    apex_status s = fit_open(&f);
    if (s == APEX_OK) s = fit_run(&f);
    if (s == APEX_OK) result_write(&f, result);
    fit_close(&f);
    return s;
}

static apex_status arrays_chunk(void *context, size_t index, unsigned thread,
                                struct kmeans_chunk *out)
{
    const struct kmeans_arrays *a = context;
    size_t rows = a->chunk_rows ? a->chunk_rows : CHUNK_ROWS, first = index * rows;
    (void)thread;
    out->n = a->n - first < rows ? a->n - first : rows;
    for (size_t j = 0; j < a->d; j++)
        out->column[j] = a->column[j] + first;
    out->weights = a->weights ? a->weights + first : NULL;
    return APEX_OK;
}

struct kmeans_source kmeans_source_of_arrays(const struct kmeans_arrays *a)
{
    size_t rows = a->chunk_rows ? a->chunk_rows : CHUNK_ROWS;
    return (struct kmeans_source){.n = a->n,
                                  .d = a->d,
                                  .n_chunks = a->n / rows + (a->n % rows != 0),
                                  .chunk = arrays_chunk,
                                  .context = (void *)(uintptr_t)a};
}
