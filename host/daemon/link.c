#include "host/daemon/link.h"

#include "common/base/endian.h"
#include "host/daemon/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { SEND_TIMEOUT_S = 30, ATTACH_WAIT_MS = 2000, EVENT_LEN = 8 + 1 + 2 + 8 };

struct waiter { /* on the stack of the thread that posted */
    struct waiter *next;
    uint32_t id;
    bool done, lost;
    struct buffer *reply;
    pthread_cond_t changed;
};
struct open_call {
    uint32_t id;
    struct buffer payload;
};
struct link {
    struct link_owner owner;
    /* One frame at a time goes out; taken before `lock` where both are. */
    pthread_mutex_t writing;
    pthread_mutex_t lock; /* guards what is below */
    int fd;               /* -1: detached; closed with both locks held */
    bool ending;          /* the reader has left; workers go home */
    bool answered;
    uint32_t first_id, next_id; /* ids of this attachment: [first_id, next_id) */
    struct waiter *waiters;
    pthread_cond_t attached;
    pthread_cond_t calls_changed;
    struct open_call calls[LINK_CALLS_MAX]; /* a ring */
    size_t first_call, n_calls;
};

apex_status link_new(const struct link_owner *owner, struct link **link)
{
    struct link *l = calloc(1, sizeof *l);
    if (!l) return APEX_E_MEMORY;
    l->owner = *owner;
    l->fd = -1;
    pthread_mutex_init(&l->writing, NULL);
    pthread_mutex_init(&l->lock, NULL);
    cond_init(&l->attached);
    cond_init(&l->calls_changed);
    *link = l;
    return APEX_OK;
}

void link_free(struct link *link)
{
    if (!link) return;
    pthread_cond_destroy(&link->calls_changed);
    pthread_cond_destroy(&link->attached);
    pthread_mutex_destroy(&link->lock);
    pthread_mutex_destroy(&link->writing);
    free(link);
}

void link_cut(struct link *link)
{
    pthread_mutex_lock(&link->lock);
    if (link->fd >= 0) shutdown(link->fd, SHUT_RDWR);
    pthread_mutex_unlock(&link->lock);
}

