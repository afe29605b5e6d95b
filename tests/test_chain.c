/* Statements, calls, RLP and transactions beside viem's (tests/chain/vectors.mjs); replies of
 * an RPC as a liar would form them. */
#include "tests/check.h"

#include "common/base/hex.h"
#include "common/chain/abi.h"
#include "common/chain/chain.h"
#include "common/chain/rlp.h"
#include "common/chain/tx.h"
#include "common/crypto/keccak.h"
#include "common/crypto/random.h"
#include "tests/chain/vectors.h"

#include <stdlib.h>

static void hex_of(const char *text, uint8_t *out, size_t len)
{
    CHECK_OK(hex_parse(span_text(text), out, len));
}

static void same_hex(struct span bytes, const char *text)
{
    char *hex = malloc(2 * bytes.len + 1);
    CHECK(hex != NULL);
    hex_write(bytes, hex);
    assert_string_equal(hex, text);
    free(hex);
}

static void named(const char *name, uint8_t digest[static 32])
{
    keccak256(span_text(name), digest);
}

static struct ecdsa_secret secret;
static struct statement all[STATEMENT_RUN + 1];
static struct chain_place place = {.chain_id = 31337};

static int make(void **state)
{
    (void)state;
    uint8_t seed[32];
    struct ecdsa_public key;
    hex_of(V_KEY, seed, 32);
    CHECK_OK(ecdsa_from_seed(seed, &key, &secret));
    hex_of(V_REGISTRY, place.registry, 20);
    for (int kind = STATEMENT_OPEN; kind <= STATEMENT_RUN; kind++) {
        struct statement *s = &all[kind];
        *s = (struct statement){.kind = (enum statement_kind)kind,
                                .origin = SPAN_TEXT("apex-log/0123456789abcdef"),
                                .size = 123456789012,
                                .run = 77};
        hex_of(V_ADDRESS, s->key, 20);
        hex_of(V_PAYEE, s->payee, 20);
        named("log", s->log);
        named("log key", s->log_key);
        named("evidence", s->evidence);
        named("manifest", s->manifest);
        named("program", s->program);
        named("root", s->root);
        named("request", s->request);
        named("inputs", s->inputs);
        named("output", s->output);
    }
    return 0;
}

static void call_of(const struct statement *s, struct buffer *call, uint8_t digest[static 32])
{
    BUFFER_CLEARED words = {0};
    struct ecdsa_signature by;
    struct merkle_proof proof = {.n = 3};
    named("p1", proof.hash[0].bytes);
    named("p2", proof.hash[1].bytes);
    named("p3", proof.hash[2].bytes);
    CHECK_OK(statement_words(s, &words));
    CHECK_OK(statement_digest(s->kind, buffer_span(&words), &place, digest));
    CHECK_OK(ecdsa_sign(&secret, digest, &by));
    CHECK_OK(
        registry_call_statement(s->kind, buffer_span(&words), &by, s->origin, &proof, call));
}

static void statements_are_signed_and_called_as_viem_does_it(void **state)
{
    (void)state;
    static const struct {
        const char *digest, *call;
    } want[] = {[STATEMENT_OPEN] = {V_OPEN_DIGEST, V_OPEN_CALL},
                [STATEMENT_ADMIT] = {V_ADMIT_DIGEST, V_ADMIT_CALL},
                [STATEMENT_CONTRACT] = {V_CONTRACT_DIGEST, V_CONTRACT_CALL},
                [STATEMENT_ANCHOR] = {V_ANCHOR_DIGEST, V_ANCHOR_CALL},
                [STATEMENT_RUN] = {V_RUN_DIGEST, V_RUN_CALL}};
    struct buffer calls[STATEMENT_RUN] = {{0}}, batch = {0};
    for (int kind = STATEMENT_OPEN; kind <= STATEMENT_RUN; kind++) {
        uint8_t digest[32];
        call_of(&all[kind], &calls[kind - 1], digest);
        same_hex(SPAN(digest), want[kind].digest);
        same_hex(buffer_span(&calls[kind - 1]), want[kind].call);
    }
    CHECK_OK(registry_call_batch(calls, STATEMENT_RUN, &batch));
    same_hex(buffer_span(&batch), V_BATCH);
    for (size_t i = 0; i < STATEMENT_RUN; i++)
        buffer_clear(&calls[i]);
    buffer_clear(&batch);
}

