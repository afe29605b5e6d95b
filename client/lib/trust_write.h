/* A trust policy, written from genuine evidence for people to look at and edit. */
#ifndef CLIENT_LIB_TRUST_WRITE_H
#define CLIENT_LIB_TRUST_WRITE_H

#include "common/attest/attest.h"

/* Accepts exactly what was seen, and firmware no older than now. Debug and migration are not
 * allowed in it even when the evidence shows them: a person must write that. */
void policy_write(const struct verdict *v, const char *origin, const struct sign_public *log,
                  struct buffer *out);

#endif
