/* The first pass of a classifier: what standardising its columns needs (common/num/standard.h)
 * and the weight of each class. Labels are compared, never indexes. */
#ifndef COMMON_NUM_LOGISTIC_FIRST_H
#define COMMON_NUM_LOGISTIC_FIRST_H

#include "common/num/block.h"
#include "include/apex/status.h"

#include <stdbool.h>
#include <stddef.h>

/* total: standard_len(columns) + n_classes doubles, zeroed. sampled: the weight of every
 * stride-th block. APEX_E_USAGE: a block has no labels; APEX_E_MEMORY, APEX_E_LIMIT. Leaks: the
 * shapes. */
apex_status logistic_first(unsigned threads, const struct num_source *source, size_t n_classes,
                           size_t stride, double *total, double *sampled);

#endif
