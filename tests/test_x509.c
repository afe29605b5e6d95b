/* Certificates that are not certificates, and chains that are none. */
#include "common/attest/pem.h"
#include "common/attest/x509.h"
#include "tests/amd_world.h"
#include "tests/check.h"

#include <openssl/ec.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static EVP_PKEY *key;
static struct buffer good; /* a root's DER */

static X509 *certificate_new(const char *subject, const char *issuer)
{
    X509 *c = X509_new();
    X509_set_version(c, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(c), 1);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC,
                               (const uint8_t *)subject, -1, -1, 0);
    X509_NAME_add_entry_by_txt(X509_get_issuer_name(c), "CN", MBSTRING_ASC,
                               (const uint8_t *)issuer, -1, -1, 0);
    X509_gmtime_adj(X509_getm_notBefore(c), -86400);
    X509_gmtime_adj(X509_getm_notAfter(c), 86400);
    X509_set_pubkey(c, key);
    return c;
}

static void extension_add(X509 *c, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(e);
    X509_add_ext(c, e, -1);
    X509_EXTENSION_free(e);
}

static void der_append(X509 *c, struct buffer *out)
{
    uint8_t *der = NULL;
    assert_true(X509_sign(c, key, EVP_sha384()) > 0);
    int n = i2d_X509(c, &der);
    assert_true(n > 0);
    buffer_append(out, span_of(der, (size_t)n));
    OPENSSL_free(der);
    X509_free(c);
}

static int setup(void **state)
{
    (void)state;
    key = EVP_EC_gen("P-384");
    X509 *root = certificate_new("root", "root");
    extension_add(root, NID_basic_constraints, "critical,CA:TRUE");
    extension_add(root, NID_key_usage, "critical,keyCertSign,cRLSign");
    der_append(root, &good);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    EVP_PKEY_free(key);
    buffer_clear(&good);
    return 0;
}

static apex_status parsed(struct span bytes)
{
    CERTIFICATE_FREED *c = NULL;
    apex_status s = certificate_parse(bytes, &c);
    CHECK((s == APEX_OK) == (c != NULL));
    return s;
}

static void pem_write(const char *label, struct span der, struct buffer *out)
{
    char *text = malloc(der.len * 2 + 16);
    int n = EVP_EncodeBlock((uint8_t *)text, der.data, (int)der.len);
    buffer_text(out, "-----BEGIN ");
    buffer_text(out, label);
    buffer_text(out, "-----\n");
    buffer_append(out, span_of(text, (size_t)n));
    buffer_text(out, "\n-----END ");
    buffer_text(out, label);
    buffer_text(out, "-----\n");
    free(text);
}

static void a_certificate_cut_short_or_followed_by_more_is_refused(void **state)
{
    (void)state;
    CHECK_OK(parsed(buffer_span(&good)));
    for (size_t len = 0; len < good.len; len++)
        CHECK_STATUS(parsed(span_of(good.data, len)), APEX_E_FORMAT);
    BUFFER_CLEARED more = {0};
    buffer_append(&more, buffer_span(&good));
    buffer_u8(&more, 0);
    CHECK_STATUS(parsed(buffer_span(&more)), APEX_E_FORMAT);
}

