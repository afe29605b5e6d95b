#include "client/cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static void event_json(const struct apex_event *v)
{
    printf("{\"index\": %llu, \"time_ms\": %llu, \"kind\": \"%s\", \"who\": ",
           (unsigned long long)v->index, (unsigned long long)v->time_ms, v->kind);
    cli_json_text(stdout, v->who);
    printf(", \"what\": ");
    cli_json_text(stdout, v->what);
    if (v->epsilon_micro) printf(", \"epsilon\": %.10g", (double)v->epsilon_micro / 1e6);
    if (v->task[0])
        printf(", \"run\": %llu, \"task\": \"%s\"", (unsigned long long)v->run, v->task);
    if (v->request[0]) printf(", \"request\": \"%s\"", v->request);
    printf(", \"refusal\": \"%s\"}", v->refusal);
}

static void event_print(const struct apex_event *v)
{
    char when[32] = "";
    time_t t = (time_t)(v->time_ms / 1000);
    struct tm tm;
    if (gmtime_r(&t, &tm)) strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm);
    bool run = strcmp(v->kind, "run") == 0;
    printf("%6llu  %s  %-10s  %-16s  %s%s%s%s%s\n", (unsigned long long)v->index, when, v->kind,
           v->who, v->refusal, v->refusal[0] ? ": " : "", v->what, run ? ": " : "",
           run ? v->task : "");
}

struct audit {
    struct apex_event *events;
    size_t n;
    uint64_t log_size;
    struct apex_audit_report report;
    struct apex_breach *breaches;
    struct apex_witnesses witnesses;
    struct apex_verification *chain; /* NULL: the log's word alone */
};

static void rules_json(const struct apex_audit_report *r, const struct apex_breach *breaches)
{
    printf("\"rules\": {\"entries\": %llu, \"acts\": %llu, \"contracts\": %llu, "
           "\"enclaves\": %llu, \"runs\": %llu, \"results\": %llu, "
           "\"manifests_lost\": %llu, \"breaches\": [",
           (unsigned long long)r->entries, (unsigned long long)r->acts,
           (unsigned long long)r->contracts, (unsigned long long)r->enclaves,
           (unsigned long long)r->runs, (unsigned long long)r->results,
           (unsigned long long)r->manifests_lost);
    for (size_t i = 0; i < r->n_breaches; i++) {
        printf("%s{\"index\": %llu, \"rule\": \"%s\", \"why\": ", i ? ", " : "",
               (unsigned long long)breaches[i].index, breaches[i].rule);
        cli_json_text(stdout, breaches[i].why);
        printf("}");
    }
    printf("]}");
}

void cli_rules_print(const struct cli *cli, const struct apex_audit_report *r,
                     const struct apex_breach *breaches)
{
    if (cli->json) {
        rules_json(r, breaches);
        return;
    }
    for (size_t i = 0; i < r->n_breaches; i++)
        printf("BREACH entry %llu: %s (%s)\n", (unsigned long long)breaches[i].index,
               breaches[i].why, breaches[i].rule);
    if (r->broken)
        printf("the last of these cannot stand where it does: nothing after it was read\n");
    if (r->manifests_lost)
        printf("%llu manifests are lost: what was done under them cannot be judged\n",
               (unsigned long long)r->manifests_lost);
    if (r->n_breaches == 0)
        printf("every rule held: %llu acts under %llu contracts, %llu runs, %llu results, "
               "sequenced by %llu starts of an enclave; signatures, consent, rights, quotas, "
               "budgets, inputs and recipients checked on this machine\n",
               (unsigned long long)r->acts, (unsigned long long)r->contracts,
               (unsigned long long)r->runs, (unsigned long long)r->results,
               (unsigned long long)r->enclaves);
    else
        printf("the log's enclave let pass what it should not have: trust no result that "
               "rests on these entries, and show them to an auditor\n");
}

static void witnesses_print(const struct cli *cli, const struct apex_witnesses *w)
{
    if (cli->json) printf(", \"witnesses\": [");
    for (size_t i = 0; i < w->n; i++) {
        const struct apex_witness_seen *s = &w->seen[i];
        if (cli->json) {
            printf("%s{\"name\": ", i ? ", " : "");
            cli_json_text(stdout, s->name);
            printf(", \"size\": %llu, \"time_s\": %llu}", (unsigned long long)s->size,
                   (unsigned long long)s->time_s);
        } else if (s->size)
            printf("witness %s has cosigned the log up to %llu entries\n", s->name,
                   (unsigned long long)s->size);
        else
            printf("witness %s has not cosigned this log\n", s->name);
    }
    if (cli->json)
        printf("]");
    else if (w->n)
        printf("the contract asks for %llu of its %zu witnesses before each answer\n",
               (unsigned long long)w->quorum, w->n);
}

