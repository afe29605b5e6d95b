/* Who is connected, and who is too slow. A sender that takes longer than head_max_ms to get a
 * request's head across, or sends a body at less than BODY_MIN_RATE bytes a second after
 * body_free_ms, is cut off: its socket is shut down and its thread ends. (Silence is
 * libmicrohttpd's to notice; dripping is ours.) */
#ifndef HOST_DAEMON_PEERS_H
#define HOST_DAEMON_PEERS_H

#include "host/daemon/http.h"

#include <stdatomic.h>

enum { BODY_MIN_RATE = 1024 };
struct peers_limits {
    int64_t head_max_ms, body_free_ms;
};

enum peer_phase { PEER_HEAD, PEER_BODY, PEER_WORK };
struct peer; /* one connection */
struct peers;
apex_status peers_new(const struct peers_limits *limits, _Atomic uint64_t *cut,
                      struct peers **peers);
void peers_free(struct peers *peers);
struct peer *peer_enter(struct peers *peers, int fd); /* NULL: no memory */
void peer_leave(struct peers *peers, struct peer *peer);
/* A new phase begins now. */
void peer_phase(struct peers *peers, struct peer *peer, enum peer_phase phase);
void peer_received(struct peers *peers, struct peer *peer, size_t len);
size_t peers_count(struct peers *peers);

/* The target of the request whose head is coming in; set and read by the connection's own
 * thread. */
struct asked {
    struct target target;
    apex_status status; /* of target_parse */
};
struct asked *peer_asked(struct peer *peer);

#endif
