/* SHA-256, SHA-512 and BLAKE2b, whole or in pieces. Constant time in: data (not its length).
 * Source: FIPS 180-4, RFC 7693. */
#ifndef COMMON_CRYPTO_HASH_H
#define COMMON_CRYPTO_HASH_H

#include "common/base/span.h"

enum { HASH_LEN = 32, SHA512_LEN = 64 };

struct sha256 {
    _Alignas(16) uint8_t state[128];
};
struct blake2b {
    _Alignas(64) uint8_t state[384];
};

void sha256(struct span bytes, uint8_t digest[static HASH_LEN]);
void sha256_init(struct sha256 *h);
void sha256_update(struct sha256 *h, struct span bytes);
void sha256_final(struct sha256 *h, uint8_t digest[static HASH_LEN]);

void sha512(struct span bytes, uint8_t digest[static SHA512_LEN]);

/* BLAKE2b with a 32-byte digest and no key: the digest of a table's plaintext. */
void blake2b_init(struct blake2b *h);
void blake2b_update(struct blake2b *h, struct span bytes);
void blake2b_final(struct blake2b *h, uint8_t digest[static HASH_LEN]);

#endif
