#include "host/daemon/server.h"

#include "host/daemon/log.h"
#include "host/daemon/request.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    HEAD_MEMORY =
        128 * 1024, /* per connection: the head, and the step in which bodies are read */
    STACK_BYTES = 256 * 1024,
    /* A refused body up to this length is read and dropped, so that its sender sees the answer
       and not a broken pipe. */
    DRAIN_MAX = 64 * 1024 * 1024,
    STOP_STEP_MS = 10,
    TELL_MS = 1000,
};

struct server {
    struct host *host;
    struct peers *peers;
    struct MHD_Daemon *daemon;
    _Atomic unsigned open_requests;
    _Atomic bool stopping;
};

static struct peer *peer_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void on_connection(void *context, struct MHD_Connection *connection,
                          void **socket_context, enum MHD_ConnectionNotificationCode code)
{
    struct server *s = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        *socket_context = info ? peer_enter(s->peers, info->connect_fd) : NULL;
    } else if (*socket_context) {
        peer_leave(s->peers, *socket_context);
        *socket_context = NULL;
    }
}

/* The only place where the target is seen as it was sent. */
static void *on_target(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct peer *peer = peer_of(connection);
    (void)context;
    if (peer) peer_asked(peer)->status = target_parse(uri, &peer_asked(peer)->target);
    return NULL;
}

static enum method method_of(const char *name)
{
    static const char *const names[] = {"", MHD_HTTP_METHOD_GET, MHD_HTTP_METHOD_HEAD,
                                        MHD_HTTP_METHOD_PUT, MHD_HTTP_METHOD_POST};
    for (enum method m = METHOD_GET; m <= METHOD_POST; m++)
        if (strcmp(name, names[m]) == 0) return m;
    return METHOD_OTHER;
}

static const char *method_name(enum method m)
{
    static const char *const names[] = {"OTHER", "GET", "HEAD", "PUT", "POST"};
    return names[m];
}

static bool method_allowed(const char *methods, enum method m)
{
    const char *found = m == METHOD_OTHER ? NULL : strstr(methods, method_name(m));
    return found != NULL;
}

static void answer_bad_target(struct request *r, apex_status s)
{
    if (s == APEX_E_LIMIT)
        answer_error(r, MHD_HTTP_URI_TOO_LONG, "the address is longer than any address here",
                     "see docs/http.md");
    else if (s == APEX_E_NOT_FOUND)
        answer_error(r, MHD_HTTP_NOT_FOUND, "there is nothing at this address",
                     "see docs/http.md");
    else
        answer_error(
            r, MHD_HTTP_BAD_REQUEST, "the address does not read",
            "see docs/http.md for its form; digests and nonces are 64 lower-case hex digits");
}

static void request_begin(struct server *s, struct request *r, const struct asked *asked)
{
    const struct route_door *door = &route_doors[r->target.route];
    const char *length = request_header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
    r->has_length = length && decimal_parse(length, &r->body_len) == APEX_OK;
    if (atomic_load(&s->stopping))
        answer_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "the host is shutting down",
                     "try again in a moment");
    else if (asked->status != APEX_OK)
        answer_bad_target(r, asked->status);
    else if (!method_allowed(door->methods, r->method)) {
        answer_error(r, MHD_HTTP_METHOD_NOT_ALLOWED, "this address does not take this method",
                     "see the Allow header");
        answer_header(r, MHD_HTTP_HEADER_ALLOW, door->methods);
    } else if (door->begin)
        door->begin(r);
}

static struct request *request_new(struct server *s, struct MHD_Connection *connection,
                                   struct peer *peer, const char *method)
{
    struct request *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    atomic_fetch_add(&s->open_requests, 1);
    r->host = s->host;
    r->connection = connection;
    r->began_us = now_us();
    r->target = peer_asked(peer)->target;
    r->method = method_of(method);
    peer_phase(s->peers, peer, PEER_BODY);
    request_begin(s, r, peer_asked(peer));
    return r;
}

