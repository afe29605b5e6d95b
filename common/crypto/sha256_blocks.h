/* SHA-256's compression with the processor's own instructions, where it has them: four times as
 * fast as libsodium's. Constant time in: blocks. Source: FIPS 180-4, section 6.2.2. */
#ifndef COMMON_CRYPTO_SHA256_BLOCKS_H
#define COMMON_CRYPTO_SHA256_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHA256_BLOCK = 64 };

/* False: this processor has no such instructions, and state is as it was. */
bool sha256_blocks(uint32_t state[static 8], const uint8_t *blocks, size_t n_blocks);
/* As many blocks of another hash at the same time, in little more than the time for one: each
 * instruction waits for the one before it, and the other's fill the gap. */
bool sha256_blocks_two(uint32_t one[static 8], const uint8_t *of_one, uint32_t two[static 8],
                       const uint8_t *of_two, size_t n_blocks);

#endif
