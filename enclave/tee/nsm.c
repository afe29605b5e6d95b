#include "enclave/tee/nsm.h"

#include "common/base/try.h"
#include "common/wire/cbor.h"

static apex_status ask(const struct nsm *n, const struct buffer *request,
                       struct buffer *response)
{
    TRY(buffer_ok(request));
    if (request->len > NSM_REQUEST_MAX) return APEX_E_LIMIT;
    uint8_t *room = buffer_reserve(response, NSM_RESPONSE_MAX);
    if (!room) return APEX_E_MEMORY;
    long len = n->ask(n->context, buffer_span(request), room, NSM_RESPONSE_MAX);
    if (len <= 0 || len > NSM_RESPONSE_MAX) return APEX_E_IO;
    response->len = (size_t)len;
    return APEX_OK;
}

/* {NAME: {…}}; {"Error": text} is the device's no. */
static apex_status answer_open(struct cursor *c, const char *name, size_t *n)
{
    struct span key;
    TRY(cbor_map(c, n));
    TRY(cbor_text(c, &key));
    if (*n != 1) return APEX_E_FORMAT;
    if (span_equal(key, SPAN_TEXT("Error"))) return APEX_E_REFUSED;
    if (!span_equal(key, span_text(name))) return APEX_E_FORMAT;
    return cbor_map(c, n);
}

apex_status nsm_attest(const struct nsm *n, const uint8_t report_data[static REPORT_DATA_LEN],
                       struct buffer *document)
{
    BUFFER_CLEARED request = {0};
    BUFFER_CLEARED response = {0};
    struct span bytes;
    size_t fields;
    cbor_put_map(&request, 1);
    cbor_put_text(&request, "Attestation");
    cbor_put_map(&request, 3);
    cbor_put_text(&request, "nonce");
    cbor_put_null(&request);
    cbor_put_text(&request, "user_data");
    cbor_put_bytes(&request, span_of(report_data, REPORT_DATA_LEN));
    cbor_put_text(&request, "public_key");
    cbor_put_null(&request);
    TRY(ask(n, &request, &response));
    struct cursor c = cursor_on(buffer_span(&response));
    TRY(answer_open(&c, "Attestation", &fields));
    if (fields != 1) return APEX_E_FORMAT;
    TRY(cbor_text_is(&c, "document"));
    TRY(cbor_bytes(&c, &bytes));
    TRY(cursor_end(&c));
    if (bytes.len == 0) return APEX_E_FORMAT;
    buffer_append(document, bytes);
    return buffer_ok(document);
}

/* {"DescribePCR": {"lock": bool, "data": bytes}} in whatever order. */
apex_status nsm_pcr(const struct nsm *n, unsigned index, uint8_t pcr[static 48])
{
    BUFFER_CLEARED request = {0};
    BUFFER_CLEARED response = {0};
    struct span key;
    size_t fields;
    bool found = false, lock;
    cbor_put_map(&request, 1);
    cbor_put_text(&request, "DescribePCR");
    cbor_put_map(&request, 1);
    cbor_put_text(&request, "index");
    cbor_put_uint(&request, index);
    TRY(ask(n, &request, &response));
    struct cursor c = cursor_on(buffer_span(&response));
    TRY(answer_open(&c, "DescribePCR", &fields));
    for (size_t i = 0; i < fields; i++) {
        TRY(cbor_text(&c, &key));
        if (span_equal(key, SPAN_TEXT("data")) && !found) {
            TRY(cbor_bytes_exact(&c, pcr, 48));
            found = true;
        } else {
            TRY(cbor_bool(&c, &lock));
        }
    }
    TRY(cursor_end(&c));
    return found ? APEX_OK : APEX_E_FORMAT;
}
