#include "common/num/boost_tree.h"
#include "common/num/exact_inline.h"

#if SIMD_X86
#include <immintrin.h>
#endif

/* The bin above which each node sends its rows right by feature f; none: BOOST_NO_SPLIT. */
BOOST_BODY void above_make(const uint32_t *feature, const uint8_t *bin, size_t n_nodes,
                           size_t f, uint8_t *above)
{
    for (size_t j = 0; j < n_nodes; j++)
        above[j] = (uint8_t)(bin[j] | (uint8_t) - (uint8_t)(feature[j] != f));
}

/* A strip at a time: for each feature, the bin above which a row's node sends
 * it right (none: BOOST_NO_SPLIT), then one compare. */
BOOST_BODY void route_body(const uint8_t *bins, size_t n, size_t d, const uint32_t *feature,
                           const uint8_t *bin, size_t n_nodes, uint8_t *node)
{
    uint8_t above[BOOST_LEVEL_NODES];
    for (size_t f = 0; f < d; f++) {
        const uint8_t *x = bins + f * n;
        above_make(feature, bin, n_nodes, f, above);
        for (size_t at = 0; at < n; at += BOOST_STRIP) {
            uint8_t limit[BOOST_STRIP];
            for (size_t s = 0; s < BOOST_STRIP; s++)
                limit[s] = BOOST_NO_SPLIT;
            for (size_t j = 0; j < n_nodes; j++)
                for (size_t s = 0; s < BOOST_STRIP; s++) {
                    uint8_t here = (uint8_t) - (uint8_t)((node[at + s] & 0x7f) == j);
                    limit[s] &= (uint8_t)(above[j] | (uint8_t)~here);
                }
            for (size_t s = 0; s < BOOST_STRIP; s++)
                node[at + s] |= (uint8_t)((x[at + s] > limit[s]) << 7);
        }
    }
    for (size_t i = 0; i < n; i++)
        node[i] = (uint8_t)(node[i] << 1 | node[i] >> 7);
}
BOOST_LEVELS(static, route,
             (const uint8_t *bins, size_t n, size_t d, const uint32_t *feature,
              const uint8_t *bin, size_t n_nodes, uint8_t *node),
             (bins, n, d, feature, bin, n_nodes, node))

#if SIMD_X86
/* The same by a permute of the nodes' bins: two tables of 64 make up the widest level. */
BOOST_BYTES static void bytes_route(const uint8_t *bins, size_t n, size_t d,
                                    const uint32_t *feature, const uint8_t *bin, size_t n_nodes,
                                    uint8_t *node)
{
    const __m512i right = _mm512_set1_epi8((char)0x80);
    _Alignas(64) uint8_t above[BOOST_LEVEL_NODES] = {0};
    for (size_t f = 0; f < d; f++) {
        above_make(feature, bin, n_nodes, f, above);
        __m512i low = _mm512_load_si512(above), high = _mm512_load_si512(above + 64);
        for (size_t at = 0; at < n; at += BOOST_STRIP) {
            __m512i x = _mm512_load_si512(bins + f * n + at),
                    here = _mm512_load_si512(node + at);
            __m512i limit = _mm512_permutex2var_epi8(low, here, high);
            __mmask64 goes = _mm512_cmpgt_epu8_mask(x, limit);
            _mm512_store_si512(node + at,
                               _mm512_or_si512(here, _mm512_maskz_mov_epi8(goes, right)));
        }
    }
    for (size_t i = 0; i < n; i++)
        node[i] = (uint8_t)(node[i] << 1 | node[i] >> 7);
}
#endif

void boost_route(const uint8_t *bins, size_t n, size_t d, const uint32_t *feature,
                 const uint8_t *bin, size_t n_nodes, uint8_t *node)
{
#if SIMD_X86
    if (boost_bytes()) {
        bytes_route(bins, n, d, feature, bin, n_nodes, node);
        return;
    }
#endif
    route(bins, n, d, feature, bin, n_nodes, node);
}

BOOST_BODY void boost_leaf_add_body(const uint8_t *node, size_t n, const double *value,
                                    size_t n_leaves, double *score)
{
    for (size_t at = 0; at < n; at += BOOST_STRIP) {
        uint64_t here[BOOST_STRIP], add[BOOST_STRIP] = {0};
        for (size_t s = 0; s < BOOST_STRIP; s++)
            here[s] = node[at + s];
        for (size_t j = 0; j < n_leaves; j++)
            for (size_t s = 0; s < BOOST_STRIP; s++)
                add[s] |= exact_bits(value[j]) & exact_mask(here[s] == j);
        for (size_t s = 0; s < BOOST_STRIP; s++)
            score[at + s] += exact_of_bits(add[s]);
    }
}
BOOST_LEVELS(, boost_leaf_add,
             (const uint8_t *node, size_t n, const double *value, size_t n_leaves,
              double *score),
             (node, n, value, n_leaves, score))

BOOST_BODY void boost_leaf_count_body(const uint8_t *node, const uint8_t *live,
                                      const uint8_t *party, size_t n, size_t n_leaves,
                                      uint64_t *seen)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t *of_party = seen + party[i] * n_leaves, one = live[i];
        for (size_t j = 0; j < n_leaves; j++)
            of_party[j] += one & exact_mask(node[i] == j);
    }
}
BOOST_LEVELS(, boost_leaf_count,
             (const uint8_t *node, const uint8_t *live, const uint8_t *party, size_t n,
              size_t n_leaves, uint64_t *seen),
             (node, live, party, n, n_leaves, seen))
