/* At start: reads the whole log back and believes none of it. The checkpoint must be signed by
 * the log key of this root secret, the entries must hash to its root, every entry must be
 * signed by an enclave that an earlier entry (or itself) admits, every act by its author, and
 * each must follow from those before it. Entries above the checkpoint were never acknowledged
 * and are left to be replaced. */
#ifndef ENCLAVE_CORE_REPLAY_H
#define ENCLAVE_CORE_REPLAY_H

#include "enclave/core/core.h"

apex_status replay(struct core *core, const char **why);

#endif
