/* Whether the witnesses a manifest names have seen the log as it is. A host can give an enclave
 * an old log and nobody inside can know; witnesses cosign only what contains all they saw
 * before, so with their word on the newest entries a rollback or a fork cannot be served.
 * Source: c2sp.org/tlog-cosignature. Leaks: nothing; all is public. */
#ifndef COMMON_LEDGER_WITNESSED_H
#define COMMON_LEDGER_WITNESSED_H

#include "common/merkle/cosignature.h"
#include "common/merkle/tree.h"
#include "common/wire/manifest.h"

/* The keys of a manifest. APEX_E_FORMAT (*at: which): not a witness's verifier key, or the key
 * of another one once more under another name. */
apex_status witnesses_parse(const struct manifest_witnesses *m,
                            struct witness_key keys[static MANIFEST_WITNESSES_MAX], size_t *at);
/* Is the note a checkpoint of this log that covers `min_size` entries or more, cosigned by the
 * quorum? True where the manifest names no witnesses. */
bool witnessed(const struct manifest_witnesses *m, struct span note, const char *origin,
               const struct sign_public *log, const struct merkle_tree *tree,
               uint64_t min_size);

#endif
