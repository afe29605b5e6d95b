#include "client/cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void cli_json_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '"' || *p == '\\')
            fprintf(out, "\\%c", *p);
        else if (*p < 0x20)
            fprintf(out, "\\u%04x", *p);
        else
            fputc(*p, out);
    }
    fputc('"', out);
}

static int exit_code(apex_status s)
{
    switch (s) {
    case APEX_OK: return EXIT_OK;
    case APEX_E_USAGE:
    case APEX_E_NOT_FOUND: return EXIT_USAGE;
    case APEX_E_IO: /* of a file on this machine: its path, permissions, room */
    case APEX_E_FORMAT:
    case APEX_E_DATA: return EXIT_DATA;
    case APEX_E_UNTRUSTED:
    case APEX_E_REFUSED: return EXIT_REFUSED;
    case APEX_E_UNREACHABLE: return EXIT_UNREACHABLE;
    default: return EXIT_INTERNAL;
    }
}

void cli_error_json(const struct apex_error *e)
{
    printf("{\"status\": \"%s\", \"refusal\": ", apex_status_name(e->status));
    cli_json_text(stdout, e->refusal);
    const char *const names[] = {"what", "not_done", "next", "who"}, *const values[] = {
                                                                         e->what, e->not_done,
                                                                         e->next, e->who};
    for (size_t i = 0; i < 4; i++) {
        printf(", \"%s\": ", names[i]);
        cli_json_text(stdout, values[i]);
    }
    printf(", \"exit\": %d}", exit_code(e->status));
}

int cli_fail(const struct cli *cli, const struct apex_error *e)
{
    int code = exit_code(e->status);
    cli_progress_end();
    if (cli->json) {
        printf("{\"error\": ");
        cli_error_json(e);
        printf("}\n");
        return code;
    }
    fprintf(stderr, "apex: %s\n", e->what);
    if (e->not_done[0]) fprintf(stderr, "      %s\n", e->not_done);
    if (e->next[0]) fprintf(stderr, "      next: %s (%s)\n", e->next, e->who);
    return code;
}

int cli_usage(const struct cli *cli, const char *what, const char *next)
{
    struct apex_error e = {.status = APEX_E_USAGE};
    snprintf(e.what, sizeof e.what, "%s", what);
    snprintf(e.not_done, sizeof e.not_done, "nothing was done");
    snprintf(e.next, sizeof e.next, "%s", next);
    snprintf(e.who, sizeof e.who, "you");
    return cli_fail(cli, &e);
}

int cli_home(const struct cli *cli, struct apex_home **home)
{
    struct apex_error e;
    return apex_home_open(cli->home, home, &e) == APEX_OK ? EXIT_OK : cli_fail(cli, &e);
}

int cli_node(const struct cli *cli, struct apex_home *home, struct apex_node **node)
{
    struct apex_error e;
    if (!cli->node)
        return cli_usage(cli, "no node is named", "give it with --node URL or APEX_NODE");
    return apex_node_open(home, cli->node, node, &e) == APEX_OK ? EXIT_OK : cli_fail(cli, &e);
}

int cli_identity(const struct cli *cli, struct apex_home *home, struct apex_identity **identity)
{
    struct apex_error e;
    return apex_identity_open(home, cli->as, getenv("APEX_PASSPHRASE"), identity, &e) == APEX_OK
               ? EXIT_OK
               : cli_fail(cli, &e);
}

int cli_file_failed(const struct cli *cli, const char *path, const char *what,
                    const char *not_done)
{
    struct apex_error e = {.status = APEX_E_IO};
    snprintf(e.what, sizeof e.what, "%.150s %.40s: %.40s", path, what, strerror(errno));
    snprintf(e.not_done, sizeof e.not_done, "%s", not_done);
    snprintf(e.next, sizeof e.next, "check the path, its permissions and the room on the disk");
    snprintf(e.who, sizeof e.who, "you");
    return cli_fail(cli, &e);
}

