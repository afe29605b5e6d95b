#include "common/num/private_tree_cells.h"

#include "common/base/size.h"
#include "common/base/try.h"
#include "common/num/private_match.h"
#include "common/num/private_noise.h"

#include <math.h>
#include <stdlib.h>

enum { CELLS_DEFAULT = 4096 };

/* --- Counting --- */

/* The bits of x, d - 1 zeros between each two. */
static inline uint32_t spread(uint32_t x, unsigned d, unsigned bits)
{
    uint32_t y = 0;
    for (unsigned b = 0; b < bits; b++)
        y |= (x >> b & 1) << (d * b);
    return y;
}

void private_level_add(const void *level, const struct num_block *block, int64_t *values)
{
    const struct private_level *l = level;
    uint32_t codes[BLOCK_ROWS] = {0}, place[BLOCK_ROWS];
    for (size_t j = 0; j < l->options->d; j++) {
        private_bins(block->column[j], block->n, l->options->bounds[j], (uint32_t)1 << l->level,
                     place);
        for (size_t i = 0; i < block->n; i++)
            codes[i] |= spread(place[i], (unsigned)l->options->d, l->level) << j;
    }
    for (size_t i = 0; i < block->n; i++)
        codes[i] |= (uint32_t)private_counts_row(block->weight[i]) - 1;
    private_match(codes, block->n, l->codes, l->n_cells, values);
    wipe(codes, sizeof codes);
    wipe(place, sizeof place);
}

/* --- Growing --- */

/* The cells of the level in hand that are worth splitting: those that hold more rows than twice
 * the noise that their children will have together, the largest first when there are more than
 * may be counted; ties to the lower code. */
struct worth {
    double count;
    size_t at;
};

