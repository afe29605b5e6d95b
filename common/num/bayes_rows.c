/* Naive Bayes on rows of doubles: partial sums of blocks, and predictions. */
#include "common/base/size.h"
#include "common/base/try.h"
#include "common/base/wipe.h"
#include "common/num/bayes_model.h"
#include "common/num/parallel.h"
#include "common/num/reduce.h"
#include "common/num/vec.h"

#include <stdlib.h>

enum { GROUP = 32 }; /* rows whose scores stay in registers while the classes pass */

#if SIMD_X86
#define LEVEL 512
#include "common/num/bayes_body.h"
#undef LEVEL
#define LEVEL 256
#include "common/num/bayes_body.h"
#undef LEVEL
#endif
#define LEVEL any
#include "common/num/bayes_body.h"
#undef LEVEL

/* A partial: five arrays and a number. The mean is mean + rest, as one double would leave its
 * rounding in the squares about it. */
struct sums {
    double *weight, *rows, *mean, *rest, *square, *unseen;
};

static struct sums sums_in(const struct bayes_options *o, const void *partial)
{
    double *at = (double *)(uintptr_t)partial;
    size_t cells = o->n_classes * o->n_features;
    double *mean = at + 2 * o->n_classes;
    return (struct sums){at,           at + o->n_classes, mean,
                         mean + cells, mean + 2 * cells,  mean + 3 * cells};
}

apex_status bayes_partial_len(const struct bayes_options *o, size_t *len,
                              struct num_place *place)
{
    size_t per_class, numbers;
    TRY(bayes_options_check(o, place));
    if (!size_mul(o->n_features, 3, &per_class) || !size_add(per_class, 2, &per_class) ||
        !size_mul(per_class, o->n_classes, &numbers) || !size_add(numbers, 1, &numbers) ||
        !size_mul(numbers, sizeof(double), len))
        return APEX_E_LIMIT;
    return APEX_OK;
}

/* Mean and squares of one class and feature within the block. `over`: 1 / weight, or 0. */
static void class_feature(const double *own, const double *x, size_t n, double over,
                          const struct sums *s, size_t at)
{
    double sum, away, square;
    VEC_DISPATCH(first, own, x, n, &sum);
    s->mean[at] = sum * over;
    VEC_DISPATCH(second, own, x, n, s->mean[at], &away, &square);
    s->rest[at] = away * over;
    s->square[at] = vec_positive(square - away * away * over);
}

void bayes_partial(const struct bayes_options *o, const struct num_block *b, void *partial)
{
    _Alignas(64) double own[BLOCK_ROWS];
    struct sums s = sums_in(o, partial);
    double counted = 0;
    for (size_t c = 0; c < o->n_classes; c++) {
        VEC_DISPATCH(own, b, (uint32_t)c, own, &s.rows[c], &s.weight[c]);
        counted += s.rows[c];
        double none = vec_one(s.weight[c] == 0), over = (1 - none) / (s.weight[c] + none);
        for (size_t f = 0; f < o->n_features; f++)
            class_feature(own, b->column[f], b->n, over, &s, c * o->n_features + f);
    }
    double weighty = 0;
    for (size_t i = 0; i < b->n; i++)
        weighty += vec_one(b->weight[i] != 0);
    *s.unseen = weighty - counted;
    wipe(own, sizeof own);
}

/* What a + b loses to rounding. Source: Knuth, The Art of Computer Programming 2, 4.2.2. */
static double lost(double a, double b)
{
    double sum = a + b, second = sum - a;
    return (a - (sum - second)) + (b - second);
}

/* `share`: the part's weight in the weight of both. */
static void cell_merge(struct sums *t, const struct sums *p, size_t i, double weight,
                       double share)
{
    double away = p->mean[i] - t->mean[i];
    double beside = lost(p->mean[i], -t->mean[i]) + (p->rest[i] - t->rest[i]);
    double step = away * share;
    t->rest[i] += lost(t->mean[i], step) + beside * share;
    t->mean[i] += step;
    away += beside;
    t->square[i] += p->square[i] + away * away * (weight * share);
}

