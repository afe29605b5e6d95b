/* The list of unfinished uploads, mirror of partial/ on disk. */
#include "host/store/internal.h"

#include "common/base/hex.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { EXPIRY_S = 7 * 24 * 3600 };

void partial_name(const uint8_t digest[static STORE_DIGEST_LEN], uint64_t total,
                  char name[static PARTIAL_NAME_MAX])
{
    hex_write(span_of(digest, STORE_DIGEST_LEN), name);
    snprintf(name + DIGEST_TEXT_LEN, PARTIAL_NAME_MAX - DIGEST_TEXT_LEN, ".%llu",
             (unsigned long long)total);
}

static bool partial_name_parse(const char *name, uint8_t digest[static STORE_DIGEST_LEN],
                               uint64_t *total)
{
    char again[PARTIAL_NAME_MAX];
    if (strlen(name) <= DIGEST_TEXT_LEN + 1) return false;
    if (hex_parse(span_of(name, DIGEST_TEXT_LEN), digest, STORE_DIGEST_LEN) != APEX_OK)
        return false;
    *total = strtoull(name + DIGEST_TEXT_LEN + 1, NULL, 10);
    partial_name(digest, *total, again);
    return strcmp(name, again) == 0;
}

struct partial *partial_find(struct store *store, const uint8_t digest[static STORE_DIGEST_LEN])
{
    struct partial *p = store->partials;
    while (p && memcmp(p->digest, digest, STORE_DIGEST_LEN) != 0)
        p = p->next;
    return p;
}

void partial_forget(struct store *store, struct partial *gone)
{
    struct partial **at = &store->partials;
    while (*at != gone)
        at = &(*at)->next;
    *at = gone->next;
    store->n_partials--;
    free(gone);
}

void partial_remove(struct store *store, struct partial *gone)
{
    char name[PARTIAL_NAME_MAX];
    partial_name(gone->digest, gone->total, name);
    unlinkat(store->partial_dir, name, 0);
    partial_forget(store, gone);
}

void partials_expire(struct store *store)
{
    int64_t now_ms = disk_now_ms();
    for (struct partial *p = store->partials, *next; p; p = next) {
        next = p->next;
        if (!p->owner && now_ms - p->touched_ms >= (int64_t)EXPIRY_S * 1000)
            partial_remove(store, p);
    }
}

/* Room for one more: the one that was idle longest goes. */
static bool partial_evict(struct store *store)
{
    struct partial *oldest = NULL;
    if (store->n_partials < STORE_PARTIALS_MAX) return true;
    for (struct partial *p = store->partials; p; p = p->next)
        if (!p->owner && (!oldest || p->touched_ms < oldest->touched_ms)) oldest = p;
    if (oldest) partial_remove(store, oldest);
    return oldest != NULL;
}

struct partial *partial_make(struct store *store, const uint8_t digest[static STORE_DIGEST_LEN],
                             uint64_t total)
{
    struct partial *p = partial_evict(store) ? calloc(1, sizeof *p) : NULL;
    if (!p) return NULL;
    memcpy(p->digest, digest, STORE_DIGEST_LEN);
    p->total = total;
    p->touched_ms = disk_now_ms();
    p->next = store->partials;
    store->partials = p;
    store->n_partials++;
    return p;
}

bool partial_offset(struct store *store, const uint8_t digest[static STORE_DIGEST_LEN],
                    uint64_t *offset)
{
    char name[PARTIAL_NAME_MAX];
    pthread_mutex_lock(&store->lock);
    const struct partial *p = partial_find(store, digest);
    bool found = p != NULL, unsure = p && p->owner;
    if (found) {
        *offset = p->len;
        partial_name(digest, p->total, name);
    }
    pthread_mutex_unlock(&store->lock);
    if (!unsure) return found;
    /* Somebody is writing: what is told must be durable first. */
    int fd = openat(store->partial_dir, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || disk_sync(fd) != APEX_OK || disk_sync(store->partial_dir) != APEX_OK)
        *offset = 0;
    if (fd >= 0) close(fd);
    return true;
}

/* The crash came between an upload's last byte and its place. */
static bool partial_complete(struct store *store, const char *name, int fd, uint64_t len,
                             const uint8_t digest[static STORE_DIGEST_LEN])
{
    struct merkle_digester d;
    uint8_t found[STORE_DIGEST_LEN];
    if (disk_digest(fd, len, &d) != APEX_OK || disk_sync(fd) != APEX_OK) return false;
    merkle_digester_final(&d, found);
    return memcmp(found, digest, sizeof found) == 0 &&
           store_publish(store, store->partial_dir, name, digest) == APEX_OK;
}

/* One file of partial/ at start. False: it cannot be gone on with. */
static bool partial_load(struct store *store, const char *name)
{
    uint8_t digest[STORE_DIGEST_LEN];
    struct stat st;
    uint64_t total;
    if (!partial_name_parse(name, digest, &total) || partial_find(store, digest)) return false;
    int fd = openat(store->partial_dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return false;
    bool good = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
                (uint64_t)st.st_size <= total && st.st_mtime > time(NULL) - EXPIRY_S &&
                store_has(store, digest) == APEX_E_NOT_FOUND;
    bool full = good && (uint64_t)st.st_size == total;
    if (full) good = partial_complete(store, name, fd, total, digest);
    close(fd);
    if (!good || full) return good;
    struct partial *p = partial_make(store, digest, total);
    if (!p) return false;
    p->len = (uint64_t)st.st_size;
    if (st.st_mtime < time(NULL)) /* a start makes none younger */
        p->touched_ms -= (int64_t)(time(NULL) - st.st_mtime) * 1000;
    return true;
}

apex_status partials_load(struct store *store)
{
    int fd = openat(store->partial_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d) {
        if (fd >= 0) close(fd);
        return APEX_E_IO;
    }
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.' && !partial_load(store, e->d_name))
            unlinkat(store->partial_dir, e->d_name, 0);
    closedir(d);
    return APEX_OK;
}

void partials_free(struct store *store)
{
    while (store->partials)
        partial_forget(store, store->partials);
}
