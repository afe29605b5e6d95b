/* Verdicts on simulated evidence, and trust policies. */
#include "common/attest/attest.h"
#include "common/attest/evidence.h"
#include "common/attest/signer.h"
#include "common/base/hex.h"
#include "common/crypto/hash.h"
#include "common/crypto/random.h"
#include "common/wire/cbor.h"
#include "tests/check.h"

#include <stdlib.h>

#define H8 "0123abcd"
#define H32 H8 H8 H8 H8
#define H64 H32 H32
#define H288 H64 H64 H64 H64 H32

static const uint64_t now_ms = UINT64_C(1900000000000);
static uint8_t measurement[32];
static struct enclave_keys keys;
static struct verdict verdict;

static int setup(void **state)
{
    (void)state;
    if (crypto_init() != APEX_OK) return -1;
    memset(&keys.identity, 1, 32);
    memset(&keys.identity_seal, 2, 32);
    memset(&keys.chain, 4, sizeof keys.chain);
    memset(&keys.log, 3, 32);
    return hex_parse(SPAN_TEXT(H64), measurement, 32) == APEX_OK ? 0 : -1;
}

static struct trust_policy *policy_of(const char *json)
{
    struct trust_policy *p = NULL;
    struct policy_error e;
    if (trust_policy_parse(span_text(json), &p, &e) != APEX_OK)
        fail_msg("%zu:%zu %s: %s", e.line, e.column, e.where, e.what);
    return p;
}

static void evidence_at(uint64_t time_ms, struct buffer *out)
{
    BUFFER_CLEARED report = {0};
    uint8_t data[REPORT_DATA_LEN];
    attest_report_data(&keys, data);
    sim_report_write(measurement, data, time_ms, &report);
    evidence_write("sim", buffer_span(&report), (struct span){0}, out);
    CHECK_OK(buffer_ok(out));
    CHECK_OK(cbor_check(buffer_span(out)));
    CHECK_OK(cbor_check(buffer_span(&report)));
}

static const struct check *check_named(const char *name)
{
    for (size_t i = 0; i < verdict.n_checks; i++)
        if (strcmp(verdict.checks[i].name, name) == 0) return &verdict.checks[i];
    return NULL;
}

static bool failed(const char *name)
{
    const struct check *c = check_named(name);
    return c && c->result == CHECK_FAIL;
}

static size_t n_failed(void)
{
    size_t n = 0;
    for (size_t i = 0; i < verdict.n_checks; i++)
        n += verdict.checks[i].result == CHECK_FAIL;
    return n;
}

/* Judges fresh evidence by a policy; an enclave is made only on APEX_OK. */
static apex_status judged_at(const char *json, uint64_t time_ms)
{
    BUFFER_CLEARED evidence = {0};
    struct trust_policy *p = json ? policy_of(json) : NULL;
    struct verified_enclave *enclave;
    evidence_at(time_ms, &evidence);
    apex_status s = attest_verify(buffer_span(&evidence), &keys, p, now_ms, &verdict, &enclave);
    CHECK((enclave != NULL) == (s == APEX_OK));
    if (enclave) {
        CHECK(verified_enclave_simulated(enclave));
        assert_memory_equal(verified_enclave_keys(enclave), &keys, sizeof keys);
    }
    CHECK(attest_verify(buffer_span(&evidence), &keys, p, now_ms, &verdict, NULL) == s);
    verified_enclave_free(enclave);
    trust_policy_free(p);
    return s;
}

#define ACCEPTS(list) "{\"apex\": 1, \"accept\": [" list "]}"
#define SIM(hex, more) "{\"tee\": \"sim\", \"measurements\": [\"" hex "\"]" more "}"

