#include "client/cli/cli.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* The run has its place in the log and was charged for: how to get its answer, not another.
 * SAVED_NOT: errno says why. */
static int not_written(struct cli *cli, const char *result, const char *to, enum saved how)
{
    const char *why = strerror(errno);
    json_t *file = json_loads(result, 0, NULL);
    long long run =
        json_integer_value(json_object_get(json_object_get(file, "receipt"), "run"));
    struct apex_error e = {.status = how == SAVED_NOTHING ? APEX_E_USAGE : APEX_E_IO};
    if (how == SAVED_NOTHING)
        snprintf(e.what, sizeof e.what, "this answer has nothing of the form of %.150s", to);
    else
        snprintf(e.what, sizeof e.what, "%.150s cannot be written: %.40s", to, why);
    snprintf(e.not_done, sizeof e.not_done,
             "the run is on record as entry %lld; its answer was not written", run);
    snprintf(e.next, sizeof e.next,
             "do not ask again: fetch the answer with `apex result %s %lld -o FILE.json`",
             cli->word[0], run);
    snprintf(e.who, sizeof e.who, "you");
    json_decref(file);
    return cli_fail(cli, &e);
}

/* To a file with its receipt, or the answer alone to the terminal. */
static int answer_out(struct cli *cli, const char *result, const char *output)
{
    if (!cli->output) {
        if (printf("%s\n", output) < 0 || fflush(stdout) != 0)
            return not_written(cli, result, "standard output", SAVED_NOT);
        if (!cli->json) fprintf(stderr, "keep the receipt with -o FILE.json\n");
        return EXIT_OK;
    }
    bool csv = ends_with(cli->output, ".csv"), bare = csv || ends_with(cli->output, ".geojson");
    enum saved how = cli_write(cli->output, bare ? output : result,
                               csv    ? export_csv
                               : bare ? export_geojson
                                      : cli_write_text);
    if (how != SAVED) return not_written(cli, result, cli->output, how);
    if (!cli->json)
        printf("written: %s%s\n", cli->output,
               bare ? " (without receipt; -o FILE.json keeps it)"
                    : ", with its receipt; check it with `apex verify`");
    return EXIT_OK;
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
    int code = cli->output ? cli_save_check(cli, cli->output, "nothing was asked") : EXIT_OK;
    if (code == EXIT_OK) code = cli_home(cli, &home);
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
