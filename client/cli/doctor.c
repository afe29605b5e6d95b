#include "client/cli/cli.h"

struct printing {
    const struct cli *cli;
    size_t n;
};

static void line(void *context, const char *name, const char *state, const char *advice)
{
    struct printing *p = context;
    if (!p->cli->json) {
        printf("  %-20s %-26s %s\n", name, state, advice);
        return;
    }
    printf("%s{\"name\": \"%s\", \"state\": \"%s\", \"advice\": ", p->n++ ? ", " : "", name,
           state);
    cli_json_text(stdout, advice);
    printf("}");
}

int cmd_doctor(struct cli *cli)
{
    struct printing p = {cli, 0};
    if (cli->json) printf("[");
    apex_doctor(line, &p);
    if (cli->json) printf("]\n");
    return EXIT_OK;
}
