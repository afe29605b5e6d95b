#include "common/attest/bundle.h"

#include "common/attest/signer.h"
#include "common/base/try.h"
#include "common/wire/cbor.h"

#define BUNDLE_NAME "apex/bundle/v1"

static bool fits(const struct audited *a)
{
    return a->tee.len > 0 && a->tee.len < 16 &&
           !measurement_misfit(a->tee, a->measurement.len) && a->label.len <= BUNDLE_LABEL_MAX;
}

static apex_status payload_write(const struct bundle *b, struct buffer *out)
{
    if (b->n_measurements > BUNDLE_MEASUREMENTS_MAX || b->n_sets > BUNDLE_SETS_MAX ||
        b->expires_ms < b->issued_ms)
        return APEX_E_USAGE;
    cbor_put_map(out, 5);
    cbor_put_uint(out, 1);
    cbor_put_text(out, BUNDLE_NAME);
    cbor_put_uint(out, 2);
    cbor_put_uint(out, b->issued_ms);
    cbor_put_uint(out, 3);
    cbor_put_uint(out, b->expires_ms);
    cbor_put_uint(out, 4);
    cbor_put_array(out, b->n_measurements);
    for (size_t i = 0; i < b->n_measurements; i++) {
        const struct audited *a = &b->measurements[i];
        if (!fits(a)) return APEX_E_USAGE;
        cbor_put_array(out, 3);
        cbor_put_text_span(out, a->tee);
        cbor_put_bytes(out, a->measurement);
        cbor_put_text_span(out, a->label);
    }
    cbor_put_uint(out, 5);
    cbor_put_array(out, b->n_sets);
    for (size_t i = 0; i < b->n_sets; i++) {
        BUFFER_CLEARED set = {0};
        supplements_write(&b->sets[i], &set);
        TRY(buffer_ok(&set));
        if (set.len == 0) return APEX_E_USAGE;
        cbor_put_bytes(out, buffer_span(&set));
    }
    return buffer_ok(out);
}

apex_status bundle_seal(const struct sign_secret *auditor, const struct bundle *bundle,
                        struct buffer *out)
{
    BUFFER_CLEARED payload = {.max = BUNDLE_MAX};
    TRY(payload_write(bundle, &payload));
    return cose_sign(auditor, SPAN_TEXT(BUNDLE_NAME), buffer_span(&payload), out);
}

static apex_status measurements_read(struct cursor *c, struct bundle *b)
{
    size_t n, members;
    TRY(cbor_array(c, &n));
    if (n > BUNDLE_MEASUREMENTS_MAX) return APEX_E_LIMIT;
    for (; b->n_measurements < n; b->n_measurements++) {
        struct audited *a = &b->measurements[b->n_measurements];
        TRY(cbor_array(c, &members));
        if (members != 3) return APEX_E_FORMAT;
        TRY(cbor_text(c, &a->tee));
        TRY(cbor_bytes(c, &a->measurement));
        TRY(cbor_text(c, &a->label));
        if (!fits(a)) return APEX_E_FORMAT;
        for (size_t i = 0; i < a->label.len; i++)
            if (a->label.data[i] < 0x20 || a->label.data[i] > 0x7e) return APEX_E_FORMAT;
    }
    return APEX_OK;
}

static apex_status sets_read(struct cursor *c, struct bundle *b)
{
    size_t n;
    TRY(cbor_array(c, &n));
    if (n > BUNDLE_SETS_MAX) return APEX_E_LIMIT;
    for (; b->n_sets < n; b->n_sets++) {
        struct span set;
        TRY(cbor_bytes(c, &set));
        if (set.len == 0) return APEX_E_FORMAT;
        TRY(supplements_parse(set, &b->sets[b->n_sets]));
    }
    return APEX_OK;
}

apex_status bundle_parse(struct span payload, struct bundle *b)
{
    struct cursor c = cursor_on(payload);
    size_t n;
    b->n_measurements = b->n_sets = 0;
    TRY(cbor_map(&c, &n));
    TRY(cbor_key(&c, 1));
    TRY(cbor_text_is(&c, BUNDLE_NAME));
    TRY(cbor_key(&c, 2));
    TRY(cbor_uint(&c, &b->issued_ms));
    TRY(cbor_key(&c, 3));
    TRY(cbor_uint(&c, &b->expires_ms));
    TRY(cbor_key(&c, 4));
    TRY(measurements_read(&c, b));
    TRY(cbor_key(&c, 5));
    TRY(sets_read(&c, b));
    return n == 5 && b->issued_ms <= b->expires_ms ? cursor_end(&c) : APEX_E_FORMAT;
}

apex_status bundle_open(struct span bytes, struct bundle *bundle)
{
    struct cose cose;
    *bundle = (struct bundle){0};
    if (bytes.len > BUNDLE_MAX) return APEX_E_LIMIT;
    TRY(cose_open(bytes, SPAN_TEXT(BUNDLE_NAME), &cose));
    memcpy(bundle->auditor.bytes, cose.kid, sizeof bundle->auditor.bytes);
    return bundle_parse(cose.payload, bundle);
}
