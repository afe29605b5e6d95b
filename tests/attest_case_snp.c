#include "tests/attest_case.h"

#include "common/attest/snp_report.h"
#include "common/crypto/hash.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>

static const char *product_of(const struct attest_case *c)
{
    return json_string_value(json_object_get(c->vector, "product"));
}

/* The certificates a case names stand in place of the compiled-in ones of its product. */
static void roots_of(const struct attest_case *c, struct roots *roots)
{
    const char *product = product_of(c);
    unsigned ark = strcmp(product, "Milan") == 0   ? ROOT_AMD_MILAN_ARK
                   : strcmp(product, "Genoa") == 0 ? ROOT_AMD_GENOA_ARK
                                                   : ROOT_AMD_TURIN_ARK;
    *roots = *vendor_roots();
    case_root(c, "root", ark, roots);
    case_root(c, "intermediate", ark + 1, roots);
    case_root(c, "intermediate", ark + 2, roots);
}

void case_judge_snp(const struct attest_case *c, struct verdict *v)
{
    struct roots roots;
    uint8_t bound[64] = {0}, host[32];
    struct span data = case_file(c, "bound_data"),
                host_policy = case_file(c, "host_data_policy");
    struct judging j = {.report = case_file(c, "report"), .roots = &roots, .at_ms = c->at_ms};
    j.supplements.part[SUPPLEMENT_CERTIFICATES] = case_file(c, "leaf");
    roots_of(c, &roots);
    sha256(data, bound);
    sha256(host_policy, host);
    if (data.data) j.report_data = SPAN(bound);
    if (host_policy.data) j.host_data = SPAN(host);
    attest_examine("sev-snp", &j, v);
}

static void version_compare(const struct attest_case *c, const char *path,
                            const struct snp_version *v)
{
    char text[16];
    snprintf(text, sizeof text, "%u.%u.%u", v->major, v->minor, v->build);
    case_expect_text(c, path, text);
}

static void tcb_compare(const struct attest_case *c, const char *which, const struct snp_tcb *t)
{
    const struct {
        const char *name;
        uint8_t value;
    } parts[] = {{"bootloader", t->bootloader},
                 {"tee", t->tee},
                 {"snp", t->snp},
                 {"microcode", t->microcode},
                 {"fmc", t->fmc}};
    for (size_t i = 0; i < 5; i++) {
        char path[CASE_NAME_MAX];
        snprintf(path, sizeof path, "report.%s.%s", which, parts[i].name);
        case_expect_int(c, path, parts[i].value);
    }
}

static void digests_compare(const struct attest_case *c, const struct snp_report *r)
{
    case_expect_hex(c, "report.family_id", SPAN(r->family_id));
    case_expect_hex(c, "report.image_id", SPAN(r->image_id));
    case_expect_hex(c, "report.report_data", SPAN(r->report_data));
    case_expect_hex(c, "report.measurement", SPAN(r->measurement));
    case_expect_hex(c, "report.host_data", SPAN(r->host_data));
    case_expect_hex(c, "report.id_key_digest", SPAN(r->id_key_digest));
    case_expect_hex(c, "report.author_key_digest", SPAN(r->author_key_digest));
    case_expect_hex(c, "report.report_id", SPAN(r->report_id));
    case_expect_hex(c, "report.report_id_ma", SPAN(r->report_id_ma));
    case_expect_hex(c, "report.chip_id", SPAN(r->chip_id));
}

void case_compare_snp(const struct attest_case *c, const struct verdict *v)
{
    const struct claims *claims;
    CHECK_OK(verdict_claims(v, &claims));
    const struct snp_report *r = &claims->of.snp;
    assert_string_equal(v->product, product_of(c));
    assert_memory_equal(v->measurement, r->measurement, sizeof r->measurement);
    case_expect_int(c, "report.version", r->version);
    case_expect_int(c, "report.guest_svn", r->guest_svn);
    case_expect_int(c, "report.policy", r->policy);
    case_expect_int(c, "report.vmpl", r->vmpl);
    case_expect_int(c, "report.platform_info", r->platform_info);
    case_expect_bool(c, "report.author_key_en", r->author_key_en);
    case_expect_bool(c, "report.mask_chip_key", r->mask_chip_key);
    case_expect_text(c, "report.signing_key", r->signing_key == SNP_VLEK ? "VLEK" : "VCEK");
    digests_compare(c, r);
    tcb_compare(c, "current_tcb", &r->current_tcb);
    tcb_compare(c, "reported_tcb", &r->reported_tcb);
    tcb_compare(c, "committed_tcb", &r->committed_tcb);
    tcb_compare(c, "launch_tcb", &r->launch_tcb);
    version_compare(c, "report.current_version", &r->current);
    version_compare(c, "report.committed_version", &r->committed);
    case_expect_int(c, "report.launch_mit_vector", r->launch_mitigations);
    case_expect_int(c, "report.current_mit_vector", r->current_mitigations);
}
