#include "common/attest/x509_openssl.h"

#include "common/attest/pem.h"
#include "common/base/try.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <time.h>

void revocation_list_free(struct revocation_list *list)
{
    if (!list) return;
    X509_CRL_free(list->crl);
    free(list);
}

static bool has_critical(const X509_CRL *crl)
{
    for (int i = 0; i < X509_CRL_get_ext_count(crl); i++)
        if (X509_EXTENSION_get_critical(X509_CRL_get_ext(crl, i))) return true;
    return false;
}

static apex_status list_decode(struct span der, struct revocation_list *list)
{
    const uint8_t *at = der.data;
    uint8_t *again = NULL;
    list->crl = d2i_X509_CRL(NULL, &at, (long)der.len);
    if (!list->crl || at != der.data + der.len || has_critical(list->crl)) return APEX_E_FORMAT;
    if (!X509_CRL_get0_nextUpdate(list->crl))
        return APEX_E_FORMAT; /* RFC 5280: MUST be there */
    int n = i2d_X509_CRL(list->crl, &again);
    bool same = n > 0 && span_equal(span_of(again, (size_t)n), der);
    OPENSSL_free(again);
    return same ? APEX_OK : APEX_E_FORMAT;
}

static apex_status list_unwrap(struct span pem, struct buffer *der)
{
    struct cursor c = cursor_on(pem);
    BUFFER_CLEARED more = {0};
    TRY(pem_next(&c, "X509 CRL", der));
    return pem_next(&c, "X509 CRL", &more) == APEX_E_NOT_FOUND ? APEX_OK : APEX_E_FORMAT;
}

apex_status revocation_list_parse(struct span bytes, struct revocation_list **list)
{
    BUFFER_CLEARED der = {.max = REVOCATION_LIST_LEN_MAX};
    if (bytes.len > 2 * REVOCATION_LIST_LEN_MAX) return APEX_E_LIMIT;
    if (bytes.len == 0) return APEX_E_FORMAT;
    if (bytes.data[0] == 0x30)
        buffer_append(&der, bytes);
    else if (list_unwrap(bytes, &der) != APEX_OK)
        return APEX_E_FORMAT;
    if (buffer_ok(&der) != APEX_OK) return APEX_E_LIMIT;
    struct revocation_list *l = openssl_ready() ? calloc(1, sizeof *l) : NULL;
    if (!l) return APEX_E_MEMORY;
    apex_status s = list_decode(buffer_span(&der), l);
    ERR_clear_error();
    if (s == APEX_OK)
        *list = l;
    else
        revocation_list_free(l);
    return s;
}

static enum reason reason_of(int error)
{
    switch (error) {
    case X509_V_OK: return REASON_NONE;
    case X509_V_ERR_CERT_NOT_YET_VALID: return REASON_LEAF_NOT_YET_VALID;
    case X509_V_ERR_CERT_HAS_EXPIRED: return REASON_LEAF_EXPIRED;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: return REASON_ROOT_UNTRUSTED;
    case X509_V_ERR_OUT_OF_MEM: return REASON_INTERNAL;
    default: return REASON_CHAIN_INVALID;
    }
}

/* A list of X509 that borrows its members. NULL: no memory. */
static STACK_OF(X509) * stack_of(struct certificate *const *list, size_t n)
{
    STACK_OF(X509) *stack = sk_X509_new_null();
    for (size_t i = 0; stack && i < n; i++)
        if (sk_X509_push(stack, list[i]->x509) == 0) {
            sk_X509_free(stack);
            stack = NULL;
        }
    return stack;
}

static X509_VERIFY_PARAM *param_at(uint64_t at_ms)
{
    X509_VERIFY_PARAM *param = X509_VERIFY_PARAM_new();
    if (!param) return NULL;
    X509_VERIFY_PARAM_set_time(param, (time_t)(at_ms / 1000));
    X509_VERIFY_PARAM_set_depth(param, CHAIN_MAX);
    return param;
}

