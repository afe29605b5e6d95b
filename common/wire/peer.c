#include "common/wire/peer.h"

#include "common/base/try.h"
#include "common/wire/cbor.h"

#define SHARE_NAME "apex/share/v1"

static void put(struct buffer *b, uint64_t key, const uint8_t *bytes, size_t len)
{
    cbor_put_uint(b, key);
    cbor_put_bytes(b, span_of(bytes, len));
}

static void put_number(struct buffer *b, uint64_t key, uint64_t value)
{
    cbor_put_uint(b, key);
    cbor_put_uint(b, value);
}

static apex_status get(struct cursor *c, uint64_t key, uint8_t *out, size_t len)
{
    TRY(cbor_key(c, key));
    return cbor_bytes_exact(c, out, len);
}

static apex_status get_span(struct cursor *c, uint64_t key, size_t max, struct span *out)
{
    TRY(cbor_key(c, key));
    TRY(cbor_bytes(c, out));
    return out->len > 0 && out->len <= max ? APEX_OK : APEX_E_FORMAT;
}

static apex_status get_number(struct cursor *c, uint64_t key, unsigned min, unsigned max,
                              unsigned *out)
{
    uint64_t value;
    TRY(cbor_key(c, key));
    TRY(cbor_uint(c, &value));
    *out = (unsigned)value;
    return value >= min && value <= max ? APEX_OK : APEX_E_FORMAT;
}

static apex_status open_map(struct cursor *c, struct span bytes, size_t wanted)
{
    size_t n;
    *c = cursor_on(bytes);
    TRY(cbor_map(c, &n));
    return n == wanted ? APEX_OK : APEX_E_FORMAT;
}

void peer_hello_write(const struct peer_hello *h, struct buffer *out)
{
    cbor_put_map(out, 6);
    put(out, 1, h->evidence.data, h->evidence.len);
    put(out, 2, h->identity, 32);
    put(out, 3, h->identity_seal, 32);
    put(out, 4, h->log_key, 32);
    put(out, 5, h->chain_key, 33);
    put(out, 6, h->nonce, 32);
}

apex_status peer_hello_parse(struct span bytes, struct peer_hello *h)
{
    struct cursor c;
    TRY(open_map(&c, bytes, 6));
    TRY(get_span(&c, 1, PEER_EVIDENCE_MAX, &h->evidence));
    TRY(get(&c, 2, h->identity, 32));
    TRY(get(&c, 3, h->identity_seal, 32));
    TRY(get(&c, 4, h->log_key, 32));
    TRY(get(&c, 5, h->chain_key, 33));
    TRY(get(&c, 6, h->nonce, 32));
    return cursor_end(&c);
}

void peer_offer_write(const struct peer_offer *o, struct buffer *out)
{
    cbor_put_map(out, 6);
    put(out, 1, o->evidence.data, o->evidence.len);
    put(out, 2, o->identity, 32);
    put(out, 3, o->identity_seal, 32);
    put(out, 4, o->nonce, 32);
    put(out, 5, o->giver_nonce, 32);
    put(out, 6, o->signature, 64);
}

apex_status peer_offer_parse(struct span bytes, struct peer_offer *o)
{
    struct cursor c;
    TRY(open_map(&c, bytes, 6));
    TRY(get_span(&c, 1, PEER_EVIDENCE_MAX, &o->evidence));
    TRY(get(&c, 2, o->identity, 32));
    TRY(get(&c, 3, o->identity_seal, 32));
    TRY(get(&c, 4, o->nonce, 32));
    TRY(get(&c, 5, o->giver_nonce, 32));
    TRY(get(&c, 6, o->signature, 64));
    return cursor_end(&c);
}

void peer_grant_write(const struct peer_grant *g, struct buffer *out)
{
    cbor_put_map(out, 5);
    put(out, 1, g->giver_nonce, 32);
    put(out, 2, g->sealed, ROOT_SEALED_LEN);
    put(out, 3, g->note.data, g->note.len);
    put_number(out, 4, g->index);
    put(out, 5, g->signature, 64);
}

apex_status peer_grant_parse(struct span bytes, struct peer_grant *g)
{
    struct cursor c;
    TRY(open_map(&c, bytes, 5));
    TRY(get(&c, 1, g->giver_nonce, 32));
    TRY(get(&c, 2, g->sealed, ROOT_SEALED_LEN));
    TRY(get_span(&c, 3, PEER_NOTE_MAX, &g->note));
    TRY(cbor_key(&c, 4));
    TRY(cbor_uint(&c, &g->index));
    TRY(get(&c, 5, g->signature, 64));
    return cursor_end(&c);
}

