#include "enclave/core/link.h"

#include "common/base/endian.h"
#include "common/base/try.h"
#include "enclave/core/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CALLS_MAX = 32, WAITING_MAX = 256 };

struct call {
    bool used, done;
    uint32_t id;
    struct buffer *answer; /* the caller's */
};
struct waiting {
    uint32_t id;
    struct buffer bytes;
};
struct link {
    int fd, wake[2]; /* a pipe that ends waits on a descriptor that cannot be shut down */
    pthread_t reader;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t
        changed; /* a call was answered, a message came, a slot came free, or the link died */
    bool dead;
    uint32_t next_id;
    struct call calls[CALLS_MAX];
    struct waiting queue[WAITING_MAX]; /* a ring: messages not yet taken */
    size_t first, n_waiting;
    pthread_mutex_t writing; /* one frame at a time goes out */
};

/* A socket blocks in read and write; a virtio-serial port is opened so that it does not, and
 * is waited for here. False: the link ends. */
static bool wait_for(const struct link *l, short events)
{
    struct pollfd p[2] = {{l->fd, events, 0}, {l->wake[0], POLLIN, 0}};
    if (poll(p, 2, -1) < 0 && errno != EINTR) return false;
    return p[1].revents == 0;
}

static bool read_all(const struct link *l, void *data, size_t len)
{
    uint8_t *at = data;
    while (len > 0) {
        ssize_t n = read(l->fd, at, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN && wait_for(l, POLLIN)) continue;
        if (n <= 0) return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static bool write_all(const struct link *l, struct iovec *piece, int n_pieces)
{
    while (n_pieces > 0) {
        ssize_t n = writev(l->fd, piece, n_pieces);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN && wait_for(l, POLLOUT)) continue;
        if (n < 0) return false;
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

static apex_status frame_send(struct link *l, enum frame_type type, uint32_t id, struct span a,
                              struct span b, struct span c)
{
    size_t len = a.len + b.len + c.len; /* each is bounded by FRAME_MAX */
    if (len > FRAME_MAX - FRAME_HEAD_LEN) return APEX_E_LIMIT;
    uint8_t head[FRAME_HEAD_LEN];
    put_be32(head, (uint32_t)(len + 5)); /* the length of what follows: type, id, payload */
    head[4] = (uint8_t)type;
    put_be32(head + 5, id);
    struct iovec piece[4] = {{head, sizeof head},
                             {(void *)(uintptr_t)a.data, a.len},
                             {(void *)(uintptr_t)b.data, b.len},
                             {(void *)(uintptr_t)c.data, c.len}};
    pthread_mutex_lock(&l->writing);
    bool sent = write_all(l, piece, 4);
    pthread_mutex_unlock(&l->writing);
    return sent ? APEX_OK : APEX_E_UNREACHABLE;
}

static void link_die(struct link *l)
{
    pthread_mutex_lock(&l->lock);
    l->dead = true;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
}

/* Takes the payload over. False: the host broke the protocol. */
static bool take_answer(struct link *l, uint32_t id, struct buffer *payload)
{
    bool known = false;
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < CALLS_MAX; i++) {
        struct call *c = &l->calls[i];
        if (!c->used || c->done || c->id != id) continue;
        *c->answer = *payload;
        *payload = (struct buffer){0};
        c->done = known = true;
        pthread_cond_broadcast(&l->changed);
        break;
    }
    pthread_mutex_unlock(&l->lock);
    return known;
}

/* More messages than we queue are answered with nothing: the host tells its client to come
 * again. */
static bool take_message(struct link *l, uint32_t id, struct buffer *payload)
{
    pthread_mutex_lock(&l->lock);
    bool room = l->n_waiting < WAITING_MAX;
    if (room) {
        l->queue[(l->first + l->n_waiting++) % WAITING_MAX] = (struct waiting){id, *payload};
        *payload = (struct buffer){0};
        pthread_cond_broadcast(&l->changed);
    }
    pthread_mutex_unlock(&l->lock);
    return room || link_reply(l, id, (struct span){0}) == APEX_OK;
}

static bool take_frame(struct link *l)
{
    uint8_t head[FRAME_HEAD_LEN];
    enum frame_type type;
    uint32_t id;
    size_t len;
    if (!read_all(l, head, sizeof head)) return false;
    if (frame_head_parse(head, &type, &id, &len) != APEX_OK) return false;
    BUFFER_CLEARED payload = {0};
    uint8_t *room = buffer_reserve(&payload, len ? len : 1);
    if (!room || !read_all(l, room, len)) return false;
    payload.len = len;
    if (type == FRAME_ANSWER) return take_answer(l, id, &payload);
    if (type == FRAME_MESSAGE) return take_message(l, id, &payload);
    return false;
}

static void *reader_main(void *context)
{
    struct link *l = context;
    while (take_frame(l)) {
    }
    link_die(l);
    return NULL;
}

apex_status link_open(int fd, struct link **link)
{
    struct link *l = calloc(1, sizeof *l);
    if (!l) return APEX_E_MEMORY;
    l->fd = fd;
    if (pipe2(l->wake, O_CLOEXEC) != 0) {
        free(l);
        return APEX_E_LIMIT;
    }
    pthread_mutex_init(&l->lock, NULL);
    pthread_mutex_init(&l->writing, NULL);
    pthread_cond_init(&l->changed, NULL);
    apex_status s = thread_start(&l->reader, reader_main, l);
    if (s != APEX_OK) {
        close(l->wake[0]);
        close(l->wake[1]);
        free(l);
        return s;
    }
    *link = l;
    return APEX_OK;
}

void link_close(struct link *link)
{
    shutdown(link->fd, SHUT_RDWR);
    close(link->wake[1]); /* ends waits where there is no socket to shut down */
    pthread_join(link->reader, NULL);
    close(link->wake[0]);
    close(link->fd);
    for (; link->n_waiting > 0; link->n_waiting--) {
        buffer_clear(&link->queue[link->first].bytes);
        link->first = (link->first + 1) % WAITING_MAX;
    }
    pthread_cond_destroy(&link->changed);
    pthread_mutex_destroy(&link->writing);
    pthread_mutex_destroy(&link->lock);
    free(link);
}

apex_status link_next(struct link *link, uint32_t *id, struct buffer *message)
{
    pthread_mutex_lock(&link->lock);
    while (link->n_waiting == 0 && !link->dead)
        pthread_cond_wait(&link->changed, &link->lock);
    bool some = link->n_waiting > 0;
    if (some) {
        *id = link->queue[link->first].id;
        *message = link->queue[link->first].bytes;
        link->first = (link->first + 1) % WAITING_MAX;
        link->n_waiting--;
    }
    pthread_mutex_unlock(&link->lock);
    return some ? APEX_OK : APEX_E_UNREACHABLE;
}

apex_status link_reply(struct link *link, uint32_t id, struct span reply)
{
    return frame_send(link, FRAME_REPLY, id, reply, (struct span){0}, (struct span){0});
}

void link_event(struct link *link, uint64_t run, unsigned state, unsigned permille,
                uint64_t entry)
{
    uint8_t e[8 + 1 + 2 + 8];
    put_be64(e, run);
    e[8] = (uint8_t)state;
    put_be16(e + 9, (uint16_t)permille);
    put_be64(e + 11, entry);
    apex_status lost =
        frame_send(link, FRAME_EVENT, 0, SPAN(e), (struct span){0}, (struct span){0});
    (void)lost; /* a hint: who waits asks again */
}

static struct call *call_begin(struct link *l, struct buffer *answer)
{
    struct call *free_slot = NULL;
    pthread_mutex_lock(&l->lock);
    while (!l->dead && !free_slot) {
        for (size_t i = 0; i < CALLS_MAX && !free_slot; i++)
            if (!l->calls[i].used) free_slot = &l->calls[i];
        if (!free_slot) pthread_cond_wait(&l->changed, &l->lock);
    }
    if (free_slot)
        *free_slot = (struct call){.used = true, .id = ++l->next_id, .answer = answer};
    pthread_mutex_unlock(&l->lock);
    return free_slot;
}

static bool call_end(struct link *l, struct call *c)
{
    pthread_mutex_lock(&l->lock);
    while (!c->done && !l->dead)
        pthread_cond_wait(&l->changed, &l->lock);
    bool answered = c->done;
    *c = (struct call){0};
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
    return answered;
}

static apex_status call_status(struct buffer *answer)
{
    if (answer->len == 0) return APEX_E_FORMAT;
    uint8_t status = answer->data[0];
    memmove(answer->data, answer->data + 1, --answer->len);
    switch (status) {
    case CALL_OK: return APEX_OK;
    case CALL_NOT_FOUND: return APEX_E_NOT_FOUND;
    case CALL_IO: return APEX_E_IO;
    case CALL_FULL: return APEX_E_LIMIT;
    default: return APEX_E_BUG;
    }
}

apex_status link_call(struct link *link, enum call_op op, struct span head, struct span body,
                      struct buffer *answer)
{
    uint8_t code = (uint8_t)op;
    buffer_clear(answer);
    struct call *c = call_begin(link, answer);
    if (!c) return APEX_E_UNREACHABLE;
    if (frame_send(link, FRAME_CALL, c->id, span_of(&code, 1), head, body) != APEX_OK)
        link_die(link);
    if (!call_end(link, c)) return APEX_E_UNREACHABLE;
    return call_status(answer);
}
