#include "client/lib/chain.h"

#include "client/lib/show.h"
#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/crypto/hash.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { CONFIRMATIONS = 12 };

static bool is(const struct chain_fault *f, const char *rule)
{
    return f->rule && strcmp(f->rule, rule) == 0;
}

apex_status chain_fault_tell(struct apex_error *error, apex_status s,
                             const struct chain_fault *f)
{
    const char *next =
        is(f, CHAIN_WRONG_ID) ? "check --chain and --chain-id"
        : is(f, CHAIN_NO_REGISTRY) || is(f, CHAIN_OTHER_CODE)
            ? "check --registry: take it from the node's operator and from another "
              "party too"
        : is(f, CHAIN_UNKNOWN_LOG)
            ? "check --registry and --chain; apexd keeps a log there with --chain"
        : s == APEX_E_UNREACHABLE ? "try again, or ask another RPC of this chain"
                                  : "ask another RPC of this chain, and show both "
                                    "answers to an auditor";
    char what[sizeof error->what];
    snprintf(what, sizeof what, "%s: %.190s", f->rule ? f->rule : "chain", f->what);
    (void)apex_fail(error, s, what, "nothing of the chain was used", next,
                    s == APEX_E_UNREACHABLE || s == APEX_E_USAGE ? "you"
                                                                 : "whoever runs the RPC");
    snprintf(error->refusal, sizeof error->refusal, "%s", f->rule ? f->rule : "");
    return s;
}

apex_status chain_view_open(struct chain_view *c, const struct apex_chain_options *options,
                            struct apex_error *error)
{
    struct chain_fault fault = {0};
    struct chain_options o = {.url = options->url,
                              .chain_id = options->chain_id,
                              .confirmations = options->confirmations ? options->confirmations
                                                                      : CONFIRMATIONS,
                              .timeout_ms = options->timeout_ms};
    c->agree = true;
    if (!options->registry || chain_address_parse(options->registry, o.registry) != APEX_OK)
        return apex_fail(error, APEX_E_USAGE,
                         "the registry's address is missing, or is not 0x and 40 hex digits",
                         "nothing was asked", "give it with --registry or APEX_REGISTRY",
                         "you");
    apex_status s = chain_open(&o, &c->chain, &fault);
    return s == APEX_OK ? s : chain_fault_tell(error, s, &fault);
}

void chain_view_close(struct chain_view *c)
{
    chain_close(c->chain);
    c->chain = NULL;
}

bool chain_view_check(struct chain_view *c, const char *name, bool passes, const char *rule,
                      const char *format, ...)
{
    struct apex_check *to = &c->v->checks[c->v->n_checks < 47 ? c->v->n_checks++ : 47];
    va_list args;
    char text[sizeof to->detail];
    int n = 0;
    snprintf(to->name, sizeof to->name, "%s", name);
    if (!passes && rule) n = snprintf(text, sizeof text, "%s: ", rule);
    va_start(args, format);
    (void)vsnprintf(text + n, sizeof text - (size_t)n, format, args);
    va_end(args);
    text_tame(text, to->detail, sizeof to->detail);
    to->result = passes;
    c->agree = c->agree && passes;
    return passes;
}

void chain_view_left(struct chain_view *c, const char *name, const char *detail)
{
    (void)chain_view_check(c, name, true, NULL, "%s", detail);
    c->v->checks[c->v->n_checks - 1].result = -1;
}

apex_status chain_view_log(struct chain_view *c, const char *origin,
                           const uint8_t log_key[static 32],
                           const uint8_t chain_key[static ECDSA_PUBLIC_LEN],
                           struct apex_error *error)
{
    struct chain_fault fault = {0};
    struct ecdsa_public key;
    char registry[CHAIN_ADDRESS_TEXT];
    memcpy(key.bytes, chain_key, sizeof key.bytes);
    if (ecdsa_address(&key, c->key) != APEX_OK)
        return apex_fail(error, APEX_E_UNTRUSTED, "the enclave's key for chains is none",
                         "nothing was compared", "show this to an auditor", "the operator");
    statement_log_id(span_text(origin), log_key, c->key, c->log);
    apex_status s = chain_head(c->chain, c->log, &c->head, &fault);
    if (s != APEX_OK) return chain_fault_tell(error, s, &fault);
    chain_address_write(c->chain->place.registry, registry);
    (void)chain_view_check(
        c, "registry", true, NULL,
        "chain %llu has the registry's very code at %s, and this log; looked "
        "at as of block %llu",
        (unsigned long long)c->chain->place.chain_id, registry,
        (unsigned long long)c->chain->at.number);
    return APEX_OK;
}

static apex_status recorded(struct chain_view *c, enum registry_view view,
                            const uint8_t argument[static 32], uint8_t word[static 32],
                            struct apex_error *error)
{
    struct chain_fault fault = {0};
    apex_status s = chain_word(c->chain, view, c->log, argument, word, &fault);
    return s == APEX_OK ? s : chain_fault_tell(error, s, &fault);
}

apex_status chain_view_evidence(struct chain_view *c, const struct entry *enclave,
                                struct apex_error *error)
{
    uint8_t digest[32], word[32], key[32];
    const uint8_t none[32] = {0};
    sha256(enclave->evidence, digest);
    chain_word_address(c->key, key);
    TRY(recorded(c, VIEW_EVIDENCE, digest, word, error));
    bool there = memcmp(word, none, 32) != 0, ours = memcmp(word, key, 32) == 0;
    (void)chain_view_check(
        c, "enclave-on-chain", ours, there ? CHAIN_FORGED : CHAIN_NOT_YET,
        ours ? "the RPC says that the chain has the enclave's evidence; the key that it binds "
               "signs what follows"
        : there ? "the RPC shows the enclave's evidence for a key that it does not bind"
                : "the chain does not have this enclave's evidence");
    return APEX_OK;
}

