/* What genuine evidence says, decoded. verdict_claims() in attest.h hands it out for genuine
 * evidence alone; for any other there is nothing to read. */
#ifndef COMMON_ATTEST_CLAIMS_H
#define COMMON_ATTEST_CLAIMS_H

#include "common/attest/intel.h"
#include "common/attest/nitro_document.h"
#include "common/attest/snp_report.h"

/* The member is told by struct verdict's `tee`. */
struct claims {
    union {
        struct snp_report snp;     /* sev-snp */
        struct nitro_claims nitro; /* nitro */
        struct intel_claims intel; /* tdx, sgx */
    } of;
};

#endif
