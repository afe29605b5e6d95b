#include "common/chain/chain.h"

#include "common/base/endian.h"
#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/chain/registry_code.h"
#include "common/crypto/keccak.h"

#include <stdio.h>
#include <stdlib.h>

enum { CODE_MAX = 65536, RETURN_MAX = 4096, EVENT_DATA_MAX = 2048, EVENT_TOPICS_MAX = 4 };

void chain_word_u64(uint64_t value, uint8_t word[static 32])
{
    memset(word, 0, 24);
    put_be64(word + 24, value);
}

void chain_word_address(const uint8_t address[static CHAIN_ADDRESS_LEN],
                        uint8_t word[static 32])
{
    memset(word, 0, WORD_LEN - CHAIN_ADDRESS_LEN);
    memcpy(word + WORD_LEN - CHAIN_ADDRESS_LEN, address, CHAIN_ADDRESS_LEN);
}

apex_status chain_address_parse(const char *text, uint8_t address[static CHAIN_ADDRESS_LEN])
{
    json_t *j = json_string(text);
    apex_status s = rpc_data_exact(j, address, CHAIN_ADDRESS_LEN);
    json_decref(j);
    return s;
}

void chain_address_write(const uint8_t address[static CHAIN_ADDRESS_LEN],
                         char text[static CHAIN_ADDRESS_TEXT])
{
    uint8_t digest[KECCAK_LEN];
    memcpy(text, "0x", 3);
    hex_write(span_of(address, CHAIN_ADDRESS_LEN), text + 2);
    keccak256(span_of(text + 2, 2 * CHAIN_ADDRESS_LEN), digest);
    for (size_t i = 0; i < 2 * CHAIN_ADDRESS_LEN; i++) {
        unsigned nibble = digest[i / 2] >> (i % 2 ? 0 : 4) & 15u;
        if (text[2 + i] >= 'a' && nibble >= 8) text[2 + i] = (char)(text[2 + i] - 'a' + 'A');
    }
}

static apex_status id_check(struct evm *c, uint64_t expected, struct chain_fault *fault)
{
    json_t *j;
    TRY(rpc_call(c->rpc, "eth_chainId", NULL, &j, fault));
    apex_status s = rpc_quantity(j, &c->place.chain_id);
    json_decref(j);
    if (s != APEX_OK) return rpc_malformed(fault, "no chain id");
    if (expected == 0 || c->place.chain_id == expected) return APEX_OK;
    return chain_fail(fault, APEX_E_UNTRUSTED, CHAIN_WRONG_ID,
                      "this is chain %llu, not chain %llu",
                      (unsigned long long)c->place.chain_id, (unsigned long long)expected);
}

static apex_status code_check(struct evm *c, struct chain_fault *fault)
{
    json_t *j;
    BUFFER_CLEARED code = {0};
    uint8_t hash[KECCAK_LEN];
    TRY(rpc_call(c->rpc, "eth_getCode",
                 json_pack("[o, s]", rpc_hex(SPAN(c->place.registry)), "latest"), &j, fault));
    apex_status s = rpc_data(j, CODE_MAX, &code);
    json_decref(j);
    if (s != APEX_OK) return rpc_malformed(fault, "no code");
    if (code.len == 0)
        return chain_fail(fault, APEX_E_UNTRUSTED, CHAIN_NO_REGISTRY,
                          "nothing is deployed at the registry's address on this chain");
    keccak256(buffer_span(&code), hash);
    if (memcmp(hash, registry_code_hash, sizeof hash) == 0) return APEX_OK;
    return chain_fail(fault, APEX_E_UNTRUSTED, CHAIN_OTHER_CODE,
                      "the code at the registry's address is not the registry's");
}

