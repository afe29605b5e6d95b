/* The bodies of describe_count.c, once per instruction level; no guard: see common/num/vec.h.
 */

/* Cells below each edge, and at or below the last. */
SIMD_LEVEL static void LEVELED(edges)(const struct describe_block *b, const double *edge,
                                      size_t n_edges, uint64_t *below, uint64_t *upto)
{
    for (size_t e = 0; e < n_edges; e++) {
        uint64_t count = 0;
        for (size_t i = 0; i < b->n; i++)
            count += (uint64_t)(b->value[i] < edge[e]) & b->mask[i];
        below[e] = count;
    }
    uint64_t count = 0;
    for (size_t i = 0; i < b->n; i++)
        count += (uint64_t)(b->value[i] <= edge[n_edges - 1]) & b->mask[i];
    *upto = count;
}

/* Cells as integers that order like them; INT64_MAX where one of two bytes is 0, for it does
 * not count. */
SIMD_LEVEL static void LEVELED(images)(const double *value, const uint8_t *a, const uint8_t *b,
                                       size_t n, int64_t *image)
{
    for (size_t i = 0; i < n; i++) {
        int64_t bits, gone = (int64_t)(a[i] & b[i]) - 1;
        memcpy(&bits, &value[i], sizeof bits);
        bits ^= (bits >> 63) & INT64_MAX;
        image[i] = (bits & ~gone) | (INT64_MAX & gone);
    }
}

/* The same where all cells count. */
SIMD_LEVEL static void LEVELED(images_all)(const double *value, size_t n, int64_t *image)
{
    for (size_t i = 0; i < n; i++) {
        int64_t bits;
        memcpy(&bits, &value[i], sizeof bits);
        image[i] = bits ^ ((bits >> 63) & INT64_MAX);
    }
}

SIMD_LEVEL static void LEVELED(count_below)(const int64_t *image, size_t n, int64_t bound,
                                            uint64_t *below)
{
    uint64_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += (uint64_t)(image[i] < bound);
    *below = count;
}

/* Cells at or below the bound, and the least above it. */
SIMD_LEVEL static void LEVELED(next_above)(const int64_t *image, size_t n, int64_t bound,
                                           uint64_t *upto, int64_t *next)
{
    uint64_t count = 0;
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < n; i++) {
        int64_t low = -(int64_t)(image[i] <= bound), x;
        /* at or below the bound: out of the way, as the greatest */
        x = (image[i] & ~low) | (INT64_MAX & low);
        count -= (uint64_t)low;
        int64_t less = -(int64_t)(x < least);
        least = (x & less) | (least & ~less);
    }
    *upto = count;
    *next = least;
}