void sealed_shares_write(const struct sealed_shares *s, struct buffer *out)
{
    cbor_put_map(out, 2);
    put(out, 1, s->recovery, 32);
    cbor_put_uint(out, 2);
    cbor_put_array(out, s->n);
    for (size_t i = 0; i < s->n; i++) {
        cbor_put_array(out, 2);
        cbor_put_bytes(out, SPAN(s->share[i].holder));
        cbor_put_bytes(out, s->share[i].sealed);
    }
}

apex_status sealed_shares_parse(struct span bytes, struct sealed_shares *s)
{
    struct cursor c;
    size_t pair;
    TRY(open_map(&c, bytes, 2));
    TRY(get(&c, 1, s->recovery, 32));
    TRY(cbor_key(&c, 2));
    TRY(cbor_array(&c, &s->n));
    if (s->n == 0 || s->n > HOLDERS_MAX) return APEX_E_FORMAT;
    for (size_t i = 0; i < s->n; i++) {
        TRY(cbor_array(&c, &pair));
        TRY(cbor_bytes_exact(&c, s->share[i].holder, 32));
        TRY(cbor_bytes(&c, &s->share[i].sealed));
        if (pair != 2 || s->share[i].sealed.len > SHARE_MAX) return APEX_E_FORMAT;
    }
    return cursor_end(&c);
}

static void share_fields(const struct share *s, size_t n, struct buffer *out)
{
    cbor_put_map(out, n);
    cbor_put_uint(out, 1);
    cbor_put_text(out, SHARE_NAME);
    put_number(out, 2, s->at);
    put_number(out, 3, s->m);
    put_number(out, 4, s->n);
    put(out, 5, s->bytes, 32);
    put(out, 6, s->log_key, 32);
    put(out, 7, s->recovery, 32);
}

void share_head_write(const struct share *s, struct buffer *out)
{
    share_fields(s, 7, out);
}

void share_write(const struct share *s, struct buffer *out)
{
    share_fields(s, 8, out);
    put(out, 8, s->signature, 64);
}

apex_status share_parse(struct span bytes, struct share *s)
{
    struct cursor c;
    TRY(open_map(&c, bytes, 8));
    TRY(cbor_key(&c, 1));
    TRY(cbor_text_is(&c, SHARE_NAME));
    TRY(get_number(&c, 2, 1, HOLDERS_MAX, &s->at));
    TRY(get_number(&c, 3, 1, HOLDERS_MAX, &s->m));
    TRY(get_number(&c, 4, s->m, HOLDERS_MAX, &s->n));
    TRY(get(&c, 5, s->bytes, 32));
    TRY(get(&c, 6, s->log_key, 32));
    TRY(get(&c, 7, s->recovery, 32));
    TRY(get(&c, 8, s->signature, 64));
    return s->at <= s->n ? cursor_end(&c) : APEX_E_FORMAT;
}

void recover_write(const struct recover *r, struct buffer *out)
{
    cbor_put_map(out, 3);
    cbor_put_uint(out, 1);
    cbor_put_text(out, RECOVER_AAD);
    put(out, 2, r->newcomer, 32);
    put(out, 3, r->sealed.data, r->sealed.len);
}

apex_status recover_parse(struct span bytes, struct recover *r)
{
    struct cursor c;
    TRY(open_map(&c, bytes, 3));
    TRY(cbor_key(&c, 1));
    TRY(cbor_text_is(&c, RECOVER_AAD));
    TRY(get(&c, 2, r->newcomer, 32));
    TRY(get_span(&c, 3, SHARE_MAX, &r->sealed));
    return cursor_end(&c);
}

void recovered_write(const struct recovered *r, struct buffer *out)
{
    cbor_put_map(out, 2);
    put_number(out, 1, r->have);
    put_number(out, 2, r->need);
}

apex_status recovered_parse(struct span bytes, struct recovered *r)
{
    struct cursor c;
    TRY(open_map(&c, bytes, 2));
    TRY(get_number(&c, 1, 0, HOLDERS_MAX, &r->have));
    TRY(get_number(&c, 2, 1, HOLDERS_MAX, &r->need));
    return cursor_end(&c);
}
