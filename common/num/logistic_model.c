#include "common/num/logistic.h"

#include "common/base/size.h"
#include "common/base/wipe.h"
#include "common/num/column.h"
#include "common/num/exact_inline.h"
#include "common/num/simd.h"
#include "common/num/vec.h"

#include <float.h>
#include <stdlib.h>

static bool model_len(size_t k, size_t d, size_t *len)
{
    size_t doubles = 2 * k * d + 2 * d + 3 * k;
    return size_mul(doubles, sizeof(double), len) &&
           size_add(*len, k * sizeof(uint32_t), len) &&
           size_add(*len, sizeof(struct logistic), len);
}

apex_status logistic_new(size_t n_classes, size_t n_columns, struct logistic **model)
{
    size_t k = n_classes, d = n_columns, len;
    if (k < 2 || k > LOGISTIC_CLASSES_MAX || d < 1 || d > LOGISTIC_COLUMNS_MAX)
        return APEX_E_USAGE;
    if (!model_len(k, d, &len)) return APEX_E_LIMIT;
    struct logistic *m = calloc(1, len);
    if (!m) return APEX_E_MEMORY;
    m->n_classes = k;
    m->n_columns = d;
    m->class_weight = (double *)(void *)(m + 1);
    m->mean = m->class_weight + k;
    m->sd = m->mean + d;
    m->intercept = m->sd + d;
    m->raw_intercept = m->intercept + k;
    m->coefficient = m->raw_intercept + k;
    m->raw = m->coefficient + k * d;
    m->seen = (uint32_t *)(void *)(m->raw + k * d);
    *model = m;
    return APEX_OK;
}

void logistic_free(struct logistic *model)
{
    size_t len;
    if (model && model_len(model->n_classes, model->n_columns, &len)) wipe(model, len);
    free(model);
}

/* Rows done at a time, so that what is written stays near while the columns pass. */
enum { PREDICT_ROWS = 512 };

COLUMN_INLINE void one_output_body(const struct logistic *m, const struct num_block *b,
                                   double *const *probability)
{
    const size_t all = column_rows(b->n);
    for (size_t from = 0; from < all; from += PREDICT_ROWS) {
        const size_t rows = all - from < PREDICT_ROWS ? all - from : PREDICT_ROWS;
        double *COLUMN_RESTRICT none = probability[m->seen[0]] + from;
        double *COLUMN_RESTRICT one = probability[m->seen[1]] + from;
        column_affine(b->column, m->n_columns, m->mean, m->raw, m->intercept[0], from, rows,
                      one);
        for (size_t r = 0; r < rows; r++) {
            double decay = exact_exp_decay(one[r]), inverse = 1.0 / (1.0 + decay);
            uint64_t below = exact_mask(one[r] < 0.0);
            one[r] = exact_select(below, decay, 1.0) * inverse;
            none[r] = exact_select(below, 1.0, decay) * inverse;
        }
    }
}

COLUMN_INLINE void outputs_body(const struct logistic *m, const struct num_block *b,
                                double *const *probability)
{
    const size_t all = column_rows(b->n), d = m->n_columns;
    for (size_t from = 0; from < all; from += PREDICT_ROWS) {
        const size_t rows = all - from < PREDICT_ROWS ? all - from : PREDICT_ROWS;
        double most[PREDICT_ROWS], sum[PREDICT_ROWS];
        for (size_t r = 0; r < rows; r++) {
            most[r] = -DBL_MAX;
            sum[r] = 0;
        }
        for (size_t k = 0; k < m->n_outputs; k++) {
            double *COLUMN_RESTRICT z = probability[m->seen[k]] + from;
            column_affine(b->column, d, m->mean, m->raw + k * d, m->intercept[k], from, rows,
                          z);
            for (size_t r = 0; r < rows; r++)
                most[r] = exact_select(exact_mask(z[r] > most[r]), z[r], most[r]);
        }
        for (size_t k = 0; k < m->n_outputs; k++) {
            double *COLUMN_RESTRICT z = probability[m->seen[k]] + from;
            for (size_t r = 0; r < rows; r++) {
                z[r] = exact_exp_decay(z[r] - most[r]);
                sum[r] += z[r];
            }
        }
        for (size_t k = 0; k < m->n_outputs; k++) {
            double *COLUMN_RESTRICT p = probability[m->seen[k]] + from;
            for (size_t r = 0; r < rows; r++)
                p[r] /= sum[r];
        }
    }
}

COLUMN_INLINE void predict_body(const struct logistic *m, const struct num_block *b,
                                double *const *probability)
{
    if (m->n_outputs == 1)
        one_output_body(m, b, probability);
    else
        outputs_body(m, b, probability);
}

COLUMN_INLINE void choose_body(const double *const *probability, size_t n_classes, size_t n,
                               uint32_t *COLUMN_RESTRICT label)
{
    for (size_t from = 0; from < n; from += PREDICT_ROWS) {
        const size_t rows = n - from < PREDICT_ROWS ? n - from : PREDICT_ROWS;
        double most[PREDICT_ROWS];
        memcpy(most, probability[0] + from, rows * sizeof *most);
        memset(label + from, 0, rows * sizeof *label);
        for (uint32_t k = 1; k < n_classes; k++) {
            const double *p = probability[k] + from;
            for (size_t r = 0; r < rows; r++) {
                uint64_t above = vec_mask(p[r] > most[r]);
                most[r] = vec_pick(above, p[r], most[r]);
                label[from + r] ^= (label[from + r] ^ k) & (uint32_t)above;
            }
        }
    }
}

#define LEVEL(suffix, target)                                                                  \
    target static void predict_##suffix(const struct logistic *m, const struct num_block *b,   \
                                        double *const *probability)                            \
    {                                                                                          \
        predict_body(m, b, probability);                                                       \
    }                                                                                          \
    target static void choose_##suffix(const double *const *probability, size_t n_classes,     \
                                       size_t n, uint32_t *label)                              \
    {                                                                                          \
        choose_body(probability, n_classes, n, label);                                         \
    }
LEVEL(512, SIMD_512)
LEVEL(256, SIMD_256)
LEVEL(any, )

void logistic_predict(const struct logistic *model, const struct num_block *block,
                      double *const *probability)
{
    for (size_t k = 0; k < model->n_classes; k++)
        memset(probability[k], 0, column_rows(block->n) * sizeof(double));
    switch (simd_level()) {
    case SIMD_LEVEL_512: predict_512(model, block, probability); return;
    case SIMD_LEVEL_256: predict_256(model, block, probability); return;
    default: predict_any(model, block, probability);
    }
}

void logistic_choose(const double *const *probability, size_t n_classes, size_t n,
                     uint32_t *label)
{
    switch (simd_level()) {
    case SIMD_LEVEL_512: choose_512(probability, n_classes, n, label); return;
    case SIMD_LEVEL_256: choose_256(probability, n_classes, n, label); return;
    default: choose_any(probability, n_classes, n, label);
    }
}
