/* Fees deposited for the answer to a request. Their events carry no enclave's signature: all
 * here is the RPC's word, good enough to ask for money by and to tell people, not to prove by.
 */
#ifndef COMMON_CHAIN_FEES_H
#define COMMON_CHAIN_FEES_H

#include "common/chain/chain.h"

enum { FEES_MAX = 8 };
struct fee {
    uint8_t id[32];
    uint64_t deadline; /* seconds; from then on it can be taken back */
};
/* Deposits for a request of a contract that are neither paid nor refunded, at most FEES_MAX. */
apex_status fees_open(struct evm *chain, const uint8_t log[static 32],
                      const uint8_t manifest[static 32], const uint8_t request[static 32],
                      uint64_t from, struct fee fees[static FEES_MAX], size_t *n,
                      struct chain_fault *fault);
/* Was any deposit for the request refunded? */
apex_status fees_refunded(struct evm *chain, const uint8_t log[static 32],
                          const uint8_t request[static 32], uint64_t from, bool *refunded,
                          struct chain_fault *fault);
/* The call that has a fee paid out to the payee of a committed run; `words`: of its statement.
 */
apex_status registry_call_withdraw(const uint8_t id[static 32], struct span words,
                                   struct buffer *call);

#endif
