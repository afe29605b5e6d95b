#include "enclave/core/chain.h"

#include "common/attest/signer.h"
#include "common/base/try.h"
#include "common/chain/statement.h"
#include "common/crypto/hash.h"
#include "enclave/core/proof.h"

#include <stdlib.h>

static apex_status address_of(const uint8_t key[static ECDSA_PUBLIC_LEN],
                              uint8_t address[static CHAIN_ADDRESS_LEN])
{
    struct ecdsa_public k;
    memcpy(k.bytes, key, sizeof k.bytes);
    return ecdsa_address(&k, address);
}

static apex_status log_id(const struct core *core, uint8_t id[static 32])
{
    uint8_t first[CHAIN_ADDRESS_LEN];
    TRY(address_of(core->state.first_chain, first));
    statement_log_id(span_text(core->origin), core->keys->public_keys.log.bytes, first, id);
    return APEX_OK;
}

/* The first enclave opens the log on the chain; those after it are admitted. */
static apex_status of_enclave(const struct core *core, const struct entry *e,
                              struct statement *s)
{
    s->kind = e->index == 0 ? STATEMENT_OPEN : STATEMENT_ADMIT;
    s->origin = span_text(core->origin);
    memcpy(s->log_key, e->log_key, 32);
    sha256(e->evidence, s->evidence);
    return address_of(e->chain_key, s->key);
}

static apex_status of_deploy(const struct core *core, const struct entry *e,
                             struct statement *s)
{
    const struct contract *c = state_contract(&core->state, e->address);
    if (!c || !c->manifest) return APEX_E_NOT_FOUND;
    s->kind = STATEMENT_CONTRACT;
    memcpy(s->manifest, e->address, 32);
    memcpy(s->program, c->manifest->programs[0].digest, 32);
    return APEX_OK;
}

static apex_status of_result(const struct entry *e, struct statement *s)
{
    s->kind = STATEMENT_RUN;
    s->run = e->run;
    memcpy(s->manifest, e->address, 32);
    memcpy(s->program, e->program, 32);
    memcpy(s->request, e->request, 32);
    memcpy(s->output, e->output, 32);
    statement_inputs(e, s->inputs);
    return APEX_OK;
}

static apex_status of_entry(struct core *core, uint64_t index, struct buffer *bytes,
                            struct entry *e, struct statement *s)
{
    struct cose cose;
    if (index >= core->kept) return APEX_E_NOT_FOUND;
    TRY(proof_entry(core, index, bytes));
    TRY(cose_open(buffer_span(bytes), SPAN_TEXT(ENTRY_AAD), &cose));
    TRY(entry_parse(cose.payload, e));
    switch (e->kind) {
    case ENTRY_ENCLAVE: return of_enclave(core, e, s);
    case ENTRY_RESULT: return of_result(e, s);
    case ACT_DEPLOY: return of_deploy(core, e, s);
    default: return APEX_E_NOT_FOUND;
    }
}

static apex_status of_checkpoint(const struct core *core, struct statement *s)
{
    struct merkle_hash root;
    TRY(merkle_tree_root(core->tree, core->kept, &root));
    s->kind = STATEMENT_ANCHOR;
    s->size = core->kept;
    memcpy(s->root, root.bytes, 32);
    return APEX_OK;
}

static apex_status sign(struct core *core, const struct query *q, const struct statement *s,
                        struct outcome *out)
{
    BUFFER_CLEARED words = {0};
    struct chain_place place = {.chain_id = q->chain_id};
    struct ecdsa_signature by;
    uint8_t digest[32];
    struct body_statement *b = calloc(1, sizeof *b);
    if (!b) return APEX_E_MEMORY;
    memcpy(place.registry, q->registry, sizeof place.registry);
    apex_status status = statement_words(s, &words);
    if (status == APEX_OK)
        status = statement_digest(s->kind, buffer_span(&words), &place, digest);
    if (status == APEX_OK) status = ecdsa_sign(&core->keys->chain, digest, &by);
    if (status == APEX_OK) {
        b->kind = (unsigned)s->kind;
        b->words = buffer_span(&words);
        memcpy(b->r, by.r, sizeof b->r);
        memcpy(b->s, by.s, sizeof b->s);
        b->parity = by.parity;
        status = proof_make(core, s->kind == STATEMENT_ANCHOR ? q->old_size : 0, UINT64_MAX,
                            &b->proof);
    }
    if (status == APEX_OK) body_statement_write(b, &out->body);
    free(b);
    return status == APEX_OK ? buffer_ok(&out->body) : status;
}

static apex_status state(struct core *core, const struct query *q, struct outcome *out)
{
    BUFFER_CLEARED bytes = {0};
    struct statement s = {0};
    struct entry *e = malloc(sizeof *e);
    if (!e) return APEX_E_MEMORY;
    apex_status status = log_id(core, s.log);
    memcpy(s.payee, q->payee, sizeof s.payee);
    if (status == APEX_OK)
        status =
            q->has_index ? of_entry(core, q->index, &bytes, e, &s) : of_checkpoint(core, &s);
    if (status == APEX_OK) status = sign(core, q, &s, out);
    free(e);
    return status;
}

enum refusal state_to_chain(struct core *core, const struct query *q, struct outcome *out)
{
    if (!proof_seen(core, q->old_size, q->old_root)) return REFUSAL_UNKNOWN_CHECKPOINT;
    switch (state(core, q, out)) {
    case APEX_OK: return REFUSAL_NONE;
    case APEX_E_NOT_FOUND: return REFUSAL_UNKNOWN_RUN;
    case APEX_E_UNTRUSTED:
    case APEX_E_IO: return REFUSAL_STORAGE;
    default: return REFUSAL_INTERNAL;
    }
}
