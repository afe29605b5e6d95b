/* Reading the register through one RPC. Opening it checks that the chain has the id expected
 * and that the code at the address is the register's, to the bit. All is then read as of one
 * block, `confirmations` deep, so that what is told does not mix two states.
 *
 * What a view returns is the RPC's word alone. The events of anchors, contracts and runs carry
 * the enclave's signature, and chain_event_find and chain_anchor_before show none that the
 * caller's key has not signed: an RPC can hide some, and can invent none. Statuses:
 * APEX_E_UNREACHABLE no whole answer in time; APEX_E_LIMIT too long; APEX_E_FORMAT not of the
 * form; APEX_E_UNTRUSTED by a rule of fault.h; APEX_E_NOT_FOUND not recorded. Leaks to the RPC:
 * which log and runs are asked about. */
#ifndef COMMON_CHAIN_CHAIN_H
#define COMMON_CHAIN_CHAIN_H

#include "common/chain/registry.h"
#include "common/chain/rpc.h"

struct chain_options {
    const char *url;
    uint8_t registry[CHAIN_ADDRESS_LEN];
    uint64_t chain_id;      /* 0: whichever it has */
    uint64_t confirmations; /* 1: the newest block counts; at least 1 */
    unsigned timeout_ms;    /* 0: RPC_TIMEOUT_MS */
};
struct chain_block {
    uint64_t number;
    uint8_t hash[32];
    uint64_t base_fee; /* wei per gas */
};
struct evm { /* a chain and its register, through one RPC */
    struct rpc *rpc;
    struct chain_place place;
    uint64_t confirmations;
    struct chain_block at; /* all views are as of this block */
};

apex_status chain_open(const struct chain_options *options, struct evm **chain,
                       struct chain_fault *fault);
void chain_close(struct evm *chain);
/* Moves `at` to the newest block that is deep enough (the first, on a younger chain). */
apex_status chain_look(struct evm *chain, struct chain_fault *fault);
/* Block by number; APEX_E_NOT_FOUND when there is none. */
apex_status chain_block_get(struct evm *chain, uint64_t number, struct chain_block *block,
                            struct chain_fault *fault);

/* APEX_E_NOT_FOUND: the register has no such log. */
apex_status chain_head(struct evm *chain, const uint8_t log[static 32],
                       struct registry_head *head, struct chain_fault *fault);
/* What is committed of a run; a digest of zeros when nothing is. */
apex_status chain_run(struct evm *chain, const uint8_t log[static 32], uint64_t index,
                      struct registry_run *run, struct chain_fault *fault);
/* A view that returns one word; zeros when nothing is recorded. */
apex_status chain_word(struct evm *chain, enum registry_view view, const uint8_t log[static 32],
                       const uint8_t argument[static 32], uint8_t word[static 32],
                       struct chain_fault *fault);

struct chain_event {
    struct registry_event event;
    uint64_t block; /* this and tx: the RPC's word */
    uint8_t tx[32];
};
/* The one event of its kind about (log, topic2: size, run or manifest) in blocks [from, to],
 * signed by `key`, whose address the caller has from the enclave's evidence: which keys the
 * register admits the RPC alone would tell. APEX_E_NOT_FOUND: none; APEX_E_UNTRUSTED by
 * CHAIN_FORGED: signed by another key, or by none. */
apex_status chain_event_find(struct evm *chain, enum statement_kind kind,
                             const uint8_t log[static 32], const uint8_t topic2[static 32],
                             uint64_t from, uint64_t to,
                             const uint8_t key[static CHAIN_ADDRESS_LEN],
                             struct chain_event *event, struct chain_fault *fault);

/* The newest anchor in a block that is smaller than `below` entries; signed by `key` too. */
apex_status chain_anchor_before(struct evm *chain, const uint8_t log[static 32], uint64_t block,
                                uint64_t below, const uint8_t key[static CHAIN_ADDRESS_LEN],
                                struct chain_event *event, struct chain_fault *fault);

/* One entry of eth_getLogs, parsed and no more; for fuzzing too. */
apex_status chain_event_parse(const json_t *log, const uint8_t registry[static 20],
                              struct chain_event *event);
apex_status chain_block_parse(const json_t *j, struct chain_block *block);
/* "0x" and 40 hex digits of either case. */
apex_status chain_address_parse(const char *text, uint8_t address[static CHAIN_ADDRESS_LEN]);
/* EIP-55's mixed case. */
enum { CHAIN_ADDRESS_TEXT = 43 };
void chain_address_write(const uint8_t address[static CHAIN_ADDRESS_LEN],
                         char text[static CHAIN_ADDRESS_TEXT]);
void chain_word_u64(uint64_t value, uint8_t word[static 32]);
void chain_word_address(const uint8_t address[static CHAIN_ADDRESS_LEN],
                        uint8_t word[static 32]);

#endif
