#include "common/attest/intel_collateral.h"

#include "common/base/try.h"

#include <stdio.h>

bool intel_lists_read(struct intel_case *j)
{
    const struct span parts[2] = {j->asked->supplements.part[SUPPLEMENT_PCK_CRL],
                                  j->asked->supplements.part[SUPPLEMENT_ROOT_CA_CRL]};
    static const char *const whose[2] = {"the platform's CA", "Intel's root"};
    if (parts[0].len == 0 && parts[1].len == 0)
        return !j->asked->revocation_required ||
               verdict_check(j->v, "revocation", false, REASON_COLLATERAL_MISSING,
                             "no revocation lists came along, and they are asked for");
    for (size_t i = 0; i < 2; i++, j->n_lists++) {
        bool there = parts[i].len > 0;
        if (there && revocation_list_parse(parts[i], &j->lists[i]) == APEX_OK) continue;
        return verdict_check(j->v, "revocation", false,
                             there ? REASON_MALFORMED : REASON_COLLATERAL_MISSING,
                             there ? "the revocation list of %s is not one"
                                   : "the revocation list of %s did not come along",
                             whose[i]);
    }
    return true;
}

static const char *chain_words(enum reason why)
{
    switch (why) {
    case REASON_ROOT_UNTRUSTED: return "its certificates end in a root that is not Intel's";
    case REASON_LEAF_EXPIRED: return "a certificate has expired";
    case REASON_LEAF_NOT_YET_VALID: return "a certificate is not valid yet at this time";
    case REASON_REVOKED: return "Intel has revoked a certificate of this chain";
    case REASON_COLLATERAL_MISSING: return "the revocation list given is not its issuer's";
    case REASON_COLLATERAL_EXPIRED: return "a revocation list is out of date: a newer is due";
    case REASON_COLLATERAL_NOT_YET_VALID: return "a revocation list is newer than this time";
    case REASON_COLLATERAL_SIGNATURE_INVALID: return "a revocation list is not its issuer's";
    default: return "Intel's root does not vouch for its certificates";
    }
}

/* A chain that closes with a root of its own says which root it means. */
static bool root_is_foreign(const struct intel_case *j, const struct certificate *last)
{
    char subject[CERTIFICATE_NAME_MAX], issuer[CERTIFICATE_NAME_MAX];
    return certificate_subject(last, subject) == APEX_OK &&
           certificate_issuer(last, issuer) == APEX_OK && strcmp(subject, issuer) == 0 &&
           !certificate_same(last, j->root);
}

enum reason intel_chain(const struct intel_case *j, struct certificate *const *list, size_t n,
                        const char **words)
{
    enum reason why = REASON_ROOT_UNTRUSTED;
    if (!root_is_foreign(j, list[n - 1]))
        why = chain_verify(&(struct chain){.leaf = list[0],
                                           .between = list + 1,
                                           .n_between = n - 1,
                                           .root = j->root,
                                           .lists = j->lists,
                                           .n_lists = j->n_lists,
                                           .revocation = j->n_lists ? REVOCATION_OF_ALL
                                                                    : REVOCATION_IF_PRESENT,
                                           .at_ms = j->asked->at_ms});
    *words = chain_words(why);
    return why;
}

/* ---- who signed it ---- */

static enum reason signer_judge(struct intel_case *j, const char **words)
{
    char name[CERTIFICATE_NAME_MAX];
    *words = "the certificates of the collateral's signer are not certificates";
    if (certificates_parse(j->asked->supplements.part[SUPPLEMENT_TCB_SIGNING], INTEL_CHAIN_MAX,
                           j->signing, &j->n_signing) != APEX_OK)
        return REASON_MALFORMED;
    enum reason why = intel_chain(j, j->signing, j->n_signing, words);
    if (why != REASON_NONE) return why;
    *words = "the certificate is not that of Intel's signer of collateral";
    if (certificate_subject(j->signing[0], name) != APEX_OK ||
        strcmp(name, "Intel SGX TCB Signing") != 0)
        return REASON_CHAIN_INVALID;
    *words = "Intel's root vouches for the signer of the collateral";
    return REASON_NONE;
}

static enum reason document_judge(struct intel_case *j, enum supplement which, const char *key,
                                  struct span *inner, const char **words)
{
    uint8_t signature[P256_LEN];
    *words = "the document has not the form of Intel's";
    if (signed_json_open(j->asked->supplements.part[which], key, inner, signature) != APEX_OK)
        return REASON_MALFORMED;
    *words = "Intel did not sign it as it stands here";
    return certificate_ecdsa(j->signing[0], CURVE_P256, *inner, SPAN(signature)) == APEX_OK
               ? REASON_NONE
               : REASON_COLLATERAL_SIGNATURE_INVALID;
}

static enum reason dates_judge(const struct intel_case *j, const struct document_dates *d,
                               const char **words)
{
    int64_t now = (int64_t)j->asked->at_ms;
    *words = "it was issued later than this time";
    if (now < d->issued_ms) return REASON_COLLATERAL_NOT_YET_VALID;
    *words = "it is out of date: get the platform's current collateral";
    return now > d->next_update_ms ? REASON_COLLATERAL_EXPIRED : REASON_NONE;
}

