#include "common/num/kmeans_step.h"

#include "common/base/size.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The same source for every instruction set, and no contraction: the same bytes. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                         \
    !defined(__SANITIZE_ADDRESS__)
#define EVERY_SIMD __attribute__((target_clones("avx512f", "avx2", "default"), optimize("O3")))
#else
#define EVERY_SIMD
#endif

apex_status step_open(struct step *s, const struct kmeans_points *p, size_t k, unsigned threads)
{
    size_t kd;
    *s = (struct step){.p = p, .k = k, .n_blocks = (p->n + KMEANS_BLOCK - 1) / KMEANS_BLOCK};
    s->threads = threads < 1                      ? 1
                 : threads > PARALLEL_THREADS_MAX ? PARALLEL_THREADS_MAX
                                                  : threads;
    if (!size_mul(k, p->d, &kd)) return APEX_E_LIMIT;
    s->block_sums = calloc(s->n_blocks, sizeof *s->block_sums);
    bool whole = s->block_sums != NULL;
    for (unsigned t = 0; t < s->threads; t++) {
        s->partial[t].sums = calloc(kd, sizeof *s->partial[t].sums);
        s->partial[t].weights = calloc(k, sizeof *s->partial[t].weights);
        whole &= s->partial[t].sums && s->partial[t].weights;
    }
    return whole ? APEX_OK : APEX_E_MEMORY;
}

void step_close(struct step *s)
{
    for (unsigned t = 0; t < s->threads; t++) {
        free(s->partial[t].sums);
        free(s->partial[t].weights);
    }
    free(s->block_sums);
}

/* Squared distances of up to KMEANS_BLOCK points to each centroid; the least and its index.
 * Indexes as doubles keep all lanes of one width. */
EVERY_SIMD static void block_nearest_2(const int32_t *restrict x, const int32_t *restrict y,
                                       size_t n, const double *restrict centroids, size_t k,
                                       double *restrict best, double *restrict index)
{
    for (size_t i = 0; i < n; i++) {
        best[i] = INFINITY;
        index[i] = 0;
    }
    for (size_t c = 0; c < k; c++) {
        double cx = centroids[2 * c], cy = centroids[2 * c + 1], number = (double)c;
        for (size_t i = 0; i < n; i++) {
            double dx = x[i] - cx, dy = y[i] - cy, d = dx * dx + dy * dy;
            index[i] = d < best[i] ? number : index[i];
            best[i] = d < best[i] ? d : best[i];
        }
    }
}

EVERY_SIMD static void block_nearest_3(const int32_t *restrict x, const int32_t *restrict y,
                                       const int32_t *restrict z, size_t n,
                                       const double *restrict centroids, size_t k,
                                       double *restrict best, double *restrict index)
{
    for (size_t i = 0; i < n; i++) {
        best[i] = INFINITY;
        index[i] = 0;
    }
    for (size_t c = 0; c < k; c++) {
        double cx = centroids[3 * c], cy = centroids[3 * c + 1], cz = centroids[3 * c + 2],
               number = (double)c;
        for (size_t i = 0; i < n; i++) {
            double dx = x[i] - cx, dy = y[i] - cy, dz = z[i] - cz,
                   d = dx * dx + dy * dy + dz * dz;
            index[i] = d < best[i] ? number : index[i];
            best[i] = d < best[i] ? d : best[i];
        }
    }
}

enum {
    STRIPE = 512
}; /* points whose best distances stay in the first-level cache while all centroids pass */

struct assigning {
    struct step *s;
    const double *centroids;
    uint32_t *labels;
};

static void partial_add(const struct kmeans_points *p, size_t i, uint32_t label,
                        struct step_partial *part)
{
    uint64_t w = p->weights ? p->weights[i] : 1;
    for (size_t d = 0; d < p->d; d++)
        part->sums[label * p->d + d] += (__int128)p->coordinate[d][i] * (__int128)w;
    part->weights[label] += w;
}

