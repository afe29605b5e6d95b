#include "common/attest/signer.h"

#include "common/base/try.h"

apex_status cose_sign(const struct sign_secret *key, struct span aad, struct span payload,
                      struct buffer *out)
{
    BUFFER_CLEARED header = {0};
    BUFFER_CLEARED signed_bytes = {0};
    struct sign_public public_key;
    uint8_t signature[SIGNATURE_LEN];
    sign_public_of(key, &public_key);
    cose_protected(public_key.bytes, &header);
    TRY(buffer_ok(&header));
    cose_to_sign(buffer_span(&header), aad, payload, &signed_bytes);
    TRY(buffer_ok(&signed_bytes));
    sign_bytes(key, buffer_span(&signed_bytes), signature);
    cose_write(public_key.bytes, payload, signature, out);
    return buffer_ok(out);
}

apex_status cose_open(struct span bytes, struct span aad, struct cose *cose)
{
    BUFFER_CLEARED signed_bytes = {0};
    struct sign_public key;
    TRY(cose_parse(bytes, cose));
    cose_to_sign(cose->protected_header, aad, cose->payload, &signed_bytes);
    TRY(buffer_ok(&signed_bytes));
    memcpy(key.bytes, cose->kid, sizeof key.bytes);
    return sign_check(&key, buffer_span(&signed_bytes), cose->signature);
}
