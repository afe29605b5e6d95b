/* Starts the enclave, serves it, and starts it again when it dies.
 *
 *   STARTING  forked, has not answered the greeting yet (it replays the log, or waits for a
 * root secret) UP        answered it DOWN      dead; the next start waits for the back-off:
 * BACKOFF_FIRST_MS, doubled up to BACKOFF_MAX_MS, reset by a life of STABLE_MS REFUSED   exit
 * code 3: it does not accept the stored log. Not started again: somebody has to look
 *
 * A path of the form unix:PATH or vsock:CID:PORT is connected to instead: somebody else started
 * the machine it is in, and starts it again.
 *
 * The child gets no environment and the descriptors 0 and 1 (nothing), 2 (our log), 3 (the
 * link). When we die it dies. */
#ifndef HOST_DAEMON_ENCLAVE_H
#define HOST_DAEMON_ENCLAVE_H

#include "host/daemon/link.h"

enum {
    BACKOFF_FIRST_MS = 100,
    BACKOFF_MAX_MS = 10000,
    STABLE_MS = 60000,
    STOP_GRACE_MS = 10000,
    ENCLAVE_EXIT_REFUSED = 3
};
enum enclave_state { ENCLAVE_STARTING, ENCLAVE_UP, ENCLAVE_DOWN, ENCLAVE_REFUSED };
const char *enclave_state_name(enum enclave_state state);

struct enclave_options {
    const char *path, *tee, *state_folder, *peers,
        *recovery; /* the last two may be NULL; lent for the enclave's life */
    struct link *link;
    void *context;
    /* An enclave was served and is gone; from the supervisor's thread. */
    void (*gone)(void *context);
};

struct enclave;
apex_status enclave_start(const struct enclave_options *options, struct enclave **enclave);
/* Closes the link, waits for the enclave to end (STOP_GRACE_MS, then by force), and frees. */
void enclave_stop(struct enclave *enclave);
void enclave_answered(struct enclave *enclave); /* it is up */
enum enclave_state enclave_state(struct enclave *enclave);
uint64_t enclave_restarts(struct enclave *enclave);

#endif
