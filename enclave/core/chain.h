/* Statements for a chain: what the log says, signed so that a contract there can check it. The
 * enclave says nothing that its log does not hold: an entry is read back and checked against
 * the tree, and a checkpoint is only stated to a chain whose last anchor this log contains. The
 * host names chain, register and payee; it can spend a statement on none but those it named. */
#ifndef ENCLAVE_CORE_CHAIN_H
#define ENCLAVE_CORE_CHAIN_H

#include "enclave/core/acts.h"

/* With the core's lock held. UNKNOWN_CHECKPOINT: the log does not contain what is anchored;
 * UNKNOWN_RUN: no such entry, or one that a chain is told nothing of. */
enum refusal state_to_chain(struct core *core, const struct query *q, struct outcome *out);

#endif
