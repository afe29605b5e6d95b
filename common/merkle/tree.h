/* An append-only Merkle tree over leaf hashes, all levels in memory (about 64 bytes a leaf),
 * with proofs. Source: RFC 6962 section 2.1 (RFC 9162 section 2.1). Leaks: everything; a log is
 * public. */
#ifndef COMMON_MERKLE_TREE_H
#define COMMON_MERKLE_TREE_H

#include "common/base/buffer.h"
#include "common/base/span.h"
#include "include/apex/status.h"

enum { MERKLE_HASH_LEN = 32, MERKLE_PROOF_MAX = 64 };

struct merkle_hash {
    uint8_t bytes[MERKLE_HASH_LEN];
};
struct merkle_proof {
    struct merkle_hash hash[MERKLE_PROOF_MAX];
    size_t n;
};

/* SHA-256, for rooms that have no crypto door: blob digests and the like. */
void merkle_digest(struct span bytes, uint8_t digest[static 32]);
struct merkle_digester {
    _Alignas(16) uint8_t state[128];
};
void merkle_digester_init(struct merkle_digester *d);
void merkle_digester_update(struct merkle_digester *d, struct span bytes);
void merkle_digester_final(struct merkle_digester *d, uint8_t digest[static 32]);

void merkle_leaf(struct span entry, struct merkle_hash *leaf); /* SHA-256(0x00 || entry) */
void merkle_node(const struct merkle_hash *l, const struct merkle_hash *r,
                 struct merkle_hash *node);  /* SHA-256(0x01 || l || r) */
void merkle_empty(struct merkle_hash *root); /* SHA-256("") */

struct merkle_tree;
apex_status merkle_tree_new(struct merkle_tree **tree);
void merkle_tree_free(struct merkle_tree *tree);
uint64_t merkle_tree_size(const struct merkle_tree *tree);
apex_status merkle_tree_append(struct merkle_tree *tree, const struct merkle_hash *leaf);
/* Forget the leaves from `size` on: undo of an append that was not persisted. */
apex_status merkle_tree_truncate(struct merkle_tree *tree, uint64_t size);
apex_status merkle_tree_leaf_at(const struct merkle_tree *tree, uint64_t index,
                                struct merkle_hash *leaf);
/* The root of the complete subtree of 2^level leaves number `index`, for tiles. APEX_E_USAGE:
 * not complete. */
apex_status merkle_tree_node_at(const struct merkle_tree *tree, unsigned level, uint64_t index,
                                struct merkle_hash *node);
/* The root as it was at `size` <= merkle_tree_size. Any other size: APEX_E_USAGE. */
apex_status merkle_tree_root(const struct merkle_tree *tree, uint64_t size,
                             struct merkle_hash *root);
apex_status merkle_tree_inclusion(const struct merkle_tree *tree, uint64_t index, uint64_t size,
                                  struct merkle_proof *proof);
apex_status merkle_tree_consistency(const struct merkle_tree *tree, uint64_t old_size,
                                    uint64_t size, struct merkle_proof *proof);

/* Checks need no tree. APEX_E_UNTRUSTED when the proof does not hold, is too long or too short.
 */
apex_status merkle_check_inclusion(const struct merkle_hash *leaf, uint64_t index,
                                   uint64_t size, const struct merkle_proof *proof,
                                   const struct merkle_hash *root);
apex_status merkle_check_consistency(uint64_t old_size, const struct merkle_hash *old_root,
                                     uint64_t size, const struct merkle_hash *root,
                                     const struct merkle_proof *proof);

#endif
