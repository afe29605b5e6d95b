#include "enclave/core/jail_filter.h"

#include "common/base/try.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Reading and writing what it was given, its own memory, its own threads, its end. */
static const int allowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(readv),
    SCMP_SYS(writev),
    SCMP_SYS(pread64),
    SCMP_SYS(pwrite64),
    SCMP_SYS(lseek),
    SCMP_SYS(fstat),
    SCMP_SYS(close),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(futex),
    SCMP_SYS(set_tid_address),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(gettid),
    SCMP_SYS(getpid),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};
/* What a static C library asks at its start or end and lives without: told that there is none,
 * not killed. */
static const struct {
    int call, error;
} absent[] = {
    {SCMP_SYS(getrandom), ENOSYS},    {SCMP_SYS(readlink), ENOENT},
    {SCMP_SYS(readlinkat), ENOENT},   {SCMP_SYS(ioctl), ENOTTY},
    {SCMP_SYS(clone3), ENOSYS},       {SCMP_SYS(tgkill), EPERM},
    {SCMP_SYS(kill), EPERM},          {SCMP_SYS(tkill), EPERM},
    {SCMP_SYS(clock_gettime), EPERM}, {SCMP_SYS(gettimeofday), EPERM},
    {SCMP_SYS(time), EPERM},          {SCMP_SYS(newfstatat), EACCES},
    {SCMP_SYS(sysinfo), ENOSYS},
};

static int conditional(scmp_filter_ctx f)
{
    /* Memory is never executable but for the program's own text. */
    int bad = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                               SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    bad |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                            SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    bad |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                            SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    bad |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
                            SCMP_A2(SCMP_CMP_EQ, 0)); /* asks a limit, sets none */
#if defined(__x86_64__)
    bad |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(arch_prctl), 1,
                            SCMP_A0(SCMP_CMP_EQ, 0x1002)); /* ARCH_SET_FS */
    bad |= seccomp_rule_add(f, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(arch_prctl), 1,
                            SCMP_A0(SCMP_CMP_NE, 0x1002));
#endif
    bad |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(execveat), 2,
                            SCMP_A0(SCMP_CMP_EQ, JAIL_PROGRAM_FD),
                            SCMP_A4(SCMP_CMP_EQ, AT_EMPTY_PATH));
    return bad;
}

static int fill(scmp_filter_ctx f)
{
    int bad = 0;
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        bad |= seccomp_rule_add(f, SCMP_ACT_ALLOW, allowed[i], 0);
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        bad |=
            seccomp_rule_add(f, SCMP_ACT_ERRNO((uint16_t)absent[i].error), absent[i].call, 0);
    return bad | conditional(f);
}

static apex_status export(scmp_filter_ctx f, struct sock_fprog *filter)
{
    int fd = memfd_create("filter", MFD_CLOEXEC);
    off_t len = fd < 0 || seccomp_export_bpf(f, fd) != 0 ? 0 : lseek(fd, 0, SEEK_END);
    struct sock_filter *code = len > 0 ? malloc((size_t)len) : NULL;
    bool whole = code && pread(fd, code, (size_t)len, 0) == len;
    if (fd >= 0) close(fd);
    if (!whole) {
        free(code);
        return APEX_E_IO;
    }
    *filter = (struct sock_fprog){(unsigned short)((size_t)len / sizeof *code), code};
    return APEX_OK;
}

apex_status jail_filter_build(struct sock_fprog *filter)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!f) return APEX_E_MEMORY;
    apex_status s = seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0 && fill(f) == 0
                        ? export(f, filter)
                        : APEX_E_BUG;
    seccomp_release(f);
    return s;
}
