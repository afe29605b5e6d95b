/* The blob store. The linker routes its disk calls through here (--wrap), so that each can fail
 * or be the last before a crash, and so that the order of writes, syncs and renames can be
 * watched: what a power loss would tear is seen without one. */
#include "common/base/hex.h"
#include "common/merkle/tree.h"
#include "host/store/store.h"
#include "tests/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CRASHED = 77, BLOB_MAX = 1 << 20, DIRTY_MAX = 64, OPS_MAX = 200 };
enum { STALLED_MS = 2000 }; /* who is silent for so long may be taken over */

/* ---- the disk, watched ---- */

static struct {
    pthread_mutex_t lock;
    int op, fail_at, crash_at; /* ops count from 1; 0: never */
    int error;                 /* errno of the failing op */
    ino_t dirty[DIRTY_MAX];    /* files written, folders changed, and not synced since */
    int n_dirty;
    int torn;        /* renames of files that were not synced */
    bool small;      /* its room is `room`, not what the machine has */
    uint64_t room;   /* bytes; each one written takes one */
    uint64_t files;  /* that can still be made */
    int64_t later_s; /* so much later than it is */
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void disk_reset(void)
{
    disk.op = disk.fail_at = disk.crash_at = disk.n_dirty = disk.torn = 0;
    disk.error = ENOSPC;
    disk.small = false;
    disk.later_s = 0;
}

static bool op_fails(void)
{
    pthread_mutex_lock(&disk.lock);
    int op = ++disk.op;
    pthread_mutex_unlock(&disk.lock);
    if (op == disk.crash_at) _exit(CRASHED);
    if (op != disk.fail_at) return false;
    errno = disk.error;
    return true;
}

static int dirty_at(ino_t ino)
{
    for (int i = 0; i < disk.n_dirty; i++)
        if (disk.dirty[i] == ino) return i;
    return -1;
}

static void dirty_mark(ino_t ino, bool dirty)
{
    pthread_mutex_lock(&disk.lock);
    int at = dirty_at(ino);
    if (dirty && at < 0 && disk.n_dirty < DIRTY_MAX) disk.dirty[disk.n_dirty++] = ino;
    if (!dirty && at >= 0) disk.dirty[at] = disk.dirty[--disk.n_dirty];
    pthread_mutex_unlock(&disk.lock);
}

static ino_t ino_of(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

ssize_t __real_pwrite64(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t len, off_t at);
int __wrap_fsync(int fd);
int __real_fstatvfs64(int fd, struct statvfs *v);
int __wrap_fstatvfs64(int fd, struct statvfs *v);
int __real_clock_gettime(clockid_t which, struct timespec *t);
int __wrap_clock_gettime(clockid_t which, struct timespec *t);
int __real_renameat2(int from_dir, const char *from, int to_dir, const char *to,
                     unsigned flags);
int __wrap_renameat2(int from_dir, const char *from, int to_dir, const char *to,
                     unsigned flags);

ssize_t __wrap_pwrite64(int fd, const void *data, size_t len, off_t at)
{
    if (op_fails()) return -1;
    dirty_mark(ino_of(fd), true);
    if (len > 1000) len /= 2; /* short writes are legal */
    if (disk.small) disk.room -= len;
    return __real_pwrite64(fd, data, len, at);
}

int __wrap_fstatvfs64(int fd, struct statvfs *v)
{
    if (!disk.small) return __real_fstatvfs64(fd, v);
    *v = (struct statvfs){
        .f_frsize = 1, .f_bavail = disk.room, .f_files = 1 << 20, .f_favail = disk.files};
    return 0;
}

int __wrap_clock_gettime(clockid_t which, struct timespec *t)
{
    int r = __real_clock_gettime(which, t);
    t->tv_sec += disk.later_s;
    return r;
}

/* Watched only: nothing here survives the machine, and the suite is to be quick. */
int __wrap_fsync(int fd)
{
    if (op_fails()) return -1;
    dirty_mark(ino_of(fd), false);
    return 0;
}

int __wrap_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    struct stat st;
    if (op_fails()) return -1;
    if (fstatat(from_dir, from, &st, 0) == 0 && dirty_at(st.st_ino) >= 0) disk.torn++;
    int r = __real_renameat2(from_dir, from, to_dir, to, flags);
    if (r == 0) dirty_mark(ino_of(to_dir), true);
    return r;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- scratch ---- */

static char folder[64];
static uint8_t bytes[300000];

static int folder_make(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_store.XXXXXX");
    disk_reset();
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int folder_remove(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct store *store_fresh(void)
{
    const struct store_options o = {.blob_max = BLOB_MAX};
    struct store *s = NULL;
    CHECK_OK(store_open(folder, &o, &s));
    return s;
}

static size_t files_in(const char *name)
{
    char path[128];
    size_t n = 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    DIR *d = opendir(path);
    CHECK(d != NULL);
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void digest_of(struct span b, uint8_t digest[static 32])
{
    merkle_digest(b, digest);
}

/* The blob is there and whole (true) or not there at all. */
static bool blob_whole(struct store *s, struct span want)
{
    uint8_t digest[32];
    uint64_t total;
    BUFFER_CLEARED got = {0};
    digest_of(want, digest);
    apex_status r = store_read(s, digest, 0, want.len + 1, &got, &total);
    if (r == APEX_E_NOT_FOUND) return false;
    CHECK_OK(r);
    CHECK(total == want.len);
    CHECK(span_equal(buffer_span(&got), want));
    return true;
}

/* ---- the three ways in ---- */

static apex_status way_put(struct store *s, struct span b)
{
    uint8_t digest[32];
    return store_put(s, b, digest);
}

static apex_status way_pieces(struct store *s, struct span b)
{
    uint8_t digest[32];
    uint64_t token = 0;
    size_t half = b.len / 2;
    apex_status r = store_piece_append(s, &token, span_of(b.data, half));
    if (r == APEX_OK) r = store_piece_append(s, &token, span_of(b.data + half, b.len - half));
    return r == APEX_OK ? store_piece_finish(s, token, digest) : r;
}

static apex_status stretch_send(struct store *s, struct span b, size_t first, size_t len,
                                size_t step, bool *whole, uint64_t *offset)
{
    uint8_t digest[32];
    struct upload *u;
    const struct stretch st = {first, len, b.len};
    digest_of(b, digest);
    apex_status r = upload_begin(s, digest, &st, &u, whole, offset);
    if (r != APEX_OK || *whole) return r;
    for (size_t at = first; at < first + len && r == APEX_OK; at += step) {
        size_t n = first + len - at < step ? first + len - at : step;
        r = upload_write(u, span_of(b.data + at, n));
    }
    if (r == APEX_OK) return upload_end(u, whole, offset);
    upload_abandon(u);
    return r;
}

static apex_status way_upload(struct store *s, struct span b)
{
    bool whole;
    uint64_t offset;
    size_t half = b.len / 2;
    apex_status r = stretch_send(s, b, 0, half, 100000, &whole, &offset);
    if (r == APEX_OK && !whole)
        r = stretch_send(s, b, half, b.len - half, 100000, &whole, &offset);
    return r == APEX_OK && !whole ? APEX_E_BUG : r;
}

typedef apex_status way(struct store *s, struct span b);
static const struct {
    const char *name;
    way *send;
} ways[] = {{"put", way_put}, {"pieces", way_pieces}, {"upload", way_upload}};
enum { WAYS = sizeof ways / sizeof *ways };

/* ---- tests ---- */

static void a_blob_comes_back_under_its_digest_whatever_its_size_and_way(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 4095, 4096, 70000, sizeof bytes};
    (void)state;
    struct store *s = store_fresh();
    for (size_t w = 0; w < WAYS; w++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            struct span b = span_of(bytes + w, sizes[i] > w ? sizes[i] - w
                                                            : 0); /* another blob each time */
            CHECK_OK(ways[w].send(s, b));
            CHECK(blob_whole(s, b));
        }
    CHECK(files_in("tmp") == 0 && files_in("partial") == 0);
    store_close(s);
}

static void reading_gives_any_part_and_never_past_the_end(void **state)
{
    uint8_t digest[32];
    uint64_t total;
    static const struct {
        uint64_t offset;
        size_t len, got;
    } cases[] = {{0, 10, 10}, {5, 0, 0}, {990, 100, 10}, {1000, 5, 0}, {0, 5000, 1000}};
    (void)state;
    struct store *s = store_fresh();
    CHECK_OK(store_put(s, span_of(bytes, 1000), digest));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        BUFFER_CLEARED got = {0};
        CHECK_OK(store_read(s, digest, cases[i].offset, cases[i].len, &got, &total));
        CHECK(total == 1000 &&
              span_equal(buffer_span(&got), span_of(bytes + cases[i].offset, cases[i].got)));
    }
    BUFFER_CLEARED none = {0};
    CHECK_STATUS(store_read(s, digest, 1001, 1, &none, &total), APEX_E_USAGE);
    digest[0] ^= 1;
    CHECK_STATUS(store_read(s, digest, 0, 1, &none, &total), APEX_E_NOT_FOUND);
    store_close(s);
}

/* After trouble the sender can go on from what is kept, which is returned. */
static uint64_t send_on(struct store *s, struct span b)
{
    uint64_t kept, offset;
    bool whole;
    uint8_t digest[32];
    digest_of(b, digest);
    CHECK_OK(store_look(s, digest, &whole, &kept));
    if (!whole) CHECK_OK(stretch_send(s, b, kept, b.len - kept, b.len, &whole, &offset));
    CHECK(whole && blob_whole(s, b));
    return kept;
}

static void a_crash_at_any_step_leaves_the_blob_whole_or_absent(void **state)
{
    const struct span b = span_of(bytes, 5000);
    (void)state;
    for (size_t w = 0; w < WAYS; w++)
        for (int k = 1, crashed = 1; crashed; k++) {
            CHECK(k < OPS_MAX);
            pid_t pid = fork();
            if (pid == 0) {
                struct store *s = NULL;
                const struct store_options o = {.blob_max = BLOB_MAX};
                if (store_open(folder, &o, &s) != APEX_OK) _exit(1);
                disk_reset();
                disk.crash_at = k;
                _exit(ways[w].send(s, b) == APEX_OK ? 0 : 1);
            }
            int status;
            CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
            crashed = WEXITSTATUS(status) == CRASHED;
            CHECK(crashed || WEXITSTATUS(status) == 0);
            struct store *s = store_fresh();
            bool whole = blob_whole(s, b);
            CHECK(crashed || whole); /* acknowledged: there */
            CHECK(files_in("tmp") == 0);
            CHECK(store_facts(s).n_blobs == (whole ? 1u : 0u));
            send_on(s, b);
            CHECK(files_in("tmp") == 0 && files_in("partial") == 0);
            store_close(s);
            folder_remove(NULL);
            CHECK(mkdir(folder, 0700) == 0);
        }
}

static void nothing_is_acknowledged_before_bytes_and_folder_are_synced(void **state)
{
    (void)state;
    struct store *s = store_fresh();
    for (size_t w = 0; w < WAYS; w++) {
        disk_reset();
        CHECK_OK(ways[w].send(s, span_of(bytes + w, 5000)));
        CHECK(disk.op > 0 && disk.torn == 0 && disk.n_dirty == 0);
    }
    store_close(s);
}

static void a_full_disk_at_any_step_is_said_and_leaves_nothing_half_visible(void **state)
{
    static const int errors[] = {ENOSPC, EDQUOT, EIO};
    (void)state;
    struct store *s = store_fresh();
    size_t unique = 0;
    for (size_t e = 0; e < sizeof errors / sizeof *errors; e++)
        for (size_t w = 0; w < WAYS; w++)
            for (int k = 1, failed = 1; failed; k++) {
                const struct span b = span_of(bytes + ++unique, 5000);
                CHECK(k < OPS_MAX);
                disk_reset();
                disk.fail_at = k;
                disk.error = errors[e];
                apex_status r = ways[w].send(s, b);
                failed = disk.op >= k;
                if (!failed) break;
                if (errors[e] == EIO)
                    CHECK_STATUS(r, APEX_E_IO);
                else
                    CHECK_STATUS(r, APEX_E_LIMIT);
                blob_whole(s, b); /* whole or absent */
                CHECK(files_in("tmp") == 0);
                disk_reset();
                uint64_t kept = send_on(s, b);
                CHECK(kept == 0 || kept == b.len / 2); /* what an earlier stretch wrote stays */
            }
    CHECK(files_in("partial") == 0);
    store_close(s);
}

static void a_real_file_size_limit_is_a_full_disk(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        const struct rlimit small = {8192, 8192};
        struct store *s = store_fresh();
        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &small) != 0) _exit(1);
        for (size_t w = 0; w < WAYS; w++)
            if (ways[w].send(s, span_of(bytes, 50000)) != APEX_E_LIMIT ||
                blob_whole(s, span_of(bytes, 50000)) || files_in("tmp") != 0)
                _exit(2 + (int)w);
        _exit(ways[0].send(s, span_of(bytes, 8000)) == APEX_OK ? 0 : 9);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void an_upload_resumes_at_every_offset_over_a_restart(void **state)
{
    enum { LEN = 120 };
    uint8_t digest[32];
    bool whole;
    uint64_t offset;
    (void)state;
    for (size_t cut = 1; cut < LEN; cut++) {
        const struct span b = span_of(bytes + cut, LEN);
        digest_of(b, digest);
        struct store *s = store_fresh();
        CHECK_OK(stretch_send(s, b, 0, cut, 7, &whole, &offset));
        CHECK(!whole && offset == cut);
        store_close(s);
        s = store_fresh();
        CHECK_OK(store_look(s, digest, &whole, &offset));
        CHECK(!whole && offset == cut);
        CHECK(!blob_whole(s, b));
        CHECK_OK(stretch_send(s, b, cut, LEN - cut, 11, &whole, &offset));
        CHECK(whole && blob_whole(s, b));
        store_close(s);
    }
}

static void an_upload_that_breaks_off_keeps_what_came_at_every_offset(void **state)
{
    enum { LEN = 120 };
    uint8_t digest[32];
    (void)state;
    struct store *s = store_fresh();
    for (size_t cut = 0; cut < LEN; cut++) {
        const struct span b = span_of(bytes + 500 + cut, LEN);
        const struct stretch st = {0, LEN, LEN};
        struct upload *u;
        bool whole;
        uint64_t offset;
        digest_of(b, digest);
        CHECK_OK(upload_begin(s, digest, &st, &u, &whole, &offset));
        if (cut > 0) CHECK_OK(upload_write(u, span_of(b.data, cut)));
        upload_abandon(u);
        CHECK_OK(store_look(s, digest, &whole, &offset));
        CHECK(!whole && offset == cut);
        CHECK_OK(stretch_send(s, b, cut, LEN - cut, LEN, &whole, &offset));
        CHECK(whole && blob_whole(s, b));
    }
    store_close(s);
}

static void a_stretch_that_does_not_begin_where_the_kept_part_ends_is_refused(void **state)
{
    const struct span b = span_of(bytes, 100);
    bool whole;
    uint64_t offset;
    (void)state;
    struct store *s = store_fresh();
    CHECK_STATUS(stretch_send(s, b, 10, 10, 10, &whole, &offset), APEX_E_USAGE);
    CHECK(offset == 0);
    CHECK_OK(stretch_send(s, b, 0, 40, 10, &whole, &offset));
    for (size_t first = 0; first < 100; first++) {
        if (first == 40) continue;
        CHECK_STATUS(stretch_send(s, b, first, 1, 1, &whole, &offset), APEX_E_USAGE);
        CHECK(offset == 40);
    }
    CHECK_OK(stretch_send(s, b, 0, 100, 10, &whole, &offset)); /* all of it: starts again */
    CHECK(whole);
    store_close(s);
}

static void bytes_that_are_not_what_the_name_says_are_discarded(void **state)
{
    uint8_t digest[32];
    bool whole;
    uint64_t offset;
    struct upload *u;
    const struct stretch st = {0, 100, 100};
    (void)state;
    struct store *s = store_fresh();
    digest_of(span_of(bytes, 100), digest);
    CHECK_OK(upload_begin(s, digest, &st, &u, &whole, &offset));
    CHECK_OK(upload_write(u, span_of(bytes + 1, 100)));
    CHECK_STATUS(upload_end(u, &whole, &offset), APEX_E_UNTRUSTED);
    CHECK_OK(store_look(s, digest, &whole, &offset));
    CHECK(!whole && offset == 0 && files_in("partial") == 0);
    CHECK_OK(stretch_send(s, span_of(bytes, 100), 0, 100, 9, &whole, &offset));
    CHECK(whole && blob_whole(s, span_of(bytes, 100)));
    store_close(s);
}

static void a_whole_blob_is_never_overwritten(void **state)
{
    uint8_t digest[32];
    struct blob before, after;
    struct stat was, is;
    (void)state;
    struct store *s = store_fresh();
    CHECK_OK(store_put(s, span_of(bytes, 5000), digest));
    CHECK_OK(store_blob_open(s, digest, &before));
    for (size_t w = 0; w < WAYS; w++)
        CHECK_OK(ways[w].send(s, span_of(bytes, 5000)));
    CHECK_OK(store_blob_open(s, digest, &after));
    CHECK(fstat(before.fd, &was) == 0 && fstat(after.fd, &is) == 0);
    CHECK(was.st_ino == is.st_ino && is.st_mtim.tv_nsec == was.st_mtim.tv_nsec);
    CHECK(store_facts(s).n_blobs == 1);
    blob_close(&before);
    blob_close(&after);
    store_close(s);
}

struct racer {
    struct store *store;
    size_t step;
    apex_status result;
};

static void *racer_main(void *context)
{
    struct racer *r = context;
    bool whole = false;
    uint64_t offset;
    int64_t began;
    do {
        began = now_ms();
        r->result =
            stretch_send(r->store, span_of(bytes, 200000), 0, 200000, r->step, &whole, &offset);
    } while (r->result == APEX_E_REFUSED && now_ms() - began >= STALLED_MS);
    if (r->result == APEX_OK && !whole) r->result = APEX_E_BUG;
    return NULL;
}

static void many_may_send_the_same_blob_at_once(void **state)
{
    enum { RACERS = 8 };
    struct racer racers[RACERS];
    pthread_t threads[RACERS];
    (void)state;
    struct store *s = store_fresh();
    for (int i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){s, 900 + 700u * (unsigned)i, APEX_OK};
        CHECK(pthread_create(&threads[i], NULL, racer_main, &racers[i]) == 0);
    }
    for (int i = 0; i < RACERS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < RACERS; i++)
        CHECK_OK(racers[i].result);
    CHECK(blob_whole(s, span_of(bytes, 200000)));
    CHECK(store_facts(s).n_blobs == 1 && files_in("tmp") == 0 && files_in("partial") == 0);
    store_close(s);
}

static void a_silent_sender_is_taken_over_and_a_lively_one_is_not(void **state)
{
    enum { LEN = 100 };
    const struct span b = span_of(bytes, LEN);
    const struct stretch first = {0, 60, LEN}, early = {29, 71, LEN}, rest = {30, 70, LEN};
    uint8_t digest[32];
    struct upload *old, *newer;
    bool whole;
    uint64_t offset;
    (void)state;
    struct store *s = store_fresh();
    digest_of(b, digest);
    CHECK_OK(upload_begin(s, digest, &first, &old, &whole, &offset));
    int64_t began = now_ms();
    CHECK_OK(upload_write(old, span_of(b.data, 30)));
    CHECK_STATUS(upload_begin(s, digest, &early, &newer, &whole, &offset), APEX_E_USAGE);
    CHECK(offset == 30);
    CHECK_OK(
        upload_begin(s, digest, &rest, &newer, &whole, &offset)); /* waits for a sign of life */
    CHECK(now_ms() - began >= STALLED_MS);
    CHECK_STATUS(upload_write(old, span_of(b.data + 30, 30)), APEX_E_REFUSED);
    upload_abandon(old);
    CHECK_OK(upload_write(newer, span_of(b.data + 30, 70)));
    CHECK_OK(upload_end(newer, &whole, &offset));
    CHECK(whole && blob_whole(s, b));
    store_close(s);
}

static void *leaver_main(void *upload)
{
    usleep(300000);
    upload_abandon(upload);
    return NULL;
}

/* True when it went on sooner than a silence alone would have let it. */
static bool goes_on_at_once(struct store *s, struct span b)
{
    const struct stretch first = {0, 60, 100};
    uint8_t digest[32];
    struct upload *old;
    pthread_t leaver;
    bool whole;
    uint64_t offset;
    digest_of(b, digest);
    CHECK_OK(upload_begin(s, digest, &first, &old, &whole, &offset));
    int64_t began = now_ms();
    CHECK_OK(upload_write(old, span_of(b.data, 30)));
    CHECK(pthread_create(&leaver, NULL, leaver_main, old) == 0);
    CHECK_OK(stretch_send(s, b, 30, 70, 70, &whole, &offset));
    bool at_once = now_ms() - began < STALLED_MS;
    CHECK(whole && blob_whole(s, b));
    pthread_join(leaver, NULL);
    return at_once;
}

/* A try in which this machine itself was silent for too long proves nothing. */
static void who_comes_back_before_its_old_line_is_known_dead_goes_on_once_it_is(void **state)
{
    bool at_once = false;
    (void)state;
    struct store *s = store_fresh();
    for (size_t i = 0; i < 20 && !at_once; i++)
        at_once = goes_on_at_once(s, span_of(bytes + i, 100));
    CHECK(at_once);
    store_close(s);
}

static void pieces_of_several_blobs_may_interleave(void **state)
{
    enum { N = 10 };
    uint64_t token[N] = {0};
    uint8_t digest[32], want[32];
    (void)state;
    struct store *s = store_fresh();
    for (size_t part = 0; part < 5; part++)
        for (size_t i = 0; i < N; i++)
            CHECK_OK(
                store_piece_append(s, &token[i], span_of(bytes + i * 1000 + part * 100, 100)));
    for (size_t i = 0; i < N; i++) {
        CHECK_OK(store_piece_finish(s, token[i], digest));
        digest_of(span_of(bytes + i * 1000, 500), want);
        CHECK(memcmp(digest, want, 32) == 0 && blob_whole(s, span_of(bytes + i * 1000, 500)));
        CHECK_STATUS(store_piece_finish(s, token[i], digest), APEX_E_NOT_FOUND);
    }
    store_close(s);
}

static void unfinished_pieces_are_bounded_and_go_when_dropped(void **state)
{
    uint64_t token, unknown = 12345;
    (void)state;
    struct store *s = store_fresh();
    CHECK_STATUS(store_piece_append(s, &unknown, span_of(bytes, 1)), APEX_E_NOT_FOUND);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < STORE_PIECES_MAX; i++) {
            token = 0;
            CHECK_OK(store_piece_append(s, &token, span_of(bytes, 10)));
        }
        uint64_t more = 0;
        CHECK_STATUS(store_piece_append(s, &more, span_of(bytes, 10)), APEX_E_REFUSED);
        CHECK(files_in("tmp") == STORE_PIECES_MAX);
        store_pieces_drop(s);
        CHECK(files_in("tmp") == 0);
        CHECK_STATUS(store_piece_append(s, &token, span_of(bytes, 10)), APEX_E_NOT_FOUND);
    }
    store_close(s);
}

