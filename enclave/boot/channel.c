#include "enclave/boot/channel.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 5000, STEP_MS = 20, NAME_LEN = 64 };
enum { NITRO_PARENT = 3, NITRO_PORT = 9000, NITRO_BYTE = 0xb7 };

static void pause_ms(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static bool port_is_ours(const char *port)
{
    char path[2 * NAME_LEN + 64], name[NAME_LEN] = "";
    snprintf(path, sizeof path, "/sys/class/virtio-ports/%.60s/name", port);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n = read(fd, name, sizeof name - 1);
    close(fd);
    if (n <= 0) return false;
    name[strcspn(name, "\n")] = 0;
    return strcmp(name, APEX_PORT) == 0;
}

static int port_open(void)
{
    char path[NAME_LEN + 8];
    int fd = -1;
    DIR *ports = opendir("/sys/class/virtio-ports");
    if (!ports) return -1;
    for (struct dirent *e; fd < 0 && (e = readdir(ports));) {
        if (e->d_name[0] == '.' || !port_is_ours(e->d_name)) continue;
        snprintf(path, sizeof path, "/dev/%.60s", e->d_name);
        fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    }
    closedir(ports);
    return fd;
}

/* A port nobody holds on the other side reads as ended; that is no end but a beginning. */
static int port_ready(int fd)
{
    struct pollfd p = {fd, POLLIN | POLLOUT, 0};
    while (poll(&p, 1, STEP_MS) >= 0 && p.revents & POLLHUP)
        pause_ms(STEP_MS);
    return fd;
}

static int vsock_open(void)
{
    const struct sockaddr_vm us = {
        .svm_family = AF_VSOCK, .svm_port = APEX_VSOCK_PORT, .svm_cid = VMADDR_CID_ANY};
    int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    bool listens = access("/dev/vsock", F_OK) == 0 &&
                   bind(fd, (const struct sockaddr *)&us, sizeof us) == 0 && listen(fd, 1) == 0;
    int host = listens ? accept4(fd, NULL, NULL, SOCK_CLOEXEC) : -1;
    close(fd); /* one host, one link: when it ends, so does the machine */
    return host;
}

void channel_announce(void)
{
    const struct sockaddr_vm parent = {
        .svm_family = AF_VSOCK, .svm_port = NITRO_PORT, .svm_cid = NITRO_PARENT};
    uint8_t byte = NITRO_BYTE;
    int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    if (connect(fd, (const struct sockaddr *)&parent, sizeof parent) == 0 &&
        write(fd, &byte, 1) == 1) {
        ssize_t n = read(fd, &byte, 1);
        (void)n; /* its saying nothing back is its own business */
    }
    close(fd);
}

int channel_open(void)
{
    for (int waited = 0; waited < WAIT_MS; waited += STEP_MS) {
        int fd = port_open();
        if (fd >= 0) return port_ready(fd);
        if (access("/sys/class/virtio-ports", F_OK) != 0) break;
        pause_ms(STEP_MS);
    }
    return vsock_open();
}
