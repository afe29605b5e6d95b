/* What a trust policy may ask of genuine Intel evidence beyond its measurement, and the
 * answers. In the policy, beside "measurements" of an accept entry for tdx or sgx:
 *
 *   "tdx": {
 *     "statuses": ["SWHardeningNeeded"],   beside UpToDate, which is always accepted, these TCB
 *     "advisories": ["INTEL-SA-00615"],    statuses are, if every advisory they come with is
 *                                          named here
 *     "revocation": false,                 evidence without revocation lists is accepted
 *     "minimum_evaluation": 17,            tcbEvaluationDataNumber of the collateral: refuses
 *                                          collateral from before Intel learnt of a flaw
 *     "minimum_qe_svn": 4, "minimum_pce_svn": 11,
 *     "allow": ["debug", "no-sept-ve-disable", "migratable", "service-td", "pks", "kl",
 *               "perfmon"],                each is refused unless named
 *     "minimum_tee_tcb_svn": "<32 hex>",   component by component
 *     "rtmr0": ["<96 hex>", …], "rtmr1", "rtmr2", "rtmr3", "mr_seam", "mr_config_id",
 *     "mr_owner", "mr_owner_config": […]   one of these, each where given
 *   }
 *   "sgx": { statuses, advisories, revocation, minimum_evaluation, minimum_qe_svn,
 *     minimum_pce_svn as above, "allow": ["debug"], "mr_signer": ["<64 hex>", …],
 *     "isv_prod_id": 1, "minimum_isv_svn": 3 }
 *
 * All of it may be left out: then only UpToDate platforms, checked against revocation lists,
 * and no debug, migration or counters are accepted. Revoked and unlisted platforms never are.
 * Source: go-tdx-guest, validate.Options, with its gaps filled (shared/attestation.md, 2). */
#ifndef COMMON_ATTEST_INTEL_RULES_H
#define COMMON_ATTEST_INTEL_RULES_H

#include "common/attest/intel.h"

struct reader;
struct verdict;

enum { REGISTER_VALUES_MAX = 8, RULE_ADVISORIES_MAX = 64 };
enum intel_register {
    REGISTER_RTMR0,
    REGISTER_RTMR1,
    REGISTER_RTMR2,
    REGISTER_RTMR3,
    REGISTER_MR_SEAM,
    REGISTER_MR_CONFIG_ID,
    REGISTER_MR_OWNER,
    REGISTER_MR_OWNER_CONFIG,
    REGISTER_MR_SIGNER, /* SGX, 32 bytes; the others are TDX's, 48 bytes */
    INTEL_REGISTERS
};
enum intel_allowance {
    ALLOW_DEBUG = 1 << 0,
    ALLOW_NO_SEPT_VE_DISABLE = 1 << 1,
    ALLOW_MIGRATABLE = 1 << 2,
    ALLOW_SERVICE_TD = 1 << 3,
    ALLOW_PKS = 1 << 4,
    ALLOW_KL = 1 << 5,
    ALLOW_PERFMON = 1 << 6
};

/* All zeros is the strictest. */
struct intel_rules {
    uint32_t statuses; /* bit 1 << enum tcb_status */
    size_t n_advisories;
    char advisories[RULE_ADVISORIES_MAX][ADVISORY_LEN + 1];
    bool revocation_waived;
    uint64_t minimum_evaluation;
    uint16_t minimum_qe_svn, minimum_pce_svn, minimum_isv_svn, isv_prod_id;
    bool has_isv_prod_id;
    uint32_t allowed; /* enum intel_allowance */
    uint8_t minimum_tee_tcb_svn[16];
    struct {
        size_t n; /* 0: not asked */
        uint8_t at[REGISTER_VALUES_MAX][48];
    } registers[INTEL_REGISTERS];
};

/* Reads the object above; unknown keys are refused. */
apex_status intel_rules_read(struct reader *r, bool is_tdx, struct intel_rules *rules);
/* Adds a check for every question; true when all are answered well. */
bool intel_rules_hold(const struct intel_rules *rules, const struct intel_claims *c,
                      struct verdict *v);

#endif
