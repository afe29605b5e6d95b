/* At start: reads the whole log back and believes none of it. The checkpoint must be signed by
 * the log key of this root secret, the entries must hash to its root, and each must keep the
 * rules of common/ledger/replay.h. Entries above the checkpoint were never acknowledged
 * and are left to be replaced. */
#ifndef ENCLAVE_CORE_REPLAY_H
#define ENCLAVE_CORE_REPLAY_H

#include "enclave/core/core.h"

apex_status log_replay(struct core *core, const char **why);

#endif
