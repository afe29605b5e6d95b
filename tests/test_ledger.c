/* The log held against its rules: a world that lies in one place is found out there. */
#include "client/lib/auditor.h"
#include "common/crypto/random.h"
#include "common/ledger/policy.h"
#include "common/ledger/replay.h"
#include "tests/check.h"
#include "tests/client/world.h"

#include <stdio.h>
#include <stdlib.h>

static bool manifest_is_lost;

static apex_status manifest_of_world(void *context, const uint8_t address[static 32],
                                     struct buffer *text)
{
    const struct world *w = context;
    if (!manifest_is_lost && memcmp(address, w->address, 32) == 0)
        buffer_append(text, buffer_span(&w->manifest));
    return buffer_ok(text);
}

struct audited {
    apex_status status;
    struct apex_audit_report report;
    struct apex_breach *breaches;
};

static struct audited audit(struct world *w)
{
    struct audited a = {0};
    a.status =
        audit_entries(w->entries, w->n, manifest_of_world, w, NULL, &a.report, &a.breaches);
    return a;
}

static bool found(const struct audited *a, const char *rule)
{
    for (size_t i = 0; i < a->report.n_breaches; i++)
        if (strcmp(a->breaches[i].rule, rule) == 0) return true;
    return false;
}

static void a_log_that_keeps_the_rules_has_no_breach(void **state)
{
    struct world *w = world_new(LIE_NONE);
    (void)state;
    world_live(w);
    struct audited a = audit(w);
    CHECK_OK(a.status);
    CHECK(a.report.n_breaches == 0);
    CHECK(a.report.entries == w->n && a.report.contracts == 1 && a.report.runs == 1);
    CHECK(a.report.results == 1 && a.report.enclaves == 1 && a.report.acts == w->n - 2);
    free(a.breaches);
    world_free(w);
}