static void print_all(const struct cli *cli, const struct audit *a)
{
    if (cli->json)
        printf("{\"log_size\": %llu, \"events\": [", (unsigned long long)a->log_size);
    else
        printf(" entry  time (UTC)           kind        who               what\n");
    for (size_t i = 0; i < a->n; i++) {
        if (cli->json && i) printf(", ");
        if (cli->json)
            event_json(&a->events[i]);
        else
            event_print(&a->events[i]);
    }
    if (cli->json)
        printf("], ");
    else
        printf("%zu entries of this contract; all %llu of the log hash to its signed "
               "checkpoint, which contains every one seen before\n",
               a->n, (unsigned long long)a->log_size);
    cli_rules_print(cli, &a->report, a->breaches);
    witnesses_print(cli, &a->witnesses);
    if (a->chain && cli->json) printf(", \"chain\": ");
    if (a->chain) cli_chain_print(cli, a->chain);
    if (cli->json) printf("}\n");
}

/* Where something was charged: what is left. */
static int budget_show(struct cli *cli, struct apex_node *node, const struct apex_event *events,
                       size_t n)
{
    struct apex_contract_facts facts;
    struct apex_error e;
    uint64_t charged = 0;
    for (size_t i = 0; i < n; i++)
        charged += events[i].epsilon_micro;
    if (cli->json || charged == 0) return EXIT_OK;
    if (apex_contract_show(node, cli->word[0], &facts, &e) != APEX_OK) return cli_fail(cli, &e);
    cli_budget(stdout, &facts);
    free(facts.manifest);
    return EXIT_OK;
}

/* The log held against its rules, and against the chain where one is named. */
static int audit(struct cli *cli, struct apex_home *home, struct apex_node *node,
                 struct audit *a)
{
    struct apex_chain_options o;
    struct apex_error e;
    apex_status s = APEX_OK;
    int code = a->chain ? cli_chain(cli, &o) : EXIT_OK;
    if (code == EXIT_OK &&
        (apex_audit(node, cli->word[0], &a->events, &a->n, &a->log_size, &e) != APEX_OK ||
         apex_audit_log(node, &a->report, &a->breaches, &e) != APEX_OK ||
         apex_witnesses(node, cli->word[0], &a->witnesses, &e) != APEX_OK))
        code = cli_fail(cli, &e);
    if (code == EXIT_OK && a->chain) {
        s = apex_audit_chain(home, node, &o, cli->word[0], a->events, a->n, a->chain, &e);
        if (!a->chain->sentences[0][0]) code = cli_chain_result(cli, s, a->chain, &e);
    }
    if (code == EXIT_OK) print_all(cli, a);
    if (code == EXIT_OK) code = budget_show(cli, node, a->events, a->n);
    return code == EXIT_OK && (s != APEX_OK || a->report.n_breaches > 0) ? EXIT_REFUSED : code;
}

/* A run computed again by the enclave: the same digest, or a lie somewhere. */
static int rerun(struct cli *cli, struct apex_home *home, struct apex_node *node)
{
    struct apex_identity *identity = NULL;
    struct apex_error e;
    char output[65], *end;
    bool same = false;
    unsigned long long run = strtoull(cli->rerun, &end, 10);
    if (*end || end == cli->rerun)
        return cli_usage(cli, "--rerun takes the number of a run's entry",
                         "see `apex audit ADDRESS` for the numbers");
    int code = cli_identity(cli, home, &identity);
    if (code != EXIT_OK) return code;
    if (apex_audit_rerun(node, identity, cli->word[0], run, &same, output, &e) != APEX_OK)
        code = cli_fail(cli, &e);
    else if (cli->json)
        printf("{\"run\": %llu, \"same\": %s, \"output\": \"%s\"}\n", run,
               same ? "true" : "false", output);
    else
        printf(same ? "run %llu computed again: the same output, sha256 %s\n"
                    : "run %llu computed again: ANOTHER output than the log's, sha256 %s; show "
                      "this to an auditor\n",
               run, output);
    apex_identity_free(identity);
    return code == EXIT_OK && !same ? EXIT_REFUSED : code;
}

int cmd_audit(struct cli *cli)
{
    struct apex_home *home = NULL;
    struct apex_node *node = NULL;
    struct audit a = {.chain = cli->chain ? calloc(1, sizeof *a.chain) : NULL};
    int code = cli->chain && !a.chain ? EXIT_INTERNAL : cli_home(cli, &home);
    if (code == EXIT_OK) code = cli_node(cli, home, &node);
    if (code == EXIT_OK)
        code = cli->rerun ? rerun(cli, home, node) : audit(cli, home, node, &a);
    free(a.chain);
    free(a.events);
    free(a.breaches);
    apex_node_close(node);
    apex_home_close(home);
    return code;
}
