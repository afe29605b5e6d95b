#include "common/merkle/tree.h"

#include "common/base/size.h"
#include "common/base/try.h"
#include "common/crypto/hash.h"

#include <stdlib.h>

enum { LEVELS_MAX = 64 };

/* Level 0 holds the leaves, level l the roots of complete subtrees of 2^l leaves. */
struct level {
    struct merkle_hash *hash;
    size_t n, cap;
};
struct merkle_tree {
    struct level levels[LEVELS_MAX];
};

_Static_assert(sizeof(struct merkle_digester) >= sizeof(struct sha256),
               "merkle_digester holds a sha256");

void merkle_digest(struct span bytes, uint8_t digest[static 32])
{
    sha256(bytes, digest);
}

void merkle_digester_init(struct merkle_digester *d)
{
    sha256_init((struct sha256 *)d);
}

void merkle_digester_update(struct merkle_digester *d, struct span bytes)
{
    sha256_update((struct sha256 *)d, bytes);
}

void merkle_digester_final(struct merkle_digester *d, uint8_t digest[static 32])
{
    sha256_final((struct sha256 *)d, digest);
}

void merkle_empty(struct merkle_hash *root)
{
    sha256((struct span){0}, root->bytes);
}

void merkle_leaf(struct span entry, struct merkle_hash *leaf)
{
    const uint8_t prefix = 0;
    struct sha256 h;
    sha256_init(&h);
    sha256_update(&h, span_of(&prefix, 1));
    sha256_update(&h, entry);
    sha256_final(&h, leaf->bytes);
}

void merkle_node(const struct merkle_hash *l, const struct merkle_hash *r,
                 struct merkle_hash *node)
{
    uint8_t both[1 + 2 * MERKLE_HASH_LEN];
    both[0] = 1;
    memcpy(both + 1, l->bytes, MERKLE_HASH_LEN);
    memcpy(both + 1 + MERKLE_HASH_LEN, r->bytes, MERKLE_HASH_LEN);
    sha256(SPAN(both), node->bytes);
}

apex_status merkle_tree_new(struct merkle_tree **tree)
{
    *tree = calloc(1, sizeof **tree);
    return *tree ? APEX_OK : APEX_E_MEMORY;
}

void merkle_tree_free(struct merkle_tree *tree)
{
    for (size_t l = 0; tree && l < LEVELS_MAX; l++)
        free(tree->levels[l].hash);
    free(tree);
}

uint64_t merkle_tree_size(const struct merkle_tree *tree)
{
    return tree->levels[0].n;
}

static apex_status level_room(struct level *l)
{
    size_t cap = l->cap ? 2 * l->cap : 16, bytes;
    if (l->n < l->cap) return APEX_OK;
    if (!size_mul(cap, sizeof *l->hash, &bytes)) return APEX_E_LIMIT;
    struct merkle_hash *hash = realloc(l->hash, bytes);
    if (!hash) return APEX_E_MEMORY;
    l->hash = hash;
    l->cap = cap;
    return APEX_OK;
}

/* Room first, on every level that will grow, so that an append happens wholly or not at all. */
apex_status merkle_tree_append(struct merkle_tree *tree, const struct merkle_hash *leaf)
{
    uint64_t size = merkle_tree_size(tree) + 1;
    for (size_t l = 0; l < LEVELS_MAX && (size & ((UINT64_C(1) << l) - 1)) == 0; l++)
        TRY(level_room(&tree->levels[l]));
    tree->levels[0].hash[tree->levels[0].n++] = *leaf;
    for (size_t l = 1; l < LEVELS_MAX && (size & ((UINT64_C(1) << l) - 1)) == 0; l++) {
        const struct level *below = &tree->levels[l - 1];
        struct level *level = &tree->levels[l];
        merkle_node(&below->hash[below->n - 2], &below->hash[below->n - 1],
                    &level->hash[level->n]);
        level->n++;
    }
    return APEX_OK;
}

apex_status merkle_tree_truncate(struct merkle_tree *tree, uint64_t size)
{
    if (size > merkle_tree_size(tree)) return APEX_E_USAGE;
    for (size_t l = 0; l < LEVELS_MAX; l++)
        tree->levels[l].n = (size_t)(size >> l);
    return APEX_OK;
}

apex_status merkle_tree_leaf_at(const struct merkle_tree *tree, uint64_t index,
                                struct merkle_hash *leaf)
{
    if (index >= merkle_tree_size(tree)) return APEX_E_USAGE;
    *leaf = tree->levels[0].hash[index];
    return APEX_OK;
}

apex_status merkle_tree_node_at(const struct merkle_tree *tree, unsigned level, uint64_t index,
                                struct merkle_hash *node)
{
    if (level >= LEVELS_MAX || index >= tree->levels[level].n) return APEX_E_USAGE;
    *node = tree->levels[level].hash[index];
    return APEX_OK;
}

