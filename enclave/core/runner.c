#include "enclave/core/runner.h"

#include "common/base/try.h"
#include "common/wire/message.h"
#include "common/wire/package.h"
#include "enclave/core/host.h"
#include "enclave/core/job.h"
#include "enclave/core/programs.h"
#include "enclave/core/sealed_table.h"
#include "enclave/core/thread.h"

#include <sched.h>
#include <stdlib.h>

enum { WORKERS = 2, THREADS_MAX = 16 };

struct runner {
    struct core *core;
    struct programs *programs;
    pthread_cond_t wake; /* with the core's lock */
    bool stopping;
    size_t first; /* no run before this one waits */
    unsigned threads;
    size_t n_workers;
    pthread_t workers[WORKERS];
};

static unsigned threads_here(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    int n = CPU_COUNT(&set);
    return n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : (unsigned)n;
}

static bool computes(const struct runner *r, size_t contract)
{
    const struct state *s = &r->core->state;
    for (size_t i = r->first; i < s->n_runs; i++)
        if (s->runs[i]->state == RUN_RUNNING && s->runs[i]->contract == contract) return true;
    return false;
}

/* The next run that waits, marked as running: the first of a contract that has none computing,
 * else the first of all. Lock held. */
static struct run *next_run(struct runner *r)
{
    struct state *s = &r->core->state;
    struct run *next = NULL;
    while (r->first < s->n_runs && s->runs[r->first]->end != 0)
        r->first++;
    for (size_t i = r->first; i < s->n_runs; i++) {
        struct run *waits = s->runs[i];
        if (waits->end != 0 || waits->state != RUN_REQUESTED) continue;
        bool alone = !computes(r, waits->contract);
        if (alone || !next) next = waits;
        if (alone) break;
    }
    if (next) next->state = RUN_RUNNING;
    return next;
}

static void *worker_main(void *context)
{
    struct runner *r = context;
    pthread_mutex_lock(&r->core->lock);
    while (!r->stopping) {
        struct run *run = next_run(r);
        if (!run) {
            pthread_cond_wait(&r->wake, &r->core->lock);
            continue;
        }
        pthread_mutex_unlock(&r->core->lock);
        job_do(r->core, r->programs, run, r->threads);
        pthread_mutex_lock(&r->core->lock);
        /* Put back for want of room on the host: not before something else happens. */
        if (run->end == 0 && !r->stopping) pthread_cond_wait(&r->wake, &r->core->lock);
    }
    pthread_mutex_unlock(&r->core->lock);
    return NULL;
}

apex_status runner_new(struct core *core, struct runner **runner)
{
    struct runner *r = calloc(1, sizeof *r);
    if (!r) return APEX_E_MEMORY;
    r->core = core;
    r->threads = threads_here();
    pthread_cond_init(&r->wake, NULL);
    apex_status s = programs_new(core->link, &r->programs);
    while (s == APEX_OK && r->n_workers < WORKERS) {
        s = thread_start(&r->workers[r->n_workers], worker_main, r);
        if (s == APEX_OK) r->n_workers++;
    }
    if (s != APEX_OK) {
        runner_free(r);
        return s;
    }
    *runner = r;
    return APEX_OK;
}

void runner_free(struct runner *runner)
{
    if (!runner) return;
    pthread_mutex_lock(&runner->core->lock);
    runner->stopping = true;
    pthread_cond_broadcast(&runner->wake);
    pthread_mutex_unlock(&runner->core->lock);
    for (size_t i = 0; i < runner->n_workers; i++)
        pthread_join(runner->workers[i], NULL);
    programs_free(runner->programs);
    pthread_cond_destroy(&runner->wake);
    free(runner);
}

enum refusal runner_again(struct runner *runner, struct run *run, const struct entry *logged,
                          uint8_t output[static 32])
{
    return job_again(runner->core, runner->programs, run, runner->threads, logged, output);
}

void runner_wake(struct runner *runner)
{
    pthread_cond_broadcast(&runner->wake);
}

const uint8_t *runner_program_digest(const struct manifest *m)
{
#if defined(__x86_64__)
    const char *arch = "x86_64";
#elif defined(__aarch64__)
    const char *arch = "aarch64";
#else
#error "no contract programs for this architecture"
#endif
    for (size_t i = 0; i < m->n_programs; i++)
        if (strcmp(m->programs[i].arch, arch) == 0) return m->programs[i].digest;
    return NULL;
}

apex_status runner_program_check(struct runner *runner, const uint8_t digest[static 32])
{
    struct memory_file *file;
    TRY(programs_take(runner->programs, digest, &file));
    programs_release(runner->programs, file);
    return APEX_OK;
}

static enum refusal request_refusal(apex_status s)
{
    switch (s) {
    case APEX_OK: return REFUSAL_NONE;
    case APEX_E_NOT_FOUND: return REFUSAL_BLOB_MISSING;
    case APEX_E_UNTRUSTED: return REFUSAL_BLOB_TAMPERED;
    case APEX_E_LIMIT: return REFUSAL_BAD_MESSAGE;
    case APEX_E_IO: return REFUSAL_STORAGE;
    default: return REFUSAL_INTERNAL;
    }
}

enum refusal runner_request(struct link *link, const struct contract *c,
                            const uint8_t author[static 32], const uint8_t blob[static 32],
                            const uint8_t digest[static 32], struct buffer *plain)
{
    BUFFER_CLEARED sealed = {0};
    uint8_t info[INFO_MAX], ours[HASH_LEN];
    enum refusal no =
        request_refusal(host_blob(link, blob, REQUEST_MAX + HPKE_OVERHEAD, &sealed));
    if (no != REFUSAL_NONE) return no;
    if (sealed.len < HPKE_OVERHEAD) return REFUSAL_BAD_MESSAGE;
    size_t info_len = seal_info("apex/request/v1", c->address, span_of(author, 32), info);
    size_t len = sealed.len - HPKE_OVERHEAD;
    uint8_t *room = buffer_reserve(plain, len ? len : 1);
    if (!room) return REFUSAL_INTERNAL;
    if (hpke_open(c->secret, span_of(info, info_len), (struct span){0}, buffer_span(&sealed),
                  room) != APEX_OK)
        return REFUSAL_BAD_MESSAGE;
    plain->len += len;
    sha256(buffer_span(plain), ours);
    return memcmp(ours, digest, sizeof ours) == 0 ? REFUSAL_NONE : REFUSAL_BAD_MESSAGE;
}

enum refusal contribution_know(struct link *link, const struct contract *c,
                               struct contribution *n)
{
    struct table_facts facts;
    struct table_source src = {.blob = n->blob,
                               .address = c->address,
                               .key = c->secret,
                               .dataset = &c->manifest->datasets[n->dataset],
                               .author = c->manifest->parties[n->party].sign};
    if (n->known) return REFUSAL_NONE;
    enum refusal no = sealed_table_head(link, &src, &facts);
    if (no != REFUSAL_NONE) return no;
    n->n_rows = facts.n_rows;
    n->n_groups = facts.n_groups;
    memcpy(n->digest, facts.digest, sizeof n->digest);
    n->known = true;
    return REFUSAL_NONE;
}
