/* Certificates and signatures of hardware vendors, on OpenSSL's libcrypto. Everything comes
 * from the peer and is bounded before OpenSSL sees it: sizes, counts, one encoding (what does
 * not encode again to the same bytes is refused), no trailing bytes.
 *
 * Nothing is trusted but the root the caller pins. Time is a parameter. No default CA paths, no
 * network, no configuration file. Sources: RFC 5280 sections 4, 5 and 6; FIPS 186-5 section 6.
 * Leaks: nothing; all is public. */
#ifndef COMMON_ATTEST_X509_H
#define COMMON_ATTEST_X509_H

#include "common/attest/reason.h"
#include "common/base/span.h"
#include "include/apex/status.h"

enum {
    CERTIFICATE_LEN_MAX = 16 * 1024,
    REVOCATION_LIST_LEN_MAX = 256 * 1024,
    CHAIN_MAX = 6, /* certificates in one chain, leaf and root included */
    CERTIFICATE_NAME_MAX = 128
};

/* One certificate, owned by whoever parsed it. Version 3 only. */
struct certificate;
/* Exactly one, DER or PEM (told apart by its first byte). APEX_E_FORMAT, APEX_E_LIMIT. */
apex_status certificate_parse(struct span bytes, struct certificate **certificate);
/* One or more in PEM, or exactly one in DER; whitespace and a closing NUL may stand between and
 * after. APEX_E_LIMIT: more than `max`. On failure nothing is left to free. */
apex_status certificates_parse(struct span bytes, size_t max, struct certificate *list[],
                               size_t *n);
void certificate_free(struct certificate *certificate);
void certificates_free(struct certificate *list[], size_t n);

/* A revocation list (v2), DER or PEM. One with a critical extension (delta, partial) is
 * refused.
 */
struct revocation_list;
apex_status revocation_list_parse(struct span bytes, struct revocation_list **list);
void revocation_list_free(struct revocation_list *list);

bool certificate_same(const struct certificate *a, const struct certificate *b);
/* The one common name of subject or issuer. APEX_E_FORMAT when there is none, or more than one,
 * or it is not plain ASCII. */
apex_status certificate_subject(const struct certificate *c,
                                char name[static CERTIFICATE_NAME_MAX]);
apex_status certificate_issuer(const struct certificate *c,
                               char name[static CERTIFICATE_NAME_MAX]);
/* The bytes inside the extension's OCTET STRING, lent. APEX_E_NOT_FOUND: none;
 * APEX_E_FORMAT: more than one. */
apex_status certificate_extension(const struct certificate *c, const char *oid,
                                  struct span *value);
/* keyUsage is there and names digitalSignature. */
bool certificate_may_sign(const struct certificate *c);
/* Seconds since 1970. */
apex_status certificate_dates(const struct certificate *c, int64_t *not_before,
                              int64_t *not_after);
/* DER SubjectPublicKeyInfo, lent. */
apex_status certificate_public_key(const struct certificate *c, struct span *spki);

enum revocation {
    REVOCATION_IF_PRESENT, /* lists given are obeyed, lists lacking are not missed */
    REVOCATION_OF_CAS,     /* every certificate but the leaf must be covered */
    REVOCATION_OF_ALL      /* the leaf too */
};
struct chain {
    const struct certificate *leaf;
    struct certificate *const *between; /* leaf's issuer first; the pinned root may close it */
    size_t n_between;
    const struct certificate *root; /* pinned: trusted because the caller says so */
    struct revocation_list *const *lists;
    size_t n_lists;
    enum revocation revocation;
    uint64_t at_ms; /* Unix time in ms */
};
/* REASON_NONE when leaf, every certificate in between (each is needed) and the root make one
 * chain of valid signatures, CA rights and dates, and none is revoked. */
enum reason chain_verify(const struct chain *chain);

enum curve { CURVE_P256, CURVE_P384 }; /* with SHA-256 and SHA-384 */
/* signature: r || s, big-endian, each as long as the curve. APEX_E_UNTRUSTED: it does not hold,
 * or the key is not on this curve. */
apex_status certificate_ecdsa(const struct certificate *signer, enum curve curve,
                              struct span message, struct span signature);
/* point: x || y, big-endian. */
apex_status ecdsa_nist_check(enum curve curve, struct span point, struct span message,
                             struct span signature);

#define CERTIFICATE_FREED __attribute__((cleanup(certificate_clean_))) struct certificate
static inline void certificate_clean_(struct certificate **c)
{
    certificate_free(*c);
}
#define REVOCATION_LIST_FREED                                                                  \
    __attribute__((cleanup(revocation_list_clean_))) struct revocation_list
static inline void revocation_list_clean_(struct revocation_list **l)
{
    revocation_list_free(*l);
}

#endif