static void bytes_that_nest_or_claim_without_end_are_refused(void **state)
{
    BUFFER_CLEARED bomb = {0};
    static uint8_t big[CERTIFICATE_LEN_MAX + 1] = {0x30, 0x83, 0, 0x40, 0};
    (void)state;
    for (size_t depth = 4000; depth > 0; depth--) { /* SEQUENCE in SEQUENCE, each true */
        uint8_t head[] = {0x30, 0x82, (uint8_t)(4 * (depth - 1) >> 8),
                          (uint8_t)(4 * (depth - 1))};
        buffer_append(&bomb, SPAN(head));
    }
    CHECK_STATUS(parsed(buffer_span(&bomb)), APEX_E_FORMAT);
    CHECK_STATUS(parsed(SPAN(big)), APEX_E_LIMIT);
    static const uint8_t endless[] = {0x30, 0x80, 0x30, 0x80, 0x30, 0x80};
    static const uint8_t huge[] = {0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0};
    static const uint8_t wide[] = {0x30, 0x88, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    CHECK_STATUS(parsed(SPAN(endless)), APEX_E_FORMAT);
    CHECK_STATUS(parsed(SPAN(huge)), APEX_E_FORMAT);
    CHECK_STATUS(parsed(SPAN(wide)), APEX_E_FORMAT);
    CHECK_STATUS(parsed((struct span){0}), APEX_E_FORMAT);
}

static void one_encoding_alone_is_taken(void **state)
{
    BUFFER_CLEARED ber = {0};
    (void)state;
    CHECK(good.data[1] == 0x82); /* a length of two bytes; the same in three is BER, not DER */
    buffer_append(&ber, span_of("\x30\x83\x00", 3));
    buffer_append(&ber, span_of(good.data + 2, good.len - 2));
    CHECK_STATUS(parsed(buffer_span(&ber)), APEX_E_FORMAT);
}

static void certificates_of_version_1_are_refused(void **state)
{
    BUFFER_CLEARED der = {0};
    X509 *c = certificate_new("old", "old");
    (void)state;
    X509_set_version(c, X509_VERSION_1);
    der_append(c, &der);
    CHECK_STATUS(parsed(buffer_span(&der)), APEX_E_FORMAT);
}

static void ten_thousand_certificates_are_refused_at_once(void **state)
{
    struct certificate *list[CHAIN_MAX];
    BUFFER_CLEARED pem = {0};
    size_t n = 7;
    (void)state;
    for (size_t i = 0; i < 10000; i++)
        pem_write("CERTIFICATE", buffer_span(&good), &pem);
    CHECK_STATUS(certificates_parse(buffer_span(&pem), CHAIN_MAX, list, &n), APEX_E_LIMIT);
    CHECK(n == 0);
    pem.len = pem.len / 10000 * (CHAIN_MAX + 1); /* one too many */
    CHECK_STATUS(certificates_parse(buffer_span(&pem), CHAIN_MAX, list, &n), APEX_E_LIMIT);
    pem.len = pem.len / (CHAIN_MAX + 1) * CHAIN_MAX;
    CHECK_OK(certificates_parse(buffer_span(&pem), CHAIN_MAX, list, &n));
    CHECK(n == CHAIN_MAX);
    certificates_free(list, n);
}

static void pem_is_read_strictly(void **state)
{
    static const struct {
        const char *text;
        apex_status s;
    } cases[] = {
        {"", APEX_E_NOT_FOUND},
        {" \r\n\t", APEX_E_NOT_FOUND},
        {"-----BEGIN X-----\nAAAA\n-----END X-----", APEX_OK},
        {"-----BEGIN X-----AAA=-----END X-----", APEX_OK},
        {"-----BEGIN X-----AA==-----END X-----", APEX_OK},
        {"\n\n-----BEGIN X-----\r\nAA\r\nAA\r\n-----END X-----\r\n", APEX_OK},
        {"-----BEGIN X-----\n-----END X-----", APEX_E_FORMAT},
        {"-----BEGIN X-----AAAB=-----END X-----", APEX_E_FORMAT},
        {"-----BEGIN X-----AAB=-----END X-----", APEX_E_FORMAT}, /* bits left over */
        {"-----BEGIN X-----AB==-----END X-----", APEX_E_FORMAT},
        {"-----BEGIN X-----A===-----END X-----", APEX_E_FORMAT},
        {"-----BEGIN X-----AA=A-----END X-----", APEX_E_FORMAT},
        {"-----BEGIN X-----AA-----END X-----", APEX_E_FORMAT},
        {"-----BEGIN X-----AA==AAAA-----END X-----", APEX_E_FORMAT},
        {"-----BEGIN X-----A*AA-----END X-----", APEX_E_FORMAT},
        {"-----BEGIN X-----AAAA-----END Y-----", APEX_E_FORMAT},
        {"-----BEGIN X-----AAAA", APEX_E_FORMAT},
        {"-----BEGIN X", APEX_E_FORMAT},
        {"-----BEGIN Y-----AAAA-----END Y-----", APEX_E_FORMAT},
        {"text -----BEGIN X-----AAAA-----END X-----", APEX_E_FORMAT},
        {"-----BEGIN X-----Proc-Type: 4\n\nAAAA-----END X-----", APEX_E_FORMAT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        BUFFER_CLEARED der = {0};
        struct cursor c = cursor_on(span_text(cases[i].text));
        apex_status s = pem_next(&c, "X", &der);
        if (s != cases[i].s) fail_msg("%zu: %d: %s", i, s, cases[i].text);
    }
}

static void pem_says_what_der_says(void **state)
{
    BUFFER_CLEARED pem = {0}, trusted = {0};
    CERTIFICATE_FREED *a = NULL, *b = NULL;
    (void)state;
    pem_write("CERTIFICATE", buffer_span(&good), &pem);
    CHECK_OK(certificate_parse(buffer_span(&good), &a));
    CHECK_OK(certificate_parse(buffer_span(&pem), &b));
    CHECK(certificate_same(a, b));
    pem_write("TRUSTED CERTIFICATE", buffer_span(&good), &trusted);
    CHECK_STATUS(parsed(buffer_span(&trusted)), APEX_E_FORMAT);
    pem_write("CERTIFICATE", buffer_span(&good), &pem);
    CHECK_STATUS(parsed(buffer_span(&pem)), APEX_E_LIMIT); /* two where one is asked for */
}

static void names_and_extensions_are_taken_only_when_there_is_one(void **state)
{
    static const char oid[] = "1.2.3.4.5";
    char name[CERTIFICATE_NAME_MAX];
    (void)state;
    for (int n = 0; n < 3; n++) {
        BUFFER_CLEARED der = {0};
        CERTIFICATE_FREED *c = NULL;
        struct span value;
        X509 *x = certificate_new("one", "root");
        ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
        ASN1_OCTET_STRING *bytes = ASN1_OCTET_STRING_new();
        ASN1_OCTET_STRING_set(bytes, (const uint8_t *)"value", 5);
        for (int i = 0; i < n; i++) {
            X509_EXTENSION *e = X509_EXTENSION_create_by_OBJ(NULL, object, 0, bytes);
            X509_add_ext(x, e, -1);
            X509_EXTENSION_free(e);
            X509_NAME_add_entry_by_txt(X509_get_issuer_name(x), "CN", MBSTRING_ASC,
                                       (const uint8_t *)"more", -1, -1, 0);
        }
        ASN1_OCTET_STRING_free(bytes);
        ASN1_OBJECT_free(object);
        der_append(x, &der);
        CHECK_OK(certificate_parse(buffer_span(&der), &c));
        CHECK_OK(certificate_subject(c, name));
        CHECK_STATUS(certificate_issuer(c, name), n ? APEX_E_FORMAT : APEX_OK);
        CHECK_STATUS(certificate_extension(c, oid, &value), n == 0   ? APEX_E_NOT_FOUND
                                                            : n == 1 ? APEX_OK
                                                                     : APEX_E_FORMAT);
        if (n == 1) CHECK(span_equal(value, SPAN_TEXT("value")));
        CHECK(!certificate_may_sign(c));
    }
}

static void a_name_with_a_nul_or_a_newline_is_no_name(void **state)
{
    BUFFER_CLEARED der = {0};
    CERTIFICATE_FREED *c = NULL;
    char name[CERTIFICATE_NAME_MAX];
    X509 *x = certificate_new("x", "root");
    (void)state;
    X509_NAME *subject = X509_NAME_new();
    X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_ASC,
                               (const uint8_t *)"SEV-VCEK\0x", 10, -1, 0);
    X509_set_subject_name(x, subject);
    X509_NAME_free(subject);
    der_append(x, &der);
    CHECK_OK(certificate_parse(buffer_span(&der), &c));
    CHECK_STATUS(certificate_subject(c, name), APEX_E_FORMAT);
}

/* leaf <- between <- root, with the CA bit, key usage, path length and names to spoil. */
static void a_chain_holds_only_through_certificates_that_may_sign(void **state)
{
    static const struct {
        const char *constraints, *usage, *leaf_issuer;
        size_t between; /* how often the intermediate is given */
        enum reason why;
    } cases[] = {
        {"critical,CA:TRUE", "critical,keyCertSign", "between", 1, REASON_NONE},
        {"critical,CA:FALSE", "critical,keyCertSign", "between", 1, REASON_CHAIN_INVALID},
        {NULL, NULL, "between", 1, REASON_CHAIN_INVALID},
        {"critical,CA:TRUE", "critical,digitalSignature", "between", 1, REASON_CHAIN_INVALID},
        {"critical,CA:TRUE", "critical,keyCertSign", "other", 1, REASON_CHAIN_INVALID},
        {"critical,CA:TRUE", "critical,keyCertSign", "between", 0, REASON_CHAIN_INVALID},
        {"critical,CA:TRUE", "critical,keyCertSign", "root", 1, REASON_CHAIN_INVALID},
        {"critical,CA:TRUE", "critical,keyCertSign", "root", 0, REASON_NONE},
        {"critical,CA:TRUE", "critical,keyCertSign", "between", 2, REASON_CHAIN_INVALID},
        {"critical,CA:TRUE", "critical,keyCertSign", "between", 6, REASON_CHAIN_INVALID},
    };
    CERTIFICATE_FREED *root = NULL;
    (void)state;
    CHECK_OK(certificate_parse(buffer_span(&good), &root));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        BUFFER_CLEARED between_der = {0}, leaf_der = {0};
        CERTIFICATE_FREED *between = NULL, *leaf = NULL;
        struct certificate *list[6];
        X509 *x = certificate_new("between", "root");
        if (cases[i].constraints) extension_add(x, NID_basic_constraints, cases[i].constraints);
        if (cases[i].usage) extension_add(x, NID_key_usage, cases[i].usage);
        der_append(x, &between_der);
        der_append(certificate_new("leaf", cases[i].leaf_issuer), &leaf_der);
        CHECK_OK(certificate_parse(buffer_span(&between_der), &between));
        CHECK_OK(certificate_parse(buffer_span(&leaf_der), &leaf));
        for (size_t k = 0; k < 6; k++)
            list[k] = between;
        const struct chain q = {.leaf = leaf,
                                .between = list,
                                .n_between = cases[i].between,
                                .root = root,
                                .at_ms = (uint64_t)time(NULL) * 1000};
        enum reason why = chain_verify(&q);
        if (why != cases[i].why) fail_msg("chain %zu: %s", i, reason_name(why));
    }
}

