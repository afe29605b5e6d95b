/* One transaction at a time, until the chain has it for good.
 *
 *   IDLE      nothing is out
 *   WAITING   signed, on the disk, sent; not in a block, or not deep enough yet
 *   DONE, REVERTED   in a block `confirmations` deep; IDLE from here on
 *   LOST      another transaction has used the nonce: none of ours can be mined; IDLE from here
 * on
 *
 * What is out is on the disk before it is sent, so a crash at any moment finds it again. Trying
 * again is sending the same bytes; when the price has risen, the same nonce and data with a
 * higher fee, so of all versions the chain takes one: nothing is paid twice. A block that is
 * dropped by a re-org puts its transaction back to WAITING. */
#ifndef HOST_CHAIN_OUTBOX_H
#define HOST_CHAIN_OUTBOX_H

#include "common/chain/chain.h"
#include "common/chain/tx.h"
#include "host/chain/gas_key.h"

enum { OUTBOX_VERSIONS_MAX = 16, OUTBOX_GAS_MAX = 10000000 };
enum outbox_state { OUTBOX_IDLE, OUTBOX_WAITING, OUTBOX_DONE, OUTBOX_REVERTED, OUTBOX_LOST };

struct outbox_options {
    const char *path;          /* the file; NULL: memory only */
    const struct gas_key *key; /* lent */
    uint64_t confirmations;    /* at least 1 */
    uint64_t max_fee;          /* wei per unit of gas: never more, whatever the RPC says */
    int64_t raise_ms;          /* pay more when it has waited so long */
    int64_t lost_ms;           /* how long an RPC may know the nonce before the receipt */
};
struct outbox_receipt {
    uint8_t tx[32];
    uint64_t block, gas_used;
};

struct outbox;
/* Reads what an earlier life left. APEX_E_FORMAT: the file is damaged, or of another key or
 * chain. */
apex_status outbox_open(const struct outbox_options *options, uint64_t chain_id,
                        struct outbox **outbox, struct chain_fault *fault);
void outbox_close(struct outbox *outbox);
enum outbox_state outbox_state(const struct outbox *outbox);

/* Only when IDLE. `to` NULL deploys. Estimates first: APEX_E_REFUSED, nothing is out, when the
 * chain says it would revert; APEX_E_LIMIT above OUTBOX_GAS_MAX or max_fee. */
apex_status outbox_submit(struct outbox *outbox, struct evm *chain, const uint8_t *to,
                          struct span data, struct chain_fault *fault);
/* The address of what the transaction that is out deploys. */
apex_status outbox_created(const struct outbox *outbox,
                           uint8_t address[static CHAIN_ADDRESS_LEN]);
/* Looks for it, sends it again, or raises its fee. *receipt when DONE or REVERTED. */
apex_status outbox_poll(struct outbox *outbox, struct evm *chain, enum outbox_state *state,
                        struct outbox_receipt *receipt, struct chain_fault *fault);

#endif
