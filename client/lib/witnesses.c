/* Which of a contract's witnesses have cosigned, and how far. */
#include "client/lib/node.h"
#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/ledger/witnessed.h"

bool node_witnessed(struct apex_node *node, struct buffer *note, struct checkpoint *c)
{
    struct sign_public key;
    struct merkle_hash root;
    struct apex_error ignored;
    return hex_parse(span_text(node->verdict.log_key), key.bytes, sizeof key.bytes) ==
               APEX_OK &&
           http_get(node->http, "/checkpoint.witnessed", NOTE_MAX, note, &ignored) == APEX_OK &&
           checkpoint_open(buffer_span(note), node->origin, &key, c) == APEX_OK &&
           c->size <= node->mirror.n &&
           merkle_tree_root(node->mirror.tree, c->size, &root) == APEX_OK &&
           memcmp(&root, &c->root, sizeof root) == 0;
}

static void fill(const struct manifest_witnesses *m, struct span note,
                 const struct checkpoint *c, struct apex_witnesses *w)
{
    struct witness_key keys[MANIFEST_WITNESSES_MAX];
    size_t at;
    w->quorum = m->quorum;
    if (witnesses_parse(m, keys, &at) != APEX_OK) return;
    w->n = m->n;
    for (size_t i = 0; i < m->n; i++) {
        struct apex_witness_seen *s = &w->seen[i];
        memcpy(s->name, keys[i].name, sizeof s->name);
        uint64_t time_s;
        if (note.len == 0 || cosignature_check(note, &keys[i], &time_s) != APEX_OK) continue;
        s->size = c->size;
        s->time_s = time_s; /* a line that does not hold tells no time */
    }
}

apex_status apex_witnesses(struct apex_node *node, const char *address,
                           struct apex_witnesses *witnesses, struct apex_error *error)
{
    uint8_t raw[32];
    struct manifest *m = NULL;
    struct checkpoint c;
    BUFFER_CLEARED text = {0};
    BUFFER_CLEARED note = {0};
    *witnesses = (struct apex_witnesses){0};
    TRY(address_of(address, raw, error));
    TRY(node_manifest(node, raw, &text, &m, error));
    apex_status s = node_refresh(node, error);
    if (s == APEX_OK) s = node_mirror(node, error);
    if (s == APEX_OK && m->witnesses.n > 0) {
        bool there = node_witnessed(node, &note, &c);
        fill(&m->witnesses, there ? buffer_span(&note) : (struct span){0}, &c, witnesses);
    }
    manifest_free(m);
    return s;
}
