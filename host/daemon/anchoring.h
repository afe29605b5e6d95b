/* Joins the node's parts with host/chain: the log, the enclave's statements, the register. */
#ifndef HOST_DAEMON_ANCHORING_H
#define HOST_DAEMON_ANCHORING_H

#include "host/chain/anchor.h"
#include "host/daemon/host.h"
#include "host/daemon/options.h"

/* Starts host->anchor as the options say; nothing when they name no chain. */
apex_status anchoring_start(struct host *host, const struct options *options,
                            struct chain_fault *fault);
/* {"state":"waiting","chain_id":1,…}: what /healthz shows of it; empty without a chain. */
enum { ANCHORING_JSON_MAX = 512 };
void anchoring_json(struct host *host, char json[static ANCHORING_JSON_MAX]);

#endif
