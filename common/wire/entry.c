#include "common/wire/entry.h"

#include "common/base/try.h"
#include "common/wire/cbor.h"

enum { EVIDENCE_ENTRY_MAX = 49152 };

static void key_bytes(struct buffer *b, uint64_t key, const uint8_t *bytes, size_t len)
{
    cbor_put_uint(b, key);
    cbor_put_bytes(b, span_of(bytes, len));
}

static void result_write(const struct entry *e, struct buffer *b)
{
    cbor_put_map(b, 6u + e->has_rows + e->has_model + e->used_model);
    cbor_put_uint(b, 1);
    cbor_put_uint(b, e->run);
    key_bytes(b, 2, e->output, 32);
    key_bytes(b, 3, e->program, 32);
    key_bytes(b, 4, e->request, 32);
    cbor_put_uint(b, 5);
    cbor_put_array(b, e->n_inputs);
    for (size_t i = 0; i < e->n_inputs; i++) {
        cbor_put_array(b, 2);
        cbor_put_uint(b, e->inputs[i].index);
        cbor_put_bytes(b, SPAN(e->inputs[i].blob));
    }
    cbor_put_uint(b, 6);
    cbor_put_array(b, e->n_recipients);
    for (size_t i = 0; i < e->n_recipients; i++) {
        cbor_put_array(b, 2);
        cbor_put_bytes(b, SPAN(e->recipients[i].key));
        cbor_put_bytes(b, SPAN(e->recipients[i].blob));
    }
    if (e->has_rows) key_bytes(b, 7, e->rows, 32);
    if (e->has_model) key_bytes(b, 8, e->model, 32);
    if (!e->used_model) return;
    cbor_put_uint(b, 9);
    cbor_put_uint(b, e->model_run);
}

static void act_body_write(const struct entry *e, struct buffer *b)
{
    cbor_put_map(b, e->epsilon_micro ? 1 : 0);
    if (!e->epsilon_micro) return;
    cbor_put_uint(b, 1);
    cbor_put_uint(b, e->epsilon_micro);
}

static void refuse_write(const struct entry *e, struct buffer *b)
{
    cbor_put_map(b, 4);
    cbor_put_uint(b, 1);
    cbor_put_uint(b, e->run);
    cbor_put_uint(b, 2);
    cbor_put_uint(b, e->state);
    cbor_put_uint(b, 3);
    cbor_put_uint(b, e->code);
    cbor_put_uint(b, 4);
    cbor_put_text_span(b, e->detail);
}

static void enclave_write(const struct entry *e, struct buffer *b)
{
    cbor_put_map(b, e->admitted ? 6 : 5);
    key_bytes(b, 1, e->evidence.data, e->evidence.len);
    key_bytes(b, 2, e->identity, 32);
    key_bytes(b, 3, e->identity_seal, 32);
    key_bytes(b, 4, e->log_key, 32);
    key_bytes(b, 5, e->chain_key, 33);
    if (e->admitted) key_bytes(b, 6, e->peer_policy, 32);
}

void entry_write(const struct entry *e, struct buffer *b)
{
    cbor_put_map(b, e->act.len ? 7 : 6);
    cbor_put_uint(b, 1);
    cbor_put_text(b, ENTRY_AAD);
    cbor_put_uint(b, 2);
    cbor_put_uint(b, e->kind);
    cbor_put_uint(b, 3);
    cbor_put_uint(b, e->index);
    cbor_put_uint(b, 4);
    cbor_put_uint(b, e->time_ms);
    key_bytes(b, 5, e->address, e->has_address ? 32 : 0);
    if (e->act.len) key_bytes(b, 6, e->act.data, e->act.len);
    cbor_put_uint(b, 7);
    switch (e->kind) {
    case ENTRY_RESULT: result_write(e, b); return;
    case ENTRY_REFUSE: refuse_write(e, b); return;
    case ENTRY_ENCLAVE: enclave_write(e, b); return;
    default: act_body_write(e, b);
    }
}

static apex_status inputs_parse(struct cursor *c, struct entry *e)
{
    size_t pair;
    TRY(cbor_array(c, &e->n_inputs));
    if (e->n_inputs > ENTRY_INPUTS_MAX) return APEX_E_LIMIT;
    for (size_t i = 0; i < e->n_inputs; i++) {
        TRY(cbor_array(c, &pair));
        if (pair != 2) return APEX_E_FORMAT;
        TRY(cbor_uint(c, &e->inputs[i].index));
        TRY(cbor_bytes_exact(c, e->inputs[i].blob, 32));
    }
    return APEX_OK;
}

static apex_status recipients_parse(struct cursor *c, struct entry *e)
{
    size_t pair;
    TRY(cbor_array(c, &e->n_recipients));
    if (e->n_recipients > ENTRY_RECIPIENTS_MAX) return APEX_E_LIMIT;
    for (size_t i = 0; i < e->n_recipients; i++) {
        TRY(cbor_array(c, &pair));
        if (pair != 2) return APEX_E_FORMAT;
        TRY(cbor_bytes_exact(c, e->recipients[i].key, 32));
        TRY(cbor_bytes_exact(c, e->recipients[i].blob, 32));
    }
    return APEX_OK;
}

/* The keys that may be there, ascending: rows, model left, model used. */
static apex_status extras_parse(struct cursor *c, size_t n, struct entry *e)
{
    for (uint64_t key, last = 6; n > 0; n--, last = key) {
        TRY(cbor_uint(c, &key));
        if (key <= last || key > 9) return APEX_E_FORMAT;
        if (key == 9) TRY(cbor_uint(c, &e->model_run));
        if (key < 9) TRY(cbor_bytes_exact(c, key == 7 ? e->rows : e->model, 32));
        *(key == 7 ? &e->has_rows : key == 8 ? &e->has_model : &e->used_model) = true;
    }
    return APEX_OK;
}

