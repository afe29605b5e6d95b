/* A policy written from evidence accepts that evidence, unless it shows what nobody should
 * accept without having written so: debug. And nothing else than what was seen. */
#include "client/lib/trust_write.h"
#include "common/attest/accept.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>

#define VECTORS "../shared/vectors/attestation/"
enum { FILE_MOST = 64 * 1024 };

static struct verdict verdict;

static const struct seen {
    const char *tee, *report;
    uint64_t at_s;
    const char *parts[SUPPLEMENTS];
    const char *refused; /* by the policy written from it; "": accepted */
} all[] = {
#define SNP(name, leaf, at, refused)                                                           \
    {                                                                                          \
        "sev-snp", "snp/" name "/report.bin", at,                                              \
            {[SUPPLEMENT_CERTIFICATES] = "snp/" name "/" leaf}, refused                        \
    }
    SNP("turin-v5-microsoft", "leaf.pem", 1793491200, ""),
    SNP("genoa-v5-yaxi", "leaf.pem", 1793491200, ""),
    SNP("milan-v3-caci-keybound", "leaf.pem", 1793491200, ""),
    SNP("milan-v2-azure", "leaf.der", 1793491200,
        ""), /* provisional firmware, seen and allowed */
    SNP("milan-v3-aws-vlek", "leaf.der", 1748736000, ""), /* VMPL 1 and a provider likewise */
    SNP("milan-v2-debug", "leaf.der", 1793491200, "debug"),
    {"nitro", "nitro/evervault-nonce/document.cbor", 1665651482, {NULL}, ""},
    {"nitro", "nitro/dstack-indefinite-map/document.cbor", 1766668537, {NULL}, ""},
    {"nitro", "nitro/evervault-debug/document.cbor", 1665582606, {NULL}, "debug"},
    {"tdx",
     "tdx/v4-b0c06f-uptodate/quote.bin",
     1750809600,
     {[SUPPLEMENT_TCB_INFO] = "collateral/tdx-b0c06f-2025-06/tcb_info.json",
      [SUPPLEMENT_QE_IDENTITY] = "collateral/tdx-b0c06f-2025-06/qe_identity.json",
      [SUPPLEMENT_TCB_SIGNING] = "roots/intel/sgx_tcb_signing_2025_2032.pem",
      [SUPPLEMENT_PCK_CRL] = "collateral/tdx-b0c06f-2025-06/pck_crl.der",
      [SUPPLEMENT_ROOT_CA_CRL] = "collateral/tdx-b0c06f-2025-06/root_ca_crl.der"},
     ""},
    {"tdx",
     "tdx/v4-50806f-debug/quote.bin",
     1687219200,
     {NULL},
     "tcb-status,revocation-asked,debug"},
};
enum { SEEN = sizeof all / sizeof *all };

static void load(const char *name, struct buffer *out)
{
    char path[256];
    snprintf(path, sizeof path, VECTORS "%s", name);
    FILE *f = fopen(path, "rb");
    if (!f) fail_msg("%s cannot be read", path);
    uint8_t *room = buffer_reserve(out, FILE_MOST);
    assert_non_null(room);
    out->len = fread(room, 1, FILE_MOST, f);
    fclose(f);
}

static void see(const struct seen *s)
{
    struct buffer report = {0}, parts[SUPPLEMENTS] = {{0}};
    struct judging j = {.at_ms = s->at_s * 1000};
    load(s->report, &report);
    j.report = buffer_span(&report);
    for (size_t i = 0; i < SUPPLEMENTS; i++)
        if (s->parts[i]) {
            load(s->parts[i], &parts[i]);
            j.supplements.part[i] = buffer_span(&parts[i]);
        }
    attest_examine(s->tee, &j, &verdict);
    if (!verdict.genuine) fail_msg("%s: %s", s->report, reason_name(verdict.reason));
    for (size_t i = 0; i < SUPPLEMENTS; i++)
        buffer_clear(&parts[i]);
    buffer_clear(&report);
}

static struct trust_policy *written(void)
{
    static const struct sign_public log = {{1, 2, 3}};
    BUFFER_CLEARED text = {0};
    struct policy_error e = {0};
    struct trust_policy *p = NULL;
    policy_write(&verdict, "apex.example/node", &log, &text);
    CHECK_OK(buffer_ok(&text));
    if (trust_policy_parse(buffer_span(&text), &p, &e) != APEX_OK)
        fail_msg("%zu, %s: %s\n%.*s", e.line, e.where, e.what, (int)text.len,
                 (const char *)text.data);
    return p;
}

static const char *refused_by(const struct trust_policy *p, uint64_t at_ms)
{
    static char names[512];
    verdict.n_checks = 0;
    verdict_hold_against(&verdict, p, at_ms);
    names[0] = 0;
    for (size_t i = 0, len = 0; i < verdict.n_checks; i++)
        if (verdict.checks[i].result == CHECK_FAIL)
            len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", len ? "," : "",
                                    verdict.checks[i].name);
    CHECK(verdict.acceptable == !names[0]);
    return names;
}

static void a_policy_accepts_what_it_was_written_from_but_never_debug(void **state)
{
    (void)state;
    for (size_t i = 0; i < SEEN; i++) {
        see(&all[i]);
        struct trust_policy *p = written();
        const char *by = refused_by(p, all[i].at_s * 1000);
        if (strcmp(by, all[i].refused) != 0)
            fail_msg("%s: refused by \"%s\"", all[i].report, by);
        trust_policy_free(p);
    }
}

static void a_policy_accepts_nothing_else_than_what_it_was_written_from(void **state)
{
    (void)state;
    for (size_t i = 0; i < SEEN; i++) {
        see(&all[i]);
        struct trust_policy *p = written();
        for (size_t k = 0; k < SEEN; k++) {
            if (k == i) continue;
            see(&all[k]);
            if (!refused_by(p, all[k].at_s * 1000)[0])
                fail_msg("%s: accepted by the policy of %s", all[k].report, all[i].report);
        }
        trust_policy_free(p);
    }
}

static void a_log_whose_name_needs_quoting_is_pinned_by_that_name(void **state)
{
    static const char name[] = "a\"b\\c\", \"key\": \"";
    static const struct sign_public log = {{1, 2, 3}};
    BUFFER_CLEARED text = {0};
    struct trust_policy *p = NULL;
    (void)state;
    see(&all[0]);
    policy_write(&verdict, name, &log, &text);
    CHECK_OK(trust_policy_parse(buffer_span(&text), &p, NULL));
    CHECK_OK(trust_policy_log(p, name, &log));
    trust_policy_free(p);
}

static void nothing_is_written_from_what_is_not_genuine(void **state)
{
    static const struct sign_public log;
    BUFFER_CLEARED text = {0};
    (void)state;
    verdict = (struct verdict){.tee = "sev-snp"};
    policy_write(&verdict, "o", &log, &text);
    CHECK(text.len == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policy_accepts_what_it_was_written_from_but_never_debug),
        cmocka_unit_test(a_policy_accepts_nothing_else_than_what_it_was_written_from),
        cmocka_unit_test(a_log_whose_name_needs_quoting_is_pinned_by_that_name),
        cmocka_unit_test(nothing_is_written_from_what_is_not_genuine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
