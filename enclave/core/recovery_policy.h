/* Who holds shares of the root secret, and how many of them recover it. A file of the image,
 * measured with it (a simulated enclave takes it from its operator): whoever can choose it can
 * have the root secret.
 *
 *   {"apex": 1, "threshold": 2, "holders": [{"name": "kauri", "sign": "<hex>", "seal":
 * "<hex>"}, …]} */
#ifndef ENCLAVE_CORE_RECOVERY_POLICY_H
#define ENCLAVE_CORE_RECOVERY_POLICY_H

#include "common/crypto/hash.h"
#include "common/crypto/hpke.h"
#include "common/wire/peer.h"

struct holder {
    uint8_t sign[32];
    struct seal_public seal;
};
struct recovery_policy {
    uint8_t digest[HASH_LEN]; /* of the file's bytes */
    unsigned threshold, n;
    struct holder holders[HOLDERS_MAX]; /* a holder's share lies at its place here, from 1 */
};

/* APEX_E_FORMAT: not of this form; a threshold of 0 or above the holders; a holder twice. */
apex_status recovery_policy_parse(struct span json, struct recovery_policy *p);
/* The holder with this Ed25519 key, or n. */
unsigned recovery_holder(const struct recovery_policy *p, const uint8_t sign[static 32]);

#endif
