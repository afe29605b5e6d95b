#include "enclave/core/replay.h"

#include "common/attest/signer.h"
#include "common/base/try.h"
#include "common/merkle/tile.h"
#include "enclave/core/host.h"

#include <stdlib.h>

/* Who may sign entries: enclaves on record, and the one that an enclave entry itself names,
 * bound by its evidence. */
static apex_status signer_known(const struct core *core, const struct entry *e,
                                const uint8_t kid[static 32])
{
    uint64_t at;
    if (e->kind == ENTRY_ENCLAVE)
        return memcmp(e->identity, kid, 32) == 0 ? APEX_OK : APEX_E_UNTRUSTED;
    return digest_map_get(core->state.identities, kid, &at) ? APEX_OK : APEX_E_UNTRUSTED;
}

static apex_status manifest_fetch(struct core *core, const uint8_t address[static 32],
                                  struct buffer *manifest)
{
    apex_status s = host_blob(core->link, address, MANIFEST_MAX, manifest);
    if (s != APEX_E_NOT_FOUND && s != APEX_E_UNTRUSTED && s != APEX_E_LIMIT && s != APEX_E_IO)
        return s;
    buffer_clear(manifest); /* lost or changed: the contract can be listed and nothing else */
    return APEX_OK;
}

static apex_status act_apply(struct core *core, const struct entry *e)
{
    struct cose cose;
    struct act act;
    BUFFER_CLEARED manifest = {0};
    TRY(cose_open(e->act, SPAN_TEXT(ACT_AAD), &cose));
    TRY(act_parse(cose.payload, &act));
    if ((unsigned)act.kind != e->kind || !e->has_address ||
        memcmp(act.address, e->address, 32) != 0)
        return APEX_E_UNTRUSTED;
    if (act.kind == ACT_DEPLOY) TRY(manifest_fetch(core, act.address, &manifest));
    return state_apply(&core->state, e, &act, cose.kid, buffer_span(&manifest));
}

static apex_status entry_apply(struct core *core, struct span bytes, struct entry *e)
{
    struct cose cose;
    struct merkle_hash leaf;
    const uint8_t nobody[32] = {0};
    merkle_leaf(bytes, &leaf);
    TRY(cose_open(bytes, SPAN_TEXT(ENTRY_AAD), &cose));
    TRY(entry_parse(cose.payload, e));
    if (e->index != merkle_tree_size(core->tree)) return APEX_E_UNTRUSTED;
    TRY(signer_known(core, e, cose.kid));
    if (e->act.len > 0)
        TRY(act_apply(core, e));
    else
        TRY(state_apply(&core->state, e, NULL, nobody, (struct span){0}));
    return merkle_tree_append(core->tree, &leaf);
}

static apex_status bundle_apply(struct core *core, uint64_t size, struct entry *e)
{
    BUFFER_CLEARED bundle = {0};
    struct span rest, bytes;
    TRY(host_log_read(core->link, merkle_tree_size(core->tree), &bundle));
    rest = buffer_span(&bundle);
    if (rest.len == 0) return APEX_E_UNTRUSTED;
    while (rest.len > 0 && merkle_tree_size(core->tree) < size) {
        TRY(bundle_next(&rest, &bytes));
        TRY(entry_apply(core, bytes, e));
    }
    return APEX_OK;
}

static apex_status entries_apply(struct core *core, uint64_t size)
{
    struct entry *e = malloc(sizeof *e);
    apex_status s = e ? APEX_OK : APEX_E_MEMORY;
    while (s == APEX_OK && merkle_tree_size(core->tree) < size)
        s = bundle_apply(core, size, e);
    free(e);
    return s;
}

apex_status replay(struct core *core, const char **why)
{
    struct checkpoint c;
    struct merkle_hash root;
    *why = "the host does not give the checkpoint";
    TRY(host_checkpoint_get(core->link, &core->note));
    if (core->note.len == 0) return APEX_OK;
    *why = "the checkpoint is not signed by the log key of this root secret";
    TRY(checkpoint_open(buffer_span(&core->note), core->origin, &core->keys->public_keys.log,
                        &c));
    *why =
        "an entry of the log is missing, changed, out of order, or not signed by one who may";
    TRY(entries_apply(core, c.size));
    *why = "the entries do not hash to the checkpoint's root";
    TRY(merkle_tree_root(core->tree, c.size, &root));
    if (memcmp(root.bytes, c.root.bytes, sizeof root.bytes) != 0) return APEX_E_UNTRUSTED;
    core->kept = c.size;
    return APEX_OK;
}
