#include "client/ui/watch.h"

#include "client/ui/acts.h"
#include "client/ui/child.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    PERIOD_MS = 1500,
    PERIOD_MAX_MS = 3000,
    LESS_OFTEN = 10,
    LOOKED_MS = 10000,
    PATIENCE_MS = 4000,
    FIRST_MS = 800
};

struct seen {
    struct place place;
    uint64_t asked_ms, begun_ms, due_ms; /* monotonic */
    json_t *verdict;                     /* NULL: none yet */
};
struct watch {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    pthread_t thread;
    bool ends;
    size_t n;
    struct seen seen[PLACES_MAX];
};

/* A check by its name that did not hold. */
static bool failed(const json_t *out, const char *part)
{
    const json_t *checks = json_object_get(out, "checks");
    for (size_t i = 0; i < json_array_size(checks); i++) {
        const json_t *c = json_array_get(checks, i);
        const char *name = json_string_value(json_object_get(c, "name")),
                   *result = json_string_value(json_object_get(c, "result"));
        if (name && result && strcmp(result, "fail") == 0 && strstr(name, part)) return true;
    }
    return false;
}

static const char *word_of(const json_t *out)
{
    const json_t *error = json_object_get(out, "error");
    const char *status = json_string_value(json_object_get(error, "status"));
    if (json_is_true(json_object_get(out, "acceptable")))
        return json_is_true(json_object_get(out, "simulated")) ? "simulated" : "verified";
    if (json_object_get(out, "checks"))
        return failed(out, "age") || failed(out, "fresh") ? "stale" : "mismatch";
    if (status && strcmp(status, "E_NOT_FOUND") == 0) return "unpinned";
    if (status && strcmp(status, "E_UNREACHABLE") == 0) return "unreachable";
    return status && strcmp(status, "E_USAGE") == 0 ? "unset" : "mismatch";
}

static json_t *error_of(const char *status, const char *what)
{
    json_t *e = json_object(), *out = json_object();
    json_object_set_new(e, "status", json_string(status));
    json_object_set_new(e, "what", json_string(what));
    json_object_set_new(e, "not_done", json_string("nothing was sent"));
    json_object_set_new(out, "error", e);
    return out;
}

static json_t *check(const struct place *p)
{
    struct act_words words;
    struct child c;
    json_t *request = json_pack("{s:s}", "act", "trust check"), *out = NULL;
    const char *why = act_words_make(p, request, &words);
    uint64_t begin = ui_monotonic_ms();
    if (!p->node[0])
        out = error_of("E_USAGE", "no node is named yet");
    else if (!why && child_start(&c, words.word)) {
        bool ended = child_hear(&c, PATIENCE_MS, NULL, NULL);
        if (ended && c.text) out = json_loads(c.text, 0, NULL);
        if (!ended) out = error_of("E_UNREACHABLE", "the node does not answer in time");
        child_clear(&c);
    }
    if (!out) out = error_of("E_BUG", "the check could not be made");
    json_t *t = json_object();
    json_object_set_new(t, "word", json_string(word_of(out)));
    json_object_set_new(t, "checked_ms", json_integer((json_int_t)ui_clock_ms()));
    json_object_set_new(t, "took_ms", json_integer((json_int_t)(ui_monotonic_ms() - begin)));
    json_object_set_new(t, "line", json_string(words.shown ? words.shown : ""));
    json_object_set(t, json_object_get(out, "checks") ? "verdict" : "error",
                    json_object_get(out, "checks") ? out : json_object_get(out, "error"));
    json_decref(out);
    json_decref(request);
    act_words_clear(&words);
    return t;
}

static struct seen *due(struct watch *w, uint64_t now)
{
    for (size_t i = 0; i < w->n; i++)
        if (now - w->seen[i].asked_ms < LOOKED_MS && now >= w->seen[i].due_ms)
            return &w->seen[i];
    return NULL;
}

static void wait_ms(struct watch *w, unsigned ms)
{
    uint64_t until = ui_monotonic_ms() + ms;
    struct timespec t = {(time_t)(until / 1000), (long)(until % 1000) * 1000000L};
    (void)pthread_cond_timedwait(&w->moved, &w->lock, &t);
}

static uint64_t pause_ms(uint64_t took_ms)
{
    uint64_t pause = took_ms * LESS_OFTEN;
    return pause < PERIOD_MS ? PERIOD_MS : pause > PERIOD_MAX_MS ? PERIOD_MAX_MS : pause;
}

static void *watching(void *context)
{
    struct watch *w = context;
    pthread_mutex_lock(&w->lock);
    while (!w->ends) {
        struct seen *s = due(w, ui_monotonic_ms());
        if (!s) {
            wait_ms(w, 100);
            continue;
        }
        struct place place = s->place;
        pthread_mutex_unlock(&w->lock);
        uint64_t begin = ui_monotonic_ms();
        json_t *verdict = check(&place);
        uint64_t now = ui_monotonic_ms();
        pthread_mutex_lock(&w->lock);
        bool same = strcmp(s->place.node, place.node) == 0; /* not changed meanwhile */
        if (same) json_decref(s->verdict);
        if (same) s->verdict = verdict;
        if (!same) json_decref(verdict);
        if (same) s->due_ms = now + pause_ms(now - begin);
        pthread_cond_broadcast(&w->moved);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

struct watch *watch_new(void)
{
    pthread_condattr_t a;
    struct watch *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&a);
    pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
    pthread_cond_init(&w->moved, &a);
    if (pthread_create(&w->thread, NULL, watching, w) == 0) return w;
    free(w);
    return NULL;
}

void watch_free(struct watch *w)
{
    if (!w) return;
    pthread_mutex_lock(&w->lock);
    w->ends = true;
    pthread_cond_broadcast(&w->moved);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    for (size_t i = 0; i < w->n; i++)
        json_decref(w->seen[i].verdict);
    free(w);
}

/* Under the lock. What was known of another node is no word on this one. */
static struct seen *of_place(struct watch *w, const struct place *p)
{
    size_t i = 0;
    while (i < w->n && strcmp(w->seen[i].place.id, p->id) != 0)
        i++;
    if (i == PLACES_MAX) return NULL;
    if (i == w->n) w->n++;
    struct seen *s = &w->seen[i];
    if (strcmp(s->place.node, p->node) != 0 || strcmp(s->place.home, p->home) != 0) {
        json_decref(s->verdict);
        *s = (struct seen){0};
    }
    s->place = *p;
    s->asked_ms = ui_monotonic_ms();
    return s;
}

json_t *watch_verdict(struct watch *w, const struct place *place)
{
    pthread_mutex_lock(&w->lock);
    struct seen *s = of_place(w, place);
    uint64_t until = ui_monotonic_ms() + FIRST_MS;
    pthread_cond_broadcast(&w->moved);
    while (s && !s->verdict && ui_monotonic_ms() < until)
        wait_ms(w, 50);
    json_t *t =
        s && s->verdict ? json_deep_copy(s->verdict) : json_pack("{s:s}", "word", "checking");
    pthread_mutex_unlock(&w->lock);
    return t;
}
