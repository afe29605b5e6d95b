#include "enclave/core/session.h"

#include "common/attest/signer.h"
#include "common/base/try.h"
#include "enclave/core/acts.h"
#include "enclave/core/hand_over.h"
#include "enclave/core/recovery.h"
#include "enclave/core/rerun.h"
#include "enclave/core/chain.h"
#include "enclave/core/host.h"
#include "enclave/core/proof.h"

#include <stdlib.h>

static enum refusal refusal_of(apex_status s)
{
    return s == APEX_OK                                                   ? REFUSAL_NONE
           : s == APEX_E_UNTRUSTED || s == APEX_E_IO || s == APEX_E_LIMIT ? REFUSAL_STORAGE
                                                                          : REFUSAL_INTERNAL;
}

static enum refusal answer_attest(struct core *core, struct outcome *out)
{
    struct body_attest *b = calloc(1, sizeof *b);
    if (!b) return REFUSAL_INTERNAL;
    const struct enclave_keys *k = &core->keys->public_keys;
    core_evidence_renew(core, clock_ms());
    b->evidence = buffer_span(&core->evidence);
    memcpy(b->identity, k->identity.bytes, 32);
    memcpy(b->identity_seal, k->identity_seal.bytes, 32);
    memcpy(b->log_key, k->log.bytes, 32);
    memcpy(b->chain_key, k->chain.bytes, sizeof b->chain_key);
    b->origin = span_text(core->origin);
    apex_status s = proof_make(core, 0, UINT64_MAX, &b->proof);
    if (s == APEX_OK) body_attest_write(b, &out->body);
    free(b);
    return s == APEX_OK ? refusal_of(buffer_ok(&out->body)) : REFUSAL_INTERNAL;
}

static enum refusal answer_contract(struct core *core, const struct query *q,
                                    struct outcome *out)
{
    const struct contract *c = state_contract(&core->state, q->address);
    if (!c) return REFUSAL_UNKNOWN_CONTRACT;
    struct body_contract *b = calloc(1, sizeof *b);
    if (!b) return REFUSAL_INTERNAL;
    memcpy(b->key, c->key.bytes, 32);
    b->state = (enum contract_state)contract_state_at(c, clock_ms());
    b->n_entries = c->n_entries < CONTRACT_ENTRIES_MAX ? c->n_entries : CONTRACT_ENTRIES_MAX;
    b->entries =
        c->entries + (c->n_entries - b->n_entries); /* the newest, if there are more than fit */
    apex_status s = proof_make(core, 0, UINT64_MAX, &b->proof);
    if (s == APEX_OK) body_contract_write(b, &out->body);
    free(b);
    return s == APEX_OK ? refusal_of(buffer_ok(&out->body)) : REFUSAL_INTERNAL;
}

static enum refusal answer_prove(struct core *core, const struct query *q, struct outcome *out)
{
    BUFFER_CLEARED entry = {0};
    if (!proof_seen(core, q->old_size, q->old_root)) return REFUSAL_UNKNOWN_CHECKPOINT;
    if (q->has_index && q->index >= core->kept) return REFUSAL_UNKNOWN_RUN;
    if (q->has_index) {
        enum refusal no = refusal_of(proof_entry(core, q->index, &entry));
        if (no != REFUSAL_NONE) return no;
    }
    struct body_prove *b = calloc(1, sizeof *b);
    if (!b) return REFUSAL_INTERNAL;
    b->entry = buffer_span(&entry);
    apex_status s =
        proof_make(core, q->old_size, q->has_index ? q->index : UINT64_MAX, &b->proof);
    if (s == APEX_OK) body_prove_write(b, &out->body);
    free(b);
    return s == APEX_OK ? refusal_of(buffer_ok(&out->body)) : REFUSAL_INTERNAL;
}

static enum refusal answer_run(struct core *core, const struct query *q, struct outcome *out)
{
    const struct run *r = state_run(&core->state, q->index);
    if (!r) return REFUSAL_UNKNOWN_RUN;
    struct body_run b = {
        .state = (enum run_state)r->state, .index = r->end, .permille = r->permille};
    body_run_write(&b, &out->body);
    return refusal_of(buffer_ok(&out->body));
}

