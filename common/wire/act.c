#include "common/wire/act.h"

#include "common/base/try.h"
#include "common/wire/cbor.h"
#include "common/wire/manifest.h"

static void body_write(const struct act *a, struct buffer *b)
{
    switch (a->kind) {
    case ACT_CONTRIBUTE:
        cbor_put_map(b, 2);
        cbor_put_uint(b, 1);
        cbor_put_text_span(b, a->name);
        cbor_put_uint(b, 2);
        cbor_put_bytes(b, SPAN(a->blob));
        return;
    case ACT_WITHDRAW:
        cbor_put_map(b, 1);
        cbor_put_uint(b, 1);
        cbor_put_uint(b, a->index);
        return;
    case ACT_RUN:
        cbor_put_map(b, a->has_rows ? 4 : 3);
        cbor_put_uint(b, 1);
        cbor_put_text_span(b, a->name);
        cbor_put_uint(b, 2);
        cbor_put_bytes(b, SPAN(a->request_digest));
        cbor_put_uint(b, 3);
        cbor_put_bytes(b, SPAN(a->blob));
        if (!a->has_rows) return;
        cbor_put_uint(b, 4);
        cbor_put_bytes(b, SPAN(a->rows));
        return;
    case ACT_DEPLOY:
    case ACT_ACCEPT:
    case ACT_CLOSE: cbor_put_map(b, 0); return;
    }
}

void act_write(const struct act *act, struct buffer *b)
{
    cbor_put_map(b, 7);
    cbor_put_uint(b, 1);
    cbor_put_text(b, ACT_AAD);
    cbor_put_uint(b, 2);
    cbor_put_uint(b, (uint64_t)act->kind);
    cbor_put_uint(b, 3);
    cbor_put_bytes(b, SPAN(act->address));
    cbor_put_uint(b, 4);
    cbor_put_uint(b, act->time_ms);
    cbor_put_uint(b, 5);
    cbor_put_bytes(b, SPAN(act->nonce));
    cbor_put_uint(b, 6);
    cbor_put_array(b, 2);
    cbor_put_uint(b, act->seen_size);
    cbor_put_bytes(b, SPAN(act->seen_root));
    cbor_put_uint(b, 7);
    body_write(act, b);
}

static apex_status name_parse(struct cursor *c, struct span *name)
{
    TRY(cbor_text(c, name));
    return name->len >= 1 && name->len <= NAME_MAX_LEN ? APEX_OK : APEX_E_FORMAT;
}

static apex_status run_parse(struct cursor *c, size_t n, struct act *a)
{
    TRY(cbor_key(c, 1));
    TRY(name_parse(c, &a->name));
    TRY(cbor_key(c, 2));
    TRY(cbor_bytes_exact(c, a->request_digest, 32));
    TRY(cbor_key(c, 3));
    TRY(cbor_bytes_exact(c, a->blob, 32));
    a->has_rows = n == 4;
    if (n == 3) return APEX_OK;
    TRY(cbor_key(c, 4));
    TRY(cbor_bytes_exact(c, a->rows, 32));
    return n == 4 ? APEX_OK : APEX_E_FORMAT;
}

static apex_status contribute_parse(struct cursor *c, size_t n, struct act *a)
{
    TRY(cbor_key(c, 1));
    TRY(name_parse(c, &a->name));
    TRY(cbor_key(c, 2));
    TRY(cbor_bytes_exact(c, a->blob, 32));
    return n == 2 ? APEX_OK : APEX_E_FORMAT;
}

static apex_status body_parse(struct cursor *c, struct act *a)
{
    size_t n;
    TRY(cbor_map(c, &n));
    switch (a->kind) {
    case ACT_CONTRIBUTE: return contribute_parse(c, n, a);
    case ACT_RUN: return run_parse(c, n, a);
    case ACT_WITHDRAW:
        TRY(cbor_key(c, 1));
        TRY(cbor_uint(c, &a->index));
        return n == 1 ? APEX_OK : APEX_E_FORMAT;
    case ACT_DEPLOY:
    case ACT_ACCEPT:
    case ACT_CLOSE: return n == 0 ? APEX_OK : APEX_E_FORMAT;
    }
    return APEX_E_FORMAT;
}

static apex_status seen_parse(struct cursor *c, struct act *a)
{
    size_t n;
    TRY(cbor_array(c, &n));
    TRY(cbor_uint(c, &a->seen_size));
    TRY(cbor_bytes_exact(c, a->seen_root, 32));
    return n == 2 ? APEX_OK : APEX_E_FORMAT;
}

apex_status act_parse(struct span payload, struct act *act)
{
    struct cursor c = cursor_on(payload);
    size_t n;
    uint64_t kind;
    *act = (struct act){0};
    TRY(cbor_map(&c, &n));
    if (n != 7) return APEX_E_FORMAT;
    TRY(cbor_key(&c, 1));
    TRY(cbor_text_is(&c, ACT_AAD));
    TRY(cbor_key(&c, 2));
    TRY(cbor_uint(&c, &kind));
    if (kind < ACT_DEPLOY || kind > ACT_CLOSE) return APEX_E_FORMAT;
    act->kind = (enum act_kind)kind;
    TRY(cbor_key(&c, 3));
    TRY(cbor_bytes_exact(&c, act->address, 32));
    TRY(cbor_key(&c, 4));
    TRY(cbor_uint(&c, &act->time_ms));
    TRY(cbor_key(&c, 5));
    TRY(cbor_bytes_exact(&c, act->nonce, ACT_NONCE_LEN));
    TRY(cbor_key(&c, 6));
    TRY(seen_parse(&c, act));
    TRY(cbor_key(&c, 7));
    TRY(body_parse(&c, act));
    return cursor_end(&c);
}
