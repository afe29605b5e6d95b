#include "host/daemon/anchoring.h"

#include "common/base/hex.h"
#include "common/base/try.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

enum { BUNDLE_MAX = 256 * 1024, GWEI = 1000000000, MS = 1000 };

static uint64_t size(void *context)
{
    return ledger_size(((struct host *)context)->ledger);
}

static apex_status note(void *context, struct buffer *bytes)
{
    return ledger_checkpoint_get(((struct host *)context)->ledger, bytes);
}

static apex_status entries(void *context, uint64_t index, struct buffer *bundle)
{
    return ledger_read(((struct host *)context)->ledger, index, BUNDLE_MAX, bundle);
}

static apex_status statement(void *context, const struct query *q, struct buffer *bytes,
                             struct body_statement *body)
{
    return host_ask_statement(context, q, bytes, body);
}

apex_status anchoring_start(struct host *host, const struct options *o,
                            struct chain_fault *fault)
{
    char folder[PATH_MAX];
    struct anchor_options a = {.chain = {.url = o->chain, .chain_id = o->chain_id},
                               .folder = folder,
                               .key_path = o->chain_key,
                               .confirmations = o->chain_confirmations,
                               .max_fee = o->chain_max_fee_gwei * GWEI,
                               .every_ms = (int64_t)o->chain_every_s * MS,
                               .source = {host, size, note, entries, statement}};
    if (!o->chain) return APEX_OK;
    if (chain_address_parse(o->registry, a.chain.registry) != APEX_OK)
        return chain_fail(fault, APEX_E_USAGE, "registry",
                          "--registry needs 0x and 40 hex digits");
    if (snprintf(folder, sizeof folder, "%s/chain", o->data) >= (int)sizeof folder)
        return chain_fail(fault, APEX_E_USAGE, "folder", "the data folder's path is too long");
    return anchor_start(&a, &host->anchor, fault);
}

void anchoring_json(struct host *host, char json[static ANCHORING_JSON_MAX])
{
    struct anchor_status s;
    char tx[65];
    json[0] = 0;
    if (!host->anchor) return;
    anchor_status_get(host->anchor, &s);
    hex_write(SPAN(s.tx), tx);
    snprintf(json, ANCHORING_JSON_MAX,
             "{\"state\":\"%s\",\"rule\":\"%s\",\"chain_id\":%" PRIu64 ",\"anchored\":%" PRIu64
             ",\"sent\":%" PRIu64 ",\"transaction\":\"0x%s\"}",
             anchor_state_name(s.state), s.rule, s.chain_id, s.anchored, s.sent, tx);
}
