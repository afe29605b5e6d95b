#include "host/daemon/enclave.h"

#include "host/daemon/clock.h"
#include "host/daemon/connect.h"
#include "host/daemon/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LINK_FD = 3, REAP_STEP_MS = 10, CRASH_GRACE_MS = 2000, EXIT_NOT_STARTED = 127 };

struct enclave {
    struct enclave_options options;
    pthread_t supervisor;
    _Atomic uint64_t restarts;
    pthread_mutex_t lock; /* guards what is below */
    pthread_cond_t stop_asked;
    enum enclave_state state;
    bool stopping;
};

const char *enclave_state_name(enum enclave_state state)
{
    static const char *const names[] = {"starting", "up", "down", "refused"};
    return names[state];
}

enum enclave_state enclave_state(struct enclave *enclave)
{
    pthread_mutex_lock(&enclave->lock);
    enum enclave_state s = enclave->state;
    pthread_mutex_unlock(&enclave->lock);
    return s;
}

uint64_t enclave_restarts(struct enclave *enclave)
{
    return atomic_load(&enclave->restarts);
}

static void state_set(struct enclave *e, enum enclave_state state)
{
    pthread_mutex_lock(&e->lock);
    e->state = state;
    pthread_mutex_unlock(&e->lock);
}

void enclave_answered(struct enclave *enclave)
{
    state_set(enclave, ENCLAVE_UP);
    log_line(LOG_INFO, "msg=\"enclave up\"");
}

/* Between fork and exec of a process with threads: system calls only. */
static void child_run(const struct enclave_options *o, int fd, pid_t parent)
{
    const char *argv[12] = {o->path, "--tee",   o->tee,         "--link-fd",
                            "3",     "--state", o->state_folder};
    size_t n = 7;
    if (o->peers) argv[n++] = "--peers", argv[n++] = o->peers;
    if (o->recovery) argv[n++] = "--recovery", argv[n++] = o->recovery;
    char *const env[] = {NULL};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    setpgid(0, 0); /* the terminal's Ctrl-C is for us; the enclave ends when the link does */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int nothing = open("/dev/null", O_RDWR);
    if (getppid() != parent || nothing < 0 || dup2(nothing, 0) < 0 || dup2(nothing, 1) < 0)
        _exit(EXIT_NOT_STARTED);
    if (fd == LINK_FD ? fcntl(fd, F_SETFD, 0) != 0 : dup2(fd, LINK_FD) < 0)
        _exit(EXIT_NOT_STARTED);
    if (close_range(LINK_FD + 1, ~0u, 0) != 0) _exit(EXIT_NOT_STARTED);
    execve(o->path, (char *const *)(uintptr_t)argv, env);
    static const char words[] = "apexd: the enclave's binary cannot be run\n";
    ssize_t lost = write(STDERR_FILENO, words, sizeof words - 1);
    (void)lost;
    _exit(EXIT_NOT_STARTED);
}

static pid_t child_start(const struct enclave_options *o, int *fd)
{
    int pair[2];
    pid_t parent = getpid();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return -1;
    pid_t pid = fork();
    if (pid == 0) child_run(o, pair[1], parent);
    close(pair[1]);
    if (pid < 0) close(pair[0]);
    *fd = pair[0];
    return pid;
}

