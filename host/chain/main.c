/* apex-chain: what an operator does on a chain by hand. Exit: 0 done, 1 refused by a rule, 2
 * usage, 4 the chain does not answer, 5 anything else. */
#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/chain/registry_code.h"
#include "common/crypto/random.h"
#include "host/chain/gas_key.h"
#include "host/chain/outbox.h"
#include "host/daemon/clock.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

enum { POLL_MS = 20, DEPLOY_WAIT_MS = 600000, GWEI = 1000000000 };

static const char usage[] =
    "apex-chain: a key for gas, and the registry, on an Ethereum-compatible chain\n"
    "\n"
    "usage: apex-chain key FILE       make a key for gas, mode 0600; prints its address\n"
    "       apex-chain address FILE   prints the address of a key\n"
    "       apex-chain deploy --chain URL --chain-key FILE [--max-fee-gwei N] [--confirmations "
    "N]\n"
    "                                 deploy the registry, once for everybody who trusts its "
    "code\n"
    "\n"
    "The key pays for gas and proves nothing: keep little at its address. docs/chain.md tells "
    "the rest.\n";

struct words {
    const char *chain, *key;
    uint64_t max_fee_gwei, confirmations;
};

static int complain(apex_status s, const struct chain_fault *fault)
{
    fprintf(stderr, "apex-chain: %s%s%s\n", fault->what, fault->rule ? ": " : "",
            fault->rule ? fault->rule : "");
    return s == APEX_E_UNREACHABLE                        ? 4
           : s == APEX_E_REFUSED || s == APEX_E_UNTRUSTED ? 1
           : s == APEX_E_USAGE                            ? 2
                                                          : 5;
}

static int address_print(const struct gas_key *key)
{
    char text[CHAIN_ADDRESS_TEXT];
    chain_address_write(key->address, text);
    printf("%s\n", text);
    return 0;
}

static bool number(const char *text, uint64_t *value)
{
    char *end;
    *value = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == 0 && *value > 0 && *value <= 1000000;
}

static bool words_parse(int argc, char **argv, struct words *w)
{
    *w = (struct words){.max_fee_gwei = 200, .confirmations = 1};
    for (int i = 2; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--chain") == 0)
            w->chain = argv[i + 1];
        else if (strcmp(argv[i], "--chain-key") == 0)
            w->key = argv[i + 1];
        else if (strcmp(argv[i], "--max-fee-gwei") == 0 &&
                 number(argv[i + 1], &w->max_fee_gwei))
            continue;
        else if (strcmp(argv[i], "--confirmations") == 0 &&
                 number(argv[i + 1], &w->confirmations))
            continue;
        else
            return false;
    }
    return argc % 2 == 0 && w->chain && w->key;
}

static apex_status wait(struct outbox *o, struct evm *c, struct outbox_receipt *receipt,
                        struct chain_fault *fault)
{
    enum outbox_state state;
    for (int64_t until = now_ms() + DEPLOY_WAIT_MS; now_ms() < until; sleep_ms(POLL_MS)) {
        TRY(chain_look(c, fault));
        TRY(outbox_poll(o, c, &state, receipt, fault));
        if (state == OUTBOX_DONE) return APEX_OK;
        if (state != OUTBOX_WAITING)
            return chain_fail(fault, APEX_E_REFUSED, "reverted", "the chain did not take it");
    }
    return chain_fail(fault, APEX_E_UNREACHABLE, CHAIN_NOT_YET,
                      "the transaction is sent, but not in a block yet");
}

/* There is no registry to look for yet: the chain is met without one. */
static apex_status meet(const struct words *w, struct evm *c, struct chain_fault *fault)
{
    json_t *j;
    c->confirmations = 1;
    TRY(rpc_open(w->chain, 0, &c->rpc, fault));
    TRY(rpc_call(c->rpc, "eth_chainId", NULL, &j, fault));
    apex_status s = rpc_quantity(j, &c->place.chain_id);
    json_decref(j);
    return s == APEX_OK ? chain_look(c, fault) : rpc_malformed(fault, "no chain id");
}

static apex_status deploy_on(const struct words *w, const struct gas_key *key, struct evm *c,
                             struct outbox_receipt *receipt, uint8_t address[static 20],
                             struct chain_fault *fault)
{
    const struct outbox_options options = {
        NULL, key, w->confirmations, w->max_fee_gwei * GWEI, 90000, 15000};
    struct outbox *o = NULL;
    TRY(meet(w, c, fault));
    TRY(outbox_open(&options, c->place.chain_id, &o, fault));
    apex_status s =
        outbox_submit(o, c, NULL, span_of(registry_creation, registry_creation_len), fault);
    if (s == APEX_OK) s = outbox_created(o, address);
    if (s == APEX_OK) s = wait(o, c, receipt, fault);
    outbox_close(o);
    return s;
}

static int deploy(const struct words *w)
{
    struct chain_fault fault = {0};
    WIPED(gas_key) key = {0};
    struct evm c = {0};
    struct outbox_receipt receipt;
    uint8_t address[CHAIN_ADDRESS_LEN];
    char text[CHAIN_ADDRESS_TEXT], hex[65];
    apex_status s = gas_key_load(w->key, &key, &fault);
    if (s == APEX_OK) s = deploy_on(w, &key, &c, &receipt, address, &fault);
    rpc_close(c.rpc);
    if (s != APEX_OK) return complain(s, &fault);
    chain_address_write(address, text);
    hex_write(SPAN(receipt.tx), hex);
    printf("{\"registry\": \"%s\", \"chain_id\": %llu, \"transaction\": \"0x%s\", \"block\": "
           "%llu, \"gas\": %llu}\n",
           text, (unsigned long long)c.place.chain_id, hex, (unsigned long long)receipt.block,
           (unsigned long long)receipt.gas_used);
    return 0;
}

int main(int argc, char **argv)
{
    struct chain_fault fault = {0};
    WIPED(gas_key) key = {0};
    struct words w;
    if (crypto_init() != APEX_OK || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) return 5;
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (argc == 3 && (strcmp(argv[1], "key") == 0 || strcmp(argv[1], "address") == 0)) {
        apex_status s = argv[1][0] == 'k' ? gas_key_new(argv[2], &key, &fault)
                                          : gas_key_load(argv[2], &key, &fault);
        return s == APEX_OK ? address_print(&key) : complain(s, &fault);
    }
    if (argc > 2 && strcmp(argv[1], "deploy") == 0 && words_parse(argc, argv, &w))
        return deploy(&w);
    fputs(usage, stderr);
    return 2;
}
