#include "host/daemon/listen.h"

#include "host/daemon/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 128 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static apex_status address_parse(const char *text, union address *a, socklen_t *len)
{
    char host[INET6_ADDRSTRLEN + 2];
    const char *colon = strrchr(text, ':');
    uint64_t port;
    size_t n = colon ? (size_t)(colon - text) : 0;
    if (n == 0 || n >= sizeof host || decimal_parse(colon + 1, &port) != APEX_OK ||
        port > 65535)
        return APEX_E_USAGE;
    memcpy(host, text, n);
    host[n] = '\0';
    *a = (union address){0};
    if (host[0] == '[' && host[n - 1] == ']') {
        host[n - 1] = '\0';
        a->v6 =
            (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
        *len = sizeof a->v6;
        return inet_pton(AF_INET6, host + 1, &a->v6.sin6_addr) == 1 ? APEX_OK : APEX_E_USAGE;
    }
    a->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    *len = sizeof a->v4;
    return inet_pton(AF_INET, host, &a->v4.sin_addr) == 1 ? APEX_OK : APEX_E_USAGE;
}

static void address_write(const union address *a, char name[static LISTEN_NAME_MAX])
{
    char host[INET6_ADDRSTRLEN] = "";
    if (a->any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &a->v6.sin6_addr, host, sizeof host);
        snprintf(name, LISTEN_NAME_MAX, "[%s]:%u", host, ntohs(a->v6.sin6_port));
    } else {
        inet_ntop(AF_INET, &a->v4.sin_addr, host, sizeof host);
        snprintf(name, LISTEN_NAME_MAX, "%s:%u", host, ntohs(a->v4.sin_port));
    }
}

apex_status listen_open(const char *text, int *fd, char name[static LISTEN_NAME_MAX])
{
    union address a;
    socklen_t len;
    const int on = 1;
    apex_status s = address_parse(text, &a, &len);
    if (s != APEX_OK) return s;
    *fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd < 0) return APEX_E_IO;
    bool open = setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                bind(*fd, &a.any, len) == 0 && listen(*fd, BACKLOG) == 0 &&
                getsockname(*fd, &a.any, &len) == 0;
    if (!open) {
        int why = errno;
        close(*fd);
        errno = why;
        return why == EADDRINUSE || why == EACCES || why == EADDRNOTAVAIL ? APEX_E_REFUSED
                                                                          : APEX_E_IO;
    }
    address_write(&a, name);
    return APEX_OK;
}
