#include "client/cli/cli.h"

#include <stdlib.h>
#include <string.h>

/* Usages are one form a line. */
const struct command commands[] = {
    {"demo", "demo [--rows N] [--tee sim|vm] [--open]",
     "three enterprises, one contract, on this machine; ends with a map and a verified receipt",
     cmd_demo, 0, 0},
    {"id", "id new NAME\nid show [NAME]", "make an identity, or show its public half", cmd_id,
     1, 2},
    {"trust",
     "trust init [URL] [--replace]\ntrust check [URL] [-o FILE]\n"
     "trust check --evidence FILE [--certs FILE] [--collateral FOLDER] [--at TIME] "
     "[--policy FILE] [--tee KIND]\ntrust show\n"
     "trust bundle make LIST.json|FOLDER … -o FILE [--days N]\ntrust bundle check|use FILE",
     "write a trust policy from a node's evidence, check a node or a file, make a bundle",
     cmd_trust, 1, WORDS_MAX},
    {"contract",
     "contract new TEMPLATE --program FILE --party FILE … -o MANIFEST\n"
     "contract address MANIFEST\ncontract build FOLDER [-o FILE]\n"
     "contract deploy MANIFEST PROGRAM [--chain URL --registry ADDR]\ncontract list\n"
     "contract show ADDRESS\ncontract verify ADDRESS --source FOLDER\n"
     "contract accept ADDRESS\ncontract close ADDRESS",
     "make, build, deploy, find, look at, rebuild, accept or close a contract", cmd_contract, 1,
     4},
    {"contribute", "contribute ADDRESS DATASET FILE [--map col=name,…] [--check [-o ROWS.csv]]",
     "check a file, seal it for the contract and send it", cmd_contribute, 3, 3},
    {"run",
     "run ADDRESS FUNCTION [--param k=40 …] [--rows FILE [--map col=name,…]] [--seed HEX] "
     "[-o FILE.json|.csv|.geojson]",
     "ask a contract for an answer, open it and keep its receipt", cmd_run, 2, 2},
    {"result", "result ADDRESS RUN [-o FILE]",
     "open the result of an earlier run, or of another party's", cmd_result, 2, 2},
    {"withdraw", "withdraw ADDRESS CONTRIBUTION",
     "take a contribution back: later runs do not see it", cmd_withdraw, 2, 2},
    {"audit", "audit ADDRESS [--rerun RUN] [--chain URL --registry ADDR]",
     "a contract's history, every entry proven, and held against a chain", cmd_audit, 1, 1},
    {"verify", "verify FILE [--also FILE …] [--policy FILE] [--chain URL --registry ADDR]",
     "check a result file, offline, and against a chain", cmd_verify, 1, 1},
    {"ledger",
     "ledger key\nledger mirror DIR\nledger fsck DIR LOG-VKEY\n"
     "ledger serve DIR --listen ADDRESS:PORT\nledger proof ENTRY [-o FILE]",
     "copies of the log as static files: make, check, serve; proofs of single entries",
     cmd_ledger, 1, 3},
    {"witness", "witness new NAME\nwitness key\nwitness serve --listen ADDRESS:PORT LOG-VKEY …",
     "cosign logs whose checkpoints contain all seen before", cmd_witness, 1, WORDS_MAX},
    {"image",
     "image measure [FOLDER] [--firmware FILE] [--cpu MODEL] [--vcpus N] [--features HEX]",
     "what machines measure when they start an image: for a trust policy", cmd_image, 1, 2},
    {"export", "export FILE.json -o FILE.csv|.geojson",
     "write a result file's answer in another form", cmd_export, 1, 1},
    {"ui", "ui [--open] [--port N]", "the page, on this machine's loopback", cmd_ui, 0, 0},
    {"node",
     "node hand-over NEW_URL [--collateral FOLDER]\nnode shares [-o FILE]\n"
     "node recover FILE [--as NAME]",
     "the root secret of a node: to another enclave, or back from shares", cmd_node, 1, 2},
    {"doctor", "doctor", "what this machine can do, what is missing, how to get it", cmd_doctor,
     0, 0},
    {NULL, NULL, NULL, NULL, 0, 0},
};

static void help_all(void)
{
    printf("apex: analytics on the union of several parties' data, without anyone seeing a "
           "row\n\nusage: apex COMMAND [options]\n\n");
    for (const struct command *c = commands; c->name; c++)
        printf("  %-10s  %s\n", c->name, c->help);
    printf(
        "\noptions of every command:\n"
        "  --node URL     the node (or APEX_NODE)\n"
        "  --as NAME      the identity to act as (or APEX_AS; needed when there are several)\n"
        "  --home FOLDER  identities, trust policy, checkpoints (or APEX_HOME; default "
        "~/.config/apex)\n"
        "  --json         machine-readable output\n"
        "  --chain URL --registry ADDR [--chain-id N] [--confirmations N]\n"
        "                 compare with a chain (verify, audit), or wait for it (contract "
        "deploy)\n"
        "  --help         a command's forms and options\n\n"
        "exit codes: 0 ok, 1 refused or not verified, 2 usage, 3 bad data or a file that "
        "cannot "
        "be\n            read or written, 4 unreachable, 5 internal\n");
}

static void help_one(const struct command *c)
{
    const char *before = "usage: ";
    for (const char *form = c->usage; *form; before = "       ") {
        int len = (int)strcspn(form, "\n");
        printf("%sapex %.*s\n", before, len, form);
        form += len + (form[len] == '\n');
    }
    printf("\n%s\n\nmore: `man apex-%s`, in the source tree `man -l client/man/apex-%s.1`; "
           "options of every command: `apex --help`\n",
           c->help, c->name, c->name);
}

