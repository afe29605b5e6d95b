#include "client/lib/node.h"

#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/wire/rerun.h"

#include <stdio.h>

static apex_status demand_write(const struct apex_identity *identity, const struct rerun *r,
                                struct buffer *cose, struct apex_error *error)
{
    BUFFER_CLEARED payload = {0};
    rerun_write(r, &payload);
    return buffer_ok(&payload) == APEX_OK && cose_sign(&identity->sign, SPAN_TEXT(RERUN_AAD),
                                                       buffer_span(&payload), cose) == APEX_OK
               ? APEX_OK
               : apex_fail_memory(error);
}

apex_status apex_audit_rerun(struct apex_node *node, const struct apex_identity *identity,
                             const char *address, uint64_t run, bool *same, char output[65],
                             struct apex_error *error)
{
    struct rerun r = {.run = run, .time_ms = wall_clock_ms()};
    struct body_rerun b;
    struct reply reply;
    BUFFER_CLEARED cose = {0};
    BUFFER_CLEARED bytes = {0};
    TRY(address_of(address, r.address, error));
    TRY(demand_write(identity, &r, &cose, error));
    TRY(node_message(node, MESSAGE_RERUN, buffer_span(&cose), &bytes, &reply, error));
    if (body_rerun_parse(reply.body, &b) != APEX_OK)
        return apex_fail(error, APEX_E_UNTRUSTED, "the reply is not of the agreed form",
                         "nothing of it was used", "tell the operator", "the operator");
    hex_write(SPAN(b.output), output);
    *same = b.same;
    return APEX_OK;
}
