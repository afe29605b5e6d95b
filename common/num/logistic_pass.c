#include "common/num/logistic_pass.h"

#include "common/num/column.h"
#include "common/num/exact_inline.h"
#include "common/num/simd.h"
#include "common/num/tile.h"

/* Scratch: weights and labels padded, a chunk's standardised columns (one of ones first), the
 * same scaled, numbers per row, a column per output, lanes of products. */
struct room {
    double *weight;
    uint32_t *label;
    double *columns, *scaled, *most, *sum, *root, *loss, *outputs, *residual, *lanes;
};

static size_t pairs(size_t outputs)
{
    return outputs * (outputs + 1) / 2;
}

static size_t lanes_len(const struct loss *l)
{
    size_t entries = tile_entries(l->n_columns + 1) * pairs(l->n_outputs);
    return l->hessian ? entries * TILE_LANES : 0;
}

size_t loss_len(const struct loss *l)
{
    size_t entries = tile_entries(l->n_columns + 1) * pairs(l->n_outputs);
    return 1 + loss_parameters(l) + (l->hessian ? entries : 0);
}

size_t loss_room(const struct loss *l)
{
    size_t columns = (l->n_columns + 1) * 2 + 5 + l->n_outputs;
    return sizeof(double) * (2 * BLOCK_ROWS + columns * TILE_ROWS + lanes_len(l));
}

static struct room room_of(void *memory, const struct loss *l)
{
    struct room r = {.weight = memory};
    r.label = (uint32_t *)(void *)(r.weight + BLOCK_ROWS);
    r.columns = r.weight + 2 * BLOCK_ROWS;
    r.scaled = r.columns + (l->n_columns + 1) * TILE_ROWS;
    r.most = r.scaled + (l->n_columns + 1) * TILE_ROWS;
    r.sum = r.most + TILE_ROWS;
    r.root = r.sum + TILE_ROWS;
    r.loss = r.root + TILE_ROWS;
    r.residual = r.loss + TILE_ROWS;
    r.outputs = r.residual + TILE_ROWS;
    r.lanes = r.outputs + l->n_outputs * TILE_ROWS;
    return r;
}

/* A block in hand. `partial`: the gradient begins behind the loss. */
struct work {
    const struct loss *l;
    const struct num_block *block;
    struct room room;
    double *partial;
};

COLUMN_INLINE void standardise_body(const struct work *w, size_t from, size_t rows)
{
    double *COLUMN_RESTRICT out = w->room.columns;
    const double *weight = w->room.weight + from;
    for (size_t r = 0; r < rows; r++)
        out[r] = 1;
    for (size_t j = 0; j < w->l->n_columns; j++) {
        const double *x = w->block->column[j] + from;
        const double mean = w->l->mean[j], inverse = w->l->inverse[j];
        out += TILE_ROWS;
        for (size_t r = 0; r < rows; r++)
            out[r] = column_counted(weight[r], (x[r] - mean) * inverse);
    }
}

/* out = sum_j factor_j column_j, j = 0..d, added in order. */
COLUMN_INLINE void combine_body(const double *columns, size_t d, const double *factor,
                                size_t rows, double *COLUMN_RESTRICT out)
{
    size_t j = 1;
    for (size_t r = 0; r < rows; r++)
        out[r] = factor[0];
    for (; j + 4 <= d + 1; j += 4) {
        const double *a = columns + j * TILE_ROWS, *b = a + TILE_ROWS, *c = b + TILE_ROWS;
        const double *e = c + TILE_ROWS;
        const double f = factor[j], g = factor[j + 1], h = factor[j + 2], i = factor[j + 3];
        for (size_t r = 0; r < rows; r++)
            out[r] = (((out[r] + f * a[r]) + g * b[r]) + h * c[r]) + i * e[r];
    }
    for (; j <= d; j++) {
        const double *a = columns + j * TILE_ROWS, f = factor[j];
        for (size_t r = 0; r < rows; r++)
            out[r] += f * a[r];
    }
}

COLUMN_INLINE void scale_body(const double *columns, size_t d, const double *factor,
                              size_t rows, double *COLUMN_RESTRICT scaled)
{
    for (size_t j = 0; j <= d; j++)
        for (size_t r = 0; r < rows; r++)
            scaled[j * TILE_ROWS + r] = factor[r] * columns[j * TILE_ROWS + r];
}

COLUMN_INLINE void gradient_body(const struct work *w, size_t output, size_t rows)
{
    const size_t n = w->l->n_columns + 1;
    double *gradient = w->partial + 1 + output * n;
    gradient[0] += column_sum(w->room.residual, rows);
    for (size_t j = 1; j < n; j++)
        gradient[j] += column_dot(w->room.residual, w->room.columns + j * TILE_ROWS, rows);
}

