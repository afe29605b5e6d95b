#include "host/ledger/files.h"

#include "common/base/try.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

apex_status file_error(void)
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

static void parent_of(const char *path, char parent[static LEDGER_PATH_MAX])
{
    snprintf(parent, LEDGER_PATH_MAX, "%s", path);
    char *slash = strrchr(parent, '/');
    if (slash && slash != parent)
        *slash = 0;
    else
        snprintf(parent, LEDGER_PATH_MAX, "%s", slash ? "/" : ".");
}

apex_status folder_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return file_error();
    apex_status s = fsync(fd) == 0 ? APEX_OK : file_error();
    close(fd);
    return s;
}

apex_status folder_make(const char *path)
{
    char parent[LEDGER_PATH_MAX];
    if (mkdir(path, 0755) == 0 || errno == EEXIST) return APEX_OK;
    if (errno != ENOENT) return file_error();
    parent_of(path, parent);
    TRY(folder_make(parent));
    if (mkdir(path, 0755) != 0 && errno != EEXIST) return file_error();
    return folder_sync(parent);
}

apex_status file_read(const char *path, size_t max, struct buffer *bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return file_error();
    apex_status s = APEX_OK;
    for (;;) {
        uint8_t *room = buffer_reserve(bytes, 65536);
        ssize_t n = room ? read(fd, room, 65536) : -1;
        if (n < 0) s = room ? file_error() : APEX_E_MEMORY;
        if (n <= 0) break;
        bytes->len += (size_t)n;
        if (bytes->len > max) s = APEX_E_FORMAT;
        if (s != APEX_OK) break;
    }
    close(fd);
    return s;
}

apex_status file_write_at_end(int fd, struct span bytes)
{
    for (size_t at = 0; at < bytes.len;) {
        ssize_t n = write(fd, bytes.data + at, bytes.len - at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return file_error();
        at += (size_t)n;
    }
    return APEX_OK;
}

static apex_status write_beside(const char *beside, struct span bytes, bool sync)
{
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return file_error();
    apex_status s = file_write_at_end(fd, bytes);
    if (s == APEX_OK && sync && fsync(fd) != 0) s = file_error();
    if (close(fd) != 0 && s == APEX_OK) s = file_error();
    if (s != APEX_OK) unlink(beside);
    return s;
}

static apex_status replace(const char *path, struct span bytes, bool sync)
{
    char parent[LEDGER_PATH_MAX], beside[LEDGER_PATH_MAX + 8];
    parent_of(path, parent);
    snprintf(beside, sizeof beside, "%s.new", path);
    TRY(folder_make(parent));
    TRY(write_beside(beside, bytes, sync));
    if (rename(beside, path) != 0) return file_error();
    return sync ? folder_sync(parent) : APEX_OK;
}

apex_status file_replace(const char *path, struct span bytes)
{
    return replace(path, bytes, false);
}

apex_status file_replace_synced(const char *path, struct span bytes)
{
    return replace(path, bytes, true);
}
