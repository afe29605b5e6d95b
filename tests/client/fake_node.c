#include "tests/client/fake_node.h"

#include "common/base/hex.h"
#include "common/crypto/hash.h"
#include "common/crypto/random.h"
#include "common/merkle/tile.h"
#include "tests/check.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD_MAX = 4096 };

struct fake_node {
    struct world *w;
    int listener;
    pthread_t thread;
    pthread_mutex_t lock; /* held while a request is under way */
    char url[64];
    enum trick trick;
    unsigned times, requests, bundles;
    bool attest_too;
    uint64_t blob_len, blob_total;
    struct buffer last[MESSAGE_RERUN + 1]; /* reply to each type of message, without a trick */
};

/* One request as it stands on the wire; the body's beginning came with the head. */
struct exchange {
    int fd;
    char head[HEAD_MAX + 1];
    size_t head_len, body_at, body_len;
    struct buffer body;
};

static void send_all(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n <= 0) return;
        at += n;
        len -= (size_t)n;
    }
}

static void answer(int fd, const char *status, const char *headers, struct span body)
{
    char head[256];
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n",
                     status, body.len, headers);
    send_all(fd, head, (size_t)n);
    if (body.len) send_all(fd, body.data, body.len);
}

static bool head_read(struct exchange *x)
{
    for (;;) {
        ssize_t n = recv(x->fd, x->head + x->head_len, HEAD_MAX - x->head_len, 0);
        if (n <= 0) return false;
        x->head_len += (size_t)n;
        x->head[x->head_len] = 0;
        char *end = strstr(x->head, "\r\n\r\n");
        if (!end && x->head_len == HEAD_MAX) return false;
        if (!end) continue;
        const char *length = strcasestr(x->head, "content-length:");
        x->body_at = (size_t)(end + 4 - x->head);
        x->body_len = length && length < end ? strtoull(length + 15, NULL, 10) : 0;
        return true;
    }
}

/* At most `most` bytes of the body; they are kept only where they fit a message. */
static uint64_t body_read(struct exchange *x, uint64_t most)
{
    uint8_t piece[65536];
    uint64_t have = x->head_len - x->body_at;
    if (have > x->body_len) have = x->body_len;
    buffer_append(&x->body, span_of(x->head + x->body_at, (size_t)have));
    while (have < x->body_len && have < most) {
        ssize_t n = recv(x->fd, piece, sizeof piece, 0);
        if (n <= 0) break;
        have += (uint64_t)n;
        if (x->body.len < MESSAGE_MAX) buffer_append(&x->body, span_of(piece, (size_t)n));
    }
    return have;
}

static void hashes_out(const struct merkle_proof *p, uint8_t to[][32], size_t *n)
{
    for (*n = 0; *n < p->n; ++*n)
        memcpy(to[*n], p->hash[*n].bytes, 32);
}

static void proof_make(struct fake_node *f, uint64_t old_size, uint64_t index,
                       struct wire_proof *p)
{
    struct merkle_proof m;
    struct world *w = f->w;
    world_sign(w);
    if (f->trick == TRICK_CHECKPOINT_FORGED && f->times > 0) {
        buffer_clear(&w->note);
        CHECK_OK(checkpoint_sign(&w->head, &w->stranger.sign, &w->note));
    }
    p->note = buffer_span(&w->note);
    if (old_size > 0 && old_size <= w->n &&
        merkle_tree_consistency(w->tree, old_size, w->n, &m) == APEX_OK)
        hashes_out(&m, p->consistency, &p->n_consistency);
    if (index < w->n && merkle_tree_inclusion(w->tree, index, w->n, &m) == APEX_OK)
        hashes_out(&m, p->inclusion, &p->n_inclusion);
}

static uint64_t act_find(const struct world *w, struct span act)
{
    struct cose cose;
    struct entry *e = calloc(1, sizeof *e);
    uint64_t at = UINT64_MAX;
    for (size_t i = 0; i < w->n; i++)
        if (cose_parse(buffer_span(&w->entries[i]), &cose) == APEX_OK &&
            entry_parse(cose.payload, e) == APEX_OK && span_equal(e->act, act))
            at = i;
    free(e);
    return at;
}

