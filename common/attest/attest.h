/* Judging evidence, offline, from bytes. attest_verify() alone makes a struct verified_enclave,
 * and sealing demands one.
 *
 * Two answers are kept apart: is the evidence cryptographically what it says it is (`genuine`),
 * and does the trust policy accept what it says (`acceptable`). Every question put is listed by
 * name. What evidence says that is not genuine cannot be read.
 *
 * Evidence envelope: CBOR {1: "apex/evidence/v1", 2: tee text, 3: report bstr, 4: supplements
 * bstr (supplements.h; may be empty)}. The report is, by tee:
 *   "sev-snp" AMD's attestation report   "tdx", "sgx" Intel's quote   "nitro" AWS's document
 *   "sim"     CBOR {1: "apex/sim/v1", 2: measurement bstr32 (SHA-256 of the enclave's ELF),
 *             3: report_data bstr64, 4: time_ms}. Nothing vouches for it: a verdict on it says
 *             "simulated" and a policy must name it.
 * report_data = SHA-512("apex/enclave/v2" || identity Ed25519 || identity X25519 || log key
 * Ed25519 || chain key secp256k1, compressed); a Nitro document carries it in user_data.
 *
 * Trust policy (JSON): policy.h. */
#ifndef COMMON_ATTEST_ATTEST_H
#define COMMON_ATTEST_ATTEST_H

#include "common/attest/claims.h"
#include "common/attest/reason.h"
#include "common/attest/roots.h"
#include "common/attest/supplements.h"
#include "common/attest/x509.h"
#include "common/base/buffer.h"
#include "common/crypto/ecdsa.h"
#include "common/crypto/hpke.h"
#include "common/crypto/sign.h"
#include "common/wire/measurement.h"

enum { REPORT_DATA_LEN = 64, EVIDENCE_MAX = 48 * 1024, CHECKS_MAX = 64 };

struct enclave_keys {
    struct sign_public identity;
    struct seal_public identity_seal;
    struct sign_public log;
    struct ecdsa_public chain; /* signs statements for a chain; never spends */
};
void attest_report_data(const struct enclave_keys *keys,
                        uint8_t report_data[static REPORT_DATA_LEN]);

/* Writers, for the enclave. */
void evidence_write(const char *tee, struct span report, struct span supplements,
                    struct buffer *out);
void sim_report_write(const uint8_t measurement[static 32],
                      const uint8_t report_data[static REPORT_DATA_LEN], uint64_t time_ms,
                      struct buffer *out);

enum check_result { CHECK_PASS, CHECK_FAIL, CHECK_NOT_ASKED };
struct check {
    const char *name; /* fixed */
    enum check_result result;
    enum reason why;  /* of a failure */
    char detail[160]; /* plain words, public values only */
};
struct verdict {
    char tee[16];     /* a name of above, or as much of an unknown one as fits */
    char product[16]; /* the maker's word for the machine: "Milan"; empty when there is none */
    bool simulated;
    bool genuine; /* cryptographically what it says it is (for sim: well-formed and bound to the
                     keys, no more) */
    bool acceptable;    /* the policy accepts it (false when there is no policy) */
    enum reason reason; /* of the first check that failed */
    uint32_t findings;  /* bit 1 << enum finding; 0 unless genuine */
    uint8_t measurement[MEASUREMENT_MAX]; /* zero, and of length 0, unless genuine */
    size_t measurement_len;
    uint64_t time_ms; /* when it was made, where the evidence says so; else 0 */
    size_t n_checks;
    struct check checks[CHECKS_MAX];
    char sentence[400];           /* the result in plain words */
    struct claims private_claims; /* wiped unless genuine; for judges and verdict_claims() */
};
/* What genuine evidence says. APEX_E_UNTRUSTED, and *claims untouched, for any other. */
apex_status verdict_claims(const struct verdict *v, const struct claims **claims);

/* Evidence in parts, as an envelope or files hold it, and what to hold it against. */
struct judging {
    struct span report;
    struct supplements supplements;
    const struct roots *roots; /* NULL: the vendors' */
    uint64_t at_ms;            /* Unix time; evidence is judged as of then */
    bool revocation_required;  /* a certificate that no revocation list covers is refused; TDX
                                  and SGX always ask for their lists unless told otherwise */
    struct span report_data;   /* the bytes it must bind; data NULL: not asked */
    struct span host_data;     /* SNP: the 32 bytes of HOST_DATA; data NULL: not asked */
};
/* Is it genuine? Fills the whole verdict but `acceptable`. `tee`: "sev-snp" and so on. */
void attest_examine(const char *tee, const struct judging *what, struct verdict *verdict);

struct trust_policy;
struct policy_error {
    size_t line, column;
    char where[120];
    const char *what;
};
apex_status trust_policy_parse(struct span json, struct trust_policy **policy,
                               struct policy_error *error);
void trust_policy_free(struct trust_policy *policy);
/* Is it a log the policy pins? APEX_E_UNTRUSTED: it pins others. APEX_E_NOT_FOUND: it pins
 * none.
 */
apex_status trust_policy_log(const struct trust_policy *policy, const char *origin,
                             const struct sign_public *key);

/* Of how many different TEE families this policy wants machines to have signed an answer of a
 * contract ("apex1…"): 1 unless "high_value" names it. */
unsigned trust_policy_families(const struct trust_policy *policy, const char *contract);

/* Judges; fills the verdict whatever the outcome. `policy` may be NULL: then nothing is
 * acceptable, but `genuine` is told. *enclave (may be NULL) is made only when genuine and
 * acceptable; else APEX_E_UNTRUSTED. */
struct verified_enclave;
apex_status attest_verify(struct span evidence, const struct enclave_keys *keys,
                          const struct trust_policy *policy, uint64_t now_ms,
                          struct verdict *verdict, struct verified_enclave **enclave);
void verified_enclave_free(struct verified_enclave *enclave);
const struct enclave_keys *verified_enclave_keys(const struct verified_enclave *enclave);
bool verified_enclave_simulated(const struct verified_enclave *enclave);

#endif
