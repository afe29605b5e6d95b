#include "client/cli/cli.h"
#include "client/ui/ui.h"

#include <stdlib.h>

/* `apex ui`: the page, on loopback. It runs until it is told to end. */
int cmd_ui(struct cli *cli)
{
    struct apex_home *home = NULL;
    char *end = NULL;
    unsigned long port = cli->port ? strtoul(cli->port, &end, 10) : 0;
    if (cli->port && (*end || end == cli->port || port > 65535))
        return cli_usage(cli, "a port is a number from 0 to 65535",
                         "usage: apex ui [--open] [--port 0]");
    int code = cli_home(cli, &home);
    if (code != EXIT_OK) return code;
    struct ui_options o = {.home = apex_home_path(home),
                           .node = cli->node,
                           .as = cli->as,
                           .version = APEX_VERSION,
                           .port = (unsigned)port,
                           .open = cli->open};
    if (!cli->quiet)
        fprintf(stderr, "apex ui: open this address in a browser; it is good once. Enter: "
                        "another. Ctrl+C: the end.\n");
    code = ui_serve(&o);
    if (code == EXIT_UNREACHABLE)
        (void)cli_usage(cli, "no loopback address can be listened on",
                        "is the port in use? leave --port out");
    if (code == EXIT_USAGE)
        (void)cli_usage(cli, "this build has no page: its node packages were missing",
                        "run `tools/setup npm-build` and `make` in the source tree");
    apex_home_close(home);
    return code;
}
