/* One small secret under one key: XChaCha20-Poly1305 with a random nonce in front. For key
 * files and sealed roots. Constant time in: key and plaintext. Source:
 * draft-irtf-cfrg-xchacha-03 section 2. */
#ifndef COMMON_CRYPTO_SECRETBOX_H
#define COMMON_CRYPTO_SECRETBOX_H

#include "common/base/span.h"
#include "include/apex/status.h"

enum { SECRETBOX_OVERHEAD = 24 + 16 };

/* out: plaintext.len + SECRETBOX_OVERHEAD bytes, nonce || ciphertext || tag. */
void secretbox_seal(const uint8_t key[static 32], struct span aad, struct span plaintext,
                    uint8_t *out);
/* out: sealed.len - SECRETBOX_OVERHEAD bytes, written only on APEX_OK. APEX_E_FORMAT: too
 * short. APEX_E_UNTRUSTED: does not open. */
apex_status secretbox_open(const uint8_t key[static 32], struct span aad, struct span sealed,
                           uint8_t *out);

#endif
