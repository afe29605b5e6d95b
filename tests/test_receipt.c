/* Result files, verified offline. A world of fresh keys (tests/client/world.h) makes a true
 * receipt, and then receipts in which one thing is a lie although every signature holds. */
#include "client/lib/receipt.h"
#include "common/base/hex.h"
#include "tests/check.h"
#include "tests/client/world.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static const struct apex_check *check_named(const struct apex_verification *v, const char *name)
{
    for (size_t i = 0; i < v->n_checks; i++)
        if (strcmp(v->checks[i].name, name) == 0) return &v->checks[i];
    return NULL;
}

static apex_status verify(const char *text, size_t len, const char *policy,
                          struct apex_verification *v)
{
    struct apex_error error;
    apex_status s =
        apex_verify(NULL, &(struct apex_result_file){text, len}, 1, policy, v, &error);
    if (s != APEX_OK)
        CHECK(error.what[0] && error.not_done[0] && error.next[0] && error.who[0]);
    return s;
}

static char *lived(enum lie lie, char **policy)
{
    struct world *w = world_new(lie);
    world_live(w);
    char *text = world_receipt(w);
    if (policy) *policy = world_policy(w);
    world_free(w);
    return text;
}

static void a_true_receipt_verifies_and_says_that_it_is_simulated(void **state)
{
    (void)state;
    struct apex_verification v;
    char *policy, *text = lived(LIE_NONE, &policy);
    CHECK_OK(verify(text, strlen(text), policy, &v));
    CHECK(v.holds && v.simulated && v.n_checks >= 15);
    for (size_t i = 0; i < v.n_checks; i++)
        CHECK(v.checks[i].result == 1 && v.checks[i].detail[0]);
    CHECK(strstr(v.sentences[2], "SIMULATED") != NULL);
    CHECK_OK(verify(text, strlen(text), NULL, &v));
    CHECK(v.holds && check_named(&v, "evidence-accepted")->result == -1);
    free(policy);
    free(text);
}

/* Does the changed text still mean the same? The node's address is a note for people, of which
 * nothing is proven. */
static bool same_meaning(const json_t *file, const char *text, size_t len)
{
    json_error_t where;
    json_t *other = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
    json_t *receipt = json_object_get(other, "receipt");
    if (json_is_string(json_object_get(receipt, "node")))
        json_object_set(receipt, "node",
                        json_object_get(json_object_get(file, "receipt"), "node"));
    bool same = other && json_equal(file, other);
    json_decref(other);
    return same;
}

static void a_receipt_with_any_byte_changed_does_not_verify(void **state)
{
    (void)state;
    struct apex_verification v;
    json_error_t where;
    char *text = lived(LIE_NONE, NULL);
    size_t len = strlen(text), same = 0;
    json_t *file = json_loadb(text, len, 0, &where);
    for (size_t i = 0; i < len; i++) {
        char was = text[i];
        text[i] = (char)(was ^ (1 << (i % 7)));
        if (verify(text, len, NULL, &v) == APEX_OK) {
            CHECK(same_meaning(file, text, len));
            same++;
        }
        text[i] = was;
    }
    CHECK(same <= strlen("http://node.test"));
    CHECK_OK(verify(text, len, NULL, &v));
    json_decref(file);
    free(text);
}

static void a_receipt_cut_short_or_lengthened_does_not_verify(void **state)
{
    (void)state;
    struct apex_verification v;
    char *text = lived(LIE_NONE, NULL);
    size_t len = strlen(text);
    for (size_t cut = 0; cut < len; cut += cut < 200 || len - cut < 200 ? 1 : 37)
        CHECK_STATUS(verify(text, cut, NULL, &v), APEX_E_UNTRUSTED);
    char *longer = malloc(len + 2);
    memcpy(longer, text, len);
    longer[len] = '{';
    CHECK_STATUS(verify(longer, len + 1, NULL, &v), APEX_E_UNTRUSTED);
    longer[len] = 0;
    CHECK_STATUS(verify(longer, len + 1, NULL, &v), APEX_E_UNTRUSTED);
    free(longer);
    free(text);
}