static void act_answer(struct fake_node *f, struct span act_cose, struct reply *r,
                       struct buffer *body, char detail[static 24])
{
    struct body_act *b = calloc(1, sizeof *b);
    struct entry *e = calloc(1, sizeof *e);
    struct cose cose;
    struct act act;
    uint64_t there = act_find(f->w, act_cose);
    if (there != UINT64_MAX) {
        snprintf(detail, 24, "%llu", (unsigned long long)there);
        *r = (struct reply){
            .status = APEX_E_REFUSED, .code = REFUSAL_REPLAYED, .detail = span_text(detail)};
    } else {
        CHECK_OK(cose_open(act_cose, SPAN_TEXT(ACT_AAD), &cose));
        CHECK_OK(act_parse(cose.payload, &act));
        e->kind = (unsigned)act.kind;
        e->has_address = true;
        memcpy(e->address, act.address, 32);
        e->act = act_cose;
        b->index = world_entry(f->w, e);
        BUFFER_CLEARED copy = {0};
        buffer_append(&copy, buffer_span(&f->w->entries[b->index]));
        if (f->trick == TRICK_NOT_LOGGED && f->times > 0) fake_rollback(f, b->index);
        proof_make(f, act.seen_size, b->index, &b->proof);
        if (f->trick == TRICK_OTHER_ENTRY && f->times > 0) {
            b->index = 0;
            proof_make(f, act.seen_size, 0, &b->proof);
            buffer_clear(&copy);
            buffer_append(&copy, buffer_span(&f->w->entries[0]));
        }
        b->entry = buffer_span(&copy);
        body_act_write(b, body);
    }
    free(e);
    free(b);
}

static void attest_answer(struct fake_node *f, struct buffer *body)
{
    const struct world_enclave *e = &f->w->enclave[f->w->n_enclaves - 1];
    struct body_attest *b = calloc(1, sizeof *b);
    BUFFER_CLEARED evidence = {0};
    world_evidence(f->w, e, &evidence);
    b->evidence = buffer_span(&evidence);
    memcpy(b->identity, e->keys.identity.bytes, 32);
    memcpy(b->identity_seal, e->keys.identity_seal.bytes, 32);
    memcpy(b->log_key, e->keys.log.bytes, 32);
    memcpy(b->chain_key, e->keys.chain.bytes, sizeof b->chain_key);
    b->origin = span_text(f->w->origin);
    proof_make(f, 0, UINT64_MAX, &b->proof);
    body_attest_write(b, body);
    free(b);
}

static void prove_answer(struct fake_node *f, const struct query *q, struct buffer *body)
{
    struct body_prove *b = calloc(1, sizeof *b);
    proof_make(f, q->old_size, UINT64_MAX, &b->proof);
    body_prove_write(b, body);
    free(b);
}

static void contract_answer(struct fake_node *f, struct buffer *body)
{
    struct body_contract *b = calloc(1, sizeof *b);
    struct seal_public key;
    struct seal_secret secret;
    struct entry *e = calloc(1, sizeof *e);
    struct cose cose;
    seal_new(&key, &secret);
    memcpy(b->key, key.bytes, sizeof b->key);
    b->state = CONTRACT_ACTIVE;
    for (size_t i = 0; i < f->w->n; i++)
        if (cose_parse(buffer_span(&f->w->entries[i]), &cose) == APEX_OK &&
            entry_parse(cose.payload, e) == APEX_OK && e->kind == (unsigned)ACT_CLOSE)
            b->state = CONTRACT_CLOSED;
    proof_make(f, 0, UINT64_MAX, &b->proof);
    body_contract_write(b, body);
    free(e);
    free(b);
}

/* The signed reply to one message. */
static void message_answer(struct fake_node *f, struct span bytes, struct buffer *out)
{
    struct message m;
    struct query q;
    struct reply r = {0};
    char detail[24] = "";
    BUFFER_CLEARED body = {0};
    BUFFER_CLEARED payload = {0};
    CHECK_OK(message_parse(bytes, &m));
    bool tricked = f->times > 0;
    if (tricked && f->trick == TRICK_REFUSES)
        r = (struct reply){.status = APEX_E_REFUSED,
                           .code = REFUSAL_PROGRAM_OUTPUT,
                           .detail = SPAN_TEXT(REFUSES_WITH)};
    else if (m.type == MESSAGE_ACT)
        act_answer(f, m.body, &r, &body, detail);
    else {
        CHECK_OK(query_parse(m.type, m.body, &q));
        if (m.type == MESSAGE_ATTEST) attest_answer(f, &body);
        if (m.type == MESSAGE_CONTRACT) contract_answer(f, &body);
        if (m.type == MESSAGE_PROVE) prove_answer(f, &q, &body);
    }
    r.body = buffer_span(&body);
    sha256(bytes, r.message_digest);
    if (tricked && f->trick == TRICK_OTHER_MESSAGE) r.message_digest[0] ^= 1;
    reply_write(&r, &payload);
    const struct sign_secret *by = tricked && f->trick == TRICK_BY_STRANGER
                                       ? &f->w->stranger.sign
                                       : &f->w->enclave[f->w->n_enclaves - 1].identity;
    CHECK_OK(cose_sign(by, SPAN_TEXT(REPLY_AAD), buffer_span(&payload), out));
    if (tricked && f->trick == TRICK_FLIP) out->data[out->len / 2] ^= 0x10;
    struct buffer *last = &f->last[m.type];
    buffer_clear(tricked && f->trick == TRICK_REPLAY ? out : last);
    if (out->len == 0)
        buffer_append(out, buffer_span(last));
    else
        buffer_append(last, buffer_span(out));
}

