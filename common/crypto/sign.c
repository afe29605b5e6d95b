#include "common/crypto/sign.h"

#include <sodium.h>

_Static_assert(crypto_sign_PUBLICKEYBYTES == SIGN_PUBLIC_LEN, "Ed25519 public key");
_Static_assert(crypto_sign_SECRETKEYBYTES == sizeof(struct sign_secret), "Ed25519 secret key");
_Static_assert(crypto_sign_BYTES == SIGNATURE_LEN, "Ed25519 signature");

void sign_new(struct sign_public *public_key, struct sign_secret *secret)
{
    (void)crypto_sign_keypair(public_key->bytes, secret->bytes);
}

void sign_from_seed(const uint8_t seed[static SIGN_SEED_LEN], struct sign_public *public_key,
                    struct sign_secret *secret)
{
    (void)crypto_sign_seed_keypair(public_key->bytes, secret->bytes, seed);
}

void sign_public_of(const struct sign_secret *secret, struct sign_public *public_key)
{
    (void)crypto_sign_ed25519_sk_to_pk(public_key->bytes, secret->bytes);
}

void sign_bytes(const struct sign_secret *secret, struct span message,
                uint8_t signature[static SIGNATURE_LEN])
{
    (void)crypto_sign_detached(signature, NULL, message.data, message.len, secret->bytes);
}

/* libsodium refuses S >= L (RFC 8032 section 5.1.7), keys and R of small order, and keys that
 * are not encoded canonically; tests/test_crypto.c holds it to that. */
apex_status sign_check(const struct sign_public *public_key, struct span message,
                       const uint8_t signature[static SIGNATURE_LEN])
{
    int bad =
        crypto_sign_verify_detached(signature, message.data, message.len, public_key->bytes);
    return bad ? APEX_E_UNTRUSTED : APEX_OK;
}
