#include "common/num/private_random.h"

#include "common/num/simd.h"

#include <string.h>

/* Word w of 16 blocks. */
typedef uint32_t lanes __attribute__((vector_size(4 * CHACHA_LANES)));

#define ROTATE(x, n) (((x) << (n)) | ((x) >> (32 - (n))))
/* RFC 8439 section 2.1. */
#define QUARTER_ROUND(a, b, c, d)                                                              \
    do {                                                                                       \
        a += b, d ^= a, d = ROTATE(d, 16);                                                     \
        c += d, b ^= c, b = ROTATE(b, 12);                                                     \
        a += b, d ^= a, d = ROTATE(d, 8);                                                      \
        c += d, b ^= c, b = ROTATE(b, 7);                                                      \
    } while (0)

/* 16 consecutive blocks from `input`, in order. */
static inline __attribute__((always_inline)) void blocks_body(const uint32_t *input,
                                                              uint32_t *blocks)
{
    const lanes step = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    lanes first[CHACHA_WORDS], x[CHACHA_WORDS];
    for (unsigned w = 0; w < CHACHA_WORDS; w++)
        first[w] = (lanes){0} + input[w];
    first[12] += step;
    first[13] -= (lanes)(first[12] < step); /* a carry is a lane of ones */
    for (unsigned w = 0; w < CHACHA_WORDS; w++)
        x[w] = first[w];
    for (unsigned round = 0; round < 20; round += 2) {
        QUARTER_ROUND(x[0], x[4], x[8], x[12]);
        QUARTER_ROUND(x[1], x[5], x[9], x[13]);
        QUARTER_ROUND(x[2], x[6], x[10], x[14]);
        QUARTER_ROUND(x[3], x[7], x[11], x[15]);
        QUARTER_ROUND(x[0], x[5], x[10], x[15]);
        QUARTER_ROUND(x[1], x[6], x[11], x[12]);
        QUARTER_ROUND(x[2], x[7], x[8], x[13]);
        QUARTER_ROUND(x[3], x[4], x[9], x[14]);
    }
    for (unsigned w = 0; w < CHACHA_WORDS; w++) {
        x[w] += first[w];
        for (unsigned b = 0; b < CHACHA_LANES; b++)
            blocks[CHACHA_WORDS * b + w] = x[w][b];
    }
}

#if SIMD_X86
SIMD_512 static void blocks_512(const uint32_t *input, uint32_t *blocks)
{
    blocks_body(input, blocks);
}
SIMD_256 static void blocks_256(const uint32_t *input, uint32_t *blocks)
{
    blocks_body(input, blocks);
}
#endif
static void blocks_any(const uint32_t *input, uint32_t *blocks)
{
    blocks_body(input, blocks);
}

static void blocks_make(const uint32_t *input, uint32_t *blocks)
{
#if SIMD_X86
    enum simd_level level = simd_level();
    if (level == SIMD_LEVEL_512) {
        blocks_512(input, blocks);
        return;
    }
    if (level == SIMD_LEVEL_256) {
        blocks_256(input, blocks);
        return;
    }
#endif
    blocks_any(input, blocks);
}

static uint32_t word_read(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
           (uint32_t)at[3] << 24;
}

/* RFC 8439 section 2.3: "expand 32-byte k", then the key. */
static void input_start(uint32_t *input, const uint8_t *key)
{
    static const uint32_t constants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    memcpy(input, constants, sizeof constants);
    for (unsigned w = 0; w < 8; w++)
        input[4 + w] = word_read(key + 4 * w);
}

void private_random_init(struct private_random *r, const uint8_t key[static PRIVATE_KEY_LEN],
                         uint64_t stream)
{
    memset(r, 0, sizeof *r);
    input_start(r->input, key);
    r->input[14] = (uint32_t)stream;
    r->input[15] = (uint32_t)(stream >> 32);
    r->used = CHACHA_LANES * CHACHA_WORDS;
}

uint64_t private_random_next(struct private_random *r)
{
    if (r->used == CHACHA_LANES * CHACHA_WORDS) {
        blocks_make(r->input, r->buffer);
        uint64_t counter = ((uint64_t)r->input[13] << 32 | r->input[12]) + CHACHA_LANES;
        r->input[12] = (uint32_t)counter;
        r->input[13] = (uint32_t)(counter >> 32);
        r->used = 0;
    }
    uint64_t number = (uint64_t)r->buffer[r->used + 1] << 32 | r->buffer[r->used];
    r->used += 2;
    return number;
}

void private_random_block(const uint8_t key[static PRIVATE_KEY_LEN], uint32_t counter,
                          const uint8_t nonce[static 12], uint8_t block[static 64])
{
    uint32_t input[CHACHA_WORDS], blocks[CHACHA_LANES * CHACHA_WORDS];
    input_start(input, key);
    input[12] = counter;
    for (unsigned w = 0; w < 3; w++)
        input[13 + w] = word_read(nonce + 4 * w);
    blocks_make(input, blocks);
    for (unsigned i = 0; i < 64; i++)
        block[i] = (uint8_t)(blocks[i / 4] >> (8 * (i % 4)));
    wipe(input, sizeof input);
    wipe(blocks, sizeof blocks);
}