/* The largest power of two below n (n >= 2): where RFC 6962 splits n leaves. */
static uint64_t split_of(uint64_t n)
{
    return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* MTH of the `n` leaves from `start` on (RFC 6962 section 2.1). Complete subtrees that start at
 * a multiple of their size, as all left parts do, are looked up. Depth is at most 64. */
static void subtree(const struct merkle_tree *t, uint64_t start, uint64_t n,
                    struct merkle_hash *root)
{
    if ((n & (n - 1)) == 0) {
        unsigned l = (unsigned)__builtin_ctzll(n);
        *root = t->levels[l].hash[start >> l];
        return;
    }
    struct merkle_hash left, right;
    uint64_t k = split_of(n);
    subtree(t, start, k, &left);
    subtree(t, start + k, n - k, &right);
    merkle_node(&left, &right, root);
}

apex_status merkle_tree_root(const struct merkle_tree *tree, uint64_t size,
                             struct merkle_hash *root)
{
    if (size > merkle_tree_size(tree)) return APEX_E_USAGE;
    if (size == 0)
        merkle_empty(root);
    else
        subtree(tree, 0, size, root);
    return APEX_OK;
}

static void proof_add(struct merkle_proof *p, const struct merkle_tree *t, uint64_t start,
                      uint64_t n)
{
    subtree(t, start, n, &p->hash[p->n++]);
}

/* The last hash added comes first in a proof: from the leaf upwards. */
static void proof_reverse(struct merkle_proof *p)
{
    for (size_t i = 0; i < p->n / 2; i++) {
        struct merkle_hash h = p->hash[i];
        p->hash[i] = p->hash[p->n - 1 - i];
        p->hash[p->n - 1 - i] = h;
    }
}

/* PATH(m, D[n]), RFC 6962 section 2.1.1. */
apex_status merkle_tree_inclusion(const struct merkle_tree *tree, uint64_t index, uint64_t size,
                                  struct merkle_proof *proof)
{
    if (size > merkle_tree_size(tree) || index >= size) return APEX_E_USAGE;
    uint64_t start = 0, n = size;
    proof->n = 0;
    while (n > 1) {
        uint64_t k = split_of(n);
        bool left = index - start < k;
        if (left)
            proof_add(proof, tree, start + k, n - k);
        else
            proof_add(proof, tree, start, k);
        start += left ? 0 : k;
        n = left ? k : n - k;
    }
    proof_reverse(proof);
    return APEX_OK;
}

/* PROOF(m, D[n]), RFC 6962 section 2.1.2. */
apex_status merkle_tree_consistency(const struct merkle_tree *tree, uint64_t old_size,
                                    uint64_t size, struct merkle_proof *proof)
{
    if (size > merkle_tree_size(tree) || old_size > size) return APEX_E_USAGE;
    uint64_t start = 0, n = size, m = old_size;
    bool whole = true; /* is the subtree of m leaves the old tree itself? */
    proof->n = 0;
    if (m == 0 || m == n) return APEX_OK;
    while (m != n) {
        uint64_t k = split_of(n);
        if (m <= k) {
            proof_add(proof, tree, start + k, n - k);
            n = k;
        } else {
            proof_add(proof, tree, start, k);
            start += k;
            m -= k;
            n -= k;
            whole = false;
        }
    }
    if (!whole) proof_add(proof, tree, start, n);
    proof_reverse(proof);
    return APEX_OK;
}

/* RFC 9162 section 2.1.3.2. */
apex_status merkle_check_inclusion(const struct merkle_hash *leaf, uint64_t index,
                                   uint64_t size, const struct merkle_proof *proof,
                                   const struct merkle_hash *root)
{
    struct merkle_hash r = *leaf;
    uint64_t fn = index, sn = size - 1;
    if (size == 0 || index >= size || proof->n > MERKLE_PROOF_MAX) return APEX_E_UNTRUSTED;
    for (size_t i = 0; i < proof->n; i++) {
        if (sn == 0) return APEX_E_UNTRUSTED;
        if (fn & 1 || fn == sn) {
            merkle_node(&proof->hash[i], &r, &r);
            for (; !(fn & 1) && fn; fn >>= 1)
                sn >>= 1;
        } else {
            merkle_node(&r, &proof->hash[i], &r);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && memcmp(r.bytes, root->bytes, sizeof r.bytes) == 0 ? APEX_OK
                                                                        : APEX_E_UNTRUSTED;
}

/* The loop of RFC 9162 section 2.1.4.2, steps 5 and 6. */
static apex_status consistency_walk(uint64_t fn, uint64_t sn, const struct merkle_proof *p,
                                    size_t at, struct merkle_hash *fr, struct merkle_hash *sr)
{
    for (; fn & 1; fn >>= 1)
        sn >>= 1;
    for (; at < p->n; at++) {
        if (sn == 0) return APEX_E_UNTRUSTED;
        if (fn & 1 || fn == sn) {
            merkle_node(&p->hash[at], fr, fr);
            merkle_node(&p->hash[at], sr, sr);
            for (; !(fn & 1) && fn; fn >>= 1)
                sn >>= 1;
        } else {
            merkle_node(sr, &p->hash[at], sr);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 ? APEX_OK : APEX_E_UNTRUSTED;
}

apex_status merkle_check_consistency(uint64_t old_size, const struct merkle_hash *old_root,
                                     uint64_t size, const struct merkle_hash *root,
                                     const struct merkle_proof *proof)
{
    if (old_size > size || proof->n > MERKLE_PROOF_MAX) return APEX_E_UNTRUSTED;
    if (old_size == 0) return proof->n == 0 ? APEX_OK : APEX_E_UNTRUSTED;
    if (old_size == size)
        return proof->n == 0 && memcmp(old_root->bytes, root->bytes, sizeof root->bytes) == 0
                   ? APEX_OK
                   : APEX_E_UNTRUSTED;
    if (proof->n == 0) return APEX_E_UNTRUSTED;
    bool whole = (old_size & (old_size - 1)) ==
                 0; /* then the old root is the proof's first hash, left out */
    struct merkle_hash fr = whole ? *old_root : proof->hash[0], sr = fr;
    TRY(consistency_walk(old_size - 1, size - 1, proof, whole ? 0 : 1, &fr, &sr));
    bool same = memcmp(fr.bytes, old_root->bytes, sizeof fr.bytes) == 0 &&
                memcmp(sr.bytes, root->bytes, sizeof sr.bytes) == 0;
    return same ? APEX_OK : APEX_E_UNTRUSTED;
}
