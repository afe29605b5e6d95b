/* One pass of logistic or softmax regression over the rows: log-loss, gradient and Hessian at
 * given parameters; common/num/logistic.h drives it.
 *
 * One output (two classes): z_1 is the log-odds of class seen[1] against seen[0]. Otherwise an
 * output per seen class, probabilities e^z_k / sum e^z_l. z_k = parameter_k0 + sum_j
 * parameter_kj (x_j - mean_j) inverse_j; the outputs' parameters lie one after the other, d + 1
 * each. A partial or total holds loss_len() doubles: the summed loss, the gradient, and with
 * `hessian` for each pair of outputs k <= l the upper triangle of sum of c z z' as tile_at
 * counts, c = w p_k (1 - p_k) or w p_k p_l. Labels are compared, never indexes. Leaks: the
 * shapes, `seen`. */
#ifndef COMMON_NUM_LOGISTIC_PASS_H
#define COMMON_NUM_LOGISTIC_PASS_H

#include "common/num/block.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loss {
    size_t n_columns, n_outputs;
    const uint32_t *seen; /* class per output; two with one output */
    const double *mean, *inverse;
    const double *parameter;
    bool hessian;
};
static inline size_t loss_parameters(const struct loss *loss)
{
    return loss->n_outputs * (loss->n_columns + 1);
}
size_t loss_len(const struct loss *loss);
/* Bytes of scratch of one thread, 64-byte aligned. */
size_t loss_room(const struct loss *loss);
void loss_partial(const struct loss *loss, const struct num_block *block, void *room,
                  double *partial);
void loss_merge(const struct loss *loss, double *total, const double *partial);
/* The entry of the Hessian at parameters (k, i) and (l, j). */
double loss_hessian_at(const struct loss *loss, const double *total, size_t k, size_t i,
                       size_t l, size_t j);

#endif
