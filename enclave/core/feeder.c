#include "enclave/core/feeder.h"

#include "common/base/endian.h"
#include "common/base/wipe.h"
#include "common/wire/table.h"
#include "enclave/core/thread.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STREAMS = 4, KEPT = 8 };

struct open_stream {
    struct table_stream *stream;
    size_t table, next; /* the group that comes next */
    uint64_t used;
};
struct kept_group {
    uint8_t *bytes; /* GROUP_BYTES */
    size_t table, group, len;
    uint64_t used; /* 0: empty */
};
struct feeder {
    struct link *link;
    const struct table_source *sources;
    size_t n;
    int ours, programs;
    pthread_t thread;
    enum refusal no;
    uint64_t clock;
    struct open_stream streams[STREAMS];
    struct kept_group kept[KEPT];
};

static bool read_whole(int fd, uint8_t *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = read(fd, bytes + at, len - at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += (size_t)n;
    }
    return true;
}

static bool send_whole(int fd, const uint8_t *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = send(fd, bytes + at, len - at, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += (size_t)n;
    }
    return true;
}

static void stream_drop(struct open_stream *s)
{
    table_stream_close(s->stream);
    *s = (struct open_stream){0};
}

/* A stream of this table that has not passed the group yet; else the one used longest ago is
 * started over. */
static struct open_stream *stream_for(struct feeder *f, size_t table, size_t group)
{
    struct open_stream *oldest = &f->streams[0];
    for (size_t i = 0; i < STREAMS; i++) {
        struct open_stream *s = &f->streams[i];
        if (s->stream && s->table == table && s->next <= group) return s;
        if (s->used < oldest->used) oldest = s;
    }
    stream_drop(oldest);
    f->no = table_stream_open(f->link, &f->sources[table], &oldest->stream);
    oldest->table = table;
    return f->no == REFUSAL_NONE ? oldest : NULL;
}

static struct kept_group *kept_find(struct feeder *f, size_t table, size_t group)
{
    for (size_t i = 0; i < KEPT; i++)
        if (f->kept[i].used && f->kept[i].table == table && f->kept[i].group == group)
            return &f->kept[i];
    return NULL;
}

static struct kept_group *keep(struct feeder *f, size_t table, size_t group, struct span bytes)
{
    struct kept_group *k = &f->kept[0];
    for (size_t i = 1; i < KEPT; i++)
        if (f->kept[i].used < k->used) k = &f->kept[i];
    memcpy(k->bytes, bytes.data, bytes.len);
    k->table = table;
    k->group = group;
    k->len = bytes.len;
    k->used = ++f->clock;
    return k;
}

/* NULL: there is no such group, or f->no says what went wrong. */
static const struct kept_group *group_get(struct feeder *f, size_t table, size_t group)
{
    struct kept_group *k = kept_find(f, table, group);
    struct open_stream *s = k || table >= f->n ? NULL : stream_for(f, table, group);
    while (s && (!k || k->group != group)) {
        struct span bytes;
        f->no = table_stream_next(s->stream, &bytes);
        if (f->no != REFUSAL_NONE || bytes.len == 0) return NULL;
        k = keep(f, table, s->next++, bytes);
        s->used = ++f->clock;
    }
    if (k) k->used = ++f->clock;
    return k;
}

static void *feed(void *context)
{
    struct feeder *f = context;
    uint8_t ask[8], len[8];
    while (f->no == REFUSAL_NONE && read_whole(f->ours, ask, sizeof ask)) {
        const struct kept_group *k = group_get(f, get_le32(ask), get_le32(ask + 4));
        if (f->no != REFUSAL_NONE) break;
        put_le64(len, k ? k->len : 0);
        if (!send_whole(f->ours, len, sizeof len)) break;
        if (k && !send_whole(f->ours, k->bytes, k->len)) break;
    }
    shutdown(f->ours, SHUT_RDWR); /* the program reads an end */
    return NULL;
}

static void feeder_free(struct feeder *f)
{
    for (size_t i = 0; i < STREAMS; i++)
        stream_drop(&f->streams[i]);
    for (size_t i = 0; i < KEPT; i++) {
        if (f->kept[i].bytes) wipe(f->kept[i].bytes, GROUP_BYTES);
        free(f->kept[i].bytes);
    }
    if (f->ours >= 0) close(f->ours);
    if (f->programs >= 0) close(f->programs);
    free(f);
}

static bool room(struct feeder *f)
{
    int ends[2];
    for (size_t i = 0; i < KEPT; i++) {
        f->kept[i].bytes = aligned_alloc(64, GROUP_BYTES);
        if (!f->kept[i].bytes) return false;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return false;
    f->ours = ends[0];
    f->programs = ends[1];
    return true;
}

apex_status feeder_new(struct link *link, const struct table_source *sources, size_t n,
                       struct feeder **feeder)
{
    struct feeder *f = calloc(1, sizeof *f);
    if (!f) return APEX_E_MEMORY;
    f->link = link;
    f->sources = sources;
    f->n = n;
    f->ours = f->programs = -1;
    if (!room(f) || thread_start(&f->thread, feed, f) != APEX_OK) {
        feeder_free(f);
        return APEX_E_MEMORY;
    }
    *feeder = f;
    return APEX_OK;
}

int feeder_program_end(const struct feeder *feeder)
{
    return feeder->programs;
}

enum refusal feeder_end(struct feeder *feeder)
{
    shutdown(feeder->programs, SHUT_RDWR);
    pthread_join(feeder->thread, NULL);
    enum refusal no = feeder->no;
    feeder_free(feeder);
    return no;
}
