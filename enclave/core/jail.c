#include "enclave/core/jail.h"
#include "enclave/core/kept_tables.h"

#include "common/base/try.h"
#include "common/base/wipe.h"
#include "common/crypto/hash.h"
#include "enclave/core/jail_child.h"
#include "enclave/core/jail_filter.h"
#include "enclave/core/memory_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    EXIT_SAID_FIRST = 10,
    EXIT_SAID_LAST = 99,
    EXIT_MEMORY = 101,
    EXIT_OUTPUT = 102,
    PROGRESS_MS = 100,
    STACK_BYTES = 64 * 1024
};

static struct jail_machine machine; /* set by jail_init, then only read */

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Hashed after sealing: what is hashed is what runs. */
static bool program_is(const struct memory_file *program, const uint8_t *digest)
{
    if (!program->sealed || program->size == 0) return false;
    void *bytes = mmap(NULL, (size_t)program->size, PROT_READ, MAP_PRIVATE, program->fd, 0);
    uint8_t ours[HASH_LEN];
    if (bytes == MAP_FAILED) return false;
    sha256(span_of(bytes, (size_t)program->size), ours);
    munmap(bytes, (size_t)program->size);
    return memcmp(ours, digest, sizeof ours) == 0;
}

struct descriptors {
    int progress[2], result;
};

/* The child puts descriptors into their places one by one; sources lie above all places, so
 * that none is overwritten. */
static int high(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, JAIL_PROGRAM_FD + 1);
}

static apex_status child_fill(const struct jail_job *job, const struct descriptors *d,
                              struct jail_child *c)
{
    c->machine = &machine;
    c->limits = job->limits;
    c->program = high(job->program->fd);
    size_t fed = job->feed > 0;
    c->n_files = APEX_FD_TABLES - APEX_FD_REQUEST + fed + job->n_tables;
    for (size_t i = 0; i < c->n_files; i++)
        c->files[i] = -1;
    c->files[0] = high(job->request->fd);
    c->files[1] = high(d->result);
    c->files[2] = high(d->progress[1]);
    if (fed) c->files[3] = high(job->feed);
    for (size_t i = 0; i < job->n_tables; i++)
        c->files[3 + fed + i] = high(job->tables[i]->fd);
    for (size_t i = 0; i < c->n_files; i++)
        if (c->files[i] < 0) return APEX_E_LIMIT;
    return c->program < 0 ? APEX_E_LIMIT : APEX_OK;
}

static void child_clear(struct jail_child *c)
{
    for (size_t i = 0; i < c->n_files; i++)
        if (c->files[i] >= 0) close(c->files[i]);
    if (c->program >= 0) close(c->program);
}

/* The child shares our memory until it executes (as vfork does): no page tables to copy, and
 * fit for a threaded parent, since it makes system calls only. New namespaces where the kernel
 * grants them. */
static pid_t child_start(struct jail_child *c)
{
    static const int shares = CLONE_VM | CLONE_VFORK | SIGCHLD;
    uint8_t *stack = aligned_alloc(64, STACK_BYTES);
    if (!stack) return -1;
    pid_t pid = clone(jail_child_main, stack + STACK_BYTES, shares | machine.namespaces, c);
    if (pid < 0 && machine.namespaces)
        pid = clone(jail_child_main, stack + STACK_BYTES, shares, c);
    free(stack);
    return pid;
}

struct watch {
    const struct jail_job *job;
    int pidfd, progress;
    uint64_t deadline, told_at;
    bool timed_out;
};

static void progress_read(struct watch *w)
{
    uint8_t bytes[4096];
    ssize_t n, last = -1;
    while ((n = read(w->progress, bytes, sizeof bytes)) > 0)
        last = bytes[n - 1];
    if (last < 0 || !w->job->progress || now_ms() - w->told_at < PROGRESS_MS) return;
    w->told_at = now_ms();
    w->job->progress(w->job->context, last > 100 ? 100 : (unsigned)last);
}

