#include "common/ledger/replay.h"

#include "common/attest/signer.h"
#include "common/base/try.h"
#include "common/crypto/hash.h"
#include "common/ledger/policy.h"

#include <stdio.h>
#include <stdlib.h>

struct reading {
    struct replay *replay;
    struct entry *entry;
    const uint8_t *signer;
    struct act act;
    const uint8_t *author;
    struct buffer manifest;
    struct breach *found;
    const char *stuck; /* what would keep it from following */
};

void replay_init(struct replay *r, struct state *state, struct merkle_tree *tree)
{
    *r = (struct replay){.state = state, .tree = tree, .signatures = true};
}

void replay_clear(struct replay *r)
{
    free(r->enclaves);
    *r = (struct replay){0};
}

static void find(struct reading *x, enum refusal rule, const char *why)
{
    if (rule == REFUSAL_NONE || x->found->rule != REFUSAL_NONE) return; /* the first counts */
    x->found->rule = rule;
    x->found->why = why;
}

static const struct enclave_record *record_of(const struct replay *r, const uint8_t *identity)
{
    for (size_t i = r->n_enclaves; i-- > 0;) /* the newest is who signs most */
        if (memcmp(r->enclaves[i].identity, identity, 32) == 0) return &r->enclaves[i];
    return NULL;
}

static apex_status open_by(const struct replay *r, struct span bytes, struct span aad,
                           struct cose *cose)
{
    return r->signatures ? cose_open(bytes, aad, cose) : cose_parse(bytes, cose);
}

static bool lacks_documents(const struct verdict *v)
{
    for (size_t i = 0; i < v->n_checks; i++)
        if (v->checks[i].result == CHECK_FAIL)
            return v->checks[i].why == REASON_COLLATERAL_MISSING ||
                   strcmp(v->checks[i].name, "certificate-there") == 0;
    return false;
}

/* An enclave's evidence is judged by itself: which of them a contract accepts is its manifest's
 * to say. */
static void evidence_judge(struct reading *x, struct enclave_record *record)
{
    const struct entry *e = x->entry;
    struct enclave_keys keys = {0};
    struct verdict *v = malloc(sizeof *v);
    memcpy(keys.identity.bytes, e->identity, 32);
    memcpy(keys.identity_seal.bytes, e->identity_seal, 32);
    memcpy(keys.log.bytes, e->log_key, 32);
    memcpy(keys.chain.bytes, e->chain_key, sizeof keys.chain.bytes);
    apex_status s =
        v ? attest_verify(e->evidence, &keys, x->replay->bundles, e->time_ms, v, NULL)
          : APEX_OK;
    (void)s; /* whether a policy accepts it is not asked here */
    record->judged = v && v->genuine;
    if (record->judged) {
        memcpy(record->tee, v->tee, sizeof record->tee);
        memcpy(record->measurement, v->measurement, v->measurement_len);
        record->measurement_len = v->measurement_len;
    } else if (!v || !x->replay->documents_elsewhere || !lacks_documents(v))
        find(x, REFUSAL_WRONG_MEASUREMENT, "the evidence of this enclave is not genuine");
    free(v);
}

static apex_status enclave_note(struct reading *x)
{
    struct replay *r = x->replay;
    if (r->n_enclaves == r->cap_enclaves) {
        size_t cap = r->cap_enclaves ? 2 * r->cap_enclaves : 16;
        struct enclave_record *more = realloc(r->enclaves, cap * sizeof *more);
        if (!more) return APEX_E_MEMORY;
        r->enclaves = more;
        r->cap_enclaves = cap;
    }
    struct enclave_record *record = &r->enclaves[r->n_enclaves++];
    *record = (struct enclave_record){0};
    memcpy(record->identity, x->entry->identity, 32);
    if (r->signatures) evidence_judge(x, record);
    return APEX_OK;
}

/* Who may sign entries: enclaves on record, and the one that an enclave entry itself names,
 * bound by its evidence. */
static bool signer_known(const struct reading *x)
{
    uint64_t at;
    if (x->entry->kind == ENTRY_ENCLAVE && !x->entry->admitted)
        return memcmp(x->entry->identity, x->signer, 32) == 0;
    return digest_map_get(x->replay->state->identities, x->signer, &at);
}

/* Does the manifest name the enclave that sequenced this? */
static enum refusal sequencer_named(const struct reading *x, const struct manifest *m)
{
    const struct enclave_record *record = record_of(x->replay, x->signer);
    if (!x->replay->signatures || !record || !record->judged) return REFUSAL_NONE;
    return policy_measurement(m, record->tee,
                              span_of(record->measurement, record->measurement_len))
               ? REFUSAL_NONE
               : REFUSAL_WRONG_MEASUREMENT;
}

static void judge_deploy(struct reading *x)
{
    struct manifest *m = NULL;
    uint8_t digest[HASH_LEN];
    const struct enclave_record *record = record_of(x->replay, x->signer);
    sha256(buffer_span(&x->manifest), digest);
    if (memcmp(digest, x->act.address, sizeof digest) != 0) return; /* lost: cannot be judged */
    if (manifest_parse(buffer_span(&x->manifest), &m, NULL) != APEX_OK) {
        find(x, REFUSAL_BAD_MANIFEST, "its manifest is not acceptable");
        return;
    }
    if (record && record->judged)
        find(x,
             policy_deploy(m, x->author, record->tee,
                           span_of(record->measurement, record->measurement_len),
                           x->entry->time_ms),
             "its manifest does not allow it to be deployed so");
    manifest_free(m);
}

