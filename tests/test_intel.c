/* Intel evidence under a root of our own (tests/vectors/intel.json, made by make_intel.py):
 * what no published evidence shows. And what a policy may ask of evidence that is genuine. */
#include "common/attest/accept.h"
#include "common/attest/attest.h"
#include "common/base/hex.h"
#include "tests/check.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static json_t *made;
static struct verdict verdict;
static struct roots roots;

static int setup(void **state)
{
    (void)state;
    made = json_load_file("tests/vectors/intel.json", JSON_REJECT_DUPLICATES, NULL);
    roots.der[ROOT_INTEL_SGX] = span_text(json_string_value(json_object_get(made, "root")));
    return made ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    json_decref(made);
    return 0;
}

static const char *text_at(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

static void blob_read(const json_t *name, struct buffer *out)
{
    const char *text = text_at(json_object_get(made, "blobs"), json_string_value(name));
    size_t len, room = strlen(text);
    uint8_t *at = buffer_reserve(out, room);
    assert_int_equal(sodium_base642bin(at, room, text, room, NULL, &len, NULL,
                                       sodium_base64_VARIANT_ORIGINAL),
                     0);
    out->len += len;
}

static uint64_t ms_of(const char *iso)
{
    struct tm t = {0};
    assert_non_null(strptime(iso, "%Y-%m-%dT%H:%M:%SZ", &t));
    return (uint64_t)timegm(&t) * 1000;
}

struct loaded {
    struct buffer quote, part[SUPPLEMENTS];
    struct judging judging;
};

static void case_load(const json_t *c, struct loaded *l)
{
    static const char *const names[SUPPLEMENTS] = {[SUPPLEMENT_TCB_INFO] = "tcb_info",
                                                   [SUPPLEMENT_QE_IDENTITY] = "qe_identity",
                                                   [SUPPLEMENT_TCB_SIGNING] = "tcb_signing",
                                                   [SUPPLEMENT_PCK_CRL] = "pck_crl",
                                                   [SUPPLEMENT_ROOT_CA_CRL] = "root_ca_crl"};
    size_t i;
    json_t *piece;
    *l = (struct loaded){.judging = {.roots = &roots, .at_ms = ms_of(text_at(c, "at"))}};
    json_array_foreach(json_object_get(c, "quote"), i, piece) blob_read(piece, &l->quote);
    l->judging.report = buffer_span(&l->quote);
    for (i = 0; i < SUPPLEMENTS; i++) {
        const json_t *name =
            names[i] ? json_object_get(json_object_get(c, "parts"), names[i]) : NULL;
        if (!name) continue;
        blob_read(name, &l->part[i]);
        l->judging.supplements.part[i] = buffer_span(&l->part[i]);
    }
}

static void case_clear(struct loaded *l)
{
    buffer_clear(&l->quote);
    for (size_t i = 0; i < SUPPLEMENTS; i++)
        buffer_clear(&l->part[i]);
}

static const json_t *case_named(const char *name)
{
    size_t i;
    json_t *c;
    json_array_foreach(json_object_get(made, "cases"), i,
                       c) if (strcmp(text_at(c, "name"), name) == 0) return c;
    fail_msg("no case %s", name);
    return NULL;
}

static const struct intel_claims *claims(void)
{
    const struct claims *c;
    CHECK_OK(verdict_claims(&verdict, &c));
    return &c->of.intel;
}

static void case_expect(const json_t *c)
{
    const char *status = text_at(c, "status");
    bool genuine = strcmp(text_at(c, "reason"), "none") == 0;
    const struct claims *nothing;
    if (verdict.genuine != genuine ||
        strcmp(reason_name(verdict.reason), text_at(c, "reason")) != 0)
        fail_msg("%s: %s, not %s", text_at(c, "name"), reason_name(verdict.reason),
                 text_at(c, "reason"));
    if (!genuine) {
        CHECK_STATUS(verdict_claims(&verdict, &nothing), APEX_E_UNTRUSTED);
        return;
    }
    assert_int_equal(claims()->has_tcb, status != NULL);
    if (status && strcmp(tcb_status_name(claims()->tcb.status), status) != 0)
        fail_msg("%s: %s, not %s", text_at(c, "name"), tcb_status_name(claims()->tcb.status),
                 status);
}

static void every_case_of_our_own_pki_gets_its_verdict(void **state)
{
    (void)state;
    size_t i, n = 0;
    json_t *c;
    json_array_foreach(json_object_get(made, "cases"), i, c)
    {
        struct loaded l;
        case_load(c, &l);
        attest_examine(text_at(c, "tee"), &l.judging, &verdict);
        case_expect(c);
        case_clear(&l);
        n++;
    }
    printf("# %zu cases of our own PKI\n", n);
    CHECK(n >= 70);
}

static void examine(const char *name, const struct roots *under)
{
    struct loaded l;
    const json_t *c = case_named(name);
    case_load(c, &l);
    l.judging.roots = under;
    attest_examine(text_at(c, "tee"), &l.judging, &verdict);
    case_clear(&l);
}

static void a_good_case_under_intels_own_root_is_untrusted(void **state)
{
    (void)state;
    examine("good", NULL);
    CHECK(!verdict.genuine && verdict.reason == REASON_ROOT_UNTRUSTED);
    examine("good-without-the-root-beside-it", NULL);
    CHECK(!verdict.genuine && verdict.reason == REASON_CHAIN_INVALID);
}

static void revocation_lists_can_be_made_a_must(void **state)
{
    (void)state;
    struct loaded l;
    case_load(case_named("good-without-revocation-lists"), &l);
    l.judging.revocation_required = true;
    attest_examine("tdx", &l.judging, &verdict);
    CHECK(!verdict.genuine && verdict.reason == REASON_COLLATERAL_MISSING);
    case_clear(&l);
}

static void a_quote_for_other_keys_is_not_genuine(void **state)
{
    (void)state;
    uint8_t bound[64];
    struct loaded l;
    for (size_t i = 0; i < 64; i++)
        bound[i] = (uint8_t)i;
    case_load(case_named("good"), &l);
    l.judging.report_data = SPAN(bound);
    attest_examine("tdx", &l.judging, &verdict);
    CHECK(verdict.genuine);
    bound[63] ^= 1;
    attest_examine("tdx", &l.judging, &verdict);
    CHECK(!verdict.genuine && verdict.reason == REASON_REPORT_DATA_MISMATCH);
    case_clear(&l);
}

static void advisories_come_with_the_levels_that_have_them(void **state)
{
    (void)state;
    examine("sw-hardening", &roots);
    assert_int_equal(claims()->tcb.n_advisories, 2);
    assert_string_equal(claims()->tcb.advisories[0], "INTEL-SA-00615");
    examine("module-old", &roots);
    assert_int_equal(claims()->tcb.n_advisories, 1);
    assert_string_equal(claims()->tcb.advisories[0], "INTEL-SA-01036");
    examine("qe-old", &roots);
    assert_int_equal(claims()->tcb.n_advisories, 1);
    assert_string_equal(claims()->tcb.advisories[0], "INTEL-SA-00477");
    examine("good", &roots);
    assert_int_equal(claims()->tcb.n_advisories, 0);
    assert_int_equal(claims()->tcb.evaluation, 17);
}

/* Every bit of the quote but those of its padding, and of each document, matters. */
static void a_flipped_bit_anywhere_is_refused(void **state)
{
    (void)state;
    struct loaded l;
    case_load(case_named("good"), &l);
    for (size_t bit = 0; bit < 8 * l.quote.len; bit += 101) {
        l.quote.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        attest_examine("tdx", &l.judging, &verdict);
        if (verdict.genuine) fail_msg("bit %zu of the quote", bit);
        l.quote.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t p = 0; p < SUPPLEMENTS; p++)
        for (size_t bit = 3; bit < 8 * l.part[p].len; bit += 211) {
            l.part[p].data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            attest_examine("tdx", &l.judging, &verdict);
            if (verdict.genuine) fail_msg("bit %zu of part %zu", bit, p);
            l.part[p].data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    case_clear(&l);
}

/* ---- the policy ---- */

/* A policy that names this measurement and, beside it, these rules. */
static apex_status policy_of(const char *tee, const char *measurement, const char *rules,
                             struct trust_policy **policy)
{
    char text[2048];
    snprintf(text, sizeof text,
             "{\"apex\": 1, \"accept\": [{\"tee\": \"%s\", \"measurements\": [\"%s\"], "
             "\"%s\": %s}]}",
             tee, measurement, tee, rules);
    return trust_policy_parse(span_text(text), policy, NULL);
}

/* The name of the first check of a policy that fails; NULL: it accepts. */
static const char *refused_by(const char *name, const char *rules)
{
    struct trust_policy *policy;
    char hex[2 * MEASUREMENT_MAX + 1];
    examine(name, &roots);
    CHECK(verdict.genuine);
    size_t before = verdict.n_checks;
    hex_write(span_of(verdict.measurement, verdict.measurement_len), hex);
    CHECK_OK(policy_of(verdict.tee, hex, rules, &policy));
    verdict_hold_against(&verdict, policy, ms_of("2025-06-25T00:00:00Z"));
    trust_policy_free(policy);
    for (size_t i = before; i < verdict.n_checks; i++)
        if (verdict.checks[i].result == CHECK_FAIL) {
            CHECK(!verdict.acceptable && verdict.checks[i].why == REASON_POLICY);
            return verdict.checks[i].name;
        }
    CHECK(verdict.acceptable);
    return NULL;
}

#define H48(b)                                                                                 \
    b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b  \
        b b b
#define H32(b) b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b

static void a_policy_accepts_and_refuses_what_it_says(void **state)
{
    (void)state;
    static const struct {
        const char *name, *rules, *by; /* NULL: accepted */
    } cases[] = {
        {"good", "{}", NULL},
        {"good-v5-td-1.5", "{}", NULL},
        {"sgx-v3", "{}", NULL},
        /* how current */
        {"no-collateral", "{\"revocation\": false}", "tcb-status"},
        {"good-without-revocation-lists", "{}", "revocation-asked"},
        {"good-without-revocation-lists", "{\"revocation\": false}", NULL},
        {"sw-hardening", "{}", "tcb-status"},
        {"sw-hardening", "{\"statuses\": [\"SWHardeningNeeded\"]}", "tcb-status"},
        {"sw-hardening",
         "{\"statuses\": [\"SWHardeningNeeded\"], \"advisories\": [\"INTEL-SA-00615\"]}",
         "tcb-status"},
        {"sw-hardening",
         "{\"statuses\": [\"SWHardeningNeeded\"], \"advisories\": [\"INTEL-SA-00615\", "
         "\"INTEL-SA-00657\"]}",
         NULL},
        {"sw-hardening",
         "{\"statuses\": [\"OutOfDate\"], \"advisories\": [\"INTEL-SA-00615\", "
         "\"INTEL-SA-00657\"]}",
         "tcb-status"},
        {"module-old", "{}", "tcb-status"},
        {"relaunch-advised", "{}", "tcb-status"},
        {"relaunch-advised",
         "{\"statuses\": [\"TDRelaunchAdvised\"], \"advisories\": [\"INTEL-SA-01036\"]}", NULL},
        {"sgx-old", "{}", "tcb-status"},
        {"good", "{\"minimum_evaluation\": 17}", NULL},
        {"good", "{\"minimum_evaluation\": 18}", "minimum-evaluation"},
        {"good", "{\"minimum_qe_svn\": 6, \"minimum_pce_svn\": 11}", NULL},
        {"good", "{\"minimum_qe_svn\": 7}", "minimum-qe-svn"},
        {"good", "{\"minimum_pce_svn\": 12}", "minimum-pce-svn"},
        /* what may be on */
        {"debug", "{}", "debug"},
        {"debug", "{\"allow\": [\"debug\"]}", NULL},
        {"debug", "{\"allow\": [\"migratable\", \"pks\"]}", "debug"},
        {"sgx-debug", "{}", "debug"},
        {"sgx-debug", "{\"allow\": [\"debug\"]}", NULL},
        {"sept-ve-not-disabled", "{}", "sept-ve-disable"},
        {"sept-ve-not-disabled", "{\"allow\": [\"no-sept-ve-disable\"]}", NULL},
        {"migratable", "{}", "migration"},
        {"migratable", "{\"allow\": [\"migratable\"]}", NULL},
        {"service-td", "{}", "service-td"},
        {"service-td", "{\"allow\": [\"service-td\"]}", NULL},
        {"protection-keys", "{}", "protection-keys"},
        {"protection-keys", "{\"allow\": [\"pks\"]}", NULL},
        {"key-locker", "{}", "key-locker"},
        {"key-locker", "{\"allow\": [\"kl\"]}", NULL},
        {"performance-counters", "{}", "performance-counters"},
        {"performance-counters", "{\"allow\": [\"perfmon\"]}", NULL},
        {"attribute-unknown", "{}", "td-attributes"},
        {"xfam-unknown", "{}", "td-attributes"},
        {"xfam-without-sse", "{}", "td-attributes"},
        /* registers */
        {"good", "{\"rtmr0\": [\"" H48("11") "\"]}", NULL},
        {"good", "{\"rtmr0\": [\"" H48("12") "\"]}", "rtmr0"},
        {"good", "{\"rtmr0\": [\"" H48("12") "\", \"" H48("11") "\"]}", NULL},
        {"good", "{\"rtmr1\": [\"" H48("12") "\"], \"rtmr2\": [\"" H48("13") "\"]}", NULL},
        {"good", "{\"rtmr2\": [\"" H48("12") "\"]}", "rtmr2"},
        {"good", "{\"rtmr3\": [\"" H48("00") "\"]}", NULL},
        {"good", "{\"rtmr3\": [\"" H48("01") "\"]}", "rtmr3"},
        {"good", "{\"mr_seam\": [\"" H48("5e") "\"]}", NULL},
        {"good", "{\"mr_seam\": [\"" H48("5f") "\"]}", "mr-seam"},
        {"good", "{\"mr_config_id\": [\"" H48("01") "\"]}", "mr-config-id"},
        {"good", "{\"mr_owner\": [\"" H48("01") "\"]}", "mr-owner"},
        {"good", "{\"mr_owner_config\": [\"" H48("01") "\"]}", "mr-owner-config"},
        {"good",
         "{\"minimum_tee_tcb_svn\": \"030304"
         "00000000000000000000000000\"}",
         NULL},
        {"good",
         "{\"minimum_tee_tcb_svn\": \"030305"
         "00000000000000000000000000\"}",
         "minimum-tee-tcb-svn"},
        /* SGX */
        {"sgx-v3",
         "{\"mr_signer\": [\"" H32("51") "\"], \"isv_prod_id\": 7, "
                                         "\"minimum_isv_svn\": 3}",
         NULL},
        {"sgx-v3", "{\"mr_signer\": [\"" H32("52") "\"]}", "mr-signer"},
        {"sgx-v3", "{\"isv_prod_id\": 0}", "isv-prod-id"},
        {"sgx-v3", "{\"minimum_isv_svn\": 4}", "minimum-isv-svn"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *by = refused_by(cases[i].name, cases[i].rules);
        if ((by == NULL) != (cases[i].by == NULL) || (by && strcmp(by, cases[i].by) != 0))
            fail_msg("%s under %.60s: %s, not %s", cases[i].name, cases[i].rules,
                     by ? by : "accepted", cases[i].by ? cases[i].by : "accepted");
    }
}

static void rules_that_cannot_be_meant_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        bool is_tdx;
    } cases[] = {
        {"{\"statuses\": [\"Revoked\"]}", true},
        {"{\"statuses\": [\"NotSupported\"]}", true},
        {"{\"statuses\": [\"outofdate\"]}", true},
        {"{\"advisories\": [\"CVE-2024-1\"]}", true},
        {"{\"allow\": [\"everything\"]}", true},
        {"{\"rtmr0\": []}", true},
        {"{\"rtmr0\": [\"" H32("11") "\"]}", true},
        {"{\"rtmr0\": [\"" H48("AA") "\"]}", true},
        {"{\"minimum_qe_svn\": 65536}", true},
        {"{\"minimum_qe_svn\": -1}", true},
        {"{\"mr_signer\": [\"" H32("11") "\"]}", true},
        {"{\"rtmr0\": [\"" H48("11") "\"]}", false},
        {"{\"mr_signer\": [\"" H48("11") "\"]}", false},
        {"{\"revocation\": 0}", false},
        {"{\"colour\": 1}", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trust_policy *policy;
        if (policy_of(cases[i].is_tdx ? "tdx" : "sgx",
                      cases[i].is_tdx ? H48("00") H48("00") H48("00") : H32("00"),
                      cases[i].json, &policy) != APEX_E_FORMAT)
            fail_msg("%s", cases[i].json);
    }
}

/* The kernel, the initrd and the command line stand in RTMR1 and RTMR2, not in MRTD. */
static void another_kernel_behind_the_same_firmware_is_another_measurement(void **state)
{
    (void)state;
    struct trust_policy *policy;
    char hex[2 * MEASUREMENT_MAX + 1];
    examine("good", &roots);
    CHECK(verdict.genuine && memcmp(verdict.measurement, claims()->td.mr_td, 48) == 0 &&
          memcmp(verdict.measurement + 48, claims()->td.rtmr[1], 96) == 0);
    for (size_t at = 0; at < 144; at++) {
        verdict.measurement[at] ^= 1;
        hex_write(span_of(verdict.measurement, verdict.measurement_len), hex);
        verdict.measurement[at] ^= 1;
        CHECK_OK(policy_of("tdx", hex, "{}", &policy));
        verdict_hold_against(&verdict, policy, ms_of("2025-06-25T00:00:00Z"));
        CHECK(!verdict.acceptable && verdict.reason == REASON_POLICY);
        trust_policy_free(policy);
        examine("good", &roots);
    }
    CHECK_STATUS(policy_of("tdx", H48("11"), "{}", &policy), APEX_E_FORMAT); /* MRTD alone */
    CHECK_STATUS(policy_of("sgx", H48("11") H48("11") H48("11"), "{}", &policy), APEX_E_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_of_our_own_pki_gets_its_verdict),
        cmocka_unit_test(a_good_case_under_intels_own_root_is_untrusted),
        cmocka_unit_test(revocation_lists_can_be_made_a_must),
        cmocka_unit_test(a_quote_for_other_keys_is_not_genuine),
        cmocka_unit_test(advisories_come_with_the_levels_that_have_them),
        cmocka_unit_test(a_flipped_bit_anywhere_is_refused),
        cmocka_unit_test(a_policy_accepts_and_refuses_what_it_says),
        cmocka_unit_test(rules_that_cannot_be_meant_are_refused),
        cmocka_unit_test(another_kernel_behind_the_same_firmware_is_another_measurement),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