char *cli_load(const struct cli *cli, const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    size_t cap = 65536;
    char *text = malloc(cap + 1);
    *len = 0;
    for (size_t n; f && text && (n = fread(text + *len, 1, cap - *len, f)) > 0;) {
        *len += n;
        if (*len < cap) continue;
        char *more = realloc(text, 2 * cap + 1);
        if (!more) free(text);
        text = more;
        cap *= 2;
    }
    bool whole = f && !ferror(f);
    int why = errno;
    if (f) fclose(f);
    if (whole && text) {
        text[*len] = 0;
        return text;
    }
    free(text);
    errno = why;
    (void)cli_file_failed(cli, path, "cannot be read", "nothing was done with it");
    return NULL;
}

static struct {
    time_t since;
    bool shown;
    char stage[48];
} bar;

/* For a program that started this one. A line is short enough to be written whole. */
static bool progress_told(const char *stage, uint64_t done, uint64_t total)
{
    enum { NANO = 1000000000, PAUSE = NANO / 10 };
    static char last[48];
    static uint64_t last_ns;
    const char *name = getenv("APEX_PROGRESS_FD");
    char line[128];
    struct timespec t;
    if (!name) return false;
    clock_gettime(CLOCK_MONOTONIC, &t);
    uint64_t ns = (uint64_t)t.tv_sec * NANO + (uint64_t)t.tv_nsec;
    if (ns - last_ns < PAUSE && strncmp(stage, last, sizeof last - 1) == 0) return true;
    last_ns = ns;
    snprintf(last, sizeof last, "%s", stage);
    int n = snprintf(line, sizeof line, "%.60s\t%llu\t%llu\n", stage, (unsigned long long)done,
                     (unsigned long long)total);
    if (write((int)strtol(name, NULL, 10), line, (size_t)n) != n) unsetenv("APEX_PROGRESS_FD");
    return true;
}

void cli_progress(void *context, const char *stage, uint64_t done, uint64_t total)
{
    enum { WIDTH = 30 };
    time_t now = time(NULL);
    (void)context;
    if (progress_told(stage, done, total)) return;
    if (!isatty(STDERR_FILENO)) return;
    if (strcmp(stage, bar.stage) != 0) {
        snprintf(bar.stage, sizeof bar.stage, "%s", stage);
        bar.since = now;
    }
    if (now - bar.since < 1 && !bar.shown) return;
    bar.shown = true;
    int filled = total ? (int)(done * WIDTH / total) : 0;
    if (filled > WIDTH) filled = WIDTH;
    fprintf(stderr, "\r\033[K%-32s [%.*s%*s] %3d %%", stage, filled,
            "##############################", WIDTH - filled, "",
            total ? (int)(done * 100 / total) : 0);
}

void cli_progress_end(void)
{
    if (bar.shown) fprintf(stderr, "\r\033[K");
    bar.shown = false;
}

void cli_simulated(const struct cli *cli, const struct apex_node *node)
{
    if (apex_node_simulated(node) && !cli->json)
        fprintf(
            stderr,
            "note: this node's enclave is SIMULATED; its operator could read what you send\n");
}

int cli_checks_print(const struct cli *cli, const struct apex_check *checks, size_t n)
{
    int failed = 0;
    for (size_t i = 0; i < n; i++) {
        failed += checks[i].result == 0;
        if (!cli->json)
            printf("  %-10s %-20s %s\n",
                   checks[i].result > 0    ? "pass"
                   : checks[i].result == 0 ? "FAIL"
                                           : "not asked",
                   checks[i].name, checks[i].detail);
    }
    if (!cli->json) return failed;
    printf("[");
    for (size_t i = 0; i < n; i++) {
        printf("%s{\"name\": \"%s\", \"result\": \"%s\", \"detail\": ", i ? ", " : "",
               checks[i].name,
               checks[i].result > 0    ? "pass"
               : checks[i].result == 0 ? "fail"
                                       : "not-asked");
        cli_json_text(stdout, checks[i].detail);
        printf("}");
    }
    printf("]");
    return failed;
}

void cli_budget(FILE *out, const struct apex_contract_facts *f)
{
    if (f->epsilon_micro == 0) return;
    fprintf(out, "privacy: epsilon %.10g of %.10g spent, %.10g left (delta %g)\n",
            (double)f->spent_micro / 1e6, (double)f->epsilon_micro / 1e6,
            (double)(f->epsilon_micro - f->spent_micro) / 1e6, f->delta);
}
