#include "tests/amd_world.h"

#include "tests/check.h"

#include <openssl/ec.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static EVP_PKEY *key_new(const char *curve)
{
    EVP_PKEY *key = EVP_EC_gen(curve);
    assert_non_null(key);
    return key;
}

static void name_set(X509_NAME *name, const char *cn)
{
    assert_int_equal(
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)cn, -1, -1, 0),
        1);
}

static X509 *certificate_new(const char *subject, const char *issuer, long serial,
                             EVP_PKEY *key, long from, long until)
{
    X509 *c = X509_new();
    X509_set_version(c, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(c), serial);
    name_set(X509_get_subject_name(c), subject);
    name_set(X509_get_issuer_name(c), issuer);
    X509_gmtime_adj(X509_getm_notBefore(c), from * 86400);
    X509_gmtime_adj(X509_getm_notAfter(c), until * 86400);
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

static void der_of(X509 *c, struct buffer *out)
{
    uint8_t *der = NULL;
    int n = i2d_X509(c, &der);
    assert_true(n > 0);
    buffer_clear(out);
    buffer_append(out, span_of(der, (size_t)n));
    OPENSSL_free(der);
}

void amd_open(struct amd_world *w, const char *product)
{
    static const char *const before[] = {"ARK-", "SEV-", "SEV-VLEK-"};
    unsigned at = strcmp(product, "Milan") == 0   ? ROOT_AMD_MILAN_ARK
                  : strcmp(product, "Genoa") == 0 ? ROOT_AMD_GENOA_ARK
                                                  : ROOT_AMD_TURIN_ARK;
    char ark[32], name[32];
    *w = (struct amd_world){.roots = *vendor_roots(), .product = product};
    snprintf(ark, sizeof ark, "ARK-%s", product);
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", before[i], product);
        w->ca[i] = key_new("P-384");
        w->certificate[i] = certificate_new(name, ark, i + 1, w->ca[i], -1000, 1000);
        extension_add(w->certificate[i], NID_basic_constraints, "critical,CA:TRUE");
        extension_add(w->certificate[i], NID_key_usage, "critical,keyCertSign,cRLSign");
        assert_true(X509_sign(w->certificate[i], w->ca[0], EVP_sha384()) > 0);
        der_of(w->certificate[i], &w->der[i]);
        w->roots.der[at + (unsigned)i] = buffer_span(&w->der[i]);
    }
}

void amd_close(struct amd_world *w)
{
    for (int i = 0; i < 3; i++) {
        EVP_PKEY_free(w->ca[i]);
        X509_free(w->certificate[i]);
        buffer_clear(&w->der[i]);
    }
    EVP_PKEY_free(w->leaf_key);
}

static void oid_add(X509 *c, const char *oid, const uint8_t *bytes, size_t len)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(value, bytes, (int)len);
    X509_EXTENSION *e = X509_EXTENSION_create_by_OBJ(NULL, object, 0, value);
    assert_true(X509_add_ext(c, e, -1) == 1);
    X509_EXTENSION_free(e);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(object);
}

static void level_add(X509 *c, const char *oid, int level, bool long_form)
{
    uint8_t one[] = {2, 1, (uint8_t)level}, two[] = {2, 2, 0, (uint8_t)level};
    if (level < 0) return;
    if (level < 0x80 && !long_form)
        oid_add(c, oid, one, sizeof one);
    else
        oid_add(c, oid, two, sizeof two);
}