static void ids_and_digests_the_register_keeps_are_worked_out_alike(void **state)
{
    (void)state;
    uint8_t id[32];
    BUFFER_CLEARED words = {0};
    statement_log_id(all[1].origin, all[1].log_key, all[1].key, id);
    same_hex(SPAN(id), V_LOG_ID);
    CHECK_OK(statement_words(&all[STATEMENT_RUN], &words));
    CHECK_OK(registry_run_digest(buffer_span(&words), id));
    same_hex(SPAN(id), V_RUN_KEPT);
}

static void any_change_of_a_statement_or_its_place_is_another_digest(void **state)
{
    (void)state;
    for (int kind = STATEMENT_OPEN; kind <= STATEMENT_RUN; kind++) {
        BUFFER_CLEARED words = {0};
        uint8_t digest[32], other[32];
        struct chain_place elsewhere = place;
        CHECK_OK(statement_words(&all[kind], &words));
        CHECK_OK(statement_digest(all[kind].kind, buffer_span(&words), &place, digest));
        for (size_t i = 0; i < words.len; i++) {
            words.data[i] ^= 1;
            CHECK_OK(statement_digest(all[kind].kind, buffer_span(&words), &place, other));
            CHECK(memcmp(digest, other, 32) != 0);
            words.data[i] ^= 1;
        }
        elsewhere.chain_id++;
        CHECK_OK(statement_digest(all[kind].kind, buffer_span(&words), &elsewhere, other));
        CHECK(memcmp(digest, other, 32) != 0);
        elsewhere = place;
        elsewhere.registry[19] ^= 1;
        CHECK_OK(statement_digest(all[kind].kind, buffer_span(&words), &elsewhere, other));
        CHECK(memcmp(digest, other, 32) != 0);
        CHECK_STATUS(statement_digest(all[kind].kind, span_of(words.data, words.len - 32),
                                      &place, other),
                     APEX_E_FORMAT);
    }
    CHECK_STATUS(
        statement_digest((enum statement_kind)0, (struct span){0}, &place, (uint8_t[32]){0}),
        APEX_E_FORMAT);
    CHECK_STATUS(
        statement_digest((enum statement_kind)6, (struct span){0}, &place, (uint8_t[32]){0}),
        APEX_E_FORMAT);
}

static void transactions_and_what_they_create_are_viem_s_to_the_byte(void **state)
{
    (void)state;
    static const char *const raws[] = {V_TX0_RAW, V_TX1_RAW, V_TX2_RAW}, *const hashes[] = {
                                                                             V_TX0_HASH,
                                                                             V_TX1_HASH,
                                                                             V_TX2_HASH};
    uint8_t from[20], created[20], hash[32], call[1024], data[300];
    struct tx txs[] = {{31337, 0, 0, 1, 21000, false, {0}, {0}},
                       {1, 127, 1500000000, 30000000000, 90001, false, {0}, {0}},
                       {4294967297, 1000000, 128, UINT64_MAX, 5000000, true, {0}, SPAN(data)}};
    hex_of(V_PAYEE, txs[0].to, 20);
    hex_of(V_REGISTRY, txs[1].to, 20);
    hex_of(V_ANCHOR_CALL, call, strlen(V_ANCHOR_CALL) / 2);
    txs[1].data = span_of(call, strlen(V_ANCHOR_CALL) / 2);
    memset(data, 0xab, sizeof data);
    for (size_t i = 0; i < 3; i++) {
        BUFFER_CLEARED raw = {0};
        BUFFER_CLEARED again = {0};
        struct tx read;
        CHECK_OK(tx_sign(&txs[i], &secret, &raw, hash));
        same_hex(buffer_span(&raw), raws[i]);
        same_hex(SPAN(hash), hashes[i]);
        memset(hash, 0, sizeof hash);
        CHECK_OK(tx_parse(buffer_span(&raw), &read, from, hash));
        same_hex(SPAN(hash), hashes[i]);
        same_hex(SPAN(from), V_ADDRESS);
        CHECK_OK(tx_sign(&read, &secret, &again, hash));
        CHECK(span_equal(buffer_span(&raw), buffer_span(&again)));
        for (size_t len = 0; len < raw.len; len++)
            CHECK(tx_parse(span_of(raw.data, len), &read, from, hash) != APEX_OK);
    }
    CHECK_OK(tx_created(from, 0, created));
    same_hex(SPAN(created), V_CREATED_0);
    CHECK_OK(tx_created(from, 300, created));
    same_hex(SPAN(created), V_CREATED_300);
}

