/* A run step by step, compared with another on other values. */
#ifndef TESTS_OBLIVIOUS_TRACE_H
#define TESTS_OBLIVIOUS_TRACE_H

#include "tests/oblivious/secret.h"

/* Whether the case takes the same instructions and addresses for every seed, up to `most`
 * steps; else why says where they part. */
bool trace_compare(const struct oblivious_case *c, size_t most, char why[static 200]);
/* Given away in the middle of a run: has to be the same for every seed. */
void trace_leak(const void *bytes, size_t len);

#endif
