#include "client/lib/node.h"

#include "client/lib/show.h"
#include "common/base/hex.h"
#include "common/base/try.h"

#include <stdio.h>
#include <stdlib.h>

static const char *kind_name(unsigned kind)
{
    static const char *const names[] = {"",    "deploy", "accept", "contribute", "withdraw",
                                        "run", "result", "refuse", "close",      "enclave"};
    return names[kind <= ENTRY_ENCLAVE ? kind : 0];
}

static void who_of(const struct manifest *m, const uint8_t key[static 32], char who[static 65])
{
    const struct manifest_party *p = manifest_party_by_key(m, key);
    char hex[17];
    hex_write(span_of(key, 8), hex);
    snprintf(who, 65, "%s", p ? p->name : hex);
}

static void act_describe(const struct entry *e, const struct act *act, struct apex_event *v)
{
    char hex[17], name[NAME_MAX_LEN + 1];
    hex_write(span_of(act->blob, 8), hex);
    text_show(act->name, name, sizeof name);
    switch (act->kind) {
    case ACT_CONTRIBUTE:
        snprintf(v->what, sizeof v->what, "%s, ciphertext %s…", name, hex);
        return;
    case ACT_RUN:
        snprintf(v->what, sizeof v->what, "%s%s", name,
                 act->has_rows ? ", with rows of the requester's own" : "");
        if (e->epsilon_micro)
            snprintf(v->what + strlen(v->what), sizeof v->what - strlen(v->what),
                     ", epsilon %.10g", (double)e->epsilon_micro / 1e6);
        return;
    case ACT_WITHDRAW:
        snprintf(v->what, sizeof v->what, "contribution %llu", (unsigned long long)act->index);
        return;
    default:
        snprintf(v->what, sizeof v->what, "%s",
                 e->kind == (unsigned)ACT_DEPLOY ? "the manifest of this address" : "");
        return;
    }
}

static void task_note(const struct entry *e, struct apex_event *v)
{
    unsigned state = e->kind == (unsigned)ACT_RUN ? RUN_REQUESTED
                     : e->kind == ENTRY_RESULT    ? RUN_RELEASED
                     : e->kind != ENTRY_REFUSE    ? 0
                     : e->state == 1              ? RUN_REFUSED
                                                  : RUN_FAILED;
    if (state == 0) return;
    v->run = e->kind == (unsigned)ACT_RUN ? e->index : e->run;
    snprintf(v->task, sizeof v->task, "%s", task_name(state));
}

static apex_status event_fill(struct span bytes, const struct manifest *m, struct entry *e,
                              struct apex_event *v)
{
    struct cose cose, inner;
    struct act act;
    TRY(cose_open(bytes, SPAN_TEXT(ENTRY_AAD), &cose));
    TRY(entry_parse(cose.payload, e));
    *v = (struct apex_event){
        .index = e->index, .time_ms = e->time_ms, .epsilon_micro = e->epsilon_micro};
    snprintf(v->kind, sizeof v->kind, "%s", kind_name(e->kind));
    snprintf(v->who, sizeof v->who, "the enclave");
    task_note(e, v);
    if (e->act.len) {
        TRY(cose_open(e->act, SPAN_TEXT(ACT_AAD), &inner));
        TRY(act_parse(inner.payload, &act));
        who_of(m, inner.kid, v->who);
        act_describe(e, &act, v);
        if (act.kind == ACT_RUN) hex_write(SPAN(act.request_digest), v->request);
    } else if (e->kind == ENTRY_RESULT) {
        snprintf(v->what, sizeof v->what,
                 "of run %llu, from %zu contributions, sealed to %zu parties",
                 (unsigned long long)e->run, e->n_inputs, e->n_recipients);
    } else if (e->kind == ENTRY_REFUSE) {
        snprintf(v->refusal, sizeof v->refusal, "%s", refusal_text(e->code)->name);
        char why[101];
        text_show(e->detail.len ? e->detail : span_text(refusal_text(e->code)->what), why,
                  sizeof why);
        snprintf(v->what, sizeof v->what, "run %llu %s: %s", (unsigned long long)e->run,
                 e->state == 1 ? "refused" : "failed", why);
    }
    return APEX_OK;
}

/* How each run stands: every event of it says so. */
static void tasks_mark(struct apex_event *events, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(events[i].kind, "run") != 0) continue;
        for (size_t j = i + 1; j < n; j++)
            if (events[j].task[0] && events[j].run == events[i].index &&
                strcmp(events[j].kind, "run") != 0)
                memcpy(events[i].task, events[j].task, sizeof events[i].task);
    }
}

/* Every entry of the contract in the whole log, not only those the enclave lists: nothing can
 * be left out. */
static apex_status collect(struct apex_node *node, const struct manifest *m,
                           const uint8_t address[static 32], struct apex_event **events,
                           size_t *n)
{
    struct cose cose;
    struct entry *e = calloc(1, sizeof *e);
    *n = 0;
    *events = calloc(node->mirror.n + 1, sizeof **events);
    apex_status s = e && *events ? APEX_OK : APEX_E_MEMORY;
    for (size_t i = 0; s == APEX_OK && i < node->mirror.n; i++) {
        struct span bytes = buffer_span(&node->mirror.entries[i]);
        s = cose_parse(bytes, &cose);
        if (s == APEX_OK) s = entry_parse(cose.payload, e);
        if (s != APEX_OK || !e->has_address || memcmp(e->address, address, 32) != 0) continue;
        s = event_fill(bytes, m, e, &(*events)[*n]);
        ++*n;
    }
    free(e);
    if (s == APEX_OK) tasks_mark(*events, *n);
    return s;
}

apex_status apex_audit(struct apex_node *node, const char *address, struct apex_event **events,
                       size_t *n_events, uint64_t *log_size, struct apex_error *error)
{
    uint8_t raw[32];
    BUFFER_CLEARED text = {0};
    struct manifest *m = NULL;
    *events = NULL;
    TRY(address_of(address, raw, error));
    TRY(node_manifest(node, raw, &text, &m, error));
    apex_status s = node_refresh(node, error);
    if (s == APEX_OK) s = node_mirror(node, error);
    if (s == APEX_OK) {
        s = collect(node, m, raw, events, n_events);
        if (s != APEX_OK)
            s = apex_fail(
                error, s, "an entry of the log is not signed or formed as it should be",
                "the history is not shown",
                "trust nothing from this node; show this to an auditor", "the operator");
        *log_size = node->seen.size;
    }
    manifest_free(m);
    return s;
}
