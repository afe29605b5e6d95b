/* The AWS Nitro attestation document: COSE_Sign1 (RFC 9052 section 4.2) over a CBOR map.
 * Source: aws/aws-nitro-enclaves-nsm-api, docs/attestation_process.md. */
#ifndef COMMON_ATTEST_NITRO_DOCUMENT_H
#define COMMON_ATTEST_NITRO_DOCUMENT_H

#include "common/base/buffer.h"

enum {
    NITRO_PCRS = 32,
    NITRO_PCR_MAX = 64,
    NITRO_DOCUMENT_MAX = 24 * 1024, /* the NSM answers with at most 12 KiB */
    NITRO_SIGNATURE_LEN = 96,
    NITRO_MODULE_ID_MAX = 128,
    NITRO_CERTIFICATE_MAX = 1024,
    NITRO_CABUNDLE_MAX = 5,
    NITRO_FIELD_MAX = 1024 /* public_key, user_data; nonce 512 */
};

struct nitro_pcr {
    uint8_t len, bytes[NITRO_PCR_MAX]; /* len 0: not in the document */
};
struct nitro_field {
    bool there;
    uint16_t len;
    uint8_t bytes[NITRO_FIELD_MAX];
};
/* What a genuine document says. */
struct nitro_claims {
    char module_id[NITRO_MODULE_ID_MAX + 1];
    uint64_t timestamp_ms;
    struct nitro_pcr pcr[NITRO_PCRS];
    struct nitro_field public_key, user_data, nonce;
};
/* The same and what vouches for it; spans point into the bytes parsed. */
struct nitro_document {
    struct nitro_claims claims;
    struct span protected_header, payload, signature;
    struct span certificate, cabundle[NITRO_CABUNDLE_MAX];
    size_t n_cabundle;
};

/* Exactly one document: definite or indefinite maps and arrays, whole strings, no member twice,
 * nothing after it. APEX_E_FORMAT, APEX_E_LIMIT. */
apex_status nitro_document_parse(struct span bytes, struct nitro_document *d);
/* The bytes the signature covers, appended to `out`. */
void nitro_to_be_signed(const struct nitro_document *d, struct buffer *out);
/* PCR 0, 1 and 2 are all zero: the enclave runs in debug mode. */
bool nitro_is_debug(const struct nitro_claims *c);

#endif
