/* What Intel's extension of a PCK certificate says of the platform: the value of OID
 * 1.2.840.113741.1.13.1, DER. Each part is needed exactly once; parts we do not know (platform
 * instance, configuration) are passed over.
 * APEX_E_FORMAT: not that extension. Source: Intel SGX PCK Certificate and CRL Profile, 1.3.5.
 */
#ifndef COMMON_ATTEST_PCK_H
#define COMMON_ATTEST_PCK_H

#include "common/base/span.h"
#include "include/apex/status.h"

#define PCK_EXTENSION_OID "1.2.840.113741.1.13.1"

struct pck {
    uint8_t ppid[16];
    uint8_t svn[16]; /* TCB components */
    uint16_t pce_svn;
    uint8_t cpu_svn[16];
    uint8_t pce_id[2], fmspc[6];
    uint32_t type; /* 0 standard, 1 scalable */
};

apex_status pck_parse(struct span extension, struct pck *p);

#endif
