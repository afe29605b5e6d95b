/* The demo: what three enterprises would do on three machines, done on one, with a home folder
 * for each. */
#ifndef CLIENT_CLI_DEMO_H
#define CLIENT_CLI_DEMO_H

#include "client/cli/cli.h"

#include <sys/types.h>

enum { TELCOS = 3, DEMO_PATH_MAX = 2048 };

struct demo {
    struct cli *cli;
    char build[DEMO_PATH_MAX], root[DEMO_PATH_MAX], out[DEMO_PATH_MAX], scratch[DEMO_PATH_MAX],
        url[128];
    pid_t host;
    bool in_machine; /* the enclave runs in a virtual machine here */
    int line; /* --room: where its one line goes */
    struct apex_home *home[TELCOS];
    struct apex_identity *identity[TELCOS];
    struct apex_node *node[TELCOS];
    char *public_half[TELCOS];
    struct apex_error error;
};
extern const char *const telco_names[TELCOS];

/* With --chain: says in which transaction a contract is recorded, and at the end holds log,
 * chain and a result against one another; both wait for the node. */
bool demo_chain_contract(struct demo *d, const char *address);
bool demo_chain_result(struct demo *d, const char *result);
/* map.svg: the sites with their radius, over the first telco's own customers; nobody has the
 * others'. */
bool demo_map(const char *answer, const char *own_csv, const char *path);
/* Splits a CSV with a header among the telcos by h(2, row) % 3, and, when `holdout` is given,
 * by h(1, row) % 10 >= 7 into that file; at most `rows` rows (0: all). Files: PREFIX-NAME.csv
 * and PREFIX-NAME-holdout.csv in the scratch folder. */
bool demo_split(const struct demo *d, const char *csv, const char *prefix, bool holdout,
                uint64_t rows, uint64_t counts[TELCOS]);

/* Makes the manifest of contracts/NAME, deploys it as the first telco and has all accept it. */
bool demo_contract(struct demo *d, const char *name, const struct apex_party *parties,
                   char address[58]);
/* --room: hands out the data, says what there is on `out`, and stays until it is told to end. */
bool demo_room(struct demo *d, const struct apex_party *parties, int out);

#endif
