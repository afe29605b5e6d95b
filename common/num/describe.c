/* Moments of a column; describe_count.c has what counts. */
#include "common/num/describe.h"

#include "common/base/try.h"
#include "common/base/wipe.h"
#include "common/num/describe_block.h"
#include "common/num/exact.h"
#include "common/num/leak.h"
#include "common/num/reduce.h"
#include "common/num/refuse.h"
#include "common/num/tile.h"
#include "common/num/standard.h"
#include "common/num/vec.h"

#include <float.h>

#if SIMD_X86
#define LEVEL 512
#include "common/num/describe_moments_body.h"
#undef LEVEL
#define LEVEL 256
#include "common/num/describe_moments_body.h"
#undef LEVEL
#endif
#define LEVEL any
#include "common/num/describe_moments_body.h"
#undef LEVEL

void describe_block_fill(const struct describe_cells *c, struct describe_block *b)
{
    uint64_t rows = 0, here = 0;
    b->n = (c->n + 15) / 16 * 16;
    for (size_t i = 0; i < c->n; i++) {
        uint64_t used = c->used ? c->used[i] : 1, present = c->present ? c->present[i] : 1;
        b->value[i] = c->value[i];
        b->mask[i] = used & present;
        b->own[i] = (double)(int64_t)b->mask[i];
        here += used;
        rows += b->mask[i];
    }
    for (size_t i = c->n; i < b->n; i++) {
        b->value[i] = b->own[i] = 0;
        b->mask[i] = 0;
    }
    b->rows = (double)(int64_t)rows;
    b->missing = (double)(int64_t)(here - rows);
}

/* About mean + rest instead of mean: the binomial, with the powers about the mean given. */
static void powers_move(double n, double rest, double p[4])
{
    double r = rest, r2 = r * r;
    double square = p[1] - r * (2 * p[0] - n * r);
    double cube = p[2] - 3 * r * p[1] + 3 * r2 * p[0] - n * r2 * r;
    double fourth = p[3] - 4 * r * p[2] + 6 * r2 * p[1] - 4 * r2 * r * p[0] + n * r2 * r2;
    p[1] = vec_positive(square);
    p[2] = cube;
    p[3] = vec_positive(fourth);
}

void describe_partial(const struct describe_cells *cells, struct describe_sums *s)
{
    struct describe_block b;
    double sum, power[4];
    describe_block_fill(cells, &b);
    double none = vec_one(b.rows == 0), over = (1 - none) / (b.rows + none);
    s->present = b.rows;
    s->missing = b.missing;
    VEC_DISPATCH(first, &b, &sum, &s->least, &s->most);
    s->mean = sum * over;
    VEC_DISPATCH(powers, &b, s->mean, power);
    s->rest = power[0] * over;
    powers_move(b.rows, s->rest, power);
    s->square = power[1];
    s->cube = power[2];
    s->fourth = power[3];
    wipe(&b, sizeof b);
}

/* What a + b loses to rounding. Source: Knuth, The Art of Computer Programming 2, 4.2.2. */
static double lost(double a, double b)
{
    double sum = a + b, second = sum - a;
    return (a - (sum - second)) + (b - second);
}

/* Extremes of one that has no cells do not count. */
static void extremes_merge(struct describe_sums *t, const struct describe_sums *p)
{
    uint64_t t_any = vec_mask(t->present > 0), p_any = vec_mask(p->present > 0);
    double t_least = vec_pick(t_any, -t->least, -INFINITY),
           p_least = vec_pick(p_any, -p->least, -INFINITY),
           t_most = vec_pick(t_any, t->most, -INFINITY),
           p_most = vec_pick(p_any, p->most, -INFINITY);
    t->least = -vec_greatest(t_least, p_least);
    t->most = vec_greatest(t_most, p_most);
}

void describe_merge(struct describe_sums *t, const struct describe_sums *p)
{
    double both = t->present + p->present, over = 1 / (both + vec_one(both == 0));
    /* divided, not multiplied by `over`: with nothing in the total it has to be 1 */
    double a = t->present, b = p->present, share = b / (both + vec_one(both == 0));
    double away = p->mean - t->mean;
    double beside = lost(p->mean, -t->mean) + (p->rest - t->rest), step = away * share;
    double d = away + beside, d2 = d * d, ab = a * share;
    double fourth = t->fourth + p->fourth +
                    d2 * d2 * ab * (a * a - a * b + b * b) * over * over +
                    6 * d2 * (a * over * a * over * p->square + share * share * t->square) +
                    4 * d * (a * over * p->cube - share * t->cube);
    double cube = t->cube + p->cube + d2 * d * ab * (a - b) * over +
                  3 * d * (a * over * p->square - share * t->square);
    extremes_merge(t, p);
    t->square += p->square + d2 * ab;
    t->cube = cube;
    t->fourth = fourth;
    t->rest += lost(t->mean, step) + beside * share;
    t->mean += step;
    t->present = both;
    t->missing += p->missing;
}

