/* HKDF-SHA256 (RFC 5869) and Argon2id (RFC 9106) for passphrases.
 * Constant time in: salt, ikm, prk, info and the passphrase's bytes, not in their lengths;
 * Argon2id's second half of the first pass and later passes address memory by the passphrase,
 * as RFC 9106 section 3.4.1.3 has it. */
#ifndef COMMON_CRYPTO_KDF_H
#define COMMON_CRYPTO_KDF_H

#include "common/base/span.h"
#include "include/apex/status.h"

enum { HKDF_EXPAND_MAX = 255 * 32, PASSPHRASE_SALT_LEN = 16, PASSPHRASE_MAX = 1 << 20 };

void hkdf_extract(struct span salt, struct span ikm, uint8_t prk[static 32]);
/* APEX_E_USAGE: len above HKDF_EXPAND_MAX. */
apex_status hkdf_expand(const uint8_t prk[static 32], struct span info, uint8_t *out,
                        size_t len);

/* The same with ikm, or info, in pieces that count as joined. */
void hkdf_extract_parts(struct span salt, const struct span *ikm, size_t n_parts,
                        uint8_t prk[static 32]);
apex_status hkdf_expand_parts(const uint8_t prk[static 32], const struct span *info,
                              size_t n_parts, uint8_t *out, size_t len);

/* Argon2id, libsodium's MODERATE limits (256 MiB, 3 passes). APEX_E_MEMORY when the machine has
 * not that much; APEX_E_USAGE: a passphrase above PASSPHRASE_MAX bytes. */
apex_status kdf_passphrase(struct span passphrase,
                           const uint8_t salt[static PASSPHRASE_SALT_LEN],
                           uint8_t key[static 32]);

#endif