static void evidence_that_the_policy_names_is_accepted_and_called_simulated(void **state)
{
    (void)state;
    CHECK_OK(judged_at(ACCEPTS(SIM(H64, "")), now_ms));
    CHECK(verdict.simulated && verdict.genuine && verdict.acceptable &&
          verdict.time_ms == now_ms && n_failed() == 0);
    CHECK(verdict.measurement_len == 32 && memcmp(verdict.measurement, measurement, 32) == 0);
    assert_string_equal(verdict.tee, "sim");
    assert_non_null(strstr(verdict.sentence, "SIMULATED"));
    assert_non_null(strstr(verdict.sentence, "your policy accepts it"));
    CHECK(check_named("hardware")->result == CHECK_NOT_ASKED);
}

static void without_a_policy_nothing_is_acceptable_but_it_is_judged(void **state)
{
    (void)state;
    CHECK_STATUS(judged_at(NULL, now_ms), APEX_E_UNTRUSTED);
    CHECK(verdict.simulated && verdict.genuine && !verdict.acceptable && n_failed() == 0);
    assert_non_null(strstr(verdict.sentence, "no policy"));
}

static void each_thing_a_policy_asks_for_is_asked(void **state)
{
    (void)state;
    static const struct {
        const char *policy;
        int64_t age_ms;
        const char *fails; /* the one check that does; NULL: accepted */
    } cases[] = {
        {ACCEPTS(SIM(H64, "")), 0, NULL},
        {ACCEPTS("{\"tee\": \"tdx\", \"measurements\": [\"" H288 "\"]}, " SIM(H64, "")), 0,
         NULL},
        {ACCEPTS(SIM("ff" H32 H8 H8 H8 "abcdef", "") ", " SIM(H64, "")), 0, NULL},
        {ACCEPTS(SIM("ff" H32 H8 H8 H8 "abcdef", "")), 0, "measurement"},
        {ACCEPTS(SIM(H64 H32, "")), 0, "measurement"}, /* longer, but begins alike */
        {"{\"apex\": 1, \"distrust\": [\"sim\"], \"accept\": [" SIM(H64, "") "]}", 0,
         "not-distrusted"},
        {"{\"apex\": 1, \"distrust\": [\"sgx\", \"si\", \"sim2\"], \"accept\": [" SIM(H64,
                                                                                      "") "]}",
         0, NULL},
        {ACCEPTS(SIM(H64, "")), INT64_C(1000) * 86400 * 1000, NULL}, /* no age asked: any */
        {ACCEPTS(SIM(H64, ", \"maximum_age_s\": 60")), 60999, NULL},
        {ACCEPTS(SIM(H64, ", \"maximum_age_s\": 60")), 61000, "age"},
        {ACCEPTS(SIM(H64, "")), -5 * 60000, NULL},
        {ACCEPTS(SIM(H64, "")), -5 * 60000 - 1, "age"}, /* from the future */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        apex_status s = judged_at(cases[i].policy, now_ms - (uint64_t)cases[i].age_ms);
        bool right = cases[i].fails ? s == APEX_E_UNTRUSTED && n_failed() == 1 &&
                                          failed(cases[i].fails) && !verdict.acceptable
                                    : s == APEX_OK && n_failed() == 0 && verdict.acceptable;
        if (!right) fail_msg("case %zu: %d, %zu checks failed", i, s, n_failed());
        CHECK(verdict.genuine);
    }
}

static void a_policy_that_does_not_name_sim_never_accepts_it(void **state)
{
    (void)state;
    static const char *const policies[] = {
        ACCEPTS(""), ACCEPTS("{\"tee\": \"sev-snp\", \"measurements\": [\"" H64 "\"]}"),
        ACCEPTS("{\"tee\": \"tdx\", \"measurements\": [\"" H288
                "\"]}, {\"tee\": \"nitro\", \"measurements\": [\"" H64 "\"]}")};
    for (size_t i = 0; i < 3; i++) {
        CHECK_STATUS(judged_at(policies[i], now_ms), APEX_E_UNTRUSTED);
        CHECK(verdict.genuine && !verdict.acceptable && failed("tee-accepted") &&
              failed("measurement"));
        assert_non_null(strstr(verdict.sentence, "does not accept"));
    }
}

