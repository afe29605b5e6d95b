#include "common/chain/fees.h"

#include "common/base/try.h"
#include "common/chain/abi.h"
#include "common/crypto/keccak.h"

enum { PAGES_MAX = 32, DATA_LEN = 4 * WORD_LEN };

#define DEPOSITED "Deposited(uint256,bytes32,bytes32,bytes32,address,uint256,uint64)"
#define PAID "Paid(uint256,address,uint64,uint256)"
#define REFUNDED "Refunded(uint256,address,uint256)"

/* Logs in blocks [from, to] of an event whose indexed values are these; NULL: any. */
static apex_status logs_get(struct evm *c, const char *event, const uint8_t *const *values,
                            size_t n, uint64_t from, uint64_t to, json_t **logs,
                            struct chain_fault *fault)
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
                           "toBlock", rpc_number(to), "topics", topics),
                 logs, fault));
    if (json_is_array(*logs)) return APEX_OK;
    json_decref(*logs);
    return rpc_malformed(fault, "no list of fees");
}

static apex_status happened(struct evm *c, const char *event, const uint8_t id[static 32],
                            uint64_t from, bool *is, struct chain_fault *fault)
{
    const uint8_t *const values[] = {id};
    json_t *logs;
    TRY(logs_get(c, event, values, 1, from, c->at.number, &logs, fault));
    *is = json_array_size(logs) > 0;
    json_decref(logs);
    return APEX_OK;
}

/* Id and what is in the data: manifest, who, how much, until when. */
static apex_status deposit_parse(const json_t *log, struct fee *fee,
                                 uint8_t manifest[static 32])
{
    uint8_t data[DATA_LEN], who[WORD_LEN];
    struct cursor c = cursor_on(SPAN(data));
    TRY(rpc_data_exact(json_array_get(json_object_get(log, "topics"), 1), fee->id,
                       sizeof fee->id));
    TRY(rpc_data_exact(json_object_get(log, "data"), data, sizeof data));
    TRY(abi_take_word(&c, manifest));
    TRY(abi_take_word(&c, who));
    TRY(abi_take_word(&c, fee->amount));
    return abi_take_u64(&c, &fee->deadline);
}

/* Which deposits are looked for. */
struct wanted {
    const uint8_t *log, *request, *manifest; /* manifest NULL: of whichever contract */
    uint64_t from, until;                    /* block; the deadline's second */
};

/* Into its place by size. */
static void fee_keep(struct fees *fees, const struct fee *fee)
{
    size_t at = fees->n;
    while (at > 0 && memcmp(fees->fee[at - 1].amount, fee->amount, sizeof fee->amount) < 0)
        at--;
    if (fees->n == FEES_MAX) fees->all = false;
    if (at == FEES_MAX) return;
    fees->n += fees->n < FEES_MAX;
    memmove(&fees->fee[at + 1], &fees->fee[at], (fees->n - 1 - at) * sizeof *fee);
    fees->fee[at] = *fee;
}

static apex_status page_take(const json_t *logs, const struct wanted *w, struct fees *fees,
                             struct chain_fault *fault)
{
    for (size_t i = 0; i < json_array_size(logs); i++) {
        struct fee fee;
        uint8_t of[32];
        if (deposit_parse(json_array_get(logs, i), &fee, of) != APEX_OK)
            return rpc_malformed(fault, "no deposit");
        if (fee.deadline < w->until || (w->manifest && memcmp(of, w->manifest, 32) != 0))
            continue;
        fee_keep(fees, &fee);
    }
    return APEX_OK;
}

/* One page; APEX_E_LIMIT: there are more deposits in these blocks than an answer holds. */
static apex_status page_read(struct evm *c, const struct wanted *w, uint64_t from, uint64_t to,
                             struct fees *fees, struct chain_fault *fault)
{
    const uint8_t *const values[] = {NULL, w->log, w->request};
    json_t *logs;
    apex_status s = logs_get(c, DEPOSITED, values, 3, from, to, &logs, fault);
    if (s == APEX_E_REFUSED && to > from) return APEX_E_LIMIT; /* how an RPC puts it */
    TRY(s);
    s = page_take(logs, w, fees, fault);
    json_decref(logs);
    return s;
}

/* Back from the newest block. A page that is too long is halved, the next one is twice as long
 * again; a block that is too long by itself is passed over. */
static apex_status fees_find(struct evm *c, const struct wanted *w, struct fees *fees,
                             struct chain_fault *fault)
{
    uint64_t to = c->at.number, blocks = to + 1;
    *fees = (struct fees){.all = true};
    for (size_t page = 0; page < PAGES_MAX && to >= w->from; page++) {
        uint64_t from = to - w->from >= blocks ? to - blocks + 1 : w->from;
        apex_status s = page_read(c, w, from, to, fees, fault);
        if (s == APEX_E_LIMIT && to > from) {
            blocks = (to - from + 1) / 2;
            continue;
        }
        if (s == APEX_E_LIMIT)
            fees->all = false;
        else
            TRY(s);
        if (from == w->from) return APEX_OK;
        to = from - 1;
        blocks *= 2;
    }
    fees->all = false;
    return APEX_OK;
}

apex_status fees_open(struct evm *chain, const uint8_t log[static 32],
                      const uint8_t manifest[static 32], const uint8_t request[static 32],
                      uint64_t from, uint64_t until, struct fees *fees,
                      struct chain_fault *fault)
{
    const struct wanted w = {log, request, manifest, from, until};
    size_t open = 0;
    TRY(fees_find(chain, &w, fees, fault));
    for (size_t i = 0; i < fees->n; i++) {
        bool paid;
        TRY(happened(chain, PAID, fees->fee[i].id, from, &paid, fault));
        if (!paid) fees->fee[open++] = fees->fee[i];
    }
    fees->n = open;
    return APEX_OK;
}

apex_status fees_refunded(struct evm *chain, const uint8_t log[static 32],
                          const uint8_t request[static 32], uint64_t from, bool *refunded,
                          bool *all, struct chain_fault *fault)
{
    const struct wanted w = {log, request, NULL, from, 0};
    struct fees fees;
    *refunded = false;
    TRY(fees_find(chain, &w, &fees, fault));
    *all = fees.all;
    for (size_t i = 0; i < fees.n && !*refunded; i++)
        TRY(happened(chain, REFUNDED, fees.fee[i].id, from, refunded, fault));
    return APEX_OK;
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
