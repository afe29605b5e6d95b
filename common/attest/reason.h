/* Why evidence is not genuine, and what genuine evidence says that a policy may mind: one word
 * each, stable, the same in every family. The words of reasons are those of
 * shared/vectors/attestation/README.md; what they mean to a person stands in each check's
 * detail. */
#ifndef COMMON_ATTEST_REASON_H
#define COMMON_ATTEST_REASON_H

#include <stdint.h>

enum reason {
    REASON_NONE,
    REASON_MALFORMED,
    REASON_TRUNCATED,
    REASON_CHAIN_INVALID,
    REASON_ROOT_UNTRUSTED,
    REASON_LEAF_NOT_YET_VALID,
    REASON_LEAF_EXPIRED,
    REASON_SIGNING_KEY_MISMATCH,
    REASON_PRODUCT_MISMATCH,
    REASON_SIGNATURE_INVALID,
    REASON_UNSIGNED_REPORT,
    REASON_TCB_MISMATCH,
    REASON_TCB_ORDER,
    REASON_CHIP_ID_MISMATCH,
    REASON_REPORT_DATA_MISMATCH,
    REASON_HOST_DATA_MISMATCH,
    REASON_KEY_BINDING_MISMATCH,
    REASON_LAUNCH_DIGEST_MISMATCH,
    REASON_CERTIFICATION_DATA_UNSUPPORTED,
    REASON_QE_REPORT_SIGNATURE_INVALID,
    REASON_ATTESTATION_KEY_BINDING,
    REASON_COLLATERAL_SIGNATURE_INVALID,
    REASON_COLLATERAL_EXPIRED,
    REASON_COLLATERAL_NOT_YET_VALID,
    REASON_COLLATERAL_MISSING,
    REASON_FMSPC_MISMATCH,
    REASON_TEE_TYPE_MISMATCH,
    REASON_QE_IDENTITY_MISMATCH,
    REASON_TCB_NOT_SUPPORTED,
    REASON_TCB_REVOKED,
    REASON_REVOKED,
    REASON_TEE_UNKNOWN, /* this version cannot judge evidence of this kind */
    REASON_POLICY,      /* genuine, but the policy does not accept it */
    REASON_INTERNAL,    /* no memory, or too many checks: nothing is known, so nothing holds */
    REASONS
};

/* What genuine evidence says and a policy may forbid. Bits of struct verdict's `findings`. */
enum finding {
    FINDING_DEBUG_ALLOWED,
    FINDING_SMT_ALLOWED,
    FINDING_MIGRATION_ALLOWED,
    FINDING_NO_CPUID_FIELDS,
    FINDING_VMPL_NONZERO,
    FINDING_CHIP_ID_MASKED,
    FINDING_CURRENT_TCB_DIFFERS,
    FINDING_REPORTED_TCB_DIFFERS,
    FINDING_DEBUG_PCRS_ZERO,
    FINDING_NO_NONCE,
    FINDING_DEBUG,
    FINDING_SEPT_VE_DISABLE_UNSET,
    FINDING_MIGRATABLE,
    FINDINGS
};

/* Never NULL. */
const char *reason_name(enum reason reason);
const char *finding_name(enum finding finding);

#endif
