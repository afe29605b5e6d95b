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
SHA_TARGET static inline void block(__m128i *abef, __m128i *cdgh, const uint8_t *bytes)
{
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i w[4], x = *abef, y = *cdgh;
    for (unsigned i = 0; i < 4; i++)
        w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const void *)(bytes + 16 * i)), big_endian);
#pragma GCC unroll 16
    for (unsigned i = 0; i < 16; i++) {
        __m128i wk =
            _mm_add_epi32(w[i & 3], _mm_loadu_si128((const void *)(k + (size_t)4 * i)));
        y = _mm_sha256rnds2_epu32(y, x, wk);
        x = _mm_sha256rnds2_epu32(x, y, _mm_shuffle_epi32(wk, 0x0e));
        if (i < 12) w[i & 3] = schedule(w, i);
    }
    *abef = _mm_add_epi32(*abef, x);
    *cdgh = _mm_add_epi32(*cdgh, y);
}

SHA_TARGET static void blocks_put(uint32_t state[static 8], const uint8_t *blocks,
                                  size_t n_blocks)
{
    __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128((const void *)state), 0xb1);
    __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const void *)(state + 4)), 0x1b);
    __m128i abef = _mm_alignr_epi8(badc, efgh, 8), cdgh = _mm_blend_epi16(efgh, badc, 0xf0);
    for (size_t i = 0; i < n_blocks; i++)
        block(&abef, &cdgh, blocks + SHA256_BLOCK * i);
    __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((void *)state, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((void *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

bool sha256_blocks(uint32_t state[static 8], const uint8_t *blocks, size_t n_blocks)
{
    if (!has_instructions()) return false;
    blocks_put(state, blocks, n_blocks);
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
#endif
