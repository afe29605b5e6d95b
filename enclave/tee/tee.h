/* The machine that vouches for us: measurement, evidence, and the sealing of the root secret.
 * One file per kind of machine.
 *
 * `sim` is an ordinary process for development: nothing vouches for it and its root lies in a
 * file, mode 0600, that the operator can read. It is a different type of evidence, and only a
 * policy that names it accepts it. Leaks to the host: that the enclave started, and which kind
 * it is. */
#ifndef ENCLAVE_TEE_TEE_H
#define ENCLAVE_TEE_TEE_H

#include "common/attest/attest.h"

enum { ROOT_LEN = 32 };
struct root_secret {
    uint8_t bytes[ROOT_LEN];
};
WIPED_DEFINE(root_secret)

struct tee;
/* `kind`: "sim". `state` is a folder of the enclave's own. APEX_E_USAGE: a kind this build has
 * not; APEX_E_IO: the folder. */
apex_status tee_open(const char *kind, const char *state, struct tee **tee);
void tee_close(struct tee *tee);
const char *tee_kind(const struct tee *tee);
struct span tee_measurement(const struct tee *tee);
/* Appends an evidence envelope that binds report_data. */
apex_status tee_quote(const struct tee *tee, const uint8_t report_data[static REPORT_DATA_LEN],
                      uint64_t time_ms, struct buffer *evidence);
/* The root secret: unsealed, or made and sealed when there is none yet (*fresh).
 * APEX_E_UNTRUSTED: what is there is not whole. */
apex_status tee_root(const struct tee *tee, struct root_secret *root, bool *fresh);

#endif
