#include "common/num/kmeans_boxes.h"

#include "common/base/size.h"
#include "common/base/try.h"
#include "common/num/parallel.h"
#include "common/num/room.h"

#include <stdlib.h>
#include <string.h>

enum { WORK_NODES = 1024 }; /* one piece of work */

void *boxes_room(size_t count, size_t size)
{
    size_t bytes;
    if (!size_mul(count, size, &bytes)) return NULL;
    void *p = num_room(bytes);
    if (p) memset(p, 0, bytes);
    return p;
}

struct each {
    const struct boxes *boxes;
    size_t level;
    void (*work)(void *context, size_t level, size_t node);
    void *context;
};

static void nodes_work(void *context, size_t block, unsigned thread)
{
    const struct each *e = context;
    size_t n = e->boxes->n[e->level], end = (block + 1) * WORK_NODES;
    (void)thread;
    for (size_t node = block * WORK_NODES; node < n && node < end; node++)
        e->work(e->context, e->level, node);
}

void boxes_each(const struct boxes *b, unsigned threads,
                void (*work)(void *context, size_t level, size_t node), void *context)
{
    for (size_t level = 0; level < b->n_levels; level++) {
        struct each e = {b, level, work, context};
        parallel_blocks(threads, (b->n[level] + WORK_NODES - 1) / WORK_NODES, nodes_work, &e);
    }
}

struct fill {
    const struct order_rows *rows;
    struct boxes *boxes;
};

/* The bounds of n numbers' lows and highs. */
static void bounds_put(const int32_t *lows, const int32_t *highs, size_t n, int32_t *at)
{
    int32_t low = lows[0], high = highs[0];
    for (size_t i = 0; i < n; i++) {
        low = lows[i] < low ? lows[i] : low;
        high = highs[i] > high ? highs[i] : high;
    }
    at[0] = low;
    at[BOXES_FAN] = high;
}

static void node_fill(void *context, size_t level, size_t node)
{
    const struct fill *f = context;
    const struct boxes *b = f->boxes;
    for (size_t j = 0; j < b->d; j++) {
        int32_t *at = boxes_at(b, level, node, j);
        if (level == 0) {
            const int32_t *x = f->rows->column[j] + node * BOXES_LEAF;
            bounds_put(x, x, boxes_rows(b, 0, node), at);
            continue;
        }
        const int32_t *below = boxes_at(b, level - 1, node * BOXES_FAN, j);
        bounds_put(below, below + BOXES_FAN, boxes_group(b, level - 1, node), at);
    }
}

apex_status boxes_open(const struct order_rows *rows, unsigned threads, struct boxes *b)
{
    size_t n = (rows->n + BOXES_LEAF - 1) / BOXES_LEAF;
    *b = (struct boxes){.d = rows->d, .n_rows = rows->n};
    while (n > 0) {
        size_t level = b->n_levels++, groups = (n + BOXES_FAN - 1) / BOXES_FAN;
        b->n[level] = n;
        b->box[level] = boxes_room(groups * b->d * 2 * BOXES_FAN, sizeof *b->box[level]);
        if (!b->box[level]) return APEX_E_MEMORY;
        n = groups > 1 ? groups : 0;
    }
    boxes_each(b, threads, node_fill, &(struct fill){rows, b});
    return APEX_OK;
}

void boxes_close(struct boxes *b)
{
    for (size_t level = 0; level < b->n_levels; level++)
        free(b->box[level]);
    *b = (struct boxes){0};
}
