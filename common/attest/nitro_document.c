#include "common/attest/nitro_document.h"

#include "common/base/try.h"
#include "common/wire/cbor.h"

enum {
    KEYS_MAX = 16, /* members of the payload map */
    BREAK = 0xff,  /* RFC 8949 section 3.2.1 */
    MAP_OPEN = 0xbf,
    ARRAY_OPEN = 0x9f,
    TAG_COSE_SIGN1 = 0xd2,
    NONCE_MAX = 512
};

/* A map or array whose members are read one by one. Since 2025 AWS writes the payload map with
 * indefinite length; strings in pieces are still refused (cbor_bytes knows none). */
struct members {
    bool open;
    size_t left;
};

static apex_status members_begin(struct cursor *c, uint8_t open_head, struct members *m)
{
    m->open = cursor_left(c) > 0 && *c->at == open_head;
    m->left = 0;
    if (m->open) {
        c->at++;
        return APEX_OK;
    }
    return open_head == MAP_OPEN ? cbor_map(c, &m->left) : cbor_array(c, &m->left);
}

/* Whether another one follows; consumes the end of an open one. */
static bool members_next(struct cursor *c, struct members *m)
{
    if (!m->open) return m->left > 0 && m->left--;
    if (cursor_left(c) == 0 || *c->at != BREAK) return true; /* an end that lacks fails below */
    c->at++;
    return false;
}

static apex_status bounded(struct cursor *c, size_t min, size_t max, struct span *bytes)
{
    TRY(cbor_bytes(c, bytes));
    return bytes->len >= min && bytes->len <= max ? APEX_OK : APEX_E_FORMAT;
}

static apex_status pcrs_read(struct cursor *c, struct nitro_document *d)
{
    struct members m;
    TRY(members_begin(c, MAP_OPEN, &m));
    while (members_next(c, &m)) {
        uint64_t at;
        struct span value;
        TRY(cbor_uint(c, &at));
        TRY(cbor_bytes(c, &value));
        if (at >= NITRO_PCRS || (value.len != 32 && value.len != 48 && value.len != 64))
            return APEX_E_FORMAT;
        struct nitro_pcr *pcr = &d->claims.pcr[at];
        if (pcr->len) return APEX_E_FORMAT; /* twice */
        pcr->len = (uint8_t)value.len;
        memcpy(pcr->bytes, value.data, value.len);
    }
    return APEX_OK;
}

static apex_status cabundle_read(struct cursor *c, struct nitro_document *d)
{
    struct members m;
    TRY(members_begin(c, ARRAY_OPEN, &m));
    while (members_next(c, &m)) {
        if (d->n_cabundle == NITRO_CABUNDLE_MAX) return APEX_E_FORMAT;
        TRY(bounded(c, 1, NITRO_CERTIFICATE_MAX, &d->cabundle[d->n_cabundle++]));
    }
    return d->n_cabundle > 0 ? APEX_OK : APEX_E_FORMAT;
}

/* Absent, null, or up to `max` bytes. */
static apex_status optional_read(struct cursor *c, size_t max, struct nitro_field *field)
{
    struct span bytes;
    if (cbor_null(c) == APEX_OK) return APEX_OK;
    TRY(bounded(c, 0, max, &bytes));
    field->there = true;
    field->len = (uint16_t)bytes.len;
    if (bytes.len) memcpy(field->bytes, bytes.data, bytes.len);
    return APEX_OK;
}

static apex_status module_read(struct cursor *c, struct nitro_document *d)
{
    struct span text;
    TRY(cbor_text(c, &text));
    if (text.len == 0 || text.len > NITRO_MODULE_ID_MAX) return APEX_E_FORMAT;
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < 0x21 || text.data[i] > 0x7e) return APEX_E_FORMAT;
    memcpy(d->claims.module_id, text.data, text.len);
    return APEX_OK;
}