/* From log-odds in outputs[0]: residual w (p - y), curvature w p (1 - p), loss. */
COLUMN_INLINE void link_body(const struct work *w, size_t from, size_t rows)
{
    const struct room *m = &w->room;
    const double *weight = m->weight + from, *z = m->outputs;
    const uint32_t *label = m->label + from, one = w->l->seen[1];
    double *COLUMN_RESTRICT residual = m->residual, *COLUMN_RESTRICT root = m->root;
    double *COLUMN_RESTRICT loss = m->loss;
    for (size_t r = 0; r < rows; r++) {
        double decay = exact_exp_decay(z[r]), inverse = 1.0 / (1.0 + decay);
        double p = exact_select(exact_mask(z[r] < 0.0), decay, 1.0) * inverse;
        double y = exact_select(exact_mask(label[r] == one), 1.0, 0.0);
        residual[r] = weight[r] * (p - y);
        root[r] = weight[r] * (decay * inverse * inverse);
        loss[r] = weight[r] * (exact_log1p_exp_of(z[r], decay) - y * z[r]);
    }
    w->partial[0] += column_sum(loss, rows);
}

COLUMN_INLINE void binary_body(const struct work *w, size_t from, size_t rows)
{
    const struct room *m = &w->room;
    standardise_body(w, from, rows);
    combine_body(m->columns, w->l->n_columns, w->l->parameter, rows, m->outputs);
    link_body(w, from, rows);
    gradient_body(w, 0, rows);
    if (!w->l->hessian) return;
    tile_sqrt(m->root, rows);
    scale_body(m->columns, w->l->n_columns, m->root, rows, m->scaled);
}

/* From scores in outputs: probabilities in their place, and the loss: log sum e^z - z_label. */
COLUMN_INLINE void softmax_body(const struct work *w, size_t from, size_t rows)
{
    const struct room *m = &w->room;
    const size_t outputs = w->l->n_outputs;
    const uint32_t *label = m->label + from;
    double *COLUMN_RESTRICT most = m->most, *COLUMN_RESTRICT sum = m->sum;
    double *COLUMN_RESTRICT loss = m->loss;
    memcpy(most, m->outputs, rows * sizeof *most);
    for (size_t k = 1; k < outputs; k++) {
        const double *z = m->outputs + k * TILE_ROWS;
        for (size_t r = 0; r < rows; r++)
            most[r] = exact_select(exact_mask(z[r] > most[r]), z[r], most[r]);
    }
    for (size_t r = 0; r < rows; r++)
        sum[r] = loss[r] = 0;
    for (size_t k = 0; k < outputs; k++) {
        double *COLUMN_RESTRICT z = m->outputs + k * TILE_ROWS;
        const uint32_t class = w->l->seen[k];
        for (size_t r = 0; r < rows; r++) {
            double below = z[r] - most[r], e = exact_exp_decay(below);
            loss[r] -= exact_select(exact_mask(label[r] == class), below, 0.0);
            sum[r] += e;
            z[r] = e;
        }
    }
    for (size_t r = 0; r < rows; r++) {
        loss[r] = m->weight[from + r] * (loss[r] + exact_log_inline(sum[r]));
        sum[r] = 1.0 / sum[r];
    }
    for (size_t k = 0; k < outputs; k++) {
        double *COLUMN_RESTRICT p = m->outputs + k * TILE_ROWS;
        for (size_t r = 0; r < rows; r++)
            p[r] *= sum[r];
    }
    w->partial[0] += column_sum(loss, rows);
}

COLUMN_INLINE void classes_body(const struct work *w, size_t from, size_t rows)
{
    const struct room *m = &w->room;
    const size_t d = w->l->n_columns;
    standardise_body(w, from, rows);
    for (size_t k = 0; k < w->l->n_outputs; k++)
        combine_body(m->columns, d, w->l->parameter + k * (d + 1), rows,
                     m->outputs + k * TILE_ROWS);
    softmax_body(w, from, rows);
    for (size_t k = 0; k < w->l->n_outputs; k++) {
        const double *p = m->outputs + k * TILE_ROWS, *weight = m->weight + from;
        const uint32_t *label = m->label + from, class = w->l->seen[k];
        double *COLUMN_RESTRICT residual = m->residual;
        for (size_t r = 0; r < rows; r++)
            residual[r] =
                weight[r] * (p[r] - exact_select(exact_mask(label[r] == class), 1.0, 0.0));
        gradient_body(w, k, rows);
    }
}

