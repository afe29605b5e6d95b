/* Where a kernel knowingly gives something away: a branch or an address is about to depend on
 * these bytes, which its header lists under "Leaks" (a number of rounds, whether anything
 * moved). It does nothing. The proof in tests/oblivious links another num_leak, which tells
 * valgrind that the bytes are public from here on, so that every leak is one line to look at,
 * and anything else that a branch or an address follows is a failure. */
#ifndef COMMON_NUM_LEAK_H
#define COMMON_NUM_LEAK_H

#include <stddef.h>

void num_leak(const void *bytes, size_t len);

#endif
