/* Runs of order statistics. The least and the greatest cell of each run are found by
 * describe_ranks; one more pass sums what lies between them and counts whose it is. */
#include "common/num/describe.h"

#include "common/base/try.h"
#include "common/base/wipe.h"
#include "common/num/leak.h"
#include "common/num/reduce.h"
#include "common/num/refuse.h"
#include "common/num/vec.h"

#include <float.h>

struct summing {
    struct describe_source source;
    size_t n_windows;
    double bound[2 * DESCRIBE_WINDOWS_MAX]; /* least and greatest */
};

/* Whose a cell is, is public; whether it is inside is not. run->mean: the sum. */
static void window_sum(const struct describe_cells *c, double least, double greatest,
                       struct describe_run *run)
{
    for (size_t i = 0; i < c->n; i++) {
        double x = c->value[i];
        uint64_t inside = (c->used ? c->used[i] : 1u) & (c->present ? c->present[i] : 1u);
        inside &= vec_mask(x >= least) & vec_mask(x <= greatest);
        run->by_party[c->party ? c->party[i] : 0] += inside;
        run->mean += vec_pick(0 - inside, x - least, 0);
    }
}

static void block_sum(void *context, size_t index, unsigned thread, void *partial)
{
    const struct summing *s = context;
    struct describe_run *runs = partial;
    struct describe_cells cells;
    s->source.cells(s->source.context, index, thread, &cells);
    for (size_t w = 0; w < s->n_windows; w++)
        window_sum(&cells, s->bound[2 * w], s->bound[2 * w + 1], &runs[w]);
}

static void block_add(void *context, void *total, const void *partial)
{
    const struct summing *s = context;
    struct describe_run *to = total;
    const struct describe_run *from = partial;
    for (size_t w = 0; w < s->n_windows; w++) {
        to[w].mean += from[w].mean;
        for (size_t p = 0; p < DESCRIBE_PARTIES_MAX; p++)
            to[w].by_party[p] += from[w].by_party[p];
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

static apex_status means_make(const struct summing *s, struct describe_run *runs,
                              struct num_place *place)
{
    for (size_t w = 0; w < s->n_windows; w++) {
        struct describe_run *r = &runs[w];
        r->least = s->bound[2 * w];
        r->greatest = s->bound[2 * w + 1];
        for (size_t p = 0; p < DESCRIBE_PARTIES_MAX; p++)
            r->rows += r->by_party[p];
        r->mean = r->least + r->mean / (double)(int64_t)r->rows;
        unsigned char sound = (r->mean <= DBL_MAX) & (r->mean >= -DBL_MAX);
        num_leak(&sound, sizeof sound);
        if (!sound) return refuse(place, NUM_RANGE, w);
    }
    return APEX_OK;
}

apex_status describe_windows(const struct describe_source *source, unsigned threads,
                             const struct describe_window *windows, size_t n_windows,
                             struct describe_run *runs, struct num_place *place)
{
    struct summing s = {.source = *source, .n_windows = n_windows};
    apex_status status = bounds_find(&s, threads, windows, place);
    if (status == APEX_E_USAGE && place) *place = (struct num_place){NUM_OPTION, 3};
    TRY(status);
    const struct reduction r = {source->n_blocks, n_windows * sizeof *runs, block_sum,
                                block_add, &s};
    memset(runs, 0, n_windows * sizeof *runs);
    TRY(reduce_blocks(threads, &r, runs));
    status = means_make(&s, runs, place);
    wipe(&s, sizeof s);
    return status;
}
