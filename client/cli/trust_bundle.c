#include "client/cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DAYS_DEFAULT = 30, DAYS_MAX = 3660 };

static const char *day(int64_t ms, char text[static 16])
{
    time_t at = (time_t)(ms / 1000);
    struct tm t;
    if (!gmtime_r(&at, &t) || strftime(text, 16, "%Y-%m-%d", &t) == 0) text[0] = 0;
    return text;
}

static void bundle_json(const struct apex_bundle *b)
{
    printf("{\"auditor\": \"%s\", \"issued_ms\": %lld, \"expires_ms\": %lld, \"believed\": %s, "
           "\"why\": ",
           b->auditor, (long long)b->issued_ms, (long long)b->expires_ms,
           b->believed ? "true" : "false");
    cli_json_text(stdout, b->why);
    printf(", \"collateral_sets\": %zu, \"measurements\": [", b->n_sets);
    for (size_t i = 0; i < b->n_measurements; i++) {
        printf("%s{\"tee\": \"%s\", \"measurement\": \"%s\", \"label\": ", i ? ", " : "",
               b->measurements[i].tee, b->measurements[i].measurement);
        cli_json_text(stdout, b->measurements[i].label);
        printf("}");
    }
    printf("]}\n");
}

static void bundle_print(const struct cli *cli, const struct apex_bundle *b)
{
    char from[16], until[16];
    if (cli->json) {
        bundle_json(b);
        return;
    }
    printf(
        "signed by    %s\nvalid        %s to %s\nbelieved     %s%s%s\ncollateral   %zu sets\n",
        b->auditor, day(b->issued_ms, from), day(b->expires_ms, until),
        b->believed ? "yes" : "NO", b->believed ? "" : ": ", b->why, b->n_sets);
    for (size_t i = 0; i < b->n_measurements; i++)
        printf("measurement  %-8s %.24s…  %s\n", b->measurements[i].tee,
               b->measurements[i].measurement, b->measurements[i].label);
}

static int make(struct cli *cli, struct apex_home *home)
{
    struct apex_identity *auditor = NULL;
    struct apex_error e;
    char *end = NULL;
    long days = cli->days ? strtol(cli->days, &end, 10) : DAYS_DEFAULT;
    if ((end && *end) || days < 1 || days > DAYS_MAX)
        return cli_usage(cli, "that is no number of days", "write --days 30");
    if (!cli->output || cli->n_words < 3)
        return cli_usage(cli, "something is missing",
                         "usage: apex trust bundle make LIST.json|FOLDER … -o FILE [--days N]");
    int code = cli_identity(cli, home, &auditor);
    if (code != EXIT_OK) return code;
    if (apex_bundle_make(auditor, cli->word + 2, cli->n_words - 2, (unsigned)days, cli->output,
                         &e) != APEX_OK)
        code = cli_fail(cli, &e);
    else if (!cli->json)
        printf("%s was signed by %s and is valid for %ld days.\n", cli->output,
               apex_identity_name(auditor), days);
    apex_identity_free(auditor);
    return code;
}

static int look(struct cli *cli, struct apex_home *home, bool keep)
{
    struct apex_error e;
    struct apex_bundle *b = calloc(1, sizeof *b);
    if (!b) return EXIT_INTERNAL;
    apex_status s = keep ? apex_bundle_use(home, cli->word[2], b, &e)
                         : apex_bundle_check(home, cli->word[2], b, &e);
    int code = s != APEX_OK ? cli_fail(cli, &e) : b->believed ? EXIT_OK : EXIT_REFUSED;
    if (s == APEX_OK) bundle_print(cli, b);
    if (s == APEX_OK && keep && !cli->json)
        printf("It is kept in %s/bundles and consulted from now on.\n", apex_home_path(home));
    free(b);
    return code;
}

int trust_bundle(struct cli *cli, struct apex_home *home)
{
    const char *what = cli->n_words >= 2 ? cli->word[1] : "";
    if (strcmp(what, "make") == 0) return make(cli, home);
    if (cli->n_words == 3 && strcmp(what, "check") == 0) return look(cli, home, false);
    if (cli->n_words == 3 && strcmp(what, "use") == 0) return look(cli, home, true);
    return cli_usage(cli, "trust bundle knows make, check and use",
                     "usage: apex trust bundle make LIST.json|FOLDER … -o FILE [--days N]  |  "
                     "apex trust bundle check|use FILE");
}
