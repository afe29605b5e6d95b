#include "client/lib/auditor.h"

#include "client/lib/error.h"
#include "client/lib/node.h"
#include "common/base/try.h"
#include "common/ledger/replay.h"
#include "common/wire/manifest.h"

#include <stdio.h>
#include <stdlib.h>

struct auditor {
    struct state state;
    struct merkle_tree *tree;
    struct replay replay;
    struct entry *entry;
    struct apex_audit_report *report;
    struct apex_breach *breaches;
    size_t cap;
    manifest_fn manifest;
    void *context;
};

static apex_status manifest_count(void *context, const uint8_t address[static 32],
                                  struct buffer *text)
{
    struct auditor *a = context;
    TRY(a->manifest(a->context, address, text));
    a->report->manifests_lost += text->len == 0;
    return APEX_OK;
}

static apex_status breach_add(struct auditor *a, const struct breach *b)
{
    if (a->report->n_breaches == a->cap) {
        size_t cap = a->cap ? 2 * a->cap : 16;
        struct apex_breach *more = realloc(a->breaches, cap * sizeof *more);
        if (!more) return APEX_E_MEMORY;
        a->breaches = more;
        a->cap = cap;
    }
    struct apex_breach *to = &a->breaches[a->report->n_breaches++];
    *to = (struct apex_breach){.index = b->index};
    snprintf(to->rule, sizeof to->rule, "%s",
             b->rule == REFUSAL_NONE ? "log-broken" : refusal_text(b->rule)->name);
    snprintf(to->why, sizeof to->why, "%s", b->why ? b->why : "");
    return APEX_OK;
}

static void count(struct apex_audit_report *r, const struct entry *e)
{
    r->entries++;
    r->enclaves += e->kind == ENTRY_ENCLAVE;
    r->acts += e->act.len > 0;
    r->contracts += e->kind == (unsigned)ACT_DEPLOY;
    r->runs += e->kind == (unsigned)ACT_RUN;
    r->results += e->kind == ENTRY_RESULT;
}

static apex_status read_all(struct auditor *a, const struct buffer *entries, size_t n)
{
    struct breach b;
    for (size_t i = 0; i < n; i++) {
        apex_status s = replay_entry(&a->replay, buffer_span(&entries[i]), a->entry, &b);
        a->report->broken = s != APEX_OK && s != APEX_E_MEMORY; /* whatever keeps it out */
        if (a->report->broken || (s == APEX_OK && b.rule != REFUSAL_NONE))
            TRY(breach_add(a, &b));
        TRY(s);
        count(a->report, a->entry);
    }
    return APEX_OK;
}

static apex_status auditor_open(struct auditor *a)
{
    a->entry = malloc(sizeof *a->entry);
    if (!a->entry) return APEX_E_MEMORY;
    TRY(state_init(&a->state, NULL, NULL));
    TRY(merkle_tree_new(&a->tree));
    replay_init(&a->replay, &a->state, a->tree);
    a->replay.manifest = manifest_count;
    a->replay.context = a;
    return APEX_OK;
}

apex_status audit_entries(const struct buffer *entries, size_t n, manifest_fn manifest,
                          void *context, const struct trust_policy *bundles,
                          struct apex_audit_report *report, struct apex_breach **breaches)
{
    struct auditor a = {.report = report, .manifest = manifest, .context = context};
    *report = (struct apex_audit_report){0};
    apex_status s = auditor_open(&a);
    a.replay.bundles = bundles;
    if (s == APEX_OK) s = read_all(&a, entries, n);
    replay_clear(&a.replay);
    state_clear(&a.state);
    merkle_tree_free(a.tree);
    free(a.entry);
    *breaches = a.breaches;
    return s;
}

/* A contract's manifest as the node has it. Bytes that are not the address's are as good as
 * lost: the log cannot be judged by them. */
static apex_status manifest_of_node(void *context, const uint8_t address[static 32],
                                    struct buffer *text)
{
    struct apex_error ignored;
    apex_status s = node_manifest(context, address, text, NULL, &ignored);
    if (s == APEX_OK || s == APEX_E_MEMORY) return s;
    buffer_clear(text);
    return APEX_OK;
}

apex_status apex_audit_log(struct apex_node *node, struct apex_audit_report *report,
                           struct apex_breach **breaches, struct apex_error *error)
{
    *report = (struct apex_audit_report){0};
    *breaches = NULL;
    TRY(node_refresh(node, error));
    TRY(node_mirror(node, error));
    struct trust_policy *policy = NULL;
    TRY(trust_load(node->home, &policy, error));
    apex_status s = audit_entries(node->mirror.entries, node->mirror.n, manifest_of_node, node,
                                  policy, report, breaches);
    trust_policy_free(policy);
    if (s == APEX_E_MEMORY) return apex_fail_memory(error);
    return APEX_OK; /* else the last breach says it */
}
