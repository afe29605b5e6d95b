/* A trust policy, parsed: what accept.c asks it. JSON, written by `apex trust init` from live
 * evidence and edited by people; unknown and repeated keys are refused:
 *
 *   {"apex": 1,
 *    "accept": [{"tee": "sim" | "sev-snp" | "tdx" | "nitro" | "sgx",
 *                "measurements": ["<hex>", ...],   exact (measurement.h says of what); or
 *                "audited": true,                  those in a bundle signed by an auditor
 *                "maximum_age_s": 86400,           where evidence carries a time (sim, nitro)
 *                "snp": {...}, "tdx": {...}, "sgx": {...}, "nitro": {...}}],   X_rules.h
 *    "distrust": ["sgx", ...],                     a whole family, whatever stands above
 *    "auditors": ["<Ed25519 key, hex>", ...],      whose bundles are believed (bundle.h)
 *    "high_value": [{"contract": "apex1...", "families": 2}],   answers count when machines of
 *                                                  so many different TEE families signed them
 *    "log": {"origin": "...", "key": "<hex>"},     pin: no other log is taken; or
 *    "logs": [{"origin": ..., "key": ...}, ...]}   pins, for who uses several nodes
 *
 * `sim` is accepted only where an entry names it. */
#ifndef COMMON_ATTEST_POLICY_H
#define COMMON_ATTEST_POLICY_H

#include "common/attest/bundle.h"
#include "common/attest/intel_rules.h"
#include "common/attest/nitro_rules.h"
#include "common/attest/snp_rules.h"
#include "common/wire/manifest.h"

enum {
    ACCEPT_MAX = 16,
    MEASUREMENTS_MAX = 32,
    DISTRUST_MAX = 16,
    AUDITORS_MAX = 8,
    HIGH_VALUE_MAX = 32,
    LOGS_MAX = 8,
    CONTRACT_TEXT_MAX = 63
};

struct accept {
    char tee[NAME_MAX_LEN + 1];
    size_t n_measurements;
    struct measurement measurements[MEASUREMENTS_MAX];
    uint64_t maximum_age_s; /* 0: any age */
    bool audited;           /* measurements in an auditor's bundle are accepted too */
    bool has_snp, has_tdx, has_sgx, has_nitro; /* the rules were written; they must be of the
                                                  entry's tee */
    struct snp_rules snp;
    struct nitro_rules nitro;
    struct intel_rules intel;
};
struct high_value {
    char contract[CONTRACT_TEXT_MAX + 1];
    unsigned families;
};
struct pinned_log {
    char origin[129];
    struct sign_public key;
};
struct held_bundle {
    struct held_bundle *next;
    struct buffer bytes;
    struct bundle bundle; /* points into them */
};
void held_bundles_free(struct held_bundle *first);

struct trust_policy {
    size_t n_accept;
    struct accept accept[ACCEPT_MAX];
    size_t n_distrust;
    char distrust[DISTRUST_MAX][NAME_MAX_LEN + 1];
    size_t n_auditors;
    struct sign_public auditors[AUDITORS_MAX];
    struct held_bundle *bundles; /* those added */
    size_t n_high_value;
    struct high_value high_value[HIGH_VALUE_MAX];
    size_t n_logs;
    struct pinned_log logs[LOGS_MAX];
};

#endif