/* Columns scaled by the root of a pair's curvature. */
COLUMN_INLINE void pair_body(const struct work *w, size_t k, size_t l, size_t from, size_t rows)
{
    const struct room *m = &w->room;
    const double *p = m->outputs + k * TILE_ROWS, *q = m->outputs + l * TILE_ROWS;
    const double *weight = m->weight + from, whole = k == l ? 1.0 : 0.0,
                 sign = k == l ? -1.0 : 1.0;
    double *COLUMN_RESTRICT root = m->root;
    for (size_t r = 0; r < rows; r++) {
        double curvature = weight[r] * (p[r] * (whole + sign * q[r]));
        root[r] = exact_select(exact_mask(curvature > 0.0), curvature, 0.0);
    }
    tile_sqrt(root, rows);
    scale_body(m->columns, w->l->n_columns, root, rows, m->scaled);
}

struct level {
    void (*binary)(const struct work *, size_t, size_t);
    void (*classes)(const struct work *, size_t, size_t);
    void (*pair)(const struct work *, size_t, size_t, size_t, size_t);
};
#define LEVEL(suffix, target)                                                                  \
    target static void binary_##suffix(const struct work *w, size_t from, size_t rows)         \
    {                                                                                          \
        binary_body(w, from, rows);                                                            \
    }                                                                                          \
    target static void classes_##suffix(const struct work *w, size_t from, size_t rows)        \
    {                                                                                          \
        classes_body(w, from, rows);                                                           \
    }                                                                                          \
    target static void pair_##suffix(const struct work *w, size_t k, size_t l, size_t from,    \
                                     size_t rows)                                              \
    {                                                                                          \
        pair_body(w, k, l, from, rows);                                                        \
    }
LEVEL(512, SIMD_512)
LEVEL(256, SIMD_256)
LEVEL(any, )

static struct level level_here(void)
{
    switch (simd_level()) {
    case SIMD_LEVEL_512: return (struct level){binary_512, classes_512, pair_512};
    case SIMD_LEVEL_256: return (struct level){binary_256, classes_256, pair_256};
    default: return (struct level){binary_any, classes_any, pair_any};
    }
}

static void chunk_pairs(const struct work *w, const struct level *level, size_t from,
                        size_t rows)
{
    const size_t n = w->l->n_columns + 1, step = tile_entries(n) * TILE_LANES;
    double *lanes = w->room.lanes;
    for (size_t k = 0; k < w->l->n_outputs; k++)
        for (size_t l = k; l < w->l->n_outputs; l++, lanes += step) {
            level->pair(w, k, l, from, rows);
            tile_add(w->room.scaled, n, rows, lanes);
        }
}

void loss_partial(const struct loss *l, const struct num_block *block, void *memory,
                  double *partial)
{
    const struct level level = level_here();
    const struct work w = {l, block, room_of(memory, l), partial};
    const size_t n = l->n_columns + 1, rows = column_rows(block->n);
    column_pad(block->weight, block->n, w.room.weight);
    column_pad_labels(block->label, block->n, w.room.label);
    memset(w.room.lanes, 0, lanes_len(l) * sizeof *w.room.lanes);
    for (size_t from = 0; from < rows; from += TILE_ROWS) {
        size_t chunk = rows - from < TILE_ROWS ? rows - from : TILE_ROWS;
        (l->n_outputs == 1 ? level.binary : level.classes)(&w, from, chunk);
        if (!l->hessian) continue;
        if (l->n_outputs == 1)
            tile_add(w.room.scaled, n, chunk, w.room.lanes);
        else
            chunk_pairs(&w, &level, from, chunk);
    }
    if (l->hessian)
        tile_sum(w.room.lanes, tile_entries(n) * pairs(l->n_outputs),
                 partial + 1 + loss_parameters(l));
}

void loss_merge(const struct loss *l, double *total, const double *partial)
{
    for (size_t i = 0; i < loss_len(l); i++)
        total[i] += partial[i];
}

double loss_hessian_at(const struct loss *l, const double *total, size_t k, size_t i, size_t m,
                       size_t j)
{
    const size_t n = l->n_columns + 1;
    size_t low = k < m ? k : m, high = k < m ? m : k, up = i < j ? i : j, down = i < j ? j : i;
    size_t pair = tile_at(l->n_outputs, low, high);
    double entry =
        total[1 + loss_parameters(l) + pair * tile_entries(n) + tile_at(n, up, down)];
    return low == high ? entry : -entry;
}
