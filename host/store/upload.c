/* Resumable uploads. A partial is free or owned by one upload. Who moves it:
 *
 *   begin    free -> owned; also owned -> owned by the newcomer, when the old sender has been
 *            silent for STALLED_MS (its line is dead). Who comes to go on at the very byte
 * where the owner stands waits for that, or for the owner to leave: most likely it is the same
 * sender, and we have not noticed yet that its old line broke write    owned, longer; one that
 * fails goes back to where this upload began, and is free end      owned -> free, or gone when
 * the blob is whole or false abandon  owned -> free
 *
 * An upload that was taken over finds out at its next step. A whole blob sent while another
 * upload of it is alive goes its own way through tmp/.
 *
 * Room: what an upload may still write is promised to it from begin on, and no promise is made
 * that would reach into the reserve together with those that stand. A promise shrinks with
 * every byte written, goes with its upload, and passes to whoever takes over. */
#include "host/store/internal.h"

#include "common/base/try.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { STALLED_MS = 2000, CLAIM_STEP_MS = 10 };
enum { FILES_RESERVED = 1024 }; /* room for bytes is none where no more files can be made */

struct upload {
    struct store *store;
    uint8_t digest[STORE_DIGEST_LEN];
    struct stretch stretch;
    uint64_t at;       /* next byte's place in the blob */
    uint64_t promised; /* bytes of store->promised; guarded by its lock */
    int fd;
    bool own_way; /* through tmp/, not resumable */
    bool failed;
    char name[PARTIAL_NAME_MAX];
    /* own_way: of all bytes; else: as it was at the start, for going back. */
    struct merkle_digester digester;
};

/* Lock held. */
static void promise_set(struct upload *u, uint64_t len)
{
    u->store->promised += len - u->promised;
    u->promised = len;
}

/* Lock held. Promises the whole stretch, or nothing. `silent` (or NULL) is taken over from. */
static apex_status promise_take(struct upload *u, struct upload *silent)
{
    const struct store *store = u->store;
    const uint64_t wanted[] = {store->options.reserve_bytes,
                               store->promised - (silent ? silent->promised : 0),
                               u->stretch.len};
    struct statvfs v;
    if (fstatvfs(store->root, &v) != 0) return disk_status();
    if (v.f_files > 0 && v.f_favail < FILES_RESERVED) return APEX_E_LIMIT;
    uint64_t room = (uint64_t)v.f_bavail * v.f_frsize;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (room < wanted[i]) return APEX_E_LIMIT;
        room -= wanted[i];
    }
    if (silent) promise_set(silent, 0);
    promise_set(u, u->stretch.len);
    return APEX_OK;
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

static void upload_free(struct upload *u)
{
    pthread_mutex_lock(&u->store->lock);
    promise_set(u, 0);
    pthread_mutex_unlock(&u->store->lock);
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
 * tmp/. APEX_E_UNREACHABLE: it may come free soon. Lock held. */
static apex_status partial_claim(struct upload *u, struct partial **p, uint64_t *offset)
{
    struct store *store = u->store;
    const struct stretch *s = &u->stretch;
    struct partial *found = partial_find(store, u->digest);
    const bool whole = stretch_is_whole(s);
    *p = NULL;
    *offset = found ? found->len : 0;
    if (found && found->owner &&
        (found->busy || disk_now_ms() - found->touched_ms < STALLED_MS))
        return whole                    ? promise_take(u, NULL)
               : s->first == found->len ? APEX_E_UNREACHABLE
                                        : APEX_E_USAGE;
    const bool anew = found && (whole || (s->first == 0 && found->total != s->total));
    if (anew) *offset = 0;
    if (s->first != *offset || (found && !anew && found->total != s->total))
        return APEX_E_USAGE;
    TRY(promise_take(u, found ? found->owner : NULL));
    if (anew) partial_remove(store, found);
    if (!found || anew) found = partial_make(store, u->digest, s->total);
    if (!found) return APEX_E_MEMORY;
    found->owner = u;
    found->busy = true;
    *p = found;
    return APEX_OK;
}

static apex_status upload_start(struct upload *u, uint64_t *offset)
{
    struct partial *p;
    apex_status s;
    for (;;) {
        pthread_mutex_lock(&u->store->lock);
        partials_expire(u->store);
        s = partial_claim(u, &p, offset);
        pthread_mutex_unlock(&u->store->lock);
        if (s != APEX_E_UNREACHABLE) break;
        usleep(CLAIM_STEP_MS * 1000);
    }
    if (s != APEX_OK) return s;
    if (!p) return upload_open_tmp(u);
    s = upload_open_partial(u, p);
    if (s == APEX_OK || p->len > 0)
        partial_give_back(u, p, s != APEX_OK); /* what was acknowledged stays */
    else
        partial_end(u, p, true);
    return s == APEX_E_NOT_FOUND ? APEX_E_IO : s;
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
    pthread_mutex_lock(&u->store->lock);
    promise_set(u, u->stretch.first + u->stretch.len - u->at);
    pthread_mutex_unlock(&u->store->lock);
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
