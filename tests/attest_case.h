/* One case of shared/vectors/attestation: a vector's files in memory, changed by a recipe's
 * steps, to be judged at a time. For tests/test_attest_vectors.c and the files that judge each
 * kind (tests/attest_case_*.c). */
#ifndef TESTS_ATTEST_CASE_H
#define TESTS_ATTEST_CASE_H

#include "common/attest/attest.h"

#include <jansson.h>

#define VECTORS "../shared/vectors/attestation/"
enum { CASE_FILES_MAX = 24, CASE_NAME_MAX = 48 };

struct case_file {
    char role[CASE_NAME_MAX]; /* "report", "leaf", "collateral.tcb_info" */
    struct buffer bytes;
};
struct attest_case {
    const json_t *vector;
    size_t n_files;
    struct case_file file[CASE_FILES_MAX];
    uint64_t at_ms;
    const char *option; /* of a variant: "revocation required"; else NULL */
};

/* The file of this role, or an empty span (data NULL) when the case has none. */
struct span case_file(const struct attest_case *c, const char *role);
/* The certificate of this file in place of a compiled-in one. */
void case_root(const struct attest_case *c, const char *role, enum root which,
               struct roots *roots);

/* Judges a case of one kind and fills the verdict; false: the kind cannot be judged here, with
 * the reason printed. One function per kind, listed in test_attest_vectors.c. */
typedef void case_judge(const struct attest_case *c, struct verdict *v);
/* Compares what a genuine case says with the vector's "expect": fails the test if it differs.
 */
typedef void case_compare(const struct attest_case *c, const struct verdict *v);

case_judge case_judge_snp, case_judge_nitro, case_judge_tdx, case_judge_sgx;
case_compare case_compare_snp, case_compare_nitro, case_compare_tdx, case_compare_sgx;

/* Fails the test, naming the case, when expect's text at `path` ("report.chip_id") is not the
 * bytes' hex. A path that is not there is not compared. */
void case_expect_hex(const struct attest_case *c, const char *path, struct span bytes);
void case_expect_int(const struct attest_case *c, const char *path, uint64_t value);
void case_expect_text(const struct attest_case *c, const char *path, const char *text);
void case_expect_bool(const struct attest_case *c, const char *path, bool value);

#endif
