/* Transactions of type 2. Source: EIP-1559; EIP-2718 (the type byte). Gas is paid by keys of
 * the host's own; an enclave's key never signs one. */
#ifndef COMMON_CHAIN_TX_H
#define COMMON_CHAIN_TX_H

#include "common/base/buffer.h"
#include "common/crypto/ecdsa.h"

struct tx {
    uint64_t chain_id, nonce, priority_fee, max_fee, gas; /* fees in wei per unit of gas */
    bool creates;                                         /* deploys `data`; `to` is not used */
    uint8_t to[ECDSA_ADDRESS_LEN];
    struct span data; /* lent; no value is ever sent along */
};

/* Appends the signed bytes, ready to be sent, and gives the hash the chain will know it by. */
apex_status tx_sign(const struct tx *tx, const struct ecdsa_secret *key, struct buffer *raw,
                    uint8_t hash[static 32]);
/* Reads what tx_sign wrote; *from: who signed. tx->data is lent from `raw`. APEX_E_FORMAT: not
 * this form; APEX_E_UNTRUSTED: not a signature. */
apex_status tx_parse(struct span raw, struct tx *tx, uint8_t from[static ECDSA_ADDRESS_LEN],
                     uint8_t hash[static 32]);
/* The address of what a sender deploys with a nonce: yellow paper, section 7. */
apex_status tx_created(const uint8_t from[static ECDSA_ADDRESS_LEN], uint64_t nonce,
                       uint8_t address[static ECDSA_ADDRESS_LEN]);

#endif
