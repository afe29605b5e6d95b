/* The machine that vouches for us: measurement, evidence, and the sealing of the root secret.
 * One file per kind of machine behind one interface (machine.h).
 *
 *   tsm    Linux's configfs-tsm, which speaks for AMD SEV-SNP and Intel TDX; /dev/sev-guest
 * where an SNP guest has no configfs, and for its sealing key nitro  the AWS Nitro security
 * module, /dev/nsm sim    an ordinary process for development: nothing vouches for it and its
 * root lies where the operator can read it. It is a different type of evidence, and only a
 * policy that names it accepts it.
 *
 * Sealing: what one start of this enclave sealed, a later start of the same enclave on the same
 * machine opens, and nobody else. TDX and Nitro have nothing of the kind; that is a normal
 * answer, and the root secret then comes from a peer or from recovery shares
 * (enclave/core/root.h). Where a state was sealed an older state may come back: rollback is the
 * log's to notice.
 *
 * Leaks to the host: that the enclave started, and which kind it is. */
#ifndef ENCLAVE_TEE_TEE_H
#define ENCLAVE_TEE_TEE_H

#include "common/attest/attest.h"

enum { ROOT_LEN = 32, SECRET_MAX = 128, SEALED_MAX = 1024 };
struct root_secret {
    uint8_t bytes[ROOT_LEN];
};
WIPED_DEFINE(root_secret)

struct tee;
/* `kind`: "sim", "tsm" or "nitro". `state`: a folder of the sim's own, or NULL; the others keep
 * nothing. APEX_E_USAGE: a kind this build has not; APEX_E_NOT_FOUND: this machine has none of
 * it; APEX_E_IO: it does not answer as it should. */
apex_status tee_open(const char *kind, const char *state, struct tee **tee);
void tee_close(struct tee *tee);
/* The evidence's word: "sim", "sev-snp", "tdx", "nitro". */
const char *tee_kind(const struct tee *tee);
struct span tee_measurement(const struct tee *tee);
/* Appends an evidence envelope that binds report_data. */
apex_status tee_quote(const struct tee *tee, const uint8_t report_data[static REPORT_DATA_LEN],
                      uint64_t time_ms, struct buffer *evidence);
/* The report of an envelope that was verified is one like ours: the same code in all that this
 * kind of machine measures (a TDX quote spreads it over registers), on the same model, and on
 * firmware no older than ours in any part: a genuine machine with holes we have mended is not
 * our like. APEX_E_UNTRUSTED: it is not. */
apex_status tee_is_like(const struct tee *tee, struct span evidence);
/* Does the machine run under a guest policy that lets processor threads share a core (SNP)?
 * What it is under itself it need not refuse in its like. */
bool tee_threads_share(const struct tee *tee);

/* Can this kind of machine seal at all? */
bool tee_seals(const struct tee *tee);
/* A secret of at most SECRET_MAX bytes; appends at most SEALED_MAX. APEX_E_NOT_FOUND: this
 * machine cannot seal. */
apex_status tee_seal(const struct tee *tee, struct span secret, struct buffer *sealed);
/* Exactly `len` bytes. *stale: it opened, but under terms older than today's (firmware was
 * updated): seal it anew. APEX_E_NOT_FOUND: this machine cannot seal. APEX_E_UNTRUSTED: not
 * sealed by this enclave on this machine, or changed since. */
apex_status tee_unseal(const struct tee *tee, struct span sealed, uint8_t *secret, size_t len,
                       bool *stale);

#endif
