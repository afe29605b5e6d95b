#include "common/num/kmeans_draw.h"

#include "common/base/size.h"
#include "common/num/kmeans.h"
#include "common/num/simd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

static void *lines(size_t count, size_t size)
{
    size_t bytes;
    if (!size_mul(count, size, &bytes) || !size_align(bytes, 64, &bytes)) return NULL;
    void *p = aligned_alloc(64, bytes);
    if (p) memset(p, 0, bytes);
    return p;
}

apex_status kmeans_draw_open(struct kmeans_draw *draw, size_t n, size_t d)
{
    size_t stride, count;
    if (!size_align(n, 64, &stride) || !size_mul(stride, d, &count)) return APEX_E_LIMIT;
    *draw = (struct kmeans_draw){.n = n,
                                 .stride = stride,
                                 .d = d,
                                 .x = lines(count, sizeof *draw->x),
                                 .weight = lines(stride, sizeof *draw->weight),
                                 .left = lines(stride, sizeof *draw->left)};
    return draw->x && draw->weight && draw->left ? APEX_OK : APEX_E_MEMORY;
}

void kmeans_draw_close(struct kmeans_draw *draw)
{
    free(draw->x);
    free(draw->weight);
    free(draw->left);
    *draw = (struct kmeans_draw){0};
}

void kmeans_draw_start(struct kmeans_draw *draw)
{
    for (size_t l = 0; l < DRAW_LANES; l++)
        draw->weight_sum[l] = draw->left_sum[l] = 0;
    for (size_t i = 0; i < draw->stride; i++) {
        draw->left[i] = 0;
        draw->weight_sum[i % DRAW_LANES] += draw->weight[i];
    }
}

INLINE double choose(uint64_t mask, double a, double b)
{
    uint64_t x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    x = (x & mask) | (y & ~mask);
    memcpy(&a, &x, sizeof a);
    return a;
}

/* Of numbers that are not negative, whose bits order as they do: a minimum of whole numbers is
 * one instruction, where one of doubles becomes a load under a mask. */
INLINE double least(double a, double b)
{
    int64_t x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    x = x < y ? x : y;
    memcpy(&a, &x, sizeof a);
    return a;
}

/* To a whole number of the draw's units, of which all sums are then made: exact in any order.
 */
INLINE double rounded(double x, double by)
{
    return (x + by) - by;
}

static double below(double x) /* the double before x > 0 */
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits--;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void aim_set(const double sum[DRAW_LANES], double unit, double at[DRAW_LANES])
{
    double end[DRAW_LANES], total = 0, before = 0;
    for (size_t l = 0; l < DRAW_LANES; l++)
        end[l] = total += sum[l];
    double target = least(unit * total, below(total));
    uint64_t passed = 0;
    for (size_t l = 0; l < DRAW_LANES; l++) {
        uint64_t here = -(uint64_t)(end[l] > target) & ~passed;
        double within = target - before;
        within = least(choose(-(uint64_t)(within > 0), within, 0),
                       below(sum[l] + (double)(sum[l] <= 0)));
        at[l] = choose(here, within, INFINITY);
        passed |= here;
        before = end[l];
    }
}

void kmeans_draw_aim(const struct kmeans_draw *draw, const double unit[2],
                     struct kmeans_aim *aim)
{
    double total = 0, sum[DRAW_LANES];
    for (size_t l = 0; l < DRAW_LANES; l++)
        total += draw->left_sum[l];
    uint64_t none = -(uint64_t)(total <= 0);
    for (size_t l = 0; l < DRAW_LANES; l++)
        sum[l] = choose(none, draw->weight_sum[l], draw->left_sum[l]);
    aim->by_weight = choose(none, 1, 0);
    for (int t = 0; t < 2; t++)
        aim_set(sum, unit[t], aim->at[t]);
}

