/* States: pushing or pulling -> ended. The chunk marked last ends a stream; libsodium would let
 * more follow under a new key, we do not: stream_pull refuses whatever comes after it.
 *
 * Keys, nonces and the change of keys are libsodium's; the bulk of a chunk goes through
 * OpenSSL's ChaCha20 and Poly1305, which use the widest instructions there are
 * (docs/decisions/stream-bulk.md). A chunk is the tag, encrypted, the ciphertext, and the mac:
 * block 0 of the keystream begins with Poly1305's key, block 1 encrypts a block that begins
 * with the tag, the ciphertext follows from block 2, and the mac is over the associated data,
 * the encrypted block of the tag, the ciphertext, zeros, and the lengths. */
#include "common/crypto/stream.h"

#include "common/base/endian.h"
#include "common/base/try.h"
#include "common/crypto/ct.h"

#include <openssl/evp.h>
#include <sodium.h>

typedef crypto_secretstream_xchacha20poly1305_state sodium_state;

enum {
    ENDED_AT = 63, /* our one byte, behind libsodium's state */
    TAG_MORE = 0,  /* crypto_secretstream_xchacha20poly1305_TAG_MESSAGE */
    TAG_LAST = 3,  /* ..._TAG_FINAL */
    BLOCK = 64,    /* of the keystream */
    MAC_LEN = 16,
    COUNTER_LEN = 4, /* the nonce is the count of chunks, and INONCE_LEN bytes */
    INONCE_LEN = 8,
    PIECE = 32 * 1024 /* passes cipher and mac while it is near */
};
_Static_assert(sizeof(sodium_state) <= ENDED_AT, "room for the state and our byte");
_Static_assert(crypto_secretstream_xchacha20poly1305_ABYTES == STREAM_OVERHEAD, "tag and mac");
_Static_assert(crypto_secretstream_xchacha20poly1305_HEADERBYTES == STREAM_HEADER_LEN,
               "header");
_Static_assert(crypto_secretstream_xchacha20poly1305_KEYBYTES == STREAM_KEY_LEN, "key");
_Static_assert(sizeof((sodium_state *)0)->nonce == COUNTER_LEN + INONCE_LEN, "nonce");

static sodium_state *state_of(struct stream *s)
{
    return (sodium_state *)(void *)s->state;
}

void stream_key_new(struct stream_key *key)
{
    crypto_secretstream_xchacha20poly1305_keygen(key->bytes);
}

/* The cipher and the mac of one chunk. */
struct bulk {
    EVP_CIPHER_CTX *cipher;
    EVP_MAC_CTX *mac;
    bool fine;
};

static void bulk_close(struct bulk *b)
{
    EVP_CIPHER_CTX_free(b->cipher); /* both wipe */
    EVP_MAC_CTX_free(b->mac);
}

static void cipher(struct bulk *b, const uint8_t *in, size_t len, uint8_t *out)
{
    int got = 0;
    b->fine = b->fine && EVP_EncryptUpdate(b->cipher, out, &got, in, (int)len) == 1 &&
              (size_t)got == len;
}

static void mac(struct bulk *b, const void *bytes, size_t len)
{
    b->fine = b->fine && EVP_MAC_update(b->mac, bytes, len) == 1;
}

static void mac_key(struct bulk *b)
{
    uint8_t block[BLOCK] = {0};
    cipher(b, block, sizeof block, block);
    b->fine = b->fine && EVP_MAC_init(b->mac, block, STREAM_KEY_LEN, NULL) == 1;
    wipe(block, sizeof block);
}

/* At the start of a chunk: the cipher at block 1, the mac over the associated data. False:
 * OpenSSL does not give them, for want of memory or because its configuration allows others
 * only. */
static bool bulk_open(struct bulk *b, const sodium_state *s, struct span aad)
{
    static const uint8_t zeros[MAC_LEN];
    uint8_t iv[COUNTER_LEN + sizeof s->nonce] = {0};
    EVP_MAC *poly1305 = EVP_MAC_fetch(NULL, "POLY1305", NULL);
    memcpy(iv + COUNTER_LEN, s->nonce, sizeof s->nonce);
    *b = (struct bulk){.cipher = EVP_CIPHER_CTX_new(), .fine = true};
    if (poly1305) b->mac = EVP_MAC_CTX_new(poly1305);
    EVP_MAC_free(poly1305);
    b->fine = b->cipher && b->mac &&
              EVP_EncryptInit_ex2(b->cipher, EVP_chacha20(), s->k, iv, NULL) == 1;
    mac_key(b);
    mac(b, aad.data, aad.len);
    mac(b, zeros, (MAC_LEN - aad.len % MAC_LEN) % MAC_LEN);
    if (!b->fine) bulk_close(b);
    return b->fine;
}

/* libsodium pads by the length of the tag's block less that of the text, and so do we. */
static void bulk_mac(struct bulk *b, size_t aad_len, size_t len, uint8_t out[static MAC_LEN])
{
    static const uint8_t zeros[MAC_LEN];
    uint8_t lengths[MAC_LEN];
    size_t got = 0;
    put_le64(lengths, aad_len);
    put_le64(lengths + 8, BLOCK + len);
    mac(b, zeros, (MAC_LEN - BLOCK + len) % MAC_LEN);
    mac(b, lengths, sizeof lengths);
    b->fine = b->fine && EVP_MAC_final(b->mac, out, &got, MAC_LEN) == 1 && got == MAC_LEN;
}

