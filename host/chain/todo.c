#include "host/chain/todo.h"

#include "common/base/try.h"
#include "common/chain/fees.h"
#include "common/merkle/checkpoint.h"
#include "common/merkle/tile.h"
#include "common/wire/cose.h"
#include "host/daemon/log.h"

#include <stdlib.h>
#include <time.h>

/* What a withdraw costs at least, measured (docs/chain.md), and how long a commitment may take.
 */
enum { WITHDRAW_GAS = 52273, IN_TIME_S = 3600 };

void todo_clear(struct todo *t)
{
    for (size_t i = 0; i < t->n; i++)
        buffer_clear(&t->calls[i]);
    t->n = 0;
}

static apex_status log_fault(struct chain_fault *fault, apex_status s)
{
    return chain_fail(fault, s, "log", "the log cannot be read or is not of the form");
}

static apex_status entry_at(struct todo *t, struct span *rest, struct entry *e)
{
    struct span bytes;
    struct cose cose;
    (void)t;
    TRY(bundle_next(rest, &bytes));
    TRY(cose_parse(bytes, &cose));
    return entry_parse(cose.payload, e);
}

/* Name and id of the log, from its checkpoint and its first entry. */
static apex_status know(struct todo *t, struct entry *e, struct chain_fault *fault)
{
    BUFFER_CLEARED note = {0};
    BUFFER_CLEARED bundle = {0};
    struct checkpoint c;
    struct ecdsa_public key;
    uint8_t address[CHAIN_ADDRESS_LEN];
    apex_status s = t->source->note(t->source->context, &note);
    if (s == APEX_OK) s = checkpoint_parse_unverified(buffer_span(&note), &c);
    if (s == APEX_OK) s = t->source->entries(t->source->context, 0, &bundle);
    struct span rest = buffer_span(&bundle);
    if (s == APEX_OK) s = entry_at(t, &rest, e);
    if (s == APEX_OK && e->kind != ENTRY_ENCLAVE) s = APEX_E_FORMAT;
    if (s != APEX_OK) return log_fault(fault, s);
    memcpy(key.bytes, e->chain_key, sizeof key.bytes);
    if (ecdsa_address(&key, address) != APEX_OK) return log_fault(fault, APEX_E_FORMAT);
    memcpy(t->origin, c.origin, sizeof t->origin);
    statement_log_id(span_text(t->origin), e->log_key, address, t->log);
    t->known = true;
    return APEX_OK;
}

/* Is it worth the gas that asking for it costs? A wei is not. */
static bool is_worth(const struct fee *fee, const struct evm *chain)
{
    uint8_t cost[WORD_LEN];
    uint64_t per_gas = chain->at.base_fee;
    chain_word_u64(per_gas < UINT64_MAX / WITHDRAW_GAS ? per_gas * WITHDRAW_GAS : UINT64_MAX,
                   cost);
    return memcmp(fee->amount, cost, sizeof cost) > 0;
}

/* Fees that wait for this run are asked for in the transaction that commits it; not those that
 * can be taken back before it is mined. They are strangers' deposits and an RPC's word:
 * whatever is wrong with them, the commitment goes out without them, and anybody may withdraw
 * later. */
static void fees_claim(struct todo *t, struct evm *chain, struct span words)
{
    struct fees fees;
    struct chain_fault fault = {0};
    if (t->single || t->feeless || t->head.opened == 0) return;
    apex_status s =
        fees_open(chain, t->log, words.data + 2 * WORD_LEN, words.data + 4 * WORD_LEN,
                  t->head.opened, (uint64_t)time(NULL) + IN_TIME_S, &fees, &fault);
    t->feeless = s != APEX_OK;
    if (t->feeless) {
        log_line(LOG_WARN, "msg=chain rule=%s what=\"no fee was asked for: %s\"", fault.rule,
                 fault.what);
        return;
    }
    for (size_t i = 0; i < fees.n && t->n < TODO_CALLS_MAX - 1; i++) {
        if (!is_worth(&fees.fee[i], chain)) return;
        if (registry_call_withdraw(fees.fee[i].id, words, &t->calls[t->n]) == APEX_OK)
            t->n++;
        else
            buffer_clear(&t->calls[t->n]);
    }
}

