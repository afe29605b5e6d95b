#include "common/num/choose.h"

#include "common/base/size.h"
#include "common/base/try.h"
#include "common/base/wipe.h"
#include "common/num/exact.h"
#include "common/num/leak.h"
#include "common/num/refuse.h"
#include "common/num/vec.h"

#include <float.h>
#include <stdlib.h>

enum { LANES = 64 }; /* rows looked at together */

struct choosing {
    const struct kmeans_chunk *chunk;
    size_t d, k;
    const uint32_t *labels;
    double *count; /* k */
    double *sum;   /* k x LANES: distances of each lane to the rows of each cluster */
    double total, rows;
};

static double counted(const struct kmeans_chunk *c, size_t i)
{
    return c->weights ? (double)c->weights[i] : 1;
}

/* Row j against the lanes' rows, into every cluster. */
static void row_add(const struct choosing *w, size_t first, size_t n, size_t j)
{
    double away[LANES] = {0};
    for (size_t f = 0; f < w->d; f++) {
        const int32_t *x = w->chunk->column[f];
        for (size_t l = 0; l < n; l++) {
            double step = (double)x[first + l] - (double)x[j];
            away[l] += step * step;
        }
    }
    for (size_t l = 0; l < LANES; l++)
        away[l] = exact_sqrt(away[l]);
    for (size_t c = 0; c < w->k; c++) {
        double own = vec_pick(vec_mask(w->labels[j] == c), counted(w->chunk, j), 0);
        double *sum = w->sum + c * LANES;
        for (size_t l = 0; l < LANES; l++)
            sum[l] += own * away[l];
    }
}

static double lane_silhouette(const struct choosing *w, size_t i, size_t l)
{
    double own = 0, n_own = 1, least = DBL_MAX;
    for (size_t c = 0; c < w->k; c++) {
        uint64_t mine = vec_mask(w->labels[i] == c), any = vec_mask(w->count[c] > 0);
        double sum = w->sum[c * LANES + l], n = vec_pick(any, w->count[c], 1), mean = sum / n;
        own = vec_pick(mine, sum, own);
        n_own = vec_pick(mine, n, n_own);
        least = vec_pick(any & ~mine & vec_mask(mean < least), mean, least);
    }
    uint64_t alone = vec_mask(n_own <= 1);
    double a = own / vec_pick(alone, 1, n_own - 1), most = vec_greatest(a, least);
    uint64_t none = alone | vec_mask(most == 0);
    return vec_pick(none, 0, (least - a) / vec_pick(none, 1, most));
}

static void lanes_sum(struct choosing *w, size_t first, size_t n)
{
    memset(w->sum, 0, w->k * LANES * sizeof *w->sum);
    for (size_t j = 0; j < w->chunk->n; j++)
        row_add(w, first, n, j);
    for (size_t l = 0; l < n; l++)
        w->total += counted(w->chunk, first + l) * lane_silhouette(w, first + l, l);
}

static apex_status all_sum(struct choosing *w, struct num_place *place)
{
    uint64_t clusters = 0;
    for (size_t i = 0; i < w->chunk->n; i++) {
        w->rows += counted(w->chunk, i);
        for (size_t c = 0; c < w->k; c++)
            w->count[c] += vec_pick(vec_mask(w->labels[i] == c), counted(w->chunk, i), 0);
    }
    for (size_t c = 0; c < w->k; c++)
        clusters += w->count[c] > 0;
    unsigned char one = clusters < 2;
    num_leak(&one, sizeof one);
    if (one) return refuse(place, NUM_ONE_CLASS, 0);
    for (size_t first = 0; first < w->chunk->n; first += LANES)
        lanes_sum(w, first, w->chunk->n - first < LANES ? w->chunk->n - first : LANES);
    return APEX_OK;
}

apex_status choose_silhouette(const struct kmeans_chunk *chunk, size_t d,
                              const uint32_t *labels, size_t k, double *mean,
                              struct num_place *place)
{
    struct choosing w = {.chunk = chunk, .d = d, .k = k, .labels = labels};
    size_t cells = 0, bytes = 0;
    bool wrong[] = {chunk->n == 0, d == 0 || d > KMEANS_DIMS_MAX, k == 0};
    for (size_t i = 0; i < 3; i++) {
        if (!wrong[i]) continue;
        if (place) *place = (struct num_place){NUM_OPTION, i};
        return APEX_E_USAGE;
    }
    if (!size_mul(k, LANES + 1, &cells) || !size_mul(cells, sizeof *w.count, &bytes))
        return APEX_E_LIMIT;
    w.count = calloc(cells, sizeof *w.count);
    if (!w.count) return APEX_E_MEMORY;
    w.sum = w.count + k;
    apex_status status = all_sum(&w, place);
    if (status == APEX_OK) *mean = w.total / w.rows;
    wipe(w.count, bytes);
    free(w.count);
    return status;
}

size_t choose_elbow(const double *curve, size_t n)
{
    size_t best = 0;
    double most = 0, high = n > 0 ? curve[0] - curve[n - 1] : 0;
    if (n < 3 || !(high > 0)) return 0;
    for (size_t i = 0; i < n; i++) {
        double below = 1 - (double)i / (double)(n - 1) - (curve[i] - curve[n - 1]) / high;
        if (below <= most) continue;
        most = below;
        best = i;
    }
    return best;
}
