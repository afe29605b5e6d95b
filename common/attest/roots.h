/* The vendors' certificates this verifier pins, compiled in. Roots (AMD's ARK, Intel's SGX
 * root, AWS's Nitro root) are trusted because they stand here; AMD's ASK and ASVK are not, they
 * stand here so that evidence need not carry them.
 *
 * roots.c is written by tools/vendor-roots; tests/test_attest_vectors.c holds each against the
 * digests published with the vectors. A test may judge by roots of its own: everything takes a
 * `struct roots`, and only vendor_roots() are the vendors'. */
#ifndef COMMON_ATTEST_ROOTS_H
#define COMMON_ATTEST_ROOTS_H

#include "common/base/span.h"

enum root {
    ROOT_AMD_MILAN_ARK,
    ROOT_AMD_MILAN_ASK,
    ROOT_AMD_MILAN_ASVK,
    ROOT_AMD_GENOA_ARK,
    ROOT_AMD_GENOA_ASK,
    ROOT_AMD_GENOA_ASVK,
    ROOT_AMD_TURIN_ARK,
    ROOT_AMD_TURIN_ASK,
    ROOT_AMD_TURIN_ASVK,
    ROOT_INTEL_SGX,
    ROOT_AWS_NITRO,
    ROOTS
};

struct roots {
    struct span der[ROOTS]; /* or PEM */
};

const struct roots *vendor_roots(void);
/* Of the compiled-in certificate: its file among the vectors, "roots/amd/milan_ark.pem". */
const char *root_file(enum root which);

#endif