static apex_status act_body_parse(struct cursor *c, struct entry *e)
{
    size_t n;
    TRY(cbor_map(c, &n));
    if (n == 0) return APEX_OK;
    if (n != 1 || e->kind != ACT_RUN) return APEX_E_FORMAT;
    TRY(cbor_key(c, 1));
    TRY(cbor_uint(c, &e->epsilon_micro));
    return e->epsilon_micro > 0 ? APEX_OK : APEX_E_FORMAT;
}

static apex_status result_parse(struct cursor *c, struct entry *e)
{
    size_t n;
    TRY(cbor_map(c, &n));
    TRY(cbor_key(c, 1));
    TRY(cbor_uint(c, &e->run));
    TRY(cbor_key(c, 2));
    TRY(cbor_bytes_exact(c, e->output, 32));
    TRY(cbor_key(c, 3));
    TRY(cbor_bytes_exact(c, e->program, 32));
    TRY(cbor_key(c, 4));
    TRY(cbor_bytes_exact(c, e->request, 32));
    TRY(cbor_key(c, 5));
    TRY(inputs_parse(c, e));
    TRY(cbor_key(c, 6));
    TRY(recipients_parse(c, e));
    return n >= 6 && n <= 9 ? extras_parse(c, n - 6, e) : APEX_E_FORMAT;
}

static apex_status refuse_parse(struct cursor *c, struct entry *e)
{
    size_t n;
    uint64_t state, code;
    TRY(cbor_map(c, &n));
    TRY(cbor_key(c, 1));
    TRY(cbor_uint(c, &e->run));
    TRY(cbor_key(c, 2));
    TRY(cbor_uint(c, &state));
    TRY(cbor_key(c, 3));
    TRY(cbor_uint(c, &code));
    TRY(cbor_key(c, 4));
    TRY(cbor_text(c, &e->detail));
    if (n != 4 || state < 1 || state > 2 || code < 1 || code > 255 ||
        e->detail.len > ENTRY_DETAIL_MAX)
        return APEX_E_FORMAT;
    e->state = (unsigned)state;
    e->code = (unsigned)code;
    return APEX_OK;
}

static apex_status enclave_parse(struct cursor *c, struct entry *e)
{
    size_t n;
    TRY(cbor_map(c, &n));
    TRY(cbor_key(c, 1));
    TRY(cbor_bytes(c, &e->evidence));
    TRY(cbor_key(c, 2));
    TRY(cbor_bytes_exact(c, e->identity, 32));
    TRY(cbor_key(c, 3));
    TRY(cbor_bytes_exact(c, e->identity_seal, 32));
    TRY(cbor_key(c, 4));
    TRY(cbor_bytes_exact(c, e->log_key, 32));
    TRY(cbor_key(c, 5));
    TRY(cbor_bytes_exact(c, e->chain_key, 33));
    e->admitted = n == 6;
    if (e->admitted) {
        TRY(cbor_key(c, 6));
        TRY(cbor_bytes_exact(c, e->peer_policy, 32));
    }
    return (n == 5 || n == 6) && e->evidence.len <= EVIDENCE_ENTRY_MAX ? APEX_OK
                                                                       : APEX_E_FORMAT;
}

static apex_status body_parse(struct cursor *c, struct entry *e)
{
    bool of_party = e->kind <= ACT_RUN || e->kind == ACT_CLOSE;
    if (of_party != (e->act.len > 0) || e->has_address != (e->kind != ENTRY_ENCLAVE))
        return APEX_E_FORMAT;
    switch (e->kind) {
    case ENTRY_RESULT: return result_parse(c, e);
    case ENTRY_REFUSE: return refuse_parse(c, e);
    case ENTRY_ENCLAVE: return enclave_parse(c, e);
    default: return act_body_parse(c, e);
    }
}

static apex_status address_field(struct cursor *c, struct entry *e)
{
    struct span address;
    TRY(cbor_bytes(c, &address));
    e->has_address = address.len == 32;
    if (e->has_address) memcpy(e->address, address.data, 32);
    return e->has_address || address.len == 0 ? APEX_OK : APEX_E_FORMAT;
}

apex_status entry_parse(struct span payload, struct entry *e)
{
    struct cursor c = cursor_on(payload);
    size_t n;
    uint64_t kind;
    *e = (struct entry){0};
    TRY(cbor_map(&c, &n));
    if (n != 6 && n != 7) return APEX_E_FORMAT;
    TRY(cbor_key(&c, 1));
    TRY(cbor_text_is(&c, ENTRY_AAD));
    TRY(cbor_key(&c, 2));
    TRY(cbor_uint(&c, &kind));
    if (kind < 1 || kind > ENTRY_ENCLAVE) return APEX_E_FORMAT;
    e->kind = (unsigned)kind;
    TRY(cbor_key(&c, 3));
    TRY(cbor_uint(&c, &e->index));
    TRY(cbor_key(&c, 4));
    TRY(cbor_uint(&c, &e->time_ms));
    TRY(cbor_key(&c, 5));
    TRY(address_field(&c, e));
    if (n == 7) {
        TRY(cbor_key(&c, 6));
        TRY(cbor_bytes(&c, &e->act));
        if (e->act.len == 0) return APEX_E_FORMAT;
    }
    TRY(cbor_key(&c, 7));
    TRY(body_parse(&c, e));
    return cursor_end(&c);
}
