#include "client/ui/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TOLD_FD = 3, PIECE = 65536 };
extern char **environ;

static uint64_t clock_ms(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t ui_clock_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

uint64_t ui_monotonic_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

/* Ours and the place to tell progress to. */
static char **environment(char *extra)
{
    size_t n = 0;
    while (environ[n])
        n++;
    char **all = calloc(n + 2, sizeof *all);
    for (size_t i = 0, k = 0; all && i < n; i++)
        if (strncmp(environ[i], "APEX_PROGRESS_FD=", 17) != 0) all[k++] = environ[i];
    for (size_t i = 0; all && i <= n; i++)
        if (!all[i]) {
            all[i] = extra;
            break;
        }
    return all;
}

static bool spawn(struct child *c, char *const words[], const int ends[static 3])
{
    static char told[] = "APEX_PROGRESS_FD=3";
    posix_spawn_file_actions_t a;
    char **env = environment(told);
    bool fine = env && posix_spawn_file_actions_init(&a) == 0;
    if (!fine) {
        free(env);
        return false;
    }
    fine = posix_spawn_file_actions_addopen(&a, 0, "/dev/null", O_RDONLY, 0) == 0 &&
           posix_spawn_file_actions_adddup2(&a, ends[0], 1) == 0 &&
           posix_spawn_file_actions_adddup2(&a, ends[1], 2) == 0 &&
           posix_spawn_file_actions_adddup2(&a, ends[2], TOLD_FD) == 0 &&
           posix_spawn_file_actions_addclosefrom_np(&a, TOLD_FD + 1) == 0 &&
           posix_spawn(&c->pid, "/proc/self/exe", &a, NULL, words, env) == 0;
    posix_spawn_file_actions_destroy(&a);
    free(env);
    return fine;
}

/* Above the descriptors that the child gets, so that no dup2 overwrites one still needed. */
static bool pipe_above(int ends[static 2])
{
    int low[2];
    if (pipe2(low, O_CLOEXEC) != 0) return false;
    for (int i = 0; i < 2; i++) {
        ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, 10);
        close(low[i]);
    }
    return ends[0] >= 0 && ends[1] >= 0;
}

bool child_start(struct child *c, char *const words[])
{
    int p[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    *c = (struct child){.lock = PTHREAD_MUTEX_INITIALIZER,
                        .pid = -1,
                        .out = -1,
                        .err = -1,
                        .told = -1,
                        .exit = -1};
    bool fine = pipe_above(p[0]) && pipe_above(p[1]) && pipe_above(p[2]) &&
                spawn(c, words, (const int[]){p[0][1], p[1][1], p[2][1]});
    for (int i = 0; i < 3; i++)
        if (p[i][1] >= 0) close(p[i][1]);
    c->out = p[0][0];
    c->err = p[1][0];
    c->told = p[2][0];
    if (!fine) child_clear(c);
    return fine;
}

static bool out_take(struct child *c, const char *bytes, size_t n)
{
    if (c->len + n + 1 > CHILD_OUT_MAX) return false;
    if (c->len + n + 1 > c->cap) {
        size_t cap = 2 * (c->len + n + 1);
        char *more = realloc(c->text, cap);
        if (!more) return false;
        c->text = more;
        c->cap = cap;
    }
    memcpy(c->text + c->len, bytes, n);
    c->len += n;
    c->text[c->len] = 0;
    return true;
}

static void err_take(struct child *c, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n && c->complaint_len + 1 < sizeof c->complaint; i++)
        c->complaint[c->complaint_len++] = bytes[i];
    c->complaint[c->complaint_len] = 0;
}

/* "STAGE\tDONE\tTOTAL\n", as cli_progress writes it. */
static void told_take(struct child *c, const char *bytes, size_t n, child_told_fn told,
                      void *context)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] != '\n') {
            if (c->line_len + 1 < sizeof c->line) c->line[c->line_len++] = bytes[i];
            continue;
        }
        c->line[c->line_len] = 0;
        c->line_len = 0;
        char *tab = strchr(c->line, '\t'), *end = NULL;
        if (!tab) continue;
        *tab = 0;
        uint64_t done = strtoull(tab + 1, &end, 10);
        if (told) told(context, c->line, done, strtoull(end, NULL, 10));
    }
}

/* One stream that has something to say, or has ended. */
static void take(struct child *c, int *fd, child_told_fn told, void *context)
{
    static _Thread_local char piece[PIECE];
    ssize_t n = read(*fd, piece, sizeof piece);
    if (n < 0 && errno == EINTR) return;
    bool on = n > 0;
    if (on && fd == &c->out) on = out_take(c, piece, (size_t)n);
    if (on && fd == &c->err) err_take(c, piece, (size_t)n);
    if (on && fd == &c->told) told_take(c, piece, (size_t)n, told, context);
    if (on) return;
    close(*fd);
    *fd = -1;
}

/* Waits without the lock, and takes the pid away under it. */
static int reap(struct child *c)
{
    siginfo_t info;
    int status = 0;
    while (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR)
        continue;
    pthread_mutex_lock(&c->lock);
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    c->pid = -1;
    pthread_mutex_unlock(&c->lock);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool child_hear(struct child *c, int timeout_ms, child_told_fn told, void *context)
{
    uint64_t end = ui_monotonic_ms() + (uint64_t)(timeout_ms < 0 ? 0 : timeout_ms);
    while (c->out >= 0 || c->err >= 0 || c->told >= 0) {
        struct pollfd p[3] = {{c->out, POLLIN, 0}, {c->err, POLLIN, 0}, {c->told, POLLIN, 0}};
        uint64_t now = ui_monotonic_ms();
        if (timeout_ms >= 0 && now >= end) return false;
        if (poll(p, 3, timeout_ms < 0 ? -1 : (int)(end - now)) < 0 && errno != EINTR) break;
        int *const fds[3] = {&c->out, &c->err, &c->told};
        for (int i = 0; i < 3; i++)
            if (p[i].fd >= 0 && p[i].revents) take(c, fds[i], told, context);
    }
    c->exit = reap(c);
    return true;
}

void child_stop(struct child *c)
{
    pthread_mutex_lock(&c->lock);
    if (c->pid > 0) kill(c->pid, SIGTERM);
    pthread_mutex_unlock(&c->lock);
}

void child_clear(struct child *c)
{
    if (c->pid > 0) {
        kill(c->pid, SIGKILL);
        waitpid(c->pid, NULL, 0);
        c->pid = -1;
    }
    int *const fds[3] = {&c->out, &c->err, &c->told};
    for (int i = 0; i < 3; i++)
        if (*fds[i] >= 0) close(*fds[i]);
    free(c->text);
    c->text = NULL;
    c->len = c->cap = 0;
}
