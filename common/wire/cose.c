#include "common/wire/cose.h"

#include "common/base/try.h"

enum { LABEL_ALG = 1, LABEL_KID = 4, ALG_EDDSA = -8 };

static apex_status protected_parse(struct span bytes, uint8_t kid[static COSE_KID_LEN])
{
    struct cursor c = cursor_on(bytes);
    size_t n;
    int64_t alg;
    TRY(cbor_map(&c, &n));
    TRY(cbor_key(&c, LABEL_ALG));
    TRY(cbor_int(&c, &alg));
    TRY(cbor_key(&c, LABEL_KID));
    TRY(cbor_bytes_exact(&c, kid, COSE_KID_LEN));
    if (n != 2 || alg != ALG_EDDSA) return APEX_E_FORMAT;
    return cursor_end(&c);
}

apex_status cose_parse(struct span bytes, struct cose *cose)
{
    struct cursor c = cursor_on(bytes);
    struct cose got;
    size_t n, unprotected;
    TRY(cbor_array(&c, &n));
    TRY(cbor_bytes(&c, &got.protected_header));
    TRY(cbor_map(&c, &unprotected));
    TRY(cbor_bytes(&c, &got.payload));
    TRY(cbor_bytes_exact(&c, got.signature, COSE_SIGNATURE_LEN));
    if (n != 4 || unprotected != 0) return APEX_E_FORMAT;
    TRY(cursor_end(&c));
    TRY(protected_parse(got.protected_header, got.kid));
    *cose = got;
    return APEX_OK;
}

void cose_protected(const uint8_t kid[static COSE_KID_LEN], struct buffer *out)
{
    cbor_put_map(out, 2);
    cbor_put_uint(out, LABEL_ALG);
    cbor_put_int(out, ALG_EDDSA);
    cbor_put_uint(out, LABEL_KID);
    cbor_put_bytes(out, span_of(kid, COSE_KID_LEN));
}

void cose_to_sign(struct span protected_header, struct span aad, struct span payload,
                  struct buffer *out)
{
    cbor_put_array(out, 4);
    cbor_put_text(out, "Signature1");
    cbor_put_bytes(out, protected_header);
    cbor_put_bytes(out, aad);
    cbor_put_bytes(out, payload);
}

void cose_write(const uint8_t kid[static COSE_KID_LEN], struct span payload,
                const uint8_t signature[static COSE_SIGNATURE_LEN], struct buffer *out)
{
    BUFFER_CLEARED header = {0};
    cose_protected(kid, &header);
    cbor_put_array(out, 4);
    cbor_put_bytes(out, buffer_span(&header));
    cbor_put_map(out, 0);
    cbor_put_bytes(out, payload);
    cbor_put_bytes(out, span_of(signature, COSE_SIGNATURE_LEN));
    if (header.bad != APEX_OK && out->bad == APEX_OK) out->bad = header.bad;
}
