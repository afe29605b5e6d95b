/* Ed25519 (RFC 8032, pure). A secret key is its own type: it never passes for a digest. */
#ifndef COMMON_CRYPTO_SIGN_H
#define COMMON_CRYPTO_SIGN_H

#include "common/base/span.h"
#include "common/base/wipe.h"
#include "include/apex/status.h"

enum { SIGN_PUBLIC_LEN = 32, SIGN_SEED_LEN = 32, SIGNATURE_LEN = 64 };

struct sign_public {
    uint8_t bytes[SIGN_PUBLIC_LEN];
};
struct sign_secret {
    uint8_t bytes[64]; /* seed || public key, libsodium's form */
};
WIPED_DEFINE(sign_secret)

void sign_new(struct sign_public *public_key, struct sign_secret *secret);
void sign_from_seed(const uint8_t seed[static SIGN_SEED_LEN], struct sign_public *public_key,
                    struct sign_secret *secret);
void sign_public_of(const struct sign_secret *secret, struct sign_public *public_key);
void sign_bytes(const struct sign_secret *secret, struct span message,
                uint8_t signature[static SIGNATURE_LEN]);
/* APEX_E_UNTRUSTED when the signature does not hold (small-order keys and non-canonical
 * encodings included). */
apex_status sign_check(const struct sign_public *public_key, struct span message,
                       const uint8_t signature[static SIGNATURE_LEN]);

#endif
