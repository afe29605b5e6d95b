#include "client/cli/cli.h"

#include <stdlib.h>

static void print(const struct cli *cli, const struct apex_verification *v)
{
    if (cli->json)
        printf("{\"holds\": %s, \"simulated\": %s, \"checks\": ", v->holds ? "true" : "false",
               v->simulated ? "true" : "false");
    (void)cli_checks_print(cli, v->checks, v->n_checks);
    if (cli->json) printf(", \"sentences\": [");
    for (size_t i = 0; i < 3; i++) {
        if (!cli->json) printf("%s%s\n", i ? "" : "\n", v->sentences[i]);
        if (cli->json && i) printf(", ");
        if (cli->json) cli_json_text(stdout, v->sentences[i]);
    }
    if (cli->json) printf("]}\n");
}

/* The policy of --policy, else that of the home folder, else none. No network is used. */
static char *policy_text(struct cli *cli, int *code)
{
    struct apex_home *home = NULL;
    struct apex_error e;
    size_t len;
    if (cli->policy) {
        char *text = cli_load(cli, cli->policy, &len);
        if (!text) *code = EXIT_DATA;
        return text;
    }
    if (apex_home_open(cli->home, &home, &e) != APEX_OK) return NULL;
    char *text = apex_trust_policy(home, &e);
    apex_home_close(home);
    return text;
}

int cmd_verify(struct cli *cli)
{
    size_t len;
    int code = EXIT_OK;
    struct apex_error e;
    char *result = cli_load(cli, cli->word[0], &len);
    if (!result) return EXIT_DATA;
    char *policy = policy_text(cli, &code);
    struct apex_verification *v = calloc(1, sizeof *v);
    if (code == EXIT_OK && v) {
        apex_status s = apex_verify(result, len, policy, v, &e);
        if (v->n_checks > 0) print(cli, v);
        code = s == APEX_OK ? EXIT_OK : v->n_checks > 0 ? EXIT_REFUSED : cli_fail(cli, &e);
    }
    free(v);
    free(policy);
    free(result);
    return code;
}
