/* Bounding boxes over ordered rows: leaves of BOXES_LEAF rows, and BOXES_FAN nodes beside each
 * other make one of the next level, up to a level of at most BOXES_FAN. Leaks: rows. */
#ifndef COMMON_NUM_KMEANS_BOXES_H
#define COMMON_NUM_KMEANS_BOXES_H

#include "common/num/kmeans_order.h"

enum { BOXES_LEAF = 32, BOXES_FAN = 8, BOXES_LEVELS_MAX = 10 }; /* 32 x 8^9 > 2^32 */

struct boxes {
    size_t d, n_rows, n_levels;     /* no level without rows */
    size_t n[BOXES_LEVELS_MAX];     /* nodes of a level, the leaves' first */
    int32_t *box[BOXES_LEVELS_MAX]; /* per BOXES_FAN nodes: d x {low, high} x BOXES_FAN */
};
/* APEX_E_MEMORY. */
apex_status boxes_open(const struct order_rows *rows, unsigned threads, struct boxes *boxes);
void boxes_close(struct boxes *boxes);
/* Calls work(context, level, node, thread) for every node of every level, leaves first. */
void boxes_each(const struct boxes *boxes, unsigned threads,
                void (*work)(void *context, size_t level, size_t node), void *context);

/* The lower bound of a node's coordinate j; the upper one lies BOXES_FAN further on. */
static inline int32_t *boxes_at(const struct boxes *b, size_t level, size_t node, size_t j)
{
    return b->box[level] + (node / BOXES_FAN * b->d + j) * 2 * BOXES_FAN + node % BOXES_FAN;
}
/* How many rows a node has; the first is the node's number times as many as a full one has. */
static inline size_t boxes_rows(const struct boxes *b, size_t level, size_t node)
{
    size_t rows = (size_t)BOXES_LEAF << 3 * level, first = node * rows;
    return b->n_rows - first < rows ? b->n_rows - first : rows;
}
/* How many nodes there are of a group of BOXES_FAN. */
static inline size_t boxes_group(const struct boxes *b, size_t level, size_t group)
{
    size_t first = group * BOXES_FAN;
    return b->n[level] - first < BOXES_FAN ? b->n[level] - first : BOXES_FAN;
}
static inline size_t boxes_groups(const struct boxes *b, size_t level)
{
    return (b->n[level] + BOXES_FAN - 1) / BOXES_FAN;
}
/* 64-byte aligned zeros; NULL: no memory. */
void *boxes_room(size_t count, size_t size);

#endif
