/* What was written into acts, entries, replies, bodies, packages and frames is what is read, up
 * to the limits and not beyond. That each is taken whole only is test_wire.c's. */
#include "common/wire/cbor.h"
#include "common/wire/entry.h"
#include "common/wire/frame.h"
#include "common/wire/message.h"
#include "common/wire/package.h"
#include "common/wire/rerun.h"
#include "common/wire/refusal.h"
#include "tests/check.h"

static void fill(uint8_t *at, size_t len, unsigned start)
{
    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)(start + i * 7);
}

static void truncations_are_refused(struct span whole, apex_status (*parse)(struct span))
{
    uint8_t more[4096];
    CHECK_OK(parse(whole));
    CHECK_OK(cbor_check(whole));
    for (size_t len = 0; len < whole.len; len++)
        CHECK(parse(span_of(whole.data, len)) != APEX_OK);
    CHECK(whole.len < sizeof more);
    memcpy(more, whole.data, whole.len);
    for (int byte = 0; byte < 256; byte++) {
        more[whole.len] = (uint8_t)byte;
        CHECK_STATUS(parse(span_of(more, whole.len + 1)), APEX_E_FORMAT);
    }
}

static void an_act_is_read_as_it_was_written(void **state)
{
    (void)state;
    static const enum act_kind kinds[] = {ACT_DEPLOY,   ACT_ACCEPT, ACT_CONTRIBUTE,
                                          ACT_WITHDRAW, ACT_RUN,    ACT_CLOSE};
    for (size_t i = 0; i < 2 * sizeof kinds / sizeof *kinds; i++) {
        BUFFER_CLEARED b = {0};
        struct act a = {.kind = kinds[i / 2],
                        .time_ms = UINT64_MAX - i,
                        .seen_size = 1 + i,
                        .index = 70000},
                   got;
        bool named = a.kind == ACT_CONTRIBUTE || a.kind == ACT_RUN;
        fill(a.address, 32, 1);
        fill(a.nonce, ACT_NONCE_LEN, 2);
        fill(a.seen_root, 32, 3);
        fill(a.blob, 32, 4);
        fill(a.request_digest, 32, 5);
        fill(a.rows, 32, 6);
        a.name = SPAN_TEXT("customers");
        a.has_rows = a.kind == ACT_RUN && i % 2;
        act_write(&a, &b);
        CHECK_OK(act_parse(buffer_span(&b), &got));
        CHECK(got.kind == a.kind && got.time_ms == a.time_ms && got.seen_size == a.seen_size &&
              got.has_rows == a.has_rows);
        assert_memory_equal(got.address, a.address, 32);
        assert_memory_equal(got.nonce, a.nonce, ACT_NONCE_LEN);
        assert_memory_equal(got.seen_root, a.seen_root, 32);
        CHECK(!named || (span_equal(got.name, a.name) && memcmp(got.blob, a.blob, 32) == 0));
        CHECK(a.kind != ACT_RUN || memcmp(got.request_digest, a.request_digest, 32) == 0);
        CHECK(!a.has_rows || memcmp(got.rows, a.rows, 32) == 0);
        CHECK(a.kind != ACT_WITHDRAW || got.index == a.index);
    }
}

/* A copy of `in` with the only occurrence of the bytes `from` made `to`. */
static struct span edited(struct span in, struct span from, struct span to,
                          uint8_t out[static 4096])
{
    const uint8_t *at = memmem(in.data, in.len, from.data, from.len);
    assert_non_null(at);
    size_t before = (size_t)(at - in.data), after = in.len - before - from.len;
    CHECK(in.len - from.len + to.len < 4096);
    memcpy(out, in.data, before);
    memcpy(out + before, to.data, to.len);
    memcpy(out + before + to.len, at + from.len, after);
    return span_of(out, before + to.len + after);
}

