#include "client/lib/chain.h"

#include "common/base/hex.h"
#include "common/base/try.h"

#include <stdio.h>
#include <stdlib.h>

enum { MEMORY_MAX = 256 };

/* "SIZE ROOT\n": the newest anchor this home has seen of the log. */
static apex_status memory_path(const struct chain_view *c, char path[static FULL_PATH_MAX],
                               struct apex_error *error)
{
    char hex[17];
    hex_write(span_of(c->log, 8), hex);
    return home_file(c->home, "chains", hex, ".anchor", path, error);
}

static apex_status remembered(const struct chain_view *c, struct registry_head *kept,
                              struct apex_error *error)
{
    char path[FULL_PATH_MAX], *end;
    BUFFER_CLEARED text = {0};
    *kept = (struct registry_head){0};
    if (!c->home) return APEX_OK;
    TRY(memory_path(c, path, error));
    apex_status s = file_load(path, MEMORY_MAX, &text, error);
    if (s == APEX_E_NOT_FOUND) return APEX_OK;
    TRY(s);
    buffer_u8(&text, 0);
    if (buffer_ok(&text) != APEX_OK) return apex_fail_memory(error);
    kept->size = strtoull((const char *)text.data, &end, 10);
    if (*end == ' ' && strlen(end) == 66 &&
        hex_parse(span_of(end + 1, 64), kept->root, 32) == APEX_OK)
        return APEX_OK;
    return apex_fail(error, APEX_E_UNTRUSTED, "the remembered anchor of this log is damaged",
                     "nothing was compared", "restore the file from a backup, or remove it",
                     "you");
}

static apex_status remember(const struct chain_view *c, struct apex_error *error)
{
    char path[FULL_PATH_MAX], text[MEMORY_MAX], root[65];
    if (!c->home) return APEX_OK;
    hex_write(SPAN(c->head.root), root);
    int n = snprintf(text, sizeof text, "%llu %s\n", (unsigned long long)c->head.size, root);
    TRY(memory_path(c, path, error));
    return file_save(path, span_of(text, (size_t)n), 0600, false, error);
}

/* The log's own root at an anchor's size, or the receipt's checkpoint where that is all there
 * is: 1 the same, 0 another, -1 not at hand. */
static int in_log(struct chain_view *c, uint64_t size, const uint8_t root[static 32])
{
    struct merkle_hash ours;
    if (!c->node && c->receipt && c->receipt->size == size) {
        c->receipt_met = true;
        return memcmp(c->receipt->root.bytes, root, 32) == 0;
    }
    if (!c->node) return -1;
    if (size > c->node->mirror.n) return 0;
    return merkle_tree_root(c->node->mirror.tree, size, &ours) == APEX_OK &&
           memcmp(ours.bytes, root, 32) == 0;
}

static void newest_check(struct chain_view *c, const struct registry_head *kept)
{
    unsigned long long size = c->head.size, block = c->head.anchored;
    if (kept->size > c->head.size ||
        (kept->size == c->head.size && memcmp(kept->root, c->head.root, 32) != 0)) {
        (void)chain_view_check(
            c, "not-gone-back", false, CHAIN_REORG,
            "an anchor of %llu entries was here before and is gone: the chain "
            "was reorganised below it, or this RPC hides it",
            (unsigned long long)kept->size);
        return;
    }
    if (!c->node) return;
    int same = in_log(c, c->head.size, c->head.root);
    bool shorter = c->head.size > c->node->mirror.n;
    (void)chain_view_check(
        c, "anchor-in-log", same == 1, shorter ? CHAIN_ROLLED_BACK : CHAIN_ANCHOR_CONTRADICTS,
        same == 1 ? "the log contains the newest anchor: %llu entries, block %llu"
        : shorter
            ? "%llu entries are anchored in block %llu, and the node shows fewer: it was "
              "rolled back"
            : "the %llu entries anchored in block %llu are not those of the node's log: it "
              "was rewritten",
        size, block);
}

/* One anchor's event, signed by the enclave's key. */
static apex_status anchor_get(struct chain_view *c, uint64_t size, uint64_t block,
                              struct chain_event *e, struct apex_error *error)
{
    struct chain_fault fault = {0};
    uint8_t topic[32];
    chain_word_u64(size, topic);
    apex_status s = chain_event_find(c->chain, STATEMENT_ANCHOR, c->log, topic, block, block,
                                     c->key, e, &fault);
    if (s == APEX_E_NOT_FOUND)
        s = chain_fail(
            &fault, APEX_E_UNTRUSTED, CHAIN_RPC_CONTRADICTS,
            "the registry names an anchor in block %llu, and the RPC shows none there",
            (unsigned long long)block);
    return s == APEX_OK ? s : chain_fault_tell(error, s, &fault);
}

/* The anchor before: any in its block, the newest of them. */
static apex_status previous_get(struct chain_view *c, const struct chain_event *at,
                                struct chain_event *e, struct apex_error *error)
{
    struct chain_fault fault = {0};
    apex_status s = chain_anchor_before(c->chain, c->log, at->event.previous,
                                        at->event.statement.size, c->key, e, &fault);
    if (s == APEX_E_NOT_FOUND)
        s = chain_fail(
            &fault, APEX_E_UNTRUSTED, CHAIN_RPC_CONTRADICTS,
            "an anchor names block %llu as that of the one before, and the RPC shows "
            "none there",
            (unsigned long long)at->event.previous);
    return s == APEX_OK ? s : chain_fault_tell(error, s, &fault);
}

apex_status chain_view_anchors(struct chain_view *c, uint64_t least, struct apex_error *error)
{
    struct registry_head kept;
    struct chain_event e, before;
    uint64_t walked = 1, wrong = 0;
    char tx[65];
    TRY(remembered(c, &kept, error));
    if (c->head.size < least || c->head.size == 0) {
        (void)chain_view_check(
            c, "anchored", false, kept.size >= least ? CHAIN_REORG : CHAIN_NOT_YET,
            "the newest anchor covers %llu entries, and entry %llu is asked for",
            (unsigned long long)c->head.size, (unsigned long long)(least ? least - 1 : 0));
        return APEX_OK;
    }
    newest_check(c, &kept);
    if (!c->agree) return APEX_OK; /* enough is known */
    TRY(anchor_get(c, c->head.size, c->head.anchored, &e, error));
    if (memcmp(e.event.statement.root, c->head.root, 32) != 0 ||
        in_log(c, c->head.size, c->head.root) == 0)
        wrong++;
    else
        TRY(remember(c, error)); /* not before it is known to be signed */
    while (e.event.previous != 0 && walked < ANCHORS_WALKED_MAX) {
        TRY(previous_get(c, &e, &before, error));
        if (before.event.statement.size < least) break;
        wrong += in_log(c, before.event.statement.size, before.event.statement.root) == 0;
        e = before;
        walked++;
    }
    hex_write(SPAN(e.tx), tx);
    (void)chain_view_check(
        c, "anchored", wrong == 0, CHAIN_ANCHOR_CONTRADICTS,
        wrong == 0 ? "%llu anchors, each signed by the enclave's key%s; the first in "
                     "transaction 0x%s"
                   : "of %llu anchors not all are of this log%s (0x%s)",
        (unsigned long long)walked, c->node ? " and in the log" : "", tx);
    return APEX_OK;
}
