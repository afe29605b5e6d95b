/* One judge per kind of evidence: is it cryptographically what it says it is? attest.c calls
 * them; what a policy says of genuine evidence is asked in accept.c.
 *
 * A judge writes each check into the verdict, fills private_claims, findings, measurement and
 * product, and returns whether all hold. What it filled is wiped by attest.c when they do not.
 */
#ifndef COMMON_ATTEST_JUDGE_H
#define COMMON_ATTEST_JUDGE_H

#include "common/attest/attest.h"
#include "common/attest/checks.h"

bool sim_judge(const struct judging *j, struct verdict *v);
bool snp_judge(const struct judging *j, struct verdict *v);
bool intel_judge(const struct judging *j, struct verdict *v); /* tdx and sgx */
bool nitro_judge(const struct judging *j, struct verdict *v);

/* Finds the judge of this kind and lets it write into a verdict that may hold checks already.
 */
void judge_examine(const char *tee, const struct judging *what, struct verdict *v);

/* "keys-bound": what the evidence binds is what it must. `why` of a failure. */
bool judge_binding(const struct judging *j, struct span bound, enum reason why,
                   struct verdict *v);
/* "chain", and "not-revoked" once the chain holds. */
bool judge_chain(const struct chain *chain, const char *vendor, struct verdict *v);

#endif
