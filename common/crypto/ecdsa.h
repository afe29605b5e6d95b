/* ECDSA on secp256k1 with public key recovery, as Ethereum's ecrecover checks it: nonces of RFC
 * 6979, s in the lower half (EIP-2), the recovery bit beside it. The message is a 32-byte
 * digest. Constant time in: the secret key. Source: SEC 1 sections 2.3, 4.1.3 and 4.1.6; EIP-2.
 */
#ifndef COMMON_CRYPTO_ECDSA_H
#define COMMON_CRYPTO_ECDSA_H

#include "common/base/span.h"
#include "common/base/wipe.h"
#include "include/apex/status.h"

enum { ECDSA_PUBLIC_LEN = 33, ECDSA_SECRET_LEN = 32, ECDSA_ADDRESS_LEN = 20 };

struct ecdsa_public {
    uint8_t bytes[ECDSA_PUBLIC_LEN]; /* compressed */
};
struct ecdsa_secret {
    uint8_t bytes[ECDSA_SECRET_LEN]; /* big-endian */
};
WIPED_DEFINE(ecdsa_secret)
struct ecdsa_signature {
    uint8_t r[32], s[32]; /* big-endian */
    uint8_t parity;       /* 0 or 1: of the y of R */
};

/* APEX_E_USAGE: the 32 bytes are 0 or not below the group's order (never seen of a hash). */
apex_status ecdsa_from_seed(const uint8_t seed[static ECDSA_SECRET_LEN],
                            struct ecdsa_public *public_key, struct ecdsa_secret *secret);
/* APEX_E_USAGE: `secret` is no key. */
apex_status ecdsa_sign(const struct ecdsa_secret *secret, const uint8_t digest[static 32],
                       struct ecdsa_signature *signature);
/* The one key this signature of the digest is by. APEX_E_UNTRUSTED: none, or s is in the upper
 * half, or the parity is neither 0 nor 1. */
apex_status ecdsa_recover(const struct ecdsa_signature *signature,
                          const uint8_t digest[static 32], struct ecdsa_public *public_key);
/* Ethereum's address of a key: the last 20 bytes of Keccak-256 over x || y. APEX_E_FORMAT: the
 * bytes are no point of the curve. */
apex_status ecdsa_address(const struct ecdsa_public *public_key,
                          uint8_t address[static ECDSA_ADDRESS_LEN]);

#endif