static bool seen_there(const struct reading *x)
{
    struct merkle_hash ours;
    if (x->act.seen_size == 0) return true;
    if (x->act.seen_size > merkle_tree_size(x->replay->tree) ||
        merkle_tree_root(x->replay->tree, x->act.seen_size, &ours) != APEX_OK)
        return false;
    return memcmp(ours.bytes, x->act.seen_root, sizeof ours.bytes) == 0;
}

static void judge_run(struct reading *x, const struct contract *c)
{
    const struct manifest_function *f = manifest_function_by_name(c->manifest, x->act.name);
    if (x->act.kind == ACT_RUN && f)
        find(x, policy_afford(x->replay->state, c, f, x->entry->epsilon_micro, 0),
             "the contract had no model for it, or no privacy budget left");
}

static void judge_act(struct reading *x)
{
    struct state *s = x->replay->state;
    uint8_t digest[HASH_LEN];
    uint64_t at;
    sha256(x->entry->act, digest);
    if (digest_map_get(s->acts, digest, &at))
        find(x, REFUSAL_REPLAYED, "its act was recorded before");
    if (!seen_there(x))
        find(x, REFUSAL_UNKNOWN_CHECKPOINT,
             "its author had seen a checkpoint that this log does not contain");
    find(x, policy_time(&x->act, x->entry->time_ms),
         "its act is dated more than 15 minutes away");
    const struct contract *c = state_contract(s, x->act.address);
    if (!c) {
        if (x->act.kind == ACT_DEPLOY) judge_deploy(x);
        return;
    }
    if (!c->manifest) return;
    if (x->act.kind != ACT_WITHDRAW && x->act.kind != ACT_CLOSE)
        find(x, sequencer_named(x, c->manifest),
             "the enclave that sequenced it is not one the manifest names");
    find(x, policy_act(c, &x->act, x->author, x->entry->time_ms),
         "the manifest or the contract's state does not allow it");
    judge_run(x, c);
}

static void judge_end(struct reading *x)
{
    const char *why = NULL;
    const struct contract *c = state_contract(x->replay->state, x->entry->address);
    if (!c || !c->manifest) return;
    enum refusal no = policy_end(x->replay->state, c, x->entry, &why);
    find(x, no, why);
    if (x->entry->kind == ENTRY_RESULT)
        find(x, sequencer_named(x, c->manifest),
             "the enclave that computed it is not one the manifest names");
}

static apex_status act_read(struct reading *x, struct cose *cose)
{
    struct entry *e = x->entry;
    x->stuck = "its act is not formed and signed as it should be, or is not the entry's";
    TRY(open_by(x->replay, e->act, SPAN_TEXT(ACT_AAD), cose));
    TRY(act_parse(cose->payload, &x->act));
    x->author = cose->kid;
    return (unsigned)x->act.kind == e->kind && e->has_address &&
                   memcmp(x->act.address, e->address, 32) == 0
               ? APEX_OK
               : APEX_E_UNTRUSTED;
}

static apex_status act_apply(struct reading *x)
{
    struct cose cose;
    TRY(act_read(x, &cose));
    x->stuck = "the manifest could not be had";
    if (x->act.kind == ACT_DEPLOY)
        TRY(x->replay->manifest(x->replay->context, x->act.address, &x->manifest));
    judge_act(x);
    x->stuck = "it does not follow from the entries before it";
    return state_apply(x->replay->state, x->entry, &x->act, x->author,
                       buffer_span(&x->manifest));
}

static apex_status apply(struct reading *x)
{
    const uint8_t nobody[32] = {0};
    if (x->entry->act.len > 0) return act_apply(x);
    if (x->entry->kind == ENTRY_ENCLAVE)
        TRY(enclave_note(x));
    else
        judge_end(x);
    x->stuck = "it does not follow from the entries before it";
    return state_apply(x->replay->state, x->entry, NULL, nobody, (struct span){0});
}

static apex_status read_entry(struct reading *x, struct span bytes, struct cose *cose)
{
    struct entry *e = x->entry;
    x->stuck = "it is not formed and signed as an entry should be";
    TRY(open_by(x->replay, bytes, SPAN_TEXT(ENTRY_AAD), cose));
    TRY(entry_parse(cose->payload, e));
    x->stuck = "it does not stand at its index";
    if (e->index != merkle_tree_size(x->replay->tree)) return APEX_E_UNTRUSTED;
    x->signer = cose->kid;
    x->stuck = "it is signed by no enclave on record";
    if (!signer_known(x)) return APEX_E_UNTRUSTED;
    if (e->time_ms < x->replay->state->last_time_ms)
        find(x, REFUSAL_STALE_TIME, "it is dated before the entry before it");
    return APEX_OK;
}

apex_status replay_entry(struct replay *r, struct span bytes, struct entry *e,
                         struct breach *found)
{
    struct reading x = {.replay = r, .entry = e, .found = found};
    struct merkle_hash leaf;
    struct cose cose;
    *found = (struct breach){.index = merkle_tree_size(r->tree)};
    merkle_leaf(bytes, &leaf);
    apex_status s = read_entry(&x, bytes, &cose);
    if (s == APEX_OK) s = apply(&x);
    buffer_clear(&x.manifest);
    if (s != APEX_OK && found->rule == REFUSAL_NONE) found->why = x.stuck;
    TRY(s);
    return merkle_tree_append(r->tree, &leaf);
}