/* ---- TCB info ---- */

static enum reason info_judge(struct intel_case *j, const char **words)
{
    const struct pck *platform = &j->claims->platform;
    struct span inner;
    enum reason why = document_judge(j, SUPPLEMENT_TCB_INFO, "tcbInfo", &inner, words);
    if (why != REASON_NONE) return why;
    *words = "it is not TCB info of a version we know";
    if (tcb_info_parse(inner, &j->info) != APEX_OK) return REASON_MALFORMED;
    why = dates_judge(j, &j->info.dates, words);
    if (why != REASON_NONE) return why;
    *words = "it is about the other kind of enclave";
    if (j->info.is_tdx != (j->quote.tee == QUOTE_TEE_TDX)) return REASON_TEE_TYPE_MISMATCH;
    *words = "it is about another model of platform";
    if (memcmp(j->info.fmspc, platform->fmspc, 6) != 0 ||
        memcmp(j->info.pce_id, platform->pce_id, 2) != 0)
        return REASON_FMSPC_MISMATCH;
    *words = "Intel signed what it knows of this model of platform, and it is current";
    return REASON_NONE;
}

/* ---- the quoting enclave ---- */

static enum reason identity_judge(struct intel_case *j, const char **words)
{
    const struct quote *q = &j->quote;
    struct span inner;
    enum reason why =
        document_judge(j, SUPPLEMENT_QE_IDENTITY, "enclaveIdentity", &inner, words);
    if (why != REASON_NONE) return why;
    *words = "it is not an enclave identity of a version we know";
    if (qe_identity_parse(inner, &j->identity) != APEX_OK) return REASON_MALFORMED;
    why = dates_judge(j, &j->identity.dates, words);
    if (why != REASON_NONE) return why;
    *words = "it is about the other kind of quoting enclave";
    if (j->identity.is_td_qe != (q->tee == QUOTE_TEE_TDX)) return REASON_TEE_TYPE_MISMATCH;
    *words = "the quoting enclave is not the one Intel published";
    if (!qe_identity_fits(&j->identity, &q->qe)) return REASON_QE_IDENTITY_MISMATCH;
    *words = "the quoting enclave is the one Intel published";
    return REASON_NONE;
}

/* ---- where the platform stands ---- */

static enum reason level_judge(struct intel_case *j, const char **words)
{
    struct tcb_verdict *t = &j->claims->tcb;
    tcb_judge(&j->info, &j->identity, &j->claims->platform, &j->quote, t);
    j->claims->has_tcb = true;
    *words = "Intel does not know this version of the TDX module:";
    if (!t->module_known) return REASON_TCB_NOT_SUPPORTED;
    *words = "the TDX module is not the one Intel published:";
    if (!t->module_as_told) return REASON_TCB_NOT_SUPPORTED;
    *words = "this platform is older than every level Intel lists:";
    if (t->status == TCB_NOT_SUPPORTED) return REASON_TCB_NOT_SUPPORTED;
    *words = "Intel has revoked this platform's versions, they are broken:";
    if (t->status == TCB_REVOKED) return REASON_TCB_REVOKED;
    *words = "Intel calls this platform's versions";
    return REASON_NONE;
}

static bool documents_check(struct intel_case *j)
{
    static const struct {
        const char *check;
        enum reason (*judge)(struct intel_case *, const char **);
    } steps[] = {{"collateral-signer", signer_judge},
                 {"tcb-info", info_judge},
                 {"enclave-identity", identity_judge}};
    const char *words;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        enum reason why = steps[i].judge(j, &words);
        if (!verdict_check_reason(j->v, steps[i].check, why, "%s", words)) return false;
    }
    enum reason why = level_judge(j, &words);
    return verdict_check_reason(j->v, "tcb-level", why, "%s %s", words,
                                tcb_status_name(j->claims->tcb.status));
}

static bool revocation_tell(struct intel_case *j)
{
    j->claims->revocation_checked = j->n_lists == 2;
    if (j->claims->revocation_checked)
        return verdict_check(j->v, "revocation", true, REASON_NONE,
                             "no certificate is on Intel's revocation lists");
    verdict_not_asked(j->v, "revocation", "no revocation lists came along");
    return true;
}

bool intel_collateral_check(struct intel_case *j)
{
    const struct span *part = j->asked->supplements.part;
    size_t n = (part[SUPPLEMENT_TCB_INFO].len > 0) + (part[SUPPLEMENT_QE_IDENTITY].len > 0) +
               (part[SUPPLEMENT_TCB_SIGNING].len > 0);
    if (n == 0) {
        verdict_not_asked(j->v, "tcb-level",
                          "no collateral came along: how old the platform is stays unknown");
        return revocation_tell(j);
    }
    if (n < 3)
        return verdict_check(j->v, "collateral", false, REASON_COLLATERAL_MISSING,
                             "TCB info, quoting enclave identity and their signer's "
                             "certificate belong together; one did not come along");
    return documents_check(j) && revocation_tell(j);
}