static void evidence_for_other_keys_is_not_genuine(void **state)
{
    (void)state;
    BUFFER_CLEARED evidence = {0};
    struct trust_policy *p = policy_of(ACCEPTS(SIM(H64, "")));
    evidence_at(now_ms, &evidence);
    for (size_t bit = 0; bit < 8 * sizeof keys; bit++) {
        struct enclave_keys other = keys;
        struct verified_enclave *enclave;
        ((uint8_t *)&other)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK_STATUS(
            attest_verify(buffer_span(&evidence), &other, p, now_ms, &verdict, &enclave),
            APEX_E_UNTRUSTED);
        CHECK(enclave == NULL && !verdict.genuine && !verdict.acceptable &&
              failed("keys-bound"));
    }
    trust_policy_free(p);
}

/* All but the time is bound: the time's eight bytes end the report, before the supplements'
 * three. */
static void evidence_with_any_flipped_bit_is_refused(void **state)
{
    (void)state;
    BUFFER_CLEARED evidence = {0};
    struct trust_policy *p = policy_of(ACCEPTS(SIM(H64, ", \"maximum_age_s\": 60")));
    evidence_at(now_ms, &evidence);
    size_t time_end = evidence.len - 2, accepted = 0;
    for (size_t bit = 0; bit < 8 * evidence.len; bit++) {
        evidence.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        apex_status s = attest_verify(buffer_span(&evidence), &keys, p, now_ms, &verdict, NULL);
        bool of_time = bit / 8 >= time_end - 8 && bit / 8 < time_end;
        if (s == APEX_OK && (!of_time || verdict.time_ms == now_ms)) fail_msg("bit %zu", bit);
        CHECK(s == APEX_OK || s == APEX_E_UNTRUSTED);
        accepted += s == APEX_OK;
        evidence.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CHECK(accepted > 0 && accepted < 24); /* some seconds more or less */
    trust_policy_free(p);
}

static void evidence_cut_short_or_followed_by_more_is_refused(void **state)
{
    (void)state;
    BUFFER_CLEARED evidence = {0};
    struct evidence e;
    struct sim_report r;
    evidence_at(now_ms, &evidence);
    for (size_t len = 0; len < evidence.len; len++)
        CHECK_STATUS(evidence_parse(span_of(evidence.data, len), &e), APEX_E_FORMAT);
    CHECK_OK(evidence_parse(buffer_span(&evidence), &e));
    CHECK(span_equal(e.tee, SPAN_TEXT("sim")) && e.supplements.len == 0);
    for (size_t len = 0; len < e.report.len; len++)
        CHECK_STATUS(sim_report_parse(span_of(e.report.data, len), &r), APEX_E_FORMAT);
    CHECK_OK(sim_report_parse(e.report, &r));
    CHECK(r.time_ms == now_ms);
    CHECK_STATUS(sim_report_parse(span_of(e.report.data, e.report.len + 1), &r), APEX_E_FORMAT);
    buffer_u8(&evidence, 0);
    CHECK_STATUS(evidence_parse(buffer_span(&evidence), &e), APEX_E_FORMAT);
}

static void evidence_of_an_unknown_kind_or_with_certificates_is_not_judged_genuine(void **state)
{
    (void)state;
    static const struct {
        const char *tee, *supplements, *fails;
    } cases[] = {{"sev-snp", "", "report-form"},
                 {"snp", "", "tee-known"},
                 {"sim", "x", "supplements-form"},
                 {"sim", "\xa1\x01\x41x", "no-supplements"},
                 {"", "", "tee-known"},
                 {"sim2", "", "tee-known"},
                 {"a-name-longer-than-a-verdict-holds", "", "tee-known"}};
    struct trust_policy *p = policy_of(ACCEPTS(SIM(H64, "")));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        BUFFER_CLEARED report = {0}, evidence = {0};
        uint8_t data[REPORT_DATA_LEN];
        attest_report_data(&keys, data);
        sim_report_write(measurement, data, now_ms, &report);
        evidence_write(cases[i].tee, buffer_span(&report), span_text(cases[i].supplements),
                       &evidence);
        CHECK_STATUS(attest_verify(buffer_span(&evidence), &keys, p, now_ms, &verdict, NULL),
                     APEX_E_UNTRUSTED);
        CHECK(!verdict.genuine && !verdict.acceptable && failed(cases[i].fails));
    }
    trust_policy_free(p);
}

