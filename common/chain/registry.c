#include "common/chain/registry.h"

#include "common/base/try.h"
#include "common/chain/abi.h"
#include "common/crypto/keccak.h"

#define SIGNATURE "(bytes32,bytes32,uint8)"
#define RUN "(uint64,bytes32,bytes32,bytes32,bytes32,bytes32,address)"

static const char *const functions[] = {
    [STATEMENT_OPEN] = "open(string,bytes32,address,bytes32," SIGNATURE ")",
    [STATEMENT_ADMIT] = "admit(bytes32,address,bytes32," SIGNATURE ")",
    [STATEMENT_CONTRACT] = "record(bytes32,bytes32,bytes32," SIGNATURE ")",
    [STATEMENT_ANCHOR] = "anchor(bytes32,uint64,bytes32,bytes32[]," SIGNATURE ")",
    [STATEMENT_RUN] = "commit(bytes32," RUN "," SIGNATURE ")"};

static const char *const events[] = {
    [STATEMENT_OPEN] = "Opened(bytes32,string,bytes32,address,bytes32)",
    [STATEMENT_ADMIT] = "Admitted(bytes32,address,bytes32,address)",
    [STATEMENT_CONTRACT] = "Deployed(bytes32,bytes32,bytes32," SIGNATURE ")",
    [STATEMENT_ANCHOR] = "Anchored(bytes32,uint64,bytes32,uint64," SIGNATURE ")",
    [STATEMENT_RUN] = "Committed(bytes32,uint64,bytes32," RUN "," SIGNATURE ")"};

static const char *const views[] = {[VIEW_HEAD] = "heads(bytes32)",
                                    [VIEW_EVIDENCE] = "evidences(bytes32,bytes32)",
                                    [VIEW_PROGRAM] = "programs(bytes32,bytes32)",
                                    [VIEW_RUN] = "runs(bytes32,uint64)"};

static void put_signature(struct buffer *out, const struct ecdsa_signature *by)
{
    buffer_append(out, SPAN(by->r));
    buffer_append(out, SPAN(by->s));
    abi_u64(out, 27u + by->parity);
}

/* The origin stands behind the seven words of the head: offset, three fields, signature. */
static void put_open(struct buffer *out, struct span words, const struct ecdsa_signature *by,
                     struct span origin)
{
    abi_u64(out, 7 * WORD_LEN);
    buffer_append(out, span_of(words.data + WORD_LEN, 3 * WORD_LEN));
    put_signature(out, by);
    abi_tail(out, origin);
}

static void put_anchor(struct buffer *out, struct span words, const struct ecdsa_signature *by,
                       const struct merkle_proof *proof)
{
    buffer_append(out, words);
    abi_u64(out, 7 * WORD_LEN);
    put_signature(out, by);
    abi_u64(out, proof->n);
    for (size_t i = 0; i < proof->n; i++)
        buffer_append(out, SPAN(proof->hash[i].bytes));
}

apex_status registry_call_statement(enum statement_kind kind, struct span words,
                                    const struct ecdsa_signature *by, struct span origin,
                                    const struct merkle_proof *proof, struct buffer *call)
{
    size_t n = statement_n_words(kind);
    if (n == 0 || words.len != n * WORD_LEN) return APEX_E_FORMAT;
    abi_selector(call, functions[kind]);
    if (kind == STATEMENT_OPEN) {
        put_open(call, words, by, origin);
    } else if (kind == STATEMENT_ANCHOR) {
        put_anchor(call, words, by, proof);
    } else {
        buffer_append(call, words);
        put_signature(call, by);
    }
    return buffer_ok(call);
}

apex_status registry_call_batch(const struct buffer *calls, size_t n, struct buffer *call)
{
    size_t at = n * WORD_LEN;
    abi_selector(call, "batch(bytes[])");
    abi_u64(call, WORD_LEN);
    abi_u64(call, n);
    for (size_t i = 0; i < n; i++) {
        abi_u64(call, at);
        at += WORD_LEN + (calls[i].len + WORD_LEN - 1) / WORD_LEN * WORD_LEN;
    }
    for (size_t i = 0; i < n; i++)
        abi_tail(call, buffer_span(&calls[i]));
    return buffer_ok(call);
}

