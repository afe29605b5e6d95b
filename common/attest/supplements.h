/* What comes along with a report: certificates, revocation lists and collateral. All of it is
 * supplied by the host and believed only as far as its signatures reach.
 *
 * In the evidence envelope: an empty bstr, or CBOR {part: bstr, ...} with keys from `enum
 * supplement`, ascending, none empty. The same parts can come from files (apex trust check) or
 * a bundle. */
#ifndef COMMON_ATTEST_SUPPLEMENTS_H
#define COMMON_ATTEST_SUPPLEMENTS_H

#include "common/base/buffer.h"

enum supplement {
    SUPPLEMENT_CERTIFICATES = 1, /* SNP: AMD's certificate table as the kernel gave it, or the
                                    VCEK or VLEK in PEM or DER */
    SUPPLEMENT_AMD_CRL = 2,      /* PEM or DER, signed by the ARK */
    SUPPLEMENT_TCB_INFO = 3,     /* Intel's JSON, as served */
    SUPPLEMENT_QE_IDENTITY = 4,  /* Intel's JSON, as served */
    SUPPLEMENT_TCB_SIGNING = 5,  /* PEM: the TCB signing certificate, then perhaps its root */
    SUPPLEMENT_PCK_CRL = 6,      /* PEM or DER, signed by the issuer of the PCK certificate */
    SUPPLEMENT_ROOT_CA_CRL = 7,  /* PEM or DER, signed by Intel's root */
    SUPPLEMENTS
};

/* Spans point into the bytes they were parsed from. data NULL: this part is not there. */
struct supplements {
    struct span part[SUPPLEMENTS];
};

void supplements_write(const struct supplements *s, struct buffer *out);
/* No bytes at all are no supplements. */
apex_status supplements_parse(struct span bytes, struct supplements *s);

#endif
