#include "client/ui/jobs.h"

#include "client/ui/child.h"
#include "include/apex/apex.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { JOBS_MAX = 256, RUNNING_MAX = 24 };
enum job_state { JOB_RUNNING, JOB_DONE, JOB_FAILED, JOB_CANCELLED };

struct job {
    struct jobs *all;
    uint64_t id, started_ms, ended_ms, done, total;
    enum job_state state;
    bool cancel;
    struct place place;
    json_t *request, *output;
    struct act_words words;
    struct child child;
    char stage[64];
};
struct jobs {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    uint64_t last;
    size_t n_running;
    struct job *job[JOBS_MAX]; /* by id % JOBS_MAX */
};

struct jobs *jobs_new(void)
{
    pthread_condattr_t a;
    struct jobs *jobs = calloc(1, sizeof *jobs);
    if (!jobs) return NULL;
    pthread_mutex_init(&jobs->lock, NULL);
    pthread_condattr_init(&a);
    pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
    pthread_cond_init(&jobs->moved, &a);
    return jobs;
}

static void job_free(struct job *j)
{
    if (!j) return;
    if (j->words.output[0] && j->state != JOB_RUNNING) unlink(j->words.output);
    act_words_clear(&j->words);
    json_decref(j->request);
    json_decref(j->output);
    free(j);
}

static struct job *find(struct jobs *jobs, uint64_t id)
{
    struct job *j = jobs->job[id % JOBS_MAX];
    return j && j->id == id ? j : NULL;
}

static void on_told(void *context, const char *stage, uint64_t done, uint64_t total)
{
    struct job *j = context;
    pthread_mutex_lock(&j->all->lock);
    snprintf(j->stage, sizeof j->stage, "%s", stage);
    j->done = done;
    j->total = total;
    pthread_mutex_unlock(&j->all->lock);
}

static const char *asked(const struct job *j, const char *field)
{
    const char *text = json_string_value(json_object_get(j->request, field));
    return text ? text : "";
}

/* What `apex` printed, or its words as an error of the same form. */
static json_t *printed(const struct job *j)
{
    json_t *out = j->child.text ? json_loads(j->child.text, JSON_DECODE_ANY, NULL) : NULL;
    if (out || j->child.exit == 0) return out ? out : json_object();
    json_t *error = json_object(), *tree = json_object();
    json_object_set_new(error, "status", json_string("E_BUG"));
    json_object_set_new(
        error, "what",
        json_string(j->child.complaint_len ? j->child.complaint : "apex ended without a word"));
    json_object_set_new(error, "not_done", json_string("what was asked for was not finished"));
    json_object_set_new(error, "next", json_string("run the command shown in a terminal"));
    json_object_set_new(error, "who", json_string("you"));
    json_object_set_new(tree, "error", error);
    return tree;
}

/* A contribution is noted down, so that the same file is noticed when it comes again. */
static void sent_note(const struct job *j, const json_t *out)
{
    char path[PLACE_PATH_MAX], shown[PLACE_NAME_MAX], hex[65] = "";
    struct apex_error ignored;
    json_t *entry = json_object();
    place_upload_path(&j->place, asked(j, "file"), path, shown);
    if (apex_program_digest(path, hex, &ignored) != APEX_OK) hex[0] = 0;
    json_object_set_new(entry, "sha256", json_string(hex));
    json_object_set_new(entry, "name", json_string(shown));
    json_object_set_new(entry, "time_ms", json_integer((json_int_t)ui_clock_ms()));
    json_object_set(entry, "file", json_object_get(j->request, "file"));
    json_object_set(entry, "address", json_object_get(j->request, "address"));
    json_object_set(entry, "dataset", json_object_get(j->request, "dataset"));
    json_object_set(entry, "map", json_object_get(j->request, "map"));
    json_object_set(entry, "receipt", (json_t *)out);
    (void)place_sent_add(&j->place, entry);
}

