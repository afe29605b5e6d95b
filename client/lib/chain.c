#include "client/lib/chain.h"

#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/chain/fees.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { POLL_US = 200000, WHY_MAX = 240 };

/* The three sentences: which of log, chain and receipt agree. */
static apex_status conclude(struct chain_view *c, const char *what, struct apex_error *error)
{
    char(*say)[240] = c->v->sentences;
    const char *bad = "";
    for (size_t i = 0; i < c->v->n_checks && !bad[0]; i++)
        if (c->v->checks[i].result == 0) bad = c->v->checks[i].detail;
    c->v->holds = c->agree;
    if (c->agree) {
        snprintf(say[0], sizeof say[0], "%s agree.", what);
        snprintf(
            say[1], sizeof say[1],
            "The newest anchor on chain %llu covers %llu entries; it can only be added to.",
            (unsigned long long)c->chain->place.chain_id, (unsigned long long)c->head.size);
        snprintf(say[2], sizeof say[2], "%s",
                 c->v->simulated ? "The enclave that signed all this was SIMULATED."
                                 : "The key that signed all this is bound by the enclave's "
                                   "evidence.");
        return APEX_OK;
    }
    snprintf(say[0], sizeof say[0], "%s do NOT agree: do not rely on them.", what);
    snprintf(say[1], sizeof say[1], "%.230s", bad);
    snprintf(say[2], sizeof say[2],
             "Keep this output and the log as they are, and show them to an auditor.");
    return apex_fail(error, APEX_E_UNTRUSTED, say[0], "nothing was relied on", bad,
                     "the operator");
}

/* ---- a result file ------------------------------------------------------------------------
 */

static const struct receipt_item *result_of(const struct receipt *r)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->items[i].entry.kind == ENTRY_RESULT && r->items[i].entry.run == r->run &&
            r->items[i].entry.has_address &&
            memcmp(r->items[i].entry.address, r->address, 32) == 0)
            return &r->items[i];
    return NULL;
}

static const struct receipt_item *signer_of(const struct receipt *r,
                                            const struct receipt_item *result)
{
    for (size_t i = 0; result && i < r->n; i++)
        if (r->items[i].entry.kind == ENTRY_ENCLAVE &&
            memcmp(r->items[i].entry.identity, result->cose.kid, 32) == 0)
            return &r->items[i];
    return NULL;
}

/* The checkpoint the receipt stands on, in the node's log of today. */
static apex_status receipt_in_log(struct chain_view *c, struct receipt *r,
                                  struct apex_error *error)
{
    struct merkle_hash ours;
    if (checkpoint_open(span_text(r->note), r->origin, &r->log_key, &r->checkpoint) != APEX_OK)
        return apex_fail(error, APEX_E_UNTRUSTED, "the file's checkpoint is not signed",
                         "nothing was compared", "see `apex verify` without --chain",
                         "the one who gave you the file");
    if (!c->node) return APEX_OK;
    bool same = strcmp(c->node->origin, r->origin) == 0 &&
                r->checkpoint.size <= c->node->mirror.n &&
                merkle_tree_root(c->node->mirror.tree, r->checkpoint.size, &ours) == APEX_OK &&
                memcmp(ours.bytes, r->checkpoint.root.bytes, 32) == 0;
    (void)chain_view_check(c, "receipt-in-log", same, CHAIN_ANCHOR_CONTRADICTS,
                           same ? "the node's log contains the checkpoint of the receipt, %llu "
                                  "entries"
                                : "the node's log does not contain the receipt's checkpoint of "
                                  "%llu entries",
                           (unsigned long long)r->checkpoint.size);
    return APEX_OK;
}

/* Without a node an anchor and the receipt can still be of one size. */
static void receipt_beside_anchors(struct chain_view *c)
{
    if (c->node || !c->agree) return;
    if (c->receipt_met) {
        (void)chain_view_check(c, "receipt-anchored", true, NULL,
                               "an anchor is the very checkpoint the receipt stands on: %llu "
                               "entries",
                               (unsigned long long)c->receipt->size);
        return;
    }
    chain_view_left(c, "log-compared",
                    "not asked: give --node to hold the log against the anchors");
}

