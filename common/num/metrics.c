#include "common/num/metrics.h"

#include "common/num/column.h"
#include "common/num/exact.h"
#include "common/num/exact_inline.h"
#include "common/num/simd.h"
#include "common/num/standard.h"

#include <float.h>

static double ratio_or_0(double above, double below)
{
    uint64_t there = exact_mask(below > 0.0);
    return exact_select(there, above / exact_select(there, below, 1.0), 0.0);
}

/* Rows taken at a time where padded copies lie on the stack. */
enum { CHUNK = 512 };

struct regression_chunk {
    double weight[CHUNK], target[CHUNK], error[CHUNK];
};

COLUMN_INLINE void chunk_body(struct regression_chunk *c, size_t n, struct regression_sums *s)
{
    const size_t rows = column_rows(n);
    double squares = 0, sums[2], mean;
    for (size_t r = 0; r < rows; r++) {
        c->target[r] = column_counted(c->weight[r], c->target[r]);
        c->error[r] = column_counted(c->weight[r], exact_abs(c->error[r] - c->target[r]));
    }
    s->weight = column_sum(c->weight, rows);
    s->errors = column_dot(c->error, c->weight, rows);
    for (size_t r = 0; r < rows; r++)
        c->error[r] *= c->error[r];
    squares = column_dot(c->error, c->weight, rows);
    mean = ratio_or_0(column_dot(c->target, c->weight, rows), s->weight);
    column_moments(c->target, c->weight, mean, rows, sums);
    s->errors_squared = squares;
    s->mean = mean + ratio_or_0(sums[0], s->weight);
    s->squares = sums[1] - sums[0] * ratio_or_0(sums[0], s->weight);
}

void regression_merge(struct regression_sums *total, const struct regression_sums *partial)
{
    double weight = total->weight + partial->weight,
           share = ratio_or_0(partial->weight, weight);
    double apart = partial->mean - total->mean;
    total->squares += partial->squares + total->weight * share * (apart * apart);
    total->mean += share * apart;
    total->weight = weight;
    total->errors_squared += partial->errors_squared;
    total->errors += partial->errors;
}

void regression_finish(const struct regression_sums *total, struct regression_figures *figures)
{
    uint64_t varies = standard_varies(total->mean, total->squares, total->weight);
    double left = total->errors_squared / exact_select(varies, total->squares, 1.0);
    figures->weight = total->weight;
    figures->r2 = exact_select(varies, 1.0 - left, 0.0);
    figures->rmse = exact_sqrt(ratio_or_0(total->errors_squared, total->weight));
    figures->mae = ratio_or_0(total->errors, total->weight);
}

struct class_rows {
    size_t rows, n_classes;
    double *weight, *chosen; /* padded; the probability of each row's own class */
    uint32_t *code;          /* true class * n_classes + predicted */
};

COLUMN_INLINE void codes_body(const struct class_rows *c, double *partial)
{
    const size_t cells = c->n_classes * c->n_classes;
    partial[0] = column_sum(c->weight, c->rows);
    for (size_t cell = 0; cell < cells; cell++)
        partial[2 + cell] = column_class_sum(c->code, (uint32_t)cell, c->weight, c->rows);
}

COLUMN_INLINE void chosen_body(const struct class_rows *c, const struct num_block *b,
                               const double *const *probability, double *partial)
{
    double *COLUMN_RESTRICT chosen = c->chosen;
    for (size_t r = 0; r < c->rows; r++)
        chosen[r] = 0;
    for (size_t k = 0; k < c->n_classes; k++)
        for (size_t r = 0; r < b->n; r++)
            chosen[r] =
                exact_select(exact_mask(b->label[r] == k), probability[k][r], chosen[r]);
    for (size_t r = 0; r < c->rows; r++) {
        uint64_t sound = exact_mask(chosen[r] > DBL_EPSILON);
        chosen[r] = -exact_log_inline(exact_select(sound, chosen[r], DBL_EPSILON));
    }
    partial[1] = column_dot(chosen, c->weight, c->rows);
}

/* sums[0], sums[1]: the weight of the positive and of the negative rows at or above t. */
COLUMN_INLINE void above_body(const double *score, const double *positive,
                              const double *negative, size_t rows, double t, double sums[2])
{
    double first[COLUMN_LANES] = {0}, second[COLUMN_LANES] = {0};
    for (size_t r = 0; r < rows; r += COLUMN_LANES)
        for (size_t l = 0; l < COLUMN_LANES; l++) {
            uint64_t above = exact_mask(score[r + l] >= t);
            first[l] += exact_select(above, positive[r + l], 0.0);
            second[l] += exact_select(above, negative[r + l], 0.0);
        }
    sums[0] = column_fold(first);
    sums[1] = column_fold(second);
}

struct level {
    void (*chunk)(struct regression_chunk *, size_t, struct regression_sums *);
    void (*codes)(const struct class_rows *, double *);
    void (*chosen)(const struct class_rows *, const struct num_block *, const double *const *,
                   double *);
    void (*above)(const double *, const double *, const double *, size_t, double, double[2]);
};
#define LEVEL(suffix, target)                                                                  \
    target static void chunk_##suffix(struct regression_chunk *c, size_t n,                    \
                                      struct regression_sums *s)                               \
    {                                                                                          \
        chunk_body(c, n, s);                                                                   \
    }                                                                                          \
    target static void codes_##suffix(const struct class_rows *c, double *partial)             \
    {                                                                                          \
        codes_body(c, partial);                                                                \
    }                                                                                          \
    target static void chosen_##suffix(const struct class_rows *c, const struct num_block *b,  \
                                       const double *const *probability, double *partial)      \
    {                                                                                          \
        chosen_body(c, b, probability, partial);                                               \
    }                                                                                          \
    target static void above_##suffix(const double *score, const double *positive,             \
                                      const double *negative, size_t rows, double t,           \
                                      double sums[2])                                          \
    {                                                                                          \
        above_body(score, positive, negative, rows, t, sums);                                  \
    }
