#include "client/lib/node.h"

#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/merkle/tile.h"

#include <stdio.h>
#include <stdlib.h>

enum { BUNDLE_MAX = TILE_WIDTH * (2 + ENTRY_MAX) };

void mirror_clear(struct mirror *m)
{
    for (size_t i = 0; i < m->n; i++) buffer_clear(&m->entries[i]);
    free(m->entries);
    merkle_tree_free(m->tree);
    *m = (struct mirror){0};
}

static apex_status entry_add(struct mirror *m, struct span entry)
{
    if (m->n == m->cap) {
        size_t cap = m->cap ? 2 * m->cap : 256;
        struct buffer *more = realloc(m->entries, cap * sizeof *more);
        if (!more) return APEX_E_MEMORY;
        m->entries = more;
        m->cap = cap;
    }
    struct merkle_hash leaf;
    m->entries[m->n] = (struct buffer){0};
    buffer_append(&m->entries[m->n], entry);
    TRY(buffer_ok(&m->entries[m->n]));
    merkle_leaf(entry, &leaf);
    TRY(merkle_tree_append(m->tree, &leaf));
    m->n++;
    return APEX_OK;
}

/* The entries of one bundle that are not yet here. */
static apex_status bundle_add(struct mirror *m, struct span bundle, uint64_t first, uint64_t size)
{
    struct span entry;
    for (uint64_t i = first; bundle.len > 0 && i < size; i++) {
        TRY(bundle_next(&bundle, &entry));
        if (i == m->n) TRY(entry_add(m, entry));
    }
    return APEX_OK;
}

static apex_status bundle_get(struct apex_node *node, uint64_t size, struct apex_error *error)
{
    struct mirror *m = &node->mirror;
    uint64_t index = m->n / TILE_WIDTH, before = m->n;
    unsigned width = size - index * TILE_WIDTH < TILE_WIDTH ? (unsigned)(size - index * TILE_WIDTH) : TILE_WIDTH;
    char name[TILE_PATH_MAX], path[TILE_PATH_MAX + 1];
    BUFFER_CLEARED bytes = {0};
    TRY(tile_path(TILE_ENTRIES, index, width, name));
    snprintf(path, sizeof path, "/%s", name);
    apex_status s = http_get(node->http, path, BUNDLE_MAX, &bytes, error);
    if (s == APEX_E_NOT_FOUND && width < TILE_WIDTH) { /* the partial bundle has grown since: the log has moved on */
        TRY(node_refresh(node, error));
        return APEX_OK;
    }
    TRY(s);
    if (bundle_add(m, buffer_span(&bytes), index * TILE_WIDTH, size) != APEX_OK || m->n == before)
        return apex_fail(error, APEX_E_UNTRUSTED, "the node's log cannot be read", "nothing of it was used", "tell the operator, and an auditor", "the operator");
    return APEX_OK;
}

apex_status node_mirror(struct apex_node *node, struct apex_error *error)
{
    struct merkle_hash root;
    if (!node->mirror.tree && merkle_tree_new(&node->mirror.tree) != APEX_OK) return apex_fail_memory(error);
    while (node->mirror.n < node->seen.size) TRY(bundle_get(node, node->seen.size, error));
    if (merkle_tree_root(node->mirror.tree, node->seen.size, &root) == APEX_OK && memcmp(root.bytes, node->seen.root.bytes, 32) == 0) return APEX_OK;
    mirror_clear(&node->mirror);
    return apex_fail(error, APEX_E_UNTRUSTED, "the log's entries do not hash to its signed checkpoint", "nothing of it was used", "trust nothing from this node; show this to an auditor", "the operator");
}

apex_status node_contract(struct apex_node *node, const uint8_t address[static 32], struct body_contract *body, struct buffer *bytes, struct apex_error *error)
{
    BUFFER_CLEARED query = {0};
    struct query q = {0};
    struct reply reply;
    memcpy(q.address, address, 32);
    query_write(MESSAGE_CONTRACT, &q, &query);
    TRY(node_message(node, MESSAGE_CONTRACT, buffer_span(&query), bytes, &reply, error));
    if (body_contract_parse(reply.body, body) != APEX_OK) return apex_fail(error, APEX_E_UNTRUSTED, "the reply is not of the agreed form", "nothing of it was used", "tell the operator", "the operator");
    return APEX_OK;
}

apex_status node_manifest(struct apex_node *node, const uint8_t address[static 32], struct buffer *text, struct manifest **manifest, struct apex_error *error)
{
    char hex[65], path[80];
    uint8_t digest[32];
    hex_write(span_of(address, 32), hex);
    snprintf(path, sizeof path, "/blob/%s", hex);
    apex_status s = http_get(node->http, path, MANIFEST_MAX, text, error);
    if (s == APEX_E_NOT_FOUND) return apex_fail(error, s, "the node has no contract at this address", "nothing was done", "check the address, or deploy the manifest", "you");
    TRY(s);
    merkle_digest(buffer_span(text), digest);
    if (memcmp(digest, address, 32) != 0) return apex_fail(error, APEX_E_UNTRUSTED, "the node's manifest is not the one of this address", "it was not used", "trust nothing from this node; show this to an auditor", "the operator");
    if (manifest && manifest_parse(buffer_span(text), manifest, NULL) != APEX_OK) return apex_fail(error, APEX_E_FORMAT, "the manifest is not acceptable to this version", "nothing was done", "update the client", "you");
    return APEX_OK;
}

apex_status address_of(const char *text, uint8_t address[static 32], struct apex_error *error)
{
    if (address_parse(span_text(text), address) == APEX_OK) return APEX_OK;
    return apex_fail(error, APEX_E_USAGE, "this is no contract's address: apex1 and 52 letters and digits are expected", "nothing was done", "copy the address from `apex contract deploy` or the manifest's author", "you");
}
