/* The enclave's keys. The root secret outlives a boot; identities are born at boot; the rest is
 * derived. One block of guarded, locked memory; wiped when freed. Constant time in: every
 * secret. */
#ifndef ENCLAVE_CORE_KEYS_H
#define ENCLAVE_CORE_KEYS_H

#include "common/attest/attest.h"
#include "enclave/tee/tee.h"

struct keys {
    struct root_secret root;
    struct sign_secret identity;
    struct seal_secret identity_seal;
    struct sign_secret log;
    struct ecdsa_secret chain; /* HKDF(root, "apex/chain/v1"): one key for the log's life */
    struct enclave_keys public_keys;
};

/* Fresh identities and no root yet: log and chain keys are zeros. */
apex_status keys_new(struct keys **keys);
/* Takes a copy of the root and derives what follows from it. */
apex_status keys_root(struct keys *keys, const struct root_secret *root);
/* Back to no root. */
void keys_forget(struct keys *keys);
void keys_free(struct keys *keys);
/* The contract's X25519 pair: DeriveKeyPair(HKDF(root, "apex/contract/v1" || address)). */
apex_status keys_contract(const struct keys *keys, const uint8_t address[static 32],
                          struct seal_public *public_key, struct seal_secret *secret);

#endif
