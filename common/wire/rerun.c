#include "common/wire/rerun.h"

#include "common/base/try.h"
#include "common/wire/cbor.h"

void rerun_write(const struct rerun *r, struct buffer *payload)
{
    cbor_put_map(payload, 4);
    cbor_put_uint(payload, 1);
    cbor_put_text(payload, RERUN_AAD);
    cbor_put_uint(payload, 2);
    cbor_put_bytes(payload, SPAN(r->address));
    cbor_put_uint(payload, 3);
    cbor_put_uint(payload, r->run);
    cbor_put_uint(payload, 4);
    cbor_put_uint(payload, r->time_ms);
}

apex_status rerun_parse(struct span payload, struct rerun *r)
{
    struct cursor c = cursor_on(payload);
    size_t n;
    TRY(cbor_map(&c, &n));
    if (n != 4) return APEX_E_FORMAT;
    TRY(cbor_key(&c, 1));
    TRY(cbor_text_is(&c, RERUN_AAD));
    TRY(cbor_key(&c, 2));
    TRY(cbor_bytes_exact(&c, r->address, sizeof r->address));
    TRY(cbor_key(&c, 3));
    TRY(cbor_uint(&c, &r->run));
    TRY(cbor_key(&c, 4));
    TRY(cbor_uint(&c, &r->time_ms));
    return cursor_end(&c);
}

void body_rerun_write(const struct body_rerun *b, struct buffer *out)
{
    cbor_put_map(out, 3);
    cbor_put_uint(out, 1);
    cbor_put_bool(out, b->same);
    cbor_put_uint(out, 2);
    cbor_put_bytes(out, SPAN(b->output));
    cbor_put_uint(out, 3);
    cbor_put_uint(out, b->result);
}

apex_status body_rerun_parse(struct span bytes, struct body_rerun *b)
{
    struct cursor c = cursor_on(bytes);
    size_t n;
    TRY(cbor_map(&c, &n));
    if (n != 3) return APEX_E_FORMAT;
    TRY(cbor_key(&c, 1));
    TRY(cbor_bool(&c, &b->same));
    TRY(cbor_key(&c, 2));
    TRY(cbor_bytes_exact(&c, b->output, sizeof b->output));
    TRY(cbor_key(&c, 3));
    TRY(cbor_uint(&c, &b->result));
    return cursor_end(&c);
}
