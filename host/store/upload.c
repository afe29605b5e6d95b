/* Resumable uploads. A partial is free or owned by one upload. Who moves it:
 *   begin    free -> owned; owned but silent for STALLED_MS -> owned by the newcomer (the old
 * sender's line is dead) write    owned -> owned, longer; a write that fails goes back to where
 * this upload began, and forgets it end      owned -> free, or gone when the blob is whole or
 * false abandon  owned -> free An upload that was taken over finds out at its next step. A
 * whole blob sent while another upload of it is alive goes its own way through tmp/. */
#include "host/store/internal.h"

#include "common/base/hex.h"
#include "common/base/try.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum { STALLED_MS = 2000, EXPIRY_S = 7 * 24 * 3600 };

struct upload {
    struct store *store;
    uint8_t digest[STORE_DIGEST_LEN];
    struct stretch stretch;
    uint64_t at; /* next byte's place in the blob */
    int fd;
    bool own_way; /* through tmp/, not resumable */
    bool failed;
    char name[PARTIAL_NAME_MAX];
    struct merkle_digester
        digester; /* own_way: of all bytes; else: as it was at the start, for going back */
};

static void partial_name(const uint8_t digest[static STORE_DIGEST_LEN], uint64_t total,
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

/* The functions down to partial_make want the store's lock held. */
static struct partial *partial_find(struct store *store,
                                    const uint8_t digest[static STORE_DIGEST_LEN])
{
    struct partial *p = store->partials;
    while (p && memcmp(p->digest, digest, STORE_DIGEST_LEN) != 0)
        p = p->next;
    return p;
}

static void partial_forget(struct store *store, struct partial *gone)
{
    struct partial **at = &store->partials;
    while (*at != gone)
        at = &(*at)->next;
    *at = gone->next;
    store->n_partials--;
    free(gone);
}

static void partial_remove(struct store *store, struct partial *gone)
{
    char name[PARTIAL_NAME_MAX];
    partial_name(gone->digest, gone->total, name);
    unlinkat(store->partial_dir, name, 0);
    partial_forget(store, gone);
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

static struct partial *partial_make(struct store *store,
                                    const uint8_t digest[static STORE_DIGEST_LEN],
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

/* The upload's partial, marked busy, unless somebody took it over. */
static struct partial *partial_take(struct upload *u)
{
    struct store *store = u->store;
    pthread_mutex_lock(&store->lock);
    struct partial *p = partial_find(store, u->digest);
    if (p && p->owner == u)
        p->busy = true;
    else
        p = NULL;
    pthread_mutex_unlock(&store->lock);
    return p;
}

static void partial_give_back(struct upload *u, struct partial *p, bool free_it)
{
    pthread_mutex_lock(&u->store->lock);
    p->len = u->at;
    p->busy = false;
    p->touched_ms = disk_now_ms();
    if (free_it) p->owner = NULL;
    pthread_mutex_unlock(&u->store->lock);
}

static void partial_end(struct upload *u, struct partial *p, bool remove)
{
    pthread_mutex_lock(&u->store->lock);
    if (remove)
        partial_remove(u->store, p);
    else
        partial_forget(u->store, p);
    pthread_mutex_unlock(&u->store->lock);
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
    if (fd < 0 || disk_sync(fd) != APEX_OK) *offset = 0;
    if (fd >= 0) close(fd);
    return true;
}

static void upload_free(struct upload *u)
{
    if (u->fd >= 0) close(u->fd);
    free(u);
}

static apex_status upload_open_tmp(struct upload *u)
{
    u->own_way = true;
    merkle_digester_init(&u->digester);
    return tmp_create(u->store, u->name, &u->fd);
}

static apex_status upload_open_partial(struct upload *u, struct partial *p)
{
    partial_name(u->digest, u->stretch.total, u->name);
    u->fd = openat(u->store->partial_dir, u->name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (u->fd < 0) return disk_status();
    if (ftruncate(u->fd, (off_t)p->len) != 0) return disk_status();
    if (!p->digested) TRY(disk_digest(u->fd, p->len, &p->digester));
    p->digested = true;
    u->digester = p->digester;
    return APEX_OK;
}

static bool stretch_is_whole(const struct stretch *s)
{
    return s->first == 0 && s->len == s->total;
}

/* Finds or makes the partial to go on with, owned and busy. *p is NULL with APEX_OK: go through
 * tmp/. Lock held. */
static apex_status partial_claim(struct upload *u, struct partial **p, uint64_t *offset)
{
    struct store *store = u->store;
    const struct stretch *s = &u->stretch;
    struct partial *found = partial_find(store, u->digest);
    *p = NULL;
    *offset = found ? found->len : 0;
    if (found && found->owner &&
        (found->busy || disk_now_ms() - found->touched_ms < STALLED_MS))
        return stretch_is_whole(s) ? APEX_OK : APEX_E_USAGE;
    if (found && (stretch_is_whole(s) || (s->first == 0 && found->total != s->total))) {
        partial_remove(store, found);
        found = NULL;
        *offset = 0;
    }
    if (s->first != *offset || (found && found->total != s->total)) return APEX_E_USAGE;
    if (!found) found = partial_make(store, u->digest, s->total);
    if (!found) return APEX_E_MEMORY;
    found->owner = u;
    found->busy = true;
    *p = found;
    return APEX_OK;
}

static apex_status upload_start(struct upload *u, uint64_t *offset)
{
    struct partial *p;
    pthread_mutex_lock(&u->store->lock);
    apex_status s = partial_claim(u, &p, offset);
    pthread_mutex_unlock(&u->store->lock);
    if (s != APEX_OK) return s;
    if (!p) return upload_open_tmp(u);
    s = upload_open_partial(u, p);
    if (s == APEX_OK)
        partial_give_back(u, p, false);
    else
        partial_end(u, p, true);
    return s == APEX_E_NOT_FOUND ? APEX_E_IO : s;
}

static apex_status room_check(struct store *store, uint64_t len)
{
    struct statvfs v;
    if (fstatvfs(store->root, &v) != 0) return disk_status();
    uint64_t room = (uint64_t)v.f_bavail * v.f_frsize;
    return room >= store->options.reserve_bytes && room - store->options.reserve_bytes >= len
               ? APEX_OK
               : APEX_E_LIMIT;
}

apex_status upload_begin(struct store *store, const uint8_t digest[static STORE_DIGEST_LEN],
                         const struct stretch *stretch, struct upload **upload, bool *whole,
                         uint64_t *offset)
{
    *offset = 0;
    if (stretch->total > store->options.blob_max) return APEX_E_LIMIT;
    if (stretch->first > stretch->total || stretch->len > stretch->total - stretch->first)
        return APEX_E_USAGE;
    apex_status s = store_has(store, digest);
    *whole = s == APEX_OK;
    if (s != APEX_E_NOT_FOUND) return s;
    TRY(room_check(store, stretch->len));
    struct upload *u = calloc(1, sizeof *u);
    if (!u) return APEX_E_MEMORY;
    *u = (struct upload){.store = store, .stretch = *stretch, .at = stretch->first, .fd = -1};
    memcpy(u->digest, digest, STORE_DIGEST_LEN);
    s = upload_start(u, offset);
    if (s != APEX_OK) {
        upload_free(u);
        return s;
    }
    *upload = u;
    return APEX_OK;
}

/* The upload failed: what it wrote goes, what earlier ones wrote stays. */
static void upload_undo(struct upload *u, struct partial *p)
{
    u->failed = true;
    if (u->own_way) {
        unlinkat(u->store->tmp_dir, u->name, 0);
        return;
    }
    if (u->stretch.first == 0 || ftruncate(u->fd, (off_t)u->stretch.first) != 0) {
        partial_end(u, p, true);
        return;
    }
    u->at = u->stretch.first;
    p->digester = u->digester;
    partial_give_back(u, p, true);
}

apex_status upload_write(struct upload *u, struct span bytes)
{
    if (u->failed) return APEX_E_REFUSED;
    if (bytes.len > u->stretch.first + u->stretch.len - u->at) return APEX_E_USAGE;
    struct partial *p = u->own_way ? NULL : partial_take(u);
    if (!u->own_way && !p) return APEX_E_REFUSED;
    apex_status s = disk_write(u->fd, u->at, bytes);
    if (s != APEX_OK) {
        upload_undo(u, p);
        return s;
    }
    merkle_digester_update(p ? &p->digester : &u->digester, bytes);
    u->at += bytes.len;
    if (p) partial_give_back(u, p, false);
    return APEX_OK;
}

/* All bytes are there and synced: the blob appears, or was never what its name says. */
static apex_status upload_publish(struct upload *u, struct partial *p)
{
    uint8_t digest[STORE_DIGEST_LEN];
    struct merkle_digester d = p ? p->digester : u->digester;
    merkle_digester_final(&d, digest);
    int dir = u->own_way ? u->store->tmp_dir : u->store->partial_dir;
    apex_status s =
        memcmp(digest, u->digest, STORE_DIGEST_LEN) == 0 ? APEX_OK : APEX_E_UNTRUSTED;
    if (s == APEX_OK)
        s = store_publish(u->store, dir, u->name, digest);
    else
        unlinkat(dir, u->name, 0);
    if (p) partial_end(u, p, false);
    return s;
}

/* The bytes, and for what stays in partial/ its name too. */
static apex_status upload_sync(struct upload *u)
{
    TRY(disk_sync(u->fd));
    return u->own_way || u->at == u->stretch.total ? APEX_OK : disk_sync(u->store->partial_dir);
}

static apex_status upload_finish(struct upload *u, bool *whole, uint64_t *offset)
{
    *whole = false;
    *offset = u->at;
    struct partial *p = u->own_way ? NULL : partial_take(u);
    if (!u->own_way && !p) return APEX_E_REFUSED;
    apex_status s = upload_sync(u);
    if (s != APEX_OK) {
        upload_undo(u, p);
        return s;
    }
    if (u->at < u->stretch.total) {
        partial_give_back(u, p, true);
        return APEX_OK;
    }
    s = upload_publish(u, p);
    *whole = s == APEX_OK;
    return s;
}

apex_status upload_end(struct upload *u, bool *whole, uint64_t *offset)
{
    if (u->failed || u->at != u->stretch.first + u->stretch.len) {
        upload_abandon(u);
        return APEX_E_USAGE;
    }
    apex_status s = upload_finish(u, whole, offset);
    upload_free(u);
    return s;
}

void upload_abandon(struct upload *u)
{
    struct partial *p = u->failed || u->own_way ? NULL : partial_take(u);
    if (u->own_way && !u->failed) upload_undo(u, NULL);
    if (p && u->at == 0)
        partial_end(u, p, true);
    else if (p && upload_sync(u) != APEX_OK)
        upload_undo(u, p);
    else if (p)
        partial_give_back(u, p, true);
    upload_free(u);
}

/* One file of partial/ at start. Anything that cannot be gone on with goes. */
static bool partial_load(struct store *store, const char *name)
{
    uint8_t digest[STORE_DIGEST_LEN], found[STORE_DIGEST_LEN];
    struct merkle_digester d;
    struct stat st;
    uint64_t total;
    if (!partial_name_parse(name, digest, &total)) return false;
    int fd = openat(store->partial_dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool good = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
                (uint64_t)st.st_size <= total && st.st_mtime > time(NULL) - EXPIRY_S &&
                store_has(store, digest) == APEX_E_NOT_FOUND;
    bool full = good && (uint64_t)st.st_size == total;
    if (full) { /* the crash came between its last byte and its place */
        good = disk_digest(fd, total, &d) == APEX_OK && disk_sync(fd) == APEX_OK;
        if (good) merkle_digester_final(&d, found);
        good = good && memcmp(found, digest, sizeof found) == 0 &&
               store_publish(store, store->partial_dir, name, digest) == APEX_OK;
    }
    if (fd >= 0) close(fd);
    if (!good || full) return good;
    if (partial_find(store, digest)) return false;
    struct partial *p = partial_make(store, digest, total);
    if (p) p->len = (uint64_t)st.st_size;
    return p != NULL;
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
