/* Who is a peer, judged without a host: the conversation itself is tests/e2e/handover.py's. */
#include "common/crypto/random.h"
#include "common/wire/peer.h"
#include "enclave/core/hand_over.h"
#include "enclave/core/recovery_policy.h"
#include "enclave/core/transcript.h"
#include "enclave/tee/machine.h"
#include "tests/check.h"

#include <stdio.h>
#include <unistd.h>

/* An enclave that stands alone: keys, evidence of a sim, and a policy of `kind`. */
static void core_make(struct core *core, struct tee *tee, const char *kind, bool has_root)
{
    struct root_secret root = {{7}};
    uint8_t report_data[REPORT_DATA_LEN];
    *core = (struct core){0};
    pthread_mutex_init(&core->lock, NULL);
    CHECK_OK(keys_new(&core->keys));
    if (has_root) CHECK_OK(keys_root(core->keys, &root));
    CHECK_OK(tee_open("sim", NULL, &core->tee));
    attest_report_data(&core->keys->public_keys, report_data);
    CHECK_OK(tee_quote(core->tee, report_data, clock_ms(), &core->evidence));
    if (strcmp(kind, "sim") != 0) {
        *tee = (struct tee){.measurement_len = strcmp(kind, "tdx") == 0 ? 144 : 48};
        snprintf(tee->kind, sizeof tee->kind, "%s", kind);
        tee_close(core->tee);
        core->tee = tee;
    }
    CHECK_OK(hand_over_new(core->tee, (struct span){0}, &core->hand_over));
}

static void core_drop(struct core *core, const struct tee *tee)
{
    if (core->tee != tee) tee_close(core->tee);
    hand_over_free(core->hand_over);
    buffer_clear(&core->evidence);
    keys_free(core->keys);
    pthread_mutex_destroy(&core->lock);
}

static void outcome_clear(struct outcome *o)
{
    buffer_clear(&o->body);
    *o = (struct outcome){0};
}

static void an_enclave_on_hardware_gives_nothing_to_a_simulated_one(void **state)
{
    static const char *const kinds[] = {"sev-snp", "tdx", "nitro"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct core giver, newcomer;
        struct tee hardware;
        struct outcome hello = {0}, offer = {0}, grant = {0};
        core_make(&giver, &hardware, kinds[i], true);
        core_make(&newcomer, NULL, "sim", false);
        assert_int_equal(hand_over_hello(&giver, &hello), REFUSAL_NONE);
        assert_int_equal(hand_over_join(&newcomer, buffer_span(&hello.body), &offer),
                         REFUSAL_NONE);
        assert_int_equal(hand_over_admit(&giver, buffer_span(&offer.body), &grant),
                         REFUSAL_PEER);
        assert_non_null(strstr(grant.detail, "the policy does not name sim"));
        CHECK(grant.body.len == 0);
        outcome_clear(&hello);
        outcome_clear(&offer);
        core_drop(&giver, &hardware);
        core_drop(&newcomer, NULL);
    }
}

static void an_enclave_on_hardware_takes_nothing_from_a_simulated_one(void **state)
{
    struct core giver, newcomer;
    struct tee hardware;
    struct outcome hello = {0}, offer = {0};
    (void)state;
    core_make(&giver, NULL, "sim", true);
    core_make(&newcomer, &hardware, "sev-snp", false);
    assert_int_equal(hand_over_hello(&giver, &hello), REFUSAL_NONE);
    assert_int_equal(hand_over_join(&newcomer, buffer_span(&hello.body), &offer), REFUSAL_PEER);
    assert_non_null(strstr(offer.detail, "the policy does not name sim"));
    CHECK(offer.body.len == 0);
    outcome_clear(&hello);
    core_drop(&giver, NULL);
    core_drop(&newcomer, &hardware);
}

static void a_greeting_with_any_byte_changed_makes_no_peer(void **state)
{
    struct core giver, newcomer;
    struct outcome hello = {0}, offer = {0};
    size_t taken = 0;
    (void)state;
    core_make(&giver, NULL, "sim", true);
    core_make(&newcomer, NULL, "sim", false);
    assert_int_equal(hand_over_hello(&giver, &hello), REFUSAL_NONE);
    struct peer_hello h;
    CHECK_OK(peer_hello_parse(buffer_span(&hello.body), &h));
    size_t nonce_at = hello.body.len - sizeof h.nonce;
    for (size_t at = 0; at < hello.body.len; at++) {
        hello.body.data[at] ^= 1;
        bool fine = hand_over_join(&newcomer, buffer_span(&hello.body), &offer) == REFUSAL_NONE;
        hello.body.data[at] ^= 1;
        outcome_clear(&offer);
        taken += fine;
        /* The nonce is any number; evidence tells its own time, which nothing asks for here. */
        if (fine) CHECK(at >= nonce_at || (at > 100 && at < h.evidence.len + 8));
    }
    CHECK(taken >= sizeof h.nonce && taken <= sizeof h.nonce + 8);
    outcome_clear(&hello);
    core_drop(&giver, NULL);
    core_drop(&newcomer, NULL);
}