static int worth_order(const void *a, const void *b)
{
    const struct worth *x = a, *y = b;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

static int place_order(const void *a, const void *b)
{
    const struct worth *x = a, *y = b;
    return x->at < y->at ? -1 : x->at > y->at;
}

static size_t worth_list(const struct tree *t, double child_variance, struct worth *list)
{
    double least = 2 * sqrt(child_variance * (double)t->fan);
    size_t n = 0, most = t->cells_max / t->fan;
    for (size_t i = t->first; i < t->n; i++)
        if (t->cells[i].count > least) list[n++] = (struct worth){t->cells[i].count, i};
    qsort(list, n, sizeof *list, worth_order);
    n = n < most ? n : most;
    qsort(list, n, sizeof *list, place_order);
    return n;
}

/* Adds the children; the level in hand is theirs from here on. */
static void split(struct tree *t, const struct worth *list, size_t n, uint32_t *codes)
{
    size_t first = t->n;
    for (size_t i = 0; i < n; i++) {
        struct cell *parent = &t->cells[list[i].at];
        parent->child = (uint32_t)t->n;
        for (size_t c = 0; c < t->fan; c++) {
            uint32_t code = parent->code << t->d | (uint32_t)c;
            codes[t->n - first] = code;
            t->cells[t->n++] = (struct cell){.code = code};
        }
    }
    t->first = first;
}

static apex_status level_count(struct tree *t, const struct num_source *rows, unsigned level,
                               const uint32_t *codes, int64_t *values, uint64_t amount,
                               struct private_run *run, struct num_place *place)
{
    const size_t n = t->n - t->first;
    const struct private_level context = {t->options, level, n, codes};
    const struct private_summing summing = {.rows = rows,
                                            .threads = run->threads,
                                            .n_values = n,
                                            .add = private_level_add,
                                            .context = &context};
    struct private_statistic s = {.what = level ? "cells" : "number of rows",
                                  .values = values,
                                  .n = n,
                                  .l1 = 1,
                                  .l2_squared = 1};
    TRY(private_sum(&summing, values));
    TRY(private_release(&s, amount, run->budget, run->random, place));
    for (size_t i = 0; i < n; i++) {
        t->cells[t->first + i].count = (double)values[i];
        t->cells[t->first + i].variance = s.variance;
    }
    return APEX_OK;
}

static apex_status variance_of(const struct private_run *run, uint64_t amount, double *variance,
                               struct num_place *place)
{
    struct private_noise noise;
    if (run->budget->pure)
        TRY(private_noise_laplace(1, amount, &noise, place));
    else
        TRY(private_noise_gaussian(1, amount, &noise, place));
    *variance = noise.variance;
    return APEX_OK;
}

/* Level l's share of what is left for levels l .. depth, in weights 181^l : 128^l. */
static uint64_t level_amount(unsigned level, unsigned depth, uint64_t left)
{
    double weight = 1, all = 0;
    for (unsigned l = level; l <= depth; l++, weight *= 1.4140625)
        all += weight;
    return level == depth ? left : (uint64_t)((double)left / all);
}

/* So deep that a cell of evenly spread rows would hold as many rows as noise, and two levels
 * more, since rows are not spread evenly. */
static apex_status depth_choose(struct tree *t, uint64_t amount, const struct private_run *run,
                                struct num_place *place)
{
    double variance, cells = 1;
    unsigned depth = 0, most = PRIVATE_DEPTH_MAX[t->d];
    TRY(variance_of(run, amount / 3 > 0 ? amount / 3 : 1, &variance, place));
    while (depth < most && cells * sqrt(variance) < t->cells[0].count) {
        cells *= (double)t->fan;
        depth++;
    }
    depth = depth + 2 < most ? depth + 2 : most;
    t->depth = t->options->depth ? t->options->depth : depth;
    return APEX_OK;
}

/* Room for the lists of one level. */
struct lists {
    struct worth *worth;
    uint32_t *codes;
    int64_t *values;
};

static apex_status grow(struct tree *t, const struct num_source *rows, uint64_t amount,
                        struct private_run *run, struct lists *lists, struct num_place *place)
{
    const uint64_t root = amount / 16;
    lists->codes[0] = 0;
    t->cells[0] = (struct cell){.code = 0};
    t->n = 1;
    TRY(level_count(t, rows, 0, lists->codes, lists->values, root, run, place));
    TRY(depth_choose(t, amount - root, run, place));
    amount -= root;
    unsigned levels = t->depth;
    t->depth = 0;
    for (unsigned level = 1; level <= levels; level++) {
        double variance;
        uint64_t part = level_amount(level, levels, amount);
        TRY(variance_of(run, part, &variance, place));
        size_t n = worth_list(t, variance, lists->worth);
        if (n == 0) break;
        split(t, lists->worth, n, lists->codes);
        TRY(level_count(t, rows, level, lists->codes, lists->values, part, run, place));
        amount -= part;
        t->depth = level;
    }
    return APEX_OK;
}

static apex_status fit_in(struct tree *t, const struct num_source *rows, uint64_t amount,
                          struct private_run *run, struct private_points *points,
                          struct num_place *place)
{
    struct lists lists = {malloc(t->cells_max * sizeof *lists.worth),
                          malloc(t->cells_max * sizeof *lists.codes),
                          malloc(t->cells_max * sizeof *lists.values)};
    apex_status status = APEX_E_MEMORY;
    if (lists.worth && lists.codes && lists.values)
        status = grow(t, rows, amount, run, &lists, place);
    free(lists.worth);
    free(lists.codes);
    if (lists.values) wipe(lists.values, t->cells_max * sizeof *lists.values);
    free(lists.values);
    if (status != APEX_OK) return status;
    tree_settle(t);
    return tree_points(t, points);
}

static apex_status options_check(const struct num_source *rows,
                                 const struct private_tree_options *o, struct num_place *place)
{
    size_t d = o->d, cells = o->cells_max;
    if ((d != 2 && d != 3) || d > rows->n_columns)
        return private_refuse(place, NUM_OPTION, 0, APEX_E_USAGE);
    if (o->depth > PRIVATE_DEPTH_MAX[d])
        return private_refuse(place, NUM_OPTION, 1, APEX_E_USAGE);
    if (cells != 0 && (cells < (size_t)1 << d || cells > PRIVATE_CELLS_MAX))
        return private_refuse(place, NUM_OPTION, 2, APEX_E_USAGE);
    return private_bounds_check(o->bounds, d, place);
}

apex_status private_tree_fit(const struct num_source *rows,
                             const struct private_tree_options *options, uint64_t amount,
                             struct private_run *run, struct private_points **points,
                             struct num_place *place)
{
    TRY(options_check(rows, options, place));
    struct tree t = {.options = options,
                     .d = options->d,
                     .fan = (size_t)1 << options->d,
                     .cells_max = options->cells_max ? options->cells_max : CELLS_DEFAULT};
    t.room = 1 + t.cells_max * PRIVATE_DEPTH_MAX[t.d];
    t.cells = calloc(t.room, sizeof *t.cells);
    struct private_points *made = calloc(1, sizeof *made);
    apex_status status =
        t.cells && made ? fit_in(&t, rows, amount, run, made, place) : APEX_E_MEMORY;
    free(t.cells);
    if (status == APEX_OK)
        *points = made;
    else
        private_points_free(made);
    return status;
}
