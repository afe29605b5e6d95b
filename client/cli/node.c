#include "client/cli/cli.h"

#include <stdlib.h>
#include <string.h>

static int hand_over(struct cli *cli)
{
    struct apex_error e;
    uint64_t entry = 0;
    if (cli->n_words != 2 || !cli->node)
        return cli_usage(cli, "two nodes are needed: one that gives, one that takes",
                         "usage: apex node hand-over NEW_URL --node OLD_URL");
    if (apex_hand_over(cli->node, cli->word[1], cli->collateral, &entry, &e) != APEX_OK)
        return cli_fail(cli, &e);
    if (cli->json)
        printf("{\"entry\": %llu}\n", (unsigned long long)entry);
    else
        printf("the root secret went from %s to %s, enclave to enclave; entry %llu of the log "
               "records it\n",
               cli->node, cli->word[1], (unsigned long long)entry);
    return EXIT_OK;
}

static int shares(struct cli *cli)
{
    struct apex_error e;
    char *text = NULL;
    if (!cli->node)
        return cli_usage(cli, "no node is named", "give --node URL, or set APEX_NODE");
    if (apex_shares(cli->node, &text, &e) != APEX_OK) return cli_fail(cli, &e);
    int code = EXIT_OK;
    if (cli->output)
        code = cli_save(cli, cli->output, text);
    else
        printf("%s\n", text);
    free(text);
    return code;
}

static int recover_with(struct cli *cli, struct apex_home *home,
                        const struct apex_identity *identity)
{
    struct apex_error e;
    unsigned have = 0, need = 0;
    size_t len;
    char *text = cli_load(cli, cli->word[1], &len);
    if (!text) return EXIT_DATA;
    apex_status s = apex_recover(home, identity, cli->node, text, &have, &need, &e);
    free(text);
    if (s != APEX_OK) return cli_fail(cli, &e);
    if (cli->json)
        printf("{\"have\": %u, \"need\": %u}\n", have, need);
    else if (have < need)
        printf("the enclave has %u of the %u shares it needs\n", have, need);
    else
        printf("the enclave has the %u shares it needs, and its root secret back\n", need);
    return EXIT_OK;
}

static int recover(struct cli *cli)
{
    struct apex_home *home = NULL;
    struct apex_identity *identity = NULL;
    if (cli->n_words != 2 || !cli->node)
        return cli_usage(cli, "a file of shares and a node are needed",
                         "usage: apex node recover FILE --node URL [--as NAME]");
    int code = cli_home(cli, &home);
    if (code == EXIT_OK) code = cli_identity(cli, home, &identity);
    if (code == EXIT_OK) code = recover_with(cli, home, identity);
    apex_identity_free(identity);
    apex_home_close(home);
    return code;
}

int cmd_node(struct cli *cli)
{
    if (strcmp(cli->word[0], "hand-over") == 0) return hand_over(cli);
    if (strcmp(cli->word[0], "shares") == 0) return shares(cli);
    if (strcmp(cli->word[0], "recover") == 0) return recover(cli);
    return cli_usage(cli, "node knows hand-over, shares and recover",
                     "usage: apex node hand-over NEW_URL | shares [-o FILE] | recover FILE");
}
