#include "common/num/kmeans_draw.h"

#include "common/base/size.h"
#include "common/num/kmeans.h"
#include "common/num/simd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef double lanes __attribute__((vector_size(8 * DRAW_LANES), aligned(64)));
typedef int64_t masks __attribute__((vector_size(8 * DRAW_LANES), aligned(64)));
typedef int32_t halves __attribute__((vector_size(4 * DRAW_LANES), aligned(32)));
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

/* Where in the running sums two numbers fall: in one lane each; the others
 * never get there. */
struct aim {
    double at[2][DRAW_LANES], by_weight;
};

static double below(double x) /* the double before x > 0 */
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits--;
    memcpy(&x, &bits, sizeof x);
    return x;
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

static double less_of(double a, double b)
{
    return choose(-(uint64_t)(a < b), a, b);
}

static void aim_set(const double sum[DRAW_LANES], double unit, double at[DRAW_LANES])
{
    double end[DRAW_LANES], total = 0, before = 0;
    for (size_t l = 0; l < DRAW_LANES; l++)
        end[l] = total += sum[l];
    double target = less_of(unit * total, below(total));
    uint64_t passed = 0;
    for (size_t l = 0; l < DRAW_LANES; l++) {
        uint64_t here = -(uint64_t)(end[l] > target) & ~passed;
        double within = less_of(target - before, below(sum[l] + (double)(sum[l] <= 0)));
        at[l] = choose(here, choose(-(uint64_t)(within > 0), within, 0), INFINITY);
        passed |= here;
        before = end[l];
    }
}

static void aim_make(const struct kmeans_draw *draw, const double unit[2], struct aim *aim)
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
INLINE void pair_body(const struct kmeans_draw *draw, const struct aim *aim, size_t d,
                      halves (*picked)[2])
{
    lanes run = {0}, at0, at1, by_weight = {0};
    masks was0 = {0}, was1 = {0};
    memcpy(&at0, aim->at[0], sizeof at0);
    memcpy(&at1, aim->at[1], sizeof at1);
    by_weight += aim->by_weight;
    for (size_t i = 0; i < draw->stride; i += DRAW_LANES) {
        run +=
            *(const lanes *)(draw->left + i) + *(const lanes *)(draw->weight + i) * by_weight;
        masks now0 = run > at0, now1 = run > at1;
        halves mine0 = __builtin_convertvector(now0 & ~was0, halves),
               mine1 = __builtin_convertvector(now1 & ~was1, halves);
        for (size_t j = 0; j < d; j++) {
            halves x = *(const halves *)(draw->x + j * draw->stride + i);
            picked[j][0] |= x & mine0;
            picked[j][1] |= x & mine1;
        }
        was0 = now0;
        was1 = now1;
    }
}

/* Squared distances of 8 rows to a place, times their weights. */
INLINE void share_body(const struct kmeans_draw *draw, size_t i, const double *place, size_t d,
                       lanes *share)
{
    lanes sum = {0};
    for (size_t j = 0; j < d; j++) {
        lanes off =
            __builtin_convertvector(*(const halves *)(draw->x + j * draw->stride + i), lanes) -
            place[j];
        sum += off * off;
    }
    *share = sum * *(const lanes *)(draw->weight + i);
}

INLINE void least(lanes *a, const lanes *b)
{
    masks less = *a < *b;
    *a = (lanes)(((masks)*a & less) | ((masks)*b & ~less));
}

INLINE void try_body(const struct kmeans_draw *draw, const double *candidate, size_t d,
                     lanes sum[2])
{
    lanes sum0 = {0}, sum1 = {0}, a, b;
    for (size_t i = 0; i < draw->stride; i += DRAW_LANES) {
        const lanes *left = (const lanes *)(draw->left + i);
        share_body(draw, i, candidate, d, &a);
        share_body(draw, i, candidate + d, d, &b);
        least(&a, left);
        least(&b, left);
        sum0 += a;
        sum1 += b;
    }
    sum[0] = sum0;
    sum[1] = sum1;
}

INLINE void take_body(struct kmeans_draw *draw, const double *place, size_t d, bool first,
                      lanes *total)
{
    lanes sum = {0}, share;
    for (size_t i = 0; i < draw->stride; i += DRAW_LANES) {
        lanes *left = (lanes *)(draw->left + i);
        share_body(draw, i, place, d, &share);
        if (!first) least(&share, left);
        *left = share;
        sum += share;
    }
    *total = sum;
}

/* One name for all three passes, so that each level is written once. */
struct pass {
    enum { PAIR, TRY_PAIR, TAKE, TAKE_FIRST } what;
    struct kmeans_draw *draw;
    const struct aim *aim;
    const double *place;
    halves (*picked)[2];
    lanes *sum;
};

INLINE void pass_of(const struct pass *p, size_t d)
{
    switch (p->what) {
    case PAIR: pair_body(p->draw, p->aim, d, p->picked); break;
    case TRY_PAIR: try_body(p->draw, p->place, d, p->sum); break;
    case TAKE: take_body(p->draw, p->place, d, false, p->sum); break;
    case TAKE_FIRST: take_body(p->draw, p->place, d, true, p->sum); break;
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
    struct aim aim;
    struct kmeans_draw same = *draw;
    halves picked[KMEANS_DIMS_MAX][2] = {{{0}}};
    aim_make(draw, unit, &aim);
    pass_run(&(struct pass){PAIR, &same, &aim, NULL, picked, NULL});
    for (size_t j = 0; j < draw->d; j++)
        for (size_t t = 0; t < 2; t++) {
            int32_t x = 0;
            for (size_t l = 0; l < DRAW_LANES; l++)
                x |= picked[j][t][l];
            candidate[t * draw->d + j] = x;
        }
}

void kmeans_draw_try(const struct kmeans_draw *draw, const double *candidate, double left[2])
{
    struct kmeans_draw same = *draw;
    lanes sum[2];
    pass_run(&(struct pass){TRY_PAIR, &same, NULL, candidate, NULL, sum});
    for (size_t t = 0; t < 2; t++) {
        left[t] = 0;
        for (size_t l = 0; l < DRAW_LANES; l++)
            left[t] += sum[t][l];
    }
}

void kmeans_draw_take(struct kmeans_draw *draw, const double *centroid, bool first)
{
    lanes sum;
    pass_run(&(struct pass){first ? TAKE_FIRST : TAKE, draw, NULL, centroid, NULL, &sum});
    memcpy(draw->left_sum, &sum, sizeof sum);
}