/* Waits for the child to end by itself, then makes it. */
static int child_reap(pid_t pid, int64_t grace_ms)
{
    int status;
    for (int64_t until = now_ms() + grace_ms; now_ms() < until;) {
        pid_t r = waitpid(pid, &status, WNOHANG);
        if (r == pid) return status;
        sleep_ms(REAP_STEP_MS);
    }
    log_line(LOG_WARN, "msg=\"enclave does not end, killing it\"");
    kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

static bool stopping(struct enclave *e)
{
    pthread_mutex_lock(&e->lock);
    bool s = e->stopping;
    pthread_mutex_unlock(&e->lock);
    return s;
}

/* An enclave that others start: its life is that of the connection. */
static void connection_live(struct enclave *e, struct span greeting)
{
    int fd = connect_enclave(e->options.path);
    if (fd < 0) {
        log_line(LOG_WARN, "msg=\"no enclave there yet\" enclave=%s errno=%d", e->options.path,
                 errno);
        state_set(e, ENCLAVE_DOWN);
        return;
    }
    log_line(LOG_INFO, "msg=\"enclave connected\" enclave=%s", e->options.path);
    apex_status s = link_run(e->options.link, fd, greeting);
    bool asked = stopping(e);
    if (!asked) state_set(e, ENCLAVE_DOWN);
    e->options.gone(e->options.context);
    log_line(asked ? LOG_INFO : LOG_ERROR, "msg=\"enclave gone\" link=%s", apex_status_name(s));
}

/* One life of the enclave. True: another may follow. */
static bool enclave_live(struct enclave *e, struct span greeting)
{
    int fd;
    state_set(e, ENCLAVE_STARTING);
    if (connect_wanted(e->options.path)) {
        connection_live(e, greeting);
        return true;
    }
    pid_t pid = child_start(&e->options, &fd);
    if (pid < 0) {
        log_line(LOG_ERROR, "msg=\"cannot fork the enclave\" errno=%d", errno);
        return true;
    }
    log_line(LOG_INFO, "msg=\"enclave started\" pid=%d", (int)pid);
    apex_status s = link_run(e->options.link, fd, greeting);
    bool asked = stopping(e);
    if (!asked) state_set(e, ENCLAVE_DOWN);
    e->options.gone(e->options.context);
    int status = child_reap(pid, asked ? STOP_GRACE_MS : CRASH_GRACE_MS);
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    log_line(asked ? LOG_INFO : LOG_ERROR, "msg=\"enclave ended\" pid=%d code=%d link=%s",
             (int)pid, code, apex_status_name(s));
    if (asked || code != ENCLAVE_EXIT_REFUSED) return true;
    state_set(e, ENCLAVE_REFUSED);
    log_line(LOG_ERROR, "msg=\"the enclave refuses the stored log; it is not started again\" "
                        "next=\"read its line above, restore the data folder, restart apexd\"");
    return false;
}

/* True when asked to stop. */
static bool backoff_wait(struct enclave *e, int64_t ms)
{
    const struct timespec until = deadline_in(ms);
    pthread_mutex_lock(&e->lock);
    int r = 0;
    while (!e->stopping && r != ETIMEDOUT)
        r = pthread_cond_timedwait(&e->stop_asked, &e->lock, &until);
    bool stop = e->stopping;
    pthread_mutex_unlock(&e->lock);
    return stop;
}

static void *supervisor_main(void *context)
{
    struct enclave *e = context;
    const struct query q = {0};
    BUFFER_CLEARED body = {0};
    BUFFER_CLEARED greeting = {0};
    query_write(MESSAGE_ATTEST, &q, &body);
    message_write(MESSAGE_ATTEST, buffer_span(&body), &greeting);
    int64_t backoff_ms = BACKOFF_FIRST_MS;
    while (!stopping(e)) {
        int64_t born = now_ms();
        if (!enclave_live(e, buffer_span(&greeting))) break;
        if (now_ms() - born > STABLE_MS) backoff_ms = BACKOFF_FIRST_MS;
        if (backoff_wait(e, backoff_ms)) break;
        backoff_ms = backoff_ms * 2 < BACKOFF_MAX_MS ? backoff_ms * 2 : BACKOFF_MAX_MS;
        atomic_fetch_add(&e->restarts, 1);
    }
    return NULL;
}

apex_status enclave_start(const struct enclave_options *options, struct enclave **enclave)
{
    struct enclave *e = calloc(1, sizeof *e);
    if (!e) return APEX_E_MEMORY;
    e->options = *options;
    pthread_mutex_init(&e->lock, NULL);
    cond_init(&e->stop_asked);
    *enclave = e; /* before the thread, whose enclave may answer at once */
    if (pthread_create(&e->supervisor, NULL, supervisor_main, e) == 0) return APEX_OK;
    free(e);
    *enclave = NULL;
    return APEX_E_MEMORY;
}

void enclave_stop(struct enclave *enclave)
{
    if (!enclave) return;
    pthread_mutex_lock(&enclave->lock);
    enclave->stopping = true;
    pthread_cond_broadcast(&enclave->stop_asked);
    pthread_mutex_unlock(&enclave->lock);
    link_cut(enclave->options.link);
    pthread_join(enclave->supervisor, NULL);
    pthread_cond_destroy(&enclave->stop_asked);
    pthread_mutex_destroy(&enclave->lock);
    free(enclave);
}
