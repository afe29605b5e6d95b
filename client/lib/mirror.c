#include "client/lib/node.h"

#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/crypto/random.h"
#include "common/merkle/tile.h"

#include <stdio.h>
#include <stdlib.h>

enum { BUNDLE_MAX = TILE_WIDTH * (2 + ENTRY_MAX), CHASES_MAX = 20 };

void mirror_clear(struct mirror *m)
{
    for (size_t i = 0; i < m->n; i++)
        buffer_clear(&m->entries[i]);
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

apex_status mirror_bundle_add(struct mirror *m, struct span bundle, uint64_t first,
                              uint64_t size)
{
    struct span entry;
    for (uint64_t i = first; bundle.len > 0 && i < size; i++) {
        TRY(bundle_next(&bundle, &entry));
        if (i == m->n) TRY(entry_add(m, entry));
    }
    return APEX_OK;
}

/* Full bundles never change, so the home keeps them: entries/<8 bytes of the log
 * key>-<number>.bundle. They are as little believed as those of the node: everything must hash
 * to the checkpoint. */
static bool kept_path(const struct apex_node *node, uint64_t index,
                      char path[static FULL_PATH_MAX])
{
    char name[40], hex[17];
    struct apex_error ignored;
    hex_write(span_of(verified_enclave_keys(node->enclave)->log.bytes, 8), hex);
    snprintf(name, sizeof name, "%s-%llu", hex, (unsigned long long)index);
    return home_file(node->home, "entries", name, ".bundle", path, &ignored) == APEX_OK;
}

static bool kept_get(const struct apex_node *node, uint64_t index, struct buffer *bytes)
{
    char path[FULL_PATH_MAX];
    struct apex_error ignored;
    if (kept_path(node, index, path) && file_load(path, BUNDLE_MAX, bytes, &ignored) == APEX_OK)
        return true;
    buffer_clear(bytes);
    return false;
}

/* Of the bundles that were read from the node; a home without room just has none. */
static void keep(const struct apex_node *node, uint64_t index, struct span bundle)
{
    char path[FULL_PATH_MAX];
    struct apex_error ignored;
    apex_status s = kept_path(node, index, path)
                        ? file_save(path, bundle, 0600, false, &ignored)
                        : APEX_E_IO;
    (void)s;
}

static apex_status unreadable(struct apex_error *error)
{
    return apex_fail(error, APEX_E_UNTRUSTED, "the node's log cannot be read",
                     "nothing of it was used", "tell the operator, and an auditor",
                     "the operator");
}

/* Reads one bundle and adds what is new in it. A partial one that the log has outgrown is not
 * there any more: *moved. */
static apex_status bundle_get(struct apex_node *node, bool use_kept, bool *moved,
                              struct apex_error *error)
{
    struct mirror *m = &node->mirror;
    uint64_t size = node->seen.size, index = m->n / TILE_WIDTH, before = m->n;
    unsigned width = size - index * TILE_WIDTH < TILE_WIDTH
                         ? (unsigned)(size - index * TILE_WIDTH)
                         : TILE_WIDTH;
    char name[TILE_PATH_MAX], path[TILE_PATH_MAX + 1];
    BUFFER_CLEARED bytes = {0};
    bool full = width == TILE_WIDTH, kept = full && use_kept && kept_get(node, index, &bytes);
    TRY(tile_path(TILE_ENTRIES, index, width, name));
    snprintf(path, sizeof path, "/%s", name);
    apex_status s = kept ? APEX_OK : http_get(node->http, path, BUNDLE_MAX, &bytes, error);
    *moved = s == APEX_E_NOT_FOUND && !full;
    if (*moved) return APEX_OK;
    TRY(s);
    if (mirror_bundle_add(m, buffer_span(&bytes), index * TILE_WIDTH, size) != APEX_OK ||
        m->n == before)
        return unreadable(error);
    if (full && !kept) keep(node, index, buffer_span(&bytes));
    return APEX_OK;
}

static apex_status mirror_read(struct apex_node *node, bool use_kept, struct apex_error *error)
{
    struct merkle_hash root;
    bool moved = false;
    unsigned chases = 0;
    if (!node->mirror.tree && merkle_tree_new(&node->mirror.tree) != APEX_OK)
        return apex_fail_memory(error);
    while (node->mirror.n < node->seen.size) {
        TRY(bundle_get(node, use_kept, &moved, error));
        if (moved && ++chases > CHASES_MAX) return unreadable(error);
        if (moved) TRY(node_refresh(node, error));
    }
    if (merkle_tree_root(node->mirror.tree, node->seen.size, &root) == APEX_OK &&
        memcmp(root.bytes, node->seen.root.bytes, 32) == 0)
        return APEX_OK;
    return apex_fail(error, APEX_E_UNTRUSTED,
                     "the log's entries do not hash to its signed checkpoint",
                     "nothing of it was used",
                     "trust nothing from this node; show this to an auditor", "the operator");
}

apex_status node_mirror(struct apex_node *node, struct apex_error *error)
{
    apex_status s = mirror_read(node, true, error);
    if (s == APEX_E_UNTRUSTED) { /* what the home kept may be damaged: all from the node */
        mirror_clear(&node->mirror);
        s = mirror_read(node, false, error);
    }
    if (s == APEX_E_UNTRUSTED) mirror_clear(&node->mirror);
    return s;
}

apex_status node_contract(struct apex_node *node, const uint8_t address[static 32],
                          struct body_contract *body, struct buffer *bytes,
                          struct apex_error *error)
{
    BUFFER_CLEARED query = {0};
    struct query q = {0};
    struct reply reply;
    random_bytes(q.nonce, sizeof q.nonce); /* or an old reply would answer it */
    memcpy(q.address, address, 32);
    query_write(MESSAGE_CONTRACT, &q, &query);
    TRY(node_message(node, MESSAGE_CONTRACT, buffer_span(&query), bytes, &reply, error));
    if (body_contract_parse(reply.body, body) != APEX_OK)
        return apex_fail(error, APEX_E_UNTRUSTED, "the reply is not of the agreed form",
                         "nothing of it was used", "tell the operator", "the operator");
    return seen_agrees(node, &body->proof, error);
}

apex_status node_manifest(struct apex_node *node, const uint8_t address[static 32],
                          struct buffer *text, struct manifest **manifest,
                          struct apex_error *error)
{
    char hex[65], path[80];
    uint8_t digest[32];
    hex_write(span_of(address, 32), hex);
    snprintf(path, sizeof path, "/blob/%s", hex);
    apex_status s = http_get(node->http, path, MANIFEST_MAX, text, error);
    if (s == APEX_E_NOT_FOUND)
        return apex_fail(error, s, "the node has no contract at this address",
                         "nothing was done", "check the address, or deploy the manifest",
                         "you");
    TRY(s);
    merkle_digest(buffer_span(text), digest);
    if (memcmp(digest, address, 32) != 0)
        return apex_fail(
            error, APEX_E_UNTRUSTED, "the node's manifest is not the one of this address",
            "it was not used", "trust nothing from this node; show this to an auditor",
            "the operator");
    if (manifest && manifest_parse(buffer_span(text), manifest, NULL) != APEX_OK)
        return apex_fail(error, APEX_E_FORMAT, "the manifest is not acceptable to this version",
                         "nothing was done", "update the client", "you");
    return APEX_OK;
}

apex_status address_of(const char *text, uint8_t address[static 32], struct apex_error *error)
{
    if (address_parse(span_text(text), address) == APEX_OK) return APEX_OK;
    return apex_fail(
        error, APEX_E_USAGE,
        "this is no contract's address: apex1 and 52 letters and digits are expected",
        "nothing was done",
        "copy the address from `apex contract deploy` or the manifest's author", "you");
}
