/* Intel evidence: what a genuine quote (SGX or TDX) says, and what Intel says of the platform
 * that made it. Judged by intel_judge() (judge.h).
 *
 * The chain of belief: Intel's pinned root signs the PCK CA, which signs this platform's PCK
 * certificate; that key signs the report of the quoting enclave, whose data commits to the
 * attestation key; that key signs the quote. Beside it, Intel's TCB signing key signs what is
 * known of the platform's versions (TCB info) and of the quoting enclave (its identity).
 *
 * Without TCB info and identity a quote can be genuine, but how old its platform is stays
 * unknown, and no policy accepts it. Without revocation lists nothing is known to be revoked,
 * and only a policy that waives revocation accepts it. With some of a set and not the rest it
 * is refused.
 * Source: Intel SGX DCAP Quote Verification Library, 4.1.2.4; shared/attestation.md sections 2
 * and 9. */
#ifndef COMMON_ATTEST_INTEL_H
#define COMMON_ATTEST_INTEL_H

#include "common/attest/pck.h"
#include "common/attest/quote.h"
#include "common/attest/tcb.h"

struct intel_claims {
    uint16_t version; /* of the quote */
    bool is_tdx;      /* which of the two below was quoted; the other is zeros */
    struct sgx_report sgx;
    struct td_report td;
    uint16_t qe_svn; /* ISVSVN of the quoting enclave */
    struct pck platform;
    bool has_tcb; /* collateral came along and held; else `tcb` is zeros */
    struct tcb_verdict tcb;
    bool revocation_checked; /* both lists came along, and nothing is on them */
};

#endif
