/* Judging an AMD SEV-SNP report: attestation reports of AMD publication 56860 under the
 * certificates of publication 57230. Which AMD certificates stand between leaf and root is
 * decided by the leaf's issuer, proven by the chain, and held against the CPUID that the report
 * itself signs; nothing the host sends decides it. */
#include "common/attest/judge.h"
#include "common/attest/snp_certificate.h"

struct snp_case {
    const struct judging *j;
    struct verdict *v;
    struct snp_report *r;
    struct certificate *leaf;
    struct snp_leaf says;
};

static bool form(struct snp_case *c)
{
    bool parsed = snp_report_parse(c->j->report, c->r) == APEX_OK;
    if (parsed)
        return verdict_check(c->v, "report-form", true, REASON_NONE,
                             "an SEV-SNP report of version %u, whole, reserved fields zero",
                             (unsigned)c->r->version);
    return verdict_check(c->v, "report-form", false, REASON_MALFORMED,
                         "this is not an SEV-SNP report of version 2 to 5 (%zu bytes)",
                         c->j->report.len);
}

static bool is_signed(struct snp_case *c)
{
    bool none = c->r->mask_chip_key || c->r->signing_key == SNP_NO_KEY;
    if (!verdict_check(c->v, "report-signed", !none, REASON_UNSIGNED_REPORT, "%s",
                       none ? "the host had the chip leave the signature out"
                            : "the report says that the chip signed it"))
        return false;
    return verdict_check(c->v, "signing-key", c->r->signing_key <= SNP_VLEK, REASON_MALFORMED,
                         "signed with the %s",
                         c->r->signing_key == SNP_VCEK   ? "chip's own key (VCEK)"
                         : c->r->signing_key == SNP_VLEK ? "cloud provider's key (VLEK)"
                                                         : "key of a kind AMD has not defined");
}

/* The leaf is of the kind the report names, by whole names. */
static bool leaf(struct snp_case *c)
{
    struct span sent = c->j->supplements.part[SUPPLEMENT_CERTIFICATES];
    apex_status s = sent.len
                        ? snp_leaf_find(sent, (enum snp_signing_key)c->r->signing_key, &c->leaf)
                        : APEX_E_NOT_FOUND;
    if (s == APEX_E_NOT_FOUND)
        return verdict_check(c->v, "certificate-there", false, REASON_CHAIN_INVALID,
                             "the certificate of the signing key did not come along");
    if (!verdict_check(c->v, "certificate-form", s == APEX_OK, REASON_MALFORMED,
                       "the certificate that came along is a well-formed X.509 certificate"))
        return false;
    bool vlek = c->r->signing_key == SNP_VLEK;
    bool kind = snp_leaf_kind(c->leaf, &c->says) == APEX_OK && c->says.vlek == vlek;
    return verdict_check(c->v, "certificate-kind", kind, REASON_SIGNING_KEY_MISMATCH,
                         "the report says its signer is a %s, and the certificate %s",
                         vlek ? "VLEK" : "VCEK", kind ? "is for one" : "is not for one");
}

static bool product(struct snp_case *c)
{
    enum snp_product said;
    const char *issuer = snp_product_name(c->says.product);
    if (c->r->version < 3) {
        verdict_not_asked(c->v, "product",
                          "reports of version 2 do not name the processor; its issuer says %s",
                          issuer);
        verdict_find(c->v, FINDING_NO_CPUID_FIELDS);
    } else {
        bool same = snp_report_product(c->r, &said) == APEX_OK && said == c->says.product;
        if (!verdict_check(c->v, "product", same, REASON_PRODUCT_MISMATCH,
                           "processor family %02xh model %02xh, and a certificate for %s",
                           c->r->cpuid_family, c->r->cpuid_model, issuer))
            return false;
    }
    return true;
}

/* leaf <- ASK or ASVK <- ARK, the last two compiled in. */
static bool chain(struct snp_case *c)
{
    unsigned at = ROOT_AMD_MILAN_ARK + 3 * c->says.product;
    CERTIFICATE_FREED *ark = NULL, *between = NULL;
    REVOCATION_LIST_FREED *list = NULL;
    struct span crl = c->j->supplements.part[SUPPLEMENT_AMD_CRL];
    if (certificate_parse(c->j->roots->der[at], &ark) != APEX_OK ||
        certificate_parse(c->j->roots->der[at + (c->says.vlek ? 2 : 1)], &between) != APEX_OK)
        return verdict_check(c->v, "chain", false, REASON_INTERNAL,
                             "the pinned certificates cannot be read");
    if (crl.len > 0 && revocation_list_parse(crl, &list) != APEX_OK)
        return verdict_check(c->v, "not-revoked", false, REASON_MALFORMED,
                             "the revocation list that came along is not well-formed");
    const struct chain q = {.leaf = c->leaf,
                            .between = &between,
                            .n_between = 1,
                            .root = ark,
                            .lists = &list,
                            .n_lists = list ? 1 : 0,
                            /* A list that came along must be of this ARK. */
                            .revocation = list || c->j->revocation_required
                                              ? REVOCATION_OF_CAS
                                              : REVOCATION_IF_PRESENT,
                            .at_ms = c->j->at_ms};
    c->r->revocation_checked = list != NULL;
    return judge_chain(&q, "AMD", c->v);
}