static void each_lie_fails_the_check_that_names_it(void **state)
{
    (void)state;
    static const struct {
        enum lie lie;
        const char *check;
    } cases[] = {
        {LIE_EVIDENCE_OTHER_KEYS, "evidence-genuine"},
        {LIE_EVIDENCE_OTHER_LOG_KEY, "log-key-bound"},
        {LIE_ENCLAVE_NOT_NAMED, "enclave-named"},
        {LIE_ENTRY_BY_STRANGER, "entries-signed"},
        {LIE_NOT_DEPLOYED, "deployed"},
        {LIE_CONSENT_MISSING, "consents"},
        {LIE_CONSENT_LATE, "consents"},
        {LIE_CONSENT_BY_STRANGER, "consents"},
        {LIE_RUN_BY_STRANGER, "run-requested"},
        {LIE_RUN_WITHOUT_RIGHT, "run-requested"},
        {LIE_RUN_OF_OTHER_FUNCTION, "run-requested"},
        {LIE_RUN_OF_OTHER_CONTRACT, "run-requested"},
        {LIE_REQUEST_OTHER, "request"},
        {LIE_ROWS_UNASKED, "private-rows"},
        {LIE_INPUT_OTHER_BLOB, "inputs"},
        {LIE_INPUT_BY_STRANGER, "inputs"},
        {LIE_INPUT_AFTER_RUN, "inputs"},
        {LIE_INPUT_NO_CONTRIBUTION, "inputs"},
        {LIE_PROGRAM_OTHER, "program"},
        {LIE_OUTPUT_OTHER, "output"},
        {LIE_CHECKPOINT_BY_OTHER_KEY, "checkpoint-signed"},
        {LIE_CHECKPOINT_OTHER_ROOT, "entries-included"},
    };
    CHECK(sizeof cases / sizeof *cases == LIE_COUNT - 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct apex_verification v;
        char *text = lived(cases[i].lie, NULL);
        CHECK_STATUS(verify(text, strlen(text), NULL, &v), APEX_E_UNTRUSTED);
        const struct apex_check *c = check_named(&v, cases[i].check);
        if (!c || c->result != 0)
            fail_msg("lie %d passes check %s", (int)cases[i].lie, cases[i].check);
        CHECK(!v.holds && strstr(v.sentences[0], "NOT") != NULL);
        free(text);
    }
}

static void an_enclave_or_log_the_policy_does_not_accept_fails_the_receipt(void **state)
{
    (void)state;
    struct apex_verification v;
    char *policy, *other, *text = lived(LIE_NONE, &policy);
    free(lived(LIE_NONE, &other));
    CHECK_STATUS(verify(text, strlen(text), other, &v),
                 APEX_E_UNTRUSTED); /* the same measurement, another log */
    CHECK(check_named(&v, "log-pinned")->result == 0 &&
          check_named(&v, "evidence-accepted")->result == 1);
    memcpy(strstr(policy, "1111"), "2222", 4);
    CHECK_STATUS(verify(text, strlen(text), policy, &v), APEX_E_UNTRUSTED);
    CHECK(check_named(&v, "evidence-accepted")->result == 0);
    memcpy(strstr(policy, "2222"), "1111", 4);
    memcpy(strstr(policy, "\"sim\""), "\"sgx\"", 5);
    char *age = strstr(policy, "3600"); /* such reports have none */
    assert_non_null(age);
    memcpy(age, "0   ", 4);
    CHECK_STATUS(verify(text, strlen(text), policy, &v), APEX_E_UNTRUSTED);
    free(other);
    free(policy);
    free(text);
}

