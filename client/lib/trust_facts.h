/* What genuine evidence says, in words for people: facts, and findings that may matter. */
#ifndef CLIENT_LIB_TRUST_FACTS_H
#define CLIENT_LIB_TRUST_FACTS_H

#include "client/lib/error.h"
#include "common/attest/attest.h"

/* Fills facts and findings; leaves none for evidence that is not genuine. */
void facts_fill(const struct verdict *from, struct apex_verdict *to);

#endif