static void collateral_put_beside_evidence_leaves_the_transcript_as_it_is(void **state)
{
    struct peer_hello g = {.nonce = {1}};
    struct peer_offer n = {.nonce = {2}};
    uint8_t bare[HASH_LEN], more[HASH_LEN], other[HASH_LEN];
    BUFFER_CLEARED plain = {0};
    BUFFER_CLEARED filled = {0};
    BUFFER_CLEARED another = {0};
    (void)state;
    evidence_write("tdx", SPAN_TEXT("a quote"), (struct span){0}, &plain);
    evidence_write("tdx", SPAN_TEXT("a quote"), SPAN_TEXT("collateral"), &filled);
    evidence_write("tdx", SPAN_TEXT("another"), (struct span){0}, &another);
    g.evidence = n.evidence = buffer_span(&plain);
    CHECK_OK(transcript_make(&g, &n, bare));
    g.evidence = n.evidence = buffer_span(&filled);
    CHECK_OK(transcript_make(&g, &n, more));
    CHECK(memcmp(bare, more, sizeof bare) == 0);
    g.evidence = buffer_span(&another);
    CHECK_OK(transcript_make(&g, &n, other));
    CHECK(memcmp(bare, other, sizeof bare) != 0);
    g.evidence = SPAN_TEXT("no envelope");
    CHECK(transcript_make(&g, &n, other) != APEX_OK);
}

static void the_policy_for_ones_like_reads_for_every_kind_of_machine(void **state)
{
    static const char *const kinds[] = {"sim", "sev-snp", "tdx", "nitro"};
    static const size_t lens[] = {32, 48, 144, 48};
    (void)state;
    for (size_t i = 0; i < 4; i++)
        for (int share = 0; share < (i == 1 ? 2 : 1); share++) {
            struct tee t = {.measurement_len = lens[i], .threads_share = share};
            struct hand_over *h = NULL;
            snprintf(t.kind, sizeof t.kind, "%s", kinds[i]);
            CHECK_OK(hand_over_new(&t, (struct span){0}, &h));
            hand_over_free(h);
            h = NULL;
            CHECK_STATUS(hand_over_new(&t, SPAN_TEXT("{}"), &h), APEX_E_FORMAT);
            CHECK(h == NULL);
        }
}

static void evidence_is_renewed_when_it_is_an_hour_old(void **state)
{
    struct core core;
    BUFFER_CLEARED first = {0};
    (void)state;
    core_make(&core, NULL, "sim", true);
    core.evidence_ms = clock_ms();
    buffer_append(&first, buffer_span(&core.evidence));
    core_evidence_renew(&core, core.evidence_ms + EVIDENCE_AGE_MS - 1);
    CHECK(span_equal(buffer_span(&first), buffer_span(&core.evidence)));
    usleep(2000);                  /* the report tells its time by the millisecond */
    core_evidence_renew(&core, 0); /* a clock set back renews nothing */
    CHECK(span_equal(buffer_span(&first), buffer_span(&core.evidence)));
    core_evidence_renew(&core, core.evidence_ms + EVIDENCE_AGE_MS);
    CHECK(!span_equal(buffer_span(&first), buffer_span(&core.evidence)));
    core_drop(&core, NULL);
}

#define KEY_A "\"dd00000000000000000000000000000000000000000000000000000000000000\""
#define KEY_B "\"ee00000000000000000000000000000000000000000000000000000000000000\""
#define HOLDER(key) "{\"name\": \"a\", \"sign\": " key ", \"seal\": " KEY_B "}"
#define POLICY(m, holders) "{\"apex\": 1, \"threshold\": " m ", \"holders\": [" holders "]}"

static void recovery_policies_say_what_they_mean_or_are_refused(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {POLICY("2", HOLDER(KEY_A) ", " HOLDER(KEY_B)), true},
        {POLICY("1", HOLDER(KEY_A)), true},
        {POLICY("0", HOLDER(KEY_A)), false},
        {POLICY("2", HOLDER(KEY_A)), false},
        {POLICY("1", ""), false},
        {POLICY("1", HOLDER(KEY_A) ", " HOLDER(KEY_A)), false},
        {POLICY("1", "{\"name\": \"a\", \"sign\": " KEY_A "}"), false},
        {POLICY("1", HOLDER("\"dd\"")), false},
        {POLICY("1.5", HOLDER(KEY_A)), false},
        {POLICY("1", HOLDER(KEY_A)) " x", false},
        {"{\"apex\": 2, \"threshold\": 1, \"holders\": [" HOLDER(KEY_A) "]}", false},
        {"{\"apex\": 1, \"threshold\": 1, \"more\": 1, \"holders\": [" HOLDER(KEY_A) "]}",
         false},
        {"", false},
    };
    struct recovery_policy p;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK((recovery_policy_parse(span_text(cases[i].text), &p) == APEX_OK) ==
              cases[i].good);
    CHECK_OK(recovery_policy_parse(span_text(cases[0].text), &p));
    CHECK(p.threshold == 2 && p.n == 2);
    CHECK(recovery_holder(&p, p.holders[1].sign) == 1);
    CHECK(recovery_holder(&p, p.digest) == p.n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_enclave_on_hardware_gives_nothing_to_a_simulated_one),
        cmocka_unit_test(an_enclave_on_hardware_takes_nothing_from_a_simulated_one),
        cmocka_unit_test(a_greeting_with_any_byte_changed_makes_no_peer),
        cmocka_unit_test(collateral_put_beside_evidence_leaves_the_transcript_as_it_is),
        cmocka_unit_test(the_policy_for_ones_like_reads_for_every_kind_of_machine),
        cmocka_unit_test(evidence_is_renewed_when_it_is_an_hour_old),
        cmocka_unit_test(recovery_policies_say_what_they_mean_or_are_refused),
    };
    return crypto_init() == APEX_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