static bool is_attest(struct span bytes)
{
    struct message m;
    return message_parse(bytes, &m) == APEX_OK && m.type == MESSAGE_ATTEST;
}

/* What a trick sends in place of an answer; false: the answer itself is asked for. */
static bool trick_answer(const struct fake_node *f, int fd)
{
    uint8_t noise[500];
    char *long_text;
    random_bytes(noise, sizeof noise);
    switch (f->trick) {
    case TRICK_LOSE_QUESTION: return true;
    case TRICK_UNAVAILABLE:
        answer(fd, "503 Service Unavailable", "",
               SPAN_TEXT("{\"error\": \"x\", \"next\": \"y\"}"));
        return true;
    case TRICK_NOT_FOUND: answer(fd, "404 Not Found", "", SPAN_TEXT("no")); return true;
    case TRICK_DISK_FULL:
        answer(fd, "507 Insufficient Storage", "", SPAN_TEXT("no"));
        return true;
    case TRICK_GARBAGE: answer(fd, "200 OK", "", SPAN(noise)); return true;
    case TRICK_EMPTY: answer(fd, "200 OK", "", (struct span){0}); return true;
    case TRICK_ENDLESS:
        long_text = calloc(1, REPLY_MAX + 1);
        answer(fd, "200 OK", "", span_of(long_text, REPLY_MAX + 1));
        free(long_text);
        return true;
    default: return false;
    }
}

static void message_serve(struct fake_node *f, struct exchange *x)
{
    BUFFER_CLEARED reply = {0};
    body_read(x, UINT64_MAX);
    unsigned spared = is_attest(buffer_span(&x->body)) && !f->attest_too ? f->times : 0;
    f->times -= spared;
    if (f->times == 0 || !trick_answer(f, x->fd)) {
        message_answer(f, buffer_span(&x->body), &reply);
        if (f->times > 0 && f->trick == TRICK_CUT_ANSWER) {
            static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\nhalf";
            send_all(x->fd, head, sizeof head - 1);
        } else if (f->times == 0 || f->trick != TRICK_LOSE_ANSWER) {
            answer(x->fd, "200 OK", "", buffer_span(&reply));
        }
    }
    if (f->times > 0) f->times--;
    f->times += spared;
}

static void tile_serve(struct fake_node *f, struct exchange *x, const char *path)
{
    unsigned level, width;
    uint64_t index;
    BUFFER_CLEARED out = {0};
    f->bundles++;
    if (tile_path_parse(path, &level, &index, &width) != APEX_OK || level != TILE_ENTRIES ||
        index * TILE_WIDTH + width > f->w->n) {
        answer(x->fd, "404 Not Found", "", (struct span){0});
        return;
    }
    for (uint64_t i = index * TILE_WIDTH; i < index * TILE_WIDTH + width; i++)
        CHECK_OK(bundle_write(buffer_span(&f->w->entries[i]), &out));
    answer(x->fd, "200 OK", "", buffer_span(&out));
}

static void blob_look_serve(struct fake_node *f, struct exchange *x)
{
    char offset[64];
    bool lies = f->trick == TRICK_UPLOAD_LIES && f->times > 0;
    snprintf(offset, sizeof offset, "Upload-Offset: %llu\r\n",
             lies ? 1ull << 63 : (unsigned long long)f->blob_len);
    if (lies) f->times--;
    if (!lies && f->blob_total > 0 && f->blob_len == f->blob_total)
        answer(x->fd, "200 OK", "", (struct span){0});
    else
        answer(x->fd, "404 Not Found", offset, (struct span){0});
}