apex_status chain_open(const struct chain_options *options, struct evm **chain,
                       struct chain_fault *fault)
{
    struct evm *c = calloc(1, sizeof *c);
    *chain = NULL;
    if (!c) return chain_fail(fault, APEX_E_MEMORY, CHAIN_RPC_UNREACHABLE, "out of memory");
    memcpy(c->place.registry, options->registry, sizeof c->place.registry);
    c->confirmations = options->confirmations ? options->confirmations : 1;
    apex_status s = rpc_open(options->url, options->timeout_ms, &c->rpc, fault);
    if (s == APEX_OK) s = id_check(c, options->chain_id, fault);
    if (s == APEX_OK) s = code_check(c, fault);
    if (s == APEX_OK) s = chain_look(c, fault);
    if (s != APEX_OK) {
        chain_close(c);
        return s;
    }
    *chain = c;
    return APEX_OK;
}

void chain_close(struct evm *chain)
{
    if (!chain) return;
    rpc_close(chain->rpc);
    free(chain);
}

apex_status chain_block_parse(const json_t *j, struct chain_block *block)
{
    TRY(rpc_quantity(json_object_get(j, "number"), &block->number));
    TRY(rpc_quantity(json_object_get(j, "baseFeePerGas"), &block->base_fee));
    return rpc_data_exact(json_object_get(j, "hash"), block->hash, sizeof block->hash);
}

apex_status chain_block_get(struct evm *chain, uint64_t number, struct chain_block *block,
                            struct chain_fault *fault)
{
    json_t *j;
    TRY(rpc_call(chain->rpc, "eth_getBlockByNumber", json_pack("[o, b]", rpc_number(number), 0),
                 &j, fault));
    bool none = json_is_null(j);
    apex_status s = none ? APEX_OK : chain_block_parse(j, block);
    json_decref(j);
    if (none)
        return chain_fail(fault, APEX_E_NOT_FOUND, CHAIN_RPC_CONTRADICTS,
                          "the RPC has no block %llu", (unsigned long long)number);
    return s == APEX_OK && block->number == number ? APEX_OK
                                                   : rpc_malformed(fault, "no such block");
}

apex_status chain_look(struct evm *chain, struct chain_fault *fault)
{
    json_t *j;
    uint64_t newest;
    TRY(rpc_call(chain->rpc, "eth_blockNumber", NULL, &j, fault));
    apex_status s = rpc_quantity(j, &newest);
    json_decref(j);
    if (s != APEX_OK) return rpc_malformed(fault, "no block number");
    uint64_t deep = chain->confirmations - 1;
    return chain_block_get(chain, newest > deep ? newest - deep : 0, &chain->at, fault);
}

/* A call of the register as of `at`. */
static apex_status view(struct evm *c, const struct buffer *call, struct buffer *returned,
                        struct chain_fault *fault)
{
    json_t *j;
    json_t *what = json_pack("{s:o, s:o}", "to", rpc_hex(SPAN(c->place.registry)), "data",
                             rpc_hex(buffer_span(call)));
    TRY(rpc_call(c->rpc, "eth_call", json_pack("[o, o]", what, rpc_number(c->at.number)), &j,
                 fault));
    apex_status s = rpc_data(j, RETURN_MAX, returned);
    json_decref(j);
    return s == APEX_OK ? s : rpc_malformed(fault, "not what a call returns");
}

apex_status chain_head(struct evm *chain, const uint8_t log[static 32],
                       struct registry_head *head, struct chain_fault *fault)
{
    BUFFER_CLEARED call = {0};
    BUFFER_CLEARED returned = {0};
    TRY(registry_call_view(VIEW_HEAD, log, log, &call));
    TRY(view(chain, &call, &returned, fault));
    if (returned.len > 0 && registry_head_parse(buffer_span(&returned), head) != APEX_OK)
        return rpc_malformed(fault, "no head of a log");
    if (returned.len > 0 && head->opened > 0) return APEX_OK;
    return chain_fail(fault, APEX_E_NOT_FOUND, CHAIN_UNKNOWN_LOG,
                      "the registry has no such log, or not deep enough in the chain yet");
}