/* What the certificate says, and the report's firmware levels as this product lays them out. */
static bool fields(struct snp_case *c)
{
    if (!verdict_check(c->v, "certificate-fields", snp_leaf_read(c->leaf, &c->says) == APEX_OK,
                       REASON_MALFORMED,
                       "the certificate names firmware levels and %s, each once",
                       c->says.vlek ? "a cloud provider" : "a chip"))
        return false;
    return verdict_check(c->v, "firmware-fields",
                         snp_report_decode_tcb(c->r, c->says.product) == APEX_OK,
                         REASON_MALFORMED, "firmware levels are laid out as on %s",
                         snp_product_name(c->says.product));
}

static bool signature(struct snp_case *c)
{
    apex_status s = certificate_ecdsa(
        c->leaf, CURVE_P384, span_of(c->j->report.data, SNP_SIGNED_LEN), SPAN(c->r->signature));
    return verdict_check(c->v, "signature", s == APEX_OK, REASON_SIGNATURE_INVALID, "%s",
                         s == APEX_OK ? "the key in the certificate signed this very report"
                                      : "the key in the certificate did not sign these bytes");
}

/* The certificate is for one firmware level: the report must be of that very one. */
static bool levels(struct snp_case *c)
{
    const struct snp_report *r = c->r;
    if (!verdict_check(c->v, "firmware-certified",
                       snp_tcb_equal(&r->reported_tcb, &c->says.tcb), REASON_TCB_MISMATCH,
                       "the firmware level reported is the one AMD's certificate is for"))
        return false;
    bool order = snp_tcb_at_most(&r->committed_tcb, &r->current_tcb) &&
                 snp_tcb_at_most(&r->reported_tcb, &r->current_tcb);
    if (!verdict_check(c->v, "firmware-order", order, REASON_TCB_ORDER,
                       "no firmware level is above the one that runs"))
        return false;
    if (!snp_tcb_equal(&r->committed_tcb, &r->current_tcb))
        verdict_find(c->v, FINDING_CURRENT_TCB_DIFFERS);
    if (!snp_tcb_equal(&r->reported_tcb, &r->committed_tcb))
        verdict_find(c->v, FINDING_REPORTED_TCB_DIFFERS);
    return true;
}

static bool chip(struct snp_case *c)
{
    static const uint8_t zero[SNP_CHIP_ID_LEN];
    bool masked = memcmp(c->r->chip_id, zero, sizeof zero) == 0;
    if (masked) verdict_find(c->v, FINDING_CHIP_ID_MASKED);
    if (c->says.vlek) {
        verdict_not_asked(c->v, "chip", "no chip is named; AMD gave this key to %.100s",
                          c->says.csp_id);
        return true;
    }
    if (masked) {
        verdict_not_asked(c->v, "chip", "the host had the chip's number left out");
        return true;
    }
    bool same = memcmp(c->r->chip_id, c->says.chip_id, c->says.chip_id_len) == 0 &&
                memcmp(c->r->chip_id + c->says.chip_id_len, zero,
                       sizeof zero - c->says.chip_id_len) == 0;
    return verdict_check(c->v, "chip", same, REASON_CHIP_ID_MISMATCH,
                         "the chip in the report is the chip of the certificate");
}

static bool bound(struct snp_case *c)
{
    struct span want = c->j->host_data;
    bool fine = judge_binding(c->j, SPAN(c->r->report_data), REASON_REPORT_DATA_MISMATCH, c->v);
    if (want.data)
        fine &= verdict_check(c->v, "host-data", span_equal(want, SPAN(c->r->host_data)),
                              REASON_HOST_DATA_MISMATCH,
                              "HOST_DATA is what the guest must have been started with");
    return fine;
}

static void findings(struct snp_case *c)
{
    const struct snp_report *r = c->r;
    if (snp_bit(r->policy, SNP_POLICY_DEBUG)) verdict_find(c->v, FINDING_DEBUG_ALLOWED);
    if (snp_bit(r->policy, SNP_POLICY_SMT)) verdict_find(c->v, FINDING_SMT_ALLOWED);
    if (snp_bit(r->policy, SNP_POLICY_MIGRATE_MA))
        verdict_find(c->v, FINDING_MIGRATION_ALLOWED);
    if (r->vmpl != 0) verdict_find(c->v, FINDING_VMPL_NONZERO);
}

bool snp_judge(const struct judging *j, struct verdict *v)
{
    struct snp_case c = {.j = j, .v = v, .r = &v->private_claims.of.snp};
    bool genuine = form(&c) && is_signed(&c) && leaf(&c) && product(&c) && chain(&c) &&
                   fields(&c) && signature(&c) && levels(&c) && chip(&c) && bound(&c);
    certificate_free(c.leaf);
    if (!genuine) return false;
    findings(&c);
    memcpy(c.r->csp_id, c.says.csp_id, sizeof c.says.csp_id);
    memcpy(v->measurement, c.r->measurement, SNP_DIGEST_LEN);
    v->measurement_len = SNP_DIGEST_LEN;
    memcpy(v->product, snp_product_name(c.r->product), sizeof "Milan");
    return true;
}
