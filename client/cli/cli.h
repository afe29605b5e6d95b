/* What the subcommands of `apex` share. Everything is built on include/apex/apex.h alone. */
#ifndef CLIENT_CLI_CLI_H
#define CLIENT_CLI_CLI_H

#include "include/apex/apex.h"

#include <stdio.h>

enum {
    EXIT_OK = 0,
    EXIT_REFUSED = 1,
    EXIT_USAGE = 2,
    EXIT_DATA = 3,
    EXIT_UNREACHABLE = 4,
    EXIT_INTERNAL = 5,
    WORDS_MAX = 64,
    PARAMS_GIVEN_MAX = 64,
    ALSO_GIVEN_MAX = 3
};

/* The command line, parsed: options in any order, the rest in `word`. */
struct cli {
    const char *home, *node, *as, *map, *output, *rows, *seed, *source, *template_path,
        *program, *policy, *tee, *listen, *rerun, *firmware, *cpu, *vcpus, *features, *port;
    const char *evidence, *certs, *collateral, *at, *days; /* trust */
    const char *chain, *registry, *chain_id, *chain_key, *confirmations;
    const char *param[PARAMS_GIVEN_MAX];
    size_t n_params;
    const char *party[WORDS_MAX];
    size_t n_parties;
    const char *also[ALSO_GIVEN_MAX];
    size_t n_also;
    uint64_t demo_rows;
    bool json, check, replace, help, quiet, open, room;
    const char *word[WORDS_MAX];
    size_t n_words;
};

struct command {
    const char *name, *usage, *help;
    int (*run)(struct cli *cli);
    size_t min_words, max_words;
};
extern const struct command commands[];

/* Prints an error as a person reads it, or as JSON, and gives the exit code of its class. */
int cli_fail(const struct cli *cli, const struct apex_error *error);
void cli_error_json(const struct apex_error *error); /* the object alone, on stdout */
int cli_usage(const struct cli *cli, const char *what, const char *next);
/* Each gives an exit code when it fails (printed), else EXIT_OK. */
int cli_home(const struct cli *cli, struct apex_home **home);
int cli_node(const struct cli *cli, struct apex_home *home, struct apex_node **node);
int cli_identity(const struct cli *cli, struct apex_home *home,
                 struct apex_identity **identity);
/* A file's text, NUL-terminated; NULL when it cannot be read (printed). */
char *cli_load(const struct cli *cli, const char *path, size_t *len);
/* What errno says of a file, as an error of the class that a file's is. */
int cli_file_failed(const struct cli *cli, const char *path, const char *what,
                    const char *not_done);
/* Files that hold answers: read by their owner alone (mode 0600), and whole or as they were; a
 * device or a pipe is written into. writer: false when the text has nothing of its form, which
 * is then SAVED_NOTHING; SAVED_NOT: errno says why. */
enum saved { SAVED, SAVED_NOT, SAVED_NOTHING };
enum saved cli_write(const char *path, const char *text, bool (*writer)(const char *, FILE *));
bool cli_write_text(const char *text, FILE *out); /* a writer: as it is */
/* Each gives an exit code when it fails (printed), else EXIT_OK. cli_save_check: could a file
 * be written there? Asked before what cannot be undone. */
int cli_save(const struct cli *cli, const char *path, const char *text);
int cli_save_check(const struct cli *cli, const char *path, const char *not_done);
void cli_json_text(FILE *out, const char *text); /* quoted */
/* A bar, on a terminal, after a second; where APEX_PROGRESS_FD names a descriptor, lines
 * "stage TAB done TAB total" to it instead, ten a second at most. */
void cli_progress(void *context, const char *stage, uint64_t done, uint64_t total);
void cli_progress_end(void);
void cli_simulated(const struct cli *cli, const struct apex_node *node); /* says so, plainly */
/* What a contract's private answers have cost and may still, where it has a budget. */
void cli_budget(FILE *out, const struct apex_contract_facts *facts);
int cli_checks_print(const struct cli *cli, const struct apex_check *checks, size_t n);

/* --chain and what goes with it. cli_chain: EXIT_OK, or printed. cli_chain_result: the exit
 * code of a comparison; what has no verdict is printed as an error. */
int cli_chain(const struct cli *cli, struct apex_chain_options *options);
void cli_chain_print(const struct cli *cli, const struct apex_verification *v);
int cli_chain_result(const struct cli *cli, apex_status s, const struct apex_verification *v,
                     const struct apex_error *e);

int cmd_node(struct cli *cli);
/* What an audit of the rules found, in words or as the JSON member "rules". */
void cli_rules_print(const struct cli *cli, const struct apex_audit_report *report,
                     const struct apex_breach *breaches);

int cmd_id(struct cli *cli);
int cmd_ledger(struct cli *cli);
int cmd_trust(struct cli *cli);
int trust_bundle(struct cli *cli, struct apex_home *home); /* trust bundle … */
int cmd_contract(struct cli *cli);
int cmd_contribute(struct cli *cli);
int cmd_withdraw(struct cli *cli);
int cmd_run(struct cli *cli);
int cmd_result(struct cli *cli);
int cmd_audit(struct cli *cli);
int cmd_verify(struct cli *cli);
int cmd_witness(struct cli *cli);
int cmd_doctor(struct cli *cli);
int cmd_image(struct cli *cli);
int cmd_demo(struct cli *cli);
int cmd_export(struct cli *cli);
int cmd_ui(struct cli *cli);

/* A result file's answer as a table of its sites, classes or predictions; false when it has
 * none. */
bool export_csv(const char *result, FILE *out);
bool export_geojson(const char *result, FILE *out);

#endif
