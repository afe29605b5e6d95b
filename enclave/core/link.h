/* The stream to the host (common/wire/frame.h): one reader thread takes frames in, any thread
 * may call, reply or post an event.
 *
 * The host is believed in nothing here: a frame out of form, an answer to no call or a closed
 * stream ends the link, and every waiting call returns APEX_E_UNREACHABLE. Leaks to the host:
 * lengths and times of calls. */
#ifndef ENCLAVE_CORE_LINK_H
#define ENCLAVE_CORE_LINK_H

#include "common/wire/frame.h"

struct link;
apex_status link_open(int fd, struct link **link);
/* Ends the link, wakes all; then frees. No thread may use it any more. */
void link_close(struct link *link);
/* The next message of a client; blocks. APEX_E_UNREACHABLE: the host is gone. */
apex_status link_next(struct link *link, uint32_t *id, struct buffer *message);
apex_status link_reply(struct link *link, uint32_t id, struct span reply);
/* A hint for people who wait; lost when the host is gone. */
void link_event(struct link *link, uint64_t run, unsigned state, unsigned permille,
                uint64_t entry);
/* One call. `answer` is cleared and gets what followed the call status. APEX_E_NOT_FOUND,
 * APEX_E_LIMIT (disk full), APEX_E_IO as the host says; APEX_E_UNREACHABLE: gone. */
apex_status link_call(struct link *link, enum call_op op, struct span head, struct span body,
                      struct buffer *answer);

#endif