static void an_act_of_another_name_kind_or_length_is_refused(void **state)
{
    (void)state;
    BUFFER_CLEARED b = {0};
    struct act a = {.kind = ACT_RUN, .time_ms = 1, .name = SPAN_TEXT("sites")}, got;
    uint8_t out[4096];
    char lengthy[67] = {0x78, 65};
    memset(lengthy + 2, 'x', 65);
    act_write(&a, &b);
    struct span whole = buffer_span(&b), name = SPAN_TEXT("\x65sites");
    CHECK_OK(act_parse(edited(whole, name, SPAN_TEXT("\x66sitess"), out), &got));
    static const char *const kinds[] = {"\x02\x00", "\x02\x06", "\x02\x07",
                                        "\x02\x09", "\x02\x0a", "\x02\x18\x64"};
    for (size_t i = 0; i < 6; i++) {
        struct span kind = i ? span_text(kinds[i]) : SPAN_TEXT("\x02\x00");
        CHECK_STATUS(act_parse(edited(whole, SPAN_TEXT("\x02\x05\x03"), kind, out), &got),
                     APEX_E_FORMAT);
    }
    CHECK_STATUS(act_parse(edited(whole, SPAN_TEXT("act/v1"), SPAN_TEXT("act/v2"), out), &got),
                 APEX_E_FORMAT);
    CHECK_STATUS(act_parse(edited(whole, name, SPAN_TEXT("\x60"), out), &got), APEX_E_FORMAT);
    CHECK_STATUS(act_parse(edited(whole, name, SPAN(lengthy), out), &got), APEX_E_FORMAT);
    CHECK_STATUS(act_parse(edited(whole, name, SPAN_TEXT("\x45sites"), out), &got),
                 APEX_E_FORMAT); /* bytes, not text */
    CHECK_STATUS(act_parse(edited(whole, name, SPAN_TEXT("\x65s\xc3tes"), out), &got),
                 APEX_E_FORMAT);
    CHECK_STATUS(
        act_parse(edited(whole, SPAN_TEXT("\x04\x01"), SPAN_TEXT("\x04\x18\x01"), out), &got),
        APEX_E_FORMAT); /* a longer head */
}

static struct entry entry, entry_got; /* large */

static void an_entry_is_read_as_it_was_written(void **state)
{
    (void)state;
    BUFFER_CLEARED b = {0};
    entry = (struct entry){.kind = ENTRY_RESULT,
                           .index = 5,
                           .time_ms = 6,
                           .has_address = true,
                           .run = 4,
                           .has_rows = true,
                           .has_model = true,
                           .used_model = true,
                           .model_run = 3,
                           .n_inputs = ENTRY_INPUTS_MAX,
                           .n_recipients = ENTRY_RECIPIENTS_MAX};
    fill(entry.address, 32, 1);
    fill(entry.output, 32, 2);
    fill(entry.program, 32, 3);
    fill(entry.request, 32, 4);
    fill(entry.rows, 32, 5);
    fill(entry.model, 32, 6);
    for (size_t i = 0; i < entry.n_inputs; i++) {
        entry.inputs[i].index = i * i * 1000;
        fill(entry.inputs[i].blob, 32, (unsigned)i);
    }
    for (size_t i = 0; i < entry.n_recipients; i++) {
        fill(entry.recipients[i].key, 32, (unsigned)i + 1);
        fill(entry.recipients[i].blob, 32, (unsigned)i + 2);
    }
    entry_write(&entry, &b);
    CHECK_OK(cbor_check(buffer_span(&b)));
    CHECK(b.len < 65535 - 200); /* the largest result fits a log entry */
    CHECK_OK(entry_parse(buffer_span(&b), &entry_got));
    assert_memory_equal(&entry, &entry_got, sizeof entry);
    buffer_clear(&b);
    entry = (struct entry){.kind = ENTRY_REFUSE,
                           .index = 1,
                           .has_address = true,
                           .run = 9,
                           .state = 2,
                           .code = 33,
                           .detail = SPAN_TEXT("why")};
    entry_write(&entry, &b);
    CHECK_OK(entry_parse(buffer_span(&b), &entry_got));
    CHECK(entry_got.run == 9 && entry_got.state == 2 && entry_got.code == 33 &&
          span_equal(entry_got.detail, entry.detail));
    buffer_clear(&b);
    entry = (struct entry){.kind = ENTRY_ENCLAVE,
                           .evidence = SPAN_TEXT("evidence"),
                           .identity = {1},
                           .identity_seal = {2},
                           .log_key = {3},
                           .chain_key = {4}};
    entry_write(&entry, &b);
    CHECK_OK(entry_parse(buffer_span(&b), &entry_got));
    CHECK(!entry_got.has_address && span_equal(entry_got.evidence, entry.evidence) &&
          entry_got.identity[0] == 1 && entry_got.identity_seal[0] == 2 &&
          entry_got.log_key[0] == 3 && entry_got.chain_key[0] == 4);
    buffer_clear(&b);
    entry = (struct entry){.kind = ACT_RUN, .has_address = true, .act = SPAN_TEXT("act")};
    entry_write(&entry, &b);
    CHECK_OK(entry_parse(buffer_span(&b), &entry_got));
    CHECK(span_equal(entry_got.act, entry.act));
}

