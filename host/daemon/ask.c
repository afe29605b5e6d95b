/* Queries the host puts to the enclave on behalf of people who only GET. Replies are passed on
 * signed, or read as hints. */
#include "common/base/try.h"
#include "common/wire/cose.h"
#include "host/daemon/host.h"

enum { ASK_TIMEOUT_MS = 5000 };

static apex_status ask(struct host *host, enum message_type type, const struct query *q,
                       int64_t timeout_ms, struct buffer *reply)
{
    BUFFER_CLEARED body = {0};
    BUFFER_CLEARED message = {0};
    query_write(type, q, &body);
    TRY(buffer_ok(&body));
    message_write(type, buffer_span(&body), &message);
    TRY(buffer_ok(&message));
    return link_message(host->link, buffer_span(&message), timeout_ms, reply);
}

apex_status host_attest(struct host *host, const uint8_t nonce[static 32], struct buffer *reply)
{
    struct query q = {0};
    memcpy(q.nonce, nonce, sizeof q.nonce);
    return ask(host, MESSAGE_ATTEST, &q, host->message_timeout_ms, reply);
}

apex_status host_ask_run(struct host *host, uint64_t run, struct run_hint *hint)
{
    const struct query q = {.has_index = true, .index = run};
    BUFFER_CLEARED bytes = {0};
    struct cose cose;
    struct reply reply;
    struct body_run body;
    struct run_hint known;
    runs_get(host->runs, run, &known);
    *hint = (struct run_hint){.run = run};
    TRY(ask(host, MESSAGE_RUN, &q, ASK_TIMEOUT_MS, &bytes));
    TRY(cose_parse(buffer_span(&bytes), &cose));
    TRY(reply_parse(cose.payload, &reply));
    if (reply.status != APEX_OK) return APEX_OK; /* no such run */
    TRY(body_run_parse(reply.body, &body));
    const struct run_hint found = {run, body.state, body.permille, body.index};
    if (!run_hint_ok(&found)) return APEX_E_FORMAT;
    runs_put_answer(host->runs, &known, &found);
    *hint = found;
    return APEX_OK;
}

apex_status host_ask_statement(struct host *host, const struct query *q, struct buffer *bytes,
                               struct body_statement *statement)
{
    struct cose cose;
    struct reply reply;
    TRY(ask(host, MESSAGE_STATEMENT, q, ASK_TIMEOUT_MS, bytes));
    TRY(cose_parse(buffer_span(bytes), &cose));
    TRY(reply_parse(cose.payload, &reply));
    if (reply.status == APEX_E_UNTRUSTED || reply.status == APEX_E_NOT_FOUND)
        return reply.status;
    if (reply.status != APEX_OK) return APEX_E_UNREACHABLE;
    return body_statement_parse(reply.body, statement);
}
