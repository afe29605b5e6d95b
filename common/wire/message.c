#include "common/wire/message.h"

#include "common/base/try.h"
#include "common/wire/cbor.h"

#define MESSAGE_NAME "apex/message/v1"

const char *task_name(unsigned run_state)
{
    static const char *const names[] = {"unknown",  "requested", "running",
                                        "verified", "refused",   "failed"};
    return names[run_state <= RUN_FAILED ? run_state : 0];
}

static void key_bytes(struct buffer *b, uint64_t key, const uint8_t *bytes, size_t len)
{
    cbor_put_uint(b, key);
    cbor_put_bytes(b, span_of(bytes, len));
}

static apex_status key_exact(struct cursor *c, uint64_t key, uint8_t *out, size_t len)
{
    TRY(cbor_key(c, key));
    return cbor_bytes_exact(c, out, len);
}

static apex_status key_uint(struct cursor *c, uint64_t key, uint64_t max, uint64_t *value)
{
    TRY(cbor_key(c, key));
    TRY(cbor_uint(c, value));
    return *value <= max ? APEX_OK : APEX_E_FORMAT;
}

static apex_status map_of(struct cursor *c, size_t wanted)
{
    size_t n;
    TRY(cbor_map(c, &n));
    return n == wanted ? APEX_OK : APEX_E_FORMAT;
}

void message_write(enum message_type type, struct span body, struct buffer *out)
{
    cbor_put_map(out, 3);
    cbor_put_uint(out, 1);
    cbor_put_text(out, MESSAGE_NAME);
    cbor_put_uint(out, 2);
    cbor_put_uint(out, (uint64_t)type);
    key_bytes(out, 3, body.data, body.len);
}

apex_status message_parse(struct span bytes, struct message *m)
{
    struct cursor c = cursor_on(bytes);
    uint64_t type;
    TRY(map_of(&c, 3));
    TRY(cbor_key(&c, 1));
    TRY(cbor_text_is(&c, MESSAGE_NAME));
    TRY(key_uint(&c, 2, MESSAGE_RERUN, &type));
    if (type < MESSAGE_ACT) return APEX_E_FORMAT;
    m->type = (enum message_type)type;
    TRY(cbor_key(&c, 3));
    TRY(cbor_bytes(&c, &m->body));
    return cursor_end(&c);
}

void query_write(enum message_type type, const struct query *q, struct buffer *out)
{
    bool of_place = type == MESSAGE_PROVE || type == MESSAGE_STATEMENT;
    size_t n = (type == MESSAGE_ATTEST     ? 1
                : of_place && q->has_index ? 3
                                           : 2) +
               (type == MESSAGE_STATEMENT ? 3 : 0);
    cbor_put_map(out, n);
    key_bytes(out, 1, q->nonce, sizeof q->nonce);
    if (type == MESSAGE_CONTRACT) key_bytes(out, 2, q->address, sizeof q->address);
    if (type == MESSAGE_RUN) {
        cbor_put_uint(out, 2);
        cbor_put_uint(out, q->index);
    }
    if (!of_place) return;
    cbor_put_uint(out, 2);
    cbor_put_array(out, 2);
    cbor_put_uint(out, q->old_size);
    cbor_put_bytes(out, SPAN(q->old_root));
    if (q->has_index) {
        cbor_put_uint(out, 3);
        cbor_put_uint(out, q->index);
    }
    if (type != MESSAGE_STATEMENT) return;
    cbor_put_uint(out, 4);
    cbor_put_uint(out, q->chain_id);
    key_bytes(out, 5, q->registry, sizeof q->registry);
    key_bytes(out, 6, q->payee, sizeof q->payee);
}

static apex_status prove_query(struct cursor *c, size_t n, struct query *q)
{
    size_t pair;
    TRY(cbor_key(c, 2));
    TRY(cbor_array(c, &pair));
    if (pair != 2) return APEX_E_FORMAT;
    TRY(cbor_uint(c, &q->old_size));
    TRY(cbor_bytes_exact(c, q->old_root, 32));
    q->has_index = n == 3;
    return q->has_index ? key_uint(c, 3, UINT64_MAX, &q->index)
           : n == 2     ? APEX_OK
                        : APEX_E_FORMAT;
}

apex_status query_parse(enum message_type type, struct span bytes, struct query *q)
{
    struct cursor c = cursor_on(bytes);
    size_t n;
    *q = (struct query){0};
    TRY(cbor_map(&c, &n));
    TRY(key_exact(&c, 1, q->nonce, sizeof q->nonce));
    switch (type) {
    case MESSAGE_ATTEST:
        if (n != 1) return APEX_E_FORMAT;
        break;
    case MESSAGE_CONTRACT:
        TRY(key_exact(&c, 2, q->address, sizeof q->address));
        if (n != 2) return APEX_E_FORMAT;
        break;
    case MESSAGE_RUN:
        TRY(key_uint(&c, 2, UINT64_MAX, &q->index));
        if (n != 2) return APEX_E_FORMAT;
        break;
    case MESSAGE_PROVE: TRY(prove_query(&c, n, q)); break;
    case MESSAGE_STATEMENT:
        if (n < 5) return APEX_E_FORMAT;
        TRY(prove_query(&c, n - 3, q));
        TRY(key_uint(&c, 4, UINT64_MAX, &q->chain_id));
        TRY(key_exact(&c, 5, q->registry, sizeof q->registry));
        TRY(key_exact(&c, 6, q->payee, sizeof q->payee));
        break;
    default: return APEX_E_FORMAT;
    }
    return cursor_end(&c);
}

