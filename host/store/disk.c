#include "host/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { READ_STEP = 256 * 1024 };

apex_status disk_status(void)
{
    switch (errno) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return APEX_E_LIMIT;
    case ENOENT: return APEX_E_NOT_FOUND;
    case ENOMEM: return APEX_E_MEMORY;
    default: return APEX_E_IO;
    }
}

apex_status disk_write(int fd, uint64_t at, struct span bytes)
{
    while (bytes.len > 0) {
        ssize_t n = pwrite(fd, bytes.data, bytes.len, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return disk_status();
        bytes.data += n;
        bytes.len -= (size_t)n;
        at += (uint64_t)n;
    }
    return APEX_OK;
}

apex_status disk_read(int fd, uint64_t at, size_t len, uint8_t *out, size_t *got)
{
    *got = 0;
    while (*got < len) {
        ssize_t n = pread(fd, out + *got, len - *got, (off_t)(at + *got));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return disk_status();
        if (n == 0) break;
        *got += (size_t)n;
    }
    return APEX_OK;
}

apex_status disk_sync(int fd)
{
    int r;
    do
        r = fsync(fd);
    while (r != 0 && errno == EINTR);
    return r == 0 ? APEX_OK : disk_status();
}

apex_status disk_folder(int parent, const char *name, int *fd)
{
    if (mkdirat(parent, name, 0700) != 0 && errno != EEXIST) return disk_status();
    *fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return *fd >= 0 ? APEX_OK : disk_status();
}

apex_status disk_digest(int fd, uint64_t len, struct merkle_digester *digester)
{
    BUFFER_CLEARED step = {0};
    uint8_t *room = buffer_reserve(&step, READ_STEP);
    if (!room) return APEX_E_MEMORY;
    merkle_digester_init(digester);
    for (uint64_t at = 0; at < len;) {
        size_t want = len - at < READ_STEP ? (size_t)(len - at) : READ_STEP, got;
        apex_status s = disk_read(fd, at, want, room, &got);
        if (s != APEX_OK) return s;
        if (got != want) return APEX_E_IO;
        merkle_digester_update(digester, span_of(room, got));
        at += got;
    }
    return APEX_OK;
}

int64_t disk_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