/* The row where a running sum first passes its aim gives its coordinates. */
INLINE void pair_body(const struct kmeans_draw *draw, const struct kmeans_aim *aim, size_t d,
                      int64_t (*picked)[2][DRAW_LANES])
{
    double run[DRAW_LANES] = {0}, by = draw->rounder;
    uint64_t was[2][DRAW_LANES] = {{0}}, mine[2][DRAW_LANES];
    for (size_t i = 0; i < draw->stride; i += DRAW_LANES) {
        const double *left = draw->left + i, *weight = draw->weight + i;
        for (size_t l = 0; l < DRAW_LANES; l++) {
            run[l] += rounded(left[l], by) + weight[l] * aim->by_weight;
            uint64_t now0 = -(uint64_t)(run[l] > aim->at[0][l]),
                     now1 = -(uint64_t)(run[l] > aim->at[1][l]);
            mine[0][l] = now0 & ~was[0][l];
            mine[1][l] = now1 & ~was[1][l];
            was[0][l] = now0;
            was[1][l] = now1;
        }
        for (size_t j = 0; j < d; j++) {
            const int32_t *x = draw->x + j * draw->stride + i;
            for (size_t l = 0; l < DRAW_LANES; l++) {
                picked[j][0][l] |= (int64_t)x[l] & (int64_t)mine[0][l];
                picked[j][1][l] |= (int64_t)x[l] & (int64_t)mine[1][l];
            }
        }
    }
}

/* Squared distances of 64 rows to a place, times their weights. */
INLINE void share_body(const struct kmeans_draw *draw, size_t i, const double *place, size_t d,
                       double share[DRAW_LANES])
{
    for (size_t l = 0; l < DRAW_LANES; l++)
        share[l] = 0;
    for (size_t j = 0; j < d; j++)
        for (size_t l = 0; l < DRAW_LANES; l++) {
            double off = (double)draw->x[j * draw->stride + i + l] - place[j];
            share[l] += off * off;
        }
    for (size_t l = 0; l < DRAW_LANES; l++)
        share[l] *= draw->weight[i + l];
}

INLINE void try_body(const struct kmeans_draw *draw, const double *candidate, size_t d,
                     double sum[2][DRAW_LANES])
{
    double share[DRAW_LANES], by = draw->rounder;
    for (size_t i = 0; i < draw->stride; i += DRAW_LANES)
        for (size_t t = 0; t < 2; t++) {
            share_body(draw, i, candidate + t * d, d, share);
            for (size_t l = 0; l < DRAW_LANES; l++)
                sum[t][l] += rounded(least(share[l], draw->left[i + l]), by);
        }
}

INLINE void take_body(struct kmeans_draw *draw, const double *place, size_t d, bool first)
{
    double share[DRAW_LANES], sum[DRAW_LANES] = {0}, by = draw->rounder;
    for (size_t i = 0; i < draw->stride; i += DRAW_LANES) {
        share_body(draw, i, place, d, share);
        for (size_t l = 0; l < DRAW_LANES; l++) {
            double left = first ? share[l] : least(share[l], draw->left[i + l]);
            draw->left[i + l] = left;
            sum[l] += rounded(left, by);
        }
    }
    memcpy(draw->left_sum, sum, sizeof sum);
}

/* One name for all passes, so that each level is written once. */
struct pass {
    enum { PAIR, TRY_PAIR, TAKE, TAKE_FIRST } what;
    struct kmeans_draw *draw;
    const struct kmeans_aim *aim;
    const double *place;
    int64_t (*picked)[2][DRAW_LANES];
    double (*sum)[DRAW_LANES];
};

INLINE void pass_of(const struct pass *p, size_t d)
{
    switch (p->what) {
    case PAIR: pair_body(p->draw, p->aim, d, p->picked); break;
    case TRY_PAIR: try_body(p->draw, p->place, d, p->sum); break;
    case TAKE: take_body(p->draw, p->place, d, false); break;
    case TAKE_FIRST: take_body(p->draw, p->place, d, true); break;
    }
}