static bool has_body(struct request *r)
{
    return (r->has_length && r->body_len > 0) ||
           request_header(r, MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

/* Who waits for leave to send its body can be told at once; so can who would send too much to
 * be worth reading. */
static bool answer_now(struct request *r)
{
    return r->response && (!has_body(r) || request_header(r, MHD_HTTP_HEADER_EXPECT) ||
                           r->body_len > DRAIN_MAX);
}

static enum MHD_Result request_answer(struct server *s, struct request *r)
{
    if (!r->response) return MHD_NO;
    if (atomic_load(&s->stopping)) answer_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
    return MHD_queue_response(r->connection, r->code, r->response);
}

static enum MHD_Result request_take(struct request *r, struct span bytes)
{
    const struct route_door *door = &route_doors[r->target.route];
    r->bytes_in += bytes.len;
    if (!r->response && door->data) door->data(r, bytes);
    return r->response && r->bytes_in > DRAIN_MAX && r->body_len - r->bytes_in > DRAIN_MAX
               ? MHD_NO
               : MHD_YES;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *url, const char *method, const char *version,
                                  const char *data, size_t *data_len, void **request)
{
    struct server *s = context;
    struct peer *peer = peer_of(connection);
    struct request *r = *request;
    (void)url;
    (void)version;
    if (!peer) return MHD_NO;
    if (!r) {
        *request = r = request_new(s, connection, peer, method);
        if (!r) return MHD_NO;
        return answer_now(r) ? request_answer(s, r) : MHD_YES;
    }
    if (*data_len > 0) {
        size_t len = *data_len;
        *data_len = 0;
        peer_received(s->peers, peer, len);
        return request_take(r, span_of(data, len));
    }
    peer_phase(s->peers, peer, PEER_WORK);
    if (!r->response) route_doors[r->target.route].end(r);
    return request_answer(s, r);
}

static void request_log(const struct request *r, bool cut)
{
    log_line(LOG_INFO,
             "msg=request method=%s route=%s code=%u in=%" PRIu64 " out=%" PRIu64 " ms=%.1f%s",
             method_name(r->method), route_name(r->target.route), r->code, r->bytes_in,
             r->bytes_out, (double)(now_us() - r->began_us) / 1000, cut ? " cut=true" : "");
}

static void on_completed(void *context, struct MHD_Connection *connection, void **request,
                         enum MHD_RequestTerminationCode code)
{
    struct server *s = context;
    struct request *r = *request;
    struct peer *peer = peer_of(connection);
    if (!r) return;
    *request = NULL;
    if (r->upload) upload_abandon(r->upload);
    request_log(r, code != MHD_REQUEST_TERMINATED_COMPLETED_OK);
    metrics_request(&s->host->metrics, r->target.route, r->code, r->bytes_in, r->bytes_out);
    if (r->response) MHD_destroy_response(r->response);
    buffer_clear(&r->body);
    free(r);
    if (peer) peer_phase(s->peers, peer, PEER_HEAD);
    atomic_fetch_sub(&s->open_requests, 1);
}

static struct MHD_Daemon *daemon_start(struct server *s, const struct server_options *o)
{
    const unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                           MHD_USE_POLL | MHD_USE_ITC;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET, o->listen_fd,
        MHD_OPTION_CONNECTION_LIMIT, o->connections_max, MHD_OPTION_CONNECTION_TIMEOUT,
        o->idle_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_MEMORY,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, s, MHD_OPTION_URI_LOG_CALLBACK, on_target, s, MHD_OPTION_END);
}

apex_status server_start(const struct server_options *options, struct server **server)
{
    struct server *s = calloc(1, sizeof *s);
    if (!s) return APEX_E_MEMORY;
    s->host = options->host;
    apex_status status = peers_new(&options->limits, &s->host->metrics.cut, &s->peers);
    if (status == APEX_OK) {
        s->daemon = daemon_start(s, options);
        if (!s->daemon) status = APEX_E_IO;
    }
    if (status != APEX_OK) {
        peers_free(s->peers);
        free(s);
        return status;
    }
    *server = s;
    return APEX_OK;
}

static bool requests_end(struct server *s, int64_t within_ms)
{
    for (int64_t until = now_ms() + within_ms; now_ms() < until; sleep_ms(STOP_STEP_MS))
        if (atomic_load(&s->open_requests) == 0) return true;
    return false;
}

void server_stop(struct server *server, int64_t grace_ms)
{
    if (!server) return;
    MHD_socket fd = MHD_quiesce_daemon(server->daemon);
    if (fd != MHD_INVALID_SOCKET) close(fd);
    atomic_store(&server->stopping, true);
    runs_stop(server->host->runs);
    if (!requests_end(server, grace_ms)) {
        link_cut(
            server->host->link); /* who still waits for the enclave is told that it is gone */
        bool told = requests_end(server, TELL_MS);
        (void)told; /* all others are cut off now */
    }
    MHD_stop_daemon(server->daemon);
    peers_free(server->peers);
    free(server);
}