static void rlp_is_written_as_viem_does(void **state)
{
    (void)state;
    BUFFER_CLEARED items = {0};
    BUFFER_CLEARED inner = {0};
    BUFFER_CLEARED list = {0};
    BUFFER_CLEARED whole = {0};
    uint8_t many[300];
    rlp_put_bytes(&items, (struct span){0});
    rlp_put_bytes(&items, span_of("\0", 1));
    rlp_put_bytes(&items, span_of("\x7f", 1));
    rlp_put_bytes(&items, span_of("\x80", 1));
    memset(many, 'a', sizeof many);
    rlp_put_bytes(&items, span_of(many, 55));
    rlp_put_bytes(&items, span_of(many, 56));
    rlp_put_list(&items, (struct span){0});
    rlp_put_u64(&inner, 1);
    rlp_put_list(&list, buffer_span(&inner));
    rlp_put_list(&items, buffer_span(&list));
    memset(many, 'b', sizeof many);
    rlp_put_bytes(&items, span_of(many, 300));
    rlp_put_list(&whole, buffer_span(&items));
    same_hex(buffer_span(&whole), V_RLP);
}

static void rlp_that_is_longer_than_it_need_be_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        bool bytes, number, list;
    } cases[] = {{"00", true, false, false},      {"8100", false, false, false},
                 {"817f", false, false, false},   {"8180", true, true, false},
                 {"80", true, true, false},       {"820001", true, false, false},
                 {"820100", true, true, false},   {"b801ff", false, false, false},
                 {"b90001", false, false, false}, {"c0", false, false, true},
                 {"f80100", false, false, false}, {"c101", false, false, true},
                 {"b8", false, false, false},     {"bfffffffffffffffff", false, false, false},
                 {"", false, false, false},       {"89ffffffffffffffffff", true, false, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t bytes[16];
        size_t len = strlen(cases[i].hex) / 2;
        struct span got;
        struct cursor items;
        uint64_t number;
        hex_of(cases[i].hex, bytes, len);
        struct cursor a = cursor_on(span_of(bytes, len)), b = a, c = a;
        CHECK((rlp_bytes(&a, &got) == APEX_OK) == cases[i].bytes);
        CHECK((rlp_u64(&b, &number) == APEX_OK) == cases[i].number);
        CHECK((rlp_list(&c, &items) == APEX_OK) == cases[i].list);
    }
}

