#include "client/cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *yes(bool b)
{
    return b ? "true" : "false";
}

static void facts_json(const char *key, const struct apex_fact *facts, size_t n)
{
    printf(", \"%s\": [", key);
    for (size_t i = 0; i < n; i++) {
        printf("%s{\"name\": ", i ? ", " : "");
        cli_json_text(stdout, facts[i].name);
        printf(", \"value\": ");
        cli_json_text(stdout, facts[i].value);
        printf("}");
    }
    printf("]");
}

static void verdict_json(const struct cli *cli, const struct apex_verdict *v)
{
    const char *const texts[][2] = {{"tee", v->tee},          {"product", v->product},
                                    {"reason", v->reason},    {"measurement", v->measurement},
                                    {"origin", v->origin},    {"log_key", v->log_key},
                                    {"sentence", v->sentence}};
    printf("{\"genuine\": %s, \"acceptable\": %s, \"simulated\": %s", yes(v->genuine),
           yes(v->acceptable), yes(v->simulated));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        printf(", \"%s\": ", texts[i][0]);
        cli_json_text(stdout, texts[i][1]);
    }
    facts_json("facts", v->facts, v->n_facts);
    facts_json("findings", v->findings, v->n_findings);
    printf(", \"checks\": ");
    (void)cli_checks_print(cli, v->checks, v->n_checks);
    printf("}\n");
}

static void time_print(int64_t ms)
{
    time_t at = (time_t)(ms / 1000);
    struct tm t;
    char text[40];
    if (ms <= 0 || !gmtime_r(&at, &t)) return;
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &t);
    printf("  judged as of     %s\n", text);
}

static const char *tee_words(const char *tee)
{
    static const char *const words[][2] = {{"sev-snp", "AMD SEV-SNP"},
                                           {"tdx", "Intel TDX"},
                                           {"sgx", "Intel SGX"},
                                           {"nitro", "AWS Nitro Enclaves"},
                                           {"sim", "SIMULATED"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(tee, words[i][0]) == 0) return words[i][1];
    return tee[0] ? tee : "unknown";
}

/* Without a policy nothing is acceptable; that is then the only reason, and is said. */
static const char *acceptable_words(const struct apex_verdict *v)
{
    if (v->acceptable) return "yes";
    return v->genuine && strcmp(v->reason, "none") == 0 ? "NO: no policy was given" : "NO";
}

/* A TD's is of three registers: one a line. */
static void measurement_print(const char *hex)
{
    static const char *const registers[] = {"MRTD  ", "RTMR1 ", "RTMR2 "};
    enum { DIGITS = 96, TD_DIGITS = 3 * DIGITS };
    if (strlen(hex) != TD_DIGITS) {
        printf("  %-16s %s\n", "measurement", hex);
        return;
    }
    for (size_t i = 0; i < 3; i++)
        printf("  %-16s %s%.*s\n", i ? "" : "measurement", registers[i], DIGITS,
               hex + i * DIGITS);
}

/* The answer first, then what it says, what may matter, and every check. */
static void verdict_print(const struct cli *cli, const struct apex_verdict *v)
{
    if (cli->json) {
        verdict_json(cli, v);
        return;
    }
    printf("%s\n\n  genuine          %s\n  acceptable       %s\n", v->sentence,
           v->genuine ? "yes" : "NO", acceptable_words(v));
    if (strcmp(v->reason, "none") != 0) printf("  first reason     %s\n", v->reason);
    time_print(v->at_ms);
    printf("\n  %-16s %s%s%s\n", "machine", tee_words(v->tee), v->product[0] ? ", " : "",
           v->product);
    if (v->genuine) measurement_print(v->measurement);
    if (v->origin[0]) printf("  %-16s %s\n", "log", v->origin);
    for (size_t i = 0; i < v->n_facts; i++)
        printf("  %-16s %s\n", v->facts[i].name, v->facts[i].value);
    if (v->n_findings > 0) printf("\nTo be weighed:\n");
    for (size_t i = 0; i < v->n_findings; i++)
        printf("  %s\n    %s\n", v->findings[i].name, v->findings[i].value);
    printf("\nChecks:\n");
    (void)cli_checks_print(cli, v->checks, v->n_checks);
}

static int init(struct cli *cli, struct apex_home *home, const char *url)
{
    struct apex_verdict v;
    struct apex_error e;
    if (apex_trust_init(home, url, cli->replace, &v, &e) != APEX_OK) return cli_fail(cli, &e);
    verdict_print(cli, &v);
    if (!cli->json)
        printf("\nA trust policy naming this measurement and this log was written to "
               "%s/trust.json. Look at it:\nis the measurement the one its author published "
               "(`enclave/MEASUREMENT`), or one you built yourself?\n",
               apex_home_path(home));
    return EXIT_OK;
}

static int told(struct cli *cli, apex_status s, const struct apex_verdict *v,
                const struct apex_error *e)
{
    if (v->n_checks > 0) verdict_print(cli, v);
    if (s == APEX_OK) return EXIT_OK;
    return v->n_checks > 0 && (cli->json || cli->evidence) ? EXIT_REFUSED : cli_fail(cli, e);
}

static int check(struct cli *cli, struct apex_home *home, const char *url)
{
    struct apex_verdict v;
    struct apex_error e;
    if (cli->output && apex_trust_evidence(url, cli->output, &e) != APEX_OK)
        return cli_fail(cli, &e);
    apex_status s = apex_trust_check(home, url, &v, &e);
    return told(cli, s, &v, &e);
}

/* "2026-11-01T00:00:00Z", or the day alone. */
static bool time_parse(const char *text, int64_t *ms)
{
    struct tm t = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &t);
    if (!end || *end) {
        t = (struct tm){0};
        end = strptime(text, "%Y-%m-%d", &t);
    }
    *ms = end && !*end ? (int64_t)timegm(&t) * 1000 : 0;
    return *ms > 0;
}

