/* The HTTP side: libmicrohttpd with a thread per connection, so that a handler may wait for the
 * enclave or the disk without holding up anybody else. docs/http.md is the interface. Limits:
 * connections_max connections, idle_s seconds of silence, TARGET_MAX bytes of target,
 * HEAD_MEMORY of head, peers.h for drippers. */
#ifndef HOST_DAEMON_SERVER_H
#define HOST_DAEMON_SERVER_H

#include "host/daemon/host.h"
#include "host/daemon/peers.h"

struct server_options {
    struct host *host;
    int listen_fd; /* the server's from now on */
    unsigned connections_max, idle_s;
    struct peers_limits limits;
};
struct server;
apex_status server_start(const struct server_options *options, struct server **server);
/* Stops accepting, ends event streams, lets requests finish for grace_ms, closes all, and
 * frees. */
void server_stop(struct server *server, int64_t grace_ms);

#endif