static void addresses_are_written_in_the_mixed_case_of_eip_55(void **state)
{
    (void)state;
    uint8_t address[20], again[20];
    char text[CHAIN_ADDRESS_TEXT];
    hex_of(V_ADDRESS, address, 20);
    chain_address_write(address, text);
    assert_string_equal(text, &V_CHECKSUMMED[1]);
    CHECK_OK(chain_address_parse(text, again));
    assert_memory_equal(address, again, 20);
    static const char *const bad[] = {"",
                                      "0x",
                                      "7e5f4552091a69125d5dfcb7b8c2659029395bdf",
                                      "0x7e5f4552091a69125d5dfcb7b8c2659029395bd",
                                      "0x7e5f4552091a69125d5dfcb7b8c2659029395bdg",
                                      "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf0"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_STATUS(chain_address_parse(bad[i], again), APEX_E_FORMAT);
}

static void numbers_and_bytes_of_an_rpc_have_one_form(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        apex_status status;
        uint64_t value;
    } numbers[] = {{"0x0", APEX_OK, 0},
                   {"0x1f", APEX_OK, 31},
                   {"0xffffffffffffffff", APEX_OK, UINT64_MAX},
                   {"0x10000000000000000", APEX_E_FORMAT, 0},
                   {"0x", APEX_E_FORMAT, 0},
                   {"0x01", APEX_E_FORMAT, 0},
                   {"10", APEX_E_FORMAT, 0},
                   {"0xg", APEX_E_FORMAT, 0},
                   {"-0x1", APEX_E_FORMAT, 0}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        uint64_t value = 0;
        json_t *j = json_string(numbers[i].text);
        CHECK_STATUS(rpc_quantity(j, &value), numbers[i].status);
        CHECK(value == numbers[i].value);
        json_decref(j);
    }
    static const struct {
        const char *text;
        apex_status status;
    } data[] = {{"0x", APEX_OK},
                {"0xab", APEX_OK},
                {"0xabc", APEX_E_FORMAT},
                {"0xzz", APEX_E_FORMAT},
                {"ab", APEX_E_FORMAT},
                {"0xabababab", APEX_OK},
                {"0xababababab", APEX_E_LIMIT}};
    for (size_t i = 0; i < sizeof data / sizeof *data; i++) {
        BUFFER_CLEARED out = {0};
        json_t *j = json_string(data[i].text);
        CHECK_STATUS(rpc_data(j, 4, &out), data[i].status);
        json_decref(j);
    }
    CHECK_STATUS(rpc_quantity(NULL, &(uint64_t){0}), APEX_E_FORMAT);
}

static void a_reply_answers_the_request_or_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *text, *rule;
    } cases[] = {
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":\"0x1\"}", NULL},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":null}", NULL},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":null,\"result\":1}", NULL},
        {"", CHAIN_RPC_MALFORMED},
        {"<html>", CHAIN_RPC_MALFORMED},
        {"[]", CHAIN_RPC_MALFORMED},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":\"0x1\"", CHAIN_RPC_MALFORMED},
        {"{\"jsonrpc\":\"2.0\",\"id\":8,\"result\":\"0x1\"}", CHAIN_RPC_MALFORMED},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"7\",\"result\":\"0x1\"}", CHAIN_RPC_MALFORMED},
        {"{\"jsonrpc\":\"1.0\",\"id\":7,\"result\":\"0x1\"}", CHAIN_RPC_MALFORMED},
        {"{\"id\":7,\"result\":\"0x1\"}", CHAIN_RPC_MALFORMED},
        {"{\"jsonrpc\":\"2.0\",\"id\":7}", CHAIN_RPC_MALFORMED},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":1,\"result\":2}", CHAIN_RPC_MALFORMED},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":1,\"error\":{\"code\":1}}",
         CHAIN_RPC_MALFORMED},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32000,\"message\":\"no\\u001b["
         "2J\"}}",
         CHAIN_RPC_SAID_NO},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{}}", CHAIN_RPC_SAID_NO}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *result = NULL;
        struct chain_fault fault = {0};
        apex_status s = rpc_reply_parse(span_text(cases[i].text), 7, &result, &fault);
        CHECK((s == APEX_OK) == (cases[i].rule == NULL));
        if (cases[i].rule) assert_string_equal(fault.rule, cases[i].rule);
        CHECK(strchr(fault.what, 0x1b) == NULL);
        json_decref(result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_are_signed_and_called_as_viem_does_it),
        cmocka_unit_test(ids_and_digests_the_register_keeps_are_worked_out_alike),
        cmocka_unit_test(any_change_of_a_statement_or_its_place_is_another_digest),
        cmocka_unit_test(transactions_and_what_they_create_are_viem_s_to_the_byte),
        cmocka_unit_test(rlp_is_written_as_viem_does),
        cmocka_unit_test(rlp_that_is_longer_than_it_need_be_is_refused),
        cmocka_unit_test(addresses_are_written_in_the_mixed_case_of_eip_55),
        cmocka_unit_test(numbers_and_bytes_of_an_rpc_have_one_form),
        cmocka_unit_test(a_reply_answers_the_request_or_is_refused_by_name)};
    return crypto_init() == APEX_OK ? cmocka_run_group_tests(tests, make, NULL) : 1;
}
