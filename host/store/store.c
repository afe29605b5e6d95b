#include "host/store/internal.h"

#include "common/base/hex.h"
#include "common/base/try.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHARDS = 256 };

struct place { /* of a blob: folder "ab", name "cdef…" */
    char shard[3];
    char name[DIGEST_TEXT_LEN + 1];
};

static struct place place_of(const uint8_t digest[static STORE_DIGEST_LEN])
{
    struct place p;
    hex_write(span_of(digest, 1), p.shard);
    hex_write(span_of(digest + 1, STORE_DIGEST_LEN - 1), p.name);
    return p;
}

static int shard_open(struct store *store, const struct place *p)
{
    return openat(store->root, p->shard, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

apex_status tmp_create(struct store *store, char name[static TMP_NAME_MAX], int *fd)
{
    snprintf(name, TMP_NAME_MAX, "%llu",
             (unsigned long long)atomic_fetch_add(&store->next_tmp, 1));
    *fd = openat(store->tmp_dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return *fd >= 0 ? APEX_OK : disk_status();
}

/* Where the file system cannot rename without replacing, link and unlink do the same in two
 * steps. */
static int move_without_replacing(int from_dir, const char *from, int to_dir, const char *to)
{
    if (renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return -1;
    if (linkat(from_dir, from, to_dir, to, 0) != 0) return -1;
    return unlinkat(from_dir, from, 0);
}

apex_status store_publish(struct store *store, int from_dir, const char *name,
                          const uint8_t digest[static STORE_DIGEST_LEN])
{
    struct place p = place_of(digest);
    int shard = shard_open(store, &p);
    apex_status s = shard >= 0 ? APEX_OK : disk_status();
    if (s == APEX_OK) {
        if (move_without_replacing(from_dir, name, shard, p.name) == 0)
            atomic_fetch_add(&store->n_blobs, 1);
        else if (errno != EEXIST)
            s = disk_status();
    }
    unlinkat(from_dir, name,
             0); /* there still when the blob was whole already, or the move failed */
    /* Also when another put came first: its own sync may not be through yet, and we are about
     * to acknowledge. */
    if (s == APEX_OK) s = disk_sync(shard);
    if (shard >= 0) close(shard);
    return s == APEX_E_NOT_FOUND ? APEX_E_IO : s;
}

apex_status store_has(struct store *store, const uint8_t digest[static STORE_DIGEST_LEN])
{
    struct place p = place_of(digest);
    int shard = shard_open(store, &p);
    if (shard < 0) return disk_status();
    apex_status s = faccessat(shard, p.name, F_OK, 0) == 0 ? disk_sync(shard) : disk_status();
    close(shard);
    return s;
}

apex_status store_look(struct store *store, const uint8_t digest[static STORE_DIGEST_LEN],
                       bool *whole, uint64_t *offset)
{
    apex_status s = store_has(store, digest);
    *whole = s == APEX_OK;
    *offset = 0;
    if (s != APEX_E_NOT_FOUND) return s;
    partial_offset(store, digest, offset);
    return APEX_OK;
}

apex_status store_blob_open(struct store *store, const uint8_t digest[static STORE_DIGEST_LEN],
                            struct blob *blob)
{
    struct place p = place_of(digest);
    char path[sizeof p.shard + 1 + sizeof p.name];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", p.shard, p.name);
    int fd = openat(store->root, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return disk_status();
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return APEX_E_IO;
    }
    *blob = (struct blob){fd, (uint64_t)st.st_size};
    return APEX_OK;
}

void blob_close(struct blob *blob)
{
    if (blob->fd >= 0) close(blob->fd);
    *blob = (struct blob){-1, 0};
}

apex_status store_read(struct store *store, const uint8_t digest[static STORE_DIGEST_LEN],
                       uint64_t offset, size_t len, struct buffer *out, uint64_t *total)
{
    struct blob blob;
    TRY(store_blob_open(store, digest, &blob));
    *total = blob.size;
    apex_status s = offset <= blob.size ? APEX_OK : APEX_E_USAGE;
    if (s == APEX_OK && len > blob.size - offset) len = (size_t)(blob.size - offset);
    uint8_t *room = s == APEX_OK ? buffer_reserve(out, len) : NULL;
    if (s == APEX_OK && !room) s = APEX_E_MEMORY;
    size_t got = 0;
    if (s == APEX_OK) s = disk_read(blob.fd, offset, len, room, &got);
    if (s == APEX_OK && got != len) s = APEX_E_IO; /* cut short behind our back */
    if (s == APEX_OK) out->len += got;
    blob_close(&blob);
    return s;
}

apex_status store_put(struct store *store, struct span bytes,
                      uint8_t digest[static STORE_DIGEST_LEN])
{
    char name[TMP_NAME_MAX];
    int fd;
    if (bytes.len > store->options.blob_max) return APEX_E_LIMIT;
    merkle_digest(bytes, digest);
    apex_status s = store_has(store, digest);
    if (s != APEX_E_NOT_FOUND) return s;
    TRY(tmp_create(store, name, &fd));
    s = disk_write(fd, 0, bytes);
    if (s == APEX_OK) s = disk_sync(fd);
    close(fd);
    if (s == APEX_OK) return store_publish(store, store->tmp_dir, name, digest);
    unlinkat(store->tmp_dir, name, 0);
    return s;
}

/* Calls `see` with each name in a folder, if any. */
static apex_status folder_walk(int dir, void (*see)(int dir, const char *name, void *context),
                               void *context)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d) {
        if (fd >= 0) close(fd);
        return APEX_E_IO;
    }
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.') see(dir, e->d_name, context);
    closedir(d);
    return APEX_OK;
}

static void remove_file(int dir, const char *name, void *context)
{
    (void)context;
    unlinkat(dir, name, 0);
}

static void count_file(int dir, const char *name, void *context)
{
    (void)dir;
    (void)name;
    atomic_fetch_add(&((struct store *)context)->n_blobs, 1);
}

/* All shards are made at once, so that a put never has a parent folder to sync. */
static apex_status shards_make(struct store *store)
{
    for (unsigned i = 0; i < SHARDS; i++) {
        char name[3];
        int fd;
        snprintf(name, sizeof name, "%02x", i);
        TRY(disk_folder(store->root, name, &fd));
        apex_status s = folder_walk(fd, count_file, store);
        close(fd);
        TRY(s);
    }
    return APEX_OK;
}

static apex_status folders_open(struct store *store, const char *folder)
{
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) return disk_status();
    store->root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store->root < 0) return disk_status();
    TRY(disk_folder(store->root, "tmp", &store->tmp_dir));
    TRY(disk_folder(store->root, "partial", &store->partial_dir));
    TRY(folder_walk(store->tmp_dir, remove_file, NULL));
    TRY(shards_make(store));
    /* A put that a crash interrupted between its rename and its sync is visible now: make that
     * true for good. */
    if (syncfs(store->root) != 0) return disk_status();
    return partials_load(store);
}

apex_status store_open(const char *folder, const struct store_options *options,
                       struct store **store)
{
    struct store *s = calloc(1, sizeof *s);
    if (!s) return APEX_E_MEMORY;
    *s = (struct store){
        .root = -1, .partial_dir = -1, .tmp_dir = -1, .options = *options, .next_token = 1};
    pthread_mutex_init(&s->lock, NULL);
    apex_status status = folders_open(s, folder);
    if (status != APEX_OK) {
        store_close(s);
        return status;
    }
    *store = s;
    return APEX_OK;
}

void store_close(struct store *store)
{
    if (!store) return;
    store_pieces_drop(store);
    partials_free(store);
    const int fds[] = {store->root, store->partial_dir, store->tmp_dir};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0) close(fds[i]);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

struct store_facts store_facts(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    struct store_facts f = {atomic_load(&store->n_blobs), store->n_partials};
    pthread_mutex_unlock(&store->lock);
    return f;
}