static apex_status compare(struct chain_view *c, struct receipt *r,
                           const struct apex_chain_options *options, struct apex_error *error)
{
    const struct receipt_item *result = result_of(r), *signer = signer_of(r, result);
    if (!result || !signer)
        return apex_fail(error, APEX_E_UNTRUSTED,
                         "the file records no result, or none by an enclave it shows",
                         "nothing was compared", "see `apex verify` without --chain",
                         "the one who gave you the file");
    TRY(chain_view_open(c, options, error));
    TRY(chain_view_log(c, r->origin, r->log_key.bytes, signer->entry.chain_key, error));
    TRY(chain_view_evidence(c, &signer->entry, error));
    TRY(chain_view_contract(c, r->address, r->manifest->programs[0].digest, error));
    TRY(chain_view_run(c, &result->entry, true, error));
    if (c->node) TRY(node_mirror(c->node, error));
    TRY(receipt_in_log(c, r, error));
    c->receipt = &r->checkpoint;
    TRY(chain_view_anchors(c, result->index + 1, error));
    receipt_beside_anchors(c);
    return conclude(c, c->node ? "Log, chain and receipt" : "Chain and receipt", error);
}

apex_status apex_verify_chain(struct apex_home *home, struct apex_node *node,
                              const struct apex_chain_options *options, const char *result,
                              size_t len, struct apex_verification *v, struct apex_error *error)
{
    struct chain_view c = {.home = home, .node = node, .v = v};
    const char *why = NULL;
    struct receipt *r = calloc(1, sizeof *r);
    *v = (struct apex_verification){.simulated = node && node->verdict.simulated};
    if (!r) return apex_fail_memory(error);
    apex_status s = receipt_parse(result, len, r, &why);
    if (s != APEX_OK)
        s = apex_fail(error, s, why ? why : "the file is not a result file",
                      "nothing was compared", "see `apex verify` without --chain",
                      "the one who gave you the file");
    if (s == APEX_OK) s = compare(&c, r, options, error);
    chain_view_close(&c);
    receipt_clear(r);
    free(r);
    return s;
}

/* ---- a contract's history -------------------------------------------------------------------
 */

static apex_status entry_of(const struct apex_node *node, size_t i, struct entry *e,
                            struct apex_error *error)
{
    struct cose cose;
    if (i < node->mirror.n &&
        cose_open(buffer_span(&node->mirror.entries[i]), SPAN_TEXT(ENTRY_AAD), &cose) ==
            APEX_OK &&
        entry_parse(cose.payload, e) == APEX_OK)
        return APEX_OK;
    return apex_fail(error, APEX_E_UNTRUSTED,
                     "an entry of the log is not signed or formed as it should be",
                     "nothing was compared",
                     "trust nothing from this node; show this to an auditor", "the operator");
}

static apex_status log_find(struct chain_view *c, const struct apex_chain_options *options,
                            struct entry *e, struct apex_error *error)
{
    TRY(chain_view_open(c, options, error));
    TRY(node_refresh(c->node, error));
    TRY(node_mirror(c->node, error));
    TRY(entry_of(c->node, 0, e, error));
    return chain_view_log(c, c->node->origin, e->log_key, e->chain_key, error);
}

static apex_status runs_compare(struct chain_view *c, const uint8_t address[static 32],
                                struct entry *e, struct apex_error *error)
{
    unsigned long long runs = 0;
    size_t before = c->v->n_checks;
    for (size_t i = 0; i < c->node->mirror.n && c->v->n_checks < 40; i++) {
        TRY(entry_of(c->node, i, e, error));
        if (e->kind != ENTRY_RESULT || memcmp(e->address, address, 32) != 0) continue;
        TRY(chain_view_run(c, e, false, error));
        runs++;
    }
    if (c->v->n_checks == before)
        (void)chain_view_check(
            c, "runs-on-chain", true, NULL,
            "all %llu results of this contract are committed on the chain as "
            "the log has them, signed by the enclave's key",
            runs);
    return APEX_OK;
}

/* Has the chain given a fee for this run back? `why` says what was not looked at. */
static apex_status refund_mark(struct chain_view *c, struct apex_event *event, struct entry *e,
                               char why[static WHY_MAX], struct apex_error *error)
{
    struct chain_fault fault = {0};
    struct cose cose;
    struct act act;
    bool refunded, all;
    TRY(entry_of(c->node, event->index, e, error));
    if (cose_parse(e->act, &cose) != APEX_OK || act_parse(cose.payload, &act) != APEX_OK)
        return APEX_OK;
    apex_status s = fees_refunded(c->chain, c->log, act.request_digest, c->head.opened,
                                  &refunded, &all, &fault);
    if (s != APEX_OK)
        snprintf(why, WHY_MAX, "run %llu, %s: %.160s", (unsigned long long)event->index,
                 fault.rule, fault.what);
    else if (refunded)
        snprintf(event->task, sizeof event->task, "%s", TASK_REFUNDED);
    if (s == APEX_OK && !all)
        snprintf(why, WHY_MAX, "of the deposits for run %llu only the %d largest",
                 (unsigned long long)event->index, FEES_MAX);
    return APEX_OK;
}