static void an_entry_whose_parts_do_not_go_together_is_refused(void **state)
{
    (void)state;
    static char detail[ENTRY_DETAIL_MAX + 1];
    memset(detail, 'd', sizeof detail);
    const struct entry refuse = {
        .kind = ENTRY_REFUSE, .has_address = true, .state = 1, .code = 1};
    static const struct {
        size_t detail;
        unsigned state, code;
        apex_status status;
    } refusals[] = {{ENTRY_DETAIL_MAX, 1, 255, APEX_OK},
                    {ENTRY_DETAIL_MAX + 1, 1, 1, APEX_E_FORMAT},
                    {0, 0, 1, APEX_E_FORMAT},
                    {0, 3, 1, APEX_E_FORMAT},
                    {0, 1, 0, APEX_E_FORMAT},
                    {0, 1, 256, APEX_E_FORMAT}};
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        BUFFER_CLEARED b = {0};
        entry = refuse;
        entry.detail = span_of(detail, refusals[i].detail);
        entry.state = refusals[i].state;
        entry.code = refusals[i].code;
        entry_write(&entry, &b);
        CHECK_STATUS(entry_parse(buffer_span(&b), &entry_got), refusals[i].status);
    }
    static const struct entry odd[] = {
        {.kind = 0, .has_address = true},
        {.kind = 10, .has_address = true},
        {.kind = ACT_RUN, .has_address = true} /* no act */,
        {.kind = ACT_RUN, .act = {(const uint8_t *)"a", 1}} /* no address */,
        {.kind = ENTRY_REFUSE,
         .has_address = true,
         .act = {(const uint8_t *)"a", 1},
         .state = 1,
         .code = 1},
        {.kind = ENTRY_REFUSE, .state = 1, .code = 1},
        {.kind = ENTRY_ENCLAVE, .has_address = true},
        {.kind = ENTRY_RESULT}};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        BUFFER_CLEARED b = {0};
        entry_write(&odd[i], &b);
        CHECK_STATUS(entry_parse(buffer_span(&b), &entry_got), APEX_E_FORMAT);
    }
}

