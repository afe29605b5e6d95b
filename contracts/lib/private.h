/* Differentially private answers: what every contract's private functions have in common.
 *
 * A function whose name begins with "private_" is private: the manifest has to mark it so, and
 * no other may be marked; then the enclave has charged the run's epsilon to the contract's
 * budget and logged it before the program began (docs/differential-privacy.md). The run's
 * epsilon is its parameter, its delta the part of the contract's that the enclave gives.
 *
 * What may depend on rows: released integers and what is made of them. All else is public: the
 * manifest's columns, bounds and values, and which parties have contributed. So the release
 * rules do not look at rows here (a refusal would tell of them exactly); minimum_contributors
 * does at who has contributed, which the log tells too. */
#ifndef CONTRACTS_LIB_PRIVATE_H
#define CONTRACTS_LIB_PRIVATE_H

#include "common/num/private_count.h"
#include "contracts/lib/frame.h"

struct private_answer {
    struct apex_run *run;
    struct private_budget budget;
    struct private_random random;
    struct private_run how; /* for the kernels */
};

/* Is the function asked for private? Refuses the run where the manifest and the name differ. */
bool private_asked(struct apex_run *run);
/* Opens the budget; refuses where epsilon is out of range, or fewer parties than the rules
 * demand have contributed to the dataset. */
void private_open(struct apex_run *run, const char *dataset, struct private_answer *a);
/* "privacy": what the answer cost, and on what. */
void private_out(const struct private_answer *a);

/* The bounds of a column: the manifest's, 0 and 1 of a bool or a category's indicator. Refuses
 * the run where the manifest states none, or both are one number. */
struct private_bounds private_column_bounds(struct apex_run *run, const char *dataset,
                                            const char *column);
/* Of all features of a frame, and one more of its target if that is a number. Ours: free. */
apex_status private_frame_bounds(const struct frame *frame, struct private_bounds **bounds);

#endif
