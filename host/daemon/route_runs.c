#include "host/daemon/request.h"

#include <stdlib.h>

enum { KEEP_ALIVE_MS = 5000, EVENT_MAX = RUN_JSON_MAX + 64, SSE_BLOCK = 1024 };

/* What is known of the run; the enclave is asked when that is nothing. */
static apex_status hint_find(struct host *host, uint64_t run, struct run_hint *hint)
{
    runs_get(host->runs, run, hint);
    return hint->state != RUN_UNKNOWN ? APEX_OK : host_ask_run(host, run, hint);
}

void run_end(struct request *r)
{
    char json[RUN_JSON_MAX];
    struct run_hint hint;
    apex_status s = hint_find(r->host, r->target.run, &hint);
    (void)s; /* no answer: unknown is what we know */
    run_json(&hint, json);
    answer_json(r, MHD_HTTP_OK, json);
    answer_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
}

/* One person watching one run. Its connection's thread waits here. */
struct watch {
    struct host *host;
    struct run_hint hint;
    bool ended;
    char text[EVENT_MAX];
    size_t len, at;
};

static void watch_say(struct watch *w)
{
    char json[RUN_JSON_MAX];
    run_json(&w->hint, json);
    w->len = (size_t)snprintf(w->text, sizeof w->text, "event: progress\ndata: %s\n\n", json);
    w->at = 0;
    w->ended = run_ended(&w->hint) || w->hint.state == RUN_UNKNOWN;
}

static void watch_wait(struct watch *w)
{
    struct run_hint asked;
    bool changed = runs_wait(w->host->runs, &w->hint, KEEP_ALIVE_MS);
    /* Silence, or an enclave that came back: an event may have been lost with the old one. */
    if (!changed || w->hint.state == RUN_UNKNOWN) {
        apex_status s = runs_stopped(w->host->runs)
                            ? APEX_E_UNREACHABLE
                            : host_ask_run(w->host, w->hint.run, &asked);
        changed = s == APEX_OK;
        if (changed) w->hint = asked;
    }
    if (changed)
        watch_say(w);
    else {
        w->len = (size_t)snprintf(w->text, sizeof w->text, ": waiting\n\n");
        w->at = 0;
    }
}

static ssize_t watch_read(void *context, uint64_t at, char *out, size_t max)
{
    struct watch *w = context;
    (void)at;
    if (w->at == w->len) {
        if (w->ended || runs_stopped(w->host->runs)) return MHD_CONTENT_READER_END_OF_STREAM;
        watch_wait(w);
    }
    size_t n = w->len - w->at < max ? w->len - w->at : max;
    memcpy(out, w->text + w->at, n);
    w->at += n;
    return (ssize_t)n;
}

void run_events_end(struct request *r)
{
    struct run_hint hint;
    if (hint_find(r->host, r->target.run, &hint) != APEX_OK) {
        answer_error(r, MHD_HTTP_SERVICE_UNAVAILABLE,
                     "nothing is known of the run, and the enclave does not answer",
                     "try again in a moment");
        return;
    }
    struct watch *w = calloc(1, sizeof *w);
    if (!w) {
        answer_status(r, APEX_E_MEMORY);
        return;
    }
    *w = (struct watch){.host = r->host, .hint = hint};
    watch_say(w);
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, SSE_BLOCK, watch_read, w, free);
    if (!response) free(w);
    answer_response(r, MHD_HTTP_OK, response, 0);
    answer_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, "text/event-stream");
    answer_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
}
