/* `apex demo --room`: the demo's node, parties and contracts, kept while this process lives,
 * with nothing contributed yet. `apex ui` starts it for its Try it room. One line of JSON says
 * what there is; each party's rows lie in its own home, where the page keeps files. */
#include "client/cli/demo.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACES_MAP "latitude=latitude,longitude=longitude,class=country"

static const struct {
    const char *id, *prefix, *suffix, *contract, *dataset, *map;
} kept[] = {{"00000000000000c1", "customers", "", "cluster", "customers", NULL},
            {"00000000000000d1", "places", "", "classify", "training", PLACES_MAP},
            {"00000000000000d2", "places", "-holdout", "classify", "holdout", PLACES_MAP}};
enum { N_KEPT = sizeof kept / sizeof *kept };

static volatile sig_atomic_t ends;

static void on_end(int number)
{
    (void)number;
    ends = 1;
}

static bool folder_make(const char *home, const char *below)
{
    char path[DEMO_PATH_MAX + 64];
    snprintf(path, sizeof path, "%.2000s%s", home, below);
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* The party's part of the data, moved into its home under the name its owner would know. */
static bool file_hand(const struct demo *d, int t, size_t k)
{
    char from[DEMO_PATH_MAX + 96], to[DEMO_PATH_MAX + 96];
    const char *home = apex_home_path(d->home[t]);
    snprintf(from, sizeof from, "%s/%s-%s%s.csv", d->scratch, kept[k].prefix, telco_names[t],
             kept[k].suffix);
    snprintf(to, sizeof to, "%.1900s/ui/files/%s", home, kept[k].id);
    if (!folder_make(home, "/ui") || !folder_make(home, "/ui/files") || rename(from, to) != 0)
        return false;
    snprintf(to + strlen(to), 8, ".name");
    FILE *f = fopen(to, "w");
    if (f) fprintf(f, "%s-%s%s.csv", kept[k].prefix, telco_names[t], kept[k].suffix);
    return f && fclose(f) == 0;
}

static json_t *files_json(char addresses[2][58])
{
    json_t *files = json_array();
    for (size_t k = 0; k < N_KEPT; k++)
        json_array_append_new(files,
                              json_pack("{s:s, s:s, s:s, s:s*}", "id", kept[k].id, "address",
                                        addresses[strcmp(kept[k].contract, "classify") == 0],
                                        "dataset", kept[k].dataset, "map", kept[k].map));
    return files;
}

static json_t *made_json(const struct demo *d, char addresses[2][58])
{
    json_t *parties = json_array();
    for (int t = 0; t < TELCOS; t++)
        json_array_append_new(parties, json_pack("{s:s, s:s, s:o}", "name", telco_names[t],
                                                 "home", apex_home_path(d->home[t]), "files",
                                                 files_json(addresses)));
    return json_pack("{s:s, s:s, s:s, s:s, s:o}", "node", d->url, "cluster", addresses[0],
                     "classify", addresses[1], "data", d->scratch, "parties", parties);
}

static bool rows_hand_out(const struct demo *d)
{
    char csv[DEMO_PATH_MAX + 64];
    uint64_t counts[TELCOS];
    snprintf(csv, sizeof csv, "%s/data/nz_addresses.csv", d->root);
    if (!demo_split(d, csv, "customers", false, d->cli->demo_rows, counts)) return false;
    snprintf(csv, sizeof csv, "%s/data/places_country.csv", d->root);
    if (!demo_split(d, csv, "places", true, d->cli->demo_rows, counts)) return false;
    for (int t = 0; t < TELCOS; t++)
        for (size_t k = 0; k < N_KEPT; k++)
            if (!file_hand(d, t, k)) return false;
    return true;
}

static void stay(void)
{
    struct sigaction a = {.sa_handler = on_end};
    sigset_t two, before;
    sigemptyset(&two);
    sigaddset(&two, SIGTERM);
    sigaddset(&two, SIGINT);
    sigprocmask(SIG_BLOCK, &two, &before);
    sigaction(SIGTERM, &a, NULL);
    sigaction(SIGINT, &a, NULL);
    while (!ends)
        sigsuspend(&before);
}

bool demo_room(struct demo *d, const struct apex_party *parties, int out)
{
    char addresses[2][58];
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    cli_progress(NULL, "handing out the data", 0, 1);
    if (!rows_hand_out(d)) return false;
    cli_progress(NULL, "two contracts, accepted by all three", 0, 1);
    if (!demo_contract(d, "cluster", parties, addresses[0]) ||
        !demo_contract(d, "classify", parties, addresses[1]))
        return false;
    json_t *made = made_json(d, addresses);
    char *text = json_dumps(made, JSON_COMPACT);
    json_decref(made);
    bool fine = text && dprintf(out, "%s\n", text) > 0;
    free(text);
    if (fine) stay();
    return fine;
}