static void evidence_longer_than_its_bound_is_refused(void **state)
{
    (void)state;
    static uint8_t big[EVIDENCE_MAX];
    BUFFER_CLEARED evidence = {0};
    struct evidence e;
    evidence_write("sim", SPAN(big), (struct span){0}, &evidence);
    CHECK_STATUS(evidence_parse(buffer_span(&evidence), &e), APEX_E_LIMIT);
    CHECK_STATUS(attest_verify(buffer_span(&evidence), &keys, NULL, now_ms, &verdict, NULL),
                 APEX_E_UNTRUSTED);
    CHECK(failed("envelope-form"));
}

static void report_data_is_the_hash_of_name_and_keys(void **state)
{
    (void)state;
    BUFFER_CLEARED bytes = {0};
    uint8_t want[SHA512_LEN], got[REPORT_DATA_LEN];
    buffer_text(&bytes, "apex/enclave/v2");
    buffer_append(&bytes, SPAN(keys.identity.bytes));
    buffer_append(&bytes, SPAN(keys.identity_seal.bytes));
    buffer_append(&bytes, SPAN(keys.log.bytes));
    buffer_append(&bytes, SPAN(keys.chain.bytes));
    sha512(buffer_span(&bytes), want);
    attest_report_data(&keys, got);
    assert_memory_equal(want, got, sizeof got);
}

static void a_policy_tells_where_it_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *json, *where, *what;
        size_t line;
    } cases[] = {
        {"", "", "JSON", 1},
        {"[]", "", "object", 1},
        {"{\"accept\": []}", "apex", "missing", 1},
        {"{\"apex\": 1}", "accept", "missing", 1},
        {"{\"apex\": 2, \"accept\": []}", "apex", "version 1", 1},
        {"{\"apex\": 1, \"accept\": [],\n \"colour\": 1}", "colour", "not known", 2},
        {"{\"apex\": 1, \"accept\": [],\n\n \"accept\": []}", "accept", "twice", 3},
        {"{\"apex\": 1, \"accept\": {}}", "accept", "array", 1},
        {ACCEPTS("{\"tee\": \"sim\"}"), "accept[0]", "name measurements", 1},
        {ACCEPTS("{\"tee\": \"sev-snp\", \"measurements\": [\"" H64 "\"], "
                 "\"maximum_age_s\": 60}"),
         "accept[0]", "carry no time", 1},
        {ACCEPTS("{\"tee\": \"sev-snp\", \"measurements\": [\"" H64 "\"], \"tdx\": {}}"),
         "accept[0]", "named like the tee", 1},
        {ACCEPTS("{\"measurements\": [\"" H64 "\"]}"), "accept[0].tee", "missing", 1},
        {ACCEPTS("{\"tee\": \"any\", \"measurements\": [\"" H64 "\"]}"), "accept[0].tee",
         "one of", 1},
        {ACCEPTS("{\"tee\": \"sim\", \"measurements\": []}"), "accept[0].measurements",
         "too few", 1},
        {ACCEPTS(SIM(H64, "") ",\n" SIM(H32, "")), "accept[1].measurements[0]", "hex", 2},
        {ACCEPTS(SIM("0123ABCD" H32 H8 H8 H8, "")), "accept[0].measurements[0]", "hex", 1},
        {ACCEPTS(SIM(H64 "0", "")), "accept[0].measurements[0]", "hex", 1},
        {ACCEPTS(SIM(H64, ", \"maximum_age_s\": -1")), "accept[0].maximum_age_s", "in range",
         1},
        {ACCEPTS(SIM(H64, ", \"maximum_age_s\": 1.5")), "accept[0].maximum_age_s", "in range",
         1},
        {ACCEPTS(SIM(H64, ", \"maximum\": 1")), "accept[0].maximum", "not known", 1},
        {ACCEPTS(SIM(H64, ", \"tee\": \"sim\"")), "accept[0].tee", "twice", 1},
        {"{\"apex\": 1, \"accept\": [], \"distrust\": [\"SGX\"]}", "distrust[0]", "lower-case",
         1},
        {"{\"apex\": 1, \"accept\": [], \"auditors\": [\"" H32 "\"]}", "auditors[0]", "Ed25519",
         1},
        {"{\"apex\": 1, \"accept\": [], \"high_value\": [{\"contract\": \"apex1\", "
         "\"families\": 1}]}",
         "high_value[0].families", "from 2 to 4", 1},
        {"{\"apex\": 1, \"accept\": [], \"high_value\": [{\"contract\": \"apex1\"}]}",
         "high_value[0].families", "missing", 1},
        {"{\"apex\": 1, \"accept\": [], \"log\": {\"origin\": \"o\"}}", "log.key", "missing",
         1},
        {"{\"apex\": 1, \"accept\": [], \"log\": {\"origin\": \"o\", \"key\": \"" H32 "\"}}",
         "log.key", "hex", 1},
        {"{\"apex\": 1, \"accept\": [], \"log\": {\"key\": \"" H64 "\"}}", "log.origin",
         "missing", 1},
        {"{\"apex\": 1, \"accept\": [], \"logs\": []}", "logs", "too few", 1},
        {"{\"apex\": 1, \"accept\": []} {}", "", "JSON", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trust_policy *p = NULL;
        struct policy_error e = {0};
        apex_status s = trust_policy_parse(span_text(cases[i].json), &p, &e);
        if (s == APEX_OK) trust_policy_free(p);
        if (s != APEX_E_FORMAT || strcmp(e.where, cases[i].where) != 0 ||
            !strstr(e.what, cases[i].what) || e.line != cases[i].line)
            fail_msg("case %zu: %d, %zu:%zu %s: %s", i, s, e.line, e.column, e.where,
                     e.what ? e.what : "");
        CHECK_STATUS(trust_policy_parse(span_text(cases[i].json), &p, NULL), APEX_E_FORMAT);
    }
}

