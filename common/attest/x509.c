#include "common/attest/x509_openssl.h"

#include "common/attest/pem.h"
#include "common/base/try.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

bool openssl_ready(void)
{
    return OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL) == 1;
}

void certificate_free(struct certificate *c)
{
    if (!c) return;
    X509_free(c->x509);
    OPENSSL_free(c->spki);
    free(c);
}

void certificates_free(struct certificate *list[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        certificate_free(list[i]);
        list[i] = NULL;
    }
}

/* One encoding only: what OpenSSL writes again must be what it read, so BER, padding and
 * trailing bytes do not pass. Fills x509; the caller frees whatever came of it. */
static apex_status decode(struct span der, struct certificate *c)
{
    const uint8_t *at = der.data;
    uint8_t *again = NULL;
    c->x509 = d2i_X509(NULL, &at, (long)der.len);
    if (!c->x509 || at != der.data + der.len || X509_get_version(c->x509) != X509_VERSION_3)
        return APEX_E_FORMAT;
    int n = i2d_X509(c->x509, &again);
    bool same = n > 0 && span_equal(span_of(again, (size_t)n), der);
    OPENSSL_free(again);
    n = same ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(c->x509), &c->spki) : -1;
    c->spki_len = n > 0 ? (size_t)n : 0;
    /* Reads the standard extensions now, so that ill-formed ones are noticed here. */
    return n > 0 && (X509_get_extension_flags(c->x509) & EXFLAG_INVALID) == 0 ? APEX_OK
                                                                              : APEX_E_FORMAT;
}

static apex_status parse_der(struct span der, struct certificate **certificate)
{
    if (der.len > CERTIFICATE_LEN_MAX) return APEX_E_LIMIT;
    if (der.len == 0) return APEX_E_FORMAT;
    struct certificate *c = openssl_ready() ? calloc(1, sizeof *c) : NULL;
    if (!c) return APEX_E_MEMORY;
    apex_status s = decode(der, c);
    ERR_clear_error();
    if (s == APEX_OK)
        *certificate = c;
    else
        certificate_free(c);
    return s;
}

static bool is_der(struct span bytes)
{
    return bytes.len > 0 && bytes.data[0] == 0x30; /* SEQUENCE: no PEM begins so */
}

static apex_status parse_pem(struct span bytes, size_t max, struct certificate *list[],
                             size_t *n)
{
    struct cursor c = cursor_on(bytes);
    if (bytes.len > max * 2 * CERTIFICATE_LEN_MAX) return APEX_E_LIMIT;
    for (;;) {
        BUFFER_CLEARED der = {.max = CERTIFICATE_LEN_MAX};
        apex_status s = pem_next(&c, "CERTIFICATE", &der);
        if (s == APEX_E_NOT_FOUND && *n > 0) return APEX_OK;
        if (s == APEX_E_NOT_FOUND) return APEX_E_FORMAT;
        TRY(s);
        if (*n == max) return APEX_E_LIMIT;
        TRY(parse_der(buffer_span(&der), &list[*n]));
        (*n)++;
    }
}

apex_status certificates_parse(struct span bytes, size_t max, struct certificate *list[],
                               size_t *n)
{
    *n = 0;
    if (max == 0) return APEX_E_USAGE;
    apex_status s = is_der(bytes) ? parse_der(bytes, &list[0]) : parse_pem(bytes, max, list, n);
    if (s == APEX_OK && is_der(bytes)) *n = 1;
    if (s != APEX_OK) {
        certificates_free(list, *n);
        *n = 0;
    }
    return s;
}

apex_status certificate_parse(struct span bytes, struct certificate **certificate)
{
    size_t n;
    return certificates_parse(bytes, 1, certificate, &n);
}

bool certificate_same(const struct certificate *a, const struct certificate *b)
{
    return X509_cmp(a->x509, b->x509) == 0;
}

static apex_status common_name(const X509_NAME *name, char text[static CERTIFICATE_NAME_MAX])
{
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0)
        return APEX_E_FORMAT;
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    const uint8_t *bytes = ASN1_STRING_get0_data(value);
    size_t len = (size_t)ASN1_STRING_length(value);
    if (len == 0 || len >= CERTIFICATE_NAME_MAX) return APEX_E_FORMAT;
    for (size_t i = 0; i < len; i++)
        if (bytes[i] < 0x20 || bytes[i] > 0x7e) return APEX_E_FORMAT;
    memcpy(text, bytes, len);
    text[len] = 0;
    return APEX_OK;
}

apex_status certificate_subject(const struct certificate *c,
                                char name[static CERTIFICATE_NAME_MAX])
{
    return common_name(X509_get_subject_name(c->x509), name);
}

apex_status certificate_issuer(const struct certificate *c,
                               char name[static CERTIFICATE_NAME_MAX])
{
    return common_name(X509_get_issuer_name(c->x509), name);
}

apex_status certificate_extension(const struct certificate *c, const char *oid,
                                  struct span *value)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    if (!object) return APEX_E_MEMORY;
    int at = X509_get_ext_by_OBJ(c->x509, object, -1);
    bool again = at >= 0 && X509_get_ext_by_OBJ(c->x509, object, at) >= 0;
    ASN1_OBJECT_free(object);
    if (at < 0) return APEX_E_NOT_FOUND;
    if (again) return APEX_E_FORMAT;
    const ASN1_OCTET_STRING *bytes = X509_EXTENSION_get_data(X509_get_ext(c->x509, at));
    *value = span_of(ASN1_STRING_get0_data(bytes), (size_t)ASN1_STRING_length(bytes));
    return APEX_OK;
}

bool certificate_may_sign(const struct certificate *c)
{
    return (X509_get_extension_flags(c->x509) & EXFLAG_KUSAGE) != 0 &&
           (X509_get_key_usage(c->x509) & KU_DIGITAL_SIGNATURE) != 0;
}

static apex_status seconds(const ASN1_TIME *time, int64_t *since_1970)
{
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days = 0, rest = 0;
    bool fine = epoch && ASN1_TIME_diff(&days, &rest, epoch, time) == 1;
    ASN1_TIME_free(epoch);
    *since_1970 = (int64_t)days * 86400 + rest;
    return fine ? APEX_OK : APEX_E_FORMAT;
}

apex_status certificate_dates(const struct certificate *c, int64_t *not_before,
                              int64_t *not_after)
{
    TRY(seconds(X509_get0_notBefore(c->x509), not_before));
    return seconds(X509_get0_notAfter(c->x509), not_after);
}

apex_status certificate_public_key(const struct certificate *c, struct span *spki)
{
    *spki = span_of(c->spki, c->spki_len);
    return APEX_OK;
}
