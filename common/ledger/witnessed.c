#include "common/ledger/witnessed.h"

apex_status witnesses_parse(const struct manifest_witnesses *m,
                            struct witness_key keys[static MANIFEST_WITNESSES_MAX], size_t *at)
{
    for (*at = 0; *at < m->n; ++*at) {
        apex_status s = witness_key_parse(span_text(m->key[*at]), &keys[*at]);
        for (size_t i = 0; s == APEX_OK && i < *at; i++)
            if (memcmp(&keys[i].key, &keys[*at].key, sizeof keys[i].key) == 0)
                s = APEX_E_FORMAT; /* one witness with two names is one witness */
        if (s != APEX_OK) return s;
    }
    return APEX_OK;
}

bool witnessed(const struct manifest_witnesses *m, struct span note, const char *origin,
               const struct sign_public *log, const struct merkle_tree *tree, uint64_t min_size)
{
    struct witness_key keys[MANIFEST_WITNESSES_MAX];
    struct checkpoint c;
    struct merkle_hash root;
    size_t at;
    if (m->n == 0) return true;
    if (witnesses_parse(m, keys, &at) != APEX_OK) return false;
    if (checkpoint_open(note, origin, log, &c) != APEX_OK) return false;
    if (c.size < min_size || c.size > merkle_tree_size(tree)) return false;
    if (merkle_tree_root(tree, c.size, &root) != APEX_OK ||
        memcmp(&root, &c.root, sizeof root) != 0)
        return false;
    return cosignature_count(note, keys, m->n) >= m->quorum;
}
