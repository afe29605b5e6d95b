#include "common/num/block.h"

#include "common/base/size.h"
#include "common/num/parallel.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGNED = 64, BLOCK_BYTES = BLOCK_ROWS * sizeof(double) };

/* What one thread lends for its block: a room per column, then weight, target, label. */
struct lent {
    const double **column;
    uint8_t *room; /* made when first needed */
};
struct source {
    struct num_arrays arrays;
    double *ones;
    const double **columns; /* n_columns per thread */
    struct lent lent[PARALLEL_THREADS_MAX];
    uint8_t *rooms;
};

/* Rows from..from+n of an array, or a copy with zeros behind it where a kernel could not read
 * a whole block in place. */
static const void *rows_at(const void *array, size_t width, size_t from, size_t n,
                           uint8_t *room)
{
    const uint8_t *rows = (const uint8_t *)array + from * width;
    if (n == BLOCK_ROWS && (uintptr_t)rows % ALIGNED == 0) return rows;
    memcpy(room, rows, n * width);
    memset(room + n * width, 0, (BLOCK_ROWS - n) * width);
    return room;
}

static void source_block(void *context, size_t index, unsigned thread, struct num_block *out)
{
    const struct source *s = context;
    const struct num_arrays *a = &s->arrays;
    const struct lent *lent = &s->lent[thread];
    size_t from = index * BLOCK_ROWS, left = a->n_rows - from, d = a->n_columns;
    size_t n = left < BLOCK_ROWS ? left : BLOCK_ROWS;
    uint8_t *room = lent->room;
    for (size_t j = 0; j < d; j++)
        lent->column[j] =
            rows_at(a->column[j], sizeof(double), from, n, room + j * BLOCK_BYTES);
    *out =
        (struct num_block){.n = n, .n_columns = d, .column = lent->column, .weight = s->ones};
    room += d * BLOCK_BYTES;
    if (a->weight) out->weight = rows_at(a->weight, sizeof(double), from, n, room);
    room += BLOCK_BYTES;
    if (a->target) out->target = rows_at(a->target, sizeof(double), from, n, room);
    room += BLOCK_BYTES;
    if (a->label) out->label = rows_at(a->label, sizeof(uint32_t), from, n, room);
}

static void source_free(struct source *s)
{
    if (!s) return;
    free(s->ones);
    free(s->columns);
    free(s->rooms);
    free(s);
}

static apex_status source_new(const struct num_arrays *a, struct source **source)
{
    size_t rooms, columns;
    if (!size_add(a->n_columns, 3, &rooms) || !size_mul(rooms, BLOCK_BYTES, &rooms) ||
        !size_mul(rooms, PARALLEL_THREADS_MAX, &rooms) ||
        !size_mul(a->n_columns, PARALLEL_THREADS_MAX, &columns) ||
        !size_mul(columns, sizeof(double *), &columns))
        return APEX_E_LIMIT;
    struct source *s = calloc(1, sizeof *s);
    if (!s) return APEX_E_MEMORY;
    s->arrays = *a;
    s->ones = aligned_alloc(ALIGNED, BLOCK_BYTES);
    s->columns = malloc(columns ? columns : 1);
    s->rooms = aligned_alloc(ALIGNED, rooms); /* touched only where blocks are copied */
    if (!s->ones || !s->columns || !s->rooms) {
        source_free(s);
        return APEX_E_MEMORY;
    }
    for (size_t r = 0; r < BLOCK_ROWS; r++)
        s->ones[r] = 1;
    for (size_t t = 0; t < PARALLEL_THREADS_MAX; t++)
        s->lent[t] = (struct lent){s->columns + t * a->n_columns,
                                   s->rooms + t * (rooms / PARALLEL_THREADS_MAX)};
    *source = s;
    return APEX_OK;
}

apex_status num_source_of_arrays(const struct num_arrays *arrays, struct num_source *source)
{
    struct source *s = NULL;
    apex_status status = source_new(arrays, &s);
    if (status != APEX_OK) return status;
    *source = (struct num_source){
        .n_rows = arrays->n_rows,
        .n_columns = arrays->n_columns,
        .n_blocks = arrays->n_rows / BLOCK_ROWS + (arrays->n_rows % BLOCK_ROWS != 0),
        .block = source_block,
        .context = s,
    };
    return APEX_OK;
}

void num_source_of_arrays_free(struct num_source *source)
{
    source_free(source->context);
    *source = (struct num_source){0};
}
