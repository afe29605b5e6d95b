/* The key that pays for gas: the host's own, in a file of mode 0600 that holds 64 hex digits.
 * It proves nothing about any log; whoever has it can spend what lies at its address, so keep
 * little there. */
#ifndef HOST_CHAIN_GAS_KEY_H
#define HOST_CHAIN_GAS_KEY_H

#include "common/chain/fault.h"
#include "common/crypto/ecdsa.h"

struct gas_key {
    struct ecdsa_secret secret;
    uint8_t address[ECDSA_ADDRESS_LEN];
};
WIPED_DEFINE(gas_key)

/* Never overwrites a file. */
apex_status gas_key_new(const char *path, struct gas_key *key, struct chain_fault *fault);
/* APEX_E_REFUSED: others than its owner can read the file. */
apex_status gas_key_load(const char *path, struct gas_key *key, struct chain_fault *fault);

#endif
