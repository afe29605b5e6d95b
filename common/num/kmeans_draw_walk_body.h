/* The walks of kmeans_draw_walk.h; included by kmeans_draw_walk.c once per instruction level.
 * All is computed in the order of kmeans_draw.c. */

/* Squared distances of VEC rows to a place. */
SIMD_LEVEL VEC_INLINE V LEVELED(draw_apart)(const struct draw_tree *t, const size_t d,
                                            size_t row, const double *place)
{
    V apart = VF(set)(0);
    for (size_t j = 0; j < d; j++) {
        V off = VF(sub)(VF(load_int)(t->rows.column[j] + row), VF(set)(place[j]));
        apart = VF(add)(apart, VF(mul)(off, off));
    }
    return apart;
}

SIMD_LEVEL VEC_INLINE V LEVELED(draw_share)(const struct draw_tree *t, size_t row, V apart)
{
    return t->weight ? VF(mul)(apart, VF(load)(t->weight + row)) : apart;
}

SIMD_LEVEL VEC_INLINE V LEVELED(draw_round)(V x, double by)
{
    return VF(sub)(VF(add)(x, VF(set)(by)), VF(set)(by));
}

/* Which of VEC nodes may have a row nearer to the place than to any centroid, as bits. */
SIMD_LEVEL VEC_INLINE unsigned LEVELED(draw_reached)(const struct draw_tree *t, const size_t d,
                                                     size_t level, size_t group,
                                                     const double *place)
{
    const int32_t *box = t->boxes.box[level] + group * d * 2 * VEC;
    V apart = VF(set)(0);
    for (size_t j = 0; j < d; j++) {
        V at = VF(set)(place[j]);
        V under = VF(sub)(VF(load_int)(box + 2 * j * VEC), at),
          over = VF(sub)(at, VF(load_int)(box + (2 * j + 1) * VEC));
        V off = VF(max)(VF(max)(under, over), VF(set)(0));
        apart = VF(add)(apart, VF(mul)(off, off));
    }
    return VF(bits)(VF(greater)(VF(load)(t->most[level] + group * VEC), apart));
}

/* By how much shares would shrink. */
SIMD_LEVEL VEC_INLINE double LEVELED(draw_try_leaf)(const struct draw_tree *t, const size_t d,
                                                    size_t leaf, const double *place)
{
    V left = VF(set)(0);
    for (size_t row = leaf * BOXES_LEAF; row < (leaf + 1) * BOXES_LEAF; row += VEC) {
        V share = LEVELED(draw_share)(t, row, LEVELED(draw_apart)(t, d, row, place));
        share = VF(min)(share, VF(load)(t->left + row));
        left = VF(add)(left, LEVELED(draw_round)(share, t->draw->rounder));
    }
    return t->leaf_sum[leaf] - VF(total)(left);
}

/* The share of a row, by its place in the order, is another. */
VEC_INLINE void LEVELED(draw_change)(struct draw_tree *t, size_t row, double share)
{
    struct kmeans_draw *draw = t->draw;
    size_t number = (uint32_t)t->rows.column[t->rows.d][row], lane = number % DRAW_LANES;
    double by = draw->rounder, change = ((share + by) - by) - ((t->left[row] + by) - by);
    t->left[row] = draw->left[number] = share;
    t->leaf_sum[row / BOXES_LEAF] += change;
    t->block_sum[number / DRAW_BLOCK * DRAW_LANES + lane] += change;
    draw->left_sum[lane] += change;
}

SIMD_LEVEL VEC_INLINE void LEVELED(draw_take_leaf)(struct draw_tree *t, const size_t d,
                                                   size_t leaf, const double *place)
{
    V most = VF(set)(0);
    for (size_t row = leaf * BOXES_LEAF; row < (leaf + 1) * BOXES_LEAF; row += VEC) {
        V apart = LEVELED(draw_apart)(t, d, row, place), near = VF(load)(t->near + row);
        unsigned nearer = VF(bits)(VF(greater)(near, apart));
        double share[VEC];
        near = VF(min)(apart, near);
        most = VF(max)(most, near);
        if (!nearer) continue;
        VF(store)(share, LEVELED(draw_share)(t, row, apart));
        if (t->weight) VF(store)(t->near + row, near);
        for (; nearer; nearer &= nearer - 1) {
            unsigned i = (unsigned)__builtin_ctz(nearer);
            LEVELED(draw_change)(t, row + i, share[i]);
        }
    }
    t->most[0][leaf] = VF(most)(most);
}

SIMD_LEVEL VEC_INLINE double LEVELED(draw_try_visit)(
    const struct draw_tree *t, const size_t d, size_t level, size_t group, const double *place,
    double (*visit)(const struct draw_tree *, size_t, size_t, const double *))
{
    double gain = 0;
    unsigned reached = LEVELED(draw_reached)(t, d, level, group, place);
    for (; reached; reached &= reached - 1) {
        size_t node = group * VEC + (unsigned)__builtin_ctz(reached);
        gain += level == 0 ? LEVELED(draw_try_leaf)(t, d, node, place)
                           : visit(t, level - 1, node, place);
    }
    return gain;
}

SIMD_LEVEL VEC_INLINE void LEVELED(draw_take_visit)(
    struct draw_tree *t, const size_t d, size_t level, size_t group, const double *place,
    void (*visit)(struct draw_tree *, size_t, size_t, const double *))
{
    unsigned reached = LEVELED(draw_reached)(t, d, level, group, place);
    for (; reached; reached &= reached - 1) {
        size_t node = group * VEC + (unsigned)__builtin_ctz(reached);
        if (level == 0) {
            LEVELED(draw_take_leaf)(t, d, node, place);
            continue;
        }
        visit(t, level - 1, node, place);
        t->most[level][node] = VF(most)(VF(load)(t->most[level - 1] + node * VEC));
    }
}

#define DRAW_VISITS(d)                                                                         \
    SIMD_LEVEL static double VEC_JOIN(draw_try_##d, LEVEL)(                                    \
        const struct draw_tree *t, size_t level, size_t group, const double *place)            \
    {                                                                                          \
        return LEVELED(draw_try_visit)(t, d, level, group, place,                              \
                                       VEC_JOIN(draw_try_##d, LEVEL));                         \
    }                                                                                          \
    SIMD_LEVEL static void VEC_JOIN(draw_take_##d, LEVEL)(struct draw_tree * t, size_t level,  \
                                                          size_t group, const double *place)   \
    {                                                                                          \
        LEVELED(draw_take_visit)(t, d, level, group, place, VEC_JOIN(draw_take_##d, LEVEL));   \
    }
DRAW_VISITS(1)
DRAW_VISITS(2)
DRAW_VISITS(3)
DRAW_VISITS(4)
#undef DRAW_VISITS

static double LEVELED(draw_try)(const struct draw_tree *t, const double *place)
{
    size_t d = t->rows.d;
    return (d == 1   ? LEVELED(draw_try_1)
            : d == 2 ? LEVELED(draw_try_2)
            : d == 3 ? LEVELED(draw_try_3)
                     : LEVELED(draw_try_4))(t, t->boxes.n_levels - 1, 0, place);
}

static void LEVELED(draw_take)(struct draw_tree *t, const double *place)
{
    size_t d = t->rows.d;
    (d == 1   ? LEVELED(draw_take_1)
     : d == 2 ? LEVELED(draw_take_2)
     : d == 3 ? LEVELED(draw_take_3)
              : LEVELED(draw_take_4))(t, t->boxes.n_levels - 1, 0, place);
}
