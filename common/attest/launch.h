/* The launch measurement of an AMD SEV-SNP guest, recomputed from what it is started with.
 *
 * The secure processor hashes every page a guest begins with, in the order the hypervisor adds
 * them: the firmware; the sections the firmware's metadata names (with the hashes of kernel,
 * initrd and command line in one of them, which the firmware checks before it starts them); and
 * one page of registers per virtual processor. The hypervisors differ in those registers, so
 * the verifier has to know which one it was, how many processors there are, their CPUID
 * signature and the SEV features.
 * APEX_E_USAGE: a kernel for a firmware that checks none, no processors, more than one
 * processor where the firmware does not tell where the others start. APEX_E_FORMAT: see
 * ovmf_check(). Source: AMD SEV-SNP ABI specification (56860), 8.17.2 and table "PAGE_INFO";
 * AMD64 APM volume 2 (24593), table B-4; QEMU, target/i386/sev.c. */
#ifndef COMMON_ATTEST_LAUNCH_H
#define COMMON_ATTEST_LAUNCH_H

#include "common/attest/ovmf.h"

enum { LAUNCH_DIGEST_LEN = 48, VCPUS_MAX = 4096 };
enum launch_vmm { LAUNCH_QEMU, LAUNCH_EC2, LAUNCH_GCE };

/* SHA-256 each. The command line's covers one NUL byte after the text; an absent initrd is an
 * empty one. */
struct launch_kernel {
    uint8_t kernel[32], initrd[32], cmdline[32];
};
struct launch {
    uint8_t firmware[LAUNCH_DIGEST_LEN]; /* launch_firmware() */
    const struct ovmf *ovmf;
    const struct launch_kernel *kernel; /* NULL: none is given to the firmware */
    enum launch_vmm vmm;
    uint32_t vcpus;
    uint32_t vcpu_signature; /* CPUID Fn0000_0001 EAX; QEMU alone puts it into RDX */
    uint64_t features;       /* SEV_FEATURES: 1 SNP, 0x21 with debug registers swapped */
};

/* The measurement after the firmware's own pages, mapped to end at 4 GiB. image: whole pages.
 */
apex_status launch_firmware(struct span image, uint8_t digest[static LAUNCH_DIGEST_LEN]);
apex_status launch_measure(const struct launch *l, uint8_t digest[static LAUNCH_DIGEST_LEN]);
/* The CPUID signature of one of QEMU's processor models ("EPYC-v4", "EPYC-Milan", …);
 * APEX_E_NOT_FOUND. */
apex_status launch_vcpu_signature(const char *model, uint32_t *signature);

#endif
