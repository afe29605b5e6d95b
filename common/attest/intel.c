#include "common/attest/intel_collateral.h"

#include "common/base/try.h"
#include "common/crypto/hash.h"

#include <stdlib.h>

/* ---- the platform ---- */

static bool form_check(struct intel_case *j)
{
    struct quote *q = &j->quote;
    bool whole = quote_parse(j->asked->report, q) == APEX_OK;
    if (!verdict_check(j->v, "quote-form", whole, REASON_MALFORMED,
                       whole ? "a whole %s quote of version %u"
                             : "this is not a whole quote of a kind and version we know",
                       q->tee == QUOTE_TEE_TDX ? "TDX" : "SGX", (unsigned)q->version))
        return false;
    return verdict_check(j->v, "certification-data", q->certification == QUOTE_PCK_CHAIN,
                         REASON_CERTIFICATION_DATA_UNSUPPORTED,
                         q->certification == QUOTE_PCK_CHAIN
                             ? "the quote carries its platform's certificates"
                             : "the quote carries no certificate of its platform (its kind of "
                               "certification data is %u, 5 is needed)",
                         (unsigned)q->certification);
}

static bool pck_names_fit(const struct certificate *leaf)
{
    char subject[CERTIFICATE_NAME_MAX], issuer[CERTIFICATE_NAME_MAX];
    return certificate_subject(leaf, subject) == APEX_OK &&
           certificate_issuer(leaf, issuer) == APEX_OK &&
           strcmp(subject, "Intel SGX PCK Certificate") == 0 &&
           (strcmp(issuer, "Intel SGX PCK Platform CA") == 0 ||
            strcmp(issuer, "Intel SGX PCK Processor CA") == 0);
}

static enum reason platform_judge(struct intel_case *j, const char **words)
{
    struct span extension;
    *words = "the platform's certificates are not certificates";
    if (certificates_parse(j->quote.certification_data, INTEL_CHAIN_MAX, j->pck, &j->n_pck) !=
        APEX_OK)
        return REASON_MALFORMED;
    enum reason why = intel_chain(j, j->pck, j->n_pck, words);
    if (why != REASON_NONE) return why;
    *words = "the certificate is not one for a platform's quotes (PCK)";
    if (!pck_names_fit(j->pck[0])) return REASON_CHAIN_INVALID;
    *words = "the certificate does not tell the platform's versions";
    if (certificate_extension(j->pck[0], PCK_EXTENSION_OID, &extension) != APEX_OK ||
        pck_parse(extension, &j->claims->platform) != APEX_OK)
        return REASON_MALFORMED;
    *words = "Intel's root vouches for this platform";
    return REASON_NONE;
}

static bool platform_check(struct intel_case *j)
{
    const char *words;
    enum reason why = platform_judge(j, &words);
    return verdict_check_reason(j->v, "platform", why, "%s", words);
}

/* ---- the signatures of the quote ---- */

static bool binds_key(const struct quote *q)
{
    static const uint8_t zeros[32];
    uint8_t digest[HASH_LEN];
    struct sha256 h;
    sha256_init(&h);
    sha256_update(&h, SPAN(q->attestation_key));
    sha256_update(&h, q->qe_auth);
    sha256_final(&h, digest);
    return memcmp(q->qe.report_data, digest, 32) == 0 &&
           memcmp(q->qe.report_data + 32, zeros, 32) == 0;
}

/* Anyone can read the memory, and so the keys, of a quoting enclave in debug mode. */
static bool quoting_enclave_check(struct intel_case *j)
{
    const struct quote *q = &j->quote;
    bool by_platform = certificate_ecdsa(j->pck[0], CURVE_P256, q->qe_report_bytes,
                                         SPAN(q->qe_signature)) == APEX_OK;
    bool closed = !(q->qe.attributes[0] & SGX_ATTRIBUTE_DEBUG);
    return verdict_check(
        j->v, "quoting-enclave", by_platform && closed,
        by_platform ? REASON_QE_IDENTITY_MISMATCH : REASON_QE_REPORT_SIGNATURE_INVALID,
        !by_platform ? "the platform did not sign its quoting enclave's report"
        : closed     ? "the platform signed its quoting enclave's report"
                     : "the quoting enclave runs in debug mode: anyone can have its keys");
}

