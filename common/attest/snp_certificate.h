/* AMD's certificates of a chip: which of them came along, and what the leaf says of the chip
 * and its firmware. Source: AMD publication 57230 (VCEK Certificate and KDS Interface), tables
 * of X.509 extensions; publication 56860, "CERT_TABLE". */
#ifndef COMMON_ATTEST_SNP_CERTIFICATE_H
#define COMMON_ATTEST_SNP_CERTIFICATE_H

#include "common/attest/snp_report.h"
#include "common/attest/x509.h"

/* What a VCEK or VLEK says, by the extensions AMD signs. */
struct snp_leaf {
    bool vlek;
    enum snp_product product; /* of its issuer's name */
    struct snp_tcb tcb;
    size_t chip_id_len; /* VCEK: 64, or 8 on Turin; VLEK: 0 */
    uint8_t chip_id[SNP_CHIP_ID_LEN];
    char csp_id[SNP_CSP_ID_MAX]; /* VLEK: whom AMD gave it to; else empty */
};

/* `bytes`: a certificate table as the kernel gives it, or one certificate, or PEM beginning
 * with the leaf. Takes the leaf only: AMD's own certificates are compiled in, whatever came
 * along. APEX_E_NOT_FOUND: a table without one. `want`: which of the two a table is asked for.
 */
apex_status snp_leaf_find(struct span bytes, enum snp_signing_key want,
                          struct certificate **leaf);
/* Which key it is for and whose, by its names: fills vlek and product. APEX_E_UNTRUSTED: it is
 * neither a VCEK nor a VLEK. Says nothing of who signed it. */
apex_status snp_leaf_kind(const struct certificate *leaf, struct snp_leaf *out);
/* Then what it says, to be read once the chain holds. APEX_E_FORMAT: an extension is missing,
 * doubled or not of its form. */
apex_status snp_leaf_read(const struct certificate *leaf, struct snp_leaf *out);

#endif
