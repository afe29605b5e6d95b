/* One transaction at a time, on a chain that dawdles, drops blocks and charges more: argv is
 * the URL of an anvil, the registry's address and a funded key's file (tests/chain/outbox.py).
 */
#include "tests/check.h"

#include "common/base/hex.h"
#include "common/crypto/random.h"
#include "host/chain/outbox.h"
#include "host/daemon/clock.h"
#include "host/ledger/files.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, RAISE_MS = 150, LOST_MS = 300 };
#define PATH "build/outbox-test"

static const char *url;
static uint8_t registry[20];
static struct gas_key key;
static struct evm *chain;
static struct chain_fault fault;

static void rpc(const char *method, json_t *params)
{
    json_t *result;
    CHECK_OK(rpc_call(chain->rpc, method, params, &result, &fault));
    json_decref(result);
}

static uint64_t number(const char *method, json_t *params)
{
    json_t *result;
    uint64_t value;
    CHECK_OK(rpc_call(chain->rpc, method, params, &result, &fault));
    CHECK_OK(rpc_quantity(result, &value));
    json_decref(result);
    return value;
}

static uint64_t nonce(void)
{
    return number("eth_getTransactionCount",
                  json_pack("[o, s]", rpc_hex(SPAN(key.address)), "latest"));
}

static void mine(uint64_t n)
{
    rpc("anvil_mine", json_pack("[o]", rpc_number(n)));
}

static struct outbox *open_box(uint64_t confirmations, uint64_t max_fee)
{
    const struct outbox_options o = {PATH, &key, confirmations, max_fee, RAISE_MS, LOST_MS};
    struct outbox *box;
    CHECK_OK(outbox_open(&o, chain->place.chain_id, &box, &fault));
    return box;
}

static int set_up(void **state)
{
    struct chain_options o = {.url = url, .confirmations = 1};
    (void)state;
    unlink(PATH);
    memcpy(o.registry, registry, sizeof registry);
    return chain_open(&o, &chain, &fault) == APEX_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    rpc("evm_setAutomine", json_pack("[b]", 1));
    mine(1);
    chain_close(chain);
    unlink(PATH);
    return 0;
}

/* Any call that does not revert will do. */
static void submit(struct outbox *box)
{
    BUFFER_CLEARED call = {0};
    const uint8_t log[32] = {0};
    CHECK_OK(chain_look(chain, &fault));
    CHECK_OK(registry_call_view(VIEW_HEAD, log, log, &call));
    CHECK_OK(outbox_submit(box, chain, registry, buffer_span(&call), &fault));
    CHECK(outbox_state(box) == OUTBOX_WAITING);
}

static enum outbox_state poll_once(struct outbox *box)
{
    enum outbox_state state;
    struct outbox_receipt receipt;
    CHECK_OK(chain_look(chain, &fault));
    CHECK_OK(outbox_poll(box, chain, &state, &receipt, &fault));
    return state;
}

static enum outbox_state poll_until_settled(struct outbox *box)
{
    enum outbox_state state = OUTBOX_WAITING;
    for (int64_t until = now_ms() + PATIENCE_MS; state == OUTBOX_WAITING && now_ms() < until;
         sleep_ms(20))
        state = poll_once(box);
    return state;
}

static size_t versions(void)
{
    size_t n = 0;
    BUFFER_CLEARED text = {0};
    CHECK_OK(file_read(PATH, 1 << 20, &text));
    for (size_t i = 0; i < text.len; i++)
        n += text.data[i] == '\n';
    return n;
}

static void what_is_mined_is_done_and_the_next_may_follow(void **state)
{
    (void)state;
    struct outbox *box = open_box(1, UINT64_MAX);
    uint64_t before = nonce();
    submit(box);
    CHECK(poll_until_settled(box) == OUTBOX_DONE);
    submit(box);
    CHECK(poll_until_settled(box) == OUTBOX_DONE);
    CHECK(nonce() == before + 2 && versions() == 0);
    outbox_close(box);
}

static void a_second_is_not_taken_while_one_is_out(void **state)
{
    (void)state;
    struct outbox *box = open_box(1, UINT64_MAX);
    rpc("evm_setAutomine", json_pack("[b]", 0));
    submit(box);
    CHECK_STATUS(outbox_submit(box, chain, registry, SPAN_TEXT("more"), &fault), APEX_E_USAGE);
    mine(1);
    CHECK(poll_until_settled(box) == OUTBOX_DONE);
    outbox_close(box);
}

static void one_that_waits_long_offers_more_and_is_mined_once(void **state)
{
    (void)state;
    struct outbox *box = open_box(1, UINT64_MAX);
    uint64_t before = nonce();
    rpc("evm_setAutomine", json_pack("[b]", 0));
    submit(box);
    for (int64_t until = now_ms() + PATIENCE_MS; versions() < 3 && now_ms() < until;
         sleep_ms(20))
        CHECK(poll_once(box) == OUTBOX_WAITING);
    CHECK(versions() >= 3);
    mine(2);
    CHECK(poll_until_settled(box) == OUTBOX_DONE);
    CHECK(nonce() == before + 1);
    outbox_close(box);
}