static void policy_arrays_are_bounded(void **state)
{
    (void)state;
    static const struct {
        const char *head, *item, *tail;
        size_t max;
    } cases[] = {{"{\"apex\": 1, \"accept\": [", SIM(H64, ""), "]}", 16},
                 {"{\"apex\": 1, \"accept\": [{\"tee\": \"sim\", \"measurements\": [",
                  "\"" H64 "\"", "]}]}", 32},
                 {"{\"apex\": 1, \"accept\": [], \"distrust\": [", "\"x\"", "]}", 16}};
    for (size_t i = 0; i < 3; i++)
        for (size_t n = cases[i].max; n <= cases[i].max + 1; n++) {
            BUFFER_CLEARED text = {0};
            struct trust_policy *p;
            buffer_text(&text, cases[i].head);
            for (size_t k = 0; k < n; k++) {
                buffer_text(&text, k ? "," : "");
                buffer_text(&text, cases[i].item);
            }
            buffer_text(&text, cases[i].tail);
            apex_status s = trust_policy_parse(buffer_span(&text), &p, NULL);
            CHECK_STATUS(s, n <= cases[i].max ? APEX_OK : APEX_E_FORMAT);
            if (s == APEX_OK) trust_policy_free(p);
        }
}

static void a_pinned_log_is_taken_and_no_other(void **state)
{
    (void)state;
    static const char *const pins[] = {"\"log\": {\"origin\": \"a\", \"key\": \"" H64 "\"}",
                                       "\"logs\": [{\"origin\": \"b\", \"key\": \"" H64
                                       "\"}, {\"origin\": \"a\", \"key\": \"" H64 "\"}]",
                                       "\"log\": {\"origin\": \"b\", \"key\": \"" H64
                                       "\"}, \"logs\": [{\"origin\": \"a\", \"key\": \"" H64
                                       "\"}]"};
    struct sign_public key, other;
    memcpy(key.bytes, measurement, 32); /* the same digits */
    other = key;
    other.bytes[31] ^= 1;
    for (size_t i = 0; i < 3; i++) {
        char text[600];
        snprintf(text, sizeof text, "{\"apex\": 1, \"accept\": [], %s}", pins[i]);
        struct trust_policy *p = policy_of(text);
        CHECK_OK(trust_policy_log(p, "a", &key));
        CHECK_STATUS(trust_policy_log(p, "a", &other), APEX_E_UNTRUSTED);
        CHECK_STATUS(trust_policy_log(p, "c", &key), APEX_E_UNTRUSTED);
        CHECK_STATUS(trust_policy_log(p, "b", &key), i == 0 ? APEX_E_UNTRUSTED : APEX_OK);
        trust_policy_free(p);
    }
    struct trust_policy *p = policy_of(ACCEPTS(""));
    CHECK_STATUS(trust_policy_log(p, "a", &key), APEX_E_NOT_FOUND);
    trust_policy_free(p);
}

