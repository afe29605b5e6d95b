/* What a kind of machine gives: the other side of tee.h. */
#ifndef ENCLAVE_TEE_MACHINE_H
#define ENCLAVE_TEE_MACHINE_H

#include "enclave/tee/tee.h"

enum { SEAL_TERMS_MAX = 64, SEAL_KEY_BYTES = 32, EXACT_MAX = 48 * 4 + 8, VERSIONS_MAX = 16 };
struct seal_key_bytes {
    uint8_t bytes[SEAL_KEY_BYTES];
};
WIPED_DEFINE(seal_key_bytes)

struct machine_ops {
    /* Appends the report and what comes along with it (both lent empty). */
    apex_status (*quote)(const struct tee *t, const uint8_t report_data[static REPORT_DATA_LEN],
                         uint64_t time_ms, struct buffer *report, struct buffer *supplements);
    /* The machine's key under `terms`; when those are empty, under the best it has today, which
     * it appends. NULL: no sealing. APEX_E_UNTRUSTED: terms that are not ours. */
    apex_status (*seal_key)(const struct tee *t, struct buffer *terms,
                            struct seal_key_bytes *key);
    void (*close)(struct tee *t);
};

/* What one like us must have: these bytes, and firmware of these versions or newer, each. */
struct machine_facts {
    uint8_t exact[EXACT_MAX]; /* SNP: launch digest, family, model. TDX: MRTD, RTMR1, RTMR2,
                                 RTMR0, attributes */
    size_t exact_len;
    size_t measurement_len;         /* so many of them, the first, are the measurement */
    uint8_t versions[VERSIONS_MAX]; /* SNP: REPORTED_TCB. TDX: TEE_TCB_SVN. A byte each */
    size_t versions_len;
};

struct tee {
    const struct machine_ops *ops;
    void *machine; /* of ops */
    char kind[16];
    uint8_t measurement[MEASUREMENT_MAX];
    size_t measurement_len;
    bool threads_share;         /* SNP: our own guest policy allows SMT */
    struct machine_facts facts; /* of our own report */
};

/* Fills ops, machine, kind, measurement, and facts where the report tells more than that. */
apex_status sim_open(const char *state, struct tee *t);
apex_status tsm_open(struct tee *t);
apex_status nitro_open(struct tee *t);

/* What a report that was verified says of code and machine. APEX_E_FORMAT: too short. Kinds
 * that tell no more than their measurement have none. */
apex_status machine_facts(const char *kind, struct span report, struct machine_facts *facts);

#endif
