#include "enclave/core/jail_child.h"

#include "enclave/core/jail_filter.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    EXIT_NOT_STARTED = 126,
    FS_ABI_1 = (1 << 13) - 1,
    FS_REFER = 1 << 13,
    FS_TRUNCATE = 1 << 14,
    STACK_LIMIT = 8 << 20
};

/* A ruleset that handles every access this kernel knows and grants none. */
int jail_landlock_new(int *abi)
{
    struct landlock_ruleset_attr attr = {.handled_access_fs = FS_ABI_1};
    *abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (*abi < 1) return -1;
    if (*abi >= 2) attr.handled_access_fs |= FS_REFER;
    if (*abi >= 3) attr.handled_access_fs |= FS_TRUNCATE;
    return (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
}

static bool limit(int what, uint64_t value)
{
    const struct rlimit l = {value, value};
    return setrlimit((__rlimit_resource_t)what, &l) == 0;
}

/* Places 3, 4, …; nothing below them; everything above closes when the program starts. */
static bool files_place(const struct jail_child *c)
{
    for (size_t i = 0; i < c->n_files; i++)
        if (dup2(c->files[i], APEX_FD_REQUEST + (int)i) < 0) return false;
    if (dup2(c->program, JAIL_PROGRAM_FD) < 0) return false;
    if (syscall(SYS_close_range, 0, APEX_FD_REQUEST - 1, 0) != 0) return false;
    return syscall(SYS_close_range, APEX_FD_REQUEST + c->n_files, ~0U, CLOSE_RANGE_CLOEXEC) ==
           0;
}

static bool limits_set(const struct jail_limits *l)
{
    return limit(RLIMIT_CORE, 0) && limit(RLIMIT_AS, l->memory_bytes) &&
           limit(RLIMIT_CPU, l->cpu_seconds) && limit(RLIMIT_FSIZE, l->output_bytes) &&
           limit(RLIMIT_MEMLOCK, 0) && limit(RLIMIT_STACK, STACK_LIMIT);
}

/* The time-stamp counter faults, and with it the clock that the kernel maps into every process.
 */
static bool clock_hide(void)
{
#if defined(__x86_64__)
    return prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0) == 0;
#else
    return true;
#endif
}

static int confine(struct jail_child *c)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return 1;
    if (!files_place(c)) return 2;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 3;
    if (c->machine->landlock >= 0 &&
        syscall(SYS_landlock_restrict_self, c->machine->landlock, 0) != 0)
        return 4;
    if (!clock_hide()) return 5;
    if (!limits_set(&c->limits)) return 6;
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &c->machine->filter) != 0) return 7;
    return 0;
}

int jail_child_main(void *child)
{
    struct jail_child *c = child;
    char *const argv[] = {(char[]){"contract"}, NULL};
    char *const envp[] = {NULL};
    if (c->probe) return 0;
    c->failed_at = confine(c);
    if (c->failed_at) return EXIT_NOT_STARTED;
    syscall(SYS_execveat, JAIL_PROGRAM_FD, "", argv, envp, AT_EMPTY_PATH);
    c->failed_at = 8;
    return EXIT_NOT_STARTED;
}
