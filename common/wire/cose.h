/* COSE_Sign1 with Ed25519. Source: RFC 9052 sections 4.2 and 4.4; RFC 9053 section 2.2 (EdDSA,
 * alg -8).
 *
 * The form is one, so that bytes are comparable: no tag, protected header {1: -8, 4: kid}, kid
 * the 32-byte public key, empty unprotected header, payload inside, external_aad as given. wire
 * has no crypto door, so signing and checking are passed in as functions; enclave and client
 * hand in thin wrappers of common/crypto/sign.h (see common/attest/signer.h). */
#ifndef COMMON_WIRE_COSE_H
#define COMMON_WIRE_COSE_H

#include "common/wire/cbor.h"

enum { COSE_KID_LEN = 32, COSE_SIGNATURE_LEN = 64 };

struct cose {
    struct span protected_header; /* the bstr's content */
    uint8_t kid[COSE_KID_LEN];
    struct span payload;
    uint8_t signature[COSE_SIGNATURE_LEN];
};

/* Parses the one form; checks no signature. */
apex_status cose_parse(struct span bytes, struct cose *cose);
/* Appends the protected header's content for a key. */
void cose_protected(const uint8_t kid[static COSE_KID_LEN], struct buffer *out);
/* Appends Sig_structure ["Signature1", protected, aad, payload]: the bytes that are signed. */
void cose_to_sign(struct span protected_header, struct span aad, struct span payload,
                  struct buffer *out);
/* Appends the COSE_Sign1. */
void cose_write(const uint8_t kid[static COSE_KID_LEN], struct span payload,
                const uint8_t signature[static COSE_SIGNATURE_LEN], struct buffer *out);

#endif
