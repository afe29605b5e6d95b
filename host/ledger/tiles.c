#include "host/ledger/ledger.h"

#include "common/base/try.h"
#include "common/merkle/checkpoint.h"
#include "common/merkle/tile.h"
#include "host/ledger/files.h"
#include "host/ledger/tail.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BUNDLE_MAX = TILE_WIDTH * (2 + ENTRY_MAX), TILE_LEVELS = 8 };

struct ledger {
    char folder[LEDGER_PATH_MAX - 128];
    char tail_path[LEDGER_PATH_MAX];
    pthread_mutex_t lock;
    struct merkle_tree *tree; /* of all entries, kept or not */
    struct tail tail;
    uint64_t size; /* of the checkpoint */
    struct buffer note;
};

static void path_of(const struct ledger *l, const char *name, char path[static LEDGER_PATH_MAX])
{
    snprintf(path, LEDGER_PATH_MAX, "%s/%s", l->folder, name);
}

static apex_status leaves_add(struct merkle_tree *tree, struct span bundle, size_t *n)
{
    struct span entry;
    struct merkle_hash leaf;
    for (*n = 0; bundle.len > 0; ++*n) {
        TRY(bundle_next(&bundle, &entry));
        merkle_leaf(entry, &leaf);
        TRY(merkle_tree_append(tree, &leaf));
    }
    return APEX_OK;
}

static apex_status bundle_file(const struct ledger *l, uint64_t index, struct buffer *bytes)
{
    char name[TILE_PATH_MAX], path[LEDGER_PATH_MAX];
    TRY(tile_path(TILE_ENTRIES, index, TILE_WIDTH, name));
    path_of(l, name, path);
    return file_read(path, BUNDLE_MAX, bytes);
}

/* Full bundles in order until one is not there. */
static apex_status bundles_load(struct ledger *l)
{
    for (uint64_t i = 0;; i++) {
        BUFFER_CLEARED bytes = {0};
        size_t n;
        apex_status s = bundle_file(l, i, &bytes);
        if (s == APEX_E_NOT_FOUND) return APEX_OK;
        TRY(s);
        TRY(leaves_add(l->tree, buffer_span(&bytes), &n));
        if (n != TILE_WIDTH) return APEX_E_FORMAT;
    }
}

static apex_status tail_load(struct ledger *l)
{
    struct merkle_hash leaf;
    TRY(tail_open(l->tail_path, merkle_tree_size(l->tree), &l->tail));
    for (size_t i = 0; i < l->tail.n; i++) {
        merkle_leaf(l->tail.entry[i].bytes, &leaf);
        TRY(merkle_tree_append(l->tree, &leaf));
    }
    return APEX_OK;
}

/* The checkpoint must be one of the entries there are. */
static apex_status note_check(const struct ledger *l, struct span note, uint64_t *size)
{
    struct checkpoint c;
    struct merkle_hash root;
    TRY(checkpoint_parse_unverified(note, &c));
    if (c.size > merkle_tree_size(l->tree)) return APEX_E_UNTRUSTED;
    TRY(merkle_tree_root(l->tree, c.size, &root));
    if (memcmp(root.bytes, c.root.bytes, sizeof root.bytes) != 0) return APEX_E_UNTRUSTED;
    *size = c.size;
    return APEX_OK;
}

static apex_status checkpoint_load(struct ledger *l)
{
    char path[LEDGER_PATH_MAX];
    path_of(l, "checkpoint", path);
    apex_status s = file_read(path, NOTE_MAX, &l->note);
    if (s == APEX_E_NOT_FOUND) return APEX_OK;
    TRY(s);
    return note_check(l, buffer_span(&l->note), &l->size);
}

static apex_status tile_put(const struct ledger *l, unsigned level, uint64_t index,
                            unsigned width, struct span bytes)
{
    char name[TILE_PATH_MAX], path[LEDGER_PATH_MAX];
    TRY(tile_path(level, index, width, name));
    path_of(l, name, path);
    return file_replace(path, bytes);
}

static apex_status entries_bundle(const struct ledger *l, uint64_t first, unsigned n,
                                  struct buffer *out)
{
    for (uint64_t i = first; i < first + n; i++)
        TRY(bundle_write(l->tail.entry[i - l->tail.first].bytes, out));
    return APEX_OK;
}

/* A partial tile is of no use once a wider one of its place is there. */
static void partial_remove(const struct ledger *l, unsigned level, uint64_t index,
                           unsigned width)
{
    char name[TILE_PATH_MAX], path[LEDGER_PATH_MAX];
    if (width == 0 || tile_path(level, index, width, name) != APEX_OK) return;
    path_of(l, name, path);
    unlink(path);
}

