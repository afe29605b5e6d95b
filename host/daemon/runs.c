#include "host/daemon/runs.h"

#include "host/daemon/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct runs {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopped;
    struct run_hint hints[RUNS_MAX]; /* by run index modulo RUNS_MAX: a newer run takes an older
                                        one's place */
};

bool run_hint_ok(const struct run_hint *hint)
{
    return hint->state >= RUN_REQUESTED && hint->state <= RUN_FAILED && hint->permille <= 1000;
}

bool run_ended(const struct run_hint *hint)
{
    return hint->state == RUN_RELEASED || hint->state == RUN_REFUSED ||
           hint->state == RUN_FAILED;
}

const char *run_state_name(unsigned state)
{
    static const char *const names[RUN_STATES] = {"unknown",  "requested", "running",
                                                  "released", "refused",   "failed"};
    return names[state < RUN_STATES ? state : RUN_UNKNOWN];
}

void run_json(const struct run_hint *hint, char json[static RUN_JSON_MAX])
{
    snprintf(json, RUN_JSON_MAX,
             "{\"run\":%" PRIu64
             ",\"state\":\"%s\",\"task\":\"%s\",\"permille\":%u,\"entry\":%" PRIu64 "}",
             hint->run, run_state_name(hint->state), task_name(hint->state), hint->permille,
             hint->entry);
}

apex_status runs_new(struct runs **runs)
{
    struct runs *r = calloc(1, sizeof *r);
    if (!r) return APEX_E_MEMORY;
    pthread_mutex_init(&r->lock, NULL);
    cond_init(&r->changed);
    *runs = r;
    return APEX_OK;
}

void runs_free(struct runs *runs)
{
    if (!runs) return;
    pthread_cond_destroy(&runs->changed);
    pthread_mutex_destroy(&runs->lock);
    free(runs);
}

/* Lock held. */
static void hint_put(struct runs *runs, const struct run_hint *hint)
{
    struct run_hint *kept = &runs->hints[hint->run % RUNS_MAX];
    if (kept->run != hint->run || !run_ended(kept) || run_ended(hint))
        *kept = *hint; /* what ended stays ended */
    pthread_cond_broadcast(&runs->changed);
}

void runs_put(struct runs *runs, const struct run_hint *hint)
{
    pthread_mutex_lock(&runs->lock);
    hint_put(runs, hint);
    pthread_mutex_unlock(&runs->lock);
}

static struct run_hint hint_of(const struct runs *runs, uint64_t run)
{
    const struct run_hint *kept = &runs->hints[run % RUNS_MAX];
    return kept->run == run ? *kept : (struct run_hint){.run = run};
}

void runs_get(struct runs *runs, uint64_t run, struct run_hint *hint)
{
    pthread_mutex_lock(&runs->lock);
    *hint = hint_of(runs, run);
    pthread_mutex_unlock(&runs->lock);
}

static bool hint_equal(const struct run_hint *a, const struct run_hint *b)
{
    return a->state == b->state && a->permille == b->permille && a->entry == b->entry;
}

void runs_put_answer(struct runs *runs, const struct run_hint *known,
                     const struct run_hint *answer)
{
    pthread_mutex_lock(&runs->lock);
    const struct run_hint now = hint_of(runs, answer->run);
    if (hint_equal(&now, known) || run_ended(answer)) hint_put(runs, answer);
    pthread_mutex_unlock(&runs->lock);
}

bool runs_wait(struct runs *runs, struct run_hint *hint, int64_t timeout_ms)
{
    const struct timespec until = deadline_in(timeout_ms);
    struct run_hint now;
    int r = 0;
    pthread_mutex_lock(&runs->lock);
    for (;;) {
        now = hint_of(runs, hint->run);
        if (runs->stopped || !hint_equal(&now, hint) || r == ETIMEDOUT) break;
        r = pthread_cond_timedwait(&runs->changed, &runs->lock, &until);
    }
    bool differs = !runs->stopped && !hint_equal(&now, hint);
    if (differs) *hint = now;
    pthread_mutex_unlock(&runs->lock);
    return differs;
}

void runs_forget_open(struct runs *runs)
{
    pthread_mutex_lock(&runs->lock);
    for (size_t i = 0; i < RUNS_MAX; i++)
        if (!run_ended(&runs->hints[i])) runs->hints[i] = (struct run_hint){0};
    pthread_cond_broadcast(&runs->changed);
    pthread_mutex_unlock(&runs->lock);
}

void runs_stop(struct runs *runs)
{
    pthread_mutex_lock(&runs->lock);
    runs->stopped = true;
    pthread_cond_broadcast(&runs->changed);
    pthread_mutex_unlock(&runs->lock);
}

bool runs_stopped(struct runs *runs)
{
    pthread_mutex_lock(&runs->lock);
    bool stopped = runs->stopped;
    pthread_mutex_unlock(&runs->lock);
    return stopped;
}

void runs_count(struct runs *runs, uint64_t by_state[static RUN_STATES])
{
    memset(by_state, 0, RUN_STATES * sizeof *by_state);
    pthread_mutex_lock(&runs->lock);
    for (size_t i = 0; i < RUNS_MAX; i++)
        if (runs->hints[i].state != RUN_UNKNOWN) by_state[runs->hints[i].state]++;
    pthread_mutex_unlock(&runs->lock);
}