static apex_status value_read(struct cursor *c, struct span key, struct nitro_document *d)
{
    struct nitro_claims *says = &d->claims;
    if (span_equal(key, SPAN_TEXT("module_id"))) return module_read(c, d);
    if (span_equal(key, SPAN_TEXT("digest"))) return cbor_text_is(c, "SHA384");
    if (span_equal(key, SPAN_TEXT("timestamp"))) return cbor_uint(c, &says->timestamp_ms);
    if (span_equal(key, SPAN_TEXT("pcrs"))) return pcrs_read(c, d);
    if (span_equal(key, SPAN_TEXT("certificate")))
        return bounded(c, 1, NITRO_CERTIFICATE_MAX, &d->certificate);
    if (span_equal(key, SPAN_TEXT("cabundle"))) return cabundle_read(c, d);
    if (span_equal(key, SPAN_TEXT("public_key")))
        return optional_read(c, NITRO_FIELD_MAX, &says->public_key);
    if (span_equal(key, SPAN_TEXT("user_data")))
        return optional_read(c, NITRO_FIELD_MAX, &says->user_data);
    if (span_equal(key, SPAN_TEXT("nonce"))) return optional_read(c, NONCE_MAX, &says->nonce);
    return cbor_skip(c, NULL); /* a member AWS may add: signed, whole, and of no meaning here */
}

static bool lacks(const struct span *keys, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (span_equal(keys[i], span_text(name))) return false;
    return true;
}

static apex_status payload_read(struct nitro_document *d)
{
    static const char *const needed[] = {"module_id", "digest",      "timestamp",
                                         "pcrs",      "certificate", "cabundle"};
    struct cursor c = cursor_on(d->payload);
    struct span keys[KEYS_MAX];
    struct members m;
    size_t n = 0;
    TRY(members_begin(&c, MAP_OPEN, &m));
    while (members_next(&c, &m)) {
        if (n == KEYS_MAX) return APEX_E_FORMAT;
        TRY(cbor_text(&c, &keys[n]));
        for (size_t i = 0; i < n; i++)
            if (span_equal(keys[i], keys[n])) return APEX_E_FORMAT; /* twice */
        TRY(value_read(&c, keys[n++], d));
    }
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (lacks(keys, n, needed[i])) return APEX_E_FORMAT;
    for (size_t i = 0; i < 3; i++)
        if (d->claims.pcr[i].len == 0) return APEX_E_FORMAT;
    return cursor_end(&c);
}

/* RFC 9052 section 4.2: [protected, unprotected, payload, signature], with or without its tag.
 * The algorithm is that of the protected header, ES384 (-35), and nothing stands beside it. */
apex_status nitro_document_parse(struct span bytes, struct nitro_document *d)
{
    static const uint8_t es384[] = {0xa1, 0x01, 0x38, 0x22};
    struct cursor c = cursor_on(bytes);
    size_t n;
    *d = (struct nitro_document){0};
    if (bytes.len > NITRO_DOCUMENT_MAX) return APEX_E_LIMIT;
    if (bytes.len > 0 && *c.at == TAG_COSE_SIGN1) c.at++;
    TRY(cbor_array(&c, &n));
    if (n != 4) return APEX_E_FORMAT;
    TRY(cbor_bytes(&c, &d->protected_header));
    if (!span_equal(d->protected_header, SPAN(es384))) return APEX_E_FORMAT;
    TRY(cbor_map(&c, &n));
    if (n != 0) return APEX_E_FORMAT;
    TRY(cbor_bytes(&c, &d->payload));
    TRY(cbor_bytes(&c, &d->signature));
    if (d->signature.len != NITRO_SIGNATURE_LEN) return APEX_E_FORMAT;
    TRY(cursor_end(&c));
    return payload_read(d);
}

/* RFC 9052 section 4.4: ["Signature1", protected, external_aad (none), payload]. */
void nitro_to_be_signed(const struct nitro_document *d, struct buffer *out)
{
    cbor_put_array(out, 4);
    cbor_put_text(out, "Signature1");
    cbor_put_bytes(out, d->protected_header);
    cbor_put_bytes(out, (struct span){0});
    cbor_put_bytes(out, d->payload);
}

static bool zero(const struct nitro_pcr *pcr)
{
    uint8_t any = 0;
    for (size_t i = 0; i < pcr->len; i++)
        any |= pcr->bytes[i];
    return any == 0;
}

bool nitro_is_debug(const struct nitro_claims *c)
{
    return zero(&c->pcr[0]) && zero(&c->pcr[1]) && zero(&c->pcr[2]);
}
