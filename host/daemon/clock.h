/* Monotonic time, and condition variables that wait on it. */
#ifndef HOST_DAEMON_CLOCK_H
#define HOST_DAEMON_CLOCK_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

int64_t now_us(void);
int64_t now_ms(void);
struct timespec deadline_in(int64_t ms);
void sleep_ms(int64_t ms);
void cond_init(pthread_cond_t *cond);

#endif