static void blobs_above_the_limit_are_refused_every_way(void **state)
{
    const struct store_options o = {.blob_max = 1000};
    struct store *s;
    (void)state;
    CHECK_OK(store_open(folder, &o, &s));
    for (size_t w = 0; w < WAYS; w++) {
        CHECK_STATUS(ways[w].send(s, span_of(bytes, 1001)), APEX_E_LIMIT);
        CHECK_OK(ways[w].send(s, span_of(bytes + w, 1000)));
    }
    CHECK(files_in("tmp") == 0 && files_in("partial") == 0);
    store_close(s);
}

static void an_upload_larger_than_the_room_left_is_refused_before_it_starts(void **state)
{
    const struct store_options o = {.blob_max = BLOB_MAX, .reserve_bytes = UINT64_MAX / 2};
    bool whole;
    uint64_t offset;
    struct store *s;
    (void)state;
    CHECK_OK(store_open(folder, &o, &s));
    CHECK_STATUS(stretch_send(s, span_of(bytes, 10), 0, 10, 10, &whole, &offset), APEX_E_LIMIT);
    CHECK_OK(way_put(s, span_of(bytes, 10))); /* the enclave's results may use the reserve */
    store_close(s);
}

/* ---- a disk of 1,000 bytes of which 300 are to stay free ---- */

