#include "client/cli/cli.h"

#include <stdlib.h>

static void print(const struct cli *cli, const struct apex_verification *v,
                  const struct apex_verification *chain)
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
    if (cli->json) printf("]%s", chain ? ", \"chain\": " : "");
    if (chain) cli_chain_print(cli, chain);
    if (cli->json) printf("}\n");
}

/* The policy of --policy, else that of the home folder, else none. No network is used. A policy
 * that is there and cannot be read is not none: what it would refuse is not to pass. */
static char *policy_text(struct cli *cli, struct apex_home *home, int *code)
{
    struct apex_error e;
    size_t len;
    char *text = NULL;
    if (cli->policy) {
        text = cli_load(cli, cli->policy, &len);
        if (!text) *code = EXIT_DATA;
    } else if (home) {
        text = apex_trust_policy(home, &e);
        if (!text && e.status != APEX_E_NOT_FOUND) *code = cli_fail(cli, &e);
    }
    return text;
}

/* The file and, if a node is named, its log against the chain. */
static apex_status chain_verify(struct cli *cli, const char *result, size_t len,
                                struct apex_verification *v, struct apex_error *e, int *code)
{
    struct apex_chain_options o;
    struct apex_home *home = NULL;
    struct apex_node *node = NULL;
    apex_status s = APEX_E_USAGE;
    *code = cli_chain(cli, &o);
    if (*code == EXIT_OK) *code = cli_home(cli, &home);
    if (*code == EXIT_OK && cli->node) *code = cli_node(cli, home, &node);
    if (*code == EXIT_OK) {
        s = apex_verify_chain(home, node, &o, result, len, v, e);
        if (!v->sentences[0][0]) *code = cli_chain_result(cli, s, v, e);
    }
    apex_node_close(node);
    apex_home_close(home);
    return s;
}

/* The file named, and those of --also. A file that cannot be read was said. */
static bool files_load(struct cli *cli, char **texts, struct apex_result_file *files)
{
    for (size_t i = 0; i < 1 + cli->n_also; i++) {
        texts[i] = cli_load(cli, i ? cli->also[i - 1] : cli->word[0], &files[i].len);
        files[i].text = texts[i];
        if (!texts[i]) return false;
    }
    return true;
}

static int verify(struct cli *cli, const struct apex_home *home,
                  const struct apex_result_file *files, const char *policy,
                  struct apex_verification *v, struct apex_verification *chain)
{
    struct apex_error e, chain_error;
    int code = EXIT_OK;
    apex_status s = apex_verify(home, files, 1 + cli->n_also, policy, v, &e),
                on_chain = APEX_OK;
    if (cli->chain && v->n_checks > 0)
        on_chain = chain_verify(cli, files[0].text, files[0].len, chain, &chain_error, &code);
    if (code != EXIT_OK) return code;
    if (v->n_checks > 0) print(cli, v, cli->chain ? chain : NULL);
    if (s != APEX_OK) return v->n_checks > 0 ? EXIT_REFUSED : cli_fail(cli, &e);
    return on_chain == APEX_OK ? EXIT_OK : EXIT_REFUSED;
}

static int verify_files(struct cli *cli, const struct apex_result_file *files)
{
    int code = EXIT_OK;
    struct apex_home *home = NULL;
    struct apex_error e;
    if (apex_home_open(cli->home, &home, &e) != APEX_OK) {
        /* One that was named holds a policy; without the usual one there is none, and no
         * bundle: it is said. */
        if (cli->home || getenv("APEX_HOME")) return cli_fail(cli, &e);
        home = NULL;
    }
    char *policy = policy_text(cli, home, &code);
    struct apex_verification *v = calloc(2, sizeof *v);
    if (code == EXIT_OK)
        code = v ? verify(cli, home, files, policy, &v[0], &v[1]) : EXIT_INTERNAL;
    free(v);
    free(policy);
    apex_home_close(home);
    return code;
}

int cmd_verify(struct cli *cli)
{
    struct apex_result_file files[1 + ALSO_GIVEN_MAX] = {{NULL, 0}};
    char *texts[1 + ALSO_GIVEN_MAX] = {NULL};
    int code = files_load(cli, texts, files) ? verify_files(cli, files) : EXIT_DATA;
    for (size_t i = 0; i < 1 + ALSO_GIVEN_MAX; i++)
        free(texts[i]);
    return code;
}