apex_status describe_finish(const struct describe_sums *t, struct describe_moments *m,
                            struct num_place *place)
{
    unsigned char none = !(t->present > 0),
                  sound = (t->fourth <= DBL_MAX) & (t->square <= DBL_MAX);
    double n = t->present + none, variance = vec_positive(t->square / n);
    uint64_t varies = standard_varies(t->mean, t->square, n);
    double v = vec_pick(varies, variance, 1), more = n - 1 + vec_one(n == 1);
    *m = (struct describe_moments){
        .present = (uint64_t)(int64_t)t->present,
        .missing = (uint64_t)(int64_t)t->missing,
        .mean = t->mean + t->rest,
        .variance = variance,
        .sample_variance = vec_positive(t->square / more),
        .skewness = vec_pick(varies, t->cube / n / (v * exact_sqrt(v)), 0),
        .kurtosis = vec_pick(varies, t->fourth / n / (v * v) - 3, 0),
        .least = t->least,
        .most = t->most,
    };
    num_leak(&none, sizeof none);
    num_leak(&sound, sizeof sound);
    if (none) return refuse(place, NUM_NO_ROWS, 0);
    return sound ? APEX_OK : refuse(place, NUM_RANGE, 0);
}

static void column_partial(void *context, size_t index, unsigned thread, void *partial)
{
    const struct describe_source *s = context;
    struct describe_cells cells;
    s->cells(s->context, index, thread, &cells);
    describe_partial(&cells, partial);
}

static void column_merge(void *context, void *total, const void *partial)
{
    (void)context;
    describe_merge(total, partial);
}

apex_status describe_column(const struct describe_source *source, unsigned threads,
                            struct describe_moments *moments, struct num_place *place)
{
    struct describe_sums total = {0};
    struct describe_source s = *source;
    const struct reduction r = {s.n_blocks, sizeof total, column_partial, column_merge, &s};
    TRY(reduce_blocks(threads, &r, &total));
    return describe_finish(&total, moments, place);
}

static void array_cells(void *context, size_t index, unsigned thread,
                        struct describe_cells *out)
{
    const struct describe_array *a = context;
    size_t from = index * BLOCK_ROWS, left = a->n_rows - from;
    (void)thread;
    *out = (struct describe_cells){left < BLOCK_ROWS ? left : BLOCK_ROWS, a->value + from,
                                   a->present ? a->present + from : NULL,
                                   a->used ? a->used + from : NULL,
                                   a->party ? a->party + from : NULL};
}

struct describe_source describe_source_of_array(const struct describe_array *array)
{
    return (struct describe_source){array->n_rows,
                                    (array->n_rows + BLOCK_ROWS - 1) / BLOCK_ROWS, array_cells,
                                    (void *)(uintptr_t)array};
}

apex_status describe_correlation(size_t m, const double *gram, double *r,
                                 struct num_place *place)
{
    const double weight = gram[0], *mean = gram + 1, *product = gram + 1 + m;
    unsigned char none = !(weight > 0);
    num_leak(&none, sizeof none);
    if (none) return refuse(place, NUM_NO_ROWS, 0);
    for (size_t i = 0; i < m; i++)
        for (size_t j = i; j < m; j++) {
            double xx = product[tile_at(m, i, i)], yy = product[tile_at(m, j, j)];
            uint64_t both =
                standard_varies(mean[i], xx, weight) & standard_varies(mean[j], yy, weight);
            double scale =
                exact_sqrt(vec_pick(both, xx, 1)) * exact_sqrt(vec_pick(both, yy, 1));
            double c = vec_pick(both, product[tile_at(m, i, j)] / scale, 0);
            c = vec_greatest(-1, vec_pick(vec_mask(c > 1), 1, c));
            r[i * m + j] = r[j * m + i] = i == j ? 1 : c;
        }
    return APEX_OK;
}