static struct store *store_small(void)
{
    const struct store_options o = {.blob_max = BLOB_MAX, .reserve_bytes = 300};
    struct store *s;
    CHECK_OK(store_open(folder, &o, &s));
    disk.small = true;
    disk.room = 1000;
    disk.files = 1 << 20;
    return s;
}

/* Blob `which`, of 1,000 bytes: begins to send [first, first + len) of it. */
static apex_status begin(struct store *s, size_t which, size_t first, size_t len,
                         struct upload **u)
{
    const struct stretch st = {first, len, 1000};
    uint8_t digest[32];
    bool whole;
    uint64_t offset;
    digest_of(span_of(bytes + which, 1000), digest);
    return upload_begin(s, digest, &st, u, &whole, &offset);
}

static void uploads_under_way_leave_the_reserve_all_together(void **state)
{
    struct upload *one, *two, *three;
    (void)state;
    struct store *s = store_small();
    CHECK_OK(begin(s, 1, 0, 600, &one));
    CHECK_STATUS(begin(s, 2, 0, 101, &two), APEX_E_LIMIT);
    CHECK_OK(begin(s, 2, 0, 100, &two)); /* 1,000 less 300, to the byte */
    CHECK_OK(upload_write(one, span_of(bytes + 1, 400)));
    CHECK_STATUS(begin(s, 3, 0, 1, &three), APEX_E_LIMIT); /* written or promised is the same */
    upload_abandon(one);
    CHECK_STATUS(begin(s, 3, 0, 201, &three), APEX_E_LIMIT); /* what is kept still takes room */
    CHECK_OK(begin(s, 3, 0, 200, &three)); /* what the sender did not send is free again */
    CHECK_OK(upload_write(three, span_of(bytes + 3, 200)));
    CHECK_OK(upload_write(two, span_of(bytes + 2, 100)));
    CHECK(disk.room == 300);
    upload_abandon(two);
    upload_abandon(three);
    store_close(s);
}

