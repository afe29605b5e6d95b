/* Where the root secret comes from, at each start:
 *
 *   sealed by this enclave on this machine      -> unsealed
 *   no log yet, and the host does not say wait  -> made here, sealed where the machine can
 *   otherwise                                   -> a peer hands it over, or shares recover it
 *
 * The host keeps the sealed bytes and says whether to wait. It can lose, swap or withhold them:
 * an enclave without its root serves nobody, and one that starts afresh is another log, with
 * another key, which clients see. A root that was sealed is kept by the host, synced, before it
 * signs anything. */
#ifndef ENCLAVE_CORE_ROOT_H
#define ENCLAVE_CORE_ROOT_H

#include "enclave/core/core.h"

/* *why: for the host's log, when it fails. APEX_E_UNTRUSTED: what the host kept does not open.
 */
apex_status root_find(struct core *core, struct root_secret *root, const char **why);

#endif