static json_t *conclude(struct job *j)
{
    char name[96];
    json_t *out = printed(j);
    if (j->child.exit != 0) return out;
    if (strcmp(j->words.name, "contribute") == 0) sent_note(j, out);
    if (strcmp(j->words.name, "run") != 0 && strcmp(j->words.name, "result") != 0) return out;
    if (place_result_keep(&j->place, j->words.output, asked(j, "address"), name))
        json_object_set_new(out, "result", json_string(name));
    return out;
}

static void *hear(void *context)
{
    struct job *j = context;
    (void)child_hear(&j->child, -1, on_told, j);
    json_t *out = conclude(j);
    child_clear(&j->child);
    pthread_mutex_lock(&j->all->lock);
    j->output = out;
    j->ended_ms = ui_clock_ms();
    j->state = j->child.exit == 0 ? JOB_DONE : j->cancel ? JOB_CANCELLED : JOB_FAILED;
    j->all->n_running--;
    pthread_cond_broadcast(&j->all->moved);
    pthread_mutex_unlock(&j->all->lock); /* from here on anybody may free the job */
    return NULL;
}

static uint64_t same_asked_before(struct jobs *jobs, const json_t *request)
{
    const char *once = json_string_value(json_object_get(request, "once"));
    for (size_t i = 0; once && i < JOBS_MAX; i++)
        if (jobs->job[i] && strcmp(asked(jobs->job[i], "once"), once) == 0)
            return jobs->job[i]->id;
    return 0;
}

/* Under the lock: the next id whose place in the table is free, or held by what has ended. */
static bool seat(struct jobs *jobs, struct job *j)
{
    for (size_t tries = 0; tries < JOBS_MAX; tries++) {
        uint64_t id = ++jobs->last;
        struct job *old = jobs->job[id % JOBS_MAX];
        if (old && old->state == JOB_RUNNING) continue;
        job_free(old);
        j->id = id;
        jobs->job[id % JOBS_MAX] = j;
        return true;
    }
    return false;
}

static bool start(struct jobs *jobs, struct job *j)
{
    pthread_t thread;
    if (jobs->n_running >= RUNNING_MAX || !child_start(&j->child, j->words.word)) return false;
    if (pthread_create(&thread, NULL, hear, j) != 0) {
        child_clear(&j->child);
        return false;
    }
    pthread_detach(thread);
    jobs->n_running++;
    return true;
}

uint64_t jobs_start(struct jobs *jobs, const struct place *place, const json_t *request,
                    const char **why)
{
    struct job *j = calloc(1, sizeof *j);
    uint64_t id = 0;
    *why = "there is no memory";
    if (!j) return 0;
    j->all = jobs;
    j->place = *place;
    j->request = json_deep_copy(request);
    j->started_ms = ui_clock_ms();
    *why = act_words_make(&j->place, request, &j->words);
    pthread_mutex_lock(&jobs->lock);
    if (!*why) id = same_asked_before(jobs, request);
    if (!*why && id == 0) {
        if (seat(jobs, j) && start(jobs, j))
            id = j->id;
        else {
            *why = "too much is under way; try again in a moment";
            if (j->id) jobs->job[j->id % JOBS_MAX] = NULL;
        }
    }
    bool kept = id != 0 && id == j->id;
    pthread_mutex_unlock(&jobs->lock);
    if (!kept) {
        j->state = JOB_FAILED;
        job_free(j);
    }
    return id;
}

void jobs_wait(struct jobs *jobs, uint64_t id, int timeout_ms)
{
    uint64_t until = ui_monotonic_ms() + (uint64_t)timeout_ms;
    struct timespec t = {(time_t)(until / 1000), (long)(until % 1000) * 1000000L};
    pthread_mutex_lock(&jobs->lock);
    for (int late = 0; !late;) {
        struct job *j = find(jobs, id);
        if (!j || j->state != JOB_RUNNING) break;
        late = pthread_cond_timedwait(&jobs->moved, &jobs->lock, &t);
    }
    pthread_mutex_unlock(&jobs->lock);
}

