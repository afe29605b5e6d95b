/* Where a platform stands among the levels Intel has published, in the order of Intel's own
 * verification library:
 *   1. the first level (highest first) whose SGX components and PCESVN the PCK certificate
 *      reaches is the SGX level;
 *   2. for TDX, the first such level whose TDX components TEE_TCB_SVN reaches as well; from the
 *      third component on when TEE_TCB_SVN[1] is not 0, for the first two are then the
 *      module's SVN and version, judged by that module's own identity;
 *   3. no level: NOT_SUPPORTED, which is neither old nor acceptable;
 *   4. the module and the quoting enclave have levels of their own: an old one makes the whole
 *      old, a revoked one revokes it;
 *   5. a TD whose report (1.5) says that the module was renewed since the TD began, and nothing
 *      else is old, is TD_RELAUNCH_ADVISED.
 * Pure functions of parsed documents; signatures are common/attest/intel.h's.
 * Source: Intel SGX DCAP Quote Verification Library, TcbLevelCheck and TDRelaunchCheck; Intel
 * PCS API version 4, "determining the TCB status". */
#ifndef COMMON_ATTEST_TCB_H
#define COMMON_ATTEST_TCB_H

#include "common/attest/collateral.h"
#include "common/attest/pck.h"
#include "common/attest/quote.h"

enum { TCB_ADVISORIES_MAX = 3 * ADVISORIES_MAX }; /* of platform, module and QE: all fit */

struct tcb_verdict {
    enum tcb_status platform, module, qe; /* each alone; module is UP_TO_DATE where there is
                                             none to judge */
    enum tcb_status status;               /* together */
    bool has_module;
    bool module_known;   /* false: TCB info has no identity for the module's version */
    bool module_as_told; /* MRSIGNERSEAM and SEAMATTRIBUTES are those of the identity */
    int64_t date_ms;     /* of the platform's level; 0: none */
    uint64_t evaluation; /* the lower of both documents' numbers */
    size_t n_advisories; /* of all three, each once */
    char advisories[TCB_ADVISORIES_MAX][ADVISORY_LEN + 1];
};

/* Does the quoting enclave's report have this identity (signer, product, MISCSELECT and
 * ATTRIBUTES under masks), whatever its SVN? */
bool qe_identity_fits(const struct qe_identity *id, const struct sgx_report *qe);
/* The TCB info must be of the quote's kind, FMSPC and PCE-ID: the caller has checked. */
void tcb_judge(const struct tcb_info *info, const struct qe_identity *id, const struct pck *pck,
               const struct quote *q, struct tcb_verdict *v);

#endif