apex_status registry_call_view(enum registry_view view, const uint8_t log[static 32],
                               const uint8_t argument[static 32], struct buffer *call)
{
    abi_selector(call, views[view]);
    buffer_append(call, span_of(log, 32));
    if (view != VIEW_HEAD) buffer_append(call, span_of(argument, WORD_LEN));
    return buffer_ok(call);
}

apex_status registry_head_parse(struct span returned, struct registry_head *head)
{
    struct cursor c = cursor_on(returned);
    TRY(abi_take_u64(&c, &head->size));
    TRY(abi_take_u64(&c, &head->anchored));
    TRY(abi_take_u64(&c, &head->opened));
    TRY(abi_take_word(&c, head->root));
    return cursor_end(&c);
}

apex_status registry_run_parse(struct span returned, struct registry_run *run)
{
    struct cursor c = cursor_on(returned);
    TRY(abi_take_word(&c, run->digest));
    TRY(abi_take_address(&c, run->payee));
    TRY(abi_take_u64(&c, &run->committed));
    return cursor_end(&c);
}

apex_status registry_run_digest(struct span words, uint8_t digest[static 32])
{
    if (words.len != statement_n_words(STATEMENT_RUN) * WORD_LEN) return APEX_E_FORMAT;
    keccak256(span_of(words.data + WORD_LEN, words.len - WORD_LEN), digest);
    return APEX_OK;
}

void registry_topic(enum statement_kind kind, uint8_t topic[static 32])
{
    keccak256(span_text(events[kind]), topic);
}

static apex_status take_signature(struct cursor *c, struct ecdsa_signature *by)
{
    uint64_t v;
    TRY(abi_take_word(c, by->r));
    TRY(abi_take_word(c, by->s));
    TRY(abi_take_u64(c, &v));
    if (v != 27 && v != 28) return APEX_E_FORMAT;
    by->parity = (uint8_t)(v - 27);
    return cursor_end(c);
}

static apex_status take_run(struct cursor *c, struct statement *s)
{
    TRY(abi_take_u64(c, &s->run));
    TRY(abi_take_word(c, s->manifest));
    TRY(abi_take_word(c, s->program));
    TRY(abi_take_word(c, s->request));
    TRY(abi_take_word(c, s->inputs));
    TRY(abi_take_word(c, s->output));
    return abi_take_address(c, s->payee);
}

static apex_status take_fields(struct cursor *indexed, struct cursor *data,
                               struct registry_event *e)
{
    struct statement *s = &e->statement;
    uint64_t run;
    uint8_t manifest[32];
    TRY(abi_take_word(indexed, s->log));
    switch (s->kind) {
    case STATEMENT_CONTRACT:
        TRY(abi_take_word(indexed, s->manifest));
        TRY(abi_take_word(data, s->program));
        return cursor_end(indexed);
    case STATEMENT_ANCHOR:
        TRY(abi_take_u64(indexed, &s->size));
        TRY(abi_take_word(data, s->root));
        TRY(abi_take_u64(data, &e->previous));
        return cursor_end(indexed);
    default:
        TRY(abi_take_u64(indexed, &run));
        TRY(abi_take_word(indexed, manifest));
        TRY(take_run(data, s));
        if (run != s->run || memcmp(manifest, s->manifest, 32) != 0) return APEX_E_FORMAT;
        return cursor_end(indexed);
    }
}

apex_status registry_event_parse(const uint8_t *topics, size_t n, struct span data,
                                 struct registry_event *event)
{
    static const enum statement_kind with_signature[] = {STATEMENT_CONTRACT, STATEMENT_ANCHOR,
                                                         STATEMENT_RUN};
    struct cursor fields = cursor_on(data), indexed = cursor_on(span_of(topics, n * 32));
    uint8_t topic[32], first[32];
    *event = (struct registry_event){0};
    TRY(abi_take_word(&indexed, first));
    for (size_t i = 0; i < sizeof with_signature / sizeof *with_signature; i++) {
        registry_topic(with_signature[i], topic);
        if (memcmp(topic, first, 32) == 0) event->statement.kind = with_signature[i];
    }
    if (event->statement.kind == 0) return APEX_E_FORMAT;
    TRY(take_fields(&indexed, &fields, event));
    return take_signature(&fields, &event->by);
}
