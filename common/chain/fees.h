/* Fees deposited for the answer to a request. Their events carry no enclave's signature: all
 * here is the RPC's word, good enough to ask for money by and to tell people, not to prove by.
 *
 * Anybody may deposit, for any request, as little as a wei and as often as they like. So lists
 * are read a range of blocks at a time, of all deposits the FEES_MAX largest are kept, and
 * whoever asks goes on without an answer when there is none. */
#ifndef COMMON_CHAIN_FEES_H
#define COMMON_CHAIN_FEES_H

#include "common/chain/chain.h"

enum { FEES_MAX = 8 };
struct fee {
    uint8_t id[32], amount[32]; /* wei, big-endian */
    uint64_t deadline;          /* seconds; from then on it can be taken back */
};
struct fees {
    struct fee fee[FEES_MAX]; /* the largest first */
    size_t n;
    bool all; /* there are no others */
};
/* Deposits for a request of a contract that cannot be taken back before `until`, and are not
 * paid. Nobody crowds a fee out but with larger ones, which are then paid themselves. */
apex_status fees_open(struct evm *chain, const uint8_t log[static 32],
                      const uint8_t manifest[static 32], const uint8_t request[static 32],
                      uint64_t from, uint64_t until, struct fees *fees,
                      struct chain_fault *fault);
/* Was one of the largest deposits for the request refunded? *all: none was left out. */
apex_status fees_refunded(struct evm *chain, const uint8_t log[static 32],
                          const uint8_t request[static 32], uint64_t from, bool *refunded,
                          bool *all, struct chain_fault *fault);
/* The call that has a fee paid out to the payee of a committed run; `words`: of its statement.
 */
apex_status registry_call_withdraw(const uint8_t id[static 32], struct span words,
                                   struct buffer *call);

#endif
