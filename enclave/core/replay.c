#include "enclave/core/replay.h"

#include "common/base/try.h"
#include "common/ledger/replay.h"
#include "common/merkle/tile.h"
#include "enclave/core/host.h"

#include <stdlib.h>

/* The newest entries have their signatures checked one by one. The rest are vouched for by the
 * checkpoint, which nobody without this root secret can sign: whoever signed it checked them
 * when it appended them. So a start takes seconds, not minutes, however long the log is. */
enum { SIGNATURES_MAX = 1 << 16 };

static apex_status manifest_fetch(void *context, const uint8_t address[static 32],
                                  struct buffer *manifest)
{
    struct core *core = context;
    apex_status s = host_blob(core->link, address, MANIFEST_MAX, manifest);
    if (s != APEX_E_NOT_FOUND && s != APEX_E_UNTRUSTED && s != APEX_E_LIMIT && s != APEX_E_IO)
        return s;
    buffer_clear(manifest); /* lost or changed: the contract can be listed and nothing else */
    return APEX_OK;
}

static apex_status bundle_apply(struct core *core, struct replay *r, uint64_t size,
                                struct entry *e)
{
    BUFFER_CLEARED bundle = {0};
    struct span rest, bytes;
    struct breach found;
    TRY(host_log_read(core->link, merkle_tree_size(core->tree), &bundle));
    rest = buffer_span(&bundle);
    if (rest.len == 0) return APEX_E_UNTRUSTED;
    while (rest.len > 0 && merkle_tree_size(core->tree) < size) {
        r->signatures = size - merkle_tree_size(core->tree) <= SIGNATURES_MAX;
        TRY(bundle_next(&rest, &bytes));
        TRY(replay_entry(r, bytes, e, &found));
        if (found.rule != REFUSAL_NONE) return APEX_E_UNTRUSTED;
    }
    return APEX_OK;
}

static apex_status entries_apply(struct core *core, uint64_t size)
{
    struct replay r;
    struct entry *e = malloc(sizeof *e);
    apex_status s = e ? APEX_OK : APEX_E_MEMORY;
    replay_init(&r, &core->state, core->tree);
    r.documents_elsewhere = true;
    r.manifest = manifest_fetch;
    r.context = core;
    while (s == APEX_OK && merkle_tree_size(core->tree) < size)
        s = bundle_apply(core, &r, size, e);
    replay_clear(&r);
    free(e);
    return s;
}

apex_status log_replay(struct core *core, const char **why)
{
    struct checkpoint c;
    struct merkle_hash root;
    *why = "the host does not give the checkpoint";
    TRY(host_checkpoint_get(core->link, &core->note));
    if (core->note.len == 0) return APEX_OK;
    *why = "the checkpoint is not signed by the log key of this root secret";
    TRY(checkpoint_open(buffer_span(&core->note), core->origin, &core->keys->public_keys.log,
                        &c));
    *why = "an entry of the log is missing, changed, out of order, against the rules, or not "
           "signed "
           "by one who may";
    TRY(entries_apply(core, c.size));
    *why = "the entries do not hash to the checkpoint's root";
    TRY(merkle_tree_root(core->tree, c.size, &root));
    if (memcmp(root.bytes, c.root.bytes, sizeof root.bytes) != 0) return APEX_E_UNTRUSTED;
    core->kept = c.size;
    return APEX_OK;
}