LEVEL(512, SIMD_512)
LEVEL(256, SIMD_256)
LEVEL(any, )

static struct level level_here(void)
{
    switch (simd_level()) {
    case SIMD_LEVEL_512: return (struct level){chunk_512, codes_512, chosen_512, above_512};
    case SIMD_LEVEL_256: return (struct level){chunk_256, codes_256, chosen_256, above_256};
    default: return (struct level){chunk_any, codes_any, chosen_any, above_any};
    }
}

void regression_partial(const struct num_block *block, const double *prediction,
                        struct regression_sums *partial)
{
    const struct level level = level_here();
    for (size_t from = 0; from < block->n; from += CHUNK) {
        size_t n = block->n - from < CHUNK ? block->n - from : CHUNK;
        struct regression_chunk c;
        struct regression_sums sums = {0};
        column_pad(block->weight + from, n, c.weight);
        column_pad(block->target + from, n, c.target);
        column_pad(prediction + from, n, c.error);
        level.chunk(&c, n, &sums);
        regression_merge(partial, &sums);
    }
}

void class_partial(const struct num_block *block, size_t n_classes, const uint32_t *predicted,
                   const double *const *probability, double *scratch, double *partial)
{
    const struct level level = level_here();
    const struct class_rows c = {column_rows(block->n), n_classes, scratch,
                                 scratch + BLOCK_ROWS,
                                 (uint32_t *)(void *)(scratch + 2 * BLOCK_ROWS)};
    column_pad(block->weight, block->n, c.weight);
    column_pad_labels(block->label, block->n, c.code);
    for (size_t r = 0; r < block->n; r++)
        c.code[r] = c.code[r] * (uint32_t)n_classes + predicted[r];
    level.codes(&c, partial);
    if (probability) level.chosen(&c, block, probability, partial);
}

void class_merge(size_t n_classes, double *total, const double *partial)
{
    for (size_t i = 0; i < class_len(n_classes); i++)
        total[i] += partial[i];
}

void class_rates(size_t n_classes, const double *total, size_t class, double *recall,
                 double *precision)
{
    const double *confusion = class_confusion(total);
    double there = 0, called = 0, both = confusion[class * n_classes + class];
    for (size_t k = 0; k < n_classes; k++) {
        there += confusion[class * n_classes + k];
        called += confusion[k * n_classes + class];
    }
    *recall = ratio_or_0(both, there);
    *precision = ratio_or_0(both, called);
}

void class_finish(size_t n_classes, const double *total, struct class_figures *figures)
{
    const double *confusion = class_confusion(total);
    double right = 0, recalls = 0, classes = 0;
    for (size_t k = 0; k < n_classes; k++) {
        double recall, precision, there = 0;
        for (size_t l = 0; l < n_classes; l++)
            there += confusion[k * n_classes + l];
        class_rates(n_classes, total, k, &recall, &precision);
        right += confusion[k * n_classes + k];
        recalls += recall;
        classes += exact_select(exact_mask(there > 0.0), 1.0, 0.0);
    }
    figures->weight = total[0];
    figures->accuracy = ratio_or_0(right, total[0]);
    figures->log_loss = ratio_or_0(total[1], total[0]);
    figures->balanced_accuracy = ratio_or_0(recalls, classes);
}

void threshold_partial(const struct num_block *block, const double *score, uint32_t positive,
                       const double *threshold, size_t n_thresholds, double *scratch,
                       struct threshold_sums *partial)
{
    const struct level level = level_here();
    const size_t n = block->n, rows = column_rows(n);
    double *padded = scratch, *yes = scratch + BLOCK_ROWS, *no = scratch + 2 * BLOCK_ROWS;
    column_pad(score, n, padded);
    column_pad(block->weight, n, yes);
    for (size_t r = 0; r < rows; r++)
        no[r] = 0;
    for (size_t r = 0; r < n; r++) {
        double weight = yes[r];
        yes[r] = exact_select(exact_mask(block->label[r] == positive), weight, 0.0);
        no[r] = exact_select(exact_mask(block->label[r] == positive), 0.0, weight);
    }
    double all_yes = column_sum(yes, rows), all_no = column_sum(no, rows);
    for (size_t t = 0; t < n_thresholds; t++) {
        double sums[2];
        level.above(padded, yes, no, rows, threshold[t], sums);
        partial[t].true_positive += sums[0];
        partial[t].false_positive += sums[1];
        partial[t].positive += all_yes;
        partial[t].negative += all_no;
    }
}

void threshold_merge(struct threshold_sums *total, const struct threshold_sums *partial)
{
    total->true_positive += partial->true_positive;
    total->false_positive += partial->false_positive;
    total->positive += partial->positive;
    total->negative += partial->negative;
}

void threshold_rates(const struct threshold_sums *total, double *recall, double *precision)
{
    *recall = ratio_or_0(total->true_positive, total->positive);
    *precision = ratio_or_0(total->true_positive, total->true_positive + total->false_positive);
}
