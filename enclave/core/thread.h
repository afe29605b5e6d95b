/* Threads with a small stack: under mlockall every page of a stack is locked memory. */
#ifndef ENCLAVE_CORE_THREAD_H
#define ENCLAVE_CORE_THREAD_H

#include "include/apex/status.h"

#include <pthread.h>

apex_status thread_start(pthread_t *thread, void *(*main)(void *), void *context);

#endif