/* Questions anybody may ask; nothing is recorded. Lock held. */
static enum refusal answer_query(struct core *core, const struct message *m,
                                 struct outcome *out)
{
    struct query q = {0};
    if (query_parse(m->type, m->body, &q) != APEX_OK) return REFUSAL_BAD_MESSAGE;
    if (core_keep(core) != APEX_OK) return REFUSAL_STORAGE;
    switch (m->type) {
    case MESSAGE_ATTEST: return answer_attest(core, out);
    case MESSAGE_CONTRACT: return answer_contract(core, &q, out);
    case MESSAGE_PROVE: return answer_prove(core, &q, out);
    case MESSAGE_RUN: return answer_run(core, &q, out);
    case MESSAGE_STATEMENT: return state_to_chain(core, &q, out);
    default: return REFUSAL_BAD_MESSAGE;
    }
}

/* Of another enclave, or about the root secret: judged without the lock. */
static enum refusal answer_peer(struct core *core, const struct message *m, struct outcome *out)
{
    switch (m->type) {
    case MESSAGE_HELLO: return hand_over_hello(core, out);
    case MESSAGE_ADMIT: return hand_over_admit(core, m->body, out);
    case MESSAGE_SHARES: return recovery_shares(core, out);
    case MESSAGE_JOIN:
    case MESSAGE_RECEIVE:
    case MESSAGE_RECOVER: return REFUSAL_HAS_ROOT;
    default: return REFUSAL_BAD_MESSAGE;
    }
}

static void answer(struct core *core, struct span message, struct outcome *out)
{
    struct message m;
    if (message.len > MESSAGE_MAX || message_parse(message, &m) != APEX_OK) {
        out->code = REFUSAL_BAD_MESSAGE;
    } else if (m.type == MESSAGE_ACT) {
        act_take(core, m.body, out);
    } else if (m.type == MESSAGE_RERUN) {
        out->code = rerun_answer(core, m.body, out);
    } else if (m.type >= MESSAGE_HELLO) {
        out->code = answer_peer(core, &m, out);
    } else {
        pthread_mutex_lock(&core->lock);
        out->code = answer_query(core, &m, out);
        pthread_mutex_unlock(&core->lock);
    }
}

static apex_status status_of(enum refusal code)
{
    switch (code) {
    case REFUSAL_NONE: return APEX_OK;
    case REFUSAL_BAD_MESSAGE: return APEX_E_FORMAT;
    case REFUSAL_BAD_SIGNATURE:
    case REFUSAL_UNKNOWN_CHECKPOINT:
    case REFUSAL_PEER:
    case REFUSAL_WRONG_SHARE:
    case REFUSAL_BLOB_TAMPERED:
    case REFUSAL_PROGRAM_TAMPERED: return APEX_E_UNTRUSTED;
    case REFUSAL_BAD_ROWS: return APEX_E_DATA;
    case REFUSAL_UNKNOWN_CONTRACT:
    case REFUSAL_UNKNOWN_RUN: return APEX_E_NOT_FOUND;
    case REFUSAL_STORAGE: return APEX_E_IO;
    case REFUSAL_INTERNAL: return APEX_E_BUG;
    default: return APEX_E_REFUSED;
    }
}

apex_status session_reply(struct core *core, struct span message, struct outcome *out,
                          struct buffer *reply)
{
    BUFFER_CLEARED payload = {0};
    struct reply r = {
        .status = status_of(out->code), .code = out->code, .detail = span_text(out->detail)};
    sha256(message, r.message_digest);
    if (out->code == REFUSAL_NONE) r.body = buffer_span(&out->body);
    r.sealed = buffer_span(&out->sealed);
    reply_write(&r, &payload);
    TRY(buffer_ok(&payload));
    return cose_sign(&core->keys->identity, SPAN_TEXT(REPLY_AAD), buffer_span(&payload), reply);
}

apex_status session_answer(struct core *core, struct span message, struct buffer *reply)
{
    struct outcome out = {0};
    answer(core, message, &out);
    apex_status s = session_reply(core, message, &out, reply);
    buffer_clear(&out.body);
    buffer_clear(&out.sealed);
    return s;
}
