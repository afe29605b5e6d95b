/* Copies of a log as static files (c2sp.org/tlog-tiles), as any web server can hold them:
 *     FOLDER/checkpoint, checkpoint.witnessed, tile/…, tile/entries/…   the log
 *     FOLDER/blob/HEX                                   the manifests of its contracts
 * apex_log_mirror writes what it has verified; apex_log_check believes nothing in a folder. */
#include "client/lib/auditor.h"
#include "client/lib/home.h"
#include "client/lib/node.h"
#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/merkle/base64.h"
#include "common/merkle/tile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { BUNDLE_MAX = TILE_WIDTH * (2 + ENTRY_MAX), LEVELS = 8 };

static apex_status log_key_of(const struct apex_node *node, struct sign_public *key)
{
    return hex_parse(span_text(node->verdict.log_key), key->bytes, sizeof key->bytes);
}

apex_status apex_log_key(struct apex_node *node, char vkey[static APEX_VKEY_MAX],
                         struct apex_error *error)
{
    struct sign_public key;
    char text[NOTE_VKEY_MAX];
    if (log_key_of(node, &key) != APEX_OK || note_vkey(node->origin, &key, text) != APEX_OK)
        return apex_fail(error, APEX_E_UNTRUSTED, "the log's origin is no name for a key",
                         "nothing was told", "tell the operator", "the operator");
    snprintf(vkey, APEX_VKEY_MAX, "%s", text);
    return APEX_OK;
}

static apex_status folders_make(char *path)
{
    for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = 0;
        bool made = mkdir(path, 0755) == 0 || errno == EEXIST;
        *at = '/';
        if (!made) return APEX_E_IO;
    }
    return APEX_OK;
}

