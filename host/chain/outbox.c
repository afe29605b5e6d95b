#include "host/chain/outbox.h"

#include "common/base/hex.h"
#include "common/base/try.h"
#include "host/daemon/clock.h"
#include "host/ledger/files.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    FILE_MAX = 4 << 20,
    RESEND_MS = 2000,
    TIP = 1000000000 /* wei per gas for whoever makes the block */
};

struct version {
    struct buffer raw;
    uint8_t hash[32];
};
struct outbox {
    struct outbox_options options;
    uint64_t chain_id;
    size_t n; /* versions of the one transaction; 0: idle */
    struct version version[OUTBOX_VERSIONS_MAX];
    uint64_t nonce, max_fee;
    int64_t sent_ms, newest_ms, gone_ms; /* sent last; newest version made; nonce seen used */
};

static void forget(struct outbox *o)
{
    for (size_t i = 0; i < o->n; i++)
        buffer_clear(&o->version[i].raw);
    o->n = 0;
    o->sent_ms = o->gone_ms = 0;
}

static apex_status save(const struct outbox *o, struct chain_fault *fault)
{
    BUFFER_CLEARED text = {0};
    if (!o->options.path) return APEX_OK;
    for (size_t i = 0; i < o->n; i++) {
        const struct buffer *raw = &o->version[i].raw;
        uint8_t *room = buffer_reserve(&text, 2 * raw->len + 1);
        if (!room) break;
        hex_write(buffer_span(raw), (char *)room);
        text.len += 2 * raw->len;
        buffer_u8(&text, '\n');
    }
    apex_status s = buffer_ok(&text);
    if (s == APEX_OK) s = file_replace_synced(o->options.path, buffer_span(&text));
    return s == APEX_OK
               ? s
               : chain_fail(fault, s, "outbox", "%.160s cannot be written", o->options.path);
}

static apex_status settle(struct outbox *o, struct chain_fault *fault)
{
    forget(o);
    return save(o, fault);
}

static apex_status line_take(struct outbox *o, struct span line)
{
    struct version *v = &o->version[o->n];
    uint8_t from[ECDSA_ADDRESS_LEN];
    struct tx tx;
    if (o->n == OUTBOX_VERSIONS_MAX) return APEX_E_FORMAT;
    uint8_t *room = buffer_reserve(&v->raw, line.len / 2 + 1);
    if (!room) return APEX_E_MEMORY;
    o->n++;
    TRY(hex_parse(line, room, line.len / 2));
    v->raw.len = line.len / 2;
    TRY(tx_parse(buffer_span(&v->raw), &tx, from, v->hash));
    if (tx.chain_id != o->chain_id || (o->n > 1 && tx.nonce != o->nonce) ||
        memcmp(from, o->options.key->address, sizeof from) != 0)
        return APEX_E_FORMAT;
    o->nonce = tx.nonce;
    o->max_fee = tx.max_fee;
    return APEX_OK;
}

static apex_status load(struct outbox *o)
{
    BUFFER_CLEARED text = {0};
    apex_status s = file_read(o->options.path, FILE_MAX, &text);
    if (s == APEX_E_NOT_FOUND) return APEX_OK;
    TRY(s);
    for (size_t at = 0; at < text.len;) {
        const uint8_t *end = memchr(text.data + at, '\n', text.len - at);
        if (!end) return APEX_E_FORMAT;
        size_t len = (size_t)(end - (text.data + at));
        TRY(line_take(o, span_of(text.data + at, len)));
        at += len + 1;
    }
    o->newest_ms = now_ms();
    return APEX_OK;
}

apex_status outbox_open(const struct outbox_options *options, uint64_t chain_id,
                        struct outbox **outbox, struct chain_fault *fault)
{
    struct outbox *o = calloc(1, sizeof *o);
    *outbox = NULL;
    if (!o) return chain_fail(fault, APEX_E_MEMORY, "outbox", "out of memory");
    o->options = *options;
    o->chain_id = chain_id;
    apex_status s = options->path ? load(o) : APEX_OK;
    if (s != APEX_OK) {
        outbox_close(o);
        return chain_fail(
            fault, s, "outbox",
            "%.120s is damaged, or of another key or chain; nothing is sent until "
            "it is moved away",
            options->path);
    }
    *outbox = o;
    return APEX_OK;
}

void outbox_close(struct outbox *outbox)
{
    if (!outbox) return;
    forget(outbox);
    free(outbox);
}

