#include "host/chain/anchor.h"

#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/crypto/random.h"
#include "host/chain/outbox.h"
#include "host/chain/todo.h"
#include "host/daemon/clock.h"
#include "host/daemon/log.h"
#include "host/ledger/files.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

enum {
    POLL_MS = 200,
    BACKOFF_FIRST_MS = 500,
    BACKOFF_MAX_MS = 30000,
    OPPOSED_MS = 60000,
    RAISE_MS = 90000,
    LOST_MS = 15000,
    PIN_MAX = 256
};

struct anchor {
    struct anchor_options options;
    char folder[LEDGER_PATH_MAX], outbox_path[LEDGER_PATH_MAX], seen_path[LEDGER_PATH_MAX],
        pin_path[LEDGER_PATH_MAX];
    struct gas_key key;
    pthread_t thread;
    struct evm *chain;
    struct outbox *outbox;
    struct todo todo;
    uint64_t sent_next; /* what the transaction that is out records: entries below it */
    int64_t last_ms, backoff_ms;
    pthread_mutex_t lock; /* guards what is below */
    pthread_cond_t stop;
    bool stopping;
    struct anchor_status status;
};

const char *anchor_state_name(enum anchor_state state)
{
    static const char *const names[] = {"looking", "waiting", "stuck", "opposed"};
    return names[state];
}

void anchor_status_get(struct anchor *anchor, struct anchor_status *status)
{
    pthread_mutex_lock(&anchor->lock);
    *status = anchor->status;
    pthread_mutex_unlock(&anchor->lock);
}

/* Said in the log once, not at every try. */
static void tell(struct anchor *a, enum anchor_state state, const struct chain_fault *fault)
{
    pthread_mutex_lock(&a->lock);
    struct anchor_status *s = &a->status;
    const char *rule = fault && fault->rule ? fault->rule : "";
    bool news = strcmp(s->rule, rule) != 0;
    s->state = state;
    snprintf(s->rule, sizeof s->rule, "%s", rule);
    snprintf(s->what, sizeof s->what, "%s", *rule ? fault->what : "");
    pthread_mutex_unlock(&a->lock);
    if (news && *rule)
        log_line(state == ANCHOR_OPPOSED ? LOG_ERROR : LOG_WARN,
                 "msg=chain state=%s rule=%s what=\"%s\"", anchor_state_name(state), rule,
                 fault->what);
    else if (news)
        log_line(LOG_INFO, "msg=chain state=%s", anchor_state_name(state));
}

/* The chain and register this log is kept on, fixed at first contact: what is out there is of
 * that chain, and a chain with another id is refused by name. */
static apex_status pin_check(struct anchor *a, struct chain_fault *fault)
{
    char address[CHAIN_ADDRESS_TEXT], text[PIN_MAX];
    BUFFER_CLEARED kept = {0};
    chain_address_write(a->chain->place.registry, address);
    int n = snprintf(text, sizeof text, "chain %" PRIu64 " registry %s\n",
                     a->chain->place.chain_id, address);
    apex_status s = file_read(a->pin_path, PIN_MAX, &kept);
    if (s == APEX_E_NOT_FOUND)
        s = file_replace_synced(a->pin_path, span_of(text, (size_t)n));
    else if (s == APEX_OK && !span_equal(buffer_span(&kept), span_of(text, (size_t)n)))
        return chain_fail(fault, APEX_E_UNTRUSTED, CHAIN_WRONG_ID,
                          "this log is kept on another chain or registry: %.*s",
                          (int)(kept.len < 80 ? kept.len - (kept.len > 0) : 80),
                          kept.len ? (const char *)kept.data : "");
    return s == APEX_OK ? s : chain_fail(fault, s, "disk", "%.160s: disk error", a->pin_path);
}

static apex_status connect_chain(struct anchor *a, struct chain_fault *fault)
{
    const struct outbox_options o = {a->outbox_path,     &a->key,  a->options.confirmations,
                                     a->options.max_fee, RAISE_MS, LOST_MS};
    TRY(chain_open(&a->options.chain, &a->chain, fault));
    apex_status s = pin_check(a, fault);
    if (s == APEX_OK && !a->outbox)
        s = outbox_open(&o, a->chain->place.chain_id, &a->outbox, fault);
    pthread_mutex_lock(&a->lock);
    a->status.chain_id = a->chain->place.chain_id;
    pthread_mutex_unlock(&a->lock);
    if (s == APEX_OK) return s;
    chain_close(a->chain);
    a->chain = NULL;
    return s;
}