apex_status chain_run(struct evm *chain, const uint8_t log[static 32], uint64_t index,
                      struct registry_run *run, struct chain_fault *fault)
{
    BUFFER_CLEARED call = {0};
    BUFFER_CLEARED returned = {0};
    uint8_t argument[32];
    chain_word_u64(index, argument);
    *run = (struct registry_run){.committed = 0};
    TRY(registry_call_view(VIEW_RUN, log, argument, &call));
    TRY(view(chain, &call, &returned, fault));
    if (returned.len == 0) return APEX_OK; /* the register was not there yet */
    if (registry_run_parse(buffer_span(&returned), run) != APEX_OK)
        return rpc_malformed(fault, "no commitment of a run");
    return APEX_OK;
}

apex_status chain_word(struct evm *chain, enum registry_view kind, const uint8_t log[static 32],
                       const uint8_t argument[static 32], uint8_t word[static 32],
                       struct chain_fault *fault)
{
    BUFFER_CLEARED call = {0};
    BUFFER_CLEARED returned = {0};
    TRY(registry_call_view(kind, log, argument, &call));
    TRY(view(chain, &call, &returned, fault));
    memset(word, 0, WORD_LEN);
    if (returned.len == 0) return APEX_OK; /* the register was not there yet */
    if (returned.len != WORD_LEN) return rpc_malformed(fault, "not one word");
    memcpy(word, returned.data, WORD_LEN);
    return APEX_OK;
}

apex_status chain_event_parse(const json_t *log, const uint8_t registry[static 20],
                              struct chain_event *event)
{
    const json_t *topics = json_object_get(log, "topics");
    uint8_t address[CHAIN_ADDRESS_LEN], words[EVENT_TOPICS_MAX * WORD_LEN];
    BUFFER_CLEARED data = {0};
    size_t n = json_array_size(topics);
    if (n < 1 || n > EVENT_TOPICS_MAX || json_is_true(json_object_get(log, "removed")))
        return APEX_E_FORMAT;
    TRY(rpc_data_exact(json_object_get(log, "address"), address, sizeof address));
    if (memcmp(address, registry, sizeof address) != 0) return APEX_E_FORMAT;
    for (size_t i = 0; i < n; i++)
        TRY(rpc_data_exact(json_array_get(topics, i), words + i * WORD_LEN, WORD_LEN));
    TRY(rpc_data(json_object_get(log, "data"), EVENT_DATA_MAX, &data));
    TRY(rpc_quantity(json_object_get(log, "blockNumber"), &event->block));
    TRY(rpc_data_exact(json_object_get(log, "transactionHash"), event->tx, sizeof event->tx));
    return registry_event_parse(words, n, buffer_span(&data), &event->event);
}

/* Signed by this key, for this chain and register. Any 64 bytes are the signature of some key,
 * so that one can be recovered says nothing. */
static apex_status event_judge(const struct evm *c, const struct chain_event *e,
                               const uint8_t *key, struct chain_fault *fault)
{
    BUFFER_CLEARED words = {0};
    struct ecdsa_public recovered;
    uint8_t digest[32], signer[CHAIN_ADDRESS_LEN];
    TRY(statement_words(&e->event.statement, &words));
    TRY(statement_digest(e->event.statement.kind, buffer_span(&words), &c->place, digest));
    if (ecdsa_recover(&e->event.by, digest, &recovered) == APEX_OK &&
        ecdsa_address(&recovered, signer) == APEX_OK && memcmp(signer, key, sizeof signer) == 0)
        return APEX_OK;
    return chain_fail(fault, APEX_E_UNTRUSTED, CHAIN_FORGED,
                      "the RPC shows an event that this enclave's key has not signed");
}

