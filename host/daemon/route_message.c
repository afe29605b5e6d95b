#include "host/daemon/request.h"

#include "common/wire/act.h"
#include "common/wire/cose.h"

static void answer_no_enclave(struct request *r)
{
    if (enclave_state(r->host->enclave) == ENCLAVE_REFUSED)
        answer_error(r, MHD_HTTP_SERVICE_UNAVAILABLE,
                     "the enclave refuses the stored log and is not running",
                     "trust nothing from this node until its operator has restored the log");
    else
        answer_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "the enclave does not answer",
                     "try again in a moment; what was sent may have taken effect, so send the "
                     "same bytes");
}

static void answer_too_long(struct request *r)
{
    answer_error(r, MHD_HTTP_CONTENT_TOO_LARGE, "the message is longer than 65536 bytes",
                 "send large data as a blob");
}

void message_begin(struct request *r)
{
    if (r->has_length && r->body_len > MESSAGE_MAX) answer_too_long(r);
    r->body.max = MESSAGE_MAX;
}

void message_data(struct request *r, struct span bytes)
{
    buffer_append(&r->body, bytes);
    if (buffer_ok(&r->body) == APEX_E_LIMIT) answer_too_long(r);
    if (buffer_ok(&r->body) == APEX_E_MEMORY) answer_status(r, APEX_E_MEMORY);
}

static bool enclave_may_answer(struct request *r)
{
    return enclave_state(r->host->enclave) != ENCLAVE_REFUSED;
}

/* Statements for a chain name who is paid: the host asks for its own, and for nobody else's. */
static bool for_the_host_alone(const struct message *m)
{
    return m->type == MESSAGE_STATEMENT;
}

/* A deployment by whom the operator has not named. Whether the signature holds is the enclave's
 * to see. */
static bool by_a_stranger(const struct host *host, const struct message *m)
{
    struct cose cose;
    struct act act;
    if (host->n_deployers == 0 || m->type != MESSAGE_ACT ||
        cose_parse(m->body, &cose) != APEX_OK || act_parse(cose.payload, &act) != APEX_OK ||
        act.kind != ACT_DEPLOY)
        return false;
    for (size_t i = 0; i < host->n_deployers; i++)
        if (memcmp(host->deployers[i], cose.kid, 32) == 0) return false;
    return true;
}

/* Answers what does not go to the enclave. Bytes that are no message do: it is its to say so.
 */
static bool turned_away(struct request *r)
{
    struct message m;
    if (message_parse(buffer_span(&r->body), &m) != APEX_OK) return false;
    if (for_the_host_alone(&m))
        answer_error(r, MHD_HTTP_FORBIDDEN,
                     "statements for a chain are asked for by the node itself",
                     "read them on the chain, or start apexd with --chain");
    else if (by_a_stranger(r->host, &m))
        answer_error(
            r, MHD_HTTP_FORBIDDEN,
            "the operator of this node lets only parties it has named deploy contracts",
            "ask the operator to start apexd with --deployer and your signing key");
    else
        return false;
    return true;
}

void message_end(struct request *r)
{
    BUFFER_CLEARED reply = {0};
    if (r->body.len == 0) {
        answer_error(r, MHD_HTTP_BAD_REQUEST, "the message is empty",
                     "send a message as common/wire/message.h says");
        return;
    }
    if (turned_away(r)) return;
    int64_t began = now_us();
    bool answered =
        enclave_may_answer(r) && link_message(r->host->link, buffer_span(&r->body),
                                              r->host->message_timeout_ms, &reply) == APEX_OK;
    metrics_message(&r->host->metrics, (uint64_t)(now_us() - began));
    if (answered)
        answer_bytes(r, "application/cose", buffer_span(&reply));
    else
        answer_no_enclave(r);
}

void attestation_end(struct request *r)
{
    BUFFER_CLEARED reply = {0};
    if (!enclave_may_answer(r) || host_attest(r->host, r->target.nonce, &reply) != APEX_OK) {
        answer_no_enclave(r);
        return;
    }
    answer_bytes(r, "application/cose", buffer_span(&reply));
    answer_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
}
