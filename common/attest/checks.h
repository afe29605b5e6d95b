/* The list of checks in a verdict: every question that was put, by name, with what came of it
 * in plain words. Both families of evidence write the same kind of list.
 *
 * A list that is full fails closed: the check returns false and the verdict's reason is
 * REASON_INTERNAL. `detail` is cut to what a check holds; it carries public values only. */
#ifndef COMMON_ATTEST_CHECKS_H
#define COMMON_ATTEST_CHECKS_H

#include "common/attest/attest.h"

#define CHECK_WORDS(at) __attribute__((format(printf, at, at + 1)))

/* Returns `passes`. The first check that fails gives the verdict its reason. */
bool verdict_check(struct verdict *v, const char *name, bool passes, enum reason why,
                   const char *detail, ...) CHECK_WORDS(5);
/* For chain_verify() and its like, that answer with a reason: passes when it is REASON_NONE. */
bool verdict_check_reason(struct verdict *v, const char *name, enum reason why,
                          const char *detail, ...) CHECK_WORDS(4);
void verdict_not_asked(struct verdict *v, const char *name, const char *detail, ...)
    CHECK_WORDS(3);
void verdict_find(struct verdict *v, enum finding finding);

#endif
