/* The walk of kmeans_tree.h; included by kmeans_filter.c once per instruction level. The
 * centroids that are left at a node are a list of their numbers, ascending, so that the lower
 * one wins a tie. VEC nodes beside each other are looked at together, one a lane. */

SIMD_LEVEL VEC_INLINE V LEVELED(score)(const struct kmeans_table *t, const size_t d, size_t c,
                                       const V *x)
{
    const double *coefficient = table_coefficient(t, d, c);
    V score = VF(set)(t->square[c]);
    for (size_t j = 0; j < d; j++)
        score = VF(fma)(x[j], VF(set)(coefficient[j * KMEANS_GROUP]), score);
    return score;
}

SIMD_LEVEL VEC_INLINE void LEVELED(row_add)(struct kmeans_filter *f, const size_t d, size_t row,
                                            size_t c)
{
    const struct order_rows *r = &f->tree->rows;
    int64_t weight = f->tree->weighted ? (int64_t)(uint32_t)r->column[d][row] : 1;
    for (size_t j = 0; j < d; j++)
        f->sums->sum[c * d + j] += (int64_t)r->column[j][row] * weight;
    f->sums->weight[c] += (uint64_t)weight;
    f->sums->rows[c]++;
}

enum { LEVELED(VECTORS) = BOXES_LEAF / VEC };

/* Rows of a whole leaf without weights, by the sums of all but the last candidate: in doubles,
 * which hold sums of 32 whole numbers below 2^34. */
SIMD_LEVEL VEC_INLINE void LEVELED(leaf_share)(struct kmeans_filter *f, const size_t d,
                                               size_t leaf, const uint16_t *list, size_t m,
                                               V x[ORDER_DIMS_MAX][LEVELED(VECTORS)],
                                               const V winner[LEVELED(VECTORS)])
{
    const double *centre = f->table->centre;
    int64_t left[ORDER_DIMS_MAX], left_rows = BOXES_LEAF;
    for (size_t j = 0; j < d; j++)
        left[j] = (int64_t)f->tree->sum[0][leaf * d + j];
    for (size_t i = 0; i + 1 < m; i++) {
        int rows = 0;
        V sum[ORDER_DIMS_MAX], here = VF(set)((double)i), none = VF(set)(0);
        for (size_t j = 0; j < d; j++)
            sum[j] = none;
        for (size_t v = 0; v < LEVELED(VECTORS); v++) {
            VM mine = VF(equal)(winner[v], here);
            rows += __builtin_popcount(VF(bits)(mine));
            for (size_t j = 0; j < d; j++)
                sum[j] = VF(add)(sum[j], VF(select)(mine, x[j][v], none));
        }
        for (size_t j = 0; j < d; j++) {
            int64_t whole = (int64_t)VF(total)(sum[j]) + (int64_t)centre[j] * rows;
            f->sums->sum[list[i] * d + j] += whole;
            left[j] -= whole;
        }
        f->sums->weight[list[i]] += (uint64_t)rows;
        f->sums->rows[list[i]] += (uint64_t)rows;
        left_rows -= rows;
    }
    for (size_t j = 0; j < d; j++)
        f->sums->sum[list[m - 1] * d + j] += left[j];
    f->sums->weight[list[m - 1]] += (uint64_t)left_rows;
    f->sums->rows[list[m - 1]] += (uint64_t)left_rows;
}

enum { LEVELED(FEW) = 6 }; /* candidates for which leaf_share is faster than row by row */

