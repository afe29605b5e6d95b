#include "client/cli/cli.h"

#include <stdlib.h>
#include <string.h>

static void verdict_print(const struct cli *cli, const struct apex_verdict *v)
{
    if (cli->json)
        printf("{\"genuine\": %s, \"acceptable\": %s, \"simulated\": %s, \"tee\": \"%s\", "
               "\"measurement\": \"%s\", \"origin\": \"%s\", \"log_key\": \"%s\", \"checks\": ",
               v->genuine ? "true" : "false", v->acceptable ? "true" : "false",
               v->simulated ? "true" : "false", v->tee, v->measurement, v->origin, v->log_key);
    else
        printf("%s\n  tee          %s%s\n  measurement  %s\n  log          %s\n", v->sentence,
               v->tee, v->simulated ? " (SIMULATED)" : "", v->measurement, v->origin);
    (void)cli_checks_print(cli, v->checks, v->n_checks);
    if (cli->json) printf("}\n");
}

static int init(struct cli *cli, struct apex_home *home, const char *url)
{
    struct apex_verdict v;
    struct apex_error e;
    if (apex_trust_init(home, url, cli->replace, &v, &e) != APEX_OK) return cli_fail(cli, &e);
    verdict_print(cli, &v);
    if (!cli->json)
        printf("\nA trust policy naming this measurement and this log was written to "
               "%s/trust.json. Look at it:\nis the measurement the one its author published "
               "(`enclave/MEASUREMENT`), or one you built yourself?\n",
               apex_home_path(home));
    return EXIT_OK;
}

static int check(struct cli *cli, struct apex_home *home, const char *url)
{
    struct apex_verdict v;
    struct apex_error e;
    apex_status s = apex_trust_check(home, url, &v, &e);
    if (v.n_checks > 0) verdict_print(cli, &v);
    if (s == APEX_OK) return EXIT_OK;
    return v.n_checks > 0 && cli->json ? EXIT_REFUSED : cli_fail(cli, &e);
}

static int show(struct cli *cli, struct apex_home *home)
{
    struct apex_error e;
    char *text = apex_trust_policy(home, &e);
    if (!text) return cli_fail(cli, &e);
    printf("%s", text);
    free(text);
    return EXIT_OK;
}

int cmd_trust(struct cli *cli)
{
    struct apex_home *home = NULL;
    const char *url = cli->n_words == 2 ? cli->word[1] : cli->node;
    int code = cli_home(cli, &home);
    if (code != EXIT_OK) return code;
    if (strcmp(cli->word[0], "show") == 0)
        code = show(cli, home);
    else if (!url)
        code = cli_usage(cli, "no node is named", "give its URL, or --node URL, or APEX_NODE");
    else if (strcmp(cli->word[0], "init") == 0)
        code = init(cli, home, url);
    else if (strcmp(cli->word[0], "check") == 0)
        code = check(cli, home, url);
    else
        code = cli_usage(cli, "trust knows init, check and show",
                         "usage: apex trust init|check|show [URL]");
    apex_home_close(home);
    return code;
}