static void blob_take_serve(struct fake_node *f, struct exchange *x)
{
    unsigned long long first = 0, last = 0, total = 0;
    const char *range = strcasestr(x->head, "content-range: bytes ");
    CHECK(range && sscanf(range + 21, "%llu-%llu/%llu", &first, &last, &total) == 3 &&
          last - first + 1 == x->body_len);
    bool tricked = f->times > 0, breaks = tricked && f->trick == TRICK_UPLOAD_BREAKS;
    uint64_t got = body_read(x, breaks ? x->body_len / 2 : UINT64_MAX);
    if (tricked) f->times--;
    if (tricked && trick_answer(f, x->fd)) return;
    if (tricked && f->trick == TRICK_UPLOAD_MANGLES) {
        f->blob_len = 0;
        answer(x->fd, "422 Unprocessable Entity", "", (struct span){0});
        return;
    }
    if (tricked && f->trick == TRICK_UPLOAD_FORGETS) {
        answer(x->fd, "202 Accepted", "Upload-Offset: 0\r\n", (struct span){0});
        return;
    }
    if (first != f->blob_len) {
        answer(x->fd, "409 Conflict", "", (struct span){0});
        return;
    }
    f->blob_total = total;
    f->blob_len = first + got;
    if (breaks) return;
    answer(x->fd, f->blob_len == total ? "201 Created" : "202 Accepted", "", (struct span){0});
}

static void serve(struct fake_node *f, int fd)
{
    struct exchange *x = calloc(1, sizeof *x);
    x->fd = fd;
    f->requests++;
    if (head_read(x)) {
        char *path = strchr(x->head, '/');
        if (strncmp(x->head, "POST /message ", 14) == 0)
            message_serve(f, x);
        else if (strncmp(x->head, "HEAD /blob/", 11) == 0)
            blob_look_serve(f, x);
        else if (strncmp(x->head, "PUT /blob/", 10) == 0)
            blob_take_serve(f, x);
        else if (path && strncmp(path, "/tile/", 6) == 0) {
            *strchr(path, ' ') = 0;
            tile_serve(f, x, path + 1);
        } else
            answer(fd, "404 Not Found", "", (struct span){0});
    }
    buffer_clear(&x->body);
    free(x);
}

static void *run(void *context)
{
    struct fake_node *f = context;
    for (;;) {
        int fd = accept(f->listener, NULL, NULL);
        if (fd < 0) return NULL;
        pthread_mutex_lock(&f->lock);
        serve(f, fd);
        pthread_mutex_unlock(&f->lock);
        shutdown(fd, SHUT_WR);
        char rest[4096];
        while (recv(fd, rest, sizeof rest, MSG_DONTWAIT) > 0)
            continue;
        close(fd);
    }
}

struct fake_node *fake_start(struct world *w)
{
    struct fake_node *f = calloc(1, sizeof *f);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    f->w = w;
    CHECK(pthread_mutex_init(&f->lock, NULL) == 0);
    f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(f->listener >= 0 && bind(f->listener, (struct sockaddr *)&at, sizeof at) == 0 &&
          listen(f->listener, 16) == 0);
    CHECK(getsockname(f->listener, (struct sockaddr *)&at, &len) == 0);
    snprintf(f->url, sizeof f->url, "http://127.0.0.1:%u", (unsigned)ntohs(at.sin_port));
    CHECK(pthread_create(&f->thread, NULL, run, f) == 0);
    return f;
}

void fake_stop(struct fake_node *f)
{
    shutdown(f->listener, SHUT_RDWR);
    pthread_join(f->thread, NULL);
    close(f->listener);
    for (size_t i = 0; i < sizeof f->last / sizeof *f->last; i++)
        buffer_clear(&f->last[i]);
    free(f);
}

const char *fake_url(const struct fake_node *f)
{
    return f->url;
}
/* Values as they are when no request is under way. */
static uint64_t settled(const struct fake_node *f, const unsigned *count, const uint64_t *len)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&f->lock;
    pthread_mutex_lock(lock);
    uint64_t value = count ? *count : *len;
    pthread_mutex_unlock(lock);
    return value;
}

unsigned fake_tricks_left(const struct fake_node *f)
{
    return (unsigned)settled(f, &f->times, NULL);
}

unsigned fake_requests(const struct fake_node *f)
{
    return (unsigned)settled(f, &f->requests, NULL);
}

unsigned fake_bundles(const struct fake_node *f)
{
    return (unsigned)settled(f, &f->bundles, NULL);
}

uint64_t fake_blob_len(const struct fake_node *f)
{
    return settled(f, NULL, &f->blob_len);
}

void fake_trick(struct fake_node *f, enum trick trick, unsigned times)
{
    pthread_mutex_lock(&f->lock);
    f->trick = trick;
    f->times = times;
    f->attest_too = false;
    pthread_mutex_unlock(&f->lock);
}

void fake_trick_attest(struct fake_node *f, enum trick trick, unsigned times)
{
    fake_trick(f, trick, times);
    f->attest_too = true;
}

void fake_rollback(struct fake_node *f, uint64_t size)
{
    struct world *w = f->w;
    CHECK_OK(merkle_tree_truncate(w->tree, size));
    while (w->n > size)
        buffer_clear(&w->entries[--w->n]);
}
