#include "common/crypto/hash.h"

#include "common/crypto/sha256_blocks.h"

#include <sodium.h>

/* The header keeps libsodium out of its readers' sight: our structs only lend the room its
 * states need. */
_Static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(struct sha256), "room for the state");
_Static_assert(_Alignof(crypto_hash_sha256_state) <= _Alignof(struct sha256), "aligned");
_Static_assert(sizeof(crypto_generichash_state) <= sizeof(struct blake2b),
               "room for the state");
_Static_assert(_Alignof(crypto_generichash_state) <= _Alignof(struct blake2b), "aligned");

static crypto_hash_sha256_state *sha256_of(struct sha256 *h)
{
    return (crypto_hash_sha256_state *)(void *)h->state;
}

static crypto_generichash_state *blake2b_of(struct blake2b *h)
{
    return (crypto_generichash_state *)(void *)h->state;
}

void sha256_init(struct sha256 *h)
{
    (void)crypto_hash_sha256_init(sha256_of(h)); /* cannot fail, nor can those below */
}

/* Whole blocks go the faster way where there is one; libsodium has what begins and ends them.
 */
void sha256_update(struct sha256 *h, struct span bytes)
{
    crypto_hash_sha256_state *s = sha256_of(h);
    size_t begun = (size_t)(s->count / 8 % SHA256_BLOCK),
           lead = begun ? SHA256_BLOCK - begun : 0;
    if (bytes.len >= lead + SHA256_BLOCK) {
        if (lead) (void)crypto_hash_sha256_update(s, bytes.data, lead);
        bytes = span_of(bytes.data + lead, bytes.len - lead);
        size_t n = bytes.len / SHA256_BLOCK;
        if (sha256_blocks(s->state, bytes.data, n)) {
            s->count += (uint64_t)8 * SHA256_BLOCK * n;
            bytes = span_of(bytes.data + SHA256_BLOCK * n, bytes.len - SHA256_BLOCK * n);
        }
    }
    if (bytes.len) (void)crypto_hash_sha256_update(s, bytes.data, bytes.len);
}

void sha256_final(struct sha256 *h, uint8_t digest[static HASH_LEN])
{
    (void)crypto_hash_sha256_final(sha256_of(h), digest);
}

void sha256(struct span bytes, uint8_t digest[static HASH_LEN])
{
    struct sha256 h;
    sha256_init(&h);
    sha256_update(&h, bytes);
    sha256_final(&h, digest);
}

void sha512(struct span bytes, uint8_t digest[static SHA512_LEN])
{
    (void)crypto_hash_sha512(digest, bytes.data, bytes.len);
}

void blake2b_init(struct blake2b *h)
{
    (void)crypto_generichash_init(blake2b_of(h), NULL, 0, HASH_LEN);
}

void blake2b_update(struct blake2b *h, struct span bytes)
{
    if (bytes.len) (void)crypto_generichash_update(blake2b_of(h), bytes.data, bytes.len);
}

void blake2b_final(struct blake2b *h, uint8_t digest[static HASH_LEN])
{
    (void)crypto_generichash_final(blake2b_of(h), digest, HASH_LEN);
}
