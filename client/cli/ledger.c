#include "client/cli/serve.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 32 * 1024 * 1024 };

static int with_node(struct cli *cli, struct apex_home *home,
                     int (*act)(struct cli *cli, struct apex_node *node))
{
    struct apex_node *node = NULL;
    int code = cli_node(cli, home, &node);
    if (code == EXIT_OK) code = act(cli, node);
    apex_node_close(node);
    return code;
}

static int key_print(struct cli *cli, struct apex_node *node)
{
    char vkey[APEX_VKEY_MAX];
    struct apex_error e;
    if (apex_log_key(node, vkey, &e) != APEX_OK) return cli_fail(cli, &e);
    printf(cli->json ? "{\"vkey\": \"%s\"}\n" : "%s\n", vkey);
    return EXIT_OK;
}

static int mirror(struct cli *cli, struct apex_node *node)
{
    uint64_t size;
    struct apex_error e;
    if (cli->n_words != 2)
        return cli_usage(cli, "a mirror needs a folder", "give one: `apex ledger mirror DIR`");
    if (apex_log_mirror(node, cli->word[1], &size, &e) != APEX_OK) return cli_fail(cli, &e);
    printf(cli->json ? "{\"size\": %llu}\n"
                     : "%llu entries copied and verified; any web server can serve the folder, "
                       "and `apex ledger fsck` checks it\n",
           (unsigned long long)size);
    return EXIT_OK;
}

static int proof(struct cli *cli, struct apex_node *node)
{
    char *text = NULL, *end;
    struct apex_error e;
    unsigned long long index = cli->n_words == 2 ? strtoull(cli->word[1], &end, 10) : 0;
    if (cli->n_words != 2 || *end || end == cli->word[1])
        return cli_usage(cli, "a proof is of an entry: its number is expected",
                         "see `apex audit` for the numbers");
    if (apex_log_proof(node, index, &text, &e) != APEX_OK) return cli_fail(cli, &e);
    int code = EXIT_OK;
    if (cli->output)
        code = cli_save(cli, cli->output, text);
    else
        fputs(text, stdout);
    free(text);
    return code;
}

static int fsck(struct cli *cli)
{
    struct apex_audit_report report;
    struct apex_breach *breaches = NULL;
    struct apex_error e;
    if (cli->n_words != 3)
        return cli_usage(cli, "a folder and the log's verifier key are expected",
                         "`apex ledger fsck DIR \"$(apex ledger key)\"`");
    if (apex_log_check(cli->word[1], cli->word[2], &report, &breaches, &e) != APEX_OK)
        return cli_fail(cli, &e);
    if (cli->json) printf("{");
    cli_rules_print(cli, &report, breaches);
    if (cli->json) printf("}\n");
    free(breaches);
    return report.n_breaches ? EXIT_REFUSED : EXIT_OK;
}

/* Only what a log's copy consists of, by its own names: nothing above the folder. */
static bool name_served(const char *path)
{
    static const char *const heads[] = {"/tile/", "/blob/"};
    if (strcmp(path, "/checkpoint") == 0 || strcmp(path, "/checkpoint.witnessed") == 0)
        return true;
    for (size_t i = 0; i < 2; i++)
        if (strncmp(path, heads[i], 6) == 0)
            return path[strspn(path, "/0123456789abcdefxptilenrsbo.")] == 0 &&
                   !strstr(path, "..");
    return false;
}

static void on_request(void *context, const struct serve_request *r, struct serve_answer *a)
{
    char path[4096];
    struct stat st;
    a->code = 404;
    if (strcmp(r->method, "GET") != 0 && strcmp(r->method, "HEAD") != 0) {
        a->code = 405;
        return;
    }
    int n = snprintf(path, sizeof path, "%s%s", (const char *)context, r->path);
    if (!name_served(r->path) || n < 0 || (size_t)n >= sizeof path) return;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= FILE_MAX) {
        a->bytes = malloc((size_t)st.st_size + 1);
        ssize_t got = a->bytes ? read(fd, a->bytes, (size_t)st.st_size) : -1;
        a->len = got == st.st_size ? (size_t)got : 0;
        a->code = got == st.st_size ? 200 : 500;
        a->type = strncmp(r->path, "/checkpoint", 11) == 0 ? "text/plain; charset=utf-8"
                                                           : "application/octet-stream";
    }
    close(fd);
}

static int ledger_serve(struct cli *cli)
{
    if (cli->n_words != 2)
        return cli_usage(cli, "a folder is expected",
                         "`apex ledger serve DIR --listen 127.0.0.1:8460`");
    DIR *there = opendir(cli->word[1]);
    if (!there)
        return cli_usage(cli, "there is no such folder", "make one with `apex ledger mirror`");
    closedir(there);
    return serve(cli, "apex ledger", cli->listen, on_request, (void *)(uintptr_t)cli->word[1]);
}

int cmd_ledger(struct cli *cli)
{
    struct apex_home *home = NULL;
    const char *what = cli->word[0];
    if (strcmp(what, "fsck") == 0) return fsck(cli);
    if (strcmp(what, "serve") == 0) return ledger_serve(cli);
    int code = cli_home(cli, &home);
    if (code != EXIT_OK) return code;
    if (strcmp(what, "key") == 0)
        code = with_node(cli, home, key_print);
    else if (strcmp(what, "mirror") == 0)
        code = with_node(cli, home, mirror);
    else if (strcmp(what, "proof") == 0)
        code = with_node(cli, home, proof);
    else
        code = cli_usage(cli, "this is nothing to be done with a ledger",
                         "see `apex ledger --help`");
    apex_home_close(home);
    return code;
}
