/* COSE_Sign1 objects signed and checked with our Ed25519 keys: common/wire/cose.h joined with
 * common/crypto/sign.h. */
#ifndef COMMON_ATTEST_SIGNER_H
#define COMMON_ATTEST_SIGNER_H

#include "common/crypto/sign.h"
#include "common/wire/cose.h"

/* Appends COSE_Sign1(payload) by `key` to `out`. `aad` separates domains:
 * SPAN_TEXT("apex/act/v1") and the like. */
apex_status cose_sign(const struct sign_secret *key, struct span aad, struct span payload,
                      struct buffer *out);
/* Parses and checks against the key named in the object itself; who that key is, is for the
 * caller to judge. */
apex_status cose_open(struct span bytes, struct span aad, struct cose *cose);

#endif
