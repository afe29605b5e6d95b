#include "client/cli/cli.h"

#include <stdlib.h>
#include <string.h>

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static int export(struct cli *cli, const char *result, bool (*writer)(const char *, FILE *))
{
    FILE *f = fopen(cli->output, "wb");
    bool fine = f && writer(result, f);
    if (f) fine = fclose(f) == 0 && fine;
    if (fine) return EXIT_OK;
    return cli_usage(cli,
                     f ? "this answer has nothing of that form to export"
                       : "the output file cannot be written",
                     "use -o FILE.json, which holds everything and the receipt");
}

/* To a file with its receipt, or the answer alone to the terminal. */
static int answer_out(struct cli *cli, const char *result, const char *output)
{
    int code = EXIT_OK;
    if (!cli->output) {
        printf("%s\n", output);
        if (!cli->json) fprintf(stderr, "keep the receipt with -o FILE.json\n");
        return EXIT_OK;
    }
    if (ends_with(cli->output, ".csv"))
        code = export(cli, output, export_csv);
    else if (ends_with(cli->output, ".geojson"))
        code = export(cli, output, export_geojson);
    else
        code = cli_save(cli, cli->output, result);
    if (code == EXIT_OK && !cli->json)
        printf("written: %s%s\n", cli->output,
               ends_with(cli->output, ".csv") || ends_with(cli->output, ".geojson")
                   ? " (without receipt; -o FILE.json keeps it)"
                   : ", with its receipt; check it with `apex verify`");
    return code;
}

/* After an answer was charged: what is left for others. Nobody is kept from an answer that is
 * there already by what cannot be looked up. */
static void budget_show(const struct cli *cli, struct apex_node *node)
{
    struct apex_contract_facts *f = calloc(1, sizeof *f);
    struct apex_error e;
    if (!f) return;
    if (apex_contract_show(node, cli->word[0], f, &e) == APEX_OK && f->spent_micro > 0)
        cli_budget(stderr, f);
    free(f->manifest);
    free(f);
}

static int with_result(struct cli *cli, bool ask, unsigned long long run)
{
    struct apex_home *home = NULL;
    struct apex_identity *identity = NULL;
    struct apex_node *node = NULL;
    struct apex_error e;
    char *result = NULL, *output = NULL;
    struct apex_run_options o = {.params = cli->param,
                                 .n_params = cli->n_params,
                                 .rows_file = cli->rows,
                                 .map = cli->map,
                                 .seed_hex = cli->seed,
                                 .progress = cli_progress};
    int code = cli_home(cli, &home);
    if (code == EXIT_OK) code = cli_identity(cli, home, &identity);
    if (code == EXIT_OK) code = cli_node(cli, home, &node);
    if (code == EXIT_OK) {
        cli_simulated(cli, node);
        apex_status s =
            ask ? apex_run(node, identity, cli->word[0], cli->word[1], &o, &result, &output, &e)
                : apex_result(node, identity, cli->word[0], run, &result, &output, &e);
        cli_progress_end();
        code = s == APEX_OK ? answer_out(cli, result, output) : cli_fail(cli, &e);
        if (code == EXIT_OK && ask && !cli->json) budget_show(cli, node);
    }
    free(result);
    free(output);
    apex_node_close(node);
    apex_identity_free(identity);
    apex_home_close(home);
    return code;
}

int cmd_run(struct cli *cli)
{
    return with_result(cli, true, 0);
}

int cmd_result(struct cli *cli)
{
    char *end;
    unsigned long long run = strtoull(cli->word[1], &end, 10);
    if (*end || end == cli->word[1])
        return cli_usage(cli, "a run is named by its number", "see `apex audit`");
    return with_result(cli, false, run);
}
