/* The registers of an Intel TD that follow from what it is started with.
 *
 * MRTD: the firmware alone. Its TDX metadata (found through the same footer table as ovmf.h's)
 *   names the sections whose pages the hypervisor adds, and which of them are hashed. Two
 * orders are in use: Linux 6.16 and later hash each page as they add it; earlier out-of-tree
 * kernels added a section whole and hashed it then. Both are given; a TD has one of them.
 * RTMR2: command line and initrd, when OVMF starts a kernel that QEMU hands it and the kernel's
 *   EFI stub measures both (Linux 6.9 and later do).
 * RTMR0 (virtual hardware, ACPI tables, boot variables) and RTMR1 (the kernel as QEMU patched
 * it) depend on the machine's shape and the hypervisor's version: they are read from a trusted
 * start, not computed here. RTMR3 is zero unless the guest extends it; APEX does not.
 * APEX_E_NOT_FOUND: the firmware has no TDX metadata. APEX_E_FORMAT: it does not add up.
 * Source: TDX Virtual Firmware Design Guide (344991), section 11; TDX Module specification,
 * MEM.PAGE.ADD and MR.EXTEND; Linux, drivers/firmware/efi/libstub. */
#ifndef COMMON_ATTEST_TDVF_H
#define COMMON_ATTEST_TDVF_H

#include "common/base/span.h"
#include "include/apex/status.h"

enum { TD_REGISTER_LEN = 48, TDVF_SECTIONS_MAX = 32 };
enum td_order { TD_PAGE_BY_PAGE, TD_SECTION_BY_SECTION };

apex_status td_mrtd(struct span image, enum td_order order,
                    uint8_t mrtd[static TD_REGISTER_LEN]);
/* cmdline: ASCII, as given to QEMU's -append; OVMF adds " initrd=initrd" itself. */
apex_status td_rtmr2(struct span cmdline, struct span initrd,
                     uint8_t rtmr2[static TD_REGISTER_LEN]);

#endif
