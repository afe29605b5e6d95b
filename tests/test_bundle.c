/* Bundles: what an auditor signs for sites without a network, and what a policy makes of it. */
#include "common/attest/bundle.h"
#include "common/attest/evidence.h"
#include "common/attest/policy.h"
#include "common/base/hex.h"
#include "common/crypto/random.h"
#include "tests/amd_world.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct sign_public auditor;
static struct sign_secret secret;
static struct verdict verdict;
static uint64_t now_ms;

static int setup(void **state)
{
    (void)state;
    if (crypto_init() != APEX_OK) return -1;
    now_ms = (uint64_t)time(NULL) * 1000;
    sign_new(&auditor, &secret);
    return 0;
}

static const uint8_t measured[32] = {7, 7, 7}, other[48] = {1};

static struct bundle *made(void)
{
    struct bundle *b = calloc(1, sizeof *b);
    assert_non_null(b);
    b->issued_ms = now_ms - 1000;
    b->expires_ms = now_ms + 86400000;
    b->n_measurements = 2;
    b->measurements[0] = (struct audited){SPAN_TEXT("sev-snp"), SPAN(other), SPAN_TEXT("x")};
    b->measurements[1] =
        (struct audited){SPAN_TEXT("sim"), SPAN(measured), SPAN_TEXT("apex 0.1.0, demo")};
    b->n_sets = 1;
    b->sets[0].part[SUPPLEMENT_AMD_CRL] = SPAN_TEXT("list");
    return b;
}

static void sealed(const struct bundle *b, struct buffer *out)
{
    CHECK_OK(bundle_seal(&secret, b, out));
}

static struct trust_policy *policy_of(const char *accept, const struct sign_public *key)
{
    char hex[65], text[1024];
    struct trust_policy *p = NULL;
    struct policy_error e = {0};
    hex_write(SPAN(key->bytes), hex);
    snprintf(text, sizeof text, "{\"apex\": 1, \"accept\": [%s], \"auditors\": [\"%s\"]}",
             accept, hex);
    if (trust_policy_parse(span_text(text), &p, &e) != APEX_OK)
        fail_msg("%s: %s", e.where, e.what);
    return p;
}

static void what_is_sealed_is_opened(void **state)
{
    BUFFER_CLEARED bytes = {0};
    struct bundle *b = made(), *got = calloc(1, sizeof *got);
    (void)state;
    sealed(b, &bytes);
    CHECK_OK(bundle_open(buffer_span(&bytes), got));
    assert_memory_equal(got->auditor.bytes, auditor.bytes, 32);
    CHECK(got->issued_ms == b->issued_ms && got->expires_ms == b->expires_ms);
    CHECK(got->n_measurements == 2 && got->n_sets == 1);
    CHECK(span_equal(got->measurements[1].label, SPAN_TEXT("apex 0.1.0, demo")));
    CHECK(span_equal(got->sets[0].part[SUPPLEMENT_AMD_CRL], SPAN_TEXT("list")));
    free(b);
    free(got);
}

static void a_bundle_with_any_flipped_bit_or_cut_short_is_refused(void **state)
{
    BUFFER_CLEARED bytes = {0};
    struct bundle *b = made(), *got = calloc(1, sizeof *got);
    struct trust_policy *p = policy_of("", &auditor);
    (void)state;
    sealed(b, &bytes);
    for (size_t bit = 0; bit < 8 * bytes.len; bit++) {
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(trust_policy_add_bundle(p, buffer_span(&bytes), now_ms, NULL) != APEX_OK);
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t len = 0; len < bytes.len; len++)
        CHECK(bundle_open(span_of(bytes.data, len), got) != APEX_OK);
    buffer_u8(&bytes, 0);
    CHECK_STATUS(bundle_open(buffer_span(&bytes), got), APEX_E_FORMAT);
    trust_policy_free(p);
    free(b);
    free(got);
}

static void a_policy_believes_its_auditors_alone_and_while_the_bundle_is_valid(void **state)
{
    struct sign_public stranger;
    struct sign_secret unused;
    BUFFER_CLEARED bytes = {0};
    struct bundle *b = made();
    const char *why = "";
    (void)state;
    sign_new(&stranger, &unused);
    sealed(b, &bytes);
    struct trust_policy *p = policy_of("", &stranger);
    CHECK_STATUS(trust_policy_add_bundle(p, buffer_span(&bytes), now_ms, &why),
                 APEX_E_UNTRUSTED);
    assert_non_null(strstr(why, "does not name"));
    trust_policy_free(p);
    p = policy_of("", &auditor);
    CHECK_OK(trust_policy_add_bundle(p, buffer_span(&bytes), now_ms, &why));
    CHECK_OK(trust_policy_add_bundle(p, buffer_span(&bytes), b->expires_ms, &why));
    CHECK_STATUS(trust_policy_add_bundle(p, buffer_span(&bytes), b->expires_ms + 1, &why),
                 APEX_E_UNTRUSTED);
    assert_non_null(strstr(why, "expired"));
    CHECK_STATUS(trust_policy_add_bundle(p, buffer_span(&bytes), b->issued_ms - 1, &why),
                 APEX_E_UNTRUSTED);
    trust_policy_free(p);
    free(b);
}