/* Runs without an answer whose fee the chain has given back. Deposits are strangers', and
 * nothing rests on them: what cannot be looked at is said, and changes no verdict. */
static apex_status refunds_mark(struct chain_view *c, struct apex_event *events, size_t n,
                                struct entry *e, struct apex_error *error)
{
    char why[WHY_MAX] = "";
    for (size_t i = 0; i < n; i++)
        if (strcmp(events[i].kind, "run") == 0 &&
            strcmp(events[i].task, task_name(RUN_RELEASED)) != 0)
            TRY(refund_mark(c, &events[i], e, why, error));
    if (why[0]) chain_view_left(c, "refunds", why);
    return APEX_OK;
}

static apex_status audit(struct chain_view *c, const uint8_t address[static 32],
                         const struct apex_chain_options *options, struct entry *e,
                         struct apex_error *error)
{
    BUFFER_CLEARED text = {0};
    struct manifest *m = NULL;
    TRY(log_find(c, options, e, error));
    TRY(node_manifest(c->node, address, &text, &m, error));
    apex_status s = chain_view_contract(c, address, m->programs[0].digest, error);
    manifest_free(m);
    TRY(s);
    TRY(runs_compare(c, address, e, error));
    TRY(chain_view_anchors(c, 1, error));
    return conclude(c, "Log and chain", error);
}

apex_status apex_audit_chain(struct apex_home *home, struct apex_node *node,
                             const struct apex_chain_options *options, const char *address,
                             struct apex_event *events, size_t n_events,
                             struct apex_verification *v, struct apex_error *error)
{
    struct chain_view c = {.home = home, .node = node, .v = v};
    uint8_t raw[32];
    *v = (struct apex_verification){.simulated = node->verdict.simulated};
    TRY(address_of(address, raw, error));
    struct entry *e = calloc(1, sizeof *e);
    if (!e) return apex_fail_memory(error);
    apex_status s = audit(&c, raw, options, e, error);
    if (s == APEX_OK) s = refunds_mark(&c, events, n_events, e, error);
    chain_view_close(&c);
    free(e);
    return s;
}

/* ---- a contract just deployed -------------------------------------------------------------
 */

static apex_status contract_look(struct chain_view *c, const uint8_t address[static 32],
                                 char transaction[67], struct chain_fault *fault)
{
    struct chain_event e;
    TRY(chain_look(c->chain, fault));
    TRY(chain_head(c->chain, c->log, &c->head, fault));
    TRY(chain_event_find(c->chain, STATEMENT_CONTRACT, c->log, address, c->head.opened,
                         c->chain->at.number, c->key, &e, fault));
    memcpy(transaction, "0x", 2);
    hex_write(SPAN(e.tx), transaction + 2);
    return APEX_OK;
}

static apex_status contract_wait(struct chain_view *c, const uint8_t address[static 32],
                                 uint64_t until_ms, char transaction[67],
                                 struct apex_error *error)
{
    for (;;) {
        struct chain_fault fault = {0};
        apex_status s = contract_look(c, address, transaction, &fault);
        if (s == APEX_OK) return s;
        if (s != APEX_E_NOT_FOUND && s != APEX_E_UNREACHABLE)
            return chain_fault_tell(error, s, &fault);
        if (wall_clock_ms() >= until_ms)
            return apex_fail(error, APEX_E_UNREACHABLE,
                             "the chain does not have the contract yet",
                             "but it is deployed in the log, and the node will record it",
                             "see `apex audit ADDRESS --chain URL` later", "the operator");
        usleep(POLL_US);
    }
}

apex_status apex_chain_wait(struct apex_node *node, const struct apex_chain_options *options,
                            const char *address, uint64_t wait_ms, char transaction[67],
                            struct apex_error *error)
{
    struct apex_verification *v = calloc(1, sizeof *v);
    struct entry *e = calloc(1, sizeof *e);
    struct chain_view c = {.node = node, .v = v};
    uint64_t until = wall_clock_ms() + wait_ms;
    uint8_t raw[32];
    apex_status s = v && e ? address_of(address, raw, error) : apex_fail_memory(error);
    while (s == APEX_OK) {
        s = log_find(&c, options, e, error);
        if (s != APEX_E_NOT_FOUND || wall_clock_ms() >= until) break;
        chain_view_close(&c); /* the log is not open on the chain yet */
        usleep(POLL_US);
        s = APEX_OK;
    }
    if (s == APEX_OK) s = contract_wait(&c, raw, until, transaction, error);
    chain_view_close(&c);
    free(v);
    free(e);
    return s;
}