/* One enclave signed it, so one family did. */
static void an_answer_that_more_families_must_sign_fails_the_receipt(void **state)
{
    (void)state;
    struct apex_verification v;
    char *policy, *text = lived(LIE_NONE, &policy), high[4096];
    const char *address = strstr(text, "apex1"), *log = strstr(policy, "\"log\"");
    assert_non_null(address);
    assert_non_null(log);
    for (int ours = 0; ours < 2; ours++) {
        snprintf(high, sizeof high,
                 "%.*s\"high_value\": [{\"contract\": \"%.*s\", \"families\": 2}], %s",
                 (int)(log - policy), policy, ours ? 57 : 56, address, log);
        CHECK_STATUS(verify(text, strlen(text), high, &v), ours ? APEX_E_UNTRUSTED : APEX_OK);
        CHECK(v.holds == !ours);
    }
    CHECK(check_named(&v, "families")->result == 0);
    free(policy);
    free(text);
}

/* The policy of `w`, with the log of `other` pinned too, and so many families asked for. */
static char *policy_of_both(const struct world *w, const struct world *other, unsigned families)
{
    char *policy = world_policy(w), *text = malloc(4096), key[65], address[58], high[160] = "";
    hex_write(SPAN(other->log_public.bytes), key);
    address_write(w->address, address);
    if (families)
        snprintf(high, sizeof high,
                 ", \"high_value\": [{\"contract\": \"%s\", \"families\": %u}]", address,
                 families);
    snprintf(text, 4096,
             "%.*s, \"logs\": [{\"origin\": \"" WORLD_ORIGIN "\", \"key\": \"%s\"}]%s}",
             (int)strlen(policy) - 1, policy, key, high);
    free(policy);
    return text;
}

/* first, of `w`; beside it the file of `other`. The check that fails, or "none". */
static const char *both_fail_by(const struct world *w, const struct world *other,
                                const char *first, const char *second, unsigned families)
{
    static struct apex_verification v;
    struct apex_error error;
    char *policy = policy_of_both(w, other, families);
    const struct apex_result_file files[] = {{first, strlen(first)}, {second, strlen(second)}};
    apex_status s = apex_verify(NULL, files, 2, policy, &v, &error);
    free(policy);
    CHECK((s == APEX_OK) == v.holds);
    for (size_t i = 0; i < v.n_checks; i++)
        if (v.checks[i].result == 0) return v.checks[i].name;
    CHECK(v.holds);
    return "none";
}

static void another_nodes_file_counts_if_it_holds_and_says_the_same(void **state)
{
    (void)state;
    struct world *w = world_new(LIE_NONE), *twin = world_twin(w), *stranger;
    world_live(w);
    world_live(twin);
    char *first = world_receipt(w), *second = world_receipt(twin), *lie;
    assert_string_equal(both_fail_by(w, twin, first, second, 0), "none");
    assert_string_equal(both_fail_by(w, twin, second, first, 0), "none");
    /* Both are machines of one family. */
    assert_string_equal(both_fail_by(w, twin, first, second, 2), "families");
    /* The log of the other is none the policy pins. */
    assert_string_equal(both_fail_by(w, w, first, second, 0), "also-holds");
    lie = strdup(second);
    *strstr(lie, "-36.8485") = ' '; /* a sign: another place */
    assert_string_equal(both_fail_by(w, twin, first, lie, 0), "also-holds");
    free(lie);
    /* Another seed, another contract. */
    stranger = world_twin(w);
    stranger->seed[0] ^= 1;
    world_live(stranger);
    lie = world_receipt(stranger);
    assert_string_equal(both_fail_by(w, stranger, first, lie, 0), "also-same-answer");
    free(lie);
    world_free(stranger);
    stranger = world_new(LIE_NONE);
    world_live(stranger);
    lie = world_receipt(stranger);
    assert_string_equal(both_fail_by(w, stranger, first, lie, 0), "also-same-answer");
    free(lie);
    world_free(stranger);
    /* Asked before one party had contributed there. */
    stranger = world_twin(w);
    stranger->lie = LIE_FEWER_INPUTS;
    world_live(stranger);
    lie = world_receipt(stranger);
    assert_string_equal(both_fail_by(w, stranger, lie, lie, 0), "none");
    assert_string_equal(both_fail_by(w, stranger, first, lie, 0), "also-same-inputs");
    free(lie);
    world_free(stranger);
    free(first);
    free(second);
    world_free(twin);
    world_free(w);
}

