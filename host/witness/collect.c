#include "host/witness/collect.h"

#include "common/base/try.h"
#include "common/merkle/base64.h"
#include "common/merkle/checkpoint.h"
#include "common/merkle/note.h"
#include "host/daemon/log.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* ASK_MS stays well below what an enclave waits for its witnesses (acts.c): one that lets us
 * wait costs a round that long, and must not cost a run. */
enum { REPLY_MAX = 16384, LINES_MAX = 4, ROUND_MS = 100, ASK_MS = 3000, PAUSE_MAX = 300 };

struct witness {
    char url[512];
    uint64_t knows; /* size of what it cosigned last, as it says */
    unsigned pause; /* rounds to leave it alone, and how many it was last */
    unsigned last_pause;
    struct buffer
        lines; /* its cosignatures of the checkpoint of size `status.size`; the lock's */
    struct witness_status status;
};
struct collector {
    struct ledger *ledger;
    pthread_t thread;
    pthread_mutex_t lock; /* guards stop, the statuses and the lines */
    pthread_cond_t wake;
    bool stop;
    uint64_t done; /* size of the newest checkpoint that all have cosigned */
    size_t n;
    struct witness witness[WITNESSES_MAX];
};
struct round {
    struct buffer note; /* the log's own */
    struct checkpoint c;
};
struct asking {
    struct collector *collector;
    struct witness *witness;
    const struct round *round;
    pthread_t thread;
    bool started, good;
};

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static size_t on_reply(char *data, size_t size, size_t n, void *context)
{
    struct buffer *reply = context;
    if (size * n > REPLY_MAX - reply->len) return 0; /* too long: the transfer fails */
    buffer_append(reply, span_of(data, size * n));
    return size * n;
}

static unsigned post(const char *url, struct span body, long left_ms, struct buffer *reply)
{
    CURL *curl = curl_easy_init();
    long code = 0;
    if (!curl) return 0;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)body.data);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_reply);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, left_ms);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    CURLcode done = curl_easy_perform(curl);
    if (done == CURLE_OK) curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    curl_easy_cleanup(curl);
    return (unsigned)code;
}

static apex_status body_write(struct ledger *ledger, const struct round *r, uint64_t old,
                              struct buffer *body)
{
    struct merkle_proof p = {.n = 0};
    char line[BASE64_LEN(MERKLE_HASH_LEN) + 2], head[40];
    if (old > 0) TRY(ledger_consistency(ledger, old, r->c.size, &p));
    snprintf(head, sizeof head, "old %llu\n", (unsigned long long)old);
    buffer_text(body, head);
    for (size_t i = 0; i < p.n; i++) {
        base64_write(SPAN(p.hash[i].bytes), line);
        buffer_text(body, line);
        buffer_text(body, "\n");
    }
    buffer_text(body, "\n");
    buffer_append(body, buffer_span(&r->note));
    return buffer_ok(body);
}

/* Cosignatures by their form, in no more lines than a witness's share of what a note may hold,
 * and none in the log's name: what one witness says must not keep a note from being one, or the
 * others' lines from standing in it. */
static bool lines_take(struct span reply, const struct collector *c, const struct round *r,
                       struct buffer *lines)
{
    struct span line, name;
    size_t share = (NOTE_SIGNATURES_MAX - 1) / c->n, taken = 0;
    if (share > LINES_MAX) share = LINES_MAX;
    while (taken < share && note_line(&reply, &line) == APEX_OK) {
        if (note_signature_of(line, NOTE_SIGNATURE_MAX, &name) != APEX_OK ||
            span_equal(name, span_text(r->c.origin)))
            continue;
        buffer_append(lines, line);
        buffer_text(lines, "\n");
        taken++;
    }
    return taken > 0 && buffer_ok(lines) == APEX_OK;
}

/* What it saw last, if it says so: another answer to the same question is no use. */
static bool behind(struct witness *w, struct span reply, const struct round *r)
{
    struct span line;
    uint64_t size;
    if (note_line(&reply, &line) != APEX_OK || note_size_parse(line, &size) != APEX_OK)
        return false;
    if (size == w->knows || size > r->c.size) return false;
    w->knows = size;
    return true;
}

/* The note with all lines there are for it. Lock held, so that the fuller one is kept last. */
static void keep(struct collector *c, const struct round *r)
{
    BUFFER_CLEARED note = {0};
    buffer_append(&note, buffer_span(&r->note));
    for (size_t i = 0; i < c->n; i++)
        if (c->witness[i].status.size == r->c.size)
            buffer_append(&note, buffer_span(&c->witness[i].lines));
    if (buffer_ok(&note) != APEX_OK || note.len > NOTE_MAX ||
        ledger_witnessed_put(c->ledger, buffer_span(&note)) != APEX_OK)
        log_line(LOG_WARN, "msg=\"cosignatures could not be kept\"");
}

/* At once, as the others may take their time. */
static void take(struct collector *c, struct witness *w, const struct round *r,
                 struct buffer *lines)
{
    w->knows = r->c.size;
    pthread_mutex_lock(&c->lock);
    buffer_clear(&w->lines);
    w->lines = *lines;
    *lines = (struct buffer){0};
    w->status.size = r->c.size;
    w->status.cosigned++;
    keep(c, r);
    pthread_mutex_unlock(&c->lock);
}

