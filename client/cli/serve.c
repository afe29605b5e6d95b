#include "client/cli/serve.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 64, IDLE_S = 30, ADDRESS_MAX = 64 };

struct server {
    serve_fn handle;
    void *context;
};
struct gathered {
    char *bytes;
    size_t len;
    bool too_large;
};

static enum MHD_Result answer_send(struct MHD_Connection *c, struct serve_answer *a)
{
    struct MHD_Response *r =
        MHD_create_response_from_buffer(a->len, a->bytes, MHD_RESPMEM_MUST_FREE);
    if (!r) {
        free(a->bytes);
        return MHD_NO;
    }
    MHD_add_response_header(r, "Content-Type", a->type ? a->type : "text/plain");
    MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    enum MHD_Result queued = MHD_queue_response(c, a->code, r);
    MHD_destroy_response(r);
    return queued;
}

static void gather(struct gathered *g, const char *data, size_t len)
{
    char *more = len <= SERVE_BODY_MAX - g->len ? realloc(g->bytes, g->len + len) : NULL;
    if (!more) {
        g->too_large = true;
        return;
    }
    memcpy(more + g->len, data, len);
    g->bytes = more;
    g->len += len;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_len, void **state)
{
    const struct server *s = context;
    struct gathered *g = *state;
    (void)version;
    if (!g) {
        *state = calloc(1, sizeof *g);
        return *state ? MHD_YES : MHD_NO;
    }
    if (*data_len > 0) {
        if (!g->too_large) gather(g, data, *data_len);
        *data_len = 0;
        return MHD_YES;
    }
    struct serve_request request = {method, url, g->bytes, g->len};
    struct serve_answer answer = {.code = MHD_HTTP_CONTENT_TOO_LARGE};
    if (!g->too_large) s->handle(s->context, &request, &answer);
    return answer_send(c, &answer);
}

static void on_done(void *context, struct MHD_Connection *c, void **state,
                    enum MHD_RequestTerminationCode why)
{
    struct gathered *g = *state;
    (void)context, (void)c, (void)why;
    if (g) free(g->bytes);
    free(g);
    *state = NULL;
}

static int socket_open(const char *listen_on, char name[static ADDRESS_MAX])
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char host[ADDRESS_MAX];
    const char *colon = strrchr(listen_on, ':'), *start = listen_on;
    const int on = 1;
    if (!colon || (size_t)(colon - start) >= sizeof host) return -1;
    size_t n = (size_t)(colon - start);
    if (n > 1 && start[0] == '[' && start[n - 1] == ']') start++, n -= 2;
    memcpy(host, start, n);
    host[n] = 0;
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0) return -1;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_storage bound;
    socklen_t len = sizeof bound;
    char service[8];
    bool open = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, 64) == 0 &&
                getsockname(fd, (struct sockaddr *)&bound, &len) == 0 &&
                getnameinfo((struct sockaddr *)&bound, len, host, sizeof host, service,
                            sizeof service, NI_NUMERICHOST | NI_NUMERICSERV) == 0;
    freeaddrinfo(found);
    if (!open && fd >= 0) close(fd);
    if (!open) return -1;
    snprintf(name, ADDRESS_MAX, strchr(host, ':') ? "[%.45s]:%.7s" : "%.45s:%.7s", host,
             service);
    return fd;
}

int serve(const struct cli *cli, const char *name, const char *listen_on, serve_fn handle,
          void *context)
{
    struct server s = {handle, context};
    char address[ADDRESS_MAX];
    sigset_t ends;
    int signal_no, fd = listen_on ? socket_open(listen_on, address) : -1;
    if (fd < 0)
        return cli_usage(cli, "--listen ADDRESS:PORT is missing or cannot be listened on",
                         "give a numeric address and a free port, such as 127.0.0.1:8450");
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    struct MHD_Daemon *d = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, &s,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, on_done, NULL,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)IDLE_S, MHD_OPTION_END);
    if (!d) {
        close(fd);
        return EXIT_INTERNAL;
    }
    printf("%s: listening on http://%s\n", name, address);
    fflush(stdout);
    while (sigwait(&ends, &signal_no) != 0)
        continue;
    MHD_stop_daemon(d);
    return EXIT_OK;
}