/* A run has one result: beside another, whose machine signed which answer would be open. */
static void a_receipt_with_two_results_of_its_run_proves_neither(void **state)
{
    (void)state;
    struct apex_verification v;
    json_error_t where;
    char *text = lived(LIE_NONE, NULL);
    json_t *file = json_loads(text, 0, &where);
    json_t *entries = json_object_get(json_object_get(file, "receipt"), "entries");
    size_t n = json_array_size(entries), refused = 0;
    for (size_t i = 0; i < n; i++) {
        json_array_append(entries, json_array_get(entries, i));
        char *twice = json_dumps(file, 0);
        if (verify(twice, strlen(twice), NULL, &v) != APEX_OK) {
            refused++;
            CHECK(check_named(&v, "result-recorded")->result == 0);
        }
        free(twice);
        json_array_remove(entries, n);
    }
    assert_int_equal(refused, 1);
    json_decref(file);
    free(text);
}

static void a_policy_that_is_none_is_an_error_and_not_a_verdict(void **state)
{
    (void)state;
    struct apex_verification v;
    char *text = lived(LIE_NONE, NULL);
    CHECK_STATUS(verify(text, strlen(text), "{\"apex\": 1, \"accept\": \"all\"}", &v),
                 APEX_E_FORMAT);
    CHECK(!v.holds && v.n_checks == 0);
    free(text);
}

static size_t enclaves_in(const char *text)
{
    json_error_t where;
    json_t *file = json_loads(text, 0, &where),
           *entries = json_object_get(json_object_get(file, "receipt"), "entries");
    size_t n = json_array_size(entries);
    json_decref(file);
    return n;
}

/* The node was started three times, the last time by a newer enclave; the second signed nothing
 * of this contract. */
static void a_receipt_carries_the_enclaves_that_signed_and_no_others(void **state)
{
    (void)state;
    struct apex_verification v;
    struct world *w = world_new(LIE_NONE);
    world_boot(w);
    world_boot(w);
    world_live(w);
    char *text = world_receipt(w), *policy = world_policy(w);
    CHECK(enclaves_in(text) == 1 + 1 + 3 + 2 + 1 + 1);
    CHECK_OK(verify(text, strlen(text), policy, &v));
    free(policy);
    free(text);
    world_free(w);
}

static void what_is_not_json_or_not_a_receipt_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "{}",
        "[]",
        "null",
        "{\"apex\": 1, \"result\": 1, \"receipt\": {}}",
        "{\"apex\": 1, \"apex\": 1}",
        "\xff\xfe",
        "{\"apex\": 2, \"result\": 1, \"receipt\": {}}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct apex_verification v;
        CHECK_STATUS(verify(texts[i], strlen(texts[i]), NULL, &v), APEX_E_UNTRUSTED);
        CHECK(v.n_checks == 1 && v.checks[0].result == 0 && v.checks[0].detail[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_true_receipt_verifies_and_says_that_it_is_simulated),
        cmocka_unit_test(a_receipt_with_any_byte_changed_does_not_verify),
        cmocka_unit_test(a_receipt_cut_short_or_lengthened_does_not_verify),
        cmocka_unit_test(each_lie_fails_the_check_that_names_it),
        cmocka_unit_test(an_enclave_or_log_the_policy_does_not_accept_fails_the_receipt),
        cmocka_unit_test(an_answer_that_more_families_must_sign_fails_the_receipt),
        cmocka_unit_test(another_nodes_file_counts_if_it_holds_and_says_the_same),
        cmocka_unit_test(a_receipt_with_two_results_of_its_run_proves_neither),
        cmocka_unit_test(a_policy_that_is_none_is_an_error_and_not_a_verdict),
        cmocka_unit_test(a_receipt_carries_the_enclaves_that_signed_and_no_others),
        cmocka_unit_test(what_is_not_json_or_not_a_receipt_is_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