static void who_takes_over_takes_the_room_that_was_promised(void **state)
{
    struct upload *old, *newer;
    (void)state;
    struct store *s = store_small();
    CHECK_OK(begin(s, 1, 0, 700, &old));
    CHECK_OK(upload_write(old, span_of(bytes + 1, 200)));
    disk.later_s = 60; /* of silence */
    CHECK_OK(begin(s, 1, 200, 500, &newer));
    upload_abandon(old);
    CHECK_OK(upload_write(newer, span_of(bytes + 201, 500)));
    CHECK(disk.room == 300);
    upload_abandon(newer);
    store_close(s);
}

static void no_upload_begins_where_the_log_could_make_no_more_files(void **state)
{
    struct upload *u;
    (void)state;
    struct store *s = store_small();
    disk.files = 100;
    CHECK_STATUS(begin(s, 1, 0, 100, &u), APEX_E_LIMIT);
    disk.files = 1 << 20;
    CHECK_OK(begin(s, 1, 0, 100, &u));
    upload_abandon(u);
    store_close(s);
}

/* The kept part of blob `which`. */
static uint64_t kept_of(struct store *s, size_t which)
{
    uint8_t digest[32];
    bool whole;
    uint64_t offset;
    digest_of(span_of(bytes + which, 1000), digest);
    CHECK_OK(store_look(s, digest, &whole, &offset));
    return offset;
}