/* RFC 5280 section 6.1 by OpenSSL. *built: leaf first, root last, freed by the caller. */
static enum reason path_build(const struct chain *q, STACK_OF(X509) * trusted,
                              STACK_OF(X509) * between, STACK_OF(X509) * *built)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509_VERIFY_PARAM *param = param_at(q->at_ms);
    enum reason why = REASON_INTERNAL;
    if (ctx && param && X509_STORE_CTX_init(ctx, NULL, q->leaf->x509, between) == 1) {
        X509_STORE_CTX_set0_trusted_stack(ctx, trusted);
        X509_STORE_CTX_set0_param(ctx, param);
        param = NULL;
        if (X509_verify_cert(ctx) == 1) {
            why = REASON_NONE;
            *built = X509_STORE_CTX_get1_chain(ctx);
        } else
            why = reason_of(X509_STORE_CTX_get_error(ctx));
        if (why == REASON_NONE && !*built) why = REASON_CHAIN_INVALID;
    }
    X509_VERIFY_PARAM_free(param);
    X509_STORE_CTX_free(ctx);
    return why;
}

/* RFC 5280 section 6.3, for whole lists signed by the certificate's own issuer. Revocation by
 * serial number. */
static enum reason list_check(const struct chain *q, const struct revocation_list *list,
                              X509 *certificate, X509 *issuer)
{
    time_t at = (time_t)(q->at_ms / 1000);
    X509_REVOKED *entry = NULL;
    if (X509_CRL_verify(list->crl, X509_get0_pubkey(issuer)) != 1)
        return REASON_COLLATERAL_SIGNATURE_INVALID;
    /* Whatever the list's dates: the time of judging is the evidence's own word where it is
     * read from a log, and what was revoked once stays so. */
    if (X509_CRL_get0_by_cert(list->crl, &entry, certificate) != 0) return REASON_REVOKED;
    if (X509_cmp_time(X509_CRL_get0_lastUpdate(list->crl), &at) >= 0)
        return REASON_COLLATERAL_NOT_YET_VALID;
    if (X509_cmp_time(X509_CRL_get0_nextUpdate(list->crl), &at) <= 0)
        return REASON_COLLATERAL_EXPIRED;
    return REASON_NONE;
}

static enum reason revocation_check(const struct chain *q, X509 *certificate, X509 *issuer,
                                    bool required)
{
    bool covered = false;
    for (size_t i = 0; i < q->n_lists; i++) {
        if (X509_NAME_cmp(X509_CRL_get_issuer(q->lists[i]->crl),
                          X509_get_issuer_name(certificate)) != 0)
            continue;
        enum reason why = list_check(q, q->lists[i], certificate, issuer);
        if (why != REASON_NONE) return why;
        covered = true;
    }
    return required && !covered ? REASON_COLLATERAL_MISSING : REASON_NONE;
}

static enum reason revocations_check(const struct chain *q, STACK_OF(X509) * built)
{
    for (int i = 0; i + 1 < sk_X509_num(built); i++) {
        bool required =
            q->revocation == REVOCATION_OF_ALL || (q->revocation == REVOCATION_OF_CAS && i > 0);
        enum reason why =
            revocation_check(q, sk_X509_value(built, i), sk_X509_value(built, i + 1), required);
        if (why != REASON_NONE) return why;
    }
    return REASON_NONE;
}

enum reason chain_verify(const struct chain *chain)
{
    struct chain q = *chain;
    STACK_OF(X509) *built = NULL;
    if (q.n_between > 0 && certificate_same(q.between[q.n_between - 1], q.root)) q.n_between--;
    if (q.n_between + 2 > CHAIN_MAX) return REASON_CHAIN_INVALID;
    struct certificate *const roots[] = {(struct certificate *)q.root};
    STACK_OF(X509) *trusted = stack_of(roots, 1);
    STACK_OF(X509) *between = stack_of(q.between, q.n_between);
    enum reason why =
        trusted && between ? path_build(&q, trusted, between, &built) : REASON_INTERNAL;
    /* Each certificate that came along is needed: nothing is carried that nobody looks at. */
    if (why == REASON_NONE && (size_t)sk_X509_num(built) != q.n_between + 2)
        why = REASON_CHAIN_INVALID;
    if (why == REASON_NONE) why = revocations_check(&q, built);
    sk_X509_pop_free(built, X509_free);
    sk_X509_free(trusted);
    sk_X509_free(between);
    ERR_clear_error();
    return why;
}
