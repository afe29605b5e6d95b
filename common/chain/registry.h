/* The register (chain/ApexRegistry.sol) as bytes: calls to it, what it returns, what it logs.
 */
#ifndef COMMON_CHAIN_REGISTRY_H
#define COMMON_CHAIN_REGISTRY_H

#include "common/chain/statement.h"
#include "common/merkle/tree.h"

/* The call that records a signed statement. `words` and `kind` as the enclave gave them;
 * `origin` for an opening, `proof` for an anchor. APEX_E_FORMAT: not that many words. */
apex_status registry_call_statement(enum statement_kind kind, struct span words,
                                    const struct ecdsa_signature *by, struct span origin,
                                    const struct merkle_proof *proof, struct buffer *call);
/* Several calls as one, all or none. */
apex_status registry_call_batch(const struct buffer *calls, size_t n, struct buffer *call);

struct registry_head {
    uint64_t size, anchored, opened; /* entries; blocks */
    uint8_t root[32];
};
enum registry_view {
    VIEW_HEAD,     /* (log) */
    VIEW_EVIDENCE, /* (log, digest) -> key */
    VIEW_PROGRAM,  /* (log, manifest) -> program */
    VIEW_RUN       /* (log, run) -> digest, payee, block */
};
/* `argument`: the view's second, one word. */
apex_status registry_call_view(enum registry_view view, const uint8_t log[static 32],
                               const uint8_t argument[static 32], struct buffer *call);
apex_status registry_head_parse(struct span returned, struct registry_head *head);
struct registry_run {
    uint8_t digest[32]; /* zeros: nothing is committed */
    uint8_t payee[CHAIN_ADDRESS_LEN];
    uint64_t committed; /* block */
};
apex_status registry_run_parse(struct span returned, struct registry_run *run);

/* What the register keeps of a run: keccak256 over its words but the log. */
apex_status registry_run_digest(struct span words, uint8_t digest[static 32]);

/* Events. topic: keccak256 of the event's signature. */
void registry_topic(enum statement_kind kind, uint8_t topic[static 32]);
struct registry_event {
    struct statement statement; /* anchor, contract or run; its `log` from the topics */
    uint64_t previous;          /* anchor: the block of the one before */
    struct ecdsa_signature by;
};
/* topics: n x 32 bytes. APEX_E_FORMAT: none of ours, or not its form. */
apex_status registry_event_parse(const uint8_t *topics, size_t n, struct span data,
                                 struct registry_event *event);

#endif
