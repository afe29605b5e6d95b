/* Intel quotes, parsed: SGX (version 3), SGX and TDX (4), and those with a body descriptor (5).
 * Parsing believes nothing and judges nothing; common/attest/intel.h does.
 *
 * A quote is read by its length fields. What follows it is padding of the driver that handed it
 * out (zeros, or not): ignored, never hashed. What lies inside must be filled exactly.
 * Spans point into the quote's bytes, which stay the caller's.
 * APEX_E_FORMAT: a length, version, key type, TEE type, vendor or size is not one we know.
 * Source: Intel SGX ECDSA QuoteLibReference DCAP API, appendix A; Intel TDX DCAP Quoting
 * Library API, appendix A; Intel SDM volume 3D, REPORT structure; TDX Module ABI,
 * TDREPORT_STRUCT. */
#ifndef COMMON_ATTEST_QUOTE_H
#define COMMON_ATTEST_QUOTE_H

#include "common/base/span.h"
#include "include/apex/status.h"

enum {
    QUOTE_MAX = 64 * 1024,
    SGX_REPORT_LEN = 384,
    TD_REPORT_LEN = 584,
    TD_REPORT_15_LEN = 648,
    P256_LEN = 64, /* a signature r||s or a point x||y, big-endian */
    QUOTE_TEE_SGX = 0,
    QUOTE_TEE_TDX = 0x81,
    QUOTE_PCK_CHAIN = 5 /* certification data: PEM, leaf first; the only kind we can judge */
};

/* TDATTRIBUTES, as bits of the little-endian u64. Source: TDX Module ABI, TD attributes. */
#define TD_DEBUG (UINT64_C(1) << 0)
#define TD_SEPT_VE_DISABLE (UINT64_C(1) << 28)
#define TD_MIGRATABLE (UINT64_C(1) << 29)
#define TD_PKS (UINT64_C(1) << 30)
#define TD_KL (UINT64_C(1) << 31)
#define TD_PERFMON (UINT64_C(1) << 63)
enum { SGX_ATTRIBUTE_DEBUG = 2 }; /* of the first byte of ATTRIBUTES */

struct sgx_report {
    uint8_t cpu_svn[16], misc_select[4], attributes[16];
    uint8_t mr_enclave[32], mr_signer[32];
    uint16_t isv_prod_id, isv_svn;
    uint8_t report_data[64];
};
struct td_report {
    uint8_t tee_tcb_svn[16], mr_seam[48], mr_signer_seam[48], seam_attributes[8];
    uint64_t attributes, xfam;
    uint8_t mr_td[48], mr_config_id[48], mr_owner[48], mr_owner_config[48], rtmr[4][48];
    uint8_t report_data[64];
    bool is_15; /* the two below are there, else zeros */
    uint8_t tee_tcb_svn2[16], mr_service_td[48];
};

struct quote {
    uint16_t version;
    uint32_t tee;            /* QUOTE_TEE_SGX or QUOTE_TEE_TDX */
    struct span signed_part; /* header, descriptor (version 5) and body */
    struct sgx_report sgx;   /* of the one kind the quote is; the other is zeros */
    struct td_report td;
    uint8_t signature[P256_LEN], attestation_key[P256_LEN];
    struct span qe_report_bytes;
    struct sgx_report qe;
    uint8_t qe_signature[P256_LEN];
    struct span qe_auth;
    uint16_t certification; /* its kind */
    struct span certification_data;
};

apex_status quote_parse(struct span bytes, struct quote *q);

#endif
