/* The proof that a kernel is oblivious: no branch and no address follows a row.
 *
 * A program tests/oblivious/KERNEL.c holds cases. Each fills its inputs from a seed (the same
 * shapes for every seed, other values) and runs the kernel once:
 *
 *     static void fill(uint64_t seed) { rows = ..; }
 *     static void run(void)
 *     {
 *         secret(rows, sizeof rows);
 *         kernel(rows, n, &options, &result);
 *         declassify(&result, sizeof result);  // what is listed under Leaks, if it is used
 * below
 *     }
 *     static const struct oblivious_case cases[] = {{"k-means assigns rows", fill, run}};
 *     OBLIVIOUS(cases)
 *
 * tests/oblivious/watch runs it twice, at every instruction level there is:
 *   - under valgrind's memcheck, to which a secret is undefined memory: it names each branch
 * and each address that depends on one. It shows no AVX-512.
 *   - step by step (trace.c), AVX-512 too, with other values each time: the instructions and
 * the addresses they read and write have to be the same ones, in the same order. A masked
 *     store is held to touch what its mask says; gathers and scatters are refused.
 * What a kernel gives away in the middle (rounds) it passes through num_leak
 * (common/num/leak.h). In the second proof seeds that give away something else than the first
 * are left out: two must agree of a dozen, so keep it small (max_rounds = 2).
 *
 * Neither sees time that follows values within one instruction: integer division is compared by
 * trace.c; float division, square roots and subnormal numbers are seen by nobody here. One
 * thread; a few hundred to a few thousand rows, fewer step by step (`rows_watched`). */
#ifndef TESTS_OBLIVIOUS_SECRET_H
#define TESTS_OBLIVIOUS_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From here on nothing may branch on these bytes or index by them. */
void secret(const void *bytes, size_t len);
/* These bytes are public again. */
void declassify(const void *bytes, size_t len);

struct oblivious_case {
    const char *sentence;        /* what is proven not to depend on rows, in a few words */
    void (*fill)(uint64_t seed); /* may allocate, always the same; not watched */
    void (*run)(void);           /* watched */
    bool caught;                 /* a planted leak: passes when it is noticed */
    bool unseen_by_valgrind, unseen_by_steps; /* of a planted leak: one proof is blind to it */
};
/* `many` rows under valgrind, `few` step by step: aim for less than 100 000 instructions of
 * AVX-512, which takes some seconds; those after 120 000 are not compared. */
size_t rows_watched(size_t many, size_t few);
/* A number that follows from the seed and i, for filling. */
uint64_t oblivious_number(uint64_t seed, uint64_t i);
double oblivious_unit(uint64_t seed, uint64_t i); /* in [0, 1) */

int oblivious_main(int argc, char **argv, const struct oblivious_case *cases, size_t n);
#define OBLIVIOUS(cases)                                                                       \
    int main(int argc, char **argv)                                                            \
    {                                                                                          \
        return oblivious_main(argc, argv, cases, sizeof(cases) / sizeof *(cases));             \
    }

#endif