static double stripe_assign(const struct assigning *a, size_t first, size_t n,
                            struct step_partial *part)
{
    const struct kmeans_points *p = a->s->p;
    double best[STRIPE], index[STRIPE], sum = 0;
    if (p->d == 2)
        block_nearest_2(p->coordinate[0] + first, p->coordinate[1] + first, n, a->centroids,
                        a->s->k, best, index);
    else
        block_nearest_3(p->coordinate[0] + first, p->coordinate[1] + first,
                        p->coordinate[2] + first, n, a->centroids, a->s->k, best, index);
    for (size_t i = 0; i < n; i++) {
        uint32_t label = (uint32_t)index[i];
        part->changed |= label != a->labels[first + i];
        a->labels[first + i] = label;
        partial_add(p, first + i, label, part);
        sum += p->weights ? p->weights[first + i] * best[i] : best[i];
    }
    return sum;
}

static void block_assign(void *context, size_t block, unsigned thread)
{
    const struct assigning *a = context;
    size_t first = block * KMEANS_BLOCK,
           end = first + KMEANS_BLOCK < a->s->p->n ? first + KMEANS_BLOCK : a->s->p->n;
    double sum = 0;
    for (size_t at = first; at < end; at += STRIPE)
        sum +=
            stripe_assign(a, at, end - at < STRIPE ? end - at : STRIPE, &a->s->partial[thread]);
    a->s->block_sums[block] = sum;
}

static double blocks_sum(const struct step *s)
{
    double sum = 0;
    for (size_t b = 0; b < s->n_blocks; b++)
        sum += s->block_sums[b];
    return sum;
}

double step_assign(struct step *s, const double *centroids, uint32_t *labels, bool *changed)
{
    struct assigning a = {s, centroids, labels};
    for (unsigned t = 0; t < s->threads; t++) {
        memset(s->partial[t].sums, 0, s->k * s->p->d * sizeof *s->partial[t].sums);
        memset(s->partial[t].weights, 0, s->k * sizeof *s->partial[t].weights);
        s->partial[t].changed = false;
    }
    parallel_blocks(s->threads, s->n_blocks, block_assign, &a);
    *changed = false;
    for (unsigned t = 0; t < s->threads; t++)
        *changed |= s->partial[t].changed;
    return blocks_sum(s);
}

/* The quotient to double: exact integer part, then the fraction; the same on every machine. */
static double mean_of(__int128 sum, uint64_t weight)
{
    __int128 whole = sum / (__int128)weight, rest = sum % (__int128)weight;
    return (double)(int64_t)whole + (double)(int64_t)rest / (double)weight;
}

void step_move(struct step *s, double *centroids)
{
    size_t d_n = s->p->d;
    for (size_t c = 0; c < s->k; c++) {
        uint64_t weight = 0;
        for (unsigned t = 0; t < s->threads; t++)
            weight += s->partial[t].weights[c];
        for (size_t d = 0; d < d_n && weight > 0; d++) {
            __int128 sum = 0;
            for (unsigned t = 0; t < s->threads; t++)
                sum += s->partial[t].sums[c * d_n + d];
            centroids[c * d_n + d] = mean_of(sum, weight);
        }
    }
}

struct nearing {
    struct step *s;
    const double *at, *in;
    double *out;
};

static void block_near(void *context, size_t block, unsigned thread)
{
    const struct nearing *a = context;
    const struct kmeans_points *p = a->s->p;
    size_t first = block * KMEANS_BLOCK,
           end = first + KMEANS_BLOCK < p->n ? first + KMEANS_BLOCK : p->n;
    double sum = 0;
    (void)thread;
    for (size_t i = first; i < end; i++) {
        double d2 = 0;
        for (size_t d = 0; d < p->d; d++) {
            double diff = p->coordinate[d][i] - a->at[d];
            d2 += diff * diff;
        }
        if (a->in && a->in[i] < d2) d2 = a->in[i];
        a->out[i] = d2;
        sum += p->weights ? p->weights[i] * d2 : d2;
    }
    a->s->block_sums[block] = sum;
}

double step_nearest(struct step *s, const double *at, const double *in, double *out)
{
    struct nearing a = {s, at, in, out};
    parallel_blocks(s->threads, s->n_blocks, block_near, &a);
    return blocks_sum(s);
}
