/* One log, as the chain's register, the node and a receipt each tell it.
 *
 * Every anchor, contract and run that the chain shows is signed by the key that the enclave's
 * evidence binds, and is checked here again; an RPC can hide records and invent none. Anchors
 * are walked back from the newest, each naming the block of the one before. The home folder
 * remembers the newest anchor it has seen of a log (HOME/chains/<8 bytes of the log's
 * id>.anchor), so that a chain that goes back behind it is noticed. */
#ifndef CLIENT_LIB_CHAIN_H
#define CLIENT_LIB_CHAIN_H

#include "client/lib/node.h"
#include "client/lib/verify_parts.h"
#include "common/chain/chain.h"

enum { ANCHORS_WALKED_MAX = 1000 };

struct chain_view {
    const struct apex_home *home;
    struct apex_node *node; /* NULL: the log itself is not at hand */
    struct evm *chain;
    uint8_t log[32], key[CHAIN_ADDRESS_LEN];
    struct registry_head head;
    const struct checkpoint *receipt; /* without a node: what the anchors are held against */
    bool receipt_met;                 /* one of them is of its size */
    struct apex_verification *v;
    bool agree;
};

/* Opens the chain and finds the log of (origin, log key, chain key) on it. */
apex_status chain_view_open(struct chain_view *c, const struct apex_chain_options *options,
                            struct apex_error *error);
void chain_view_close(struct chain_view *c);
apex_status chain_view_log(struct chain_view *c, const char *origin,
                           const uint8_t log_key[static 32],
                           const uint8_t chain_key[static ECDSA_PUBLIC_LEN],
                           struct apex_error *error);
/* Adds a check; `rule` (may be NULL) leads the detail when it fails. */
bool chain_view_check(struct chain_view *c, const char *name, bool passes, const char *rule,
                      const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Adds what was not looked at. */
void chain_view_left(struct chain_view *c, const char *name, const char *detail);
/* The anchors against the log, back to the one that first covers `least` entries. */
apex_status chain_view_anchors(struct chain_view *c, uint64_t least, struct apex_error *error);
/* A run's commitment against its entries; a contract's record. Each counts with its signed
 * event only. tell: a run adds its checks when they pass, too. */
apex_status chain_view_run(struct chain_view *c, const struct entry *result, bool tell,
                           struct apex_error *error);
apex_status chain_view_contract(struct chain_view *c, const uint8_t address[static 32],
                                const uint8_t program[static 32], struct apex_error *error);
/* That the evidence is recorded is the RPC's word: its event carries no signature. */
apex_status chain_view_evidence(struct chain_view *c, const struct entry *enclave,
                                struct apex_error *error);
/* A fault in words for people. */
apex_status chain_fault_tell(struct apex_error *error, apex_status s,
                             const struct chain_fault *fault);

#endif
