/* A run step by step, compared with another on other values. */
#ifndef TESTS_OBLIVIOUS_TRACE_H
#define TESTS_OBLIVIOUS_TRACE_H

#include "tests/oblivious/secret.h"

/* Whether the case takes the same instructions and addresses for every seed, up to `most`
 * steps; else why says where they part. */
bool trace_compare(const struct oblivious_case *c, size_t most, char why[static 200]);
/* Given away in the middle of a run, called from there. A seed for which it is not the same as
 * for the first is left out, up to a point: what comes after may differ. */
void trace_leak(const void *bytes, size_t len, const void *from);

#endif
