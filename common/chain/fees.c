#include "common/chain/fees.h"

#include "common/base/try.h"
#include "common/chain/abi.h"
#include "common/crypto/keccak.h"

enum { LOGS_MAX = 256, DATA_MAX = 4 * WORD_LEN };

#define DEPOSITED "Deposited(uint256,bytes32,bytes32,bytes32,address,uint256,uint64)"
#define PAID "Paid(uint256,address,uint64,uint256)"
#define REFUNDED "Refunded(uint256,address,uint256)"

/* Logs, from a block to the one looked at, of an event whose indexed values are these; NULL:
 * any.
 */
static apex_status logs_get(struct evm *c, const char *event, const uint8_t *const *values,
                            size_t n, uint64_t from, json_t **logs, struct chain_fault *fault)
{
    uint8_t topic[WORD_LEN];
    json_t *topics = json_array();
    keccak256(span_text(event), topic);
    json_array_append_new(topics, rpc_hex(SPAN(topic)));
    for (size_t i = 0; i < n; i++)
        json_array_append_new(topics,
                              values[i] ? rpc_hex(span_of(values[i], WORD_LEN)) : json_null());
    TRY(rpc_call(c->rpc, "eth_getLogs",
                 json_pack("[{s:o, s:o, s:o, s:o}]", "address",
                           rpc_hex(SPAN(c->place.registry)), "fromBlock", rpc_number(from),
                           "toBlock", rpc_number(c->at.number), "topics", topics),
                 logs, fault));
    if (json_is_array(*logs) && json_array_size(*logs) <= LOGS_MAX) return APEX_OK;
    json_decref(*logs);
    return rpc_malformed(fault, "no list of fees");
}

static apex_status happened(struct evm *c, const char *event, const uint8_t id[static 32],
                            uint64_t from, bool *is, struct chain_fault *fault)
{
    const uint8_t *const values[] = {id};
    json_t *logs;
    TRY(logs_get(c, event, values, 1, from, &logs, fault));
    *is = json_array_size(logs) > 0;
    json_decref(logs);
    return APEX_OK;
}

/* Id and what is in the data: manifest, who, how much, until when. */
static apex_status deposit_parse(const json_t *log, struct fee *fee,
                                 uint8_t manifest[static 32])
{
    uint8_t data[DATA_MAX], word[WORD_LEN];
    struct cursor c = cursor_on(SPAN(data));
    TRY(rpc_data_exact(json_array_get(json_object_get(log, "topics"), 1), fee->id,
                       sizeof fee->id));
    TRY(rpc_data_exact(json_object_get(log, "data"), data, sizeof data));
    TRY(abi_take_word(&c, manifest));
    TRY(abi_take_word(&c, word));
    TRY(abi_take_word(&c, word));
    return abi_take_u64(&c, &fee->deadline);
}

static apex_status deposits_get(struct evm *c, const uint8_t *log, const uint8_t *request,
                                uint64_t from, json_t **logs, struct chain_fault *fault)
{
    const uint8_t *const values[] = {NULL, log, request};
    return logs_get(c, DEPOSITED, values, 3, from, logs, fault);
}

static apex_status open_take(struct evm *c, const json_t *log, const uint8_t *manifest,
                             uint64_t from, struct fee *fees, size_t *n,
                             struct chain_fault *fault)
{
    struct fee fee;
    uint8_t of[32];
    bool paid = false, refunded = false;
    if (deposit_parse(log, &fee, of) != APEX_OK) return rpc_malformed(fault, "no deposit");
    if (memcmp(of, manifest, sizeof of) != 0) return APEX_OK;
    TRY(happened(c, PAID, fee.id, from, &paid, fault));
    if (!paid) TRY(happened(c, REFUNDED, fee.id, from, &refunded, fault));
    if (!paid && !refunded) fees[(*n)++] = fee;
    return APEX_OK;
}

apex_status fees_open(struct evm *chain, const uint8_t log[static 32],
                      const uint8_t manifest[static 32], const uint8_t request[static 32],
                      uint64_t from, struct fee fees[static FEES_MAX], size_t *n,
                      struct chain_fault *fault)
{
    json_t *logs;
    *n = 0;
    TRY(deposits_get(chain, log, request, from, &logs, fault));
    apex_status s = APEX_OK;
    for (size_t i = 0; s == APEX_OK && i < json_array_size(logs) && *n < FEES_MAX; i++)
        s = open_take(chain, json_array_get(logs, i), manifest, from, fees, n, fault);
    json_decref(logs);
    return s;
}

apex_status fees_refunded(struct evm *chain, const uint8_t log[static 32],
                          const uint8_t request[static 32], uint64_t from, bool *refunded,
                          struct chain_fault *fault)
{
    json_t *logs;
    *refunded = false;
    TRY(deposits_get(chain, log, request, from, &logs, fault));
    apex_status s = APEX_OK;
    for (size_t i = 0; s == APEX_OK && i < json_array_size(logs) && !*refunded; i++) {
        struct fee fee;
        uint8_t of[32];
        s = deposit_parse(json_array_get(logs, i), &fee, of) == APEX_OK
                ? happened(chain, REFUNDED, fee.id, from, refunded, fault)
                : rpc_malformed(fault, "no deposit");
    }
    json_decref(logs);
    return s;
}

apex_status registry_call_withdraw(const uint8_t id[static 32], struct span words,
                                   struct buffer *call)
{
    if (words.len != statement_n_words(STATEMENT_RUN) * WORD_LEN) return APEX_E_FORMAT;
    abi_selector(call, "withdraw(uint256,(uint64,bytes32,bytes32,bytes32,bytes32,bytes32,"
                       "address))");
    buffer_append(call, span_of(id, 32));
    buffer_append(call, span_of(words.data + WORD_LEN, words.len - WORD_LEN));
    return buffer_ok(call);
}
