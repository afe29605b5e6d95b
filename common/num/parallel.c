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
        started[t] = pthread_create(&handle[t], NULL, job_main, &jobs[t]) == 0;
    for (unsigned t = 0; t < threads; t++)
        if (!started[t]) job_main(&jobs[t]);
    for (unsigned t = 1; t < threads; t++)
        if (started[t]) pthread_join(handle[t], NULL);
}
