#include "common/attest/x509_openssl.h"

#include "common/base/try.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>

static size_t curve_len(enum curve curve)
{
    return curve == CURVE_P256 ? 32 : 48;
}

static const char *curve_group(enum curve curve)
{
    return curve == CURVE_P256 ? "prime256v1" : "secp384r1";
}

static bool on_curve(const EVP_PKEY *key, enum curve curve)
{
    char group[32];
    size_t len;
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(key, group, sizeof group, &len) == 1 &&
           strcmp(group, curve_group(curve)) == 0;
}

/* r || s to the DER that OpenSSL verifies (FIPS 186-5 section 6.4.2; SEC 1 section C.5).
 * Returns its length, 0 on failure; *der is freed by the caller. */
static size_t signature_der(struct span raw, uint8_t **der)
{
    size_t half = raw.len / 2;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw.data, (int)half, NULL);
    BIGNUM *s = BN_bin2bn(raw.data + half, (int)half, NULL);
    int n = 0;
    if (sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1)
        n = i2d_ECDSA_SIG(sig, der);
    else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(sig);
    return n > 0 ? (size_t)n : 0;
}

apex_status ecdsa_verify(EVP_PKEY *key, enum curve curve, struct span message,
                         struct span signature)
{
    uint8_t *der = NULL;
    if (!key || !on_curve(key, curve) || signature.len != 2 * curve_len(curve))
        return APEX_E_UNTRUSTED;
    size_t len = signature_der(signature, &der);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const EVP_MD *md = curve == CURVE_P256 ? EVP_sha256() : EVP_sha384();
    bool holds = len > 0 && ctx && EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1 &&
                 EVP_DigestVerify(ctx, der, len, message.data, message.len) == 1;
    EVP_MD_CTX_free(ctx);
    OPENSSL_free(der);
    ERR_clear_error();
    return holds ? APEX_OK : APEX_E_UNTRUSTED;
}

apex_status certificate_ecdsa(const struct certificate *signer, enum curve curve,
                              struct span message, struct span signature)
{
    return ecdsa_verify(X509_get0_pubkey(signer->x509), curve, message, signature);
}

/* SEC 1 section 2.3.4: an uncompressed point; OpenSSL refuses one that is not on the curve. */
static EVP_PKEY *key_of(enum curve curve, struct span point)
{
    uint8_t encoded[1 + 2 * 48] = {4};
    char group[32];
    size_t len = 2 * curve_len(curve);
    EVP_PKEY *key = NULL;
    if (point.len != len) return NULL;
    memcpy(encoded + 1, point.data, len);
    memcpy(group, curve_group(curve), strlen(curve_group(curve)) + 1);
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, encoded, 1 + len),
        OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, (OSSL_PARAM *)params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    return key;
}

apex_status ecdsa_nist_check(enum curve curve, struct span point, struct span message,
                             struct span signature)
{
    if (!openssl_ready()) return APEX_E_MEMORY;
    EVP_PKEY *key = key_of(curve, point);
    apex_status s = ecdsa_verify(key, curve, message, signature);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return s;
}
