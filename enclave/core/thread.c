#include "enclave/core/thread.h"

#include <pthread.h>

enum { STACK_BYTES = 1 << 20 };

apex_status thread_start(pthread_t *thread, void *(*main)(void *), void *context)
{
    pthread_attr_t attr;
    if (pthread_attr_init(&attr) != 0) return APEX_E_MEMORY;
    int failed = pthread_attr_setstacksize(&attr, STACK_BYTES);
    if (!failed) failed = pthread_create(thread, &attr, main, context);
    pthread_attr_destroy(&attr);
    return failed ? APEX_E_MEMORY : APEX_OK;
}