static void queries_are_read_as_written_and_by_their_type_alone(void **state)
{
    (void)state;
    for (int type = MESSAGE_ATTEST; type <= MESSAGE_STATEMENT; type++) {
        bool of_place = type == MESSAGE_PROVE || type == MESSAGE_STATEMENT;
        for (int with = 0; with < 2; with++) {
            BUFFER_CLEARED b = {0};
            struct query q = {.old_size = 300,
                              .index = 77,
                              .has_index = of_place && with,
                              .chain_id = 31337,
                              .registry = {4},
                              .payee = {5}},
                         got;
            fill(q.nonce, 32, 1);
            fill(q.address, 32, 2);
            fill(q.old_root, 32, 3);
            query_write((enum message_type)type, &q, &b);
            CHECK_OK(cbor_check(buffer_span(&b)));
            CHECK_OK(query_parse((enum message_type)type, buffer_span(&b), &got));
            assert_memory_equal(got.nonce, q.nonce, 32);
            CHECK(type != MESSAGE_CONTRACT || memcmp(got.address, q.address, 32) == 0);
            CHECK(type != MESSAGE_STATEMENT ||
                  (got.chain_id == 31337 && got.registry[0] == 4 && got.payee[0] == 5));
            CHECK(!of_place ||
                  (got.old_size == 300 && memcmp(got.old_root, q.old_root, 32) == 0 &&
                   got.has_index == q.has_index));
            CHECK((type != MESSAGE_RUN && !q.has_index) || got.index == 77);
            for (int other = 0; other <= 8; other++)
                if (other != type)
                    CHECK_STATUS(query_parse((enum message_type)other, buffer_span(&b), &got),
                                 APEX_E_FORMAT);
            for (size_t len = 0; len < b.len; len++)
                CHECK_STATUS(query_parse((enum message_type)type, span_of(b.data, len), &got),
                             APEX_E_FORMAT);
            buffer_u8(&b, 0);
            CHECK_STATUS(query_parse((enum message_type)type, buffer_span(&b), &got),
                         APEX_E_FORMAT);
        }
    }
}

static apex_status message_only(struct span b)
{
    struct message m;
    return message_parse(b, &m);
}

static apex_status reply_only(struct span b)
{
    struct reply r;
    return reply_parse(b, &r);
}

static apex_status rerun_only(struct span b)
{
    struct rerun r;
    return rerun_parse(b, &r);
}

static apex_status body_rerun_only(struct span b)
{
    struct body_rerun r;
    return body_rerun_parse(b, &r);
}

static void a_demand_to_compute_again_and_its_answer_are_read_as_written(void **state)
{
    const struct rerun r = {.address = {1, 2, 3}, .run = 77, .time_ms = 1795000000000};
    const struct body_rerun a = {.same = true, .output = {4, 5}, .result = 78};
    struct rerun got;
    struct body_rerun answer;
    BUFFER_CLEARED demand = {0};
    BUFFER_CLEARED body = {0};
    (void)state;
    rerun_write(&r, &demand);
    body_rerun_write(&a, &body);
    CHECK_OK(rerun_parse(buffer_span(&demand), &got));
    CHECK(got.run == 77 && got.time_ms == r.time_ms && memcmp(got.address, r.address, 32) == 0);
    CHECK_OK(body_rerun_parse(buffer_span(&body), &answer));
    CHECK(answer.same && answer.result == 78 && memcmp(answer.output, a.output, 32) == 0);
    truncations_are_refused(buffer_span(&demand), rerun_only);
    truncations_are_refused(buffer_span(&body), body_rerun_only);
}

