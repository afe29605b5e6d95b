#include "enclave/core/jail.h"

#include "common/base/try.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "enclave/core/memory_file.h"

apex_status memory_file_new(const char *name, struct memory_file **f)
{
    struct memory_file *made = calloc(1, sizeof *made);
    if (!made) return APEX_E_MEMORY;
    made->fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (made->fd < 0) {
        free(made);
        return APEX_E_MEMORY;
    }
    *f = made;
    return APEX_OK;
}

apex_status memory_file_append(struct memory_file *f, struct span bytes)
{
    if (f->sealed) return APEX_E_USAGE;
    for (size_t at = 0; at < bytes.len;) {
        ssize_t n = write(f->fd, bytes.data + at, bytes.len - at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return APEX_E_MEMORY;
        at += (size_t)n;
        f->size += (uint64_t)n;
    }
    return APEX_OK;
}

static int open_again(int fd)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* From here on nobody, we included, can change a byte; what the program gets is a descriptor
 * that can only read. */
apex_status memory_file_seal(struct memory_file *f)
{
    if (fcntl(f->fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) !=
        0)
        return APEX_E_IO;
    int fd = open_again(f->fd);
    if (fd >= 0) {
        close(f->fd);
        f->fd = fd;
    }
    f->sealed = true; /* without /proc the seals alone keep it as it is */
    return APEX_OK;
}

apex_status memory_file_again(const struct memory_file *f, struct memory_file **again)
{
    struct memory_file *made = f->sealed ? malloc(sizeof *made) : NULL;
    if (!made) return f->sealed ? APEX_E_MEMORY : APEX_E_USAGE;
    *made = *f;
    made->fd = open_again(f->fd);
    if (made->fd < 0) made->fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 0); /* without /proc */
    if (made->fd < 0) {
        free(made);
        return APEX_E_MEMORY;
    }
    *again = made;
    return APEX_OK;
}

uint64_t memory_file_size(const struct memory_file *f)
{
    return f->size;
}

void memory_file_free(struct memory_file *f)
{
    if (!f) return;
    close(f->fd);
    free(f);
}