INLINE void pass_body(const struct pass *p)
{
    if (p->draw->d == 2)
        pass_of(p, 2);
    else if (p->draw->d == 3)
        pass_of(p, 3);
    else
        pass_of(p, p->draw->d);
}
SIMD_512 static void pass_512(const struct pass *p)
{
    pass_body(p);
}
SIMD_256 static void pass_256(const struct pass *p)
{
    pass_body(p);
}
static void pass_any(const struct pass *p)
{
    pass_body(p);
}

static void pass_run(const struct pass *p)
{
    enum simd_level level = simd_level();
    (level == SIMD_LEVEL_512 ? pass_512 : level == SIMD_LEVEL_256 ? pass_256 : pass_any)(p);
}

void kmeans_draw_pair(const struct kmeans_draw *draw, const double unit[2], double *candidate)
{
    struct kmeans_aim aim;
    struct kmeans_draw same = *draw;
    int64_t picked[KMEANS_DIMS_MAX][2][DRAW_LANES];
    memset(picked, 0, draw->d * sizeof *picked);
    kmeans_draw_aim(draw, unit, &aim);
    pass_run(&(struct pass){.what = PAIR, .draw = &same, .aim = &aim, .picked = picked});
    for (size_t j = 0; j < draw->d; j++)
        for (size_t t = 0; t < 2; t++) {
            int64_t x = 0;
            for (size_t l = 0; l < DRAW_LANES; l++)
                x |= picked[j][t][l];
            candidate[t * draw->d + j] = (double)x;
        }
}

void kmeans_draw_try(const struct kmeans_draw *draw, const double *candidate, double left[2])
{
    struct kmeans_draw same = *draw;
    double sum[2][DRAW_LANES] = {{0}};
    pass_run(&(struct pass){.what = TRY_PAIR, .draw = &same, .place = candidate, .sum = sum});
    for (size_t t = 0; t < 2; t++) {
        left[t] = 0;
        for (size_t l = 0; l < DRAW_LANES; l++)
            left[t] += sum[t][l];
    }
}

/* A unit of 2^e, e >= 0 since squares of distances are whole numbers: `bound` is below 2^51 of
 * them, so that sums stay below 2^53. */
static int64_t unit_of(double bound)
{
    uint64_t bits;
    memcpy(&bits, &bound, sizeof bits);
    int64_t e = (int64_t)(bits >> 52) - (1023 + 50);
    return e & ~(e >> 63);
}

static double power(int64_t exponent, uint64_t fraction)
{
    uint64_t bits = (uint64_t)(exponent + 1023) << 52 | fraction;
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void unit_set(struct kmeans_draw *draw, int64_t e)
{
    draw->unit = e;
    draw->rounder = power(e + 52, UINT64_C(1) << 51); /* 1.5 x 2^52 units */
}

static double total_of(const double lanes[DRAW_LANES])
{
    double total = 0;
    for (size_t l = 0; l < DRAW_LANES; l++)
        total += lanes[l];
    return total;
}

enum { UNIT_STEP = 8 };

void kmeans_draw_unit(struct kmeans_draw *draw)
{
    double most =
        total_of(draw->left_sum) + (double)(int64_t)draw->n * power(draw->unit - 1, 0);
    int64_t e = unit_of(most), finer = (e - draw->unit + UNIT_STEP - 1) >> 63;
    unit_set(draw, (e & finer) | (draw->unit & ~finer));
}

void kmeans_draw_take(struct kmeans_draw *draw, const double *centroid, bool first)
{
    if (first) {
        draw->rounder = 0;
        pass_run(&(struct pass){.what = TAKE_FIRST, .draw = draw, .place = centroid});
        unit_set(draw, unit_of(total_of(draw->left_sum)));
    } else
        kmeans_draw_unit(draw);
    pass_run(&(struct pass){.what = TAKE, .draw = draw, .place = centroid});
}
