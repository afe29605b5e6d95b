#include "enclave/core/core.h"

#include "common/attest/signer.h"
#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/ledger/witnessed.h"
#include "common/merkle/tile.h"
#include "enclave/core/hand_over.h"
#include "enclave/core/host.h"
#include "enclave/core/proof.h"
#include "enclave/core/recovery.h"
#include "enclave/core/replay.h"
#include "enclave/core/root.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

uint64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t core_now(const struct core *core)
{
    uint64_t now = clock_ms();
    return now > core->state.last_time_ms ? now : core->state.last_time_ms;
}

static apex_status checkpoint_make(struct core *core, struct buffer *note)
{
    struct checkpoint c = {.size = merkle_tree_size(core->tree)};
    memcpy(c.origin, core->origin, sizeof c.origin);
    TRY(merkle_tree_root(core->tree, c.size, &c.root));
    return checkpoint_sign(&c, &core->keys->log, note);
}

apex_status core_keep(struct core *core)
{
    if (!core->unkept) return APEX_OK;
    TRY(host_checkpoint_put(core->link, buffer_span(&core->waiting)));
    buffer_clear(&core->note);
    core->note = core->waiting;
    core->waiting = (struct buffer){0};
    core->unkept = false;
    core->kept = merkle_tree_size(core->tree);
    return APEX_OK;
}

static bool witnessed_now(struct core *core, const struct manifest *m, uint64_t min_size)
{
    BUFFER_CLEARED note = {0};
    if (host_witnessed_get(core->link, &note) != APEX_OK || note.len == 0) return false;
    pthread_mutex_lock(&core->lock);
    bool is = witnessed(&m->witnesses, buffer_span(&note), core->origin,
                        &core->keys->public_keys.log, core->tree, min_size);
    pthread_mutex_unlock(&core->lock);
    return is;
}

bool core_witnessed(struct core *core, const struct manifest *m, uint64_t min_size,
                    unsigned wait_ms)
{
    enum { PAUSE_MS = 50 };
    if (m->witnesses.n == 0) return true;
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000};
    for (unsigned waited_ms = 0;; waited_ms += PAUSE_MS) {
        if (witnessed_now(core, m, min_size)) return true;
        if (waited_ms >= wait_ms) return false;
        nanosleep(&pause, NULL);
    }
}

/* The host has the entry: from here on failing for want of memory would part log and state, so
 * we end instead. */
static void must(apex_status s)
{
    if (s != APEX_OK) abort();
}

static apex_status log_append(struct core *core, uint64_t index, struct span cose)
{
    BUFFER_CLEARED bundle = {0};
    struct merkle_hash leaf;
    TRY(bundle_write(cose, &bundle));
    TRY(host_log_append(core->link, index, buffer_span(&bundle)));
    merkle_leaf(cose, &leaf);
    return merkle_tree_append(core->tree, &leaf);
}

apex_status core_append(struct core *core, struct entry *entry, const struct act *act,
                        const uint8_t author[static 32], struct span manifest,
                        struct buffer *cose)
{
    TRY(core_keep(core));
    BUFFER_CLEARED payload = {0};
    entry->index = core->kept;
    if (entry->time_ms == 0) entry->time_ms = core_now(core);
    entry_write(entry, &payload);
    TRY(buffer_ok(&payload));
    TRY(cose_sign(&core->keys->identity, SPAN_TEXT(ENTRY_AAD), buffer_span(&payload), cose));
    if (cose->len > ENTRY_MAX) return APEX_E_LIMIT;
    TRY(log_append(core, entry->index, buffer_span(cose)));
    must(checkpoint_make(core, &core->waiting));
    core->unkept = true;
    must(state_apply(&core->state, entry, act, author, manifest));
    return core_keep(core);
}

static apex_status quote(struct core *core)
{
    uint8_t report_data[REPORT_DATA_LEN];
    BUFFER_CLEARED fresh = {0};
    uint64_t now = clock_ms();
    attest_report_data(&core->keys->public_keys, report_data);
    TRY(tee_quote(core->tee, report_data, now, &fresh));
    buffer_clear(&core->evidence);
    core->evidence = fresh;
    core->evidence_ms = now;
    fresh = (struct buffer){0};
    return APEX_OK;
}

