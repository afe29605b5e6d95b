/* One small secret under one key: XChaCha20-Poly1305 with a random nonce in front. For key files and sealed roots. */
#ifndef COMMON_CRYPTO_SECRETBOX_H
#define COMMON_CRYPTO_SECRETBOX_H

#include "common/base/span.h"
#include "include/apex/status.h"

enum { SECRETBOX_OVERHEAD = 24 + 16 };

void secretbox_seal(const uint8_t key[static 32], struct span aad, struct span plaintext, uint8_t *out);
apex_status secretbox_open(const uint8_t key[static 32], struct span aad, struct span sealed, uint8_t *out);

#endif