static void what_cannot_be_meant_is_not_sealed(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        BUFFER_CLEARED bytes = {0};
        struct bundle *b = made();
        if (i == 0) b->expires_ms = b->issued_ms - 1;
        if (i == 1) b->measurements[0].measurement.len = 31;
        if (i == 2) b->measurements[0].tee = (struct span){0};
        if (i == 3) b->sets[0] = (struct supplements){0};
        if (i == 4) b->n_sets = BUNDLE_SETS_MAX + 1;
        if (i == 5) b->measurements[0].label = span_of(other, 0), b->n_measurements = 257;
        CHECK_STATUS(bundle_seal(&secret, b, &bytes), APEX_E_USAGE);
        free(b);
    }
}

static struct enclave_keys keys = {.identity = {{1}}, .identity_seal = {{2}}, .log = {{3}}};

static apex_status judged(const struct trust_policy *p)
{
    BUFFER_CLEARED report = {0}, evidence = {0};
    uint8_t bound[REPORT_DATA_LEN];
    attest_report_data(&keys, bound);
    sim_report_write(measured, bound, now_ms, &report);
    evidence_write("sim", buffer_span(&report), (struct span){0}, &evidence);
    return attest_verify(buffer_span(&evidence), &keys, p, now_ms, &verdict, NULL);
}

static void an_audited_measurement_is_accepted_where_the_entry_asks_for_it(void **state)
{
    static const char *const entries[] = {
        "{\"tee\": \"sim\", \"audited\": true}",
        "{\"tee\": \"sev-snp\", \"audited\": true}",
        "{\"tee\": \"sim\", \"measurements\": "
        "[\"abababababababababababababababababababababababababababababababab\"]}",
    };
    BUFFER_CLEARED bytes = {0};
    struct bundle *b = made();
    (void)state;
    sealed(b, &bytes);
    for (int i = 0; i < 3; i++) {
        struct trust_policy *p = policy_of(entries[i], &auditor);
        CHECK_STATUS(judged(p), APEX_E_UNTRUSTED); /* before the bundle is there */
        CHECK_OK(trust_policy_add_bundle(p, buffer_span(&bytes), now_ms, NULL));
        CHECK_STATUS(judged(p), i == 0 ? APEX_OK : APEX_E_UNTRUSTED);
        trust_policy_free(p);
    }
    free(b);
}

