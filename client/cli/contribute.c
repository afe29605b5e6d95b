#include "client/cli/cli.h"

#include <stdlib.h>
#include <string.h>

static void report_print(const struct cli *cli, const struct apex_rows_report *r, bool sent)
{
    if (cli->json) {
        printf("{\"format\": \"%s\", \"rows\": %llu, \"bad_rows\": %llu, \"ignored_columns\": ",
               r->format, (unsigned long long)r->rows, (unsigned long long)r->bad_rows);
        cli_json_text(stdout, r->ignored);
        if (sent)
            printf(", \"contribution\": %llu, \"sealed_bytes\": %llu, \"ciphertext\": \"%s\"",
                   (unsigned long long)r->contribution, (unsigned long long)r->sealed_bytes,
                   r->ciphertext);
        printf(", \"bad\": [");
        for (size_t i = 0; i < r->n_bad; i++) {
            printf("%s{\"row\": %llu, \"line\": %llu, \"column\": ", i ? ", " : "",
                   (unsigned long long)r->bad[i].row, (unsigned long long)r->bad[i].line);
            cli_json_text(stdout, r->bad[i].column);
            printf(", \"value\": ");
            cli_json_text(stdout, r->bad[i].value);
            printf(", \"reason\": ");
            cli_json_text(stdout, r->bad[i].reason);
            printf("}");
        }
        printf("]}\n");
        return;
    }
    for (size_t i = 0; i < r->n_bad; i++)
        printf("  row %llu (line %llu)%s%s: \"%s\": %s\n", (unsigned long long)r->bad[i].row,
               (unsigned long long)r->bad[i].line, r->bad[i].column[0] ? ", column " : "",
               r->bad[i].column, r->bad[i].value, r->bad[i].reason);
    if (r->bad_rows > r->n_bad)
        printf("  … and %llu more\n", (unsigned long long)(r->bad_rows - r->n_bad));
    if (r->ignored_columns) printf("columns left out, never sent: %s\n", r->ignored);
    if (r->bad_rows) return;
    if (sent)
        printf("contributed %llu rows as contribution %llu (%llu bytes of ciphertext)\n",
               (unsigned long long)r->rows, (unsigned long long)r->contribution,
               (unsigned long long)r->sealed_bytes);
    else
        printf("%s: %llu rows, all good; nothing was sent\n", r->format,
               (unsigned long long)r->rows);
}

static int rows_failed(struct cli *cli, const struct apex_rows_report *r,
                       const struct apex_error *e)
{
    if (r->bad_rows == 0 && r->offer[0] && cli->json) {
        printf("{\"offer\": ");
        cli_json_text(stdout, r->offer);
        printf(", \"error\": ");
        cli_error_json(e);
        printf("}\n");
        return EXIT_USAGE;
    }
    if (r->bad_rows == 0) return cli_fail(cli, e);
    report_print(cli, r, false);
    if (cli->json) return EXIT_DATA;
    return cli_fail(cli, e);
}

/* --check needs the contract's columns only: from the node, or from a manifest file given in
 * place of the address. */
static int check_only(struct cli *cli, struct apex_home *home,
                      const struct apex_rows_options *o, struct apex_rows_report *r)
{
    struct apex_node *node = NULL;
    struct apex_contract_facts *f = calloc(1, sizeof *f);
    struct apex_error e;
    char *manifest = NULL;
    size_t len;
    int code = EXIT_OK;
    if (!f) return EXIT_INTERNAL;
    if (strncmp(cli->word[0], "apex1", 5) != 0) {
        manifest = cli_load(cli, cli->word[0], &len);
        if (!manifest) code = EXIT_DATA;
    } else {
        code = cli_node(cli, home, &node);
        if (code == EXIT_OK && apex_contract_show(node, cli->word[0], f, &e) != APEX_OK)
            code = cli_fail(cli, &e);
    }
    if (code == EXIT_OK) {
        if (apex_rows_check(manifest ? manifest : f->manifest, cli->word[1], cli->word[2], o, r,
                            &e) != APEX_OK)
            code = rows_failed(cli, r, &e);
        else
            report_print(cli, r, false);
    }
    free(manifest);
    free(f->manifest);
    free(f);
    apex_node_close(node);
    return code;
}

static int send(struct cli *cli, struct apex_home *home, const struct apex_rows_options *o,
                struct apex_rows_report *r)
{
    struct apex_identity *identity = NULL;
    struct apex_node *node = NULL;
    struct apex_error e;
    int code = cli_identity(cli, home, &identity);
    if (code == EXIT_OK) code = cli_node(cli, home, &node);
    if (code == EXIT_OK) {
        cli_simulated(cli, node);
        apex_status s =
            apex_contribute(node, identity, cli->word[0], cli->word[1], cli->word[2], o, r, &e);
        cli_progress_end();
        if (s != APEX_OK)
            code = rows_failed(cli, r, &e);
        else
            report_print(cli, r, true);
    }
    apex_node_close(node);
    apex_identity_free(identity);
    return code;
}

int cmd_contribute(struct cli *cli)
{
    struct apex_home *home = NULL;
    struct apex_rows_options o = {
        .map = cli->map, .copy = cli->output, .progress = cli_progress};
    struct apex_rows_report *r = calloc(1, sizeof *r);
    int code = r ? cli_home(cli, &home) : EXIT_INTERNAL;
    if (code == EXIT_OK)
        code = cli->check ? check_only(cli, home, &o, r) : send(cli, home, &o, r);
    free(r);
    apex_home_close(home);
    return code;
}

int cmd_withdraw(struct cli *cli)
{
    struct apex_home *home = NULL;
    struct apex_identity *identity = NULL;
    struct apex_node *node = NULL;
    struct apex_error e;
    char *end;
    unsigned long long index = strtoull(cli->word[1], &end, 10);
    if (*end || end == cli->word[1])
        return cli_usage(cli, "a contribution is named by its number", "see `apex audit`");
    int code = cli_home(cli, &home);
    if (code == EXIT_OK) code = cli_identity(cli, home, &identity);
    if (code == EXIT_OK) code = cli_node(cli, home, &node);
    if (code == EXIT_OK && apex_withdraw(node, identity, cli->word[0], index, &e) != APEX_OK)
        code = cli_fail(cli, &e);
    if (code == EXIT_OK)
        printf(cli->json ? "{\"withdrawn\": %llu}\n"
                         : "withdrawn: contribution %llu; later runs do not see it\n",
               index);
    apex_node_close(node);
    apex_identity_free(identity);
    apex_home_close(home);
    return code;
}
