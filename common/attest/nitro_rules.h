/* What a trust policy may ask of a genuine Nitro document beyond its measurement (PCR0, the
 * enclave's image). In the policy, beside "measurements" of an accept entry for nitro:
 *
 *   "nitro": {
 *     "allow": ["debug"],                  refused unless named: PCR 0 to 2 are zero
 *     "pcr1": ["<96 hex>", ...],           kernel and first processes
 *     "pcr2": [...],                       the application
 *     "pcr3": [...], "pcr4": [...],        the role and the instance of the parent machine
 *     "pcr8": [...]                        who signed the image
 *   }                                      one of these, each where given
 *
 * A register that is zero is never "in the policy", whatever the policy says: zero means that
 * nothing was measured.
 * Source: aws-nitro-enclaves-nsm-api, docs/attestation_process.md; shared/attestation.md 3. */
#ifndef COMMON_ATTEST_NITRO_RULES_H
#define COMMON_ATTEST_NITRO_RULES_H

#include "common/attest/nitro_document.h"

struct reader;
struct verdict;

enum { NITRO_VALUES_MAX = 8 };
enum nitro_register {
    NITRO_PCR1,
    NITRO_PCR2,
    NITRO_PCR3,
    NITRO_PCR4,
    NITRO_PCR8,
    NITRO_REGISTERS
};
struct nitro_rules {
    bool debug_allowed;
    struct {
        size_t n; /* 0: not asked */
        uint8_t at[NITRO_VALUES_MAX][48];
    } registers[NITRO_REGISTERS];
};

/* Reads the object above; unknown keys are refused. */
apex_status nitro_rules_read(struct reader *r, struct nitro_rules *rules);
/* Adds a check for every question; true when all are answered well. */
bool nitro_rules_hold(const struct nitro_rules *rules, const struct nitro_claims *c,
                      struct verdict *v);

#endif