static bool signatures_check(struct intel_case *j)
{
    const struct quote *q = &j->quote;
    if (!quoting_enclave_check(j)) return false;
    bool bound = binds_key(q);
    if (!verdict_check(j->v, "attestation-key", bound, REASON_ATTESTATION_KEY_BINDING,
                       bound ? "the quoting enclave vouches for the key that signs quotes"
                             : "the quoting enclave vouches for another key"))
        return false;
    bool holds = ecdsa_nist_check(CURVE_P256, SPAN(q->attestation_key), q->signed_part,
                                  SPAN(q->signature)) == APEX_OK;
    return verdict_check(j->v, "quote-signature", holds, REASON_SIGNATURE_INVALID,
                         holds ? "the quote is signed by that key, and unchanged"
                               : "the quote was changed, or another key signed it");
}

/* ---- both together ---- */

static void measured(struct verdict *v, struct span by)
{
    memcpy(v->measurement + v->measurement_len, by.data, by.len);
    v->measurement_len += by.len;
}

static void claims_keep(struct intel_case *j)
{
    const struct quote *q = &j->quote;
    struct intel_claims *c = j->claims;
    c->version = q->version;
    c->is_tdx = q->tee == QUOTE_TEE_TDX;
    c->sgx = q->sgx;
    c->td = q->td;
    c->qe_svn = q->qe.isv_svn;
    if (!c->is_tdx) {
        measured(j->v, SPAN(c->sgx.mr_enclave));
        return;
    }
    measured(j->v, SPAN(c->td.mr_td));
    measured(j->v, SPAN(c->td.rtmr[1]));
    measured(j->v, SPAN(c->td.rtmr[2]));
}

static void findings_tell(struct intel_case *j)
{
    const struct intel_claims *c = j->claims;
    bool debug =
        c->is_tdx ? c->td.attributes & TD_DEBUG : c->sgx.attributes[0] & SGX_ATTRIBUTE_DEBUG;
    if (debug) verdict_find(j->v, FINDING_DEBUG);
    if (c->is_tdx && !(c->td.attributes & TD_SEPT_VE_DISABLE))
        verdict_find(j->v, FINDING_SEPT_VE_DISABLE_UNSET);
    if (c->td.attributes & TD_MIGRATABLE) verdict_find(j->v, FINDING_MIGRATABLE);
}

/* Evidence of one kind must not pass under the other's name: policies differ. */
static bool kind_check(struct intel_case *j)
{
    bool is_tdx = j->quote.tee == QUOTE_TEE_TDX, named = strcmp(j->v->tee, "tdx") == 0;
    return verdict_check(j->v, "quote-kind", is_tdx == named, REASON_TEE_TYPE_MISMATCH,
                         "the quote is of the %s kind", is_tdx ? "TDX" : "SGX");
}

static bool binding_check(struct intel_case *j)
{
    const struct quote *q = &j->quote;
    const uint8_t *data = q->tee == QUOTE_TEE_TDX ? q->td.report_data : q->sgx.report_data;
    return judge_binding(j->asked, span_of(data, 64), REASON_REPORT_DATA_MISMATCH, j->v);
}

static void case_free(struct intel_case *j)
{
    if (!j) return;
    certificates_free(j->pck, j->n_pck);
    certificates_free(j->signing, j->n_signing);
    for (size_t i = 0; i < j->n_lists; i++)
        revocation_list_free(j->lists[i]);
    certificate_free(j->root);
    free(j);
}

bool intel_judge(const struct judging *asked, struct verdict *v)
{
    struct intel_case *j = calloc(1, sizeof *j);
    if (j)
        *j = (struct intel_case){.asked = asked, .v = v, .claims = &v->private_claims.of.intel};
    if (!j || certificate_parse(asked->roots->der[ROOT_INTEL_SGX], &j->root) != APEX_OK) {
        case_free(j);
        return verdict_check(v, "memory", false, REASON_INTERNAL,
                             "there was no memory to judge the quote");
    }
    bool genuine = form_check(j) && kind_check(j) && intel_lists_read(j) && platform_check(j) &&
                   signatures_check(j) && binding_check(j) && intel_collateral_check(j);
    if (genuine) {
        claims_keep(j);
        findings_tell(j);
    }
    case_free(j);
    return genuine;
}