/* Until it ends, or its time does. A flood of progress is emptied at most ten times a second.
 */
static void watch_until_end(struct watch *w, pid_t pid)
{
    struct pollfd wait[2] = {{w->pidfd, POLLIN, 0}, {w->progress, POLLIN, 0}};
    for (;;) {
        uint64_t now = now_ms();
        if (now >= w->deadline) {
            w->timed_out = true;
            kill(pid, SIGKILL);
            return;
        }
        bool told = now - w->told_at < PROGRESS_MS;
        uint64_t left = w->deadline - now, pause = told ? PROGRESS_MS : 1000;
        int n = poll(wait, told ? 1 : 2, (int)(left < pause ? left : pause));
        if (n < 0 && errno != EINTR) return;
        if (wait[0].revents) return;
        if (!told && n > 0 && wait[1].revents & POLLIN)
            progress_read(w);
        else if (!told && n > 0 && wait[1].revents)
            wait[1].fd = -1; /* it closed its end */
    }
}

static bool cpu_spent(const struct rusage *u, const struct jail_limits *l)
{
    return (uint64_t)u->ru_utime.tv_sec + (uint64_t)u->ru_stime.tv_sec + 1 >= l->cpu_seconds;
}

static enum jail_end end_by_signal(int signal, const struct watch *w, const struct rusage *u)
{
    const struct jail_limits *l = &w->job->limits;
    bool full = (uint64_t)u->ru_maxrss * 1024 > l->memory_bytes / 5 * 4;
    if (w->timed_out || signal == SIGXCPU || (signal == SIGKILL && cpu_spent(u, l)))
        return JAIL_TIMEOUT;
    if (signal == SIGSYS) return JAIL_BREACH;
    if (signal == SIGXFSZ) return JAIL_OUTPUT;
    return signal == SIGKILL || full ? JAIL_MEMORY : JAIL_CRASHED;
}

static enum jail_end end_of(int status, const struct watch *w, const struct rusage *u)
{
    if (WIFSIGNALED(status)) return end_by_signal(WTERMSIG(status), w, u);
    int code = WEXITSTATUS(status);
    if (code == 0) return JAIL_RELEASED;
    if (code == EXIT_MEMORY) return JAIL_MEMORY;
    if (code == EXIT_OUTPUT) return JAIL_OUTPUT;
    return code >= EXIT_SAID_FIRST && code <= EXIT_SAID_LAST ? JAIL_SAID_NO : JAIL_CRASHED;
}

/* The detail of a refusal: printable ASCII, whatever the program wrote. */
static void detail_take(int fd, char detail[static 121])
{
    ssize_t n = pread(fd, detail, 120, 0);
    if (n < 0) n = 0;
    for (ssize_t i = 0; i < n; i++)
        if (detail[i] < 0x20 || detail[i] > 0x7e) detail[i] = '?';
    detail[n] = 0;
}

static void output_take(int fd, const struct jail_limits *l, struct jail_result *r)
{
    off_t len = lseek(fd, 0, SEEK_END);
    if (len <= 0 || (uint64_t)len > l->output_bytes) {
        r->end = JAIL_OUTPUT;
        return;
    }
    r->output = malloc((size_t)len);
    r->output_len = (size_t)len;
    for (size_t at = 0; r->output && at < r->output_len;) {
        ssize_t n = pread(fd, r->output + at, r->output_len - at, (off_t)at);
        if (n <= 0) break;
        at += (size_t)n;
    }
    if (!r->output) r->end = JAIL_MACHINE;
}

static void collect(int status, const struct watch *w, const struct rusage *u, int result,
                    struct jail_result *r)
{
    r->end = end_of(status, w, u);
    if (r->end == JAIL_SAID_NO) {
        r->said = (unsigned)(WEXITSTATUS(status) - EXIT_SAID_FIRST);
        detail_take(result, r->detail);
    }
    if (r->end == JAIL_RELEASED) output_take(result, &w->job->limits, r);
}

