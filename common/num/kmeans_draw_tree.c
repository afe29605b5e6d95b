#include "common/num/kmeans_draw_tree.h"

#include "common/base/try.h"
#include "common/num/kmeans_draw_walk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows with a weight, ordered, carrying their numbers. */
static apex_status rows_take(struct draw_tree *t)
{
    const struct kmeans_draw *draw = t->draw;
    struct order_rows *rows = &t->rows;
    TRY(order_rows_open(rows, draw->n, draw->d, draw->d + 1));
    rows->n = 0;
    for (size_t i = 0; i < draw->n; i++) {
        if (draw->weight[i] <= 0) continue;
        for (size_t j = 0; j < draw->d; j++)
            rows->column[j][rows->n] = draw->x[j * draw->stride + i];
        rows->column[draw->d][rows->n++] = (int32_t)(uint32_t)i;
    }
    return order_rows_sort(rows, BOXES_LEAF, 1);
}

static size_t number_of(const struct draw_tree *t, size_t row)
{
    return (uint32_t)t->rows.column[t->rows.d][row];
}

static bool all_weigh_one(const struct draw_tree *t)
{
    bool one = true;
    for (size_t row = 0; row < t->rows.n; row++)
        one &= t->draw->weight[number_of(t, row)] == 1;
    return one;
}

static apex_status tree_open(struct draw_tree *t)
{
    TRY(rows_take(t));
    TRY(boxes_open(&t->rows, 1, &t->boxes));
    size_t n = boxes_groups(&t->boxes, 0) * BOXES_FAN * BOXES_LEAF;
    bool weighted = !all_weigh_one(t);
    t->n_blocks = t->draw->stride / DRAW_BLOCK + 1;
    t->left = boxes_room(n, sizeof *t->left);
    t->near = weighted ? boxes_room(n, sizeof *t->near) : t->left;
    t->leaf_sum = boxes_room(n / BOXES_LEAF, sizeof *t->leaf_sum);
    t->block_sum = boxes_room(t->n_blocks * DRAW_LANES, sizeof *t->block_sum);
    if (weighted) t->weight = boxes_room(n, sizeof *t->weight);
    bool whole = t->left && t->near && t->leaf_sum && t->block_sum && (!weighted || t->weight);
    for (size_t level = 0; level < t->boxes.n_levels; level++) {
        t->most[level] =
            boxes_room(boxes_groups(&t->boxes, level) * BOXES_FAN, sizeof *t->most[level]);
        whole &= t->most[level] != NULL;
    }
    for (size_t row = 0; whole && weighted && row < t->rows.n; row++)
        t->weight[row] = t->draw->weight[number_of(t, row)];
    return whole ? APEX_OK : APEX_E_MEMORY;
}

apex_status draw_tree_new(struct kmeans_draw *draw, struct draw_tree **tree)
{
    struct draw_tree *t = calloc(1, sizeof *t);
    if (!t) return APEX_E_MEMORY;
    t->draw = draw;
    apex_status s = tree_open(t);
    if (s == APEX_OK)
        *tree = t;
    else
        draw_tree_free(t);
    return s;
}

void draw_tree_free(struct draw_tree *t)
{
    if (!t) return;
    if (t->near != t->left) free(t->near);
    free(t->left);
    free(t->weight);
    free(t->leaf_sum);
    free(t->block_sum);
    for (size_t level = 0; level < t->boxes.n_levels; level++)
        free(t->most[level]);
    boxes_close(&t->boxes);
    order_rows_close(&t->rows);
    free(t);
}

/* Shares and distances of one centroid, which kmeans_draw_take has put into the draw. */
static void first_fill(struct draw_tree *t, const double *centroid)
{
    for (size_t row = 0; row < t->rows.n; row++) {
        double apart = 0;
        for (size_t j = 0; j < t->rows.d; j++) {
            double off = (double)t->rows.column[j][row] - centroid[j];
            apart += off * off;
        }
        t->near[row] = apart;
        t->left[row] = t->draw->left[number_of(t, row)];
    }
}

static void node_most(void *context, size_t level, size_t node)
{
    struct draw_tree *t = context;
    const double *of =
        level ? t->most[level - 1] + node * BOXES_FAN : t->near + node * BOXES_LEAF;
    double most = 0;
    for (size_t i = 0; i < (level ? BOXES_FAN : BOXES_LEAF); i++)
        most = of[i] > most ? of[i] : most;
    t->most[level][node] = most;
}

/* All sums, in the units the draw now has. */
static void sums_fill(struct draw_tree *t)
{
    struct kmeans_draw *draw = t->draw;
    double by = draw->rounder;
    memset(t->leaf_sum, 0, t->boxes.n[0] * sizeof *t->leaf_sum);
    memset(t->block_sum, 0, t->n_blocks * DRAW_LANES * sizeof *t->block_sum);
    memset(draw->left_sum, 0, sizeof draw->left_sum);
    for (size_t row = 0; row < t->rows.n; row++) {
        size_t number = number_of(t, row), lane = number % DRAW_LANES;
        double share = (t->left[row] + by) - by;
        t->leaf_sum[row / BOXES_LEAF] += share;
        t->block_sum[number / DRAW_BLOCK * DRAW_LANES + lane] += share;
        draw->left_sum[lane] += share;
    }
}

void draw_tree_take(struct draw_tree *t, const double *centroid, bool first)
{
    int64_t unit = t->draw->unit;
    if (first) {
        kmeans_draw_take(t->draw, centroid, true);
        first_fill(t, centroid);
        boxes_each(&t->boxes, 1, node_most, t);
        sums_fill(t);
        return;
    }
    kmeans_draw_unit(t->draw);
    if (t->draw->unit != unit) sums_fill(t);
    draw_walk_take(t, centroid);
}

void draw_tree_try(const struct draw_tree *t, const double *candidate, double left[2])
{
    double total = 0;
    for (size_t l = 0; l < DRAW_LANES; l++)
        total += t->draw->left_sum[l];
    for (size_t i = 0; i < 2; i++)
        left[i] = total - draw_walk_try(t, candidate + i * t->rows.d);
}

/* The row of a lane whose running sum first passes `aim`. */
static size_t lane_find(const struct draw_tree *t, size_t lane, double aim)
{
    const struct kmeans_draw *draw = t->draw;
    double run = 0, by = draw->rounder;
    size_t block = 0;
    for (; block + 1 < t->n_blocks && run + t->block_sum[block * DRAW_LANES + lane] <= aim;
         block++)
        run += t->block_sum[block * DRAW_LANES + lane];
    size_t row = block * DRAW_BLOCK + lane;
    for (; row + DRAW_LANES < draw->stride; row += DRAW_LANES) {
        run += (draw->left[row] + by) - by;
        if (run > aim) break;
    }
    return row;
}

void draw_tree_pair(const struct draw_tree *t, const double unit[2], double *candidate)
{
    const struct kmeans_draw *draw = t->draw;
    struct kmeans_aim aim;
    kmeans_draw_aim(draw, unit, &aim);
    if (aim.by_weight != 0) {
        kmeans_draw_pair(draw, unit, candidate);
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        size_t lane = 0;
        while (lane + 1 < DRAW_LANES && isinf(aim.at[i][lane]))
            lane++;
        size_t row = lane_find(t, lane, aim.at[i][lane]);
        for (size_t j = 0; j < draw->d; j++)
            candidate[i * draw->d + j] = (double)draw->x[j * draw->stride + row];
    }
}