void bayes_merge(const struct bayes_options *o, void *total, const void *partial)
{
    struct sums t = sums_in(o, total), p = sums_in(o, partial);
    for (size_t c = 0; c < o->n_classes; c++) {
        double both = t.weight[c] + p.weight[c],
               share = p.weight[c] / (both + vec_one(both == 0));
        for (size_t i = c * o->n_features; i < (c + 1) * o->n_features; i++)
            cell_merge(&t, &p, i, t.weight[c], share);
        t.weight[c] = both;
        t.rows[c] += p.rows[c];
    }
    *t.unseen += *p.unseen;
}

apex_status bayes_finish(const struct bayes_options *o, const void *total, struct bayes **model,
                         struct num_place *place)
{
    struct sums t = sums_in(o, total);
    size_t len;
    TRY(bayes_partial_len(o, &len, place));
    size_t cells = o->n_classes * o->n_features;
    double *room = malloc(2 * cells * sizeof *room), *mean = room, *variance = room + cells;
    if (!room) return APEX_E_MEMORY;
    for (size_t c = 0; c < o->n_classes; c++)
        for (size_t i = c * o->n_features; i < (c + 1) * o->n_features; i++) {
            mean[i] = t.mean[i] + t.rest[i];
            variance[i] = t.square[i] / (t.weight[c] + vec_one(t.weight[c] == 0));
        }
    struct bayes_moments m = {t.weight, t.rows, mean, variance, *t.unseen, {0}, 0};
    apex_status s = bayes_of_moments(o, &m, model, place);
    wipe(room, 2 * cells * sizeof *room);
    free(room);
    return s;
}

struct fitting {
    const struct bayes_options *options;
    const struct num_source *rows;
};

static void fit_block(void *context, size_t index, unsigned thread, void *partial)
{
    const struct fitting *f = context;
    struct num_block block;
    f->rows->block(f->rows->context, index, thread, &block);
    bayes_partial(f->options, &block, partial);
}

static void fit_merge(void *context, void *total, const void *partial)
{
    const struct fitting *f = context;
    bayes_merge(f->options, total, partial);
}

apex_status bayes_fit(const struct num_source *rows, const struct bayes_options *options,
                      unsigned threads, struct bayes **model, struct num_place *place)
{
    struct fitting f = {options, rows};
    size_t len;
    if (rows->n_rows == 0) return bayes_fault(place, APEX_E_DATA, NUM_NO_ROWS, 0);
    TRY(bayes_partial_len(options, &len, place));
    if (rows->n_columns != options->n_features)
        return bayes_fault(place, APEX_E_USAGE, NUM_OPTION, 1);
    void *total = calloc(1, len);
    if (!total) return APEX_E_MEMORY;
    struct reduction r = {rows->n_blocks, len, fit_block, fit_merge, &f};
    apex_status s = reduce_blocks(threads, &r, total);
    if (s == APEX_OK) s = bayes_finish(options, total, model, place);
    wipe(total, len);
    free(total);
    return s;
}

void bayes_classify(const struct bayes *model, const double *const *column, size_t n,
                    uint32_t *labels, double *joint)
{
    VEC_DISPATCH(classify, model, column, n, labels, joint);
}

void bayes_predict_block(const struct bayes *model, const struct num_block *block,
                         uint32_t *labels, double *joint)
{
    bayes_classify(model, block->column, block->n, labels, joint);
}

struct predicting {
    const struct bayes *model;
    const struct num_source *rows;
    uint32_t *labels;
};

static void predict_work(void *context, size_t index, unsigned thread)
{
    const struct predicting *p = context;
    struct num_block block;
    p->rows->block(p->rows->context, index, thread, &block);
    bayes_predict_block(p->model, &block, p->labels + index * BLOCK_ROWS, NULL);
}

apex_status bayes_predict(const struct bayes *model, const struct num_source *rows,
                          unsigned threads, uint32_t *labels)
{
    struct predicting p = {model, rows, labels};
    if (rows->n_columns != model->n_features) return APEX_E_USAGE;
    parallel_blocks(threads, rows->n_blocks, predict_work, &p);
    return APEX_OK;
}
