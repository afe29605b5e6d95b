#include "client/cli/demo.h"

#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { VM_ROWS = 9000 }; /* an emulated processor computes some forty times slower */

const char *const telco_names[TELCOS] = {"kauri", "rimu", "totara"};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void say(const char *what)
{
    printf("\n== %s\n", what);
    fflush(stdout);
}

/* build/client/apex -> build, and the source tree around it (or APEX_ROOT). */
static bool places_find(struct demo *d)
{
    char exe[DEMO_PATH_MAX];
    const char *root = getenv("APEX_ROOT");
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (n <= 0) return false;
    exe[n] = 0;
    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(exe, '/');
        if (slash) *slash = 0;
    }
    snprintf(d->build, sizeof d->build, "%s", exe);
    snprintf(d->root, sizeof d->root, "%.1900s%s", root ? root : exe, root ? "" : "/..");
    snprintf(d->out, sizeof d->out, "%.2000s/demo", d->build);
    char probe[DEMO_PATH_MAX + 64];
    snprintf(probe, sizeof probe, "%s/contracts/cluster/manifest.json", d->root);
    return access(probe, R_OK) == 0;
}

static bool host_start(struct demo *d)
{
    char apexd[DEMO_PATH_MAX + 32], enclave[DEMO_PATH_MAX + 32], data[DEMO_PATH_MAX + 32],
        log[DEMO_PATH_MAX + 32], line[256];
    int out[2];
    snprintf(apexd, sizeof apexd, "%s/host/apexd", d->build);
    snprintf(enclave, sizeof enclave, "%s/%s", d->build,
             d->in_machine ? "image/apex-enclave-vm" : "enclave/apex-enclave");
    snprintf(data, sizeof data, "%s/node", d->scratch);
    snprintf(log, sizeof log, "%s/node.log", d->scratch);
    if (pipe(out) != 0) return false;
    d->host = fork();
    if (d->host == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        dup2(out[1], STDOUT_FILENO);
        close(out[0]);
        close(out[1]);
        if (!freopen(log, "w", stderr)) _exit(126);
        const struct cli *c = d->cli; /* without --chain the list ends before it */
        execl(apexd, apexd, "--data", data, "--listen", "127.0.0.1:0", "--tee", "sim",
              "--enclave", enclave, c->chain ? "--chain" : NULL, c->chain, "--registry",
              c->registry, "--chain-key", c->chain_key, "--chain-confirmations",
              c->confirmations ? c->confirmations : "1", "--chain-every-s", "0", (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *f = fdopen(out[0], "r");
    bool ready = f && fgets(line, sizeof line, f) && strstr(line, "http://");
    if (ready) {
        snprintf(d->url, sizeof d->url, "%.100s", strstr(line, "http://"));
        d->url[strcspn(d->url, "\r\n ")] = 0;
    }
    if (f) fclose(f);
    return ready;
}

static bool ok(struct demo *d, apex_status s)
{
    (void)d;
    return s == APEX_OK;
}

/* A node that has just said it listens may still be starting its enclave. */
static bool trust_make(struct demo *d, int t, struct apex_verdict *v)
{
    for (int tries = 0; tries < (d->in_machine ? 1200 : 100); tries++) { /* a kernel boots */
        if (ok(d, apex_trust_init(d->home[t], d->url, true, v, &d->error))) return true;
        if (d->error.status != APEX_E_UNREACHABLE) return false;
        usleep(50000);
    }
    return false;
}

static bool telcos_make(struct demo *d)
{
    for (int t = 0; t < TELCOS; t++) {
        char folder[DEMO_PATH_MAX + 32];
        struct apex_verdict v;
        snprintf(folder, sizeof folder, "%s/%s", d->scratch, telco_names[t]);
        if (!ok(d, apex_home_open(folder, &d->home[t], &d->error)) ||
            !ok(d, apex_identity_new(d->home[t], telco_names[t], NULL, &d->error)) ||
            !ok(d, apex_identity_open(d->home[t], telco_names[t], NULL, &d->identity[t],
                                      &d->error)) ||
            !trust_make(d, t, &v) ||
            !ok(d, apex_node_open(d->home[t], d->url, &d->node[t], &d->error)))
            return false;
        if (t == 0)
            printf("%s\n  measurement %s\n  log         %s\n", v.sentence, v.measurement,
                   v.origin);
        d->public_half[t] = apex_identity_public(d->identity[t]);
    }
    return true;
}

static void party_of(char *text, struct apex_party *p)
{
    p->name = strstr(text, "\"name\": \"") + 9;
    p->sign_hex = strstr(text, "\"sign\": \"") + 9;
    p->seal_hex = strstr(text, "\"seal\": \"") + 9;
    *strchr(p->name, '"') = 0;
    *strchr(p->sign_hex, '"') = 0;
    *strchr(p->seal_hex, '"') = 0;
}

bool demo_contract(struct demo *d, const char *name, const struct apex_party *parties,
                   char address[58])
{
    char template_path[DEMO_PATH_MAX + 64], program[DEMO_PATH_MAX + 64],
        manifest[DEMO_PATH_MAX + 64];
    snprintf(template_path, sizeof template_path, "%s/contracts/%s/manifest.json", d->root,
             name);
    snprintf(program, sizeof program, "%s/contracts/%s.elf", d->build, name);
    snprintf(manifest, sizeof manifest, "%s/%s.json", d->scratch, name);
    if (!ok(d, apex_manifest_new(d->node[0], template_path, program, parties, TELCOS, manifest,
                                 &d->error)) ||
        !ok(d, apex_deploy(d->node[0], d->identity[0], manifest, program, address, &d->error)))
        return false;
    for (int t = 0; t < TELCOS; t++)
        if (!ok(d, apex_accept(d->node[t], d->identity[t], address, &d->error))) return false;
    printf("%s: %s\n  deployed by %s; accepted by all %d\n", name, address, telco_names[0],
           TELCOS);
    return demo_chain_contract(d, address);
}

static bool send(struct demo *d, int t, const char *address, const char *dataset,
                 const char *prefix, const char *suffix, const char *map)
{
    char file[DEMO_PATH_MAX + 96];
    struct apex_rows_options o = {.map = map, .progress = cli_progress};
    struct apex_rows_report *r = calloc(1, sizeof *r);
    snprintf(file, sizeof file, "%s/%s-%s%s.csv", d->scratch, prefix, telco_names[t], suffix);
    bool fine = r && ok(d, apex_contribute(d->node[t], d->identity[t], address, dataset, file,
                                           &o, r, &d->error));
    cli_progress_end();
    if (fine)
        printf("  %-8s sealed %7llu rows into %9llu bytes for %s\n", telco_names[t],
               (unsigned long long)r->rows, (unsigned long long)r->sealed_bytes, dataset);
    free(r);
    return fine;
}

static bool write_text(const struct demo *d, const char *name, const char *text)
{
    char path[DEMO_PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", d->out, name);
    return cli_save(d->cli, path, text) == EXIT_OK;
}

static bool write_export(const struct demo *d, const char *name, const char *answer,
                         bool (*writer)(const char *, FILE *))
{
    char path[DEMO_PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", d->out, name);
    return cli_write(path, answer, writer) == SAVED;
}

static const char *km_of(const json_t *site, const char *key, char text[static 16])
{
    const json_t *km = json_object_get(site, key);
    snprintf(text, 16, json_is_number(km) ? "%.2f" : "-", json_number_value(km));
    return text;
}

static void sites_table(const char *answer)
{
    json_t *a = json_loads(answer, 0, NULL), *sites = json_object_get(a, "sites");
    char rows[64] = "(number withheld: it would give a hidden site away)";
    if (json_is_integer(json_object_get(a, "rows")))
        snprintf(rows, sizeof rows, "%lld",
                 (long long)json_integer_value(json_object_get(a, "rows")));
    printf("  %s customers of %lld telcos, k = %lld, %lld rounds\n\n", rows,
           (long long)json_integer_value(json_object_get(a, "contributors")),
           (long long)json_integer_value(json_object_get(a, "k")),
           (long long)json_integer_value(json_object_get(a, "rounds")));
    printf(
        "  site   latitude   longitude  customers  telcos  median km  p95 km  within 3 km\n");
    for (size_t i = 0; i < json_array_size(sites); i++) {
        json_t *s = json_array_get(sites, i), *hidden = json_object_get(s, "suppressed");
        if (hidden) {
            printf("  %4zu   suppressed: %s\n", i, json_string_value(hidden));
            continue;
        }
        if (i >= 12 && i + 1 < json_array_size(sites)) {
            if (i == 12)
                printf("  …      (all %zu are in sites.geojson)\n", json_array_size(sites));
            continue;
        }
        char median[16], p95[16], within[16] = "almost all"; /* too few outside to tell */
        if (json_is_number(json_object_get(s, "within_radius")))
            snprintf(within, sizeof within, "%.1f %%",
                     100 * json_number_value(json_object_get(s, "within_radius")));
        printf("  %4zu  %9.4f  %10.4f  %9lld  %6lld  %9s  %6s  %12s\n", i,
               json_real_value(json_object_get(s, "latitude")),
               json_real_value(json_object_get(s, "longitude")),
               (long long)json_integer_value(json_object_get(s, "rows")),
               (long long)json_integer_value(json_object_get(s, "contributors")),
               km_of(s, "median_km", median), km_of(s, "p95_km", p95), within);
    }
    const json_t *share = json_object_get(a, "within_radius");
    if (json_is_number(share))
        printf("\n  %.1f %% of all customers live within %g km of a site\n",
               100 * json_number_value(share),
               json_number_value(json_object_get(a, "radius_km")));
    json_decref(a);
}

static void market_table(const char *answer)
{
    json_t *a = json_loads(answer, 0, NULL), *classes = json_object_get(a, "classes");
    printf("  %lld places, %lld countries told, %lld suppressed; the ten largest markets:\n",
           (long long)json_integer_value(json_object_get(a, "rows")),
           (long long)(json_integer_value(json_object_get(a, "n_classes")) -
                       json_integer_value(json_object_get(a, "suppressed_classes"))),
           (long long)json_integer_value(json_object_get(a, "suppressed_classes")));
    for (int k = 0; k < 10; k++) {
        json_t *most = NULL;
        for (size_t i = 0; i < json_array_size(classes); i++) {
            json_t *c = json_array_get(classes, i);
            if (!json_object_get(c, "taken") &&
                json_integer_value(json_object_get(c, "rows")) >
                    json_integer_value(json_object_get(most, "rows")))
                most = c;
        }
        if (!most) break;
        printf("  %-4s %7lld  %5.1f %%\n", json_string_value(json_object_get(most, "class")),
               (long long)json_integer_value(json_object_get(most, "rows")),
               100 * json_number_value(json_object_get(most, "share")));
        json_object_set_new(most, "taken", json_true());
    }
    json_decref(a);
}

static bool verify(struct demo *d, const char *result, const char *what)
{
    struct apex_verification *v = calloc(1, sizeof *v);
    char *policy = apex_trust_policy(d->home[0], &d->error);
    bool holds = v && policy &&
                 apex_verify(d->home[0], &(struct apex_result_file){result, strlen(result)}, 1,
                             policy, v, &d->error) == APEX_OK;
    size_t passed = 0;
    for (size_t i = 0; v && i < v->n_checks; i++)
        passed += v->checks[i].result > 0;
    if (v) printf("  %s: %zu of %zu checks passed\n", what, passed, v->n_checks);
    if (v && !holds) (void)cli_checks_print(d->cli, v->checks, v->n_checks);
    for (size_t i = 0; holds && i < 3; i++)
        printf("    %s\n", v->sentences[i]);
    free(v);
    free(policy);
    return holds;
}

static bool cluster_part(struct demo *d, const struct apex_party *parties)
{
    static const char *const params[] = {"k=40", "radius_km=3"};
    struct apex_run_options o = {
        .params = params,
        .n_params = 2,
        .progress = cli_progress,
        .seed_hex = "6170657864656d6f0000000000000000000000000000000000000000000000aa"};
    char address[58], csv[DEMO_PATH_MAX + 64], path[DEMO_PATH_MAX + 64],
        *result = NULL, *answer = NULL, *theirs = NULL;
    uint64_t counts[TELCOS];
    snprintf(csv, sizeof csv, "%s/data/nz_addresses.csv", d->root);
    say("Where should three telcos build shared towers? (Waikato, New Zealand)");
    if (!demo_split(d, csv, "customers", false, d->cli->demo_rows, counts) ||
        !demo_contract(d, "cluster", parties, address))
        return false;
    for (int t = 0; t < TELCOS; t++)
        if (!send(d, t, address, "customers", "customers", "", NULL)) return false;
    double begin = now_s();
    if (!ok(d, apex_run(d->node[1], d->identity[1], address, "sites", &o, &result, &answer,
                        &d->error)))
        return false;
    cli_progress_end();
    printf("  answered in %.2f s to %s, who asked; sealed to every telco\n", now_s() - begin,
           telco_names[1]);
    sites_table(answer);
    snprintf(path, sizeof path, "%s/map.svg", d->out);
    snprintf(csv, sizeof csv, "%s/customers-%s.csv", d->scratch, telco_names[0]);
    bool fine = write_text(d, "result.json", result) &&
                write_export(d, "sites.geojson", answer, export_geojson) &&
                demo_map(answer, csv, path) && verify(d, result, "receipt of the sites");
    /* Another party opens the same answer with its own key. */
    json_t *file = json_loads(result, 0, NULL);
    uint64_t run =
        (uint64_t)json_integer_value(json_object_get(json_object_get(file, "receipt"), "run"));
    json_decref(file);
    fine = fine &&
           ok(d, apex_result(d->node[2], d->identity[2], address, run, NULL, &theirs,
                             &d->error)) &&
           strcmp(theirs, answer) == 0;
    if (fine)
        printf("  %s opened the same answer with its own key: identical to the byte\n",
               telco_names[2]);
    free(result);
    free(answer);
    free(theirs);
    return fine;
}

static bool market_part(struct demo *d, const struct apex_party *parties)
{
    static const char *const over_all[] = {"over=all"};
    struct apex_run_options o = {.params = over_all, .n_params = 1, .progress = cli_progress},
                            plain = {.progress = cli_progress};
    char address[58], csv[DEMO_PATH_MAX + 64], *result = NULL, *answer = NULL, *scored = NULL;
    uint64_t counts[TELCOS];
    snprintf(csv, sizeof csv, "%s/data/places_country.csv", d->root);
    say("How large is the market in each country? (places of the world, 70 % to train, 30 % "
        "held out)");
    if (!demo_split(d, csv, "places", true, 0, counts) ||
        !demo_contract(d, "classify", parties, address))
        return false;
    for (int t = 0; t < TELCOS; t++)
        if (!send(d, t, address, "training", "places", "",
                  "latitude=latitude,longitude=longitude,class=country") ||
            !send(d, t, address, "holdout", "places", "-holdout",
                  "latitude=latitude,longitude=longitude,class=country"))
            return false;
    if (!ok(d, apex_run(d->node[0], d->identity[0], address, "evaluate", &plain, NULL, &scored,
                        &d->error)) ||
        !ok(d, apex_run(d->node[0], d->identity[0], address, "market", &o, &result, &answer,
                        &d->error)))
        return false;
    cli_progress_end();
    json_t *a = json_loads(scored, 0, NULL);
    printf("  the joint model names the country of %.2f %% of the held-out places\n",
           100 * json_real_value(json_object_get(a, "accuracy")));
    json_decref(a);
    market_table(answer);
    bool fine = write_export(d, "market.csv", answer, export_csv) &&
                verify(d, result, "receipt of the market");
    free(result);
    free(answer);
    free(scored);
    return fine;
}

static void who_saw_what(bool in_machine)
{
    say("Who could see what");
    printf("  %-16s %-44s %s\n", "", "could see", "could not see");
    for (int t = 0; t < TELCOS; t++)
        printf("  %-16s %-44s %s\n", telco_names[t], "its own rows; the agreed answers",
               "a row of another telco");
    printf("  %-16s %-44s %s\n", "operator", "ciphertext, its length, who acted when",
           "a row, a parameter, an answer");
    printf("  %-16s %-44s %s\n", "public", "the log: who consented, contributed, asked",
           "anything else");
    printf("\n  This was SIMULATED: the enclave is an ordinary %s here, and whoever runs "
           "this machine could look into it.\n"
           "  On hardware that vouches for the enclave the same programs and the same log keep "
           "the operator out.\n",
           in_machine ? "virtual machine" : "process");
}

/* The answer of the first part, from the file a reader would check. */
static bool chain_part(struct demo *d)
{
    char path[DEMO_PATH_MAX + 64];
    size_t len;
    if (!d->cli->chain) return true;
    say("Do log, chain and receipt tell the same?");
    snprintf(path, sizeof path, "%s/result.json", d->out);
    char *result = cli_load(d->cli, path, &len);
    bool fine = result && demo_chain_result(d, result);
    free(result);
    return fine;
}

static bool perform(struct demo *d)
{
    struct apex_party parties[TELCOS];
    char scratch[] = "/tmp/apex-demo-XXXXXX";
    if (!mkdtemp(scratch)) return false;
    snprintf(d->scratch, sizeof d->scratch, "%s", scratch);
    mkdir(d->out, 0755);
    say("A node on this machine, and three telcos that do not trust one another");
    if (!host_start(d)) {
        snprintf(d->error.what, sizeof d->error.what, "the node does not start");
        snprintf(d->error.next, sizeof d->error.next, "see %.200s/node.log", d->scratch);
        d->error.status = APEX_E_IO;
        return false;
    }
    if (!telcos_make(d)) return false;
    for (int t = 0; t < TELCOS; t++)
        party_of(d->public_half[t], &parties[t]);
    if (d->cli->room) return demo_room(d, parties, d->line);
    return cluster_part(d, parties) && market_part(d, parties) && chain_part(d);
}

static void scratch_remove(const struct demo *d)
{
    pid_t pid = fork();
    if (pid == 0) {
        execlp("rm", "rm", "-rf", d->scratch, (char *)NULL);
        _exit(127);
    }
    if (pid > 0) waitpid(pid, NULL, 0);
}

/* The map in whatever shows SVG here; nothing if nothing does. */
static void map_open(const struct demo *d)
{
    char map[DEMO_PATH_MAX + 64];
    snprintf(map, sizeof map, "%s/map.svg", d->out);
    if (fork() != 0) return;
    execlp("xdg-open", "xdg-open", map, (char *)NULL);
    _exit(127);
}

static void demo_close(struct demo *d, bool keep)
{
    for (int t = 0; t < TELCOS; t++) {
        apex_node_close(d->node[t]);
        apex_identity_free(d->identity[t]);
        apex_home_close(d->home[t]);
        free(d->public_half[t]);
    }
    if (d->host > 0) {
        kill(d->host, SIGTERM);
        waitpid(d->host, NULL, 0);
    }
    if (d->scratch[0] && !keep) scratch_remove(d);
}

int cmd_demo(struct cli *cli)
{
    struct demo *d = calloc(1, sizeof *d);
    double begin = now_s();
    if (!d) return EXIT_INTERNAL;
    d->cli = cli;
    d->in_machine = cli->tee && strcmp(cli->tee, "vm") == 0;
    cli->demo_rows = cli->rows ? strtoull(cli->rows, NULL, 10) : d->in_machine ? VM_ROWS : 0;
    if (cli->tee && !d->in_machine && strcmp(cli->tee, "sim") != 0) {
        free(d);
        return cli_usage(cli, "the demo knows --tee sim and --tee vm", "usage: apex demo");
    }
    if (!places_find(d)) {
        free(d);
        return cli_usage(
            cli, "the demo's contracts and data are not found",
            "run it from the source tree with `make demo`, or set APEX_ROOT to that tree");
    }
    if (cli->room) { /* stdout is for the one line that says what there is */
        d->line = dup(STDOUT_FILENO);
        dup2(STDERR_FILENO, STDOUT_FILENO);
    }
    bool fine = perform(d);
    int code = fine                         ? EXIT_OK
               : d->error.status != APEX_OK ? cli_fail(cli, &d->error)
                                            : EXIT_INTERNAL;
    if (fine && !cli->room) who_saw_what(d->in_machine);
    if (fine && cli->open) map_open(d);
    if (fine && !cli->room)
        printf("\nwritten: %s/{result.json,sites.geojson,map.svg,market.csv}\ncheck again: "
               "build/client/apex verify %s/result.json\ndone in %.1f s\n",
               d->out, d->out, now_s() - begin);
    if (!fine)
        fprintf(stderr, "apex: the demo did not finish; what there is lies in %s\n",
                d->scratch);
    demo_close(d, !fine);
    free(d);
    return code;
}
