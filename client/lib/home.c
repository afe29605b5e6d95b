#include "client/lib/home.h"

#include "common/base/try.h"
#include "common/crypto/random.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

apex_status apex_start(struct apex_error *error)
{
    const struct rlimit none = {0, 0};
    signal(SIGPIPE, SIG_IGN);
    bool quiet = setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0;
    (void)mlockall(
        MCL_CURRENT |
        MCL_ONFAULT); /* where the limit allows; keys are locked one by one in any case */
    if (!quiet || crypto_init() != APEX_OK || curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        return apex_fail(error, APEX_E_IO, "the libraries cannot be started",
                         "nothing was done", "run `apex doctor`", "you");
    return APEX_OK;
}

apex_status apex_home_open(const char *folder, struct apex_home **home,
                           struct apex_error *error)
{
    struct apex_home *h = calloc(1, sizeof *h);
    const char *set = folder ? folder : getenv("APEX_HOME"), *user = getenv("HOME");
    if (!h) return apex_fail_memory(error);
    int n = set ? snprintf(h->path, sizeof h->path, "%s", set)
                : snprintf(h->path, sizeof h->path, "%s/.config", user ? user : ".");
    if (!set && mkdir(h->path, 0700) != 0) errno = 0;
    if (!set) n = snprintf(h->path, sizeof h->path, "%s/.config/apex", user ? user : ".");
    if (n <= 0 || (size_t)n >= sizeof h->path ||
        (mkdir(h->path, 0700) != 0 && errno != EEXIST)) {
        apex_status s =
            apex_fail_path(error, APEX_E_IO, h->path, "cannot be made", "nothing was done");
        free(h);
        return s;
    }
    *home = h;
    return APEX_OK;
}

void apex_home_close(struct apex_home *home)
{
    free(home);
}
const char *apex_home_path(const struct apex_home *home)
{
    return home->path;
}

bool home_name_valid(const char *name)
{
    size_t n = strlen(name);
    if (n < 1 || n > 64 || name[0] == '-' || name[0] == '_') return false;
    for (size_t i = 0; i < n; i++)
        if (!((name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9') ||
              name[i] == '_' || name[i] == '-'))
            return false;
    return true;
}

apex_status home_file(const struct apex_home *home, const char *folder, const char *name,
                      const char *suffix, char path[static FULL_PATH_MAX],
                      struct apex_error *error)
{
    int n = snprintf(path, FULL_PATH_MAX, "%s/%s", home->path, folder);
    if (n < 0 || n >= FULL_PATH_MAX - 160)
        return apex_fail(error, APEX_E_USAGE, "the home folder's path is too long",
                         "nothing was done", "choose a shorter one", "you");
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return apex_fail_path(error, APEX_E_IO, path, "cannot be made", "nothing was done");
    snprintf(path + n, (size_t)(FULL_PATH_MAX - n), "/%.80s%.20s", name, suffix);
    return APEX_OK;
}

static apex_status read_all(int fd, size_t max, struct buffer *bytes)
{
    for (;;) {
        uint8_t *room = buffer_reserve(bytes, 65536);
        if (!room) return APEX_E_MEMORY;
        ssize_t n = read(fd, room, 65536);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return APEX_E_IO;
        if (n == 0) return APEX_OK;
        bytes->len += (size_t)n;
        if (bytes->len > max) return APEX_E_LIMIT;
    }
}

apex_status file_load(const char *path, size_t max, struct buffer *bytes,
                      struct apex_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return apex_fail_path(error, errno == ENOENT ? APEX_E_NOT_FOUND : APEX_E_IO, path,
                              "cannot be read", "nothing was done");
    apex_status s = read_all(fd, max, bytes);
    close(fd);
    if (s == APEX_E_LIMIT)
        return apex_fail(error, s, "the file is too long for what it should be",
                         "nothing was done", "check the path", "you");
    return s == APEX_OK ? s
                        : apex_fail_path(error, s, path, "cannot be read", "nothing was done");
}

static apex_status write_whole(const char *path, struct span bytes, unsigned mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0) return APEX_E_IO;
    size_t at = 0;
    while (at < bytes.len) {
        ssize_t n = write(fd, bytes.data + at, bytes.len - at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) break;
        at += (size_t)n;
    }
    bool whole = at == bytes.len && fsync(fd) == 0;
    int saved = errno;
    close(fd);
    errno = saved;
    return whole ? APEX_OK : APEX_E_IO;
}

static void folder_sync_of(const char *path)
{
    char folder[FULL_PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash) *slash = 0;
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    (void)fsync(fd);
    close(fd);
}

apex_status file_save(const char *path, struct span bytes, unsigned mode, bool exclusive,
                      struct apex_error *error)
{
    char beside[FULL_PATH_MAX + 24];
    snprintf(beside, sizeof beside, "%s.%ld.new", path, (long)getpid());
    apex_status s = write_whole(beside, bytes, mode);
    bool placed =
        s == APEX_OK && (exclusive ? link(beside, path) == 0 : rename(beside, path) == 0);
    int saved = errno;
    if (exclusive || !placed) unlink(beside);
    folder_sync_of(path);
    errno = saved;
    if (placed) return APEX_OK;
    return apex_fail_path(error, exclusive && errno == EEXIST ? APEX_E_REFUSED : APEX_E_IO,
                          path, "was not written", "what was there is as it was");
}
