/* What an RPC may say, and RLP, by the first byte: nothing crashes, what parses has one form,
 * and what was signed and read is the same written again. */
#include "common/chain/abi.h"
#include "common/chain/chain.h"
#include "common/chain/rlp.h"
#include "common/chain/tx.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A result is taken for everything a caller may take it for. */
static void results(const json_t *j)
{
    static const uint8_t registry[20];
    struct chain_event event;
    struct chain_block block;
    struct registry_head head;
    struct registry_run run;
    struct buffer bytes = {0};
    uint64_t number;
    if (rpc_quantity(j, &number) == APEX_OK) {
        json_t *again = rpc_number(number);
        if (strlen(json_string_value(again)) != json_string_length(j)) abort();
        json_decref(again);
    }
    if (rpc_data(j, 1 << 16, &bytes) == APEX_OK) {
        apex_status a = registry_head_parse(buffer_span(&bytes), &head);
        apex_status b = registry_run_parse(buffer_span(&bytes), &run);
        if (a == APEX_OK && b == APEX_OK) abort(); /* four words and three */
    }
    buffer_clear(&bytes);
    apex_status s = chain_block_parse(j, &block);
    s = chain_event_parse(j, registry, &event);
    for (size_t i = 0; i < json_array_size(j); i++)
        s = chain_event_parse(json_array_get(j, i), registry, &event);
    (void)s;
}

static void replies(struct span in)
{
    json_t *result = NULL;
    struct chain_fault fault = {0};
    apex_status s = rpc_reply_parse(in, 7, &result, &fault);
    if ((s == APEX_OK) != (result != NULL) || (s != APEX_OK) != (fault.rule != NULL)) abort();
    if (result) results(result);
    json_decref(result);
}

static void events(struct span in)
{
    struct registry_event e;
    struct buffer words = {0};
    size_t n = in.len ? in.data[0] % 5 : 0;
    if (in.len < 1 + n * 32) return;
    const uint8_t *rest = in.data + 1 + n * 32;
    if (registry_event_parse(in.data + 1, n, span_of(rest, in.len - 1 - n * 32), &e) ==
            APEX_OK &&
        statement_words(&e.statement, &words) != APEX_OK)
        abort();
    buffer_clear(&words);
}

static void transactions(struct span in)
{
    struct tx tx;
    uint8_t from[20], hash[32], hash2[32];
    const struct ecdsa_secret key = {{[31] = 9}};
    struct buffer raw = {0};
    if (tx_parse(in, &tx, from, hash) != APEX_OK) return;
    struct tx again;
    if (tx_sign(&tx, &key, &raw, hash2) != APEX_OK ||
        tx_parse(buffer_span(&raw), &again, from, hash) != APEX_OK || again.nonce != tx.nonce ||
        !span_equal(again.data, tx.data) || memcmp(hash, hash2, sizeof hash) != 0)
        abort();
    buffer_clear(&raw);
}

/* Whatever one item was read from is what writing it gives. */
static void items(struct span in)
{
    struct cursor c = cursor_on(in), list;
    struct span bytes;
    struct buffer out = {0};
    if (rlp_bytes(&c, &bytes) == APEX_OK)
        rlp_put_bytes(&out, bytes);
    else if (rlp_list(&c, &list) == APEX_OK)
        rlp_put_list(&out, span_of(list.at, cursor_left(&list)));
    else
        return;
    if (!span_equal(buffer_span(&out), span_of(in.data, in.len - cursor_left(&c)))) abort();
    buffer_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0) return 0;
    struct span in = span_of(data + 1, len - 1);
    switch (data[0] % 4) {
    case 0: replies(in); break;
    case 1: events(in); break;
    case 2: transactions(in); break;
    default: items(in);
    }
    return 0;
}
