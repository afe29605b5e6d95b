/* Intel's quotes among the cases: parts by their roles, and what a genuine one must say. */
#include "tests/attest_case.h"
#include "tests/check.h"

#include <stdio.h>

/* Collateral comes as a set of its own ("collateral.X"), or beside the quote. */
static struct span part(const struct attest_case *c, const char *role)
{
    char set[CASE_NAME_MAX];
    snprintf(set, sizeof set, "collateral.%s", role);
    struct span found = case_file(c, set);
    return found.data ? found : case_file(c, role);
}

static void judge(const char *tee, const struct attest_case *c, struct verdict *v)
{
    struct span chain = part(c, "tcb_signing");
    struct judging j = {.report = case_file(c, "quote"),
                        .at_ms = c->at_ms,
                        .revocation_required =
                            c->option && strcmp(c->option, "revocation required") == 0};
    struct span *parts = j.supplements.part;
    parts[SUPPLEMENT_TCB_INFO] = part(c, "tcb_info");
    parts[SUPPLEMENT_QE_IDENTITY] = part(c, "qe_identity");
    parts[SUPPLEMENT_TCB_SIGNING] = chain.data ? chain : part(c, "tcb_signing_chain");
    parts[SUPPLEMENT_PCK_CRL] = part(c, "pck_crl");
    parts[SUPPLEMENT_ROOT_CA_CRL] = part(c, "root_ca_crl");
    attest_examine(tee, &j, v);
}

void case_judge_tdx(const struct attest_case *c, struct verdict *v)
{
    judge("tdx", c, v);
}

void case_judge_sgx(const struct attest_case *c, struct verdict *v)
{
    judge("sgx", c, v);
}

static const struct intel_claims *platform_compare(const struct attest_case *c,
                                                   const struct verdict *v)
{
    const struct claims *claims;
    CHECK_OK(verdict_claims(v, &claims));
    const struct intel_claims *i = &claims->of.intel;
    case_expect_int(c, "header.version", i->version);
    case_expect_hex(c, "pck.fmspc", SPAN(i->platform.fmspc));
    case_expect_int(c, "pck.pcesvn", i->platform.pce_svn);
    CHECK(i->has_tcb == (json_object_get(json_object_get(c->vector, "expect"), "tcb") != NULL));
    if (!i->has_tcb) return i;
    case_expect_text(c, "tcb.platform_status", tcb_status_name(i->tcb.platform));
    case_expect_text(c, "tcb.module_status", tcb_status_name(i->tcb.module));
    case_expect_text(c, "tcb.qe_status", tcb_status_name(i->tcb.qe));
    case_expect_text(c, "tcb.converged_status", tcb_status_name(i->tcb.status));
    case_expect_int(c, "tcb.qe_isvsvn", i->qe_svn);
    return i;
}

void case_compare_tdx(const struct attest_case *c, const struct verdict *v)
{
    const struct td_report *td = &platform_compare(c, v)->td;
    assert_int_equal(v->measurement_len, 3 * 48);
    case_expect_hex(c, "body.mrtd", span_of(v->measurement, 48));
    case_expect_hex(c, "body.rtmr1", span_of(v->measurement + 48, 48));
    case_expect_hex(c, "body.rtmr2", span_of(v->measurement + 2 * 48, 48));
    case_expect_hex(c, "body.mrtd", SPAN(td->mr_td));
    case_expect_hex(c, "body.mrseam", SPAN(td->mr_seam));
    case_expect_hex(c, "body.mrconfigid", SPAN(td->mr_config_id));
    case_expect_hex(c, "body.rtmr0", SPAN(td->rtmr[0]));
    case_expect_hex(c, "body.rtmr3", SPAN(td->rtmr[3]));
    case_expect_hex(c, "body.report_data", SPAN(td->report_data));
    case_expect_bool(c, "body.td_attributes.debug", td->attributes & TD_DEBUG);
    case_expect_bool(c, "body.td_attributes.migratable", td->attributes & TD_MIGRATABLE);
    if (td->is_15) case_expect_hex(c, "body.tee_tcb_svn2", SPAN(td->tee_tcb_svn2));
}

void case_compare_sgx(const struct attest_case *c, const struct verdict *v)
{
    const struct sgx_report *sgx = &platform_compare(c, v)->sgx;
    case_expect_hex(c, "body.mrenclave", span_of(v->measurement, v->measurement_len));
    case_expect_hex(c, "body.mrsigner", SPAN(sgx->mr_signer));
    case_expect_int(c, "body.isvprodid", sgx->isv_prod_id);
    case_expect_int(c, "body.isvsvn", sgx->isv_svn);
    case_expect_hex(c, "body.report_data", SPAN(sgx->report_data));
}