static bool submit(struct collector *c, struct witness *w, const struct round *r)
{
    const uint64_t until = now_ms() + ASK_MS;
    for (unsigned tries = 0; tries < 2; tries++) {
        BUFFER_CLEARED body = {0};
        BUFFER_CLEARED reply = {0};
        BUFFER_CLEARED lines = {0};
        uint64_t now = now_ms();
        if (now >= until || w->knows > r->c.size ||
            body_write(c->ledger, r, w->knows, &body) != APEX_OK)
            return false;
        unsigned code = post(w->url, buffer_span(&body), (long)(until - now), &reply);
        pthread_mutex_lock(&c->lock);
        w->status.last_code = code;
        w->status.refused += code != 200 && code != 409;
        pthread_mutex_unlock(&c->lock);
        if (code == 409 && behind(w, buffer_span(&reply), r)) continue;
        if (code != 200 || !lines_take(buffer_span(&reply), c, r, &lines)) return false;
        take(c, w, r, &lines);
        return true;
    }
    return false;
}

static bool ask(struct collector *c, struct witness *w, const struct round *r)
{
    if (w->pause > 0) {
        w->pause--;
        return false;
    }
    bool good = submit(c, w, r);
    if (good != (w->last_pause == 0))
        log_line(good ? LOG_INFO : LOG_WARN, "msg=\"witness %s\" url=%s code=%u",
                 good ? "cosigns" : "does not cosign", w->url, w->status.last_code);
    w->last_pause = good ? 0 : w->last_pause ? 2 * w->last_pause : 1;
    if (w->last_pause > PAUSE_MAX) w->last_pause = PAUSE_MAX;
    w->pause = w->last_pause;
    return good;
}

static void *asking_main(void *context)
{
    struct asking *a = context;
    a->good = ask(a->collector, a->witness, a->round);
    return NULL;
}

/* All at once, of one and the same checkpoint: a quorum's lines must stand under one note. */
static size_t ask_all(struct collector *c, const struct round *r)
{
    struct asking asking[WITNESSES_MAX];
    size_t good = 0;
    for (size_t i = 0; i < c->n; i++) {
        struct asking *a = &asking[i];
        struct witness *w = &c->witness[i];
        *a = (struct asking){.collector = c, .witness = w, .round = r};
        a->good = w->status.size == r->c.size && w->lines.len > 0;
        if (!a->good) a->started = pthread_create(&a->thread, NULL, asking_main, a) == 0;
    }
    for (size_t i = 0; i < c->n; i++) {
        if (asking[i].started) pthread_join(asking[i].thread, NULL);
        good += asking[i].good;
    }
    return good;
}

static void round_do(struct collector *c)
{
    struct round r = {.note = {0}};
    if (ledger_checkpoint_get(c->ledger, &r.note) == APEX_OK && r.note.len > 0 &&
        checkpoint_parse_unverified(buffer_span(&r.note), &r.c) == APEX_OK &&
        r.c.size != c->done && ask_all(c, &r) == c->n)
        c->done = r.c.size;
    buffer_clear(&r.note);
}

static bool pause_a_round(struct collector *c)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)ROUND_MS * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&c->lock);
    if (!c->stop) pthread_cond_timedwait(&c->wake, &c->lock, &until);
    bool stop = c->stop;
    pthread_mutex_unlock(&c->lock);
    return !stop;
}

static void *work(void *context)
{
    while (pause_a_round(context))
        round_do(context);
    return NULL;
}

apex_status collector_start(struct ledger *ledger, const char *const *urls, size_t n,
                            struct collector **collector)
{
    struct collector *c = n <= WITNESSES_MAX ? calloc(1, sizeof *c) : NULL;
    if (!c) return n <= WITNESSES_MAX ? APEX_E_MEMORY : APEX_E_LIMIT;
    c->ledger = ledger;
    c->n = n;
    for (size_t i = 0; i < n; i++) {
        struct witness *w = &c->witness[i];
        size_t len = strlen(urls[i]);
        while (len > 0 && urls[i][len - 1] == '/')
            len--;
        snprintf(w->url, sizeof w->url, "%.*s/add-checkpoint", (int)len, urls[i]);
        w->status.url = urls[i];
    }
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->wake, NULL);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0 ||
        pthread_create(&c->thread, NULL, work, c) != 0) {
        free(c);
        return APEX_E_MEMORY;
    }
    *collector = c;
    return APEX_OK;
}

void collector_stop(struct collector *c)
{
    if (!c) return;
    pthread_mutex_lock(&c->lock);
    c->stop = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    for (size_t i = 0; i < c->n; i++)
        buffer_clear(&c->witness[i].lines);
    pthread_cond_destroy(&c->wake);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

size_t collector_status(struct collector *c, struct witness_status status[static WITNESSES_MAX])
{
    if (!c) return 0;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->n; i++)
        status[i] = c->witness[i].status;
    pthread_mutex_unlock(&c->lock);
    return c->n;
}
