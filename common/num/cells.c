#include "common/num/cells.h"

#include "common/num/block.h"
#include "common/num/simd.h"

#define INLINE static inline __attribute__((always_inline))

enum { NOWHERE = UINT32_MAX, LABELS_AT_ONCE = 8 };

/* Labels of the rows that count; NOWHERE for others. 0 - (bool) is a mask of all bits. */
INLINE void choose_body(const struct cells_rows *rows, size_t first, size_t n,
                        uint32_t *restrict chosen)
{
    for (size_t i = 0; i < n; i++)
        chosen[i] = rows->label[first + i];
    if (rows->weight)
        for (size_t i = 0; i < n; i++)
            chosen[i] |= 0u - (uint32_t) !(rows->weight[first + i] > 0);
    if (rows->mask)
        for (size_t i = 0; i < n; i++)
            chosen[i] |= 0u - (uint32_t)(rows->mask[first + i] == 0);
}

/* Eight labels at once: each row is loaded once for them. */
INLINE void count_eight_body(const uint32_t *restrict chosen, size_t n, uint32_t label,
                             uint32_t *restrict found)
{
    uint32_t a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t x = chosen[i];
        a += x == label;
        b += x == label + 1;
        c += x == label + 2;
        d += x == label + 3;
        e += x == label + 4;
        f += x == label + 5;
        g += x == label + 6;
        h += x == label + 7;
    }
    found[0] = a, found[1] = b, found[2] = c, found[3] = d;
    found[4] = e, found[5] = f, found[6] = g, found[7] = h;
}

/* Rows of one party, at most BLOCK_ROWS. */
INLINE void count_body(const struct cells_rows *rows, size_t first, size_t n, size_t n_labels,
                       size_t n_parties, uint64_t *counts)
{
    uint32_t chosen[BLOCK_ROWS], found[LABELS_AT_ONCE];
    choose_body(rows, first, n, chosen);
    for (size_t label = 0; label < n_labels; label += LABELS_AT_ONCE) {
        count_eight_body(chosen, n, (uint32_t)label, found);
        for (size_t k = 0; k < LABELS_AT_ONCE && label + k < n_labels; k++)
            counts[(label + k) * n_parties] += found[k];
    }
}

SIMD_512 static void count_512(const struct cells_rows *rows, size_t first, size_t n,
                               size_t n_labels, size_t n_parties, uint64_t *counts)
{
    count_body(rows, first, n, n_labels, n_parties, counts);
}

SIMD_256 static void count_256(const struct cells_rows *rows, size_t first, size_t n,
                               size_t n_labels, size_t n_parties, uint64_t *counts)
{
    count_body(rows, first, n, n_labels, n_parties, counts);
}

static void count_any(const struct cells_rows *rows, size_t first, size_t n, size_t n_labels,
                      size_t n_parties, uint64_t *counts)
{
    count_body(rows, first, n, n_labels, n_parties, counts);
}

void cells_count(const struct cells_rows *rows, size_t n_labels, size_t n_parties,
                 uint64_t *counts)
{
    static void (*const count[])(const struct cells_rows *, size_t, size_t, size_t, size_t,
                                 uint64_t *) = {count_any, count_256, count_512};
    enum simd_level level = simd_level();
    for (size_t first = 0, n; first < rows->n; first += n) {
        size_t party = rows->party ? rows->party[first] : 0;
        for (n = 1; first + n < rows->n && n < BLOCK_ROWS; n++)
            if (rows->party && rows->party[first + n] != party) break;
        count[level](rows, first, n, n_labels, n_parties, counts + party);
    }
}

INLINE void pair_body(const uint32_t *first, uint32_t n_first, const uint32_t *second,
                      uint32_t n_second, size_t n, uint32_t *restrict pair)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t outside = (uint32_t)(first[i] >= n_first) | (uint32_t)(second[i] >= n_second);
        pair[i] = (first[i] * n_second + second[i]) | (0u - outside);
    }
}

SIMD_512 static void pair_512(const uint32_t *a, uint32_t na, const uint32_t *b, uint32_t nb,
                              size_t n, uint32_t *pair)
{
    pair_body(a, na, b, nb, n, pair);
}

SIMD_256 static void pair_256(const uint32_t *a, uint32_t na, const uint32_t *b, uint32_t nb,
                              size_t n, uint32_t *pair)
{
    pair_body(a, na, b, nb, n, pair);
}

void cells_pair(const uint32_t *first, size_t n_first, const uint32_t *second, size_t n_second,
                size_t n, uint32_t *pair)
{
    enum simd_level level = simd_level();
    uint32_t na = (uint32_t)n_first, nb = (uint32_t)n_second;
    if (level == SIMD_LEVEL_512)
        pair_512(first, na, second, nb, n, pair);
    else if (level == SIMD_LEVEL_256)
        pair_256(first, na, second, nb, n, pair);
    else
        pair_body(first, na, second, nb, n, pair);
}