void jobs_cancel(struct jobs *jobs, uint64_t id)
{
    pthread_mutex_lock(&jobs->lock);
    struct job *j = find(jobs, id);
    if (j && j->state == JOB_RUNNING) {
        j->cancel = true;
        child_stop(&j->child);
    }
    pthread_mutex_unlock(&jobs->lock);
}

static json_t *describe(const struct job *j, bool whole)
{
    static const char *const names[] = {"running", "done", "failed", "cancelled"};
    json_t *t = json_object();
    json_object_set_new(t, "id", json_integer((json_int_t)j->id));
    json_object_set_new(t, "place", json_string(j->place.id));
    json_object_set_new(t, "act", json_string(j->words.name));
    json_object_set(t, "request", j->request);
    json_object_set_new(t, "line", json_string(j->words.shown ? j->words.shown : ""));
    json_object_set_new(t, "state", json_string(names[j->state]));
    json_object_set_new(t, "stage", json_string(j->stage));
    json_object_set_new(t, "done", json_integer((json_int_t)j->done));
    json_object_set_new(t, "total", json_integer((json_int_t)j->total));
    json_object_set_new(t, "started_ms", json_integer((json_int_t)j->started_ms));
    json_object_set_new(t, "now_ms", json_integer((json_int_t)ui_clock_ms()));
    if (j->state == JOB_RUNNING) return t;
    json_object_set_new(t, "ended_ms", json_integer((json_int_t)j->ended_ms));
    json_object_set_new(t, "exit", json_integer(j->child.exit));
    if (whole) json_object_set(t, "output", j->output);
    return t;
}

json_t *jobs_show(struct jobs *jobs, uint64_t id)
{
    pthread_mutex_lock(&jobs->lock);
    const struct job *j = find(jobs, id);
    json_t *t = j ? describe(j, true) : NULL;
    pthread_mutex_unlock(&jobs->lock);
    return t;
}

/* What takes a while, or changes something; the many small looks are not told. */
static bool told(const struct job *j)
{
    static const char *const looks[] = {
        "trust check", "trust show", "contract list", "contract show", "id show",
        "audit",       "verify",     "doctor",        "export csv",    "export geojson"};
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        if (strcmp(j->words.name, looks[i]) == 0) return false;
    return true;
}

json_t *jobs_list(struct jobs *jobs, const char *place_id)
{
    json_t *all = json_array();
    pthread_mutex_lock(&jobs->lock);
    for (uint64_t id = jobs->last; id > 0 && id + JOBS_MAX > jobs->last; id--) {
        const struct job *j = find(jobs, id);
        if (j && told(j) && strcmp(j->place.id, place_id) == 0)
            json_array_append_new(all, describe(j, false));
    }
    pthread_mutex_unlock(&jobs->lock);
    return all;
}

bool jobs_output(struct jobs *jobs, uint64_t id, char path[static PLACE_PATH_MAX])
{
    pthread_mutex_lock(&jobs->lock);
    const struct job *j = find(jobs, id);
    bool there = j && j->state == JOB_DONE && j->words.output[0];
    if (there) snprintf(path, PLACE_PATH_MAX, "%s", j->words.output);
    pthread_mutex_unlock(&jobs->lock);
    return there && access(path, R_OK) == 0;
}

void jobs_free(struct jobs *jobs)
{
    if (!jobs) return;
    pthread_mutex_lock(&jobs->lock);
    for (size_t i = 0; i < JOBS_MAX; i++)
        if (jobs->job[i] && jobs->job[i]->state == JOB_RUNNING) {
            jobs->job[i]->cancel = true;
            child_stop(&jobs->job[i]->child);
        }
    while (jobs->n_running > 0)
        pthread_cond_wait(&jobs->moved, &jobs->lock);
    pthread_mutex_unlock(&jobs->lock);
    for (size_t i = 0; i < JOBS_MAX; i++)
        job_free(jobs->job[i]);
    free(jobs);
}