struct option_text {
    const char *name;
    size_t at;
};
/* --rows is a file to run, a number to the demo. */
#define TEXT(name, field)                                                                      \
    {                                                                                          \
        name, offsetof(struct cli, field)                                                      \
    }
static const struct option_text texts[] = {TEXT("--home", home),
                                           TEXT("--node", node),
                                           TEXT("--as", as),
                                           TEXT("--map", map),
                                           TEXT("-o", output),
                                           TEXT("--output", output),
                                           TEXT("--rows", rows),
                                           TEXT("--seed", seed),
                                           TEXT("--source", source),
                                           TEXT("--template", template_path),
                                           TEXT("--program", program),
                                           TEXT("--policy", policy),
                                           TEXT("--tee", tee),
                                           TEXT("--listen", listen),
                                           TEXT("--rerun", rerun),
                                           TEXT("--evidence", evidence),
                                           TEXT("--certs", certs),
                                           TEXT("--collateral", collateral),
                                           TEXT("--at", at),
                                           TEXT("--days", days),
                                           TEXT("--firmware", firmware),
                                           TEXT("--cpu", cpu),
                                           TEXT("--vcpus", vcpus),
                                           TEXT("--features", features),
                                           TEXT("--port", port),
                                           TEXT("--chain", chain),
                                           TEXT("--registry", registry),
                                           TEXT("--chain-id", chain_id),
                                           TEXT("--chain-key", chain_key),
                                           TEXT("--confirmations", confirmations)};
static const struct option_text flags[] = {TEXT("--json", json),       TEXT("--check", check),
                                           TEXT("--replace", replace), TEXT("--help", help),
                                           TEXT("-h", help),           TEXT("--quiet", quiet),
                                           TEXT("--open", open),       TEXT("--room", room)};

static bool flag_take(struct cli *cli, const char *arg)
{
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (strcmp(arg, flags[i].name) != 0) continue;
        *(bool *)((char *)cli + flags[i].at) = true;
        return true;
    }
    return false;
}

/* Those that may be given several times. */
static bool is_list(const char *arg)
{
    return strcmp(arg, "--param") == 0 || strcmp(arg, "--party") == 0 ||
           strcmp(arg, "--also") == 0;
}

/* 0 not an option with a value, 1 taken, -1 its value is missing. */
static int text_take(struct cli *cli, const char *arg, const char *value)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (strcmp(arg, texts[i].name) != 0) continue;
        if (value) memcpy((char *)cli + texts[i].at, &value, sizeof value);
        return value ? 1 : -1;
    }
    if (strcmp(arg, "--param") == 0 && value && cli->n_params < PARAMS_GIVEN_MAX)
        cli->param[cli->n_params++] = value;
    else if (strcmp(arg, "--party") == 0 && value && cli->n_parties < WORDS_MAX)
        cli->party[cli->n_parties++] = value;
    else if (strcmp(arg, "--also") == 0 && value && cli->n_also < ALSO_GIVEN_MAX)
        cli->also[cli->n_also++] = value;
    else
        return is_list(arg) ? -1 : 0;
    return 1;
}

static int parse(struct cli *cli, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (argv[i][0] != '-' || !argv[i][1]) {
            if (cli->n_words == WORDS_MAX)
                return cli_usage(cli, "too many words", "see `apex --help`");
            cli->word[cli->n_words++] = argv[i];
            continue;
        }
        if (flag_take(cli, argv[i])) continue;
        int taken = text_take(cli, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
        if (taken < 0)
            return cli_usage(cli, "an option lacks its value, or is given too often",
                             "see `apex COMMAND --help`");
        if (taken == 0) {
            char what[120];
            snprintf(what, sizeof what, "there is no option %.80s", argv[i]);
            return cli_usage(cli, what, "see `apex --help`");
        }
        i++;
    }
    return EXIT_OK;
}

static int run_command(const struct command *c, struct cli *cli)
{
    struct apex_error error;
    if (cli->help) {
        help_one(c);
        return EXIT_OK;
    }
    if (cli->n_words < c->min_words || cli->n_words > c->max_words) {
        char next[160];
        if (strchr(c->usage, '\n'))
            snprintf(next, sizeof next, "see `apex %s --help`", c->name);
        else
            snprintf(next, sizeof next, "usage: apex %s", c->usage);
        return cli_usage(
            cli, cli->n_words < c->min_words ? "something is missing" : "too many words", next);
    }
    if (apex_start(&error) != APEX_OK) return cli_fail(cli, &error);
    int code = c->run(cli);
    cli_progress_end();
    return fflush(stdout) == 0 ? code : EXIT_INTERNAL;
}

int main(int argc, char **argv)
{
    struct cli cli = {.node = getenv("APEX_NODE"), .as = getenv("APEX_AS")};
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        help_all();
        return argc < 2 ? EXIT_USAGE : EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("apex %s\n", APEX_VERSION);
        return EXIT_OK;
    }
    int code = parse(&cli, argc - 2, argv + 2);
    if (code != EXIT_OK) return code;
    for (const struct command *c = commands; c->name; c++)
        if (strcmp(argv[1], c->name) == 0) return run_command(c, &cli);
    char what[120];
    snprintf(what, sizeof what, "there is no command %.80s", argv[1]);
    return cli_usage(&cli, what,
                     argv[1][0] == '-' ? "name the command first: apex COMMAND [options]"
                                       : "see `apex --help`");
}
