/* The stream to the enclave (common/wire/frame.h), kept over restarts of it.
 *
 * States: detached -> link_run -> attached -> (end of file, a frame out of form, link_cut) ->
 * detached. The thread inside link_run is the one reader; LINK_WORKERS threads answer the
 * enclave's calls; any thread may post messages. The enclave is believed in nothing here: a
 * frame out of form, a reply to no message or more calls than it may have open end the stream.
 * Statuses: APEX_E_UNREACHABLE no enclave is attached, it went away, gave an empty reply (it is
 * too busy), or did not answer in time; APEX_E_LIMIT the message is too long. Leaks: passes
 * ciphertext and signed bytes on, looks at none. */
#ifndef HOST_DAEMON_LINK_H
#define HOST_DAEMON_LINK_H

#include "common/base/buffer.h"
#include "common/wire/frame.h"
#include "host/daemon/runs.h"

enum { LINK_WORKERS = 4, LINK_CALLS_MAX = 64 };

/* What the link tells its owner; each may be called from any thread, never with a lock of the
 * link held. */
struct link_owner {
    void *context;
    /* One CALL: appends the call status and what goes with it. */
    void (*call)(void *context, struct span call, struct buffer *answer);
    void (*event)(void *context, const struct run_hint *hint);
    /* The enclave answered the greeting: it has its root secret and has replayed the log. */
    void (*answered)(void *context);
};

struct link;
apex_status link_new(const struct link_owner *owner, struct link **link);
void link_free(struct link *link); /* detached, and no thread uses it any more */

/* Serves the enclave at the other end of `fd` until the stream ends; closes fd. `greeting` is
 * posted first, its reply is not wanted. APEX_E_FORMAT: the enclave broke the protocol;
 * APEX_E_UNREACHABLE: the stream ended. */
apex_status link_run(struct link *link, int fd, struct span greeting);
/* Ends the stream: link_run returns soon. */
void link_cut(struct link *link);
/* Posts a message and appends the reply. */
apex_status link_message(struct link *link, struct span message, int64_t timeout_ms,
                         struct buffer *reply);

#endif
