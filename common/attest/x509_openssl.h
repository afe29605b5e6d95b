/* What lies behind x509.h: for the files x509*.c alone. */
#ifndef COMMON_ATTEST_X509_OPENSSL_H
#define COMMON_ATTEST_X509_OPENSSL_H

#include "common/attest/x509.h"

#include <openssl/x509.h>

struct certificate {
    X509 *x509;
    uint8_t *spki; /* DER */
    size_t spki_len;
};
struct revocation_list {
    X509_CRL *crl;
};

/* The library, started without reading a configuration file (in the enclave there is none, and
 * none may steer what is judged). */
bool openssl_ready(void);
/* The verdict of a signature under `key`, by curve: see x509.h. */
apex_status ecdsa_verify(EVP_PKEY *key, enum curve curve, struct span message,
                         struct span signature);

#endif
