#include "client/cli/demo.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_MS = 30000, PAUSE_MS = 200 };

bool demo_chain_contract(struct demo *d, const char *address)
{
    struct apex_chain_options o;
    char transaction[67];
    if (!d->cli->chain) return true;
    if (cli_chain(d->cli, &o) != EXIT_OK ||
        apex_chain_wait(d->node[0], &o, address, WAIT_MS, transaction, &d->error) != APEX_OK)
        return false;
    printf("  on the chain: transaction %s\n", transaction);
    return true;
}

/* The node records at its own pace: what is not there yet is waited for. */
static bool is_late(const struct apex_verification *v)
{
    for (size_t i = 0; i < v->n_checks; i++)
        if (v->checks[i].result == 0 && strncmp(v->checks[i].detail, "not-on-chain", 12) != 0)
            return false;
    return v->sentences[0][0] != 0;
}

bool demo_chain_result(struct demo *d, const char *result)
{
    const struct timespec pause = {0, PAUSE_MS * 1000000L};
    struct apex_chain_options o;
    struct apex_verification *v = calloc(1, sizeof *v);
    bool fine = v && cli_chain(d->cli, &o) == EXIT_OK;
    apex_status s = APEX_E_UNREACHABLE;
    for (int waited = 0; fine && s != APEX_OK && waited < WAIT_MS; waited += PAUSE_MS) {
        s = apex_verify_chain(d->home[0], d->node[0], &o, result, strlen(result), v, &d->error);
        if (s != APEX_OK && (s != APEX_E_UNTRUSTED || !is_late(v))) break;
        if (s != APEX_OK) nanosleep(&pause, NULL);
    }
    fine = fine && s == APEX_OK;
    if (fine || (v && v->n_checks)) cli_chain_print(d->cli, v);
    free(v);
    return fine;
}
