/* Genuine evidence held against a trust policy, and the verdict's last sentence. */
#ifndef COMMON_ATTEST_ACCEPT_H
#define COMMON_ATTEST_ACCEPT_H

#include "common/attest/attest.h"

/* Sets `acceptable`. Evidence that is not genuine, or no policy: not asked, not acceptable. */
void verdict_hold_against(struct verdict *v, const struct trust_policy *policy,
                          uint64_t now_ms);
/* Writes the sentence. `asked`: the policy it was held against, or NULL. */
void verdict_conclude(struct verdict *v, const struct trust_policy *asked);

#endif
