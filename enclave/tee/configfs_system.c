#include "enclave/tee/configfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static long system_make(void *context, const char *folder)
{
    (void)context;
    return mkdir(folder, 0700) == 0 ? 0 : -errno;
}

static long system_drop(void *context, const char *folder)
{
    (void)context;
    return rmdir(folder) == 0 ? 0 : -errno;
}

static long system_write(void *context, const char *file, struct span bytes)
{
    (void)context;
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    ssize_t n = write(fd, bytes.data, bytes.len);
    long result = n < 0 ? -errno : n;
    /* configfs takes a binary attribute in whole when it is closed, and says then what is
     * wrong. */
    if (close(fd) != 0 && result >= 0) result = -errno;
    return result;
}

static long system_read(void *context, const char *file, uint8_t *out, size_t max)
{
    (void)context;
    size_t got = 0;
    ssize_t n = 0;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    while (got < max && (n = read(fd, out + got, max - got)) > 0)
        got += (size_t)n;
    long result = n < 0 ? -errno : (long)got;
    close(fd);
    return result;
}

static void system_pause(void *context, unsigned ms)
{
    (void)context;
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&t, NULL);
}

const struct configfs configfs_system = {NULL,         system_make, system_drop,
                                         system_write, system_read, system_pause};