/* Asks the enclave and makes the call of its answer. */
static apex_status call_add(struct todo *t, struct query *q, struct evm *chain,
                            struct chain_fault *fault)
{
    BUFFER_CLEARED bytes = {0};
    struct body_statement *b = malloc(sizeof *b);
    struct merkle_proof proof = {.n = 0};
    struct ecdsa_signature by;
    if (!b) return chain_fail(fault, APEX_E_MEMORY, "log", "out of memory");
    q->old_size = t->head.size;
    memcpy(q->old_root, t->head.root, sizeof q->old_root);
    q->chain_id = chain->place.chain_id;
    memcpy(q->registry, chain->place.registry, sizeof q->registry);
    memcpy(q->payee, t->payee, sizeof q->payee);
    apex_status s = t->source->statement(t->source->context, q, &bytes, b);
    if (s == APEX_OK) {
        memcpy(by.r, b->r, 32);
        memcpy(by.s, b->s, 32);
        by.parity = (uint8_t)b->parity;
        proof.n = b->proof.n_consistency;
        memcpy(proof.hash, b->proof.consistency, proof.n * 32);
        s = registry_call_statement((enum statement_kind)b->kind, b->words, &by,
                                    span_text(t->origin), &proof, &t->calls[t->n]);
        t->n += s == APEX_OK;
        if (b->kind == STATEMENT_RUN && s == APEX_OK) fees_claim(t, chain, b->words);
    }
    free(b);
    if (s == APEX_E_UNTRUSTED)
        return chain_fail(
            fault, s, CHAIN_ANCHOR_CONTRADICTS,
            "the chain holds an anchor that this log does not contain: the log was "
            "rolled back, or another one stands in its place");
    if (s == APEX_OK || s == APEX_E_NOT_FOUND || fault->rule) return s;
    return chain_fail(fault, s, "enclave", "the enclave does not answer with a statement");
}

/* Does the register hold what this entry says? *of_chain: it is an entry that belongs there. */
static apex_status recorded(struct todo *t, struct evm *chain, const struct entry *e,
                            bool *of_chain, bool *there, struct chain_fault *fault)
{
    uint8_t argument[32], word[32];
    const uint8_t none[32] = {0};
    enum registry_view view = VIEW_EVIDENCE;
    *of_chain = *there = false;
    if (e->kind == ENTRY_ENCLAVE) {
        merkle_digest(e->evidence, argument);
    } else if (e->kind == (unsigned)ACT_DEPLOY) {
        view = VIEW_PROGRAM;
        memcpy(argument, e->address, 32);
    } else if (e->kind == ENTRY_RESULT) {
        struct registry_run run;
        *of_chain = true;
        TRY(chain_run(chain, t->log, e->run, &run, fault));
        *there = run.committed != 0;
        return APEX_OK;
    } else {
        return APEX_OK;
    }
    *of_chain = true;
    TRY(chain_word(chain, view, t->log, argument, word, fault));
    *there = memcmp(word, none, sizeof none) != 0;
    return APEX_OK;
}

static apex_status entry_consider(struct todo *t, struct evm *chain, const struct entry *e,
                                  struct chain_fault *fault)
{
    struct query q = {.has_index = true, .index = e->index};
    bool of_chain, there;
    TRY(recorded(t, chain, e, &of_chain, &there, fault));
    if (!of_chain || there) return APEX_OK;
    apex_status s = call_add(t, &q, chain, fault);
    return s == APEX_E_NOT_FOUND ? APEX_OK : s; /* its manifest is lost: nothing can be said */
}

static apex_status entries_consider(struct todo *t, struct evm *chain, struct entry *e,
                                    struct chain_fault *fault)
{
    size_t most = t->single ? 1 : TODO_CALLS_MAX - 1;
    uint64_t size = t->source->size(t->source->context);
    t->next = t->seen > t->skip ? t->seen : t->skip;
    while (t->next < size && t->n < most) {
        BUFFER_CLEARED bundle = {0};
        apex_status s = t->source->entries(t->source->context, t->next, &bundle);
        struct span rest = buffer_span(&bundle);
        if (s != APEX_OK || rest.len == 0) return log_fault(fault, APEX_E_FORMAT);
        while (rest.len > 0 && t->next < size && t->n < most) {
            if (entry_at(t, &rest, e) != APEX_OK) return log_fault(fault, APEX_E_FORMAT);
            TRY(entry_consider(t, chain, e, fault));
            t->next++;
        }
    }
    return APEX_OK;
}

static apex_status find(struct todo *t, struct evm *chain, struct entry *e,
                        struct chain_fault *fault)
{
    struct query q = {0};
    if (!t->known) TRY(know(t, e, fault));
    t->head = (struct registry_head){0};
    apex_status s = chain_head(chain, t->log, &t->head, fault);
    if (s == APEX_E_NOT_FOUND)
        t->seen = t->skip = 0; /* never opened, or a re-org took it all */
    if (s != APEX_OK && s != APEX_E_NOT_FOUND) return s;
    TRY(entries_consider(t, chain, e, fault));
    if (t->single && t->n) return APEX_OK;
    if (t->source->size(t->source->context) == t->head.size) return APEX_OK;
    return call_add(t, &q, chain, fault);
}

apex_status todo_find(struct todo *t, struct evm *chain, struct chain_fault *fault)
{
    struct entry *e = malloc(sizeof *e);
    if (!e) return chain_fail(fault, APEX_E_MEMORY, "log", "out of memory");
    todo_clear(t);
    t->feeless = false;
    apex_status s = find(t, chain, e, fault);
    free(e);
    return s;
}