SIMD_LEVEL VEC_INLINE void LEVELED(leaf)(struct kmeans_filter *f, const size_t d, size_t leaf,
                                         const uint16_t *list, size_t m)
{
    const struct kmeans_tree *tree = f->tree;
    V x[ORDER_DIMS_MAX][LEVELED(VECTORS)], best[LEVELED(VECTORS)], winner[LEVELED(VECTORS)];
    for (size_t v = 0; v < LEVELED(VECTORS); v++) {
        for (size_t j = 0; j < d; j++)
            x[j][v] = VF(sub)(VF(load_int)(tree->rows.column[j] + leaf * BOXES_LEAF + v * VEC),
                              VF(set)(f->table->centre[j]));
        best[v] = VF(set)(INFINITY);
        winner[v] = VF(set)(0);
    }
    for (size_t i = 0; i < m; i++)
        for (size_t v = 0; v < LEVELED(VECTORS); v++) {
            V at[ORDER_DIMS_MAX];
            for (size_t j = 0; j < d; j++)
                at[j] = x[j][v];
            V score = LEVELED(score)(f->table, d, list[i], at);
            winner[v] = VF(select)(VF(greater)(best[v], score), VF(set)((double)i), winner[v]);
            best[v] = VF(min)(score, best[v]);
        }
    size_t rows = boxes_rows(&tree->boxes, 0, leaf);
    if (rows == BOXES_LEAF && !tree->weighted && m <= LEVELED(FEW)) {
        LEVELED(leaf_share)(f, d, leaf, list, m, x, winner);
        return;
    }
    double number[BOXES_LEAF];
    for (size_t v = 0; v < LEVELED(VECTORS); v++)
        VF(store)(number + v * VEC, winner[v]);
    for (size_t i = 0; i < rows; i++)
        LEVELED(row_add)(f, d, leaf * BOXES_LEAF + i, list[(size_t)number[i]]);
}

/* A node all of whose rows are c's. */
SIMD_LEVEL VEC_INLINE void LEVELED(node_add)(struct kmeans_filter *f, const size_t d,
                                             size_t level, size_t node, size_t c)
{
    const struct kmeans_tree *t = f->tree;
    size_t rows = boxes_rows(&t->boxes, level, node);
    for (size_t j = 0; j < d; j++)
        f->sums->sum[c * d + j] += t->sum[level][node * d + j];
    f->sums->weight[c] += t->weighted ? t->weight[level][node] : rows;
    f->sums->rows[c] += rows;
}

/* The candidate best in the middle of each of VEC boxes. */
struct LEVELED(leader) {
    V number, square, coefficient[ORDER_DIMS_MAX];
};

SIMD_LEVEL VEC_INLINE struct LEVELED(leader)
    LEVELED(leaders)(const struct kmeans_table *t, const size_t d, const uint16_t *list,
                     size_t m, const V *low, const V *high)
{
    struct LEVELED(leader) leader = {0};
    V middle[ORDER_DIMS_MAX], best = VF(set)(INFINITY);
    for (size_t j = 0; j < d; j++)
        middle[j] = VF(mul)(VF(add)(low[j], high[j]), VF(set)(0.5));
    for (size_t i = 0; i < m; i++) {
        const double *coefficient = table_coefficient(t, d, list[i]);
        V score = LEVELED(score)(t, d, list[i], middle);
        VM less = VF(greater)(best, score);
        best = VF(min)(score, best);
        leader.number = VF(select)(less, VF(set)(list[i]), leader.number);
        leader.square = VF(select)(less, VF(set)(t->square[list[i]]), leader.square);
        for (size_t j = 0; j < d; j++)
            leader.coefficient[j] =
                VF(select)(less, VF(set)(coefficient[j * KMEANS_GROUP]), leader.coefficient[j]);
    }
    return leader;
}

/* In which of VEC boxes a candidate may beat the leader somewhere, as bits. */
SIMD_LEVEL VEC_INLINE unsigned LEVELED(keeps)(const struct kmeans_filter *f, const size_t d,
                                              size_t c, const struct LEVELED(leader) * leader,
                                              const V *low, const V *high)
{
    const double *coefficient = table_coefficient(f->table, d, c);
    V behind = VF(sub)(VF(set)(f->table->square[c]), leader->square);
    for (size_t j = 0; j < d; j++) {
        V slope = VF(sub)(VF(set)(coefficient[j * KMEANS_GROUP]), leader->coefficient[j]);
        behind = VF(add)(behind, VF(min)(VF(mul)(low[j], slope), VF(mul)(high[j], slope)));
    }
    return ~VF(bits)(VF(greater)(behind, VF(set)(f->doubt))) & ((1u << VEC) - 1);
}

/* In which of VEC boxes each candidate is kept; number: the best one in the middle of each.
 * Returns the boxes that keep several, as bits. */
