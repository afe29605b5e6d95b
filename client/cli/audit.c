#include "client/cli/cli.h"

#include <stdlib.h>
#include <time.h>

static void event_json(const struct apex_event *v)
{
    printf("{\"index\": %llu, \"time_ms\": %llu, \"kind\": \"%s\", \"who\": ",
           (unsigned long long)v->index, (unsigned long long)v->time_ms, v->kind);
    cli_json_text(stdout, v->who);
    printf(", \"what\": ");
    cli_json_text(stdout, v->what);
    printf(", \"refusal\": \"%s\"}", v->refusal);
}

static void event_print(const struct apex_event *v)
{
    char when[32] = "";
    time_t t = (time_t)(v->time_ms / 1000);
    struct tm tm;
    if (gmtime_r(&t, &tm)) strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm);
    printf("%6llu  %s  %-10s  %-16s  %s%s%s\n", (unsigned long long)v->index, when, v->kind,
           v->who, v->refusal, v->refusal[0] ? ": " : "", v->what);
}

static int print_all(const struct cli *cli, const struct apex_event *events, size_t n,
                     uint64_t log_size)
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
        printf("]}\n");
    else
        printf("%zu entries of this contract; all %llu of the log hash to its signed "
               "checkpoint, which contains every one seen before\n",
               n, (unsigned long long)log_size);
    return EXIT_OK;
}

int cmd_audit(struct cli *cli)
{
    struct apex_home *home = NULL;
    struct apex_node *node = NULL;
    struct apex_event *events = NULL;
    struct apex_error e;
    size_t n = 0;
    uint64_t log_size = 0;
    int code = cli_home(cli, &home);
    if (code == EXIT_OK) code = cli_node(cli, home, &node);
    if (code == EXIT_OK)
        code = apex_audit(node, cli->word[0], &events, &n, &log_size, &e) == APEX_OK
                   ? print_all(cli, events, n, log_size)
                   : cli_fail(cli, &e);
    free(events);
    apex_node_close(node);
    apex_home_close(home);
    return code;
}
