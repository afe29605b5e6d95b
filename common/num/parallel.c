#include "common/num/parallel.h"

#include <pthread.h>
#include <stdbool.h>

struct job {
    unsigned thread, threads;
    size_t n_blocks;
    void (*work)(void *, size_t, unsigned);
    void *context;
};

static void *job_main(void *argument)
{
    const struct job *j = argument;
    for (size_t b = j->thread; b < j->n_blocks; b += j->threads)
        j->work(j->context, b, j->thread);
    return NULL;
}

/* 8 MiB a thread, as threads have by themselves, would take 120 MiB of a run's quota on a
 * machine with sixteen processors. The deepest kernel stands on 130 KiB. */
enum { STACK_BYTES = 512 * 1024 };

static bool thread_start(pthread_t *thread, struct job *job)
{
    pthread_attr_t attr;
    if (pthread_attr_init(&attr) != 0) return false;
    bool started = pthread_attr_setstacksize(&attr, STACK_BYTES) == 0 &&
                   pthread_create(thread, &attr, job_main, job) == 0;
    pthread_attr_destroy(&attr);
    return started;
}

void parallel_blocks(unsigned threads, size_t n_blocks,
                     void (*work)(void *context, size_t block, unsigned thread), void *context)
{
    pthread_t handle[PARALLEL_THREADS_MAX];
    struct job jobs[PARALLEL_THREADS_MAX];
    bool started[PARALLEL_THREADS_MAX] = {false};
    if (threads > PARALLEL_THREADS_MAX) threads = PARALLEL_THREADS_MAX;
    if (threads > n_blocks) threads = (unsigned)n_blocks;
    for (unsigned t = 0; t < threads; t++)
        jobs[t] = (struct job){t, threads, n_blocks, work, context};
    for (unsigned t = 1; t < threads; t++)
        started[t] = thread_start(&handle[t], &jobs[t]);
    for (unsigned t = 0; t < threads; t++)
        if (!started[t]) job_main(&jobs[t]);
    for (unsigned t = 1; t < threads; t++)
        if (started[t]) pthread_join(handle[t], NULL);
}
