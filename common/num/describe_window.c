/* Means of runs of order statistics. The least and the greatest cell of each run are found by
 * describe_ranks; one more pass sums what lies between them, and cells equal to the greatest
 * count as often as the run has them. */
#include "common/num/describe.h"

#include "common/base/try.h"
#include "common/base/wipe.h"
#include "common/num/leak.h"
#include "common/num/reduce.h"
#include "common/num/refuse.h"
#include "common/num/vec.h"

#include <float.h>

struct between { /* of each window; a partial or total */
    uint64_t below[DESCRIBE_WINDOWS_MAX];
    double sum[DESCRIBE_WINDOWS_MAX];
};
struct summing {
    struct describe_source source;
    size_t n_windows;
    double bound[2 * DESCRIBE_WINDOWS_MAX]; /* least and greatest */
};

static void window_sum(const struct describe_cells *c, double least, double greatest,
                       uint64_t *below, double *sum)
{
    for (size_t i = 0; i < c->n; i++) {
        double x = c->value[i];
        uint64_t counts = (c->used ? c->used[i] : 1u) & (c->present ? c->present[i] : 1u);
        uint64_t under = vec_mask(x < greatest), inside = vec_mask(x > least) & under;
        *below += counts & under;
        *sum += vec_pick(inside & (0 - counts), x - least, 0);
    }
}

static void block_sum(void *context, size_t index, unsigned thread, void *partial)
{
    const struct summing *s = context;
    struct between *p = partial;
    struct describe_cells cells;
    s->source.cells(s->source.context, index, thread, &cells);
    for (size_t w = 0; w < s->n_windows; w++)
        window_sum(&cells, s->bound[2 * w], s->bound[2 * w + 1], &p->below[w], &p->sum[w]);
}

static void block_add(void *context, void *total, const void *partial)
{
    const struct summing *s = context;
    struct between *t = total;
    const struct between *p = partial;
    for (size_t w = 0; w < s->n_windows; w++) {
        t->below[w] += p->below[w];
        t->sum[w] += p->sum[w];
    }
}

static apex_status bounds_find(struct summing *s, unsigned threads,
                               const struct describe_window *windows, struct num_place *place)
{
    uint64_t ranks[2 * DESCRIBE_WINDOWS_MAX];
    if (s->n_windows == 0 || s->n_windows > DESCRIBE_WINDOWS_MAX) return APEX_E_USAGE;
    for (size_t w = 0; w < s->n_windows; w++) {
        if (windows[w].count == 0 || windows[w].first > UINT64_MAX - windows[w].count)
            return APEX_E_USAGE;
        ranks[2 * w] = windows[w].first;
        ranks[2 * w + 1] = windows[w].first + windows[w].count - 1;
    }
    return describe_ranks(&s->source, threads, ranks, 2 * s->n_windows, s->bound, place);
}

static apex_status means_make(const struct summing *s, const struct between *t,
                              const struct describe_window *windows, double *means,
                              struct num_place *place)
{
    for (size_t w = 0; w < s->n_windows; w++) {
        double least = s->bound[2 * w], greatest = s->bound[2 * w + 1];
        uint64_t one = vec_mask(least == greatest);
        double at_top = (double)(int64_t)(windows[w].first + windows[w].count - t->below[w]);
        double more = t->sum[w] + at_top * (greatest - least);
        means[w] = vec_pick(one, least, least + more / (double)(int64_t)windows[w].count);
        unsigned char sound = (means[w] <= DBL_MAX) & (means[w] >= -DBL_MAX);
        num_leak(&sound, sizeof sound);
        if (!sound) return refuse(place, NUM_RANGE, w);
    }
    return APEX_OK;
}

apex_status describe_windows(const struct describe_source *source, unsigned threads,
                             const struct describe_window *windows, size_t n_windows,
                             double *means, struct num_place *place)
{
    struct summing s = {.source = *source, .n_windows = n_windows};
    struct between total = {0};
    apex_status status = bounds_find(&s, threads, windows, place);
    if (status == APEX_E_USAGE && place) *place = (struct num_place){NUM_OPTION, 3};
    TRY(status);
    const struct reduction r = {source->n_blocks, sizeof total, block_sum, block_add, &s};
    TRY(reduce_blocks(threads, &r, &total));
    status = means_make(&s, &total, windows, means, place);
    wipe(&s, sizeof s);
    wipe(&total, sizeof total);
    return status;
}