static apex_status level_write(const struct ledger *l, uint64_t old_size, uint64_t size,
                               unsigned level)
{
    uint64_t old_n = old_size >> 8 * level, n = size >> 8 * level;
    if (n == old_n) return APEX_OK;
    for (uint64_t i = old_n / TILE_WIDTH; i * TILE_WIDTH < n; i++) {
        BUFFER_CLEARED bytes = {0};
        unsigned width =
            n - i * TILE_WIDTH < TILE_WIDTH ? (unsigned)(n - i * TILE_WIDTH) : TILE_WIDTH;
        TRY(tile_write(l->tree, size, level, i, width, &bytes));
        TRY(tile_put(l, level, i, width, buffer_span(&bytes)));
    }
    partial_remove(l, level, old_n / TILE_WIDTH, (unsigned)(old_n % TILE_WIDTH));
    return APEX_OK;
}

/* The hash tiles and the partial bundle of the tree of `size`: readers' convenience, made again
 * at open, so not synced. */
static apex_status tiles_write(const struct ledger *l, uint64_t old_size, uint64_t size)
{
    for (unsigned level = 0; level < TILE_LEVELS && size >> 8 * level; level++)
        TRY(level_write(l, old_size, size, level));
    unsigned width = (unsigned)(size % TILE_WIDTH);
    if (width > 0) {
        BUFFER_CLEARED bytes = {0};
        TRY(entries_bundle(l, size - width, width, &bytes));
        TRY(tile_put(l, TILE_ENTRIES, size / TILE_WIDTH, width, buffer_span(&bytes)));
    }
    if (old_size != size)
        partial_remove(l, TILE_ENTRIES, old_size / TILE_WIDTH,
                       (unsigned)(old_size % TILE_WIDTH));
    return APEX_OK;
}

/* Bundles that `size` fills: written and synced before the checkpoint that covers them. */
static apex_status bundles_fill(struct ledger *l, uint64_t size)
{
    for (uint64_t i = l->tail.first / TILE_WIDTH; (i + 1) * TILE_WIDTH <= size; i++) {
        BUFFER_CLEARED bytes = {0};
        char name[TILE_PATH_MAX], path[LEDGER_PATH_MAX];
        TRY(entries_bundle(l, i * TILE_WIDTH, TILE_WIDTH, &bytes));
        TRY(tile_path(TILE_ENTRIES, i, TILE_WIDTH, name));
        path_of(l, name, path);
        TRY(file_replace_synced(path, buffer_span(&bytes)));
    }
    return APEX_OK;
}

static apex_status load(struct ledger *l)
{
    TRY(folder_make(l->folder));
    TRY(merkle_tree_new(&l->tree));
    TRY(bundles_load(l));
    TRY(tail_load(l));
    TRY(checkpoint_load(l));
    return tiles_write(l, 0, l->size);
}

apex_status ledger_open(const char *folder, struct ledger **ledger)
{
    struct ledger *l = calloc(1, sizeof *l);
    if (!l) return APEX_E_MEMORY;
    pthread_mutex_init(&l->lock, NULL);
    l->tail.fd = -1;
    apex_status s = strlen(folder) < sizeof l->folder ? APEX_OK : APEX_E_USAGE;
    if (s == APEX_OK) {
        snprintf(l->folder, sizeof l->folder, "%s", folder);
        path_of(l, "tail", l->tail_path);
        s = load(l);
    }
    if (s != APEX_OK) {
        ledger_close(l);
        return s == APEX_E_NOT_FOUND ? APEX_E_IO : s;
    }
    *ledger = l;
    return APEX_OK;
}

void ledger_close(struct ledger *ledger)
{
    if (!ledger) return;
    tail_close(&ledger->tail);
    merkle_tree_free(ledger->tree);
    buffer_clear(&ledger->note);
    pthread_mutex_destroy(&ledger->lock);
    free(ledger);
}

uint64_t ledger_size(struct ledger *ledger)
{
    pthread_mutex_lock(&ledger->lock);
    uint64_t size = ledger->size;
    pthread_mutex_unlock(&ledger->lock);
    return size;
}

static apex_status append(struct ledger *l, uint64_t index, struct span bundle)
{
    size_t n;
    if (index < l->size || index > merkle_tree_size(l->tree) || bundle.len == 0)
        return APEX_E_USAGE;
    apex_status s = tail_append(&l->tail, index, bundle);
    uint64_t kept = l->tail.first + l->tail.n;
    TRY(merkle_tree_truncate(l->tree, kept < index ? kept : index));
    TRY(s);
    return leaves_add(l->tree, bundle, &n);
}

apex_status ledger_append(struct ledger *ledger, uint64_t index, struct span bundle)
{
    pthread_mutex_lock(&ledger->lock);
    apex_status s = append(ledger, index, bundle);
    pthread_mutex_unlock(&ledger->lock);
    return s;
}

