/* What a kind of machine gives: the other side of tee.h. */
#ifndef ENCLAVE_TEE_MACHINE_H
#define ENCLAVE_TEE_MACHINE_H

#include "enclave/tee/tee.h"

enum { SEAL_TERMS_MAX = 64, SEAL_KEY_BYTES = 32, CODE_MAX = 48 * 5 };
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

struct tee {
    const struct machine_ops *ops;
    void *machine; /* of ops */
    char kind[16];
    uint8_t measurement[MEASUREMENT_MAX];
    size_t measurement_len;
    bool threads_share;     /* SNP: our own guest policy allows SMT */
    uint8_t code[CODE_MAX]; /* machine_code() of our own report */
    size_t code_len;
};

/* Fills ops, machine, kind, measurement; code where the report tells more than the measurement.
 */
apex_status sim_open(const char *state, struct tee *t);
apex_status tsm_open(struct tee *t);
apex_status nitro_open(struct tee *t);

/* The registers of a report that tell the code: SNP's launch digest, TDX's MRTD and RTMR0..2,
 * Nitro's none (its policy asks for PCRs). out: CODE_MAX bytes. APEX_E_FORMAT: too short. */
apex_status machine_code(const char *kind, struct span report, uint8_t *out, size_t *len);

#endif
