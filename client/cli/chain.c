#include "client/cli/cli.h"

#include <stdlib.h>
#include <string.h>

static bool number(const char *text, uint64_t *value)
{
    char *end;
    *value = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == 0;
}

int cli_chain(const struct cli *cli, struct apex_chain_options *o)
{
    const char *registry = cli->registry ? cli->registry : getenv("APEX_REGISTRY");
    *o = (struct apex_chain_options){.url = cli->chain, .registry = registry};
    if (!registry)
        return cli_usage(cli, "--chain is given without the registry's address",
                         "give it with --registry or APEX_REGISTRY");
    if (cli->chain_id && !number(cli->chain_id, &o->chain_id))
        return cli_usage(cli, "--chain-id is not a whole number", "give the chain's number");
    if (cli->confirmations &&
        (!number(cli->confirmations, &o->confirmations) || o->confirmations == 0))
        return cli_usage(cli, "--confirmations is not a whole number above 0",
                         "give how many blocks deep a record must be");
    return EXIT_OK;
}

void cli_chain_print(const struct cli *cli, const struct apex_verification *v)
{
    if (cli->json) printf("{\"agree\": %s, \"checks\": ", v->holds ? "true" : "false");
    if (!cli->json) printf("\n");
    (void)cli_checks_print(cli, v->checks, v->n_checks);
    if (cli->json) printf(", \"sentences\": [");
    for (size_t i = 0; i < 3; i++) {
        if (!cli->json) printf("%s%s\n", i ? "" : "\n", v->sentences[i]);
        if (cli->json && i) printf(", ");
        if (cli->json) cli_json_text(stdout, v->sentences[i]);
    }
    if (cli->json) printf("]}");
}

int cli_chain_result(const struct cli *cli, apex_status s, const struct apex_verification *v,
                     const struct apex_error *e)
{
    if (s == APEX_OK) return EXIT_OK;
    return s == APEX_E_UNTRUSTED && v->sentences[0][0] ? EXIT_REFUSED : cli_fail(cli, e);
}
