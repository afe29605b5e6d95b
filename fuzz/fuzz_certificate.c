/* Certificates and revocation lists, PEM and DER, and what is asked of them. */
#include "common/attest/snp_certificate.h"
#include "common/attest/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void ask(const struct certificate *c)
{
    char name[CERTIFICATE_NAME_MAX];
    struct snp_leaf leaf;
    struct span value;
    int64_t from, until;
    uint8_t signature[96] = {1};
    (void)!certificate_subject(c, name);
    (void)!certificate_issuer(c, name);
    (void)!certificate_extension(c, "1.3.6.1.4.1.3704.1.3.1", &value);
    (void)!certificate_dates(c, &from, &until);
    (void)!certificate_public_key(c, &value);
    (void)!certificate_ecdsa(c, CURVE_P384, SPAN_TEXT("x"), SPAN(signature));
    (void)certificate_may_sign(c);
    if (snp_leaf_kind(c, &leaf) == APEX_OK) (void)!snp_leaf_read(c, &leaf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct certificate *list[CHAIN_MAX];
    REVOCATION_LIST_FREED *crl = NULL;
    size_t n;
    apex_status s = revocation_list_parse(span_of(data, len), &crl);
    if (certificates_parse(span_of(data, len), CHAIN_MAX, list, &n) != APEX_OK) return 0;
    for (size_t i = 0; i < n; i++)
        ask(list[i]);
    const struct chain q = {.leaf = list[0],
                            .between = list + 1,
                            .n_between = n - 1,
                            .root = list[n - 1],
                            .lists = &crl,
                            .n_lists = s == APEX_OK,
                            .at_ms = UINT64_C(1793491200000)};
    (void)chain_verify(&q);
    certificates_free(list, n);
    return 0;
}
