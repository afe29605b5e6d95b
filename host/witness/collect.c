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

enum { REPLY_MAX = 4096, LINES_MAX = 4, ROUND_MS = 100, TIMEOUT_S = 10, PAUSE_MAX = 300 };

struct witness {
    char url[512];
    uint64_t knows; /* size of what it cosigned last, as it says */
    unsigned pause; /* rounds to leave it alone, and how many it was last */
    unsigned last_pause;
    struct buffer lines; /* its cosignatures of the checkpoint of size `status.size` */
    struct witness_status status;
};
struct collector {
    struct ledger *ledger;
    pthread_t thread;
    pthread_mutex_t lock; /* guards stop and the statuses */
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

static size_t on_reply(char *data, size_t size, size_t n, void *context)
{
    struct buffer *reply = context;
    if (size * n > REPLY_MAX - reply->len) return 0; /* too long: the transfer fails */
    buffer_append(reply, span_of(data, size * n));
    return size * n;
}

static unsigned post(const char *url, struct span body, struct buffer *reply)
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
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
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

/* Lines of the form, and no more than a few: a note with one that is not would be no note. */
static bool lines_take(struct span reply, struct buffer *lines)
{
    struct span line, name;
    buffer_clear(lines);
    for (size_t n = 0; n < LINES_MAX && note_line(&reply, &line) == APEX_OK; n++) {
        if (note_signature_valid(line, &name) != APEX_OK) continue;
        buffer_append(lines, line);
        buffer_text(lines, "\n");
    }
    return lines->len > 0 && buffer_ok(lines) == APEX_OK;
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

static bool submit(struct collector *c, struct witness *w, const struct round *r)
{
    for (unsigned tries = 0; tries < 2; tries++) {
        BUFFER_CLEARED body = {0};
        BUFFER_CLEARED reply = {0};
        if (w->knows > r->c.size || body_write(c->ledger, r, w->knows, &body) != APEX_OK)
            return false;
        unsigned code = post(w->url, buffer_span(&body), &reply);
        pthread_mutex_lock(&c->lock);
        w->status.last_code = code;
        w->status.refused += code != 200 && code != 409;
        pthread_mutex_unlock(&c->lock);
        if (code == 409 && behind(w, buffer_span(&reply), r)) continue;
        if (code != 200 || !lines_take(buffer_span(&reply), &w->lines)) return false;
        w->knows = r->c.size;
        pthread_mutex_lock(&c->lock);
        w->status.size = r->c.size;
        w->status.cosigned++;
        pthread_mutex_unlock(&c->lock);
        return true;
    }
    return false;
}

static bool ask(struct collector *c, struct witness *w, const struct round *r)
{
    if (w->status.size == r->c.size && w->lines.len > 0) return true;
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

static void round_do(struct collector *c)
{
    struct round r = {.note = {0}};
    size_t good = 0, fresh = 0;
    if (ledger_checkpoint_get(c->ledger, &r.note) == APEX_OK && r.note.len > 0 &&
        checkpoint_parse_unverified(buffer_span(&r.note), &r.c) == APEX_OK &&
        r.c.size != c->done) {
        for (size_t i = 0; i < c->n; i++) {
            uint64_t before = c->witness[i].status.cosigned;
            good += ask(c, &c->witness[i], &r);
            fresh += c->witness[i].status.cosigned - before;
        }
        if (fresh > 0) keep(c, &r);
        if (good == c->n) c->done = r.c.size;
    }
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