static void one_that_is_out_is_found_again_after_a_crash(void **state)
{
    (void)state;
    struct outbox *box = open_box(1, UINT64_MAX);
    uint64_t before = nonce();
    rpc("evm_setAutomine", json_pack("[b]", 0));
    submit(box);
    outbox_close(box);                      /* all that is in memory is gone */
    rpc("anvil_dropAllTransactions", NULL); /* and the chain has forgotten it too */
    box = open_box(1, UINT64_MAX);
    CHECK(outbox_state(box) == OUTBOX_WAITING);
    CHECK(poll_once(box) == OUTBOX_WAITING); /* sends it again */
    mine(1);
    CHECK(poll_until_settled(box) == OUTBOX_DONE);
    CHECK(nonce() == before + 1);
    outbox_close(box);
}

static void it_is_done_only_when_it_is_deep_and_a_reorg_puts_it_back(void **state)
{
    (void)state;
    struct outbox *box = open_box(3, UINT64_MAX);
    uint64_t before = nonce();
    json_t *snapshot;
    CHECK_OK(rpc_call(chain->rpc, "evm_snapshot", NULL, &snapshot, &fault));
    submit(box);
    sleep_ms(100);
    CHECK(poll_once(box) == OUTBOX_WAITING && nonce() == before + 1); /* one block deep */
    rpc("evm_revert", json_pack("[O]", snapshot));
    json_decref(snapshot);
    CHECK(nonce() == before);
    for (int64_t until = now_ms() + PATIENCE_MS; nonce() == before && now_ms() < until;
         sleep_ms(20))
        CHECK(poll_once(box) == OUTBOX_WAITING); /* sent again, by itself */
    CHECK(nonce() == before + 1 && poll_once(box) == OUTBOX_WAITING);
    mine(2);
    CHECK(poll_until_settled(box) == OUTBOX_DONE);
    outbox_close(box);
}

static void one_whose_nonce_another_has_used_is_lost_and_said_so(void **state)
{
    (void)state;
    struct outbox *box = open_box(1, UINT64_MAX);
    rpc("evm_setAutomine", json_pack("[b]", 0));
    submit(box);
    rpc("anvil_dropAllTransactions", NULL);
    rpc("anvil_setNonce",
        json_pack("[o, o]", rpc_hex(SPAN(key.address)), rpc_number(nonce() + 1)));
    CHECK(poll_until_settled(box) == OUTBOX_LOST);
    rpc("evm_setAutomine", json_pack("[b]", 1));
    submit(box);
    CHECK(poll_until_settled(box) == OUTBOX_DONE);
    outbox_close(box);
}

static void what_would_revert_or_costs_too_much_is_not_sent(void **state)
{
    (void)state;
    struct outbox *box = open_box(1, 1);
    uint64_t before = nonce();
    BUFFER_CLEARED call = {0};
    const uint8_t log[32] = {0};
    CHECK_OK(registry_call_view(VIEW_HEAD, log, log, &call));
    CHECK_STATUS(outbox_submit(box, chain, registry, buffer_span(&call), &fault), APEX_E_LIMIT);
    assert_string_equal(fault.rule, "gas-too-dear");
    outbox_close(box);
    box = open_box(1, UINT64_MAX);
    CHECK_STATUS(outbox_submit(box, chain, registry, SPAN_TEXT("none"), &fault),
                 APEX_E_REFUSED);
    CHECK(outbox_state(box) == OUTBOX_IDLE && nonce() == before);
    outbox_close(box);
}

static void a_file_that_is_damaged_or_of_another_chain_or_key_stops_it(void **state)
{
    (void)state;
    struct outbox_options o = {PATH, &key, 1, UINT64_MAX, RAISE_MS, LOST_MS};
    struct outbox *box = open_box(1, UINT64_MAX);
    struct gas_key other = key;
    rpc("evm_setAutomine", json_pack("[b]", 0));
    submit(box);
    outbox_close(box);
    CHECK_STATUS(outbox_open(&o, chain->place.chain_id + 1, &box, &fault), APEX_E_FORMAT);
    other.address[0] ^= 1;
    o.key = &other;
    CHECK_STATUS(outbox_open(&o, chain->place.chain_id, &box, &fault), APEX_E_FORMAT);
    CHECK(truncate(PATH, 40) == 0);
    o.key = &key;
    CHECK_STATUS(outbox_open(&o, chain->place.chain_id, &box, &fault), APEX_E_FORMAT);
    rpc("anvil_dropAllTransactions", NULL);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
#define ON_CHAIN(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
        ON_CHAIN(what_is_mined_is_done_and_the_next_may_follow),
        ON_CHAIN(a_second_is_not_taken_while_one_is_out),
        ON_CHAIN(one_that_waits_long_offers_more_and_is_mined_once),
        ON_CHAIN(one_that_is_out_is_found_again_after_a_crash),
        ON_CHAIN(it_is_done_only_when_it_is_deep_and_a_reorg_puts_it_back),
        ON_CHAIN(one_whose_nonce_another_has_used_is_lost_and_said_so),
        ON_CHAIN(what_would_revert_or_costs_too_much_is_not_sent),
        ON_CHAIN(a_file_that_is_damaged_or_of_another_chain_or_key_stops_it)};
    if (argc != 4 || crypto_init() != APEX_OK || curl_global_init(CURL_GLOBAL_DEFAULT) != 0 ||
        chain_address_parse(argv[2], registry) != APEX_OK ||
        gas_key_load(argv[3], &key, &fault) != APEX_OK)
        return 2;
    url = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