void amd_leaf_make(struct amd_world *w, const struct amd_leaf *leaf, struct buffer *der)
{
#define AMD "1.3.6.1.4.1.3704.1."
    char issuer[64];
    uint8_t csp[130] = {0x16, leaf->csp ? (uint8_t)strlen(leaf->csp) : 0};
    snprintf(issuer, sizeof issuer, "%s%s",
             leaf->by_ark ? "ARK-"
             : leaf->vlek ? "SEV-VLEK-"
                          : "SEV-",
             leaf->product);
    EVP_PKEY_free(w->leaf_key);
    w->leaf_key = key_new(leaf->other_curve ? "P-256" : "P-384");
    X509 *c = certificate_new(leaf->subject, leaf->issuer ? leaf->issuer : issuer, 77,
                              w->leaf_key, leaf->days_from, leaf->days_until);
    level_add(c, AMD "3.1", leaf->bootloader, false);
    level_add(c, AMD "3.2", leaf->tee, false);
    level_add(c, AMD "3.3", leaf->snp, false);
    level_add(c, AMD "3.8", leaf->microcode, leaf->ber_level);
    if (leaf->twice) level_add(c, AMD "3.8", leaf->microcode, false);
    level_add(c, AMD "3.9", leaf->fmc, false);
    if (leaf->chip) oid_add(c, AMD "4", leaf->chip, leaf->chip_len);
    if (leaf->csp) {
        memcpy(csp + 2, leaf->csp, strlen(leaf->csp));
        oid_add(c, AMD "5", csp, 2 + strlen(leaf->csp));
    }
    EVP_PKEY *stranger = leaf->stranger ? key_new("P-384") : NULL;
    EVP_PKEY *signer = stranger       ? stranger
                       : leaf->by_ark ? w->ca[0]
                                      : w->ca[leaf->vlek ? 2 : 1];
    assert_true(X509_sign(c, signer, EVP_sha384()) > 0);
    der_of(c, der);
    EVP_PKEY_free(stranger);
    X509_free(c);
#undef AMD
}

void amd_sign(const struct amd_world *w, uint8_t report[AMD_REPORT_LEN])
{
    uint8_t der[160];
    size_t len = sizeof der;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, w->leaf_key), 1);
    assert_int_equal(EVP_DigestSign(ctx, der, &len, report, 0x2a0), 1);
    EVP_MD_CTX_free(ctx);
    const uint8_t *at = der;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
    memset(report + 0x2a0, 0, 0x200);
    assert_int_equal(BN_bn2lebinpad(ECDSA_SIG_get0_r(sig), report + 0x2a0, 48), 48);
    assert_int_equal(BN_bn2lebinpad(ECDSA_SIG_get0_s(sig), report + 0x2a0 + 72, 48), 48);
    ECDSA_SIG_free(sig);
}

static void serial_add(X509_CRL *crl, long serial)
{
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    ASN1_TIME *when = X509_gmtime_adj(NULL, 0);
    ASN1_INTEGER_set(number, serial);
    X509_REVOKED_set_serialNumber(entry, number);
    X509_REVOKED_set_revocationDate(entry, when);
    assert_int_equal(X509_CRL_add0_revoked(crl, entry), 1);
    ASN1_TIME_free(when);
    ASN1_INTEGER_free(number);
}

void amd_list_make(struct amd_world *w, int issuer, const long *serials, long from, long until,
                   bool critical, struct buffer *der)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *last = X509_gmtime_adj(NULL, from * 86400);
    ASN1_TIME *next = X509_gmtime_adj(NULL, until * 86400);
    X509_CRL_set_version(crl, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(w->certificate[issuer]));
    X509_CRL_set1_lastUpdate(crl, last);
    X509_CRL_set1_nextUpdate(crl, next);
    for (; *serials; serials++)
        serial_add(crl, *serials);
    if (critical) {
        static const uint8_t one[] = {2, 1, 1};
        ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
        ASN1_OCTET_STRING_set(value, one, sizeof one);
        X509_EXTENSION *e = X509_EXTENSION_create_by_NID(NULL, NID_delta_crl, 1, value);
        ASN1_OCTET_STRING_free(value);
        X509_CRL_add_ext(crl, e, -1);
        X509_EXTENSION_free(e);
    }
    X509_CRL_sort(crl);
    assert_true(X509_CRL_sign(crl, w->ca[issuer], EVP_sha384()) > 0);
    uint8_t *bytes = NULL;
    int n = i2d_X509_CRL(crl, &bytes);
    assert_true(n > 0);
    buffer_clear(der);
    buffer_append(der, span_of(bytes, (size_t)n));
    OPENSSL_free(bytes);
    ASN1_TIME_free(last);
    ASN1_TIME_free(next);
    X509_CRL_free(crl);
}