static void keep_some(struct store *s, size_t which)
{
    bool whole;
    uint64_t offset;
    CHECK_OK(stretch_send(s, span_of(bytes + which, 1000), 0, 50, 50, &whole, &offset));
}

static void an_upload_nobody_touches_for_a_week_is_forgotten_while_the_node_runs(void **state)
{
    enum { DAY_S = 24 * 3600 };
    struct upload *alive;
    (void)state;
    struct store *s = store_fresh();
    keep_some(s, 1);
    disk.later_s = 6 * DAY_S;
    keep_some(s, 2);
    CHECK_OK(begin(s, 3, 0, 50, &alive));
    CHECK(kept_of(s, 1) == 50);
    disk.later_s = 8 * DAY_S;
    keep_some(s, 4);
    CHECK(kept_of(s, 1) == 0 && kept_of(s, 2) == 50);
    disk.later_s = 20 * DAY_S;
    keep_some(s, 5); /* who is under way is not touched: its line is the daemon's to cut */
    CHECK_OK(upload_write(alive, span_of(bytes + 3, 50)));
    upload_abandon(alive);
    CHECK(store_facts(s).n_partials == 2 && files_in("partial") == 2);
    store_close(s);
}

static void a_kept_part_that_cannot_be_opened_now_is_not_given_up(void **state)
{
    char hex[65], path[256], away[256];
    uint8_t digest[32];
    struct upload *u;
    (void)state;
    struct store *s = store_fresh();
    keep_some(s, 1);
    digest_of(span_of(bytes + 1, 1000), digest);
    hex_write(SPAN(digest), hex);
    snprintf(path, sizeof path, "%s/partial/%s.1000", folder, hex);
    snprintf(away, sizeof away, "%s/away", folder);
    CHECK(rename(path, away) == 0 && mkdir(path, 0700) == 0);
    CHECK_STATUS(begin(s, 1, 50, 50, &u), APEX_E_IO);
    CHECK(rmdir(path) == 0 && rename(away, path) == 0);
    CHECK(kept_of(s, 1) == 50);
    CHECK_OK(begin(s, 1, 50, 950, &u));
    upload_abandon(u);
    store_close(s);
}

