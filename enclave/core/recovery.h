/* Recovery shares of the root secret, for when no enclave is left that has it.
 *
 * A serving enclave gives the shares of its recovery policy's holders to anybody who asks: each
 * is sealed to its holder. They are the same at every asking, so that shares fetched at
 * different times go together. A newcomer takes shares from holders its own recovery policy
 * names, each signed by its holder and by the log's key, until it has as many as are needed. */
#ifndef ENCLAVE_CORE_RECOVERY_H
#define ENCLAVE_CORE_RECOVERY_H

#include "common/crypto/shamir.h"
#include "enclave/core/acts.h"
#include "enclave/core/recovery_policy.h"

struct recovery {
    struct recovery_policy policy;
    unsigned have;
    uint8_t log_key[32]; /* of the shares taken so far */
    struct shamir_share shares[HOLDERS_MAX];
}; /* in locked memory */

/* NULL policy text: *recovery stays NULL. APEX_E_FORMAT: it does not read. */
apex_status recovery_new(struct span policy, struct recovery **recovery);
void recovery_free(struct recovery *recovery);

enum refusal recovery_shares(struct core *core, struct outcome *out);
/* *done: the root is whole. */
enum refusal recovery_take(struct core *core, struct span recover, struct root_secret *root,
                           bool *done, struct outcome *out);

#endif
