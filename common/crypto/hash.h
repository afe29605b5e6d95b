/* SHA-256 and SHA-512, whole or in pieces. Constant time in: data (not its length).
 * Source: FIPS 180-4. */
#ifndef COMMON_CRYPTO_HASH_H
#define COMMON_CRYPTO_HASH_H

#include "common/base/span.h"

enum { HASH_LEN = 32, SHA512_LEN = 64 };

struct sha256 {
    _Alignas(16) uint8_t state[128];
};

void sha256(struct span bytes, uint8_t digest[static HASH_LEN]);
void sha256_init(struct sha256 *h);
void sha256_update(struct sha256 *h, struct span bytes);
/* Both at once: faster than one after the other where the texts are about as long. */
void sha256_update_two(struct sha256 *h, struct span bytes, struct sha256 *g,
                       struct span others);
void sha256_final(struct sha256 *h, uint8_t digest[static HASH_LEN]);

void sha512(struct span bytes, uint8_t digest[static SHA512_LEN]);

#endif
