#include "host/daemon/peers.h"

#include "host/daemon/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

enum { WATCH_MS = 250 };

struct peer {
    struct peer *next;
    int fd;
    enum peer_phase phase;
    int64_t since_ms;
    uint64_t received;
    bool cut;
    struct asked asked;
};
struct peers {
    struct peers_limits limits;
    _Atomic uint64_t *cut;
    pthread_t watcher;
    pthread_mutex_t lock; /* guards what is below */
    pthread_cond_t stop_asked;
    bool stop;
    struct peer *first;
    size_t n;
};

static bool too_slow(const struct peers_limits *limits, const struct peer *p, int64_t now)
{
    int64_t age = now - p->since_ms;
    if (p->phase == PEER_HEAD) return age > limits->head_max_ms;
    if (p->phase == PEER_BODY)
        return age > limits->body_free_ms && p->received < (uint64_t)age / 1000 * BODY_MIN_RATE;
    return false;
}

static void *watcher_main(void *context)
{
    struct peers *peers = context;
    pthread_mutex_lock(&peers->lock);
    while (!peers->stop) {
        const struct timespec until = deadline_in(WATCH_MS);
        pthread_cond_timedwait(&peers->stop_asked, &peers->lock, &until);
        int64_t now = now_ms();
        for (struct peer *p = peers->first; p; p = p->next) {
            if (p->cut || !too_slow(&peers->limits, p, now)) continue;
            p->cut = true;
            shutdown(p->fd, SHUT_RDWR);
            atomic_fetch_add(peers->cut, 1);
        }
    }
    pthread_mutex_unlock(&peers->lock);
    return NULL;
}

apex_status peers_new(const struct peers_limits *limits, _Atomic uint64_t *cut,
                      struct peers **peers)
{
    struct peers *p = calloc(1, sizeof *p);
    if (!p) return APEX_E_MEMORY;
    p->limits = *limits;
    p->cut = cut;
    pthread_mutex_init(&p->lock, NULL);
    cond_init(&p->stop_asked);
    if (pthread_create(&p->watcher, NULL, watcher_main, p) != 0) {
        free(p);
        return APEX_E_MEMORY;
    }
    *peers = p;
    return APEX_OK;
}

void peers_free(struct peers *peers)
{
    if (!peers) return;
    pthread_mutex_lock(&peers->lock);
    peers->stop = true;
    pthread_cond_signal(&peers->stop_asked);
    pthread_mutex_unlock(&peers->lock);
    pthread_join(peers->watcher, NULL);
    pthread_cond_destroy(&peers->stop_asked);
    pthread_mutex_destroy(&peers->lock);
    free(peers);
}

struct peer *peer_enter(struct peers *peers, int fd)
{
    struct peer *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    p->fd = fd;
    p->since_ms = now_ms();
    pthread_mutex_lock(&peers->lock);
    p->next = peers->first;
    peers->first = p;
    peers->n++;
    pthread_mutex_unlock(&peers->lock);
    return p;
}

void peer_leave(struct peers *peers, struct peer *peer)
{
    pthread_mutex_lock(&peers->lock);
    struct peer **at = &peers->first;
    while (*at != peer)
        at = &(*at)->next;
    *at = peer->next;
    peers->n--;
    pthread_mutex_unlock(&peers->lock);
    free(peer);
}

void peer_phase(struct peers *peers, struct peer *peer, enum peer_phase phase)
{
    pthread_mutex_lock(&peers->lock);
    peer->phase = phase;
    peer->since_ms = now_ms();
    peer->received = 0;
    pthread_mutex_unlock(&peers->lock);
}

void peer_received(struct peers *peers, struct peer *peer, size_t len)
{
    pthread_mutex_lock(&peers->lock);
    peer->received += len;
    pthread_mutex_unlock(&peers->lock);
}

size_t peers_count(struct peers *peers)
{
    pthread_mutex_lock(&peers->lock);
    size_t n = peers->n;
    pthread_mutex_unlock(&peers->lock);
    return n;
}

struct asked *peer_asked(struct peer *peer)
{
    return &peer->asked;
}