enum outbox_state outbox_state(const struct outbox *outbox)
{
    return outbox->n ? OUTBOX_WAITING : OUTBOX_IDLE;
}

static apex_status quantity(struct evm *c, const char *method, json_t *params, uint64_t *value,
                            struct chain_fault *fault)
{
    json_t *j;
    TRY(rpc_call(c->rpc, method, params, &j, fault));
    apex_status s = rpc_quantity(j, value);
    json_decref(j);
    return s == APEX_OK ? s : rpc_malformed(fault, "not a number");
}

static apex_status nonce_get(struct outbox *o, struct evm *c, uint64_t *nonce,
                             struct chain_fault *fault)
{
    return quantity(c, "eth_getTransactionCount",
                    json_pack("[o, s]", rpc_hex(SPAN(o->options.key->address)), "latest"),
                    nonce, fault);
}

static apex_status gas_estimate(struct outbox *o, struct evm *c, const uint8_t *to,
                                struct span data, uint64_t *gas, struct chain_fault *fault)
{
    json_t *what = json_pack("{s:o, s:o}", "from", rpc_hex(SPAN(o->options.key->address)),
                             "data", rpc_hex(data));
    if (to) json_object_set_new(what, "to", rpc_hex(span_of(to, CHAIN_ADDRESS_LEN)));
    TRY(quantity(c, "eth_estimateGas", json_pack("[o]", what), gas, fault));
    if (*gas > OUTBOX_GAS_MAX)
        return chain_fail(fault, APEX_E_LIMIT, "gas-too-high",
                          "the RPC wants %llu gas: more than any call of ours needs",
                          (unsigned long long)*gas);
    *gas += *gas / 5;
    return APEX_OK;
}

/* Twice the base fee, so that it stays valid while the base fee rises for six full blocks. */
static apex_status fees_choose(const struct outbox *o, const struct evm *c, uint64_t least,
                               struct tx *tx, struct chain_fault *fault)
{
    uint64_t cap = o->options.max_fee, base = c->at.base_fee;
    tx->priority_fee = TIP < cap ? TIP : cap;
    tx->max_fee = base < (UINT64_MAX - TIP) / 2 ? 2 * base + TIP : UINT64_MAX;
    if (tx->max_fee < least) tx->max_fee = least;
    if (tx->max_fee > cap) tx->max_fee = cap;
    if (base <= cap && tx->max_fee >= least) return APEX_OK;
    return chain_fail(fault, APEX_E_LIMIT, "gas-too-dear",
                      "a unit of gas costs %llu wei and the limit is %llu: waiting for it to "
                      "fall; --chain-max-fee-gwei raises the limit",
                      (unsigned long long)base, (unsigned long long)cap);
}

static apex_status raw_send(struct evm *c, const struct version *v, struct chain_fault *fault)
{
    json_t *j;
    apex_status s = rpc_call(c->rpc, "eth_sendRawTransaction",
                             json_pack("[o]", rpc_hex(buffer_span(&v->raw))), &j, fault);
    json_decref(j);
    return s == APEX_E_REFUSED ? APEX_OK : s; /* "already known" and its like; polls tell */
}

/* Signed, kept, sent: in this order. */
static apex_status version_add(struct outbox *o, struct evm *c, const struct tx *tx,
                               struct chain_fault *fault)
{
    struct version *v = &o->version[o->n];
    *v = (struct version){0};
    if (tx_sign(tx, &o->options.key->secret, &v->raw, v->hash) != APEX_OK) {
        buffer_clear(&v->raw);
        return chain_fail(fault, APEX_E_BUG, "outbox", "the transaction could not be signed");
    }
    o->n++;
    apex_status s = save(o, fault);
    if (s != APEX_OK) {
        buffer_clear(&v->raw);
        o->n--;
        return s;
    }
    o->nonce = tx->nonce;
    o->max_fee = tx->max_fee;
    o->newest_ms = o->sent_ms = now_ms();
    return raw_send(c, v, fault);
}

apex_status outbox_submit(struct outbox *o, struct evm *c, const uint8_t *to, struct span data,
                          struct chain_fault *fault)
{
    struct tx tx = {.chain_id = c->place.chain_id, .creates = !to, .data = data};
    if (o->n) return chain_fail(fault, APEX_E_USAGE, "outbox", "one is out already");
    if (to) memcpy(tx.to, to, sizeof tx.to);
    TRY(gas_estimate(o, c, to, data, &tx.gas, fault));
    TRY(fees_choose(o, c, 0, &tx, fault));
    TRY(nonce_get(o, c, &tx.nonce, fault));
    return version_add(o, c, &tx, fault);
}

