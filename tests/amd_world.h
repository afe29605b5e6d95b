/* An AMD of our own: ARK, ASK and ASVK, leaves with the extensions AMD signs, reports,
 * revocation lists. Made when the test starts; nothing of it is trusted but where a test pins
 * it. For what no published evidence shows. */
#ifndef TESTS_AMD_WORLD_H
#define TESTS_AMD_WORLD_H

#include "common/attest/attest.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

enum { AMD_REPORT_LEN = 0x4a0 };

/* What a leaf says; a negative level leaves its extension out. */
struct amd_leaf {
    const char *subject, *issuer; /* common names; issuer NULL: of product and kind */
    const char *product;          /* "Milan", ... */
    bool vlek;
    int bootloader, tee, snp, microcode, fmc;
    const uint8_t *chip;
    size_t chip_len;
    const char *csp;
    bool twice;                 /* the microcode level stands there twice */
    bool ber_level;             /* written 02 02 00 xx though xx is below 128 */
    bool by_ark;                /* signed by the ARK itself */
    bool stranger;              /* signed by a key that is nobody's */
    bool other_curve;           /* a P-256 key */
    long days_from, days_until; /* of now */
};
struct amd_world {
    EVP_PKEY *ca[3], *leaf_key; /* ARK, ASK, ASVK */
    X509 *certificate[3];
    struct buffer der[3];
    struct roots roots; /* with the three in place of Milan's, Genoa's and Turin's */
    const char *product;
};

/* Makes keys and CA certificates for a product and pins them. */
void amd_open(struct amd_world *w, const char *product);
void amd_close(struct amd_world *w);
/* A leaf certificate, DER. Renews leaf_key, which signs reports from then on. */
void amd_leaf_make(struct amd_world *w, const struct amd_leaf *leaf, struct buffer *der);
/* Signs the report as a chip does. */
void amd_sign(const struct amd_world *w, uint8_t report[AMD_REPORT_LEN]);
/* A list of the ARK (0) or ASK (1) that names these serial numbers (0 ends), from and until in
 * days of now; `critical` adds an extension nobody knows. */
void amd_list_make(struct amd_world *w, int issuer, const long *serials, long from, long until,
                   bool critical, struct buffer *der);

#endif
