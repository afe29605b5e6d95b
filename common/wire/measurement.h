/* What a machine says of the code it runs, as manifests, trust policies and bundles name it:
 *
 *   sim      SHA-256 of the enclave's ELF           32 bytes
 *   sgx      MRENCLAVE                              32
 *   sev-snp  launch digest                          48
 *   nitro    PCR0                                   48 (32 or 64 by another hash)
 *   tdx      MRTD || RTMR1 || RTMR2                 144
 *
 * A TD's MRTD is of the firmware alone: which kernel, initrd and command line ran behind it
 * stand in RTMR1 and RTMR2, so all three are one measurement, and a shorter one is refused.
 * RTMR0 (the machine's virtual hardware) is not of the code; a trust policy may name it.
 * Source: TDX Virtual Firmware Design Guide, "Measurement". */
#ifndef COMMON_WIRE_MEASUREMENT_H
#define COMMON_WIRE_MEASUREMENT_H

#include "common/base/span.h"
#include "include/apex/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader;

enum { MEASUREMENT_MAX = 144, TD_MEASUREMENT_LEN = 144 };
struct measurement {
    uint8_t bytes[MEASUREMENT_MAX];
    size_t len;
};

/* Lower-case hex of any length a kind has. */
apex_status read_measurement(struct reader *r, struct measurement *m);
/* NULL, or in words why no machine of this kind has a measurement of this length. */
const char *measurement_misfit(struct span tee, size_t len);

#endif