/* What lies below `seen` is looked at again only if the file is lost, or the log's opening is.
 */
static void seen_save(struct anchor *a)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%" PRIu64 "\n", a->todo.seen);
    if (file_replace(a->seen_path, span_of(text, (size_t)n)) != APEX_OK)
        log_line(LOG_WARN, "msg=chain what=\"cannot write what has been recorded so far\"");
}

static void seen_load(struct anchor *a)
{
    BUFFER_CLEARED text = {0};
    if (file_read(a->seen_path, PIN_MAX, &text) != APEX_OK) return;
    buffer_u8(&text, 0);
    if (buffer_ok(&text) == APEX_OK) a->todo.seen = strtoull((const char *)text.data, NULL, 10);
}

static void settled(struct anchor *a, enum outbox_state state, const struct outbox_receipt *r)
{
    static const char *const names[] = {
        [OUTBOX_DONE] = "done", [OUTBOX_REVERTED] = "reverted", [OUTBOX_LOST] = "lost"};
    char hex[65];
    hex_write(SPAN(r->tx), hex);
    log_line(state == OUTBOX_DONE ? LOG_INFO : LOG_WARN,
             "msg=chain tx=0x%s state=%s block=%" PRIu64 " gas=%" PRIu64, hex, names[state],
             r->block, r->gas_used);
    if (state == OUTBOX_DONE && a->sent_next > a->todo.seen) {
        a->todo.seen = a->sent_next;
        seen_save(a);
    }
    a->sent_next = 0;
    if (state != OUTBOX_DONE) return;
    pthread_mutex_lock(&a->lock);
    memcpy(a->status.tx, r->tx, sizeof a->status.tx);
    pthread_mutex_unlock(&a->lock);
}

/* A batch that would revert is taken apart; a single call that would is passed over, and said.
 */
static apex_status refused(struct anchor *a, struct chain_fault *fault)
{
    if (!a->todo.single) {
        a->todo.single = true;
        return APEX_OK;
    }
    log_line(LOG_WARN, "msg=chain entry=%" PRIu64 " what=\"the registry refuses it: %s\"",
             a->todo.next - 1, fault->what);
    a->todo.skip = a->todo.next;
    return APEX_OK;
}

static apex_status send_calls(struct anchor *a, struct chain_fault *fault)
{
    BUFFER_CLEARED batch = {0};
    struct todo *t = &a->todo;
    const struct buffer *call = &t->calls[0];
    if (t->n > 1) {
        call = &batch;
        if (registry_call_batch(t->calls, t->n, &batch) != APEX_OK)
            return chain_fail(fault, APEX_E_MEMORY, "outbox", "out of memory");
    }
    apex_status s =
        outbox_submit(a->outbox, a->chain, a->chain->place.registry, buffer_span(call), fault);
    if (s == APEX_E_REFUSED && strcmp(fault->rule, CHAIN_RPC_SAID_NO) == 0)
        return refused(a, fault);
    if (outbox_state(a->outbox) == OUTBOX_WAITING) {
        a->sent_next = t->next;
        a->last_ms = now_ms();
        if (t->single && t->n) t->single = false;
        pthread_mutex_lock(&a->lock);
        a->status.sent++;
        pthread_mutex_unlock(&a->lock);
    }
    return s;
}

static apex_status round_do(struct anchor *a, enum anchor_state *state,
                            struct chain_fault *fault)
{
    enum outbox_state out;
    struct outbox_receipt receipt = {{0}, 0, 0};
    *state = ANCHOR_STUCK;
    if (!a->chain) TRY(connect_chain(a, fault));
    TRY(chain_look(a->chain, fault));
    TRY(outbox_poll(a->outbox, a->chain, &out, &receipt, fault));
    *state = ANCHOR_WAITING;
    if (out == OUTBOX_WAITING) return APEX_OK;
    if (out != OUTBOX_IDLE) settled(a, out, &receipt);
    *state = ANCHOR_LOOKING;
    if (a->last_ms != 0 && now_ms() - a->last_ms < a->options.every_ms) return APEX_OK;
    if (a->options.source.size(a->options.source.context) == 0) return APEX_OK;
    *state = ANCHOR_STUCK;
    TRY(todo_find(&a->todo, a->chain, fault));
    pthread_mutex_lock(&a->lock);
    a->status.anchored = a->todo.head.size;
    pthread_mutex_unlock(&a->lock);
    if (a->todo.n) TRY(send_calls(a, fault));
    *state = outbox_state(a->outbox) == OUTBOX_WAITING ? ANCHOR_WAITING : ANCHOR_LOOKING;
    return APEX_OK;
}