static apex_status read_full(const struct ledger *l, uint64_t index, struct span *rest,
                             struct buffer *file)
{
    struct span skipped;
    TRY(bundle_file(l, index / TILE_WIDTH, file));
    *rest = buffer_span(file);
    for (uint64_t i = 0; i < index % TILE_WIDTH; i++)
        TRY(bundle_next(rest, &skipped));
    return rest->len > 0 ? APEX_OK : APEX_E_FORMAT;
}

/* Whole entries only, at least one. */
static apex_status take_some(struct span rest, size_t max, struct buffer *out)
{
    size_t start = out->len;
    struct span entry;
    while (rest.len > 0) {
        TRY(bundle_next(&rest, &entry));
        if (out->len > start && out->len - start + 2 + entry.len > max) break;
        TRY(bundle_write(entry, out));
    }
    return buffer_ok(out);
}

static apex_status read_some(struct ledger *l, uint64_t index, size_t max, struct buffer *out)
{
    BUFFER_CLEARED file = {0};
    struct span rest;
    if (index >= l->tail.first + l->tail.n) return APEX_E_NOT_FOUND;
    if (index < l->tail.first) {
        TRY(read_full(l, index, &rest, &file));
        return take_some(rest, max, out);
    }
    size_t start = out->len;
    for (size_t i = (size_t)(index - l->tail.first); i < l->tail.n; i++) {
        struct span entry = l->tail.entry[i].bytes;
        if (out->len > start && out->len - start + 2 + entry.len > max) break;
        TRY(bundle_write(entry, out));
    }
    return buffer_ok(out);
}

apex_status ledger_read(struct ledger *ledger, uint64_t index, size_t max,
                        struct buffer *bundle)
{
    pthread_mutex_lock(&ledger->lock);
    apex_status s = read_some(ledger, index, max, bundle);
    pthread_mutex_unlock(&ledger->lock);
    return s;
}

static apex_status checkpoint_put(struct ledger *l, struct span note)
{
    char path[LEDGER_PATH_MAX];
    uint64_t size, old_size = l->size;
    TRY(note_check(l, note, &size));
    if (size < l->size) return APEX_E_USAGE;
    TRY(bundles_fill(l, size));
    TRY(tiles_write(l, old_size, size));
    path_of(l, "checkpoint", path);
    TRY(file_replace_synced(path, note));
    buffer_clear(&l->note);
    buffer_append(&l->note, note);
    l->size = size;
    uint64_t full = size / TILE_WIDTH * TILE_WIDTH;
    if (full > l->tail.first) TRY(tail_trim(l->tail_path, full, &l->tail));
    return buffer_ok(&l->note);
}

apex_status ledger_checkpoint_put(struct ledger *ledger, struct span note)
{
    pthread_mutex_lock(&ledger->lock);
    apex_status s = checkpoint_put(ledger, note);
    pthread_mutex_unlock(&ledger->lock);
    return s == APEX_E_NOT_FOUND ? APEX_E_IO : s;
}

apex_status ledger_checkpoint_get(struct ledger *ledger, struct buffer *note)
{
    pthread_mutex_lock(&ledger->lock);
    buffer_append(note, buffer_span(&ledger->note));
    pthread_mutex_unlock(&ledger->lock);
    return buffer_ok(note);
}

apex_status ledger_witnessed_put(struct ledger *ledger, struct span note)
{
    char path[LEDGER_PATH_MAX];
    uint64_t size;
    pthread_mutex_lock(&ledger->lock);
    path_of(ledger, "checkpoint.witnessed", path);
    apex_status s = note_check(ledger, note, &size);
    if (s == APEX_OK) s = file_replace(path, note);
    pthread_mutex_unlock(&ledger->lock);
    return s;
}

apex_status ledger_witnessed_get(struct ledger *ledger, struct buffer *note)
{
    char path[LEDGER_PATH_MAX];
    path_of(ledger, "checkpoint.witnessed", path);
    apex_status s = file_read(path, NOTE_MAX, note);
    return s == APEX_E_NOT_FOUND ? APEX_OK : s;
}

apex_status ledger_consistency(struct ledger *ledger, uint64_t old_size, uint64_t size,
                               struct merkle_proof *proof)
{
    pthread_mutex_lock(&ledger->lock);
    apex_status s = size <= ledger->size
                        ? merkle_tree_consistency(ledger->tree, old_size, size, proof)
                        : APEX_E_USAGE;
    pthread_mutex_unlock(&ledger->lock);
    return s;
}

apex_status ledger_tile(struct ledger *ledger, const char *path, struct buffer *bytes)
{
    unsigned level, width;
    uint64_t index;
    char file[LEDGER_PATH_MAX];
    TRY(tile_path_parse(path, &level, &index, &width));
    path_of(ledger, path, file);
    return file_read(file, BUNDLE_MAX, bytes);
}