/* A policy's bundle knows of a revocation that the host kept to itself. */
static void what_a_bundle_shows_to_be_revoked_stays_revoked(void **state)
{
    static const uint8_t chip[64] = {1};
    const struct amd_leaf leaf = {.subject = "SEV-VCEK",
                                  .product = "Milan",
                                  .fmc = -1,
                                  .chip = chip,
                                  .chip_len = 64,
                                  .days_from = -1,
                                  .days_until = 1};
    struct amd_world milan, genoa;
    uint8_t report[AMD_REPORT_LEN] = {[0] = 3, [0x0a] = 2, [0x34] = 1, [0x188] = 0x19, 1};
    BUFFER_CLEARED der = {0}, clean = {0}, revoking = {0}, foreign = {0}, late = {0},
                   past = {0};
    (void)state;
    amd_open(&milan, "Milan");
    amd_open(&genoa, "Genoa");
    amd_leaf_make(&milan, &leaf, &der);
    memcpy(report + 0x1a0, chip, sizeof chip);
    amd_sign(&milan, report);
    amd_list_make(&milan, 0, (const long[]){99, 0}, -1, 1, false, &clean);
    amd_list_make(&milan, 0, (const long[]){2, 0}, -1, 1, false, &revoking);
    amd_list_make(&genoa, 0, (const long[]){2, 0}, -1, 1, false, &foreign);
    amd_list_make(&milan, 0, (const long[]){2, 0}, 1, 2, false, &late);
    amd_list_make(&milan, 0, (const long[]){2, 0}, -2, -1, false, &past);
    const struct {
        struct span host, bundle[2];
        enum reason why;
        bool consulted;
    } cases[] = {
        {{0}, {{0}, {0}}, REASON_NONE, false},
        {{0}, {buffer_span(&clean), {0}}, REASON_NONE, true},
        {{0}, {buffer_span(&foreign), {0}}, REASON_NONE, false},
        {{0}, {buffer_span(&revoking), {0}}, REASON_REVOKED, true},
        {buffer_span(&clean), {buffer_span(&revoking), {0}}, REASON_REVOKED, true},
        {{0}, {buffer_span(&clean), buffer_span(&revoking)}, REASON_REVOKED, true},
        {{0}, {buffer_span(&revoking), buffer_span(&clean)}, REASON_REVOKED, true},
        {buffer_span(&revoking), {buffer_span(&clean), {0}}, REASON_REVOKED, false},
        {buffer_span(&foreign), {buffer_span(&clean), {0}}, REASON_NONE, true},
        /* A list from after the evidence's own time, and one that has run out. */
        {{0}, {buffer_span(&late), {0}}, REASON_REVOKED, true},
        {{0}, {buffer_span(&past), {0}}, REASON_REVOKED, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        BUFFER_CLEARED bytes = {0};
        struct bundle *b = made();
        struct trust_policy *p = policy_of("", &auditor);
        struct judging j = {.report = SPAN(report), .roots = &milan.roots, .at_ms = now_ms};
        b->n_sets = 0;
        for (int k = 0; k < 2; k++)
            if (cases[i].bundle[k].len)
                b->sets[b->n_sets++].part[SUPPLEMENT_AMD_CRL] = cases[i].bundle[k];
        sealed(b, &bytes);
        CHECK_OK(trust_policy_add_bundle(p, buffer_span(&bytes), now_ms, NULL));
        j.supplements.part[SUPPLEMENT_CERTIFICATES] = buffer_span(&der);
        j.supplements.part[SUPPLEMENT_AMD_CRL] = cases[i].host;
        verdict = (struct verdict){0};
        bundles_examine(p, "sev-snp", &j, &verdict);
        bool consulted = strcmp(verdict.checks[verdict.n_checks - 1].name, "bundle") == 0;
        if (verdict.reason != cases[i].why || consulted != cases[i].consulted)
            fail_msg("case %zu: %s, %d", i, reason_name(verdict.reason), consulted);
        CHECK(verdict.genuine == (cases[i].why == REASON_NONE));
        trust_policy_free(p);
        free(b);
    }
    amd_close(&milan);
    amd_close(&genoa);
}

/* Bare machines send no certificate: the auditor fetched it. */
static void a_chips_certificate_can_come_from_a_bundle(void **state)
{
    static const uint8_t chip[64] = {1};
    const struct amd_leaf leaf = {.subject = "SEV-VCEK",
                                  .product = "Milan",
                                  .fmc = -1,
                                  .chip = chip,
                                  .chip_len = 64,
                                  .days_from = -1,
                                  .days_until = 1};
    struct amd_world milan;
    uint8_t report[AMD_REPORT_LEN] = {[0] = 3, [0x0a] = 2, [0x34] = 1, [0x188] = 0x19, 1};
    BUFFER_CLEARED other_der = {0}, der = {0}, bytes = {0};
    struct bundle *b = made();
    struct trust_policy *p = policy_of("", &auditor);
    (void)state;
    amd_open(&milan, "Milan");
    amd_leaf_make(&milan, &leaf, &other_der); /* another chip's key */
    amd_leaf_make(&milan, &leaf, &der);
    memcpy(report + 0x1a0, chip, sizeof chip);
    amd_sign(&milan, report);
    b->n_sets = 2;
    b->sets[0] = b->sets[1] = (struct supplements){0};
    b->sets[0].part[SUPPLEMENT_CERTIFICATES] = buffer_span(&other_der);
    b->sets[1].part[SUPPLEMENT_CERTIFICATES] = buffer_span(&der);
    sealed(b, &bytes);
    CHECK_OK(trust_policy_add_bundle(p, buffer_span(&bytes), now_ms, NULL));
    struct judging j = {.report = SPAN(report), .roots = &milan.roots, .at_ms = now_ms};
    verdict = (struct verdict){0};
    bundles_examine(NULL, "sev-snp", &j, &verdict);
    CHECK(!verdict.genuine && verdict.reason == REASON_CHAIN_INVALID);
    verdict = (struct verdict){0};
    bundles_examine(p, "sev-snp", &j, &verdict);
    CHECK(verdict.genuine);
    j.supplements.part[SUPPLEMENT_CERTIFICATES] = buffer_span(&other_der); /* the host's word */
    verdict = (struct verdict){0};
    bundles_examine(p, "sev-snp", &j, &verdict);
    CHECK(!verdict.genuine && verdict.reason == REASON_SIGNATURE_INVALID);
    trust_policy_free(p);
    free(b);
    amd_close(&milan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sealed_is_opened),
        cmocka_unit_test(a_bundle_with_any_flipped_bit_or_cut_short_is_refused),
        cmocka_unit_test(a_policy_believes_its_auditors_alone_and_while_the_bundle_is_valid),
        cmocka_unit_test(what_cannot_be_meant_is_not_sealed),
        cmocka_unit_test(an_audited_measurement_is_accepted_where_the_entry_asks_for_it),
        cmocka_unit_test(what_a_bundle_shows_to_be_revoked_stays_revoked),
        cmocka_unit_test(a_chips_certificate_can_come_from_a_bundle),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
