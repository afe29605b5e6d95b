#include "client/cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a subcommand needs open: node and identity. */
struct open {
    struct apex_home *home;
    struct apex_node *node;
    struct apex_identity *identity;
};

static int open_all(struct cli *cli, struct open *o, bool identity)
{
    int code = cli_home(cli, &o->home);
    if (code == EXIT_OK && identity) code = cli_identity(cli, o->home, &o->identity);
    if (code == EXIT_OK) code = cli_node(cli, o->home, &o->node);
    if (code == EXIT_OK) cli_simulated(cli, o->node);
    return code;
}

static void close_all(struct open *o)
{
    apex_identity_free(o->identity);
    apex_node_close(o->node);
    apex_home_close(o->home);
}

/* Runs tools/contract-build, the one recipe, which lies in the source tree the folder is part
 * of. */
static int build(struct cli *cli, const char *folder, const char *output)
{
    char tool[4096], path[4096];
    if (!realpath(folder, path))
        return cli_usage(cli, "there is no such folder",
                         "usage: apex contract build FOLDER [-o FILE]");
    for (char *slash; (slash = strrchr(path, '/'));) {
        *slash = 0;
        snprintf(tool, sizeof tool, "%.4000s/tools/contract-build", path);
        if (access(tool, X_OK) == 0) break;
        tool[0] = 0;
        if (!path[0]) break;
    }
    if (!tool[0])
        return cli_usage(
            cli, "no tools/contract-build above this folder",
            "a contract is built inside the source tree of APEX, which holds its runtime");
    pid_t pid = fork();
    if (pid == 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execl(tool, tool, folder, output, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
        WEXITSTATUS(status) != 0)
        return cli_usage(cli, "the contract does not build", "see the compiler's words above");
    return EXIT_OK;
}

static int digest_print(struct cli *cli, const char *path)
{
    struct apex_error e;
    char hex[65];
    if (apex_program_digest(path, hex, &e) != APEX_OK) return cli_fail(cli, &e);
    printf(cli->json ? "{\"program\": \"sha256:%s\", \"file\": \"%s\"}\n" : "sha256:%s  %s\n",
           hex, path);
    return EXIT_OK;
}

static int cmd_build(struct cli *cli)
{
    const char *output = cli->output ? cli->output : "contract.elf";
    if (cli->n_words != 2)
        return cli_usage(cli, "the folder is missing",
                         "usage: apex contract build FOLDER [-o FILE]");
    int code = build(cli, cli->word[1], output);
    return code == EXIT_OK ? digest_print(cli, output) : code;
}

/* "NAME:SIGN:SEAL", or the path of a file that holds what `apex id show` prints. */
static bool party_parse(char *text, struct apex_party *p)
{
    char *sign = strstr(text, "\"sign\": \""), *seal = strstr(text, "\"seal\": \""),
         *name = strstr(text, "\"name\": \"");
    if (!sign || !seal || !name) return false;
    p->name = name + 9;
    p->sign_hex = sign + 9;
    p->seal_hex = seal + 9;
    char *end = strchr(name + 9, '"');
    if (end) *end = 0;
    if (strlen(p->sign_hex) < 64 || strlen(p->seal_hex) < 64) return false;
    sign[9 + 64] = seal[9 + 64] = 0;
    return end != NULL;
}

static int cmd_new(struct cli *cli)
{
    struct open o = {0};
    struct apex_party parties[WORDS_MAX];
    struct apex_error e;
    char *texts[WORDS_MAX] = {NULL};
    if (cli->n_words != 2 || !cli->program || cli->n_parties == 0 || !cli->output)
        return cli_usage(cli, "something is missing",
                         "usage: apex contract new TEMPLATE --program FILE.elf --party "
                         "PARTY.json [--party …] -o MANIFEST.json");
    int code = open_all(cli, &o, false);
    for (size_t i = 0; code == EXIT_OK && i < cli->n_parties; i++) {
        size_t len;
        texts[i] = cli_load(cli, cli->party[i], &len);
        if (!texts[i])
            code = EXIT_DATA;
        else if (!party_parse(texts[i], &parties[i]))
            code = cli_usage(cli, "a party's file is not what `apex id show` prints",
                             "ask the party for it");
    }
    if (code == EXIT_OK && apex_manifest_new(o.node, cli->word[1], cli->program, parties,
                                             cli->n_parties, cli->output, &e) != APEX_OK)
        code = cli_fail(cli, &e);
    if (code == EXIT_OK) {
        char address[58];
        code = apex_manifest_address(cli->output, address, &e) == APEX_OK ? EXIT_OK
                                                                          : cli_fail(cli, &e);
        if (code == EXIT_OK) printf(cli->json ? "{\"address\": \"%s\"}\n" : "%s\n", address);
    }
    for (size_t i = 0; i < cli->n_parties; i++)
        free(texts[i]);
    close_all(&o);
    return code;
}

static int cmd_address(struct cli *cli)
{
    struct apex_error e;
    char address[58];
    if (cli->n_words != 2)
        return cli_usage(cli, "the manifest is missing",
                         "usage: apex contract address MANIFEST.json");
    if (apex_manifest_address(cli->word[1], address, &e) != APEX_OK) return cli_fail(cli, &e);
    printf(cli->json ? "{\"address\": \"%s\"}\n" : "%s\n", address);
    return EXIT_OK;
}

/* The node records the contract on the chain; we look until it is there. */
static int deploy_wait(struct cli *cli, struct open *o, const char *address,
                       char transaction[67])
{
    enum { WAIT_MS = 600000 };
    struct apex_chain_options options;
    struct apex_error e;
    int code = cli_chain(cli, &options);
    if (code != EXIT_OK) return code;
    return apex_chain_wait(o->node, &options, address, WAIT_MS, transaction, &e) == APEX_OK
               ? EXIT_OK
               : cli_fail(cli, &e);
}

static int cmd_deploy(struct cli *cli)
{
    struct open o = {0};
    struct apex_error e;
    char address[58], transaction[67];
    if (cli->n_words != 3)
        return cli_usage(cli, "something is missing",
                         "usage: apex contract deploy MANIFEST.json PROGRAM.elf");
    int code = open_all(cli, &o, true);
    if (code == EXIT_OK &&
        apex_deploy(o.node, o.identity, cli->word[1], cli->word[2], address, &e) != APEX_OK)
        code = cli_fail(cli, &e);
    if (code == EXIT_OK && cli->chain) code = deploy_wait(cli, &o, address, transaction);
    if (code == EXIT_OK && cli->chain)
        printf(cli->json ? "{\"address\": \"%s\", \"transaction\": \"%s\"}\n"
                         : "deployed: %s\non the chain: transaction %s\n",
               address, transaction);
    else if (code == EXIT_OK)
        printf(cli->json ? "{\"address\": \"%s\"}\n" : "deployed: %s\n", address);
    if (code == EXIT_OK && !cli->json && !cli->quiet)
        printf("next: every party that may approve runs `apex contract accept %s`\n", address);
    close_all(&o);
    return code;
}

static void facts_print(const struct cli *cli, const struct apex_contract_facts *f)
{
    if (cli->json) {
        printf("{\"name\": \"%s\", \"state\": \"%s\", \"program\": \"sha256:%s\", \"key\": "
               "\"%s\", "
               "\"entries\": %zu, \"parties\": [",
               f->name, f->state, f->program, f->key, f->n_entries);
        for (size_t i = 0; i < f->n_parties; i++)
            printf("%s{\"name\": \"%s\", \"approves\": %s, \"accepted\": %s}", i ? ", " : "",
                   f->parties[i].name, f->parties[i].approves ? "true" : "false",
                   f->parties[i].accepted ? "true" : "false");
        printf("], \"privacy\": {\"epsilon\": %.10g, \"spent\": %.10g, \"delta\": %.10g}",
               (double)f->epsilon_micro / 1e6, (double)f->spent_micro / 1e6, f->delta);
        printf(", \"manifest\": ");
        cli_json_text(stdout, f->manifest);
        printf("}\n");
        return;
    }
    printf("%s: %s, %zu entries in the log\n  program  sha256:%s\n", f->name, f->state,
           f->n_entries, f->program);
    for (size_t i = 0; i < f->n_parties; i++)
        printf("  party    %-20s %s\n", f->parties[i].name,
               !f->parties[i].approves  ? "need not approve"
               : f->parties[i].accepted ? "accepted"
                                        : "has NOT accepted");
    if (f->epsilon_micro) printf("  ");
    cli_budget(stdout, f);
    if (!cli->quiet) printf("\n%s", f->manifest);
}

static int cmd_show(struct cli *cli)
{
    struct open o = {0};
    struct apex_error e;
    struct apex_contract_facts *f = calloc(1, sizeof *f);
    if (cli->n_words != 2 || !f) {
        free(f);
        return cli_usage(cli, "the address is missing", "usage: apex contract show ADDRESS");
    }
    int code = open_all(cli, &o, false);
    if (code == EXIT_OK && apex_contract_show(o.node, cli->word[1], f, &e) != APEX_OK)
        code = cli_fail(cli, &e);
    if (code == EXIT_OK) facts_print(cli, f);
    free(f->manifest);
    free(f);
    close_all(&o);
    return code;
}

static int list_one(struct open *o, const char *address, const struct cli *cli, bool first)
{
    struct apex_contract_facts *f = calloc(1, sizeof *f);
    struct apex_error e;
    if (!f) return EXIT_INTERNAL;
    int code =
        apex_contract_show(o->node, address, f, &e) == APEX_OK ? EXIT_OK : cli_fail(cli, &e);
    if (code == EXIT_OK && cli->json) {
        printf("%s{\"address\": \"%s\", \"contract\": ", first ? "" : ", ", address);
        facts_print(cli, f);
        printf("}");
    } else if (code == EXIT_OK)
        printf("%s  %-10s %s\n", address, f->state, f->name);
    free(f->manifest);
    free(f);
    return code;
}

/* Every contract of the node's log, the newest first. */
static int cmd_list(struct cli *cli)
{
    struct open o = {0};
    struct apex_error e;
    char(*addresses)[58] = NULL;
    size_t n = 0;
    int code = open_all(cli, &o, false);
    if (code == EXIT_OK && apex_contracts(o.node, &addresses, &n, &e) != APEX_OK)
        code = cli_fail(cli, &e);
    if (code == EXIT_OK && cli->json) printf("{\"contracts\": [");
    for (size_t i = n; code == EXIT_OK && i-- > 0;)
        code = list_one(&o, addresses[i], cli, i + 1 == n);
    if (code == EXIT_OK && cli->json) printf("]}\n");
    free(addresses);
    close_all(&o);
    return code;
}

/* Rebuilds the program from source and holds it against the digest that the address commits to.
 */
static int cmd_verify_source(struct cli *cli)
{
    struct open o = {0};
    struct apex_error e;
    char built[] = "/tmp/apex-verify-XXXXXX", hex[65] = "";
    struct apex_contract_facts *f = calloc(1, sizeof *f);
    if (cli->n_words != 2 || !cli->source || !f) {
        free(f);
        return cli_usage(cli, "something is missing",
                         "usage: apex contract verify ADDRESS --source FOLDER");
    }
    int fd = mkstemp(built), code = fd >= 0 ? open_all(cli, &o, false) : EXIT_INTERNAL;
    if (code == EXIT_OK && apex_contract_show(o.node, cli->word[1], f, &e) != APEX_OK)
        code = cli_fail(cli, &e);
    if (code == EXIT_OK) code = build(cli, cli->source, built);
    if (code == EXIT_OK && apex_program_digest(built, hex, &e) != APEX_OK)
        code = cli_fail(cli, &e);
    if (code == EXIT_OK) {
        bool same = strcmp(hex, f->program) == 0;
        if (cli->json)
            printf("{\"matches\": %s, \"manifest\": \"sha256:%s\", \"built\": \"sha256:%s\"}\n",
                   same ? "true" : "false", f->program, hex);
        else
            printf("%s\n  manifest  sha256:%s\n  built     sha256:%s\n",
                   same ? "The source builds to the very program the contract runs."
                        : "The source does NOT build to the program the contract runs.",
                   f->program, hex);
        code = same ? EXIT_OK : EXIT_REFUSED;
    }
    if (fd >= 0) close(fd);
    unlink(built);
    free(f->manifest);
    free(f);
    close_all(&o);
    return code;
}

static int cmd_simple(struct cli *cli,
                      apex_status (*act)(struct apex_node *, const struct apex_identity *,
                                         const char *, struct apex_error *),
                      const char *done)
{
    struct open o = {0};
    struct apex_error e;
    if (cli->n_words != 2)
        return cli_usage(cli, "the address is missing",
                         "usage: apex contract accept|close ADDRESS");
    int code = open_all(cli, &o, true);
    if (code == EXIT_OK && act(o.node, o.identity, cli->word[1], &e) != APEX_OK)
        code = cli_fail(cli, &e);
    if (code == EXIT_OK)
        printf(cli->json ? "{\"%s\": \"%s\"}\n" : "%s: %s\n", done, cli->word[1]);
    close_all(&o);
    return code;
}

int cmd_contract(struct cli *cli)
{
    const char *what = cli->word[0];
    if (strcmp(what, "new") == 0) return cmd_new(cli);
    if (strcmp(what, "address") == 0) return cmd_address(cli);
    if (strcmp(what, "build") == 0) return cmd_build(cli);
    if (strcmp(what, "deploy") == 0) return cmd_deploy(cli);
    if (strcmp(what, "list") == 0) return cmd_list(cli);
    if (strcmp(what, "show") == 0) return cmd_show(cli);
    if (strcmp(what, "verify") == 0) return cmd_verify_source(cli);
    if (strcmp(what, "accept") == 0) return cmd_simple(cli, apex_accept, "accepted");
    if (strcmp(what, "close") == 0) return cmd_simple(cli, apex_close_contract, "closed");
    return cli_usage(
        cli, "contract knows new, address, build, deploy, list, show, verify, accept and close",
        "see `apex contract --help`");
}
