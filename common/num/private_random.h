/* The generator behind private noise: ChaCha20's key stream, read as 64-bit numbers.
 *
 *   key     32 bytes of the run's secret noise key. It must be new for every run and known to
 *           nobody outside the enclave: whoever knows it can take the noise off again, and two
 *           runs with one key on different rows differ by what the rows differ by.
 *   stream  one number per use within a run; streams of one key are independent
 *
 * Constant time in: key. 16 blocks are made at a time; every level of simd.h gives the same
 * numbers. 2^64 blocks a stream. Not for encryption. Source: RFC 8439 section 2.3; the two
 * words that hold RFC 8439's first nonce word and counter count blocks together, as in
 * Bernstein's ChaCha (2008). */
#ifndef COMMON_NUM_PRIVATE_RANDOM_H
#define COMMON_NUM_PRIVATE_RANDOM_H

#include "common/base/wipe.h"

#include <stdint.h>

enum { PRIVATE_KEY_LEN = 32, CHACHA_WORDS = 16, CHACHA_LANES = 16 };

struct private_random {
    uint32_t input[CHACHA_WORDS]; /* constants, key, counter, stream: the next
                                     block's */
    uint32_t buffer[CHACHA_LANES * CHACHA_WORDS];
    uint32_t used; /* words of the buffer */
};
WIPED_DEFINE(private_random)

void private_random_init(struct private_random *r, const uint8_t key[static PRIVATE_KEY_LEN],
                         uint64_t stream);
uint64_t private_random_next(struct private_random *r);
/* One block as RFC 8439 section 2.3 numbers it: for its test vectors. */
void private_random_block(const uint8_t key[static PRIVATE_KEY_LEN], uint32_t counter,
                          const uint8_t nonce[static 12], uint8_t block[static 64]);

#endif
