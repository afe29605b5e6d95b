/* What an enclave says to a chain, and how it is signed: EIP-712 typed data under the domain
 * {name "APEX", version "1", chain id, registry}. chain/ApexRegistry.sol checks the same bytes.
 *
 * A log goes by an id on the chain: keccak256(keccak256(origin) || log key || first key's
 * address padded to 32). Source: EIP-712 (typed data), EIP-155 (chain ids). */
#ifndef COMMON_CHAIN_STATEMENT_H
#define COMMON_CHAIN_STATEMENT_H

#include "common/base/buffer.h"
#include "common/crypto/ecdsa.h"
#include "common/wire/entry.h"

enum { CHAIN_ADDRESS_LEN = ECDSA_ADDRESS_LEN, WORD_LEN = 32, STATEMENT_WORDS_MAX = 8 };
enum statement_kind {
    STATEMENT_OPEN = 1,     /* a log is opened with its first key, which signs */
    STATEMENT_ADMIT = 2,    /* a key, or newer evidence of one */
    STATEMENT_CONTRACT = 3, /* a deployed contract and its program */
    STATEMENT_ANCHOR = 4,   /* a checkpoint */
    STATEMENT_RUN = 5       /* what a run read, ran and answered */
};

/* Where a statement is good: no other chain, no other contract. */
struct chain_place {
    uint64_t chain_id;
    uint8_t registry[CHAIN_ADDRESS_LEN];
};

/* The fields of its kind; the others are not looked at. */
struct statement {
    enum statement_kind kind;
    struct span origin;                          /* open; lent */
    uint8_t log_key[32];                         /* open: Ed25519 */
    uint8_t log[32];                             /* all but open: the log's id */
    uint8_t key[CHAIN_ADDRESS_LEN];              /* open, admit */
    uint8_t evidence[32];                        /* open, admit: SHA-256 of the envelope */
    uint8_t manifest[32], program[32];           /* contract, run */
    uint64_t size;                               /* anchor */
    uint8_t root[32];                            /* anchor */
    uint64_t run;                                /* run: index of its entry */
    uint8_t request[32], inputs[32], output[32]; /* run */
    uint8_t payee[CHAIN_ADDRESS_LEN]; /* run: who is paid what was deposited for it */
};

void statement_log_id(struct span origin, const uint8_t log_key[static 32],
                      const uint8_t first_key[static CHAIN_ADDRESS_LEN], uint8_t id[static 32]);
/* Digest over what a run read: SHA-256("apex/inputs/v1" || (index u64be || blob)* || rows), the
 * last only if the requester sent rows. */
void statement_inputs(const struct entry *result, uint8_t digest[static 32]);
/* The fields as EIP-712 encodes them, a word each; a text is its Keccak-256. */
apex_status statement_words(const struct statement *s, struct buffer *words);
/* What is signed. */
apex_status statement_digest(enum statement_kind kind, struct span words,
                             const struct chain_place *place, uint8_t digest[static 32]);
/* How many words a statement of this kind has; 0: there is no such kind. */
size_t statement_n_words(enum statement_kind kind);

#endif