/* How long until the next round. */
static int64_t round_run(struct anchor *a)
{
    enum anchor_state state;
    struct chain_fault fault = {0};
    apex_status s = round_do(a, &state, &fault);
    todo_clear(&a->todo);
    if (s == APEX_OK) {
        a->backoff_ms = 0;
        tell(a, state, NULL);
        return POLL_MS;
    }
    bool opposed = fault.rule && strcmp(fault.rule, CHAIN_ANCHOR_CONTRADICTS) == 0;
    tell(a, opposed ? ANCHOR_OPPOSED : ANCHOR_STUCK, &fault);
    if (a->chain && s != APEX_E_UNTRUSTED) { /* met again from the start: id, code, pin */
        chain_close(a->chain);
        a->chain = NULL;
    }
    a->backoff_ms = a->backoff_ms == 0 ? BACKOFF_FIRST_MS : 2 * a->backoff_ms;
    if (a->backoff_ms > BACKOFF_MAX_MS) a->backoff_ms = BACKOFF_MAX_MS;
    return opposed ? OPPOSED_MS : a->backoff_ms;
}

static void *anchor_main(void *context)
{
    struct anchor *a = context;
    pthread_mutex_lock(&a->lock);
    while (!a->stopping) {
        pthread_mutex_unlock(&a->lock);
        const struct timespec until = deadline_in(round_run(a));
        pthread_mutex_lock(&a->lock);
        while (!a->stopping && pthread_cond_timedwait(&a->stop, &a->lock, &until) != ETIMEDOUT)
            continue;
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

static bool paths_make(struct anchor *a, const char *folder)
{
    int n = snprintf(a->folder, sizeof a->folder, "%s", folder);
    return n > 0 && n < (int)sizeof a->folder - 16 &&
           snprintf(a->outbox_path, sizeof a->outbox_path, "%.4000s/outbox", folder) > 0 &&
           snprintf(a->seen_path, sizeof a->seen_path, "%.4000s/recorded", folder) > 0 &&
           snprintf(a->pin_path, sizeof a->pin_path, "%.4000s/chain", folder) > 0;
}

static void anchor_free(struct anchor *a)
{
    outbox_close(a->outbox);
    chain_close(a->chain);
    wipe(a, sizeof *a);
    free(a);
}

apex_status anchor_start(const struct anchor_options *options, struct anchor **anchor,
                         struct chain_fault *fault)
{
    struct anchor *a = calloc(1, sizeof *a);
    *anchor = NULL;
    if (!a) return chain_fail(fault, APEX_E_MEMORY, "memory", "out of memory");
    a->options = *options;
    a->todo.source = &a->options.source;
    a->options.chain.confirmations = 1; /* what it looks at; what counts is the outbox's */
    bool libraries = crypto_init() == APEX_OK && curl_global_init(CURL_GLOBAL_DEFAULT) == 0;
    apex_status s =
        libraries && paths_make(a, options->folder) && folder_make(a->folder) == APEX_OK
            ? gas_key_load(options->key_path, &a->key, fault)
            : chain_fail(fault, APEX_E_IO, "disk", "%.160s cannot be made", options->folder);
    if (s == APEX_OK) {
        memcpy(a->todo.payee, a->key.address, sizeof a->todo.payee);
        seen_load(a);
        pthread_mutex_init(&a->lock, NULL);
        cond_init(&a->stop);
        if (pthread_create(&a->thread, NULL, anchor_main, a) != 0)
            s = chain_fail(fault, APEX_E_MEMORY, "memory", "no thread to be had");
    }
    if (s != APEX_OK) {
        anchor_free(a);
        return s;
    }
    *anchor = a;
    return APEX_OK;
}

void anchor_stop(struct anchor *anchor)
{
    if (!anchor) return;
    pthread_mutex_lock(&anchor->lock);
    anchor->stopping = true;
    pthread_cond_broadcast(&anchor->stop);
    pthread_mutex_unlock(&anchor->lock);
    pthread_join(anchor->thread, NULL);
    anchor_free(anchor);
}
