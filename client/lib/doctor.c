#include "client/lib/doctor_machine.h"
#include "include/apex/apex.h"

#include <curl/curl.h>
#include <jansson.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

typedef doctor_line_fn line_fn;

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

static void seccomp(line_fn *line, void *context)
{
    unsigned action = SECCOMP_RET_KILL_PROCESS;
    bool there = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
    line(context, "seccomp", there ? "yes" : "no",
         there
             ? ""
             : "a kernel with CONFIG_SECCOMP_FILTER is needed: a node does not start without");
}

/* Tried, since a kernel may have them and not give them to this user. */
static void namespaces(line_fn *line, void *context)
{
    int status = 1;
    pid_t pid = fork();
    if (pid == 0) _exit(unshare(CLONE_NEWUSER) == 0 ? 0 : 1);
    bool given = pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
    line(context, "user namespaces", given ? "yes" : "no",
         given ? ""
               : "the jail works without, with seccomp and landlock; "
                 "sysctl kernel.unprivileged_userns_clone=1 may give them");
}

/* Ciphertext waits there until it is sent. */
static void spool(line_fn *line, void *context)
{
    const char *folder = getenv("TMPDIR") ? getenv("TMPDIR") : "/var/tmp";
    struct statvfs v;
    char state[64] = "no such folder";
    bool there = statvfs(folder, &v) == 0;
    if (there)
        snprintf(state, sizeof state, "%llu MiB",
                 (unsigned long long)v.f_bavail * v.f_frsize >> 20);
    line(context, "room for ciphertext", state,
         "in TMPDIR or /var/tmp; a contribution needs about the size of its rows");
}

static bool on_path(const char *program)
{
    char file[1024];
    const char *at = getenv("PATH");
    while (at && *at) {
        int len = (int)strcspn(at, ":");
        snprintf(file, sizeof file, "%.*s/%s", len, at, program);
        if (access(file, X_OK) == 0) return true;
        at += len + (at[len] == ':');
    }
    return false;
}

static void libraries(line_fn *line, void *context)
{
    char state[64];
    line(context, "libsodium", sodium_version_string(), "");
    line(context, "jansson", JANSSON_VERSION, "");
    const curl_version_info_data *c = curl_version_info(CURLVERSION_NOW);
    snprintf(state, sizeof state, "%.20s, %.36s", c->version,
             c->ssl_version ? c->ssl_version : "no TLS");
    line(context, "libcurl", state,
         c->ssl_version ? "" : "a libcurl with TLS is needed for https nodes");
    bool compiler = on_path("gcc");
    line(context, "gcc", compiler ? "yes" : "no",
         compiler ? ""
                  : "apt-get install gcc: `apex contract build` and `verify` need it, nothing "
                    "else does");
}

void apex_doctor(void (*line)(void *context, const char *name, const char *state,
                              const char *advice),
                 void *context)
{
    landlock(line, context);
    seccomp(line, context);
    namespaces(line, context);
    memlock(line, context);
    spool(line, context);
    libraries(line, context);
    char qemu[120];
    doctor_machine("", doctor_qemu(qemu, sizeof qemu), line, context);
    line(context, "sim", "yes",
         "for development only: nothing vouches for a simulated enclave, and its operator can "
         "read it");
}
