#include "common/num/screen.h"

#include "common/base/try.h"
#include "common/base/wipe.h"
#include "common/num/encode.h"
#include "common/num/exact.h"
#include "common/num/parallel.h"
#include "common/num/vec.h"

#include <float.h>
#include <stdlib.h>

apex_status screen_scores(const double *centroids, size_t k, size_t d,
                          const struct kmeans_chunk *chunk, uint32_t *labels, double *scores)
{
    uint32_t *own = labels ? labels : malloc(chunk->n * sizeof *own + 1);
    if (!own) return APEX_E_MEMORY;
    apex_status status = kmeans_assign(centroids, k, d, chunk, own, scores);
    for (size_t i = 0; status == APEX_OK && i < chunk->n; i++)
        scores[i] = exact_sqrt(scores[i]) * ENCODE_STEP;
    if (!labels) {
        wipe(own, chunk->n * sizeof *own);
        free(own);
    }
    return status;
}

/* Distances of scores from their median, block by block. */
struct deviations {
    const struct describe_array *scores;
    double median;
    double (*room)[BLOCK_ROWS]; /* per thread */
};

static void deviation_cells(void *context, size_t index, unsigned thread,
                            struct describe_cells *out)
{
    const struct deviations *d = context;
    struct describe_source s = describe_source_of_array(d->scores);
    double *away = d->room[thread];
    s.cells(s.context, index, thread, out);
    for (size_t i = 0; i < out->n; i++)
        away[i] = vec_greatest(out->value[i] - d->median, d->median - out->value[i]);
    out->value = away;
}

static apex_status mad_of(const struct describe_array *scores, unsigned threads, double median,
                          double *mad, struct num_place *place)
{
    const double half = 0.5;
    threads = threads > PARALLEL_THREADS_MAX ? PARALLEL_THREADS_MAX : threads ? threads : 1;
    struct deviations d = {scores, median, malloc(threads * sizeof *d.room)};
    if (!d.room) return APEX_E_MEMORY;
    struct describe_source s = describe_source_of_array(scores);
    s.cells = deviation_cells;
    s.context = &d;
    apex_status status = describe_quantiles(&s, threads, &half, 1, mad, place);
    wipe(d.room, threads * sizeof *d.room);
    free(d.room);
    return status;
}

static apex_status rule_check(const struct screen_rule *rule, struct num_place *place)
{
    size_t at = rule->kind == SCREEN_QUANTILE;
    bool fine =
        at ? rule->quantile >= 0 && rule->quantile <= 1 : rule->c >= 0 && rule->c <= DBL_MAX;
    if (!fine && place) *place = (struct num_place){NUM_OPTION, at};
    return fine ? APEX_OK : APEX_E_USAGE;
}

apex_status screen_threshold_of(const struct describe_array *scores,
                                const struct screen_rule *rule, unsigned threads,
                                struct screen_threshold *t, struct num_place *place)
{
    struct describe_source s = describe_source_of_array(scores);
    double found[2], mad;
    TRY(rule_check(rule, place));
    const double wanted[2] = {0.5, rule->kind == SCREEN_QUANTILE ? rule->quantile : 0.5};
    TRY(describe_quantiles(&s, threads, wanted, 2, found, place));
    TRY(mad_of(scores, threads, found[0], &mad, place));
    *t = (struct screen_threshold){found[0], mad,
                                   rule->kind == SCREEN_QUANTILE
                                       ? found[1]
                                       : found[0] + rule->c * (SCREEN_MAD_TO_SD * mad)};
    return APEX_OK;
}

uint64_t screen_flag(const double *scores, const uint8_t *used, size_t n, double threshold,
                     uint8_t *flags)
{
    uint64_t count = 0;
    for (size_t i = 0; i < n; i++) {
        flags[i] = (uint8_t)(scores[i] > threshold) & (used ? used[i] : 1);
        count += flags[i];
    }
    return count;
}

void screen_rates_add(const uint32_t *labels, const uint8_t *is_positive, const uint8_t *used,
                      size_t n, size_t k, uint64_t *rows, uint64_t *positive)
{
    uint8_t both[BLOCK_ROWS];
    for (size_t at = 0; at < n; at += BLOCK_ROWS) {
        size_t some = n - at < BLOCK_ROWS ? n - at : BLOCK_ROWS;
        for (size_t i = 0; i < some; i++)
            both[i] = is_positive[at + i] & (used ? used[at + i] : 1);
        kmeans_count(labels + at, used ? used + at : NULL, some, k, rows);
        kmeans_count(labels + at, both, some, k, positive);
    }
    wipe(both, sizeof both);
}
