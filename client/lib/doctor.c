#include "include/apex/apex.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef void line_fn(void *context, const char *name, const char *state, const char *advice);

static void device(line_fn *line, void *context, const char *name, const char *path,
                   const char *advice)
{
    bool there = access(path, F_OK) == 0, usable = access(path, R_OK | W_OK) == 0;
    line(context, name,
         usable  ? "yes"
         : there ? "there, but not for this user"
                 : "no",
         usable  ? ""
         : there ? "add the user to the device's group"
                 : advice);
}

static void landlock(line_fn *line, void *context)
{
    char state[32];
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    snprintf(state, sizeof state, abi > 0 ? "yes, ABI %ld" : "no", abi);
    line(context, "landlock", state,
         abi > 0 ? ""
                 : "boot with lsm=landlock,…; seccomp alone still keeps programs from opening "
                   "files");
}

static void memlock(line_fn *line, void *context)
{
    struct rlimit l = {0};
    char state[64];
    getrlimit(RLIMIT_MEMLOCK, &l);
    bool all = l.rlim_max == RLIM_INFINITY;
    snprintf(state, sizeof state, all ? "unlimited" : "%llu KiB",
             (unsigned long long)l.rlim_max / 1024);
    line(context, "locked memory", state,
         all ? ""
             : "ulimit -l unlimited (or LimitMEMLOCK=infinity) lets the enclave keep all its "
               "memory from swap");
}

void apex_doctor(void (*line)(void *context, const char *name, const char *state,
                              const char *advice),
                 void *context)
{
    landlock(line, context);
    memlock(line, context);
    line(context, "user namespaces", access("/proc/self/ns/user", F_OK) == 0 ? "yes" : "no",
         access("/proc/self/ns/user", F_OK) == 0
             ? ""
             : "the jail works without, with seccomp and landlock");
    device(line, context, "KVM", "/dev/kvm",
           "needed to start confidential VMs here; not to use a node elsewhere");
    device(line, context, "AMD SEV-SNP guest", "/dev/sev-guest",
           "run in an SEV-SNP virtual machine to have an enclave that hardware vouches for");
    device(line, context, "Intel TDX guest", "/dev/tdx_guest",
           "run in a TDX virtual machine to have an enclave that hardware vouches for");
    device(line, context, "AWS Nitro enclave", "/dev/nsm",
           "run in a Nitro enclave to have one that hardware vouches for");
    line(context, "sim", "yes",
         "for development only: nothing vouches for a simulated enclave, and its operator can "
         "read it");
}