static apex_status copy_put(const char *folder, const char *name, struct span bytes,
                            struct apex_error *error)
{
    char path[FULL_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (n < 0 || (size_t)n >= sizeof path || folders_make(path) != APEX_OK)
        return apex_fail_path(error, APEX_E_IO, folder, "cannot be written into",
                              "the copy is not whole");
    return file_save(path, bytes, 0644, false, error);
}

static apex_status copy_get(const char *folder, const char *name, size_t max,
                            struct buffer *bytes, struct apex_error *error)
{
    char path[FULL_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (n < 0 || (size_t)n >= sizeof path)
        return apex_fail(error, APEX_E_USAGE, "the folder's path is too long",
                         "nothing was done", "choose a shorter one", "you");
    return file_load(path, max, bytes, error);
}

/* One tile of each place of a level: full ones, and the partial one at its end. */
typedef apex_status (*tile_fn)(void *context, unsigned level, uint64_t index, unsigned width);

static apex_status tiles_each(uint64_t size, tile_fn each, void *context)
{
    for (unsigned level = 0; level < LEVELS; level++) {
        uint64_t n = level ? size >> 8 * level : size;
        if (n == 0) break;
        for (uint64_t i = 0; i * TILE_WIDTH < n; i++) {
            uint64_t left = n - i * TILE_WIDTH;
            TRY(each(context, level, i, left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH));
        }
    }
    return APEX_OK;
}

struct copying {
    const struct mirror *mirror;
    const char *folder;
    struct apex_error *error;
    uint64_t n_wrong;
};

static apex_status tile_copy(void *context, unsigned level, uint64_t index, unsigned width)
{
    struct copying *c = context;
    char name[TILE_PATH_MAX];
    BUFFER_CLEARED tile = {0};
    BUFFER_CLEARED bundle = {0};
    TRY(tile_path(level, index, width, name));
    TRY(tile_write(c->mirror->tree, c->mirror->n, level, index, width, &tile));
    TRY(copy_put(c->folder, name, buffer_span(&tile), c->error));
    if (level > 0) return APEX_OK;
    TRY(tile_path(TILE_ENTRIES, index, width, name));
    for (unsigned i = 0; i < width; i++)
        TRY(bundle_write(buffer_span(&c->mirror->entries[index * TILE_WIDTH + i]), &bundle));
    return copy_put(c->folder, name, buffer_span(&bundle), c->error);
}

/* Of every contract in the log; one that the node has lost is left out. */
static apex_status manifests_copy(struct apex_node *node, const char *folder,
                                  struct apex_error *error)
{
    char(*addresses)[58], name[80], hex[65];
    size_t n;
    uint8_t address[32];
    TRY(apex_contracts(node, &addresses, &n, error));
    apex_status s = APEX_OK;
    for (size_t i = 0; s == APEX_OK && i < n; i++) {
        BUFFER_CLEARED text = {0};
        struct apex_error ignored;
        s = address_of(addresses[i], address, error);
        if (s != APEX_OK || node_manifest(node, address, &text, NULL, &ignored) != APEX_OK)
            continue;
        hex_write(SPAN(address), hex);
        snprintf(name, sizeof name, "blob/%s", hex);
        s = copy_put(folder, name, buffer_span(&text), error);
    }
    free(addresses);
    return s;
}

apex_status apex_log_mirror(struct apex_node *node, const char *folder, uint64_t *size,
                            struct apex_error *error)
{
    struct copying c = {.mirror = &node->mirror, .folder = folder, .error = error};
    BUFFER_CLEARED witnessed = {0};
    struct checkpoint cosigned;
    error->status = APEX_OK;
    if (mkdir(folder, 0755) != 0 && errno != EEXIST)
        return apex_fail_path(error, APEX_E_IO, folder, "cannot be made", "nothing was copied");
    TRY(manifests_copy(node, folder, error)); /* brings the mirror up to date */
    apex_status s = tiles_each(node->mirror.n, tile_copy, &c);
    if (s == APEX_OK) s = copy_put(folder, "checkpoint", buffer_span(&node->note), error);
    if (s == APEX_OK && node_witnessed(node, &witnessed, &cosigned))
        s = copy_put(folder, "checkpoint.witnessed", buffer_span(&witnessed), error);
    *size = node->mirror.n;
    return s == APEX_OK || error->status != APEX_OK ? s : apex_fail_memory(error);
}

static apex_status not_so(struct apex_error *error, const char *what)
{
    return apex_fail(error, APEX_E_UNTRUSTED, what, "nothing of it was believed",
                     "take another copy; if the node itself shows this, show it to an auditor",
                     "whoever made the copy");
}

static apex_status bundles_load(const char *folder, uint64_t size, struct mirror *m,
                                struct apex_error *error)
{
    char name[TILE_PATH_MAX];
    while (m->n < size) {
        BUFFER_CLEARED bundle = {0};
        uint64_t index = m->n / TILE_WIDTH, left = size - index * TILE_WIDTH, before = m->n;
        TRY(tile_path(TILE_ENTRIES, index, left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH,
                      name));
        TRY(copy_get(folder, name, BUNDLE_MAX, &bundle, error));
        if (mirror_bundle_add(m, buffer_span(&bundle), index * TILE_WIDTH, size) != APEX_OK ||
            m->n == before || (m->n < size && m->n % TILE_WIDTH != 0))
            return not_so(error, "a bundle of entries is not of the form, or not whole");
    }
    return APEX_OK;
}

static apex_status tile_compare(void *context, unsigned level, uint64_t index, unsigned width)
{
    struct copying *c = context;
    char name[TILE_PATH_MAX];
    struct apex_error ignored;
    BUFFER_CLEARED ours = {0};
    BUFFER_CLEARED theirs = {0};
    TRY(tile_path(level, index, width, name));
    TRY(tile_write(c->mirror->tree, c->mirror->n, level, index, width, &ours));
    apex_status s = copy_get(c->folder, name, TILE_WIDTH * 32, &theirs, &ignored);
    c->n_wrong += s != APEX_OK || !span_equal(buffer_span(&ours), buffer_span(&theirs));
    return APEX_OK;
}

static apex_status manifest_of_folder(void *context, const uint8_t address[static 32],
                                      struct buffer *text)
{
    char name[80], hex[65];
    struct apex_error ignored;
    hex_write(span_of(address, 32), hex);
    snprintf(name, sizeof name, "blob/%s", hex);
    if (copy_get(context, name, MANIFEST_MAX, text, &ignored) != APEX_OK) buffer_clear(text);
    return APEX_OK;
}

static apex_status checkpoint_load(const char *folder, const char *vkey, struct checkpoint *c,
                                   struct apex_error *error)
{
    char origin[ORIGIN_MAX + 1];
    struct sign_public key;
    BUFFER_CLEARED note = {0};
    if (note_vkey_parse(span_text(vkey), origin, &key) != APEX_OK)
        return apex_fail(error, APEX_E_USAGE, "this is no log's verifier key",
                         "nothing was checked", "take it from `apex ledger key`", "you");
    TRY(copy_get(folder, "checkpoint", NOTE_MAX, &note, error));
    return checkpoint_open(buffer_span(&note), origin, &key, c) == APEX_OK
               ? APEX_OK
               : not_so(error, "the checkpoint is not signed by this log's key");
}

static apex_status copy_check(const char *folder, const struct checkpoint *c, struct mirror *m,
                              struct apex_audit_report *report, struct apex_breach **breaches,
                              struct apex_error *error)
{
    struct merkle_hash root;
    struct copying comparing = {.mirror = m, .folder = folder, .error = error};
    if (merkle_tree_new(&m->tree) != APEX_OK) return apex_fail_memory(error);
    TRY(bundles_load(folder, c->size, m, error));
    if (merkle_tree_root(m->tree, c->size, &root) != APEX_OK ||
        memcmp(&root, &c->root, sizeof root) != 0)
        return not_so(error, "the entries do not hash to the signed checkpoint");
    if (tiles_each(c->size, tile_compare, &comparing) != APEX_OK)
        return apex_fail_memory(error);
    if (comparing.n_wrong > 0)
        return not_so(error, "tiles are missing, or are not those of the entries");
    apex_status s = audit_entries(m->entries, m->n, manifest_of_folder,
                                  (void *)(uintptr_t)folder, NULL, report, breaches);
    return s == APEX_E_MEMORY ? apex_fail_memory(error) : APEX_OK; /* else a breach says it */
}

apex_status apex_log_check(const char *folder, const char *vkey,
                           struct apex_audit_report *report, struct apex_breach **breaches,
                           struct apex_error *error)
{
    struct checkpoint c;
    struct mirror m = {0};
    *breaches = NULL;
    *report = (struct apex_audit_report){0};
    TRY(checkpoint_load(folder, vkey, &c, error));
    apex_status s = copy_check(folder, &c, &m, report, breaches, error);
    mirror_clear(&m);
    return s;
}

/* With the witnesses' lines where they are of a checkpoint that covers the entry. */
static void note_choose(struct apex_node *node, uint64_t index, struct buffer *note,
                        struct checkpoint *c)
{
    if (node_witnessed(node, note, c) && c->size > index) return;
    buffer_clear(note);
    buffer_append(note, buffer_span(&node->note));
    *c = node->seen;
}

apex_status apex_log_proof(struct apex_node *node, uint64_t index, char **text,
                           struct apex_error *error)
{
    BUFFER_CLEARED note = {0};
    struct buffer out = {0};
    struct checkpoint c;
    struct merkle_proof p;
    char line[BASE64_LEN(MERKLE_HASH_LEN) + 1], head[80];
    TRY(node_refresh(node, error));
    TRY(node_mirror(node, error));
    if (index >= node->mirror.n)
        return apex_fail(error, APEX_E_USAGE, "the log has no such entry", "nothing was proven",
                         "see `apex audit`", "you");
    note_choose(node, index, &note, &c);
    if (merkle_tree_inclusion(node->mirror.tree, index, c.size, &p) != APEX_OK)
        return apex_fail_memory(error);
    snprintf(head, sizeof head, "c2sp.org/tlog-proof@v1\nindex %llu\n",
             (unsigned long long)index);
    buffer_text(&out, head);
    for (size_t i = 0; i < p.n; i++) {
        base64_write(SPAN(p.hash[i].bytes), line);
        buffer_text(&out, line);
        buffer_text(&out, "\n");
    }
    buffer_text(&out, "\n");
    buffer_append(&out, buffer_span(&note));
    buffer_u8(&out, 0);
    *text = buffer_ok(&out) == APEX_OK ? strdup((const char *)out.data) : NULL;
    buffer_clear(&out);
    return *text ? APEX_OK : apex_fail_memory(error);
}
