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

static void print_all(const struct cli *cli, const struct apex_event *events, size_t n,
                      uint64_t log_size, const struct apex_verification *chain)
{
    if (cli->json)
        printf("{\"log_size\": %llu, \"events\": [", (unsigned long long)log_size);
    else
        printf(" entry  time (UTC)           kind        who               what\n");
    for (size_t i = 0; i < n; i++) {
        if (cli->json && i) printf(", ");
        if (cli->json)
            event_json(&events[i]);
        else
            event_print(&events[i]);
    }
    if (cli->json)
        printf("]%s", chain ? ", \"chain\": " : "");
    else
        printf("%zu entries of this contract; all %llu of the log hash to its signed "
               "checkpoint, which contains every one seen before\n",
               n, (unsigned long long)log_size);
    if (chain) cli_chain_print(cli, chain);
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

/* The log's word alone, or held against the chain too. */
static int audit(struct cli *cli, struct apex_home *home, struct apex_node *node,
                 struct apex_verification *chain)
{
    struct apex_chain_options o;
    struct apex_event *events = NULL;
    struct apex_error e;
    size_t n = 0;
    uint64_t log_size = 0;
    apex_status s = APEX_OK;
    int code = cli->chain ? cli_chain(cli, &o) : EXIT_OK;
    if (code == EXIT_OK &&
        apex_audit(node, cli->word[0], &events, &n, &log_size, &e) != APEX_OK)
        code = cli_fail(cli, &e);
    if (code == EXIT_OK && cli->chain) {
        s = apex_audit_chain(home, node, &o, cli->word[0], events, n, chain, &e);
        if (!chain->sentences[0][0]) code = cli_chain_result(cli, s, chain, &e);
    }
    if (code == EXIT_OK) print_all(cli, events, n, log_size, cli->chain ? chain : NULL);
    if (code == EXIT_OK) code = budget_show(cli, node, events, n);
    free(events);
    return code == EXIT_OK && s != APEX_OK ? EXIT_REFUSED : code;
}

int cmd_audit(struct cli *cli)
{
    struct apex_home *home = NULL;
    struct apex_node *node = NULL;
    struct apex_verification *chain = calloc(1, sizeof *chain);
    int code = chain ? cli_home(cli, &home) : EXIT_INTERNAL;
    if (code == EXIT_OK) code = cli_node(cli, home, &node);
    if (code == EXIT_OK) code = audit(cli, home, node, chain);
    free(chain);
    apex_node_close(node);
    apex_home_close(home);
    return code;
}
