/* `apex` run by `apex ui`: started with words, watched, heard out. No shell is in between. */
#ifndef CLIENT_UI_CHILD_H
#define CLIENT_UI_CHILD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { CHILD_OUT_MAX = 64 << 20, CHILD_ERR_MAX = 4096 };

struct child {
    pthread_mutex_t lock; /* over pid: it is not ended after it is gone */
    pid_t pid;
    int out, err, told; /* its stdout, stderr and progress (APEX_PROGRESS_FD) */
    char *text;         /* what it printed; NUL-terminated; freed by child_clear */
    size_t len, cap;
    char complaint[CHILD_ERR_MAX]; /* the end of its stderr */
    size_t complaint_len;
    char line[256]; /* of progress, unfinished */
    size_t line_len;
    int exit; /* exit code, or 128 + signal */
};

/* words end with NULL; words[0] is the name it goes by. False: it could not be started. */
bool child_start(struct child *c, char *const words[]);
/* A line of progress. */
typedef void (*child_told_fn)(void *context, const char *stage, uint64_t done, uint64_t total);
/* Hears it out for at most timeout_ms (-1: for ever). True: it has ended. */
bool child_hear(struct child *c, int timeout_ms, child_told_fn told, void *context);
void child_stop(struct child *c);  /* asks it to end; any thread may */
void child_clear(struct child *c); /* kills it if it still runs */

uint64_t ui_clock_ms(void);     /* of the wall */
uint64_t ui_monotonic_ms(void); /* for waiting */

#endif
