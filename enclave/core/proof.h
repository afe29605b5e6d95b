/* Proofs against the checkpoint the host keeps. With the core's lock held. */
#ifndef ENCLAVE_CORE_PROOF_H
#define ENCLAVE_CORE_PROOF_H

#include "common/wire/message.h"
#include "enclave/core/core.h"

/* Does the log contain the checkpoint (size, root)? Size 0 always. */
bool proof_seen(const struct core *core, uint64_t size, const uint8_t root[static 32]);
/* Consistency from `old_size`, and inclusion of `index` unless it is UINT64_MAX. `proof` lends
 * the note from the core. */
apex_status proof_make(const struct core *core, uint64_t old_size, uint64_t index,
                       struct wire_proof *proof);
/* The bytes of entry `index`, read from the host and checked against the tree. */
apex_status proof_entry(struct core *core, uint64_t index, struct buffer *entry);

#endif
