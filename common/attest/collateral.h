/* Intel's signed statements about a platform, parsed: TCB info (versions 2 and 3) and the
 * identity of the quoting enclave (version 2).
 *
 * Both come as {"tcbInfo" or "enclaveIdentity": {...}, "signature": "<hex>"}, signed over the
 * bytes of the inner object as they stand: signed_json_open() finds exactly those bytes, for
 * the signature to be checked before anything in them is believed.
 * Keys that we do not know are passed over (Intel adds some from time to time); a key that
 * comes twice, a lacking one and a value out of range are APEX_E_FORMAT.
 * Source: Intel SGX and TDX Provisioning Certification Service, API version 4, TCB info and
 * enclave identity models. */
#ifndef COMMON_ATTEST_COLLATERAL_H
#define COMMON_ATTEST_COLLATERAL_H

#include "common/base/span.h"
#include "include/apex/status.h"

enum {
    COLLATERAL_JSON_MAX = 256 * 1024,
    TCB_LEVELS_MAX = 64,
    TDX_MODULES_MAX = 8,
    ISV_LEVELS_MAX = 32,
    ADVISORIES_MAX = 48,
    ADVISORY_POOL = 1024,
    ADVISORY_LEN = 23
};

/* Worse is not always greater: see common/attest/tcb.h for how two of them become one. */
enum tcb_status {
    TCB_UP_TO_DATE,
    TCB_SW_HARDENING_NEEDED,
    TCB_CONFIGURATION_NEEDED,
    TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED,
    TCB_TD_RELAUNCH_ADVISED,
    TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED,
    TCB_OUT_OF_DATE,
    TCB_OUT_OF_DATE_CONFIGURATION_NEEDED,
    TCB_REVOKED,
    TCB_NOT_SUPPORTED, /* no level fits: never told by a document */
    TCB_STATUSES
};
const char *tcb_status_name(enum tcb_status status); /* "UpToDate" and its kin, Intel's names */

/* What a level says of whoever fits it. */
struct tcb_mark {
    enum tcb_status status;
    int64_t date_ms;
    uint16_t first_advisory, n_advisories; /* in the document's pool */
};
struct advisories {
    size_t n;
    char id[ADVISORY_POOL][ADVISORY_LEN + 1];
};
struct tcb_level {
    uint8_t sgx[16], tdx[16];
    uint16_t pce_svn;
    struct tcb_mark mark;
};
struct isv_level {
    uint16_t isv_svn;
    struct tcb_mark mark;
};
struct isv_levels { /* highest ISVSVN first */
    size_t n;
    struct isv_level at[ISV_LEVELS_MAX];
};
struct tdx_module {
    char id[8]; /* "TDX_03"; empty for the module of version 0 */
    uint8_t mr_signer[48], attributes[8], attributes_mask[8];
    struct isv_levels levels;
};
struct document_dates {
    int64_t issued_ms, next_update_ms;
};
struct tcb_info {
    uint64_t version;
    bool has_id, is_tdx; /* version 2 has no id, and is about SGX */
    struct document_dates dates;
    uint8_t fmspc[6], pce_id[2];
    uint64_t evaluation; /* tcbEvaluationDataNumber: grows when Intel learns of a flaw */
    bool has_module;
    struct tdx_module module;
    size_t n_modules;
    struct tdx_module modules[TDX_MODULES_MAX];
    size_t n_levels;
    struct tcb_level levels[TCB_LEVELS_MAX]; /* highest first */
    struct advisories advisories;
};
struct qe_identity {
    bool is_td_qe; /* TD_QE, else QE */
    struct document_dates dates;
    uint64_t evaluation;
    uint8_t misc_select[4], misc_select_mask[4], attributes[16], attributes_mask[16];
    uint8_t mr_signer[32];
    uint16_t isv_prod_id;
    struct isv_levels levels;
    struct advisories advisories;
};

/* Splits a document into the bytes that are signed and the signature. `name`: the one key it
 * may have beside "signature". *inner points into `document`. */
apex_status signed_json_open(struct span document, const char *name, struct span *inner,
                             uint8_t signature[static 64]);
/* Of the inner bytes. Large structs: have the caller allocate them. */
apex_status tcb_info_parse(struct span inner, struct tcb_info *info);
apex_status qe_identity_parse(struct span inner, struct qe_identity *identity);

#endif
