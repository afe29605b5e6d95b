/* What a launch measurement needs of a firmware image (OVMF): its footer table and the SEV
 * metadata this points to.
 *
 * The table ends 32 bytes before the image does and is read backwards, entry by entry: {data,
 * u16 size of all, GUID}. The metadata lists, in the order in which the hypervisor adds them,
 * the pages a guest starts with beside the firmware itself.
 * APEX_E_FORMAT: no table, a size that does not add up, a section of a kind we do not know.
 * APEX_E_LIMIT: too many sections or pages. The image is the caller's.
 * Source: edk2, OvmfPkg/ResetVector/X64/OvmfSevMetadata.asm and Ia16/ResetVectorVtf0.asm. */
#ifndef COMMON_ATTEST_OVMF_H
#define COMMON_ATTEST_OVMF_H

#include "common/base/span.h"
#include "include/apex/status.h"

enum {
    FIRMWARE_MAX = 64 * 1024 * 1024,
    OVMF_SECTIONS_MAX = 32,
    OVMF_SECTION_BYTES_MAX = 256 * 1024 * 1024, /* of all sections together */
    GUEST_PAGE = 4096
};
enum ovmf_section_kind {
    OVMF_SEC_MEM = 1,
    OVMF_SECRETS = 2,
    OVMF_CPUID = 3,
    OVMF_SVSM_CAA = 4,
    OVMF_KERNEL_HASHES = 0x10
};
struct ovmf_section {
    uint32_t gpa, size; /* both multiples of GUEST_PAGE */
    enum ovmf_section_kind kind;
};
struct ovmf {
    uint64_t gpa;          /* where the image is mapped: it ends at 4 GiB */
    uint32_t hashes_gpa;   /* where the kernel hashes go; 0: this firmware checks none */
    uint32_t reset_eip;    /* where all processors but the first start; 0: not told */
    uint32_t tdx_from_end; /* where TDX metadata begin, before the image's end; 0: none */
    size_t n_sections;
    struct ovmf_section sections[OVMF_SECTIONS_MAX];
};

apex_status ovmf_parse(struct span image, struct ovmf *o);
/* Is every section whole pages, within bounds, and do they fit together? For those who fill the
 * struct themselves; ovmf_parse() has asked. */
apex_status ovmf_check(const struct ovmf *o);

#endif