static void every_planted_lie_is_found_by_its_rule(void **state)
{
    static const struct {
        enum lie lie;
        const char *rule;
    } cases[] = {{LIE_EVIDENCE_OTHER_KEYS, "wrong-measurement"},
                 {LIE_ENCLAVE_NOT_NAMED, "wrong-measurement"},
                 {LIE_ENTRY_BY_STRANGER, "log-broken"},
                 {LIE_NOT_DEPLOYED, "log-broken"},
                 {LIE_CONSENT_MISSING, "not-active"},
                 {LIE_CONSENT_LATE, "not-active"},
                 {LIE_CONSENT_BY_STRANGER, "not-a-party"},
                 {LIE_RUN_BY_STRANGER, "not-a-party"},
                 {LIE_RUN_WITHOUT_RIGHT, "not-permitted"},
                 {LIE_RUN_OF_OTHER_CONTRACT, "log-broken"},
                 {LIE_REQUEST_OTHER, "bad-message"},
                 {LIE_ROWS_UNASKED, "bad-parameter"},
                 {LIE_INPUT_OTHER_BLOB, "unknown-contribution"},
                 {LIE_INPUT_BY_STRANGER, "not-a-party"},
                 {LIE_INPUT_AFTER_RUN, "unknown-contribution"},
                 {LIE_INPUT_NO_CONTRIBUTION, "unknown-contribution"},
                 {LIE_PROGRAM_OTHER, "program-tampered"},
                 {LIE_RECIPIENT_LEFT_OUT, "not-permitted"},
                 {LIE_RECIPIENT_STRANGER, "not-permitted"},
                 {LIE_MODEL_USED, "no-model"},
                 {LIE_MODEL_LEFT, "no-model"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world *w = world_new(cases[i].lie);
        world_live(w);
        struct audited a = audit(w);
        if (!found(&a, cases[i].rule))
            fprintf(stderr, "lie %d: %s was not found\n", (int)cases[i].lie, cases[i].rule);
        CHECK(found(&a, cases[i].rule));
        CHECK((a.status == APEX_OK) == !a.report.broken);
        free(a.breaches);
        world_free(w);
    }
}

static void act_take_place(struct world *w, size_t party, struct act act)
{
    world_act(w, &w->party[party], &act);
}

static void expect(struct world *w, const char *rule)
{
    struct audited a = audit(w);
    CHECK(found(&a, rule));
    free(a.breaches);
    world_free(w);
}

static void an_act_put_in_twice_is_found(void **state)
{
    struct world *w = world_new(LIE_NONE);
    struct entry *e = calloc(1, sizeof *e);
    struct cose cose;
    BUFFER_CLEARED again = {0};
    (void)state;
    world_live(w);
    CHECK_OK(cose_parse(buffer_span(&w->entries[4]), &cose));
    CHECK_OK(entry_parse(cose.payload, e));
    buffer_append(&again, e->act);
    e->act = buffer_span(&again);
    world_entry(w, e);
    free(e);
    expect(w, "replayed");
}

static void a_run_ended_twice_is_found(void **state)
{
    struct world *w = world_new(LIE_NONE);
    (void)state;
    world_live(w);
    world_entry(w, &w->result_entry);
    expect(w, "replayed");
}

/* More of something than the form has room for ends the reading, and must not pass for its end:
 * what follows was read by nobody. */
static void an_entry_that_holds_too_much_ends_the_audit_with_a_breach(void **state)
{
    struct world *w = world_new(LIE_NONE);
    struct entry *e = calloc(1, sizeof *e);
    BUFFER_CLEARED payload = {0};
    BUFFER_CLEARED fewer = {0};
    size_t at = 0;
    (void)state;
    world_live(w);
    *e = w->result_entry;
    e->index = w->n;
    e->n_recipients = ENTRY_RECIPIENTS_MAX - 1;
    entry_write(e, &fewer);
    e->n_recipients = ENTRY_RECIPIENTS_MAX;
    entry_write(e, &payload);
    while (payload.data[at] ==
           fewer.data[at]) /* until the count; digests could look like one */
        at++;
    CHECK(payload.data[at] == ENTRY_RECIPIENTS_MAX);
    payload.data[at]++;
    CHECK_OK(cose_sign(&w->enclave[w->n_enclaves - 1].identity, SPAN_TEXT(ENTRY_AAD),
                       buffer_span(&payload), &w->entries[w->n++]));
    free(e);
    struct audited a = audit(w);
    CHECK(a.report.broken && found(&a, "log-broken"));
    free(a.breaches);
    world_free(w);
}

/* An enclave that had lost a contract's manifest did not count the runs that wait there. */
static void how_many_runs_wait_is_no_rule_of_the_log(void **state)
{
    struct world *w = world_new(LIE_NONE);
    struct state s;
    struct merkle_tree *tree;
    struct replay r;
    struct breach found_now;
    struct entry *e = calloc(1, sizeof *e);
    (void)state;
    world_live(w);
    CHECK_OK(state_init(&s, NULL, NULL));
    CHECK_OK(merkle_tree_new(&tree));
    replay_init(&r, &s, tree);
    r.manifest = manifest_of_world;
    r.context = w;
    s.n_pending = 1000;
    for (size_t i = 0; i < w->n; i++) {
        CHECK_OK(replay_entry(&r, buffer_span(&w->entries[i]), e, &found_now));
        CHECK(found_now.rule == REFUSAL_NONE);
    }
    replay_clear(&r);
    state_clear(&s);
    merkle_tree_free(tree);
    free(e);
    world_free(w);
}

static void more_runs_than_the_quota_are_found(void **state)
{
    struct world *w = world_new(LIE_NONE);
    (void)state;
    world_live(w);
    for (size_t i = 0; i < 9; i++) {
        struct act act = {.kind = ACT_RUN, .name = SPAN_TEXT("sites")};
        act_take_place(w, 0, act);
    }
    struct audited a = audit(w);
    CHECK(a.report.n_breaches == 0);
    free(a.breaches);
    act_take_place(w, 0, (struct act){.kind = ACT_RUN, .name = SPAN_TEXT("sites")});
    expect(w, "quota");
}

static void withdrawn_rows_in_a_later_answer_are_found(void **state)
{
    struct world *w = world_new(LIE_NONE);
    (void)state;
    world_live(w);
    act_take_place(
        w, 1, (struct act){.kind = ACT_WITHDRAW, .index = w->result_entry.inputs[1].index});
    struct act ask = {.kind = ACT_RUN, .name = SPAN_TEXT("sites")};
    memcpy(ask.request_digest, w->result_entry.request, 32);
    w->result_entry.run = world_act(w, &w->party[0], &ask);
    world_entry(w, &w->result_entry);
    expect(w, "unknown-contribution");
}

static void an_act_whose_author_saw_another_log_is_found(void **state)
{
    struct world *w = world_new(LIE_NONE);
    struct act act = {.kind = ACT_RUN, .name = SPAN_TEXT("sites"), .seen_size = 3};
    (void)state;
    world_live(w);
    random_bytes(act.seen_root, sizeof act.seen_root);
    act_take_place(w, 0, act);
    expect(w, "unknown-checkpoint");
}

static void acts_on_a_closed_contract_are_found(void **state)
{
    struct world *w = world_new(LIE_NONE);
    (void)state;
    world_live(w);
    act_take_place(w, 0, (struct act){.kind = ACT_CLOSE});
    act_take_place(w, 0, (struct act){.kind = ACT_RUN, .name = SPAN_TEXT("sites")});
    expect(w, "closed");
}

static void any_flipped_bit_of_an_entry_breaks_the_log(void **state)
{
    struct world *w = world_new(LIE_NONE);
    (void)state;
    world_live(w);
    for (size_t i = 0; i < w->n; i++)
        for (size_t at = 3; at < w->entries[i].len; at += 61) {
            w->entries[i].data[at] ^= 0x10;
            struct audited a = audit(w);
            CHECK(a.status != APEX_OK && a.report.n_breaches > 0);
            free(a.breaches);
            w->entries[i].data[at] ^= 0x10;
        }
    world_free(w);
}

static void entries_left_out_or_swapped_break_the_log(void **state)
{
    struct world *w = world_new(LIE_NONE);
    (void)state;
    world_live(w);
    for (size_t i = 1; i + 1 < w->n; i++) {
        struct buffer kept = w->entries[i];
        w->entries[i] = w->entries[i + 1];
        w->entries[i + 1] = kept;
        struct audited a = audit(w);
        CHECK(a.status != APEX_OK && found(&a, "log-broken"));
        free(a.breaches);
        w->entries[i + 1] = w->entries[i];
        w->entries[i] = kept;
    }
    world_free(w);
}

static void a_lost_manifest_is_said_and_nothing_under_it_is_judged(void **state)
{
    struct world *w = world_new(LIE_RUN_WITHOUT_RIGHT);
    (void)state;
    world_live(w);
    manifest_is_lost = true;
    struct audited a = audit(w);
    manifest_is_lost = false;
    CHECK_OK(a.status);
    CHECK(a.report.manifests_lost == 1 && a.report.n_breaches == 0);
    free(a.breaches);
    world_free(w);
}

/* What was withdrawn takes no place: a party could shut the others out with it. */
static void contributions_that_stand_are_counted_and_no_others(void **state)
{
    (void)state;
    struct world *w = world_new(LIE_NONE);
    struct contract c = {.active = true, .n_contributions = ENTRY_INPUTS_MAX};
    struct act act = {.kind = ACT_CONTRIBUTE, .name = SPAN_TEXT("customers"), .blob = {9}};
    c.contributions = calloc(ENTRY_INPUTS_MAX, sizeof *c.contributions);
    assert_non_null(c.contributions);
    CHECK_OK(manifest_parse(buffer_span(&w->manifest), &c.manifest, NULL));
    const uint8_t *author = w->party[0].sign_public.bytes;
    assert_int_equal(policy_act(&c, &act, author, 0), REFUSAL_CONTRIBUTIONS);
    c.contributions[3].withdrawn = true;
    assert_int_equal(policy_act(&c, &act, author, 0), REFUSAL_NONE);
    memset(act.blob, 0, sizeof act.blob); /* the others' */
    assert_int_equal(policy_act(&c, &act, author, 0), REFUSAL_DUPLICATE);
    for (size_t i = 0; i < ENTRY_INPUTS_MAX; i++)
        c.contributions[i].withdrawn = true;
    assert_int_equal(policy_act(&c, &act, author, 0), REFUSAL_NONE);
    manifest_free(c.manifest);
    free(c.contributions);
    world_free(w);
}

/* The host's clock at a start binds nobody's acts. */
static void a_start_dated_far_ahead_holds_no_act_up(void **state)
{
    (void)state;
    struct state s;
    struct entry *e = calloc(1, sizeof *e);
    const uint8_t nobody[32] = {0};
    assert_non_null(e);
    CHECK_OK(state_init(&s, NULL, NULL));
    e->kind = ENTRY_ENCLAVE;
    e->time_ms = 4102444800000; /* 2100 */
    CHECK_OK(state_apply(&s, e, NULL, nobody, (struct span){0}));
    CHECK(s.boots == 1 && s.last_time_ms == 0);
    state_clear(&s);
    free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_that_keeps_the_rules_has_no_breach),
        cmocka_unit_test(every_planted_lie_is_found_by_its_rule),
        cmocka_unit_test(an_act_put_in_twice_is_found),
        cmocka_unit_test(a_run_ended_twice_is_found),
        cmocka_unit_test(an_entry_that_holds_too_much_ends_the_audit_with_a_breach),
        cmocka_unit_test(how_many_runs_wait_is_no_rule_of_the_log),
        cmocka_unit_test(more_runs_than_the_quota_are_found),
        cmocka_unit_test(withdrawn_rows_in_a_later_answer_are_found),
        cmocka_unit_test(an_act_whose_author_saw_another_log_is_found),
        cmocka_unit_test(acts_on_a_closed_contract_are_found),
        cmocka_unit_test(contributions_that_stand_are_counted_and_no_others),
        cmocka_unit_test(a_start_dated_far_ahead_holds_no_act_up),
        cmocka_unit_test(any_flipped_bit_of_an_entry_breaks_the_log),
        cmocka_unit_test(entries_left_out_or_swapped_break_the_log),
        cmocka_unit_test(a_lost_manifest_is_said_and_nothing_under_it_is_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