static void a_root_that_comes_along_is_not_trusted_for_it(void **state)
{
    BUFFER_CLEARED other_der = {0}, leaf_der = {0};
    CERTIFICATE_FREED *root = NULL, *other = NULL, *leaf = NULL;
    (void)state;
    X509 *x = certificate_new("other", "other");
    extension_add(x, NID_basic_constraints, "critical,CA:TRUE");
    der_append(x, &other_der);
    der_append(certificate_new("leaf", "other"), &leaf_der);
    CHECK_OK(certificate_parse(buffer_span(&good), &root));
    CHECK_OK(certificate_parse(buffer_span(&other_der), &other));
    CHECK_OK(certificate_parse(buffer_span(&leaf_der), &leaf));
    struct chain q = {.leaf = leaf,
                      .between = &other,
                      .n_between = 1,
                      .root = root,
                      .at_ms = (uint64_t)time(NULL) * 1000};
    CHECK(chain_verify(&q) == REASON_ROOT_UNTRUSTED);
    q.root = other; /* pinned, and come along too */
    CHECK(chain_verify(&q) == REASON_NONE);
    q.leaf = other;
    q.n_between = 0;
    q.root = root;
    CHECK(chain_verify(&q) == REASON_ROOT_UNTRUSTED);
}

/* FIPS 186 curves: RFC 6979 appendix A.2.5 (P-256) and A.2.6 (P-384), message "sample". */
static void ecdsa_answers_as_the_rfc_says(void **state)
{
    static const struct {
        enum curve curve;
        const char *point, *signature;
    } cases[] = {
        {CURVE_P256,
         "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
         "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299",
         "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
         "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"},
        {CURVE_P384,
         "EC3A4E415B4E19A4568618029F427FA5DA9A8BC4AE92E02E06AAE5286B300C64"
         "DEF8F0EA9055866064A254515480BC13"
         "8015D9B72D7D57244EA8EF9AC0C621896708A59367F9DFB9F54CA84B3F1C9DB1"
         "288B231C3AE0D4FE7344FD2533264720",
         "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C"
         "81A648152E44ACF96E36DD1E80FABE46"
         "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94F"
         "A329C145786E679E7B82C71A38628AC8"},
    };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        long n_point, n_sig;
        uint8_t *point = OPENSSL_hexstr2buf(cases[i].point, &n_point);
        uint8_t *sig = OPENSSL_hexstr2buf(cases[i].signature, &n_sig);
        struct span p = span_of(point, (size_t)n_point), s = span_of(sig, (size_t)n_sig);
        CHECK_OK(ecdsa_nist_check(cases[i].curve, p, SPAN_TEXT("sample"), s));
        CHECK_STATUS(ecdsa_nist_check(cases[i].curve, p, SPAN_TEXT("simple"), s),
                     APEX_E_UNTRUSTED);
        CHECK_STATUS(ecdsa_nist_check(cases[i].curve, p, SPAN_TEXT("sample"),
                                      span_of(sig, (size_t)n_sig - 1)),
                     APEX_E_UNTRUSTED);
        CHECK_STATUS(ecdsa_nist_check(1 - cases[i].curve, p, SPAN_TEXT("sample"), s),
                     APEX_E_UNTRUSTED);
        for (size_t bit = 0; bit < 8 * (size_t)n_sig; bit += 7) {
            sig[bit / 8] ^= (uint8_t)(1u << bit % 8);
            CHECK_STATUS(ecdsa_nist_check(cases[i].curve, p, SPAN_TEXT("sample"), s),
                         APEX_E_UNTRUSTED);
            sig[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        point[3] ^= 1; /* no point of the curve */
        CHECK_STATUS(ecdsa_nist_check(cases[i].curve, p, SPAN_TEXT("sample"), s),
                     APEX_E_UNTRUSTED);
        memset(sig, 0, (size_t)n_sig); /* r = s = 0 */
        point[3] ^= 1;
        CHECK_STATUS(ecdsa_nist_check(cases[i].curve, p, SPAN_TEXT("sample"), s),
                     APEX_E_UNTRUSTED);
        OPENSSL_free(point);
        OPENSSL_free(sig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_cut_short_or_followed_by_more_is_refused),
        cmocka_unit_test(bytes_that_nest_or_claim_without_end_are_refused),
        cmocka_unit_test(one_encoding_alone_is_taken),
        cmocka_unit_test(certificates_of_version_1_are_refused),
        cmocka_unit_test(ten_thousand_certificates_are_refused_at_once),
        cmocka_unit_test(pem_is_read_strictly),
        cmocka_unit_test(pem_says_what_der_says),
        cmocka_unit_test(names_and_extensions_are_taken_only_when_there_is_one),
        cmocka_unit_test(a_name_with_a_nul_or_a_newline_is_no_name),
        cmocka_unit_test(a_chain_holds_only_through_certificates_that_may_sign),
        cmocka_unit_test(a_root_that_comes_along_is_not_trusted_for_it),
        cmocka_unit_test(ecdsa_answers_as_the_rfc_says),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