/* The next chunk's nonce, and when the count has run over, its key. */
static void state_step(sodium_state *s, const uint8_t chunk_mac[static MAC_LEN])
{
    for (size_t i = 0; i < INONCE_LEN; i++)
        s->nonce[COUNTER_LEN + i] ^= chunk_mac[i];
    put_le32(s->nonce, get_le32(s->nonce) + 1);
    if (get_le32(s->nonce) == 0) crypto_secretstream_xchacha20poly1305_rekey(s);
}

void stream_push_init(struct stream *s, const struct stream_key *key,
                      uint8_t header[static STREAM_HEADER_LEN])
{
    *s = (struct stream){0};
    (void)crypto_secretstream_xchacha20poly1305_init_push(state_of(s), header, key->bytes);
}

static apex_status push_bulk(struct bulk *b, sodium_state *s, struct span plaintext,
                             struct span aad, uint8_t first, uint8_t *out)
{
    uint8_t tag[BLOCK] = {first}, *text = out + 1;
    cipher(b, tag, sizeof tag, tag);
    mac(b, tag, sizeof tag);
    out[0] = tag[0];
    for (size_t at = 0; at < plaintext.len; at += PIECE) {
        size_t n = plaintext.len - at < PIECE ? plaintext.len - at : PIECE;
        cipher(b, plaintext.data + at, n, text + at);
        mac(b, text + at, n);
    }
    bulk_mac(b, aad.len, plaintext.len, text + plaintext.len);
    if (b->fine) state_step(s, text + plaintext.len);
    return b->fine ? APEX_OK : APEX_E_MEMORY;
}

apex_status stream_push(struct stream *s, struct span plaintext, struct span aad, bool last,
                        uint8_t *out)
{
    struct bulk b;
    const uint8_t tag = last ? TAG_LAST : TAG_MORE;
    if (plaintext.len > STREAM_CHUNK_MAX) return APEX_E_USAGE;
    if (!bulk_open(&b, state_of(s), aad))
        return crypto_secretstream_xchacha20poly1305_push(state_of(s), out, NULL,
                                                          plaintext.data, plaintext.len,
                                                          aad.data, aad.len, tag) == 0
                   ? APEX_OK
                   : APEX_E_USAGE;
    apex_status pushed = push_bulk(&b, state_of(s), plaintext, aad, tag, out);
    bulk_close(&b);
    return pushed;
}

apex_status stream_pull_init(struct stream *s, const struct stream_key *key,
                             const uint8_t header[static STREAM_HEADER_LEN])
{
    *s = (struct stream){0};
    int bad = crypto_secretstream_xchacha20poly1305_init_pull(state_of(s), header, key->bytes);
    return bad ? APEX_E_UNTRUSTED : APEX_OK;
}

/* What the tag's block was; in place. */
static uint8_t tag_open(struct bulk *b, uint8_t sealed_tag)
{
    uint8_t block[BLOCK] = {0}, tag;
    cipher(b, block, sizeof block, block);
    tag = block[0] ^ sealed_tag;
    block[0] = sealed_tag;
    mac(b, block, sizeof block);
    wipe(block, sizeof block);
    return tag;
}

/* No byte of a chunk is decrypted before its mac is found to fit. */
static apex_status chunk_open(struct bulk *b, sodium_state *s, struct span sealed,
                              struct span aad, uint8_t *tag, uint8_t *out)
{
    uint8_t found[MAC_LEN];
    size_t len = sealed.len - STREAM_OVERHEAD;
    const uint8_t *text = sealed.data + 1;
    *tag = tag_open(b, sealed.data[0]);
    mac(b, text, len);
    bulk_mac(b, aad.len, len, found);
    if (!b->fine) return APEX_E_MEMORY;
    if (!ct_equal(found, text + len, sizeof found)) return APEX_E_UNTRUSTED;
    cipher(b, text, len, out);
    if (!b->fine) return APEX_E_MEMORY;
    state_step(s, found);
    return APEX_OK;
}

apex_status stream_pull(struct stream *s, struct span sealed, struct span aad, bool *last,
                        uint8_t *out)
{
    uint8_t tag = 0;
    struct bulk b;
    if (s->state[ENDED_AT]) return APEX_E_UNTRUSTED;
    if (sealed.len < STREAM_OVERHEAD || sealed.len - STREAM_OVERHEAD > STREAM_CHUNK_MAX)
        return APEX_E_FORMAT;
    if (bulk_open(&b, state_of(s), aad)) {
        apex_status opened = chunk_open(&b, state_of(s), sealed, aad, &tag, out);
        bulk_close(&b);
        TRY(opened);
    } else if (crypto_secretstream_xchacha20poly1305_pull(state_of(s), out, NULL, &tag,
                                                          sealed.data, sealed.len, aad.data,
                                                          aad.len) != 0)
        return APEX_E_UNTRUSTED;
    if (tag != TAG_MORE && tag != TAG_LAST) return APEX_E_FORMAT; /* libsodium's PUSH, REKEY */
    *last = tag == TAG_LAST;
    s->state[ENDED_AT] = *last;
    return APEX_OK;
}