void core_evidence_renew(struct core *core, uint64_t now_ms)
{
    if (now_ms < core->evidence_ms || now_ms - core->evidence_ms < EVIDENCE_AGE_MS) return;
    core->evidence_ms = now_ms; /* not asked again at once, whatever comes of it */
    apex_status kept = quote(core);
    (void)kept;
}

/* Every start is on record: who joined, with which evidence. */
static apex_status join(struct core *core)
{
    const uint8_t nobody[32] = {0};
    BUFFER_CLEARED cose = {0};
    TRY(quote(core));
    struct entry *e = calloc(1, sizeof *e);
    if (!e) return APEX_E_MEMORY;
    e->kind = ENTRY_ENCLAVE;
    e->evidence = buffer_span(&core->evidence);
    memcpy(e->identity, core->keys->public_keys.identity.bytes, 32);
    memcpy(e->identity_seal, core->keys->public_keys.identity_seal.bytes, 32);
    memcpy(e->log_key, core->keys->public_keys.log.bytes, 32);
    memcpy(e->chain_key, core->keys->public_keys.chain.bytes, sizeof e->chain_key);
    apex_status s = core_append(core, e, NULL, nobody, (struct span){0}, &cose);
    free(e);
    return s;
}

static apex_status contract_keys(const void *keys, const uint8_t address[static 32],
                                 struct seal_public *public_key, struct seal_secret *secret)
{
    return keys_contract(keys, address, public_key, secret);
}

void core_name(struct core *core)
{
    char hex[2 * 8 + 1];
    hex_write(span_of(core->keys->public_keys.log.bytes, 8), hex);
    snprintf(core->origin, sizeof core->origin, "apex-log/%s", hex);
}

static apex_status policies_open(struct core *core, const struct core_policies *p,
                                 const char **why)
{
    *why = "peers.json is no trust policy";
    TRY(hand_over_new(core->tee, p->peers, &core->hand_over));
    *why = "recovery.json is no recovery policy";
    return recovery_new(p->recovery, &core->recovery);
}

/* The log may have grown since; it may not lack what it had. */
static bool floor_holds(const struct core *core)
{
    const uint8_t any[32] = {0};
    const struct floor *f = &core->floor;
    if (f->size == 0) return true;
    if (memcmp(f->root, any, sizeof any) == 0) return core->kept >= f->size;
    return proof_seen(core, f->size, f->root);
}

static apex_status keys_open(struct core *core, const char **why)
{
    WIPED(root_secret) root = {0};
    *why = "no memory for keys";
    TRY(keys_new(&core->keys));
    *why = "the machine gives no evidence";
    TRY(quote(core)); /* as one without a root secret, in case it has to be asked for */
    TRY(root_find(core, &root, why));
    *why = "no key comes of this root secret";
    TRY(keys_root(core->keys, &root));
    core_name(core);
    return state_init(&core->state, contract_keys, core->keys);
}

apex_status core_open(struct core *core, struct link *link, struct tee *tee,
                      const struct core_policies *policies, const char **why)
{
    *core = (struct core){.link = link, .tee = tee};
    pthread_mutex_init(&core->lock, NULL);
    *why = "no memory";
    TRY(kept_tables_new(kept_tables_room(), &core->tables));
    TRY(policies_open(core, policies, why));
    TRY(keys_open(core, why));
    TRY(merkle_tree_new(&core->tree));
    TRY(log_replay(core, why));
    *why =
        "the log here ends before the root secret was handed over: copy the other node's log "
        "and blobs into this node's data folder, and start again";
    if (!floor_holds(core)) return APEX_E_UNTRUSTED;
    *why = "the log does not take the entry of this start";
    return join(core);
}

void core_close(struct core *core)
{
    state_clear(&core->state);
    merkle_tree_free(core->tree);
    buffer_clear(&core->note);
    buffer_clear(&core->waiting);
    buffer_clear(&core->evidence);
    buffer_clear(&core->greeting);
    kept_tables_free(core->tables);
    keys_free(core->keys);
    hand_over_free(core->hand_over);
    recovery_free(core->recovery);
    pthread_mutex_destroy(&core->lock);
}