apex_status outbox_created(const struct outbox *o, uint8_t address[static CHAIN_ADDRESS_LEN])
{
    return o->n ? tx_created(o->options.key->address, o->nonce, address) : APEX_E_USAGE;
}

static apex_status receipt_parse(const json_t *j, struct chain_block *block, uint64_t *status,
                                 uint64_t *gas)
{
    TRY(rpc_quantity(json_object_get(j, "blockNumber"), &block->number));
    TRY(rpc_quantity(json_object_get(j, "status"), status));
    TRY(rpc_quantity(json_object_get(j, "gasUsed"), gas));
    return rpc_data_exact(json_object_get(j, "blockHash"), block->hash, sizeof block->hash);
}

/* *deep: in a block that is on the chain still, and deep enough. */
static apex_status version_look(struct outbox *o, struct evm *c, const struct version *v,
                                bool *mined, bool *deep, uint64_t *status,
                                struct outbox_receipt *receipt, struct chain_fault *fault)
{
    json_t *j;
    struct chain_block in, on;
    *mined = *deep = false;
    TRY(rpc_call(c->rpc, "eth_getTransactionReceipt", json_pack("[o]", rpc_hex(SPAN(v->hash))),
                 &j, fault));
    if (json_is_null(j)) {
        json_decref(j);
        return APEX_OK;
    }
    apex_status s = receipt_parse(j, &in, status, &receipt->gas_used);
    json_decref(j);
    if (s != APEX_OK) return rpc_malformed(fault, "no receipt");
    s = chain_block_get(c, in.number, &on, fault);
    if (s == APEX_E_NOT_FOUND) return APEX_OK;
    TRY(s);
    *mined = memcmp(in.hash, on.hash, sizeof in.hash) == 0;
    memcpy(receipt->tx, v->hash, sizeof receipt->tx);
    receipt->block = in.number;
    *deep = *mined && c->at.number >= in.number &&
            c->at.number - in.number >= o->options.confirmations - 1;
    return APEX_OK;
}

static apex_status raise_fee(struct outbox *o, struct evm *c, struct chain_fault *fault)
{
    struct tx tx;
    uint8_t from[ECDSA_ADDRESS_LEN], hash[32];
    uint64_t least = o->max_fee + o->max_fee / 4 + 1, tip;
    if (o->n == OUTBOX_VERSIONS_MAX || least > o->options.max_fee) return APEX_OK;
    TRY(tx_parse(buffer_span(&o->version[o->n - 1].raw), &tx, from, hash));
    tip = tx.priority_fee + tx.priority_fee / 4 + 1; /* nodes want a tenth more of both */
    TRY(fees_choose(o, c, least, &tx, fault));
    tx.priority_fee = tip < tx.max_fee ? tip : tx.max_fee;
    return version_add(o, c, &tx, fault);
}

/* None of ours is in a block. */
static apex_status urge(struct outbox *o, struct evm *c, enum outbox_state *state,
                        struct chain_fault *fault)
{
    uint64_t nonce;
    int64_t now = now_ms();
    TRY(nonce_get(o, c, &nonce, fault));
    if (nonce > o->nonce) {
        if (o->gone_ms == 0) o->gone_ms = now;
        if (now - o->gone_ms < o->options.lost_ms) return APEX_OK;
        *state = OUTBOX_LOST;
        return settle(o, fault);
    }
    o->gone_ms = 0;
    if (now - o->newest_ms >= o->options.raise_ms) return raise_fee(o, c, fault);
    if (o->sent_ms != 0 && now - o->sent_ms < RESEND_MS) return APEX_OK;
    o->sent_ms = now;
    return raw_send(c, &o->version[o->n - 1], fault);
}

apex_status outbox_poll(struct outbox *o, struct evm *c, enum outbox_state *state,
                        struct outbox_receipt *receipt, struct chain_fault *fault)
{
    uint64_t status;
    bool mined = false, deep = false;
    *state = outbox_state(o);
    if (o->n == 0) return APEX_OK;
    for (size_t i = o->n; i-- > 0 && !mined;)
        TRY(version_look(o, c, &o->version[i], &mined, &deep, &status, receipt, fault));
    if (!mined) return urge(o, c, state, fault);
    o->gone_ms = 0;
    if (!deep) return APEX_OK;
    *state = status == 1 ? OUTBOX_DONE : OUTBOX_REVERTED;
    return settle(o, fault);
}