static void a_cose_object_with_any_flipped_bit_or_another_purpose_is_refused(void **state)
{
    (void)state;
    BUFFER_CLEARED object = {0};
    struct sign_public public_key;
    struct sign_secret secret;
    struct cose cose;
    sign_new(&public_key, &secret);
    CHECK_OK(cose_sign(&secret, SPAN_TEXT("apex/act/v1"), SPAN_TEXT("payload"), &object));
    CHECK_OK(cbor_check(buffer_span(&object)));
    CHECK_OK(cose_open(buffer_span(&object), SPAN_TEXT("apex/act/v1"), &cose));
    CHECK(span_equal(cose.payload, SPAN_TEXT("payload")));
    assert_memory_equal(cose.kid, public_key.bytes, 32);
    CHECK_STATUS(cose_open(buffer_span(&object), SPAN_TEXT("apex/entry/v1"), &cose),
                 APEX_E_UNTRUSTED);
    CHECK_STATUS(cose_open(buffer_span(&object), (struct span){0}, &cose), APEX_E_UNTRUSTED);
    for (size_t bit = 0; bit < 8 * object.len; bit++) {
        object.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        apex_status s = cose_open(buffer_span(&object), SPAN_TEXT("apex/act/v1"), &cose);
        CHECK(s == APEX_E_UNTRUSTED || s == APEX_E_FORMAT);
        object.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t len = 0; len < object.len; len++)
        CHECK_STATUS(cose_open(span_of(object.data, len), SPAN_TEXT("apex/act/v1"), &cose),
                     APEX_E_FORMAT);
    buffer_u8(&object, 0);
    CHECK_STATUS(cose_open(buffer_span(&object), SPAN_TEXT("apex/act/v1"), &cose),
                 APEX_E_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evidence_that_the_policy_names_is_accepted_and_called_simulated),
        cmocka_unit_test(without_a_policy_nothing_is_acceptable_but_it_is_judged),
        cmocka_unit_test(each_thing_a_policy_asks_for_is_asked),
        cmocka_unit_test(a_policy_that_does_not_name_sim_never_accepts_it),
        cmocka_unit_test(evidence_for_other_keys_is_not_genuine),
        cmocka_unit_test(evidence_with_any_flipped_bit_is_refused),
        cmocka_unit_test(evidence_cut_short_or_followed_by_more_is_refused),
        cmocka_unit_test(
            evidence_of_an_unknown_kind_or_with_certificates_is_not_judged_genuine),
        cmocka_unit_test(evidence_longer_than_its_bound_is_refused),
        cmocka_unit_test(report_data_is_the_hash_of_name_and_keys),
        cmocka_unit_test(a_policy_tells_where_it_is_wrong),
        cmocka_unit_test(policy_arrays_are_bounded),
        cmocka_unit_test(a_pinned_log_is_taken_and_no_other),
        cmocka_unit_test(a_cose_object_with_any_flipped_bit_or_another_purpose_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
