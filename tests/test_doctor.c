/* What `apex doctor` says of machines that are made of folders. */
#include "client/lib/doctor_machine.h"
#include "tests/check.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_MAX = 16 };
struct lines {
    unsigned n;
    struct {
        char name[32], state[64], advice[240];
    } line[LINES_MAX];
};

static void take(void *context, const char *name, const char *state, const char *advice)
{
    struct lines *l = context;
    CHECK(l->n < LINES_MAX);
    snprintf(l->line[l->n].name, sizeof l->line[0].name, "%s", name);
    snprintf(l->line[l->n].state, sizeof l->line[0].state, "%s", state);
    snprintf(l->line[l->n++].advice, sizeof l->line[0].advice, "%s", advice);
}

static bool says(const struct lines *l, const char *name, const char *state, const char *advice)
{
    for (unsigned i = 0; i < l->n; i++)
        if (strcmp(l->line[i].name, name) == 0)
            return strcmp(l->line[i].state, state) == 0 &&
                   (*advice ? strstr(l->line[i].advice, advice) != NULL
                            : l->line[i].advice[0] == 0);
    return false;
}

/* A machine that has these files, a "Y" in each. */
static void machine(const char *files, const char *qemu, struct lines *l)
{
    char root[] = "/tmp/apex-doctor-XXXXXX", command[1024];
    CHECK(mkdtemp(root) != NULL);
    snprintf(command, sizeof command,
             "cd %s && for f in %s; do mkdir -p $(dirname ./$f) && echo Y >./$f; done", root,
             files);
    CHECK(*files == 0 || system(command) == 0);
    *l = (struct lines){0};
    doctor_machine(root, qemu, take, l);
    snprintf(command, sizeof command, "rm -rf %s", root);
    CHECK(system(command) == 0);
}

static void an_ordinary_machine_lacks_all_of_it_and_is_told_what_to_get(void **state)
{
    struct lines l;
    (void)state;
    machine("", NULL, &l);
    CHECK(says(&l, "AMD SEV-SNP guest", "no", "docs/deploy/snp-qemu.md"));
    CHECK(says(&l, "Intel TDX guest", "no", "docs/deploy/tdx.md"));
    CHECK(says(&l, "AWS Nitro enclave", "no", "docs/deploy/nitro.md"));
    CHECK(says(&l, "configfs-tsm", "not mounted", "only a confidential guest"));
    CHECK(says(&l, "AMD SEV-SNP host", "no", "EPYC"));
    CHECK(says(&l, "Intel TDX host", "no", "Xeon"));
    CHECK(says(&l, "KVM", "no", "needed to start"));
    CHECK(says(&l, "QEMU", "no", "apt-get install qemu-system-x86"));
}

static void an_snp_guest_is_known_by_its_device_and_told_of_configfs(void **state)
{
    struct lines l;
    (void)state;
    machine("dev/sev-guest", NULL, &l);
    CHECK(says(&l, "AMD SEV-SNP guest", "yes", ""));
    CHECK(says(&l, "configfs-tsm", "not mounted", "mount -t configfs"));
    machine("dev/sev-guest sys/kernel/config/other", NULL, &l);
    CHECK(says(&l, "configfs-tsm", "no reports", "modprobe tsm"));
    machine("dev/sev-guest sys/kernel/config/tsm/report/x", NULL, &l);
    CHECK(says(&l, "configfs-tsm", "yes", ""));
}

static void hosts_are_known_by_their_kvm(void **state)
{
    struct lines l;
    (void)state;
    machine("dev/kvm sys/module/kvm_amd/parameters/sev_snp dev/vhost-vsock", NULL, &l);
    CHECK(says(&l, "AMD SEV-SNP host", "yes", "") && says(&l, "KVM", "yes", ""));
    CHECK(says(&l, "vhost-vsock", "yes", "") && says(&l, "Intel TDX host", "no", "Xeon"));
    machine("sys/module/kvm_intel/parameters/tdx", NULL, &l);
    CHECK(says(&l, "Intel TDX host", "yes", ""));
}

static void a_qemu_is_told_by_what_it_can_start(void **state)
{
    struct lines l;
    (void)state;
    machine("", "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)", &l);
    CHECK(says(&l, "QEMU", "7.2, plain guests only", "9.1 or later"));
    machine("", "QEMU emulator version 9.1.0", &l);
    CHECK(says(&l, "QEMU", "9.1, starts SNP guests", "10.1"));
    machine("", "QEMU emulator version 10.1.2", &l);
    CHECK(says(&l, "QEMU", "10.1, starts SNP and TDX guests", ""));
    machine("", "something else", &l);
    CHECK(says(&l, "QEMU", "of an unknown version", "apt-get"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ordinary_machine_lacks_all_of_it_and_is_told_what_to_get),
        cmocka_unit_test(an_snp_guest_is_known_by_its_device_and_told_of_configfs),
        cmocka_unit_test(hosts_are_known_by_their_kvm),
        cmocka_unit_test(a_qemu_is_told_by_what_it_can_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
