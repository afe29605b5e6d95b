#include "enclave/core/proof.h"

#include "common/base/try.h"
#include "common/merkle/tile.h"
#include "enclave/core/host.h"

bool proof_seen(const struct core *core, uint64_t size, const uint8_t root[static 32])
{
    struct merkle_hash ours;
    if (size == 0) return true;
    if (size > core->kept || merkle_tree_root(core->tree, size, &ours) != APEX_OK) return false;
    return memcmp(ours.bytes, root, sizeof ours.bytes) == 0;
}

static void hashes_copy(const struct merkle_proof *from, uint8_t to[][32], size_t *n)
{
    for (size_t i = 0; i < from->n; i++)
        memcpy(to[i], from->hash[i].bytes, 32);
    *n = from->n;
}

apex_status proof_make(const struct core *core, uint64_t old_size, uint64_t index,
                       struct wire_proof *proof)
{
    struct merkle_proof p;
    proof->note = buffer_span(&core->note);
    proof->n_consistency = proof->n_inclusion = 0;
    if (old_size > 0) {
        TRY(merkle_tree_consistency(core->tree, old_size, core->kept, &p));
        hashes_copy(&p, proof->consistency, &proof->n_consistency);
    }
    if (index == UINT64_MAX) return APEX_OK;
    TRY(merkle_tree_inclusion(core->tree, index, core->kept, &p));
    hashes_copy(&p, proof->inclusion, &proof->n_inclusion);
    return APEX_OK;
}

apex_status proof_entry(struct core *core, uint64_t index, struct buffer *entry)
{
    BUFFER_CLEARED bundle = {0};
    struct span rest, bytes;
    struct merkle_hash leaf, ours;
    TRY(host_log_read(core->link, index, &bundle));
    rest = buffer_span(&bundle);
    TRY(bundle_next(&rest, &bytes));
    merkle_leaf(bytes, &leaf);
    TRY(merkle_tree_leaf_at(core->tree, index, &ours));
    if (memcmp(leaf.bytes, ours.bytes, sizeof leaf.bytes) != 0) return APEX_E_UNTRUSTED;
    buffer_append(entry, bytes);
    return buffer_ok(entry);
}
