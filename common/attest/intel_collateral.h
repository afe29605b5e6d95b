/* The half of intel.c that judges what comes along with a quote: revocation lists, TCB info,
 * the quoting enclave's identity. For intel.c alone. */
#ifndef COMMON_ATTEST_INTEL_COLLATERAL_H
#define COMMON_ATTEST_INTEL_COLLATERAL_H

#include "common/attest/judge.h"

enum { INTEL_CHAIN_MAX = 4 };

/* All that one judgement holds; freed at its end whatever came of it. */
struct intel_case {
    const struct judging *asked;
    struct verdict *v;
    struct intel_claims *claims; /* the verdict's */
    struct quote quote;
    struct certificate *root;
    struct certificate *pck[INTEL_CHAIN_MAX], *signing[INTEL_CHAIN_MAX];
    size_t n_pck, n_signing;
    struct revocation_list *lists[2]; /* the PCK CA's and the root's, or none */
    size_t n_lists;
    struct tcb_info info;
    struct qe_identity identity;
};

/* A check is added to the verdict only where one of two lists is missing or is none. */
bool intel_lists_read(struct intel_case *j);
/* Does Intel's root vouch for list[0]? *words: what to tell people when it does not. */
enum reason intel_chain(const struct intel_case *j, struct certificate *const *list, size_t n,
                        const char **words);
/* Fills the claims about TCB and revocation; true as well when no collateral came along. */
bool intel_collateral_check(struct intel_case *j);

#endif