static bool read_all(int fd, uint8_t *at, size_t len)
{
    while (len > 0) {
        ssize_t n = read(fd, at, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static bool send_all(int fd, struct iovec *piece, size_t n_pieces)
{
    while (n_pieces > 0) {
        struct msghdr m = {.msg_iov = piece, .msg_iovlen = n_pieces};
        ssize_t n = sendmsg(fd, &m, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false; /* gone, or it has not read for SEND_TIMEOUT_S */
        for (size_t left = (size_t)n; n_pieces > 0; piece++, n_pieces--) {
            if (left < piece->iov_len) {
                piece->iov_base = (uint8_t *)piece->iov_base + left;
                piece->iov_len -= left;
                break;
            }
            left -= piece->iov_len;
        }
    }
    return true;
}

/* A frame half sent would garble all that follow, so a failure ends the stream. */
static apex_status frame_send(struct link *l, enum frame_type type, uint32_t id,
                              struct span payload)
{
    uint8_t head[FRAME_HEAD_LEN];
    if (payload.len > FRAME_MAX - FRAME_HEAD_LEN) return APEX_E_LIMIT;
    put_be32(head, (uint32_t)payload.len + FRAME_HEAD_LEN - 4);
    head[4] = (uint8_t)type;
    put_be32(head + 5, id);
    struct iovec piece[2] = {{head, sizeof head},
                             {(void *)(uintptr_t)payload.data, payload.len}};
    pthread_mutex_lock(&l->writing);
    /* fd changes only with `writing` held. */
    bool sent = l->fd >= 0 && send_all(l->fd, piece, 2);
    pthread_mutex_unlock(&l->writing);
    if (!sent) link_cut(l);
    return sent ? APEX_OK : APEX_E_UNREACHABLE;
}

static void waiter_remove(struct link *l, struct waiter *gone)
{
    for (struct waiter **at = &l->waiters; *at; at = &(*at)->next) {
        if (*at != gone) continue;
        *at = gone->next;
        return;
    }
}

/* An enclave that is just being started again is worth a moment's wait. */
static bool waiter_enter(struct link *l, struct waiter *w)
{
    const struct timespec until = deadline_in(ATTACH_WAIT_MS);
    pthread_mutex_lock(&l->lock);
    while (l->fd < 0 || l->ending)
        if (pthread_cond_timedwait(&l->attached, &l->lock, &until) == ETIMEDOUT) break;
    bool attached = l->fd >= 0 && !l->ending;
    if (attached) {
        w->id = l->next_id++;
        w->next = l->waiters;
        l->waiters = w;
    }
    pthread_mutex_unlock(&l->lock);
    return attached;
}

apex_status link_message(struct link *link, struct span message, int64_t timeout_ms,
                         struct buffer *reply)
{
    BUFFER_CLEARED bytes = {0};
    struct waiter w = {.reply = &bytes};
    const struct timespec until = deadline_in(timeout_ms);
    cond_init(&w.changed);
    apex_status s = waiter_enter(link, &w) ? APEX_OK : APEX_E_UNREACHABLE;
    if (s == APEX_OK) {
        s = frame_send(link, FRAME_MESSAGE, w.id, message);
        pthread_mutex_lock(&link->lock);
        while (s == APEX_OK && !w.done && !w.lost)
            if (pthread_cond_timedwait(&w.changed, &link->lock, &until) == ETIMEDOUT) break;
        waiter_remove(link, &w);
        pthread_mutex_unlock(&link->lock);
        if (s == APEX_OK && (!w.done || bytes.len == 0)) s = APEX_E_UNREACHABLE;
    }
    pthread_cond_destroy(&w.changed);
    if (s == APEX_OK) buffer_append(reply, buffer_span(&bytes));
    return s == APEX_OK ? buffer_ok(reply) : s;
}

/* Takes the payload over. A reply nobody waits for any more is fine; one to a message never
 * sent is not. */
static bool take_reply(struct link *l, uint32_t id, struct buffer *payload)
{
    pthread_mutex_lock(&l->lock);
    bool known = id - l->first_id < l->next_id - l->first_id,
         first = id == l->first_id && !l->answered;
    l->answered |= first;
    struct waiter *w = l->waiters;
    while (w && w->id != id)
        w = w->next;
    if (w && !w->done) {
        *w->reply = *payload;
        *payload = (struct buffer){0};
        w->done = true;
        pthread_cond_signal(&w->changed);
    }
    pthread_mutex_unlock(&l->lock);
    if (first) l->owner.answered(l->owner.context);
    return known;
}

static bool take_call(struct link *l, uint32_t id, struct buffer *payload)
{
    pthread_mutex_lock(&l->lock);
    bool room = l->n_calls < LINK_CALLS_MAX;
    if (room) {
        l->calls[(l->first_call + l->n_calls++) % LINK_CALLS_MAX] =
            (struct open_call){id, *payload};
        *payload = (struct buffer){0};
        pthread_cond_signal(&l->calls_changed);
    }
    pthread_mutex_unlock(&l->lock);
    return room;
}

static bool take_event(struct link *l, const struct buffer *payload)
{
    if (payload->len != EVENT_LEN) return false;
    const uint8_t *e = payload->data;
    const struct run_hint hint = {get_be64(e), e[8], get_be16(e + 9), get_be64(e + 11)};
    if (!run_hint_ok(&hint)) return false;
    l->owner.event(l->owner.context, &hint);
    return true;
}

static apex_status take_frame(struct link *l, int fd)
{
    uint8_t head[FRAME_HEAD_LEN];
    enum frame_type type;
    uint32_t id;
    size_t len;
    BUFFER_CLEARED payload = {0};
    if (!read_all(fd, head, sizeof head)) return APEX_E_UNREACHABLE;
    if (frame_head_parse(head, &type, &id, &len) != APEX_OK) return APEX_E_FORMAT;
    uint8_t *room = buffer_reserve(&payload, len);
    if (!room) return APEX_E_MEMORY;
    if (!read_all(fd, room, len)) return APEX_E_UNREACHABLE;
    payload.len = len;
    bool good = type == FRAME_REPLY   ? take_reply(l, id, &payload)
                : type == FRAME_CALL  ? take_call(l, id, &payload)
                : type == FRAME_EVENT ? take_event(l, &payload)
                                      : false;
    return good ? APEX_OK : APEX_E_FORMAT;
}

static bool call_next(struct link *l, struct open_call *call)
{
    pthread_mutex_lock(&l->lock);
    while (l->n_calls == 0 && !l->ending)
        pthread_cond_wait(&l->calls_changed, &l->lock);
    bool some = !l->ending;
    if (some) {
        *call = l->calls[l->first_call];
        l->first_call = (l->first_call + 1) % LINK_CALLS_MAX;
        l->n_calls--;
    }
    pthread_mutex_unlock(&l->lock);
    return some;
}

static void *worker_main(void *context)
{
    struct link *l = context;
    struct open_call call;
    while (call_next(l, &call)) {
        BUFFER_CLEARED answer = {0};
        l->owner.call(l->owner.context, buffer_span(&call.payload), &answer);
        buffer_clear(&call.payload);
        const uint8_t failed = CALL_IO; /* no memory for the answer */
        struct span bytes =
            buffer_ok(&answer) == APEX_OK ? buffer_span(&answer) : span_of(&failed, 1);
        if (frame_send(l, FRAME_ANSWER, call.id, bytes) != APEX_OK) link_cut(l);
    }
    return NULL;
}

static void link_attach(struct link *l, int fd)
{
    const struct timeval patience = {.tv_sec = SEND_TIMEOUT_S};
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0)
        shutdown(fd, SHUT_RDWR);
    pthread_mutex_lock(&l->writing);
    pthread_mutex_lock(&l->lock);
    l->fd = fd;
    l->ending = l->answered = false;
    l->first_id = l->next_id;
    l->next_id++; /* the greeting's */
    pthread_cond_broadcast(&l->attached);
    pthread_mutex_unlock(&l->lock);
    pthread_mutex_unlock(&l->writing);
}

/* The reader has left: everybody who waits learns it. */
static void link_end(struct link *l)
{
    pthread_mutex_lock(&l->lock);
    l->ending = true;
    shutdown(l->fd, SHUT_RDWR);
    for (struct waiter *w = l->waiters; w; w = w->next) {
        w->lost = true;
        pthread_cond_signal(&w->changed);
    }
    for (; l->n_calls > 0; l->n_calls--) {
        buffer_clear(&l->calls[l->first_call].payload);
        l->first_call = (l->first_call + 1) % LINK_CALLS_MAX;
    }
    pthread_cond_broadcast(&l->calls_changed);
    pthread_mutex_unlock(&l->lock);
}

static void link_detach(struct link *l)
{
    pthread_mutex_lock(&l->writing);
    pthread_mutex_lock(&l->lock);
    close(l->fd);
    l->fd = -1;
    pthread_mutex_unlock(&l->lock);
    pthread_mutex_unlock(&l->writing);
}

apex_status link_run(struct link *link, int fd, struct span greeting)
{
    pthread_t workers[LINK_WORKERS];
    size_t n = 0;
    link_attach(link, fd);
    while (n < LINK_WORKERS && pthread_create(&workers[n], NULL, worker_main, link) == 0)
        n++;
    apex_status s =
        n > 0 ? frame_send(link, FRAME_MESSAGE, link->first_id, greeting) : APEX_E_MEMORY;
    while (s == APEX_OK)
        s = take_frame(link, fd);
    link_end(link);
    for (size_t i = 0; i < n; i++)
        pthread_join(workers[i], NULL);
    link_detach(link);
    return s;
}