void reply_write(const struct reply *r, struct buffer *b)
{
    cbor_put_map(b, 7);
    cbor_put_uint(b, 1);
    cbor_put_text(b, REPLY_AAD);
    key_bytes(b, 2, r->message_digest, 32);
    cbor_put_uint(b, 3);
    cbor_put_uint(b, (uint64_t)r->status);
    cbor_put_uint(b, 4);
    cbor_put_uint(b, r->code);
    cbor_put_uint(b, 5);
    cbor_put_text_span(b, r->detail);
    key_bytes(b, 6, r->body.data, r->body.len);
    key_bytes(b, 7, r->sealed.data, r->sealed.len);
}

apex_status reply_parse(struct span payload, struct reply *r)
{
    struct cursor c = cursor_on(payload);
    uint64_t status, code;
    *r = (struct reply){0};
    TRY(map_of(&c, 7));
    TRY(cbor_key(&c, 1));
    TRY(cbor_text_is(&c, REPLY_AAD));
    TRY(key_exact(&c, 2, r->message_digest, 32));
    TRY(key_uint(&c, 3, APEX_E_BUG, &status));
    TRY(key_uint(&c, 4, 255, &code));
    TRY(cbor_key(&c, 5));
    TRY(cbor_text(&c, &r->detail));
    TRY(cbor_key(&c, 6));
    TRY(cbor_bytes(&c, &r->body));
    TRY(cbor_key(&c, 7));
    TRY(cbor_bytes(&c, &r->sealed));
    r->status = (apex_status)status;
    r->code = (unsigned)code;
    if ((status == APEX_OK) != (code == 0) || (status != APEX_OK && r->body.len > 0))
        return APEX_E_FORMAT;
    return cursor_end(&c);
}

static void hashes_write(const uint8_t hashes[][32], size_t n, struct buffer *b)
{
    cbor_put_array(b, n);
    for (size_t i = 0; i < n; i++)
        cbor_put_bytes(b, span_of(hashes[i], 32));
}

static void proof_write(uint64_t key, const struct wire_proof *p, struct buffer *b)
{
    cbor_put_uint(b, key);
    cbor_put_map(b, 3);
    key_bytes(b, 1, p->note.data, p->note.len);
    cbor_put_uint(b, 2);
    hashes_write(p->consistency, p->n_consistency, b);
    cbor_put_uint(b, 3);
    hashes_write(p->inclusion, p->n_inclusion, b);
}

static apex_status hashes_parse(struct cursor *c, uint8_t hashes[][32], size_t *n)
{
    TRY(cbor_array(c, n));
    if (*n > PROOF_HASHES_MAX) return APEX_E_LIMIT;
    for (size_t i = 0; i < *n; i++)
        TRY(cbor_bytes_exact(c, hashes[i], 32));
    return APEX_OK;
}

static apex_status proof_parse(struct cursor *c, uint64_t key, struct wire_proof *p)
{
    TRY(cbor_key(c, key));
    TRY(map_of(c, 3));
    TRY(cbor_key(c, 1));
    TRY(cbor_bytes(c, &p->note));
    TRY(cbor_key(c, 2));
    TRY(hashes_parse(c, p->consistency, &p->n_consistency));
    TRY(cbor_key(c, 3));
    return hashes_parse(c, p->inclusion, &p->n_inclusion);
}

void body_act_write(const struct body_act *a, struct buffer *out)
{
    cbor_put_map(out, 3);
    cbor_put_uint(out, 1);
    cbor_put_uint(out, a->index);
    key_bytes(out, 2, a->entry.data, a->entry.len);
    proof_write(3, &a->proof, out);
}

apex_status body_act_parse(struct span bytes, struct body_act *a)
{
    struct cursor c = cursor_on(bytes);
    TRY(map_of(&c, 3));
    TRY(key_uint(&c, 1, UINT64_MAX, &a->index));
    TRY(cbor_key(&c, 2));
    TRY(cbor_bytes(&c, &a->entry));
    TRY(proof_parse(&c, 3, &a->proof));
    return cursor_end(&c);
}

void body_attest_write(const struct body_attest *a, struct buffer *out)
{
    cbor_put_map(out, 7);
    key_bytes(out, 1, a->evidence.data, a->evidence.len);
    key_bytes(out, 2, a->identity, 32);
    key_bytes(out, 3, a->identity_seal, 32);
    key_bytes(out, 4, a->log_key, 32);
    cbor_put_uint(out, 5);
    cbor_put_text_span(out, a->origin);
    proof_write(6, &a->proof, out);
    key_bytes(out, 7, a->chain_key, 33);
}

