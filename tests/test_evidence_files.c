/* `apex trust check --evidence`, as a library call: files of published evidence, told apart by
 * their form, with what belongs to them beside them. */
#include "include/apex/apex.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define V "../shared/vectors/attestation/"
#define OLD V "tdx/v4-00a06d08-module3/quote.bin"
#define OLD_MRTD                                                                               \
    "21e8dead92d6c69d7cbba79816686c03a48485c7df0c11f6f04792d5e1d378f6b8c46615ba6946adccac6bec" \
    "ffbb1e88"
#define OLD_POLICY(rules)                                                                      \
    "{\"apex\": 1, \"accept\": [{\"tee\": \"tdx\", \"measurements\": [\"" OLD_MRTD "\"]" rules \
    "}]}"

static char folder[] = "/tmp/apex-evidence-XXXXXX";
static struct apex_home *home;
static struct apex_verdict v;
static struct apex_error e;
static const char *const old_parts[] = {V "collateral/tdx-00a06d08-2025-11",
                                        "tcb_signing=" V
                                        "roots/intel/sgx_tcb_signing_2025_2032.pem"};

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) return -1;
    return apex_home_open(folder, &home, &e) == APEX_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    apex_home_close(home);
    return rmdir(folder);
}

static apex_status check(const char *evidence, const char *at, const char *policy)
{
    struct apex_evidence_files f = {
        .evidence = evidence, .with = old_parts, .n_with = 2, .at = at, .policy = policy};
    return apex_evidence_check(home, &f, &v, &e);
}

static const struct apex_check *named(const char *name)
{
    for (size_t i = 0; i < v.n_checks; i++)
        if (strcmp(v.checks[i].name, name) == 0) return &v.checks[i];
    fail_msg("no check %s", name);
    return NULL;
}

static void an_old_tdx_machine_is_genuine_and_refused_in_plain_words(void **state)
{
    (void)state;
    CHECK_STATUS(check(OLD, "2025-11-01T00:00:00Z", OLD_POLICY("")), APEX_E_UNTRUSTED);
    CHECK(v.genuine && !v.acceptable);
    assert_string_equal(v.measurement, OLD_MRTD);
    assert_string_equal(named("tcb-status")->detail,
                        "OutOfDate (a level of 2018-01-04): microcode or firmware is old, the "
                        "operator must update it");
    CHECK(strstr(v.sentence, "genuine") && strstr(v.sentence, "the operator must update it"));
    CHECK_OK(check(OLD, "2025-11-01T00:00:00Z",
                   OLD_POLICY(", \"tdx\": {\"statuses\": [\"OutOfDate\"]}")));
    CHECK(v.genuine && v.acceptable);
}

static void time_decides(void **state)
{
    (void)state;
    CHECK_STATUS(check(OLD, "2026-11-01T00:00:00Z", OLD_POLICY("")), APEX_E_UNTRUSTED);
    CHECK(!v.genuine && strstr(v.sentence, "out of date") && v.measurement[0] == 0);
    CHECK_STATUS(check(OLD, "2024-11-01T00:00:00Z", OLD_POLICY("")), APEX_E_UNTRUSTED);
    CHECK(!v.genuine);
}

static void without_a_policy_it_is_judged_but_not_accepted(void **state)
{
    (void)state;
    CHECK_STATUS(check(OLD, "2025-11-01T00:00:00Z", NULL), APEX_E_UNTRUSTED);
    CHECK(v.genuine && !v.acceptable && strstr(v.sentence, "no policy was given"));
}

static void evidence_is_told_by_its_form(void **state)
{
    (void)state;
    static const struct {
        const char *file, *tee;
    } cases[] = {{OLD, "tdx"},
                 {V "tdx/v5-90c06f-uptodate/quote.bin", "tdx"},
                 {V "sgx/sgx-v3-00606a-oasis/quote.bin", "sgx"},
                 {V "snp/turin-v5-microsoft/report.bin", "sev-snp"},
                 {V "nitro/evervault-nonce/document.cbor", "nitro"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct apex_evidence_files f = {.evidence = cases[i].file,
                                        .at = "2026-02-25T00:00:00Z"};
        CHECK_STATUS(apex_evidence_check(home, &f, &v, &e), APEX_E_UNTRUSTED);
        assert_string_equal(v.tee, cases[i].tee);
        CHECK(v.n_checks > 1);
    }
}

static void what_cannot_be_judged_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *evidence, *with, *at, *policy;
        apex_status want;
    } cases[] = {
        {"/nowhere", NULL, NULL, NULL, APEX_E_NOT_FOUND},
        {"meson.build", NULL, NULL, NULL, APEX_E_FORMAT},
        {OLD, "x=y", NULL, NULL, APEX_E_USAGE},
        {OLD, "pck_crl=/nowhere", NULL, NULL, APEX_E_NOT_FOUND},
        {OLD, "tests", NULL, NULL, APEX_E_NOT_FOUND}, /* a folder without such files */
        {OLD, NULL, "yesterday", NULL, APEX_E_USAGE},
        {OLD, NULL, "2025-11-01", NULL, APEX_E_USAGE},
        {OLD, NULL, NULL, "{}", APEX_E_FORMAT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct apex_evidence_files f = {.evidence = cases[i].evidence,
                                        .with = &cases[i].with,
                                        .n_with = cases[i].with ? 1 : 0,
                                        .at = cases[i].at,
                                        .policy = cases[i].policy};
        apex_status s = apex_evidence_check(home, &f, &v, &e);
        if (s != cases[i].want || v.n_checks != 0 || !e.what[0] || !e.next[0])
            fail_msg("case %zu: %d: %s", i, s, e.what);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_old_tdx_machine_is_genuine_and_refused_in_plain_words),
        cmocka_unit_test(time_decides),
        cmocka_unit_test(without_a_policy_it_is_judged_but_not_accepted),
        cmocka_unit_test(evidence_is_told_by_its_form),
        cmocka_unit_test(what_cannot_be_judged_is_said),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
