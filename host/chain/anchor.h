/* Keeps a chain's register in step with the log.
 *
 * The log is the queue: what is to be recorded is what the log holds and the register does not,
 * so a chain that is down for a day loses nothing and a lost file costs a second look. Each
 * round looks at the register, asks the enclave for statements of what is missing (the log's
 * opening, enclaves, contracts, runs, the newest checkpoint), and sends them as one
 * transaction; the next round waits until that one is deep enough. The register refuses
 * anything twice.
 *
 *   LOOKING   nothing is out
 *   WAITING   a transaction is out
 *   STUCK     a rule of fault.h says why; tried again, ever more slowly
 *   OPPOSED   the chain holds an anchor that this log does not contain: the log was rolled back
 * or replaced. Nothing is sent; somebody has to look
 *
 * The host holds the key for gas and no other; what it sends is signed by the enclave. */
#ifndef HOST_CHAIN_ANCHOR_H
#define HOST_CHAIN_ANCHOR_H

#include "common/chain/chain.h"
#include "common/wire/message.h"
#include "host/chain/gas_key.h"

/* What it works on; each may be called from the anchor's thread. */
struct anchor_source {
    void *context;
    uint64_t (*size)(void *context); /* entries the kept checkpoint covers */
    apex_status (*note)(void *context, struct buffer *note);
    apex_status (*entries)(void *context, uint64_t index, struct buffer *bundle);
    /* The enclave's reply to a statement query: body_statement, lent from `bytes`.
     * APEX_E_UNTRUSTED: the log does not contain what is anchored; APEX_E_NOT_FOUND: that entry
     * has no statement; APEX_E_UNREACHABLE. */
    apex_status (*statement)(void *context, const struct query *q, struct buffer *bytes,
                             struct body_statement *statement);
};
struct anchor_options {
    struct chain_options chain;
    const char *folder;     /* its own; made if need be */
    const char *key_path;   /* gas */
    uint64_t confirmations; /* until a transaction counts as there for good */
    uint64_t max_fee;       /* wei per unit of gas */
    int64_t every_ms;       /* anchors are at least so far apart */
    struct anchor_source source;
};

enum anchor_state { ANCHOR_LOOKING, ANCHOR_WAITING, ANCHOR_STUCK, ANCHOR_OPPOSED };
struct anchor_status {
    enum anchor_state state;
    uint64_t chain_id, anchored, sent; /* anchored: entries; sent: transactions since start */
    char rule[40], what[240];
    uint8_t tx[32]; /* the newest one that is there for good; zeros before the first */
};
const char *anchor_state_name(enum anchor_state state);

struct anchor;
/* Checks key and folder, and starts the thread; the chain itself may be down. */
apex_status anchor_start(const struct anchor_options *options, struct anchor **anchor,
                         struct chain_fault *fault);
void anchor_stop(struct anchor *anchor);
void anchor_status_get(struct anchor *anchor, struct anchor_status *status);

#endif