/* The signed event behind what a view says is recorded; *rule: why there is none, or NULL. */
static apex_status signed_event(struct chain_view *c, enum statement_kind kind,
                                const uint8_t topic2[static 32], uint64_t from, uint64_t to,
                                struct chain_event *e, const char **rule,
                                struct apex_error *error)
{
    struct chain_fault fault = {0};
    apex_status s =
        chain_event_find(c->chain, kind, c->log, topic2, from, to, c->key, e, &fault);
    *rule = s == APEX_OK ? NULL : s == APEX_E_NOT_FOUND ? CHAIN_RPC_CONTRADICTS : fault.rule;
    return s == APEX_OK || s == APEX_E_NOT_FOUND || s == APEX_E_UNTRUSTED
               ? APEX_OK
               : chain_fault_tell(error, s, &fault);
}

apex_status chain_view_contract(struct chain_view *c, const uint8_t address[static 32],
                                const uint8_t program[static 32], struct apex_error *error)
{
    struct chain_event e;
    uint8_t word[32];
    const uint8_t none[32] = {0};
    const char *rule = CHAIN_ANCHOR_CONTRADICTS;
    TRY(recorded(c, VIEW_PROGRAM, address, word, error));
    bool there = memcmp(word, none, 32) != 0, same = memcmp(word, program, 32) == 0;
    if (same)
        TRY(signed_event(c, STATEMENT_CONTRACT, address, c->head.opened, c->chain->at.number,
                         &e, &rule, error));
    bool ours = same && !rule && memcmp(e.event.statement.program, program, 32) == 0;
    (void)chain_view_check(
        c, "contract-on-chain", ours, there ? rule : CHAIN_NOT_YET,
        ours   ? "the contract's manifest and program are recorded on the chain, signed by the "
                 "enclave's key"
        : same ? "the chain shows no record of this contract that the enclave's key signed"
        : there ? "the chain has another program for this contract"
                : "the chain does not have this contract");
    return APEX_OK;
}

static void run_statement(const struct chain_view *c, const struct entry *result,
                          const struct registry_run *kept, struct statement *s)
{
    *s = (struct statement){.kind = STATEMENT_RUN, .run = result->run};
    memcpy(s->log, c->log, 32);
    memcpy(s->manifest, result->address, 32);
    memcpy(s->program, result->program, 32);
    memcpy(s->request, result->request, 32);
    memcpy(s->output, result->output, 32);
    memcpy(s->payee, kept->payee, sizeof s->payee);
    statement_inputs(result, s->inputs);
}

/* The event that committed it, signed by the enclave's key word for word; told when it is not,
 * or when `tell`. */
static apex_status run_event(struct chain_view *c, uint64_t run, uint64_t block,
                             struct span words, bool tell, struct apex_error *error)
{
    struct chain_event e;
    BUFFER_CLEARED signed_words = {0};
    const char *rule;
    uint8_t index[32];
    char tx[65] = "";
    chain_word_u64(run, index);
    TRY(signed_event(c, STATEMENT_RUN, index, block, block, &e, &rule, error));
    if (!rule && statement_words(&e.event.statement, &signed_words) != APEX_OK)
        return apex_fail_memory(error);
    bool ours = !rule && span_equal(buffer_span(&signed_words), words);
    if (ours && !tell) return APEX_OK;
    if (ours) hex_write(SPAN(e.tx), tx);
    (void)chain_view_check(c, "run-signed", ours, rule ? rule : CHAIN_ANCHOR_CONTRADICTS,
                           ours ? "run %llu: the enclave's own key signed it; block %llu, "
                                  "transaction 0x%s"
                                : "run %llu: the chain shows no event of it in block %llu that "
                                  "this enclave's key signed%s",
                           (unsigned long long)run, (unsigned long long)block, tx);
    return APEX_OK;
}

apex_status chain_view_run(struct chain_view *c, const struct entry *result, bool tell,
                           struct apex_error *error)
{
    struct chain_fault fault = {0};
    struct registry_run kept;
    struct statement s;
    uint8_t digest[32];
    BUFFER_CLEARED words = {0};
    apex_status status = chain_run(c->chain, c->log, result->run, &kept, &fault);
    if (status != APEX_OK) return chain_fault_tell(error, status, &fault);
    run_statement(c, result, &kept, &s);
    if (statement_words(&s, &words) != APEX_OK ||
        registry_run_digest(buffer_span(&words), digest) != APEX_OK)
        return apex_fail_memory(error);
    bool there = kept.committed != 0, same = memcmp(digest, kept.digest, 32) == 0;
    if (!same || tell)
        (void)chain_view_check(
            c, "run-on-chain", same, there ? CHAIN_ANCHOR_CONTRADICTS : CHAIN_NOT_YET,
            same ? "run %llu is committed on the chain with these very inputs, program, "
                   "request and answer"
            : there
                ? "run %llu is committed on the chain with another request, answer, program "
                  "or inputs"
                : "run %llu is not committed on the chain, or not deep enough yet",
            (unsigned long long)result->run);
    return same ? run_event(c, result->run, kept.committed, buffer_span(&words), tell, error)
                : APEX_OK;
}
