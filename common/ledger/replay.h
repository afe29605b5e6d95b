/* The log read back, entry by entry, believing none of it: what the enclave does at its start
 * and an auditor does on its own machine, by the same rules.
 *
 * Of every entry: it is signed by an enclave that an earlier entry (or itself) admits; it
 * stands at its own index, no earlier than the one before it; its act is signed by its author,
 * was not recorded before, and names a checkpoint that this log contains; the manifest, the
 * contract's state, the quotas and the privacy budget allow it (policy.h); a result rests on
 * rows that were given for it. That the entries are the log's is for the caller to check: they
 * must hash to a checkpoint's root.
 *
 * Two answers are kept apart. A status other than APEX_OK: the entry cannot follow here, and
 * reading ends. A breach: the entry stands in the log, but breaks a rule that whoever
 * sequenced it should have kept. An auditor reads on; the enclave serves no log that has any.
 *
 * Not seen here, as it takes rows or ciphertexts: that rows fit their columns, how many a party
 * has, and what parameters a request holds.
 * Source: RFC 6962 section 2.1, docs/formats.md. Leaks: everything; the log is public. */
#ifndef COMMON_LEDGER_REPLAY_H
#define COMMON_LEDGER_REPLAY_H

#include "common/attest/attest.h"
#include "common/ledger/state.h"
#include "common/merkle/tree.h"
#include "common/wire/refusal.h"

struct breach {
    uint64_t index; /* of the entry */
    enum refusal rule;
    const char *why; /* fixed text */
};
struct enclave_record {
    uint8_t identity[32];
    bool judged; /* is its evidence genuine? */
    char tee[16];
    uint8_t measurement[MEASUREMENT_MAX];
    size_t measurement_len;
};
struct replay {
    struct state *state;
    struct merkle_tree *tree;
    /* Gives the manifest's text, or leaves the buffer empty where it is lost. Other statuses
     * than APEX_OK end the replay. */
    apex_status (*manifest)(void *context, const uint8_t address[static 32],
                            struct buffer *text);
    void *context;
    /* Are signatures and evidence checked? Not by who holds a root hash that vouches for all.
     */
    bool signatures;
    /* May evidence lack the documents to judge it by (a chip's certificate, Intel's
     * collateral)? They come from outside, and not every host gives them to its enclave. To an
     * auditor that is a breach; to an enclave reading the log of its own root secret it is not:
     * who signed this checkpoint checked, or was, who signed. Evidence that is there and false
     * always is. */
    bool documents_elsewhere;
    /* Whose bundles hold documents that evidence may lack; NULL: nobody's. What else it says is
     * not asked. */
    const struct trust_policy *bundles;
    size_t n_enclaves, cap_enclaves;
    struct enclave_record *enclaves;
};

void replay_init(struct replay *r, struct state *state, struct merkle_tree *tree);
void replay_clear(struct replay *r); /* not the state, not the tree */
/* Reads the next entry and applies it. *found.rule is REFUSAL_NONE where it keeps all rules.
 * `e` is filled in; its spans point into `bytes`. APEX_E_UNTRUSTED, APEX_E_FORMAT,
 * APEX_E_LIMIT (it holds more of something than it may): it cannot follow here (found.why says
 * why); APEX_E_MEMORY; those of `manifest`. */
apex_status replay_entry(struct replay *r, struct span bytes, struct entry *e,
                         struct breach *found);

#endif
