#include "common/crypto/hash.h"

#include "common/crypto/sha256_blocks.h"

#include <sodium.h>

/* The header keeps libsodium out of its readers' sight: our structs only lend the room its
 * states need. */
_Static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(struct sha256), "room for the state");
_Static_assert(_Alignof(crypto_hash_sha256_state) <= _Alignof(struct sha256), "aligned");

static crypto_hash_sha256_state *sha256_of(struct sha256 *h)
{
    return (crypto_hash_sha256_state *)(void *)h->state;
}

void sha256_init(struct sha256 *h)
{
    (void)crypto_hash_sha256_init(sha256_of(h)); /* cannot fail, nor can those below */
}

/* Bytes to the next block. */
static size_t lead_of(const crypto_hash_sha256_state *s)
{
    size_t begun = (size_t)(s->count / 8 % SHA256_BLOCK);
    return begun ? SHA256_BLOCK - begun : 0;
}

/* Whole blocks go the faster way where there is one; libsodium has what begins and ends them.
 */
void sha256_update(struct sha256 *h, struct span bytes)
{
    crypto_hash_sha256_state *s = sha256_of(h);
    size_t lead = lead_of(s);
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

static struct span lead_take(struct sha256 *h, struct span bytes)
{
    size_t lead = lead_of(sha256_of(h)), n = lead < bytes.len ? lead : bytes.len;
    sha256_update(h, span_of(bytes.data, n));
    return span_of(bytes.data + n, bytes.len - n);
}

void sha256_update_two(struct sha256 *h, struct span bytes, struct sha256 *g,
                       struct span others)
{
    crypto_hash_sha256_state *s = sha256_of(h), *t = sha256_of(g);
    bytes = lead_take(h, bytes);
    others = lead_take(g, others);
    size_t n = (bytes.len < others.len ? bytes.len : others.len) / SHA256_BLOCK,
           len = n * SHA256_BLOCK;
    if (n > 0 && sha256_blocks_two(s->state, bytes.data, t->state, others.data, n)) {
        s->count += (uint64_t)8 * len;
        t->count += (uint64_t)8 * len;
        bytes = span_of(bytes.data + len, bytes.len - len);
        others = span_of(others.data + len, others.len - len);
    }
    sha256_update(h, bytes);
    sha256_update(g, others);
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