/* topic2 NULL: whichever. */
static json_t *filter(const struct evm *c, enum statement_kind kind, const uint8_t *log,
                      const uint8_t *topic2, uint64_t from, uint64_t to)
{
    uint8_t topic[WORD_LEN];
    registry_topic(kind, topic);
    return json_pack("[{s:o, s:o, s:o, s:[o, o, o]}]", "address",
                     rpc_hex(SPAN(c->place.registry)), "fromBlock", rpc_number(from), "toBlock",
                     rpc_number(to), "topics", rpc_hex(SPAN(topic)),
                     rpc_hex(span_of(log, WORD_LEN)),
                     topic2 ? rpc_hex(span_of(topic2, WORD_LEN)) : json_null());
}

static bool is_about(const struct statement *s, enum statement_kind kind, const uint8_t *log,
                     const uint8_t *topic2)
{
    uint8_t word[WORD_LEN];
    if (kind == STATEMENT_CONTRACT)
        memcpy(word, s->manifest, sizeof word);
    else
        chain_word_u64(kind == STATEMENT_ANCHOR ? s->size : s->run, word);
    return s->kind == kind && memcmp(s->log, log, WORD_LEN) == 0 &&
           memcmp(word, topic2, sizeof word) == 0;
}

apex_status chain_event_find(struct evm *chain, enum statement_kind kind,
                             const uint8_t log[static 32], const uint8_t topic2[static 32],
                             uint64_t from, uint64_t to,
                             const uint8_t key[static CHAIN_ADDRESS_LEN],
                             struct chain_event *event, struct chain_fault *fault)
{
    json_t *j;
    TRY(rpc_call(chain->rpc, "eth_getLogs", filter(chain, kind, log, topic2, from, to), &j,
                 fault));
    size_t n = json_array_size(j);
    apex_status s = !json_is_array(j) ? APEX_E_FORMAT : n == 0 ? APEX_E_NOT_FOUND : APEX_OK;
    if (s == APEX_OK)
        s = chain_event_parse(json_array_get(j, n - 1), chain->place.registry, event);
    json_decref(j);
    if (s == APEX_E_NOT_FOUND)
        return chain_fail(fault, s, CHAIN_NOT_YET, "the chain shows no such event");
    if (s != APEX_OK || event->block < from || event->block > to ||
        !is_about(&event->event.statement, kind, log, topic2))
        return rpc_malformed(fault, "no event that was asked for");
    return event_judge(chain, event, key, fault);
}

static apex_status anchor_choose(const json_t *logs, const struct evm *c, const uint8_t *log,
                                 uint64_t block, uint64_t below, struct chain_event *event)
{
    bool found = false;
    for (size_t i = 0; i < json_array_size(logs); i++) {
        struct chain_event e;
        TRY(chain_event_parse(json_array_get(logs, i), c->place.registry, &e));
        const struct statement *s = &e.event.statement;
        if (e.block != block || s->kind != STATEMENT_ANCHOR ||
            memcmp(s->log, log, sizeof s->log) != 0)
            return APEX_E_FORMAT;
        if (s->size >= below || (found && s->size <= event->event.statement.size)) continue;
        *event = e;
        found = true;
    }
    return !json_is_array(logs) ? APEX_E_FORMAT : found ? APEX_OK : APEX_E_NOT_FOUND;
}

apex_status chain_anchor_before(struct evm *chain, const uint8_t log[static 32], uint64_t block,
                                uint64_t below, const uint8_t key[static CHAIN_ADDRESS_LEN],
                                struct chain_event *event, struct chain_fault *fault)
{
    json_t *j;
    TRY(rpc_call(chain->rpc, "eth_getLogs",
                 filter(chain, STATEMENT_ANCHOR, log, NULL, block, block), &j, fault));
    apex_status s = anchor_choose(j, chain, log, block, below, event);
    json_decref(j);
    if (s == APEX_E_NOT_FOUND)
        return chain_fail(fault, s, CHAIN_NOT_YET, "the chain shows no anchor there");
    return s == APEX_OK ? event_judge(chain, event, key, fault)
                        : rpc_malformed(fault, "no anchors of a block");
}
