#include "common/attest/reason.h"

const char *reason_name(enum reason reason)
{
    static const char *const names[REASONS] = {
        [REASON_NONE] = "none",
        [REASON_MALFORMED] = "malformed",
        [REASON_TRUNCATED] = "truncated",
        [REASON_CHAIN_INVALID] = "chain-invalid",
        [REASON_ROOT_UNTRUSTED] = "root-untrusted",
        [REASON_LEAF_NOT_YET_VALID] = "leaf-not-yet-valid",
        [REASON_LEAF_EXPIRED] = "leaf-expired",
        [REASON_SIGNING_KEY_MISMATCH] = "signing-key-mismatch",
        [REASON_PRODUCT_MISMATCH] = "product-mismatch",
        [REASON_SIGNATURE_INVALID] = "signature-invalid",
        [REASON_UNSIGNED_REPORT] = "unsigned-report",
        [REASON_TCB_MISMATCH] = "tcb-mismatch",
        [REASON_TCB_ORDER] = "tcb-order",
        [REASON_CHIP_ID_MISMATCH] = "chip-id-mismatch",
        [REASON_REPORT_DATA_MISMATCH] = "report-data-mismatch",
        [REASON_HOST_DATA_MISMATCH] = "host-data-mismatch",
        [REASON_KEY_BINDING_MISMATCH] = "key-binding-mismatch",
        [REASON_LAUNCH_DIGEST_MISMATCH] = "launch-digest-mismatch",
        [REASON_CERTIFICATION_DATA_UNSUPPORTED] = "certification-data-unsupported",
        [REASON_QE_REPORT_SIGNATURE_INVALID] = "qe-report-signature-invalid",
        [REASON_ATTESTATION_KEY_BINDING] = "attestation-key-binding",
        [REASON_COLLATERAL_SIGNATURE_INVALID] = "collateral-signature-invalid",
        [REASON_COLLATERAL_EXPIRED] = "collateral-expired",
        [REASON_COLLATERAL_NOT_YET_VALID] = "collateral-not-yet-valid",
        [REASON_COLLATERAL_MISSING] = "collateral-missing",
        [REASON_FMSPC_MISMATCH] = "fmspc-mismatch",
        [REASON_TEE_TYPE_MISMATCH] = "tee-type-mismatch",
        [REASON_QE_IDENTITY_MISMATCH] = "qe-identity-mismatch",
        [REASON_TCB_NOT_SUPPORTED] = "tcb-not-supported",
        [REASON_TCB_REVOKED] = "tcb-revoked",
        [REASON_REVOKED] = "revoked",
        [REASON_TEE_UNKNOWN] = "tee-unknown",
        [REASON_POLICY] = "policy",
        [REASON_INTERNAL] = "internal",
    };
    return (unsigned)reason < REASONS ? names[reason] : "unknown";
}

const char *finding_name(enum finding finding)
{
    static const char *const names[FINDINGS] = {
        [FINDING_DEBUG_ALLOWED] = "debug-allowed",
        [FINDING_SMT_ALLOWED] = "smt-allowed",
        [FINDING_MIGRATION_ALLOWED] = "migration-allowed",
        [FINDING_NO_CPUID_FIELDS] = "no-cpuid-fields",
        [FINDING_VMPL_NONZERO] = "vmpl-nonzero",
        [FINDING_CHIP_ID_MASKED] = "chip-id-masked",
        [FINDING_CURRENT_TCB_DIFFERS] = "current-tcb-differs-from-committed",
        [FINDING_REPORTED_TCB_DIFFERS] = "reported-tcb-differs-from-committed",
        [FINDING_DEBUG_PCRS_ZERO] = "debug-pcrs-zero",
        [FINDING_NO_NONCE] = "no-nonce",
        [FINDING_DEBUG] = "debug",
        [FINDING_SEPT_VE_DISABLE_UNSET] = "sept-ve-disable-unset",
        [FINDING_MIGRATABLE] = "migratable",
    };
    return (unsigned)finding < FINDINGS ? names[finding] : "unknown";
}
