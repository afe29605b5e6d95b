/* HPKE base mode, single shot: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305.
 * Source: RFC 9180 sections 4, 5.1, 6.1. Constant time in: secret keys and plaintext. */
#ifndef COMMON_CRYPTO_HPKE_H
#define COMMON_CRYPTO_HPKE_H

#include "common/base/span.h"
#include "common/base/wipe.h"
#include "include/apex/status.h"

enum {
    SEAL_KEY_LEN = 32,
    HPKE_ENC_LEN = 32,
    HPKE_TAG_LEN = 16,
    HPKE_OVERHEAD = HPKE_ENC_LEN + HPKE_TAG_LEN
};

struct seal_public {
    uint8_t bytes[SEAL_KEY_LEN];
};
struct seal_secret {
    uint8_t bytes[SEAL_KEY_LEN];
};
WIPED_DEFINE(seal_secret)

void seal_new(struct seal_public *public_key, struct seal_secret *secret);
/* RFC 9180 section 7.1.3 DeriveKeyPair for X25519. */
apex_status seal_from_ikm(struct span ikm, struct seal_public *public_key,
                          struct seal_secret *secret);
void seal_public_of(const struct seal_secret *secret, struct seal_public *public_key);

/* out: plaintext.len + HPKE_OVERHEAD bytes, enc || ciphertext || tag. `info` binds purpose and
 * contract address. APEX_E_UNTRUSTED: the public key is of small order. */
apex_status hpke_seal(const struct seal_public *to, struct span info, struct span aad,
                      struct span plaintext, uint8_t *out);
/* out: sealed.len - HPKE_OVERHEAD bytes, written only on APEX_OK. APEX_E_FORMAT: too short.
 * APEX_E_UNTRUSTED: does not open. */
apex_status hpke_open(const struct seal_secret *key, struct span info, struct span aad,
                      struct span sealed, uint8_t *out);

#endif