apex_status body_attest_parse(struct span bytes, struct body_attest *a)
{
    struct cursor c = cursor_on(bytes);
    TRY(map_of(&c, 7));
    TRY(cbor_key(&c, 1));
    TRY(cbor_bytes(&c, &a->evidence));
    TRY(key_exact(&c, 2, a->identity, 32));
    TRY(key_exact(&c, 3, a->identity_seal, 32));
    TRY(key_exact(&c, 4, a->log_key, 32));
    TRY(cbor_key(&c, 5));
    TRY(cbor_text(&c, &a->origin));
    TRY(proof_parse(&c, 6, &a->proof));
    TRY(key_exact(&c, 7, a->chain_key, 33));
    return cursor_end(&c);
}

void body_contract_write(const struct body_contract *k, struct buffer *out)
{
    cbor_put_map(out, 4);
    key_bytes(out, 1, k->key, 32);
    cbor_put_uint(out, 2);
    cbor_put_uint(out, (uint64_t)k->state);
    cbor_put_uint(out, 3);
    cbor_put_array(out, k->n_entries);
    for (size_t i = 0; i < k->n_entries; i++)
        cbor_put_uint(out, k->entries[i]);
    proof_write(4, &k->proof, out);
}

apex_status body_contract_parse(struct span bytes, struct body_contract *k)
{
    struct cursor c = cursor_on(bytes);
    uint64_t state;
    TRY(map_of(&c, 4));
    TRY(key_exact(&c, 1, k->key, 32));
    TRY(key_uint(&c, 2, CONTRACT_CLOSED, &state));
    if (state < CONTRACT_DEPLOYED) return APEX_E_FORMAT;
    k->state = (enum contract_state)state;
    TRY(cbor_key(&c, 3));
    TRY(cbor_array(&c, &k->n_entries));
    if (k->n_entries > CONTRACT_ENTRIES_MAX) return APEX_E_LIMIT;
    for (size_t i = 0; i < k->n_entries; i++) {
        TRY(cbor_uint(&c, &k->entries[i]));
        if (i > 0 && k->entries[i] <= k->entries[i - 1]) return APEX_E_FORMAT;
    }
    TRY(proof_parse(&c, 4, &k->proof));
    return cursor_end(&c);
}

void body_prove_write(const struct body_prove *p, struct buffer *out)
{
    cbor_put_map(out, 2);
    key_bytes(out, 1, p->entry.data, p->entry.len);
    proof_write(2, &p->proof, out);
}

apex_status body_prove_parse(struct span bytes, struct body_prove *p)
{
    struct cursor c = cursor_on(bytes);
    TRY(map_of(&c, 2));
    TRY(cbor_key(&c, 1));
    TRY(cbor_bytes(&c, &p->entry));
    TRY(proof_parse(&c, 2, &p->proof));
    return cursor_end(&c);
}

void body_run_write(const struct body_run *r, struct buffer *out)
{
    cbor_put_map(out, 3);
    cbor_put_uint(out, 1);
    cbor_put_uint(out, (uint64_t)r->state);
    cbor_put_uint(out, 2);
    cbor_put_uint(out, r->index);
    cbor_put_uint(out, 3);
    cbor_put_uint(out, r->permille);
}

apex_status body_run_parse(struct span bytes, struct body_run *r)
{
    struct cursor c = cursor_on(bytes);
    uint64_t state, permille;
    TRY(map_of(&c, 3));
    TRY(key_uint(&c, 1, RUN_FAILED, &state));
    TRY(key_uint(&c, 2, UINT64_MAX, &r->index));
    TRY(key_uint(&c, 3, 1000, &permille));
    if (state < RUN_REQUESTED) return APEX_E_FORMAT;
    r->state = (enum run_state)state;
    r->permille = (unsigned)permille;
    return cursor_end(&c);
}

void body_statement_write(const struct body_statement *s, struct buffer *out)
{
    cbor_put_map(out, 6);
    cbor_put_uint(out, 1);
    cbor_put_uint(out, s->kind);
    key_bytes(out, 2, s->words.data, s->words.len);
    key_bytes(out, 3, s->r, 32);
    key_bytes(out, 4, s->s, 32);
    cbor_put_uint(out, 5);
    cbor_put_uint(out, s->parity);
    proof_write(6, &s->proof, out);
}

apex_status body_statement_parse(struct span bytes, struct body_statement *s)
{
    struct cursor c = cursor_on(bytes);
    uint64_t kind, parity;
    TRY(map_of(&c, 6));
    TRY(key_uint(&c, 1, 255, &kind));
    TRY(cbor_key(&c, 2));
    TRY(cbor_bytes(&c, &s->words));
    TRY(key_exact(&c, 3, s->r, 32));
    TRY(key_exact(&c, 4, s->s, 32));
    TRY(key_uint(&c, 5, 1, &parity));
    TRY(proof_parse(&c, 6, &s->proof));
    if (s->words.len % 32 != 0 || s->words.len > STATEMENT_WORDS_LEN_MAX) return APEX_E_FORMAT;
    s->kind = (unsigned)kind;
    s->parity = (unsigned)parity;
    return cursor_end(&c);
}
