/* HKDF-SHA256 (RFC 5869) and Argon2id for passphrases. */
#ifndef COMMON_CRYPTO_KDF_H
#define COMMON_CRYPTO_KDF_H

#include "common/base/span.h"
#include "include/apex/status.h"

void hkdf_extract(struct span salt, struct span ikm, uint8_t prk[static 32]);
/* len at most 255 * 32. */
apex_status hkdf_expand(const uint8_t prk[static 32], struct span info, uint8_t *out, size_t len);

enum { PASSPHRASE_SALT_LEN = 16 };
/* Argon2id, libsodium's MODERATE limits (256 MiB, 3 passes). APEX_E_MEMORY when the machine has not that much. */
apex_status kdf_passphrase(struct span passphrase, const uint8_t salt[static PASSPHRASE_SALT_LEN], uint8_t key[static 32]);

#endif
