#include "common/num/logistic_first.h"

#include "common/base/try.h"
#include "common/num/column.h"
#include "common/num/parallel.h"
#include "common/num/reduce.h"
#include "common/num/scratch.h"
#include "common/num/simd.h"
#include "common/num/standard.h"

struct first {
    const struct num_source *source;
    size_t n_classes, stride;
    struct scratch scratch;
    bool missing[PARALLEL_THREADS_MAX]; /* a block came without labels */
    size_t merged;                      /* blocks */
    double sampled;
};

COLUMN_INLINE void count_body(const double *weight, const uint32_t *label, size_t rows,
                              size_t n_classes, double *count)
{
    for (size_t k = 0; k < n_classes; k++)
        count[k] = column_class_sum(label, (uint32_t)k, weight, rows);
}
SIMD_512 static void count_512(const double *weight, const uint32_t *label, size_t rows,
                               size_t n_classes, double *count)
{
    count_body(weight, label, rows, n_classes, count);
}
SIMD_256 static void count_256(const double *weight, const uint32_t *label, size_t rows,
                               size_t n_classes, double *count)
{
    count_body(weight, label, rows, n_classes, count);
}
static void count_any(const double *weight, const uint32_t *label, size_t rows,
                      size_t n_classes, double *count)
{
    count_body(weight, label, rows, n_classes, count);
}

static void first_partial(void *context, size_t index, unsigned thread, void *partial)
{
    struct first *f = context;
    struct num_block block;
    double *weight = scratch_of(&f->scratch, thread);
    uint32_t *label = (uint32_t *)(void *)(weight + BLOCK_ROWS);
    f->source->block(f->source->context, index, thread, &block);
    standard_partial(&block, weight, partial);
    f->missing[thread] |= !block.label;
    if (!block.label) return;
    double *count = (double *)partial + standard_len(block.n_columns);
    const size_t rows = column_rows(block.n), k = f->n_classes;
    column_pad_labels(block.label, block.n, label);
    switch (simd_level()) {
    case SIMD_LEVEL_512: count_512(weight, label, rows, k, count); return;
    case SIMD_LEVEL_256: count_256(weight, label, rows, k, count); return;
    default: count_any(weight, label, rows, k, count);
    }
}

static void first_merge(void *context, void *total, const void *partial)
{
    struct first *f = context;
    const size_t d = f->source->n_columns, from = standard_len(d);
    double *sums = total;
    const double *more = partial;
    if (f->merged++ % f->stride == 0) f->sampled += more[0];
    standard_merge(d, sums, more);
    for (size_t k = 0; k < f->n_classes; k++)
        sums[from + k] += more[from + k];
}

apex_status logistic_first(unsigned threads, const struct num_source *source, size_t n_classes,
                           size_t stride, double *total, double *sampled)
{
    struct first f = {.source = source, .n_classes = n_classes, .stride = stride};
    const size_t len = standard_len(source->n_columns) + n_classes;
    TRY(scratch_new(threads, 2 * BLOCK_ROWS * sizeof(double), &f.scratch));
    const struct reduction r = {source->n_blocks, len * sizeof *total, first_partial,
                                first_merge, &f};
    apex_status status = reduce_blocks(f.scratch.threads, &r, total);
    scratch_free(&f.scratch);
    TRY(status);
    for (size_t t = 0; t < PARALLEL_THREADS_MAX; t++)
        if (f.missing[t]) return APEX_E_USAGE;
    *sampled = f.sampled;
    return APEX_OK;
}