static void file_drop(const char *name, size_t len, int64_t age_s)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
    const struct timespec at[2] = {{.tv_sec = time(NULL) - age_s},
                                   {.tv_sec = time(NULL) - age_s}};
    CHECK(futimens(fd, at) == 0);
    close(fd);
}

static void a_start_makes_no_kept_part_younger(void **state)
{
    char hex[65], name[200];
    uint8_t digest[32];
    (void)state;
    store_close(store_fresh());
    digest_of(span_of(bytes + 1, 1000), digest);
    hex_write(SPAN(digest), hex);
    snprintf(name, sizeof name, "partial/%s.1000", hex);
    file_drop(name, 50, 4 * 24 * 3600);
    struct store *s = store_fresh();
    keep_some(s, 2);
    CHECK(kept_of(s, 1) == 50);
    disk.later_s = 4 * 24 * 3600;
    keep_some(s, 3);
    CHECK(kept_of(s, 1) == 0 && kept_of(s, 2) == 50);
    store_close(s);
}

static void opening_clears_what_cannot_be_gone_on_with(void **state)
{
    char hex[65], name[200];
    uint8_t digest[32];
    (void)state;
    store_close(store_fresh());
    digest_of(span_of(bytes, 100), digest);
    hex_write(SPAN(digest), hex);
    file_drop("tmp/0", 10, 0);
    file_drop("tmp/something", 10, 0);
    file_drop("partial/not-a-digest", 10, 0);
    snprintf(name, sizeof name, "partial/%s.", hex);
    file_drop(name, 10, 0);
    snprintf(name, sizeof name, "partial/%s.0100", hex);
    file_drop(name, 10, 0);
    snprintf(name, sizeof name, "partial/%s.50", hex); /* longer than its total */
    file_drop(name, 60, 0);
    snprintf(name, sizeof name, "partial/%s.200", hex); /* a week and a bit old */
    file_drop(name, 10, 8 * 24 * 3600);
    snprintf(name, sizeof name, "partial/%s.10", hex); /* complete, and false */
    file_drop(name, 10, 0);
    struct store *s = store_fresh();
    CHECK(files_in("tmp") == 0 && files_in("partial") == 0);
    CHECK(store_facts(s).n_blobs == 0 && store_facts(s).n_partials == 0);
    store_close(s);
    snprintf(name, sizeof name, "partial/%s.100",
             hex); /* complete, and true: the crash came just before its place */
    file_drop(name, 100, 0);
    s = store_fresh();
    CHECK(blob_whole(s, span_of(bytes, 100)) && files_in("partial") == 0);
    store_close(s);
}

