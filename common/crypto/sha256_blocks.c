#include "common/crypto/sha256_blocks.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#define SHA_TARGET __attribute__((target("sha,sse4.1,ssse3")))
enum { ABSENT, PRESENT, UNKNOWN };

static const uint32_t k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
    0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
    0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
    0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
    0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
    0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
    0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2};

/* Asked once: in a confidential guest the question is a trip to the host. Threads that ask at
 * the same time get the same answer. */
static bool has_instructions(void)
{
    static int known = UNKNOWN;
    unsigned a, b, c, d, leaf1_c = 0;
    int here = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (here != UNKNOWN) return here == PRESENT;
    if (__get_cpuid(1, &a, &b, &c, &d)) leaf1_c = c;
    bool sha = __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA) != 0;
    here = sha && (leaf1_c & bit_SSE4_1) && (leaf1_c & bit_SSSE3) ? PRESENT : ABSENT;
    __atomic_store_n(&known, here, __ATOMIC_RELAXED);
    return here == PRESENT;
}

SHA_TARGET static inline __m128i schedule(const __m128i w[static 4], unsigned i)
{
    __m128i older = _mm_sha256msg1_epu32(w[i & 3], w[(i + 1) & 3]);
    __m128i seven_back = _mm_alignr_epi8(w[(i + 3) & 3], w[(i + 2) & 3], 4);
    return _mm_sha256msg2_epu32(_mm_add_epi32(older, seven_back), w[(i + 3) & 3]);
}

/* The instructions want the state as ABEF and CDGH, from high to low. */
struct halves {
    __m128i abef, cdgh;
};

SHA_TARGET static inline struct halves halves_of(const uint32_t state[static 8])
{
    __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128((const void *)state), 0xb1);
    __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const void *)(state + 4)), 0x1b);
    return (struct halves){_mm_alignr_epi8(badc, efgh, 8), _mm_blend_epi16(efgh, badc, 0xf0)};
}

SHA_TARGET static inline void halves_store(const struct halves *h, uint32_t state[static 8])
{
    __m128i feba = _mm_shuffle_epi32(h->abef, 0x1b), dchg = _mm_shuffle_epi32(h->cdgh, 0xb1);
    _mm_storeu_si128((void *)state, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((void *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

SHA_TARGET static inline void words_load(const uint8_t *bytes, __m128i w[static 4])
{
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    for (unsigned i = 0; i < 4; i++)
        w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const void *)(bytes + 16 * i)), big_endian);
}

/* Four rounds. */
SHA_TARGET static inline void rounds(struct halves *h, __m128i w[static 4], unsigned i)
{
    __m128i wk = _mm_add_epi32(w[i & 3], _mm_loadu_si128((const void *)(k + (size_t)4 * i)));
    h->cdgh = _mm_sha256rnds2_epu32(h->cdgh, h->abef, wk);
    h->abef = _mm_sha256rnds2_epu32(h->abef, h->cdgh, _mm_shuffle_epi32(wk, 0x0e));
    if (i < 12) w[i & 3] = schedule(w, i);
}

SHA_TARGET static inline void halves_add(struct halves *h, const struct halves *before)
{
    h->abef = _mm_add_epi32(h->abef, before->abef);
    h->cdgh = _mm_add_epi32(h->cdgh, before->cdgh);
}

SHA_TARGET static void blocks_put(uint32_t state[static 8], const uint8_t *blocks,
                                  size_t n_blocks)
{
    struct halves h = halves_of(state);
    for (size_t b = 0; b < n_blocks; b++) {
        const struct halves before = h;
        __m128i w[4];
        words_load(blocks + SHA256_BLOCK * b, w);
#pragma GCC unroll 16
        for (unsigned i = 0; i < 16; i++)
            rounds(&h, w, i);
        halves_add(&h, &before);
    }
    halves_store(&h, state);
}

SHA_TARGET static void blocks_put_two(uint32_t one[static 8], const uint8_t *of_one,
                                      uint32_t two[static 8], const uint8_t *of_two,
                                      size_t n_blocks)
{
    struct halves h = halves_of(one), g = halves_of(two);
    for (size_t b = 0; b < n_blocks; b++) {
        const struct halves h_before = h, g_before = g;
        __m128i w[4], v[4];
        words_load(of_one + SHA256_BLOCK * b, w);
        words_load(of_two + SHA256_BLOCK * b, v);
#pragma GCC unroll 16
        for (unsigned i = 0; i < 16; i++) {
            rounds(&h, w, i);
            rounds(&g, v, i);
        }
        halves_add(&h, &h_before);
        halves_add(&g, &g_before);
    }
    halves_store(&h, one);
    halves_store(&g, two);
}

bool sha256_blocks(uint32_t state[static 8], const uint8_t *blocks, size_t n_blocks)
{
    if (!has_instructions()) return false;
    blocks_put(state, blocks, n_blocks);
    return true;
}

bool sha256_blocks_two(uint32_t one[static 8], const uint8_t *of_one, uint32_t two[static 8],
                       const uint8_t *of_two, size_t n_blocks)
{
    if (!has_instructions()) return false;
    blocks_put_two(one, of_one, two, of_two, n_blocks);
    return true;
}
#else
bool sha256_blocks(uint32_t state[static 8], const uint8_t *blocks, size_t n_blocks)
{
    (void)state;
    (void)blocks;
    (void)n_blocks;
    return false;
}

bool sha256_blocks_two(uint32_t one[static 8], const uint8_t *of_one, uint32_t two[static 8],
                       const uint8_t *of_two, size_t n_blocks)
{
    (void)one;
    (void)of_one;
    (void)two;
    (void)of_two;
    (void)n_blocks;
    return false;
}
#endif
