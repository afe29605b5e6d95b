/* The parts of a running apexd, made by main and lent to all. */
#ifndef HOST_DAEMON_HOST_H
#define HOST_DAEMON_HOST_H

#include "host/daemon/enclave.h"
#include "host/daemon/link.h"
#include "host/daemon/metrics.h"
#include "host/daemon/runs.h"
#include "host/ledger/ledger.h"
#include "host/store/store.h"

struct anchor;
struct host {
    struct store *store;
    struct ledger *ledger;
    struct link *link;
    struct enclave *enclave;
    struct runs *runs;
    struct anchor *anchor; /* NULL: no chain was named */
    struct metrics metrics;
    const char *tee;
    const char *root_path;          /* the enclave's sealed root secret */
    bool wait_for_root;             /* it is not to start a log of its own */
    const uint8_t (*deployers)[32]; /* who may deploy; of none, anybody may */
    size_t n_deployers;
    uint64_t blob_max;
    int64_t message_timeout_ms;
};

/* Answers one CALL of the enclave (common/wire/frame.h): appends the call status and what goes
 * with it. */
void host_call(struct host *host, struct span call, struct buffer *answer);
/* Asks the enclave how far a run is, and remembers it. state is RUN_UNKNOWN when the enclave
 * knows no such run. APEX_E_UNREACHABLE: no answer. Not verified: a hint. */
apex_status host_ask_run(struct host *host, uint64_t run, struct run_hint *hint);
/* Asks for a statement for a chain (common/chain/statement.h), lent from `bytes`.
 * APEX_E_UNTRUSTED: the log does not contain the checkpoint in the query; APEX_E_NOT_FOUND: the
 * entry has no statement. */
apex_status host_ask_statement(struct host *host, const struct query *q, struct buffer *bytes,
                               struct body_statement *statement);
/* Posts a query without a body of its own kind (attest) and appends the signed reply. */
apex_status host_attest(struct host *host, const uint8_t nonce[static 32],
                        struct buffer *reply);

#endif