static int check_file(struct cli *cli, struct apex_home *home)
{
    struct apex_verdict v;
    struct apex_error e;
    struct apex_evidence evidence = {.file = cli->evidence,
                                     .tee = cli->tee,
                                     .certificates = cli->certs,
                                     .collateral = cli->collateral,
                                     .policy = cli->policy};
    if (cli->at && !time_parse(cli->at, &evidence.at_ms))
        return cli_usage(cli, "that is not a time", "write --at 2026-11-01T00:00:00Z");
    apex_status s = apex_trust_check_file(home, &evidence, &v, &e);
    return told(cli, s, &v, &e);
}

static int show(struct cli *cli, struct apex_home *home)
{
    struct apex_error e;
    char *text = apex_trust_policy(home, &e);
    if (!text) return cli_fail(cli, &e);
    printf("%s", text);
    free(text);
    return EXIT_OK;
}

static int trust(struct cli *cli, struct apex_home *home)
{
    const char *what = cli->word[0], *url = cli->n_words >= 2 ? cli->word[1] : cli->node;
    if (strcmp(what, "bundle") == 0) return trust_bundle(cli, home);
    if (cli->n_words > 2)
        return cli_usage(cli, "too many words", "usage: apex trust init|check|show [URL]");
    if (strcmp(what, "show") == 0) return show(cli, home);
    if (strcmp(what, "check") == 0 && cli->evidence) return check_file(cli, home);
    if (strcmp(what, "check") != 0 && strcmp(what, "init") != 0)
        return cli_usage(cli, "trust knows init, check, show and bundle",
                         "usage: apex trust init|check|show [URL]");
    if (!url)
        return cli_usage(cli, "no node is named",
                         "give its URL, or --node URL, or APEX_NODE; or --evidence FILE");
    return strcmp(what, "init") == 0 ? init(cli, home, url) : check(cli, home, url);
}

int cmd_trust(struct cli *cli)
{
    struct apex_home *home = NULL;
    int code = cli_home(cli, &home);
    if (code != EXIT_OK) return code;
    code = trust(cli, home);
    apex_home_close(home);
    return code;
}
