#include "client/lib/doctor_machine.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_LEN = 1024, STATE_LEN = 80 };

struct looking {
    const char *root;
    doctor_line_fn *line;
    void *context;
};

static bool there(const struct looking *l, const char *path, int mode)
{
    char full[PATH_LEN];
    snprintf(full, sizeof full, "%s%s", l->root, path);
    return access(full, mode) == 0;
}

/* A kernel module's yes-or-no parameter. */
static bool parameter(const struct looking *l, const char *path)
{
    char full[PATH_LEN], answer[4] = "";
    snprintf(full, sizeof full, "%s%s", l->root, path);
    FILE *f = fopen(full, "r");
    bool yes = f && fgets(answer, sizeof answer, f) && (answer[0] == 'Y' || answer[0] == '1');
    if (f) fclose(f);
    return yes;
}

static void say(const struct looking *l, const char *name, bool yes, const char *state,
                const char *advice)
{
    l->line(l->context, name, state, yes ? "" : advice);
}

static void device(const struct looking *l, const char *name, const char *path,
                   const char *advice)
{
    bool usable = there(l, path, R_OK | W_OK), exists = there(l, path, F_OK);
    say(l, name, usable,
        usable   ? "yes"
        : exists ? "there, but not for this user"
                 : "no",
        exists ? "add the user to the device's group, or run as root" : advice);
}

static void guest(const struct looking *l)
{
    device(l, "AMD SEV-SNP guest", "/dev/sev-guest",
           "run in an SEV-SNP virtual machine to have an enclave that hardware vouches for "
           "(docs/deploy/snp-qemu.md, docs/deploy/clouds.md)");
    device(l, "Intel TDX guest", "/dev/tdx_guest",
           "run in a TDX virtual machine to have an enclave that hardware vouches for "
           "(docs/deploy/tdx.md, docs/deploy/clouds.md)");
    device(l, "AWS Nitro enclave", "/dev/nsm",
           "run in a Nitro enclave to have one that hardware vouches for "
           "(docs/deploy/nitro.md)");
}

/* A guest without it can still be an SNP one with an older kernel. */
static void configfs_tsm(const struct looking *l)
{
    bool in_guest = there(l, "/dev/sev-guest", F_OK) || there(l, "/dev/tdx_guest", F_OK);
    bool mounted = there(l, "/sys/kernel/config", X_OK),
         reports = there(l, "/sys/kernel/config/tsm/report", F_OK);
    say(l, "configfs-tsm", reports,
        reports   ? "yes"
        : mounted ? "no reports"
                  : "not mounted",
        !in_guest  ? "only a confidential guest has it"
        : !mounted ? "mount -t configfs none /sys/kernel/config"
                   : "a kernel of 6.7 or later, with modprobe tsm and sev-guest or tdx-guest");
}

static void host(const struct looking *l)
{
    bool snp = parameter(l, "/sys/module/kvm_amd/parameters/sev_snp"),
         tdx = parameter(l, "/sys/module/kvm_intel/parameters/tdx");
    device(l, "KVM", "/dev/kvm",
           "needed to start confidential machines here; not to use a node elsewhere");
    say(l, "AMD SEV-SNP host", snp, snp ? "yes" : "no",
        "an EPYC 7003 or later with SNP on in the firmware, and Linux 6.11 or later");
    say(l, "Intel TDX host", tdx, tdx ? "yes" : "no",
        "a Xeon with TDX on in the firmware, and Linux 6.16 or later with kvm_intel.tdx=1");
    device(l, "vhost-vsock", "/dev/vhost-vsock",
           "modprobe vhost_vsock; a virtio-serial port does as well");
}

static bool version_of(const char *qemu, int *major, int *minor)
{
    const char *at = qemu ? strstr(qemu, "version ") : NULL;
    return at && sscanf(at + strlen("version "), "%d.%d", major, minor) == 2;
}

/* Which guests a QEMU can start; 9.1 brought SNP, 10.1 TDX. */
static void qemu_line(const struct looking *l, const char *qemu)
{
    char state[STATE_LEN];
    int major = 0, minor = 0;
    if (!version_of(qemu, &major, &minor)) {
        say(l, "QEMU", false, qemu ? "of an unknown version" : "no",
            "apt-get install qemu-system-x86: `make demo TEE=vm` and the tests boot the image");
        return;
    }
    int version = major * 100 + minor;
    snprintf(state, sizeof state, "%d.%d, %s", major, minor,
             version >= 1001  ? "starts SNP and TDX guests"
             : version >= 901 ? "starts SNP guests"
                              : "plain guests only");
    say(l, "QEMU", version >= 1001, state,
        version >= 901 ? "10.1 or later starts TDX guests"
                       : "9.1 or later starts SEV-SNP guests, 10.1 TDX guests; this one boots "
                         "the image without hardware that vouches for it");
}

void doctor_machine(const char *root, const char *qemu, doctor_line_fn *line, void *context)
{
    const struct looking l = {root, line, context};
    guest(&l);
    configfs_tsm(&l);
    host(&l);
    qemu_line(&l, qemu);
}

const char *doctor_qemu(char *text, int size)
{
    FILE *f = popen("exec qemu-system-x86_64 --version 2>/dev/null", "re");
    bool some = f && fgets(text, size, f);
    if (f) pclose(f);
    return some ? text : NULL;
}