static void unfinished_uploads_are_bounded_and_the_oldest_goes(void **state)
{
    bool whole;
    uint64_t offset;
    uint8_t digest[32];
    (void)state;
    struct store *s = store_fresh();
    for (size_t i = 0; i < STORE_PARTIALS_MAX + 5; i++)
        CHECK_OK(stretch_send(s, span_of(bytes + i, 100), 0, 50, 50, &whole, &offset));
    CHECK(store_facts(s).n_partials == STORE_PARTIALS_MAX &&
          files_in("partial") == STORE_PARTIALS_MAX);
    digest_of(span_of(bytes + STORE_PARTIALS_MAX + 4, 100), digest);
    CHECK_OK(store_look(s, digest, &whole, &offset));
    CHECK(offset == 50); /* the newest stays */
    store_close(s);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)
    const struct CMUnitTest tests[] = {
        T(a_blob_comes_back_under_its_digest_whatever_its_size_and_way),
        T(reading_gives_any_part_and_never_past_the_end),
        T(a_crash_at_any_step_leaves_the_blob_whole_or_absent),
        T(nothing_is_acknowledged_before_bytes_and_folder_are_synced),
        T(a_full_disk_at_any_step_is_said_and_leaves_nothing_half_visible),
        T(a_real_file_size_limit_is_a_full_disk),
        T(an_upload_resumes_at_every_offset_over_a_restart),
        T(an_upload_that_breaks_off_keeps_what_came_at_every_offset),
        T(a_stretch_that_does_not_begin_where_the_kept_part_ends_is_refused),
        T(bytes_that_are_not_what_the_name_says_are_discarded),
        T(a_whole_blob_is_never_overwritten),
        T(many_may_send_the_same_blob_at_once),
        T(a_silent_sender_is_taken_over_and_a_lively_one_is_not),
        T(who_comes_back_before_its_old_line_is_known_dead_goes_on_once_it_is),
        T(pieces_of_several_blobs_may_interleave),
        T(unfinished_pieces_are_bounded_and_go_when_dropped),
        T(blobs_above_the_limit_are_refused_every_way),
        T(an_upload_larger_than_the_room_left_is_refused_before_it_starts),
        T(uploads_under_way_leave_the_reserve_all_together),
        T(who_takes_over_takes_the_room_that_was_promised),
        T(no_upload_begins_where_the_log_could_make_no_more_files),
        T(an_upload_nobody_touches_for_a_week_is_forgotten_while_the_node_runs),
        T(a_kept_part_that_cannot_be_opened_now_is_not_given_up),
        T(a_start_makes_no_kept_part_younger),
        T(opening_clears_what_cannot_be_gone_on_with),
        T(unfinished_uploads_are_bounded_and_the_oldest_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