static apex_status start_and_watch(const struct jail_job *job, const struct descriptors *d,
                                   struct jail_child *c, struct jail_result *r)
{
    struct watch w = {.job = job,
                      .progress = d->progress[0],
                      .deadline = now_ms() + job->limits.wall_seconds * 1000};
    struct rusage usage;
    int status;
    pid_t pid = child_start(c);
    if (pid < 0) return APEX_E_IO;
    w.pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (w.pidfd < 0)
        kill(pid, SIGKILL);
    else
        watch_until_end(&w, pid);
    while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR) {
    }
    if (w.pidfd >= 0) close(w.pidfd);
    if (w.pidfd < 0 || c->failed_at) return APEX_E_IO;
    progress_read(&w);
    collect(status, &w, &usage, d->result, r);
    return APEX_OK;
}

static apex_status run(const struct jail_job *job, struct jail_result *r)
{
    struct descriptors d = {{-1, -1}, -1};
    struct jail_child *c = calloc(1, sizeof *c);
    if (!c) return APEX_E_MEMORY;
    d.result = memfd_create("result", MFD_CLOEXEC);
    apex_status s = d.result >= 0 && pipe2(d.progress, O_CLOEXEC | O_NONBLOCK) == 0
                        ? child_fill(job, &d, c)
                        : APEX_E_LIMIT;
    if (s == APEX_OK) s = start_and_watch(job, &d, c, r);
    child_clear(c);
    free(c);
    if (d.progress[0] >= 0) close(d.progress[0]);
    if (d.progress[1] >= 0) close(d.progress[1]);
    if (d.result >= 0) close(d.result);
    return s;
}

apex_status jail_run(const struct jail_job *job, struct jail_result *result)
{
    *result = (struct jail_result){.end = JAIL_PROGRAM_TAMPERED};
    if (!machine.ready || job->n_tables > JAIL_TABLES_MAX) return APEX_E_USAGE;
    if (!program_is(job->program, job->program_digest)) return APEX_OK;
    result->end = JAIL_MACHINE;
    return run(job, result);
}

void jail_result_clear(struct jail_result *result)
{
    if (result->output) wipe(result->output, result->output_len);
    free(result->output);
    *result = (struct jail_result){.end = JAIL_MACHINE};
}

static bool namespaces_work(int flags)
{
    struct jail_child c = {.probe = true};
    struct jail_machine none = {0};
    uint8_t *stack = aligned_alloc(64, STACK_BYTES);
    int status;
    c.machine = &none;
    if (!stack) return false;
    pid_t pid = clone(jail_child_main, stack + STACK_BYTES,
                      CLONE_VM | CLONE_VFORK | SIGCHLD | flags, &c);
    free(stack);
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status);
}

apex_status jail_init(char *report, size_t report_len)
{
    struct rlimit files;
    TRY(jail_filter_build(&machine.filter));
    int wanted = CLONE_NEWUSER | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET;
    machine.namespaces = namespaces_work(wanted) ? wanted : 0;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return APEX_E_IO;
    files.rlim_cur = files.rlim_max > 8192 ? 8192 : files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0 ||
        files.rlim_cur < JAIL_PROGRAM_FD + JAIL_TABLES_MAX + TABLES_KEPT + 64)
        return APEX_E_LIMIT;
    int rules = jail_landlock_new(&machine.landlock_abi);
    machine.landlock = rules >= 0 ? high(rules) : -1; /* out of the way of the places 3, 4, … */
    if (rules >= 0) close(rules);
    machine.ready = true;
    if (report)
        snprintf(report, report_len,
                 "seccomp: yes; landlock: %s%d; namespaces (user, ipc, uts, net): %s",
                 machine.landlock >= 0 ? "ABI " : "no, ", machine.landlock_abi,
                 machine.namespaces ? "yes" : "no");
    return APEX_OK;
}