SIMD_LEVEL VEC_INLINE unsigned LEVELED(split)(const struct kmeans_filter *f, const size_t d,
                                              const uint16_t *list, size_t m, const V *low,
                                              const V *high, uint8_t *keep, double *number)
{
    unsigned once = 0, many = 0;
    struct LEVELED(leader) leader = LEVELED(leaders)(f->table, d, list, m, low, high);
    for (size_t i = 0; i < m; i++) {
        unsigned bits = LEVELED(keeps)(f, d, list[i], &leader, low, high);
        keep[i] = (uint8_t)bits;
        many |= once & bits;
        once |= bits;
    }
    VF(store)(number, leader.number);
    return many;
}

/* VEC nodes, all of which have the candidates of `list`. */
SIMD_LEVEL VEC_INLINE void LEVELED(visit)(struct kmeans_filter *f, const size_t d, size_t level,
                                          size_t group, const uint16_t *list, size_t m)
{
    const struct boxes *boxes = &f->tree->boxes;
    const int32_t *box = boxes->box[level] + group * d * 2 * VEC;
    uint16_t *kept = f->list + level * (f->tree->k + 1);
    uint8_t *keep = f->keep + level * (f->tree->k + 1);
    V low[ORDER_DIMS_MAX], high[ORDER_DIMS_MAX];
    for (size_t j = 0; j < d; j++) {
        V centre = VF(set)(f->table->centre[j]);
        low[j] = VF(sub)(VF(load_int)(box + 2 * j * VEC), centre);
        high[j] = VF(sub)(VF(load_int)(box + (2 * j + 1) * VEC), centre);
    }
    double number[VEC];
    unsigned many = LEVELED(split)(f, d, list, m, low, high, keep, number);
    size_t first = group * VEC, n = boxes_group(boxes, level, group);
    for (unsigned child = 0; child < n; child++) {
        if (!(many >> child & 1)) {
            LEVELED(node_add)(f, d, level, first + child, (size_t)number[child]);
            continue;
        }
        size_t n_kept = filter_kept(keep, list, m, child, kept);
        if (level == 0)
            LEVELED(leaf)(f, d, first + child, kept, n_kept);
        else
            f->visit(f, level - 1, first + child, kept, n_kept);
    }
}

#define FILTER_VISIT(d)                                                                        \
    SIMD_LEVEL static void VEC_JOIN(visit_##d, LEVEL)(                                         \
        struct kmeans_filter * f, size_t level, size_t group, const uint16_t *list, size_t m)  \
    {                                                                                          \
        LEVELED(visit)(f, d, level, group, list, m);                                           \
    }
FILTER_VISIT(1)
FILTER_VISIT(2)
FILTER_VISIT(3)
FILTER_VISIT(4)
#undef FILTER_VISIT

static void LEVELED(filter_choose)(struct kmeans_filter *f, size_t d)
{
    f->visit = d == 1   ? LEVELED(visit_1)
               : d == 2 ? LEVELED(visit_2)
               : d == 3 ? LEVELED(visit_3)
                        : LEVELED(visit_4);
}

SIMD_LEVEL static unsigned LEVELED(filter_boxes)(const struct kmeans_filter *f, size_t d,
                                                 const uint16_t *list, size_t m,
                                                 const double (*low)[VEC],
                                                 const double (*high)[VEC], uint8_t *keep,
                                                 double *number)
{
    V l[ORDER_DIMS_MAX], h[ORDER_DIMS_MAX];
    for (size_t j = 0; j < d; j++) {
        V centre = VF(set)(f->table->centre[j]);
        l[j] = VF(sub)(VF(load)(low[j]), centre);
        h[j] = VF(sub)(VF(load)(high[j]), centre);
    }
    return d == 1   ? LEVELED(split)(f, 1, list, m, l, h, keep, number)
           : d == 2 ? LEVELED(split)(f, 2, list, m, l, h, keep, number)
           : d == 3 ? LEVELED(split)(f, 3, list, m, l, h, keep, number)
                    : LEVELED(split)(f, 4, list, m, l, h, keep, number);
}
