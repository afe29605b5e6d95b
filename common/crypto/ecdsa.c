#include "common/crypto/ecdsa.h"

#include "common/crypto/keccak.h"
#include "common/crypto/random.h"

#include <secp256k1.h>
#include <secp256k1_recovery.h>

/* A context of its own for every signature, blinded by fresh random bytes: signatures are few,
 * and nothing is shared between threads. */
static secp256k1_context *context_new(void)
{
    uint8_t blind[32];
    secp256k1_context *c = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    if (!c) return NULL;
    random_bytes(blind, sizeof blind);
    if (!secp256k1_context_randomize(c, blind)) {
        secp256k1_context_destroy(c);
        c = NULL;
    }
    wipe(blind, sizeof blind);
    return c;
}

static void public_write(const secp256k1_context *c, const secp256k1_pubkey *key,
                         struct ecdsa_public *out)
{
    size_t len = sizeof out->bytes;
    (void)secp256k1_ec_pubkey_serialize(c, out->bytes, &len, key, SECP256K1_EC_COMPRESSED);
}

apex_status ecdsa_from_seed(const uint8_t seed[static ECDSA_SECRET_LEN],
                            struct ecdsa_public *public_key, struct ecdsa_secret *secret)
{
    secp256k1_pubkey point;
    secp256k1_context *c = context_new();
    if (!c) return APEX_E_MEMORY;
    bool fine =
        secp256k1_ec_seckey_verify(c, seed) && secp256k1_ec_pubkey_create(c, &point, seed);
    if (fine) {
        memcpy(secret->bytes, seed, sizeof secret->bytes);
        public_write(c, &point, public_key);
    }
    secp256k1_context_destroy(c);
    return fine ? APEX_OK : APEX_E_USAGE;
}

apex_status ecdsa_sign(const struct ecdsa_secret *secret, const uint8_t digest[static 32],
                       struct ecdsa_signature *signature)
{
    secp256k1_ecdsa_recoverable_signature made;
    uint8_t compact[64];
    int parity = 0;
    secp256k1_context *c = context_new();
    if (!c) return APEX_E_MEMORY;
    bool fine = secp256k1_ecdsa_sign_recoverable(c, &made, digest, secret->bytes, NULL, NULL);
    if (fine)
        (void)secp256k1_ecdsa_recoverable_signature_serialize_compact(c, compact, &parity,
                                                                      &made);
    secp256k1_context_destroy(c);
    if (!fine) return APEX_E_USAGE;
    if (parity > 1) return APEX_E_BUG; /* r above the order: has never been met */
    memcpy(signature->r, compact, 32);
    memcpy(signature->s, compact + 32, 32);
    signature->parity = (uint8_t)parity;
    return APEX_OK;
}

/* libsecp256k1 takes an s of either half when it recovers; Ethereum's rule is ours. */
static bool low_s(const uint8_t compact[static 64])
{
    secp256k1_ecdsa_signature plain;
    const secp256k1_context *c = secp256k1_context_static;
    return secp256k1_ecdsa_signature_parse_compact(c, &plain, compact) &&
           !secp256k1_ecdsa_signature_normalize(c, NULL, &plain);
}

apex_status ecdsa_recover(const struct ecdsa_signature *signature,
                          const uint8_t digest[static 32], struct ecdsa_public *public_key)
{
    const secp256k1_context *c = secp256k1_context_static;
    secp256k1_ecdsa_recoverable_signature read;
    secp256k1_pubkey point;
    uint8_t compact[64];
    memcpy(compact, signature->r, 32);
    memcpy(compact + 32, signature->s, 32);
    if (signature->parity > 1 || !low_s(compact) ||
        !secp256k1_ecdsa_recoverable_signature_parse_compact(c, &read, compact,
                                                             signature->parity) ||
        !secp256k1_ecdsa_recover(c, &point, &read, digest))
        return APEX_E_UNTRUSTED;
    public_write(c, &point, public_key);
    return APEX_OK;
}

apex_status ecdsa_address(const struct ecdsa_public *public_key,
                          uint8_t address[static ECDSA_ADDRESS_LEN])
{
    const secp256k1_context *c = secp256k1_context_static;
    secp256k1_pubkey point;
    uint8_t whole[65], digest[KECCAK_LEN];
    size_t len = sizeof whole;
    if (!secp256k1_ec_pubkey_parse(c, &point, public_key->bytes, sizeof public_key->bytes))
        return APEX_E_FORMAT;
    (void)secp256k1_ec_pubkey_serialize(c, whole, &len, &point, SECP256K1_EC_UNCOMPRESSED);
    keccak256(span_of(whole + 1, 64), digest);
    memcpy(address, digest + KECCAK_LEN - ECDSA_ADDRESS_LEN, ECDSA_ADDRESS_LEN);
    return APEX_OK;
}
