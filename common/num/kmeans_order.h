/* Rows in the order of a Hilbert curve, so that rows near each other in memory are near each
 * other in space: what kmeans_tree.c builds its boxes on.
 *
 * Radix passes from the top: a range of rows is cut into at most ORDER_CELLS cells of its
 * bounding box, which are taken along the curve, and each cell that holds more than `run` rows
 * is cut again within its own bounding box: far outliers cost a pass, not the order. Leaks:
 * rows, through addresses. Source: Skilling, Programming the Hilbert curve, AIP Conference
 * Proceedings 707, 2004. */
#ifndef COMMON_NUM_KMEANS_ORDER_H
#define COMMON_NUM_KMEANS_ORDER_H

#include "include/apex/status.h"

#include <stddef.h>
#include <stdint.h>

enum {
    ORDER_DIMS_MAX = 4,
    ORDER_COLUMNS_MAX = ORDER_DIMS_MAX + 1,
    ORDER_CELLS = 1024,
    ORDER_PAD = 64
};

/* Columns of n numbers each, 64-byte aligned, with zeros after them up to a multiple of
 * ORDER_PAD: d coordinates, then, with n_columns = d + 1, one that is carried along. */
struct order_rows {
    size_t n, d, n_columns;
    int32_t *column[ORDER_COLUMNS_MAX];
};
/* Room for n rows, n <= UINT32_MAX. APEX_E_MEMORY, APEX_E_LIMIT. */
apex_status order_rows_open(struct order_rows *rows, size_t n, size_t d, size_t n_columns);
void order_rows_close(struct order_rows *rows);
/* In place. Takes as much room again while it works, and 2 bytes a row. The order does not
 * depend on the number of threads. APEX_E_MEMORY. */
apex_status order_rows_sort(struct order_rows *rows, size_t run, unsigned threads);

#endif