static void messages_and_replies_are_read_as_written(void **state)
{
    (void)state;
    for (int type = 0; type <= MESSAGE_RERUN + 1; type++) {
        BUFFER_CLEARED b = {0};
        struct message m;
        message_write((enum message_type)type, SPAN_TEXT("body"), &b);
        bool known = type >= MESSAGE_ACT && type <= MESSAGE_RERUN;
        CHECK_STATUS(message_parse(buffer_span(&b), &m), known ? APEX_OK : APEX_E_FORMAT);
        if (!known) continue;
        CHECK((int)m.type == type && span_equal(m.body, SPAN_TEXT("body")));
        truncations_are_refused(buffer_span(&b), message_only);
    }
    static const struct {
        apex_status status;
        unsigned code;
        const char *body;
        bool good;
    } cases[] = {{APEX_OK, 0, "body", true},
                 {APEX_OK, 0, "", true},
                 {APEX_E_REFUSED, 9, "", true},
                 {APEX_E_BUG, 40, "", true},
                 {APEX_OK, 1, "", false},
                 {APEX_E_REFUSED, 0, "", false},
                 {APEX_E_REFUSED, 9, "body", false},
                 {APEX_E_REFUSED, 256, "", false},
                 {(apex_status)(APEX_E_BUG + 1), 1, "", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        BUFFER_CLEARED b = {0};
        struct reply r = {.status = cases[i].status,
                          .code = cases[i].code,
                          .body = span_text(cases[i].body),
                          .detail = SPAN_TEXT("d"),
                          .sealed = SPAN_TEXT("s")},
                     got;
        fill(r.message_digest, 32, 9);
        reply_write(&r, &b);
        CHECK_STATUS(reply_parse(buffer_span(&b), &got),
                     cases[i].good ? APEX_OK : APEX_E_FORMAT);
        if (!cases[i].good) continue;
        CHECK(got.status == r.status && got.code == r.code && span_equal(got.body, r.body) &&
              span_equal(got.detail, r.detail) && span_equal(got.sealed, r.sealed));
        assert_memory_equal(got.message_digest, r.message_digest, 32);
        truncations_are_refused(buffer_span(&b), reply_only);
    }
}

static void proof_make(struct wire_proof *p, size_t n_consistency, size_t n_inclusion)
{
    p->note = SPAN_TEXT("note");
    p->n_consistency = n_consistency;
    p->n_inclusion = n_inclusion;
    for (size_t i = 0; i < PROOF_HASHES_MAX; i++) {
        fill(p->consistency[i], 32, (unsigned)i);
        fill(p->inclusion[i], 32, (unsigned)i + 100);
    }
}

static bool proofs_equal(const struct wire_proof *a, const struct wire_proof *b)
{
    return span_equal(a->note, b->note) && a->n_consistency == b->n_consistency &&
           a->n_inclusion == b->n_inclusion &&
           memcmp(a->consistency, b->consistency, 32 * a->n_consistency) == 0 &&
           memcmp(a->inclusion, b->inclusion, 32 * a->n_inclusion) == 0;
}

static uint64_t indexes[CONTRACT_ENTRIES_MAX + 1];
static struct body_act act_body;
static struct body_attest attest_body;
static struct body_contract contract_body = {.entries = indexes};
static struct body_prove prove_body;

static apex_status body_act_only(struct span b)
{
    return body_act_parse(b, &act_body);
}
static apex_status body_attest_only(struct span b)
{
    return body_attest_parse(b, &attest_body);
}
static apex_status body_contract_only(struct span b)
{
    return body_contract_parse(b, &contract_body);
}
static apex_status body_statement_only(struct span b)
{
    static struct body_statement s;
    return body_statement_parse(b, &s);
}

static apex_status body_prove_only(struct span b)
{
    return body_prove_parse(b, &prove_body);
}

static void bodies_are_read_as_written_and_taken_whole_only(void **state)
{
    (void)state;
    static struct wire_proof proof;
    uint64_t entries[] = {0, 1, 300, UINT64_MAX};
    proof_make(&proof, 5, 7);
    BUFFER_CLEARED act = {0}, attest = {0}, contract = {0}, prove = {0};
    body_act_write(&(struct body_act){.index = 4, .entry = SPAN_TEXT("entry"), .proof = proof},
                   &act);
    truncations_are_refused(buffer_span(&act), body_act_only);
    CHECK_OK(body_act_parse(buffer_span(&act), &act_body));
    CHECK(act_body.index == 4 && span_equal(act_body.entry, SPAN_TEXT("entry")) &&
          proofs_equal(&act_body.proof, &proof));

    body_attest_write(
        &(struct body_attest){
            SPAN_TEXT("evidence"), {1}, {2}, {3}, {4}, SPAN_TEXT("origin"), proof},
        &attest);
    truncations_are_refused(buffer_span(&attest), body_attest_only);
    CHECK_OK(body_attest_parse(buffer_span(&attest), &attest_body));
    CHECK(span_equal(attest_body.evidence, SPAN_TEXT("evidence")) &&
          span_equal(attest_body.origin, SPAN_TEXT("origin")) &&
          proofs_equal(&attest_body.proof, &proof));
    CHECK(attest_body.identity[0] == 1 && attest_body.identity_seal[0] == 2 &&
          attest_body.log_key[0] == 3 && attest_body.chain_key[0] == 4);

    body_contract_write(&(struct body_contract){{7}, CONTRACT_CLOSED, 4, entries, proof},
                        &contract);
    truncations_are_refused(buffer_span(&contract), body_contract_only);
    CHECK_OK(body_contract_parse(buffer_span(&contract), &contract_body));
    CHECK(contract_body.key[0] == 7 && contract_body.state == CONTRACT_CLOSED &&
          contract_body.n_entries == 4 && proofs_equal(&contract_body.proof, &proof));
    assert_memory_equal(contract_body.entries, entries, sizeof entries);

    body_prove_write(&(struct body_prove){SPAN_TEXT("entry"), proof}, &prove);
    truncations_are_refused(buffer_span(&prove), body_prove_only);
    CHECK_OK(body_prove_parse(buffer_span(&prove), &prove_body));
    CHECK(span_equal(prove_body.entry, SPAN_TEXT("entry")) &&
          proofs_equal(&prove_body.proof, &proof));
}

static void statements_are_read_as_written_and_in_whole_words(void **state)
{
    (void)state;
    static const uint8_t words[STATEMENT_WORDS_LEN_MAX + 32] = {7};
    static struct body_statement got;
    struct body_statement s = {.kind = 5, .r = {1}, .s = {2}, .parity = 1};
    proof_make(&s.proof, 3, 0);
    for (size_t len = 0; len <= sizeof words; len++) {
        BUFFER_CLEARED b = {0};
        s.words = span_of(words, len);
        body_statement_write(&s, &b);
        bool good = len % 32 == 0 && len <= STATEMENT_WORDS_LEN_MAX;
        CHECK_STATUS(body_statement_parse(buffer_span(&b), &got),
                     good ? APEX_OK : APEX_E_FORMAT);
        if (!good || len > 64) continue;
        CHECK(got.kind == 5 && span_equal(got.words, s.words) && got.r[0] == 1 &&
              got.s[0] == 2 && got.parity == 1 && proofs_equal(&got.proof, &s.proof));
        truncations_are_refused(buffer_span(&b), body_statement_only);
    }
    BUFFER_CLEARED b = {0};
    s.words = span_of(words, 32);
    s.parity = 2;
    body_statement_write(&s, &b);
    CHECK_STATUS(body_statement_parse(buffer_span(&b), &got), APEX_E_FORMAT);
}

static void counts_are_bounded_before_anything_is_copied(void **state)
{
    (void)state;
    static struct wire_proof proof;
    proof_make(&proof, PROOF_HASHES_MAX, PROOF_HASHES_MAX);
    BUFFER_CLEARED most = {0}, over = {0}, contract = {0};
    body_prove_write(&(struct body_prove){.proof = proof}, &most);
    CHECK_OK(body_prove_only(buffer_span(&most)));
    /* By hand: {1: h'', 2: {1: h'', 2: [65 hashes], 3: []}} */
    cbor_put_map(&over, 2);
    cbor_put_uint(&over, 1);
    cbor_put_bytes(&over, (struct span){0});
    cbor_put_uint(&over, 2);
    cbor_put_map(&over, 3);
    cbor_put_uint(&over, 1);
    cbor_put_bytes(&over, (struct span){0});
    cbor_put_uint(&over, 2);
    cbor_put_array(&over, PROOF_HASHES_MAX + 1);
    for (size_t i = 0; i <= PROOF_HASHES_MAX; i++)
        cbor_put_bytes(&over, span_of(proof.consistency[0], 32));
    cbor_put_uint(&over, 3);
    cbor_put_array(&over, 0);
    CHECK_OK(cbor_check(buffer_span(&over)));
    CHECK_STATUS(body_prove_only(buffer_span(&over)), APEX_E_LIMIT);
    for (size_t i = 0; i <= CONTRACT_ENTRIES_MAX; i++)
        indexes[i] = i;
    proof.n_consistency = proof.n_inclusion = 0;
    for (size_t n = CONTRACT_ENTRIES_MAX; n <= CONTRACT_ENTRIES_MAX + 1; n++) {
        contract.len = 0;
        for (size_t i = 0; i <= CONTRACT_ENTRIES_MAX; i++)
            indexes[i] = i;
        body_contract_write(&(struct body_contract){{7}, CONTRACT_ACTIVE, n, indexes, proof},
                            &contract);
        CHECK_STATUS(body_contract_only(buffer_span(&contract)),
                     n <= CONTRACT_ENTRIES_MAX ? APEX_OK : APEX_E_LIMIT);
    }
}

static void a_contracts_entries_ascend_and_its_state_is_known(void **state)
{
    (void)state;
    static uint64_t orders[][2] = {{1, 2}, {2, 1}, {1, 1}};
    static const struct wire_proof proof;
    for (size_t i = 0; i < 3; i++) {
        BUFFER_CLEARED b = {0};
        body_contract_write(&(struct body_contract){{7}, CONTRACT_ACTIVE, 2, orders[i], proof},
                            &b);
        CHECK_STATUS(body_contract_only(buffer_span(&b)), i == 0 ? APEX_OK : APEX_E_FORMAT);
    }
    for (int s = 0; s <= 5; s++) {
        BUFFER_CLEARED b = {0};
        body_contract_write(
            &(struct body_contract){{7}, (enum contract_state)s, 0, NULL, proof}, &b);
        CHECK_STATUS(body_contract_only(buffer_span(&b)),
                     s >= 1 && s <= 4 ? APEX_OK : APEX_E_FORMAT);
    }
}

static void a_runs_progress_is_read_as_written(void **state)
{
    (void)state;
    static const struct {
        int state;
        unsigned permille;
        bool good;
    } cases[] = {{1, 0, true},  {5, 1000, true}, {3, 1, true},
                 {0, 0, false}, {6, 0, false},   {2, 1001, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        BUFFER_CLEARED b = {0};
        struct body_run r = {(enum run_state)cases[i].state, 123456, cases[i].permille}, got;
        body_run_write(&r, &b);
        CHECK_STATUS(body_run_parse(buffer_span(&b), &got),
                     cases[i].good ? APEX_OK : APEX_E_FORMAT);
        if (cases[i].good)
            CHECK(got.state == r.state && got.index == r.index && got.permille == r.permille);
    }
}

static apex_status package_only(struct span b)
{
    struct result_package p;
    return result_package_parse(b, &p);
}

static void packages_and_table_secrets_are_read_as_written(void **state)
{
    (void)state;
    BUFFER_CLEARED b = {0};
    struct result_package p = {.run = 9,
                               .function = SPAN_TEXT("sites"),
                               .request = SPAN_TEXT("request"),
                               .output = SPAN_TEXT("{}")},
                          got;
    fill(p.address, 32, 1);
    result_package_write(&p, &b);
    truncations_are_refused(buffer_span(&b), package_only);
    CHECK_OK(result_package_parse(buffer_span(&b), &got));
    CHECK(got.run == 9 && span_equal(got.function, p.function) &&
          span_equal(got.request, p.request) && span_equal(got.output, p.output));
    assert_memory_equal(got.address, p.address, 32);
    static const struct {
        uint64_t rows, groups;
        bool good;
    } cases[] = {{1, 1, true},  {UINT64_MAX, 5, true}, {0, 0, false},
                 {1, 0, false}, {0, 1, false},         {1, 2, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t bytes[TABLE_SECRET_LEN];
        struct table_secret s = {.n_rows = cases[i].rows, .n_groups = cases[i].groups}, again;
        fill(s.key, 32, 1);
        fill(s.digest, 32, 2);
        table_secret_write(&s, bytes);
        CHECK_STATUS(table_secret_parse(bytes, &again),
                     cases[i].good ? APEX_OK : APEX_E_FORMAT);
        if (cases[i].good) assert_memory_equal(&s, &again, sizeof s);
    }
}

static void seal_info_binds_purpose_address_and_author(void **state)
{
    (void)state;
    uint8_t info[INFO_MAX], address[32], key[32], more[INFO_MAX] = {0};
    fill(address, 32, 1);
    fill(key, 32, 2);
    CHECK(seal_info("apex/request/v1", address, SPAN(key), info) == 15 + 64);
    CHECK(memcmp(info, "apex/request/v1", 15) == 0 && memcmp(info + 15, address, 32) == 0 &&
          memcmp(info + 47, key, 32) == 0);
    CHECK(seal_info("apex/result/v1", address, (struct span){0}, info) == 46);
    CHECK(seal_info("x", address, span_of(more, INFO_MAX - 33), info) == INFO_MAX);
    CHECK(seal_info("x", address, span_of(more, INFO_MAX - 32), info) == 0);
}

static void frames_are_read_as_written_and_bounded(void **state)
{
    (void)state;
    static uint8_t big[FRAME_MAX];
    enum frame_type type;
    uint32_t id;
    size_t len;
    for (int t = 0; t <= 6; t++) {
        BUFFER_CLEARED b = {0};
        frame_write(&(struct frame){(enum frame_type)t, 0xfedcba98, SPAN_TEXT("payload")}, &b);
        CHECK(b.len == FRAME_HEAD_LEN + 7 &&
              memcmp(b.data + FRAME_HEAD_LEN, "payload", 7) == 0);
        bool known = t >= FRAME_MESSAGE && t <= FRAME_EVENT;
        CHECK_STATUS(frame_head_parse(b.data, &type, &id, &len),
                     known ? APEX_OK : APEX_E_FORMAT);
        if (known) CHECK((int)type == t && id == 0xfedcba98 && len == 7);
    }
    for (size_t over = 0; over < 2; over++) {
        BUFFER_CLEARED b = {0};
        frame_write(&(struct frame){FRAME_CALL, 1, span_of(big, FRAME_MAX - 5 + over)}, &b);
        CHECK_STATUS(buffer_ok(&b), over ? APEX_E_LIMIT : APEX_OK);
        if (!over) CHECK_OK(frame_head_parse(b.data, &type, &id, &len));
    }
    static const uint8_t heads[][FRAME_HEAD_LEN] = {
        {0, 0, 0, 4, 1}, {0, 0, 0, 0, 1}, {0xff, 0xff, 0xff, 0xff, 1}, {0, 0x20, 0, 1, 1}};
    for (size_t i = 0; i < 4; i++)
        CHECK_STATUS(frame_head_parse(heads[i], &type, &id, &len), APEX_E_FORMAT);
}

static void every_refusal_has_words_of_its_own(void **state)
{
    (void)state;
    static const char *names[256];
    size_t n = 0;
#define COUNT(constant, number, text, what, next, who)                                         \
    CHECK(number == n);                                                                        \
    assert_string_equal(refusal_text(number)->name, text);                                     \
    names[n++] = text;
    REFUSALS(COUNT)
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            CHECK(strcmp(names[i], names[k]) != 0);
    for (unsigned code = (unsigned)n; code < 300; code++)
        assert_string_equal(refusal_text(code)->name, "internal");
    assert_string_equal(refusal_text(UINT32_MAX)->name, "internal");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_act_is_read_as_it_was_written),
        cmocka_unit_test(an_act_of_another_name_kind_or_length_is_refused),
        cmocka_unit_test(an_entry_is_read_as_it_was_written),
        cmocka_unit_test(an_entry_whose_parts_do_not_go_together_is_refused),
        cmocka_unit_test(queries_are_read_as_written_and_by_their_type_alone),
        cmocka_unit_test(messages_and_replies_are_read_as_written),
        cmocka_unit_test(a_demand_to_compute_again_and_its_answer_are_read_as_written),
        cmocka_unit_test(bodies_are_read_as_written_and_taken_whole_only),
        cmocka_unit_test(statements_are_read_as_written_and_in_whole_words),
        cmocka_unit_test(counts_are_bounded_before_anything_is_copied),
        cmocka_unit_test(a_contracts_entries_ascend_and_its_state_is_known),
        cmocka_unit_test(a_runs_progress_is_read_as_written),
        cmocka_unit_test(packages_and_table_secrets_are_read_as_written),
        cmocka_unit_test(seal_info_binds_purpose_address_and_author),
        cmocka_unit_test(frames_are_read_as_written_and_bounded),
        cmocka_unit_test(every_refusal_has_words_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
