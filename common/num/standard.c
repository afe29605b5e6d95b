#include "common/num/standard.h"

#include "common/base/size.h"
#include "common/base/try.h"
#include "common/base/wipe.h"
#include "common/num/column.h"
#include "common/num/exact.h"
#include "common/num/exact_inline.h"
#include "common/num/leak.h"
#include "common/num/reduce.h"
#include "common/num/refuse.h"
#include "common/num/scratch.h"
#include "common/num/simd.h"

#include <float.h>
#include <stdbool.h>
#include <stdlib.h>

/* How many units in the last place of its mean a constant column may stray by rounding. */
#define CONSTANT_ULPS 16.0

static double inverse_or_0(double x)
{
    uint64_t there = exact_mask(x > 0.0);
    return exact_select(there, 1.0 / exact_select(there, x, 1.0), 0.0);
}

COLUMN_INLINE void partial_body(const struct num_block *b, const double *weight, double total,
                                double *partial)
{
    const size_t d = b->n_columns, rows = column_rows(b->n);
    const double inverse = inverse_or_0(total);
    partial[0] = total;
    for (size_t j = 0; j < d; j++) {
        double sums[2], mean = column_dot(b->column[j], weight, rows) * inverse;
        column_moments(b->column[j], weight, mean, rows, sums);
        partial[1 + j] = mean + sums[0] * inverse;
        partial[1 + d + j] = sums[1] - sums[0] * (sums[0] * inverse);
    }
}

SIMD_512 static void partial_512(const struct num_block *b, const double *weight, double total,
                                 double *partial)
{
    partial_body(b, weight, total, partial);
}
SIMD_256 static void partial_256(const struct num_block *b, const double *weight, double total,
                                 double *partial)
{
    partial_body(b, weight, total, partial);
}
static void partial_any(const struct num_block *b, const double *weight, double total,
                        double *partial)
{
    partial_body(b, weight, total, partial);
}

void standard_partial(const struct num_block *block, double *scratch, double *partial)
{
    column_pad(block->weight, block->n, scratch);
    double total = column_sum(scratch, column_rows(block->n));
    switch (simd_level()) {
    case SIMD_LEVEL_512: partial_512(block, scratch, total, partial); break;
    case SIMD_LEVEL_256: partial_256(block, scratch, total, partial); break;
    default: partial_any(block, scratch, total, partial);
    }
}

void standard_merge(size_t d, double *total, const double *partial)
{
    double inverse = inverse_or_0(total[0] + partial[0]), share = partial[0] * inverse;
    double both = total[0] * share;
    for (size_t j = 0; j < d; j++) {
        double apart = partial[1 + j] - total[1 + j];
        total[1 + j] += share * apart;
        total[1 + d + j] += partial[1 + d + j] + both * (apart * apart);
    }
    total[0] += partial[0];
}

static double deviation(double squares, double weight)
{
    return exact_sqrt(exact_select(exact_mask(squares > 0.0), squares, 0.0) *
                      inverse_or_0(weight));
}

uint64_t standard_varies(double mean, double squares, double weight)
{
    double noise = CONSTANT_ULPS * DBL_EPSILON * exact_abs(mean);
    return exact_mask(deviation(squares, weight) > noise);
}

double standard_deviation(double mean, double squares, double weight)
{
    return exact_select(standard_varies(mean, squares, weight), deviation(squares, weight),
                        1.0);
}

apex_status standard_finish(size_t d, const double *total, double *mean, double *sd,
                            struct num_place *place)
{
    bool rows = total[0] > 0;
    size_t sound = 0;
    for (size_t j = 0; j < d; j++) {
        double m = total[1 + j], squares = total[1 + d + j];
        sound +=
            (size_t)((exact_abs(m) < DBL_MAX / 4) & (squares < DBL_MAX / 4) & (sound == j));
        mean[j] = m;
        sd[j] = standard_deviation(m, squares, total[0]);
    }
    num_leak(&rows, sizeof rows);
    num_leak(&sound, sizeof sound);
    if (!rows) return refuse(place, NUM_NO_ROWS, 0);
    return sound < d ? refuse(place, NUM_RANGE, sound) : APEX_OK;
}

struct pass {
    const struct num_source *source;
    struct scratch scratch;
};

static void pass_partial(void *context, size_t index, unsigned thread, void *partial)
{
    const struct pass *p = context;
    struct num_block block;
    p->source->block(p->source->context, index, thread, &block);
    standard_partial(&block, scratch_of(&p->scratch, thread), partial);
}

static void pass_merge(void *context, void *total, const void *partial)
{
    const struct pass *p = context;
    standard_merge(p->source->n_columns, total, partial);
}

static apex_status pass_run(unsigned threads, const struct num_source *source, double *total)
{
    struct pass p = {.source = source};
    TRY(scratch_new(threads, BLOCK_ROWS * sizeof(double), &p.scratch));
    const struct reduction r = {source->n_blocks,
                                standard_len(source->n_columns) * sizeof *total, pass_partial,
                                pass_merge, &p};
    apex_status status = reduce_blocks(p.scratch.threads, &r, total);
    scratch_free(&p.scratch);
    return status;
}

apex_status standard_fit(unsigned threads, const struct num_source *source, double *mean,
                         double *sd, struct num_place *place)
{
    size_t d = source->n_columns;
    if (d == 0) return APEX_E_USAGE;
    if (d > SIZE_MAX / 64) return APEX_E_LIMIT;
    double *total = calloc(standard_len(d), sizeof *total);
    if (!total) return APEX_E_MEMORY;
    apex_status status = pass_run(threads, source, total);
    if (status == APEX_OK) status = standard_finish(d, total, mean, sd, place);
    wipe(total, standard_len(d) * sizeof *total);
    free(total);
    return status;
}
