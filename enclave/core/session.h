/* One message in, one signed reply out. Called from several threads; takes the core's lock only
 * while it looks at or changes state, and checks contributed rows without it. A reply's words
 * are fixed phrases and public names; what says where in somebody's rows a fault lies is sealed
 * to the author. */
#ifndef ENCLAVE_CORE_SESSION_H
#define ENCLAVE_CORE_SESSION_H

#include "enclave/core/core.h"

/* Appends the reply (COSE_Sign1) to `reply`. A failure means there is none: the host tells its
 * client to come again. */
apex_status session_answer(struct core *core, struct span message, struct buffer *reply);

/* Signs and appends what came of a message. */
struct outcome;
apex_status session_reply(struct core *core, struct span message, struct outcome *out,
                          struct buffer *reply);

#endif
