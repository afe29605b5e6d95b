#include "host/daemon/anchoring.h"
#include "host/daemon/request.h"

#include <inttypes.h>
#include <stdio.h>

void healthz_end(struct request *r)
{
    char json[256 + ANCHORING_JSON_MAX], chain[ANCHORING_JSON_MAX];
    anchoring_json(r->host, chain);
    enum enclave_state state = enclave_state(r->host->enclave);
    bool up = state == ENCLAVE_UP;
    snprintf(json, sizeof json,
             "{\"ok\":%s,\"enclave\":\"%s\",\"log_size\":%" PRIu64
             ",\"version\":\"" APEX_VERSION "\",\"tee\":\"%s\",\"simulated\":%s%s%s}",
             up ? "true" : "false", enclave_state_name(state), ledger_size(r->host->ledger),
             r->host->tee, strcmp(r->host->tee, "sim") == 0 ? "true" : "false",
             *chain ? ",\"chain\":" : "", chain);
    answer_json(r, up ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, json);
    answer_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
}

static void runs_write(struct host *h, struct buffer *out)
{
    uint64_t n[RUN_STATES];
    runs_count(h->runs, n);
    metrics_head(out, "apexd_runs", "gauge", "Runs seen since start, by their newest state.");
    for (unsigned s = RUN_REQUESTED; s < RUN_STATES; s++)
        metrics_labelled(out, "apexd_runs", "state", run_state_name(s), n[s]);
}

static void chain_write(struct host *h, struct buffer *out)
{
    struct anchor_status s;
    if (!h->anchor) return;
    anchor_status_get(h->anchor, &s);
    metrics_put(out, "apexd_chain_anchored_entries", "gauge",
                "Entries the newest anchor on the chain covers.", s.anchored);
    metrics_put(out, "apexd_chain_transactions_total", "counter",
                "Transactions sent since start, each once.", s.sent);
    metrics_put(out, "apexd_chain_ok", "gauge", "0 while a rule keeps the chain behind.",
                s.rule[0] == 0);
}

void metrics_end(struct request *r)
{
    BUFFER_CLEARED text = {0};
    struct host *h = r->host;
    struct store_facts store = store_facts(h->store);
    metrics_write(&h->metrics, &text);
    metrics_put(&text, "apexd_blobs", "gauge", "Whole blobs kept.", store.n_blobs);
    metrics_put(&text, "apexd_uploads_unfinished", "gauge", "Uploads that can be resumed.",
                store.n_partials);
    metrics_put(&text, "apexd_log_entries", "gauge", "Entries the checkpoint covers.",
                ledger_size(h->ledger));
    metrics_put(&text, "apexd_enclave_up", "gauge", "1 while the enclave answers.",
                enclave_state(h->enclave) == ENCLAVE_UP);
    metrics_put(&text, "apexd_enclave_restarts_total", "counter",
                "Starts of the enclave after its first.", enclave_restarts(h->enclave));
    runs_write(h, &text);
    chain_write(h, &text);
    if (buffer_ok(&text) != APEX_OK)
        answer_status(r, APEX_E_MEMORY);
    else
        answer_bytes(r, "text/plain; version=0.0.4; charset=utf-8", buffer_span(&text));
}
