#include "client/cli/cli.h"

#include <stdlib.h>
#include <string.h>

static int show(struct cli *cli, struct apex_home *home)
{
    struct apex_identity *id = NULL;
    int code = cli_identity(cli, home, &id);
    if (code != EXIT_OK) return code;
    char *text = apex_identity_public(id);
    if (text) printf("%s\n", text);
    free(text);
    apex_identity_free(id);
    return text ? EXIT_OK : EXIT_INTERNAL;
}

int cmd_id(struct cli *cli)
{
    struct apex_home *home = NULL;
    struct apex_error e;
    bool make = strcmp(cli->word[0], "new") == 0;
    if (!make && strcmp(cli->word[0], "show") != 0)
        return cli_usage(cli, "id knows new and show",
                         "usage: apex id new NAME | id show [NAME]");
    if (make && cli->n_words != 2)
        return cli_usage(cli, "the name is missing", "usage: apex id new NAME");
    int code = cli_home(cli, &home);
    if (code != EXIT_OK) return code;
    if (cli->n_words == 2) cli->as = cli->word[1];
    if (make && apex_identity_new(home, cli->as, getenv("APEX_PASSPHRASE"), &e) != APEX_OK)
        code = cli_fail(cli, &e);
    if (code == EXIT_OK) code = show(cli, home);
    if (make && code == EXIT_OK && !cli->json && !cli->quiet)
        fprintf(stderr,
                "this is the public half; the secret half is in %s/identities: back it up\n",
                apex_home_path(home));
    apex_home_close(home);
    return code;
}
