#include "common/attest/quote.h"

#include "common/base/cursor.h"
#include "common/base/endian.h"
#include "common/base/try.h"

enum { KEY_P256 = 2, NESTED = 6 };

/* Offsets within REPORT, Intel SDM volume 3D table 38-21. */
static void sgx_report_read(const uint8_t *b, struct sgx_report *r)
{
    memcpy(r->cpu_svn, b, 16);
    memcpy(r->misc_select, b + 16, 4);
    memcpy(r->attributes, b + 48, 16);
    memcpy(r->mr_enclave, b + 64, 32);
    memcpy(r->mr_signer, b + 128, 32);
    r->isv_prod_id = get_le16(b + 256);
    r->isv_svn = get_le16(b + 258);
    memcpy(r->report_data, b + 320, 64);
}

static void td_report_read(struct span body, struct td_report *r)
{
    const uint8_t *b = body.data;
    memcpy(r->tee_tcb_svn, b, 16);
    memcpy(r->mr_seam, b + 16, 48);
    memcpy(r->mr_signer_seam, b + 64, 48);
    memcpy(r->seam_attributes, b + 112, 8);
    r->attributes = get_le64(b + 120);
    r->xfam = get_le64(b + 128);
    memcpy(r->mr_td, b + 136, 48);
    memcpy(r->mr_config_id, b + 184, 48);
    memcpy(r->mr_owner, b + 232, 48);
    memcpy(r->mr_owner_config, b + 280, 48);
    memcpy(r->rtmr, b + 328, sizeof r->rtmr);
    memcpy(r->report_data, b + 520, 64);
    r->is_15 = body.len == TD_REPORT_15_LEN;
    if (!r->is_15) return;
    memcpy(r->tee_tcb_svn2, b + 584, 16);
    memcpy(r->mr_service_td, b + 600, 48);
}

/* 48 bytes: version, key type, TEE type, four bytes of versions that are told better (and
 * signed) in the QE report and the PCK certificate, vendor, 20 bytes of the vendor's own. */
static apex_status header_read(struct cursor *c, struct quote *q)
{
    static const uint8_t intel[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                      0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
    uint16_t key;
    uint32_t versions;
    struct span user_data;
    TRY(cursor_le16(c, &q->version));
    TRY(cursor_le16(c, &key));
    TRY(cursor_le32(c, &q->tee));
    TRY(cursor_le32(c, &versions));
    TRY(cursor_expect(c, SPAN(intel)));
    TRY(cursor_take(c, 20, &user_data));
    if (q->version < 3 || q->version > 5 || key != KEY_P256) return APEX_E_FORMAT;
    if (q->version == 3) return q->tee == QUOTE_TEE_SGX ? APEX_OK : APEX_E_FORMAT;
    return q->tee == QUOTE_TEE_SGX || q->tee == QUOTE_TEE_TDX ? APEX_OK : APEX_E_FORMAT;
}

/* The body's length: told by the TEE type, in version 5 by a descriptor that must agree. */
static apex_status body_len(struct cursor *c, const struct quote *q, size_t *len)
{
    static const uint32_t lens[] = {0, SGX_REPORT_LEN, TD_REPORT_LEN, TD_REPORT_15_LEN};
    uint16_t type;
    uint32_t size;
    *len = q->tee == QUOTE_TEE_SGX ? SGX_REPORT_LEN : TD_REPORT_LEN;
    if (q->version < 5) return APEX_OK;
    TRY(cursor_le16(c, &type));
    TRY(cursor_le32(c, &size));
    if (type < 1 || type > 3 || size != lens[type]) return APEX_E_FORMAT;
    if ((type == 1) != (q->tee == QUOTE_TEE_SGX)) return APEX_E_FORMAT;
    *len = size;
    return APEX_OK;
}

static apex_status body_read(struct cursor *c, struct quote *q)
{
    size_t len;
    struct span body;
    TRY(body_len(c, q, &len));
    TRY(cursor_take(c, len, &body));
    if (q->tee == QUOTE_TEE_SGX)
        sgx_report_read(body.data, &q->sgx);
    else
        td_report_read(body, &q->td);
    return APEX_OK;
}

static apex_status certified_read(struct cursor *c, struct quote *q)
{
    uint16_t auth_len;
    uint32_t size;
    TRY(cursor_take(c, SGX_REPORT_LEN, &q->qe_report_bytes));
    sgx_report_read(q->qe_report_bytes.data, &q->qe);
    TRY(cursor_copy(c, P256_LEN, q->qe_signature));
    TRY(cursor_le16(c, &auth_len));
    TRY(cursor_take(c, auth_len, &q->qe_auth));
    TRY(cursor_le16(c, &q->certification));
    TRY(cursor_le32(c, &size));
    TRY(cursor_take(c, size, &q->certification_data));
    return cursor_end(c);
}

/* From version 4 on what certifies the key is wrapped once more, as certification data of kind
 * 6 that fills the rest. */
static apex_status signature_read(struct span bytes, struct quote *q)
{
    struct cursor c = cursor_on(bytes);
    uint16_t kind;
    uint32_t size;
    TRY(cursor_copy(&c, P256_LEN, q->signature));
    TRY(cursor_copy(&c, P256_LEN, q->attestation_key));
    if (q->version >= 4) {
        TRY(cursor_le16(&c, &kind));
        TRY(cursor_le32(&c, &size));
        if (kind != NESTED || size != cursor_left(&c)) return APEX_E_FORMAT;
    }
    return certified_read(&c, q);
}

apex_status quote_parse(struct span bytes, struct quote *q)
{
    struct cursor c = cursor_on(bytes);
    uint32_t len;
    struct span signature;
    *q = (struct quote){0};
    if (bytes.len > QUOTE_MAX) return APEX_E_LIMIT;
    TRY(header_read(&c, q));
    TRY(body_read(&c, q));
    q->signed_part = span_of(bytes.data, bytes.len - cursor_left(&c));
    TRY(cursor_le32(&c, &len));
    TRY(cursor_take(&c, len, &signature));
    return signature_read(signature, q);
}
