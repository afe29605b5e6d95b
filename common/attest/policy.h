/* A trust policy, parsed: what common/attest/attest.c asks it. */
#ifndef COMMON_ATTEST_POLICY_H
#define COMMON_ATTEST_POLICY_H

#include "common/attest/attest.h"
#include "common/attest/intel_rules.h"
#include "common/wire/manifest.h"

enum { ACCEPT_MAX = 16, MEASUREMENTS_MAX = 32, DISTRUST_MAX = 16 };

struct accept {
    char tee[NAME_MAX_LEN + 1];
    size_t n_measurements;
    struct {
        uint8_t bytes[MEASUREMENT_MAX];
        size_t len;
    } measurements[MEASUREMENTS_MAX];
    uint64_t maximum_age_s; /* 0: any age */
    bool has_tdx, has_sgx;  /* the rules were written; they must be of the entry's tee */
    struct intel_rules intel;
};
struct trust_policy {
    size_t n_accept;
    struct accept accept[ACCEPT_MAX];
    size_t n_distrust;
    char distrust[DISTRUST_MAX][NAME_MAX_LEN + 1];
    bool has_log;
    char origin[129];
    struct sign_public log;
};

#endif
