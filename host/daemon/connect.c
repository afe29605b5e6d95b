#include "host/daemon/connect.h"

#include "host/daemon/http.h"

#include <errno.h>
#include <linux/vm_sockets.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define UNIX "unix:"
#define VSOCK "vsock:"

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

bool connect_wanted(const char *enclave)
{
    return begins(enclave, UNIX) || begins(enclave, VSOCK);
}

static bool unix_parse(const char *path, struct sockaddr_un *a)
{
    size_t len = strlen(path);
    *a = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (len == 0 || len >= sizeof a->sun_path) return false;
    memcpy(a->sun_path, path, len);
    return true;
}

static bool vsock_parse(const char *text, struct sockaddr_vm *a)
{
    char cid[16];
    uint64_t cid_value, port;
    const char *colon = strchr(text, ':');
    if (!colon || (size_t)(colon - text) >= sizeof cid) return false;
    memcpy(cid, text, (size_t)(colon - text));
    cid[colon - text] = 0;
    if (decimal_parse(cid, &cid_value) != APEX_OK || decimal_parse(colon + 1, &port) != APEX_OK)
        return false;
    *a = (struct sockaddr_vm){
        .svm_family = AF_VSOCK, .svm_cid = (unsigned)cid_value, .svm_port = (unsigned)port};
    return cid_value < UINT32_MAX && port < UINT32_MAX;
}

bool connect_valid(const char *enclave)
{
    struct sockaddr_un u;
    struct sockaddr_vm v;
    return begins(enclave, UNIX) ? unix_parse(enclave + strlen(UNIX), &u)
                                 : vsock_parse(enclave + strlen(VSOCK), &v);
}

static int connect_to(int family, const void *address, socklen_t len)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    if (connect(fd, address, len) == 0) return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

int connect_enclave(const char *enclave)
{
    struct sockaddr_un u;
    struct sockaddr_vm v;
    if (begins(enclave, UNIX) && unix_parse(enclave + strlen(UNIX), &u))
        return connect_to(AF_UNIX, &u, sizeof u);
    if (begins(enclave, VSOCK) && vsock_parse(enclave + strlen(VSOCK), &v))
        return connect_to(AF_VSOCK, &v, sizeof v);
    errno = EINVAL;
    return -1;
}
