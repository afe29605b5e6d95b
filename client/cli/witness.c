#include "client/cli/serve.h"

#include <stdlib.h>

static void on_request(void *context, const struct serve_request *r, struct serve_answer *a)
{
    struct apex_error e;
    char *reply = NULL;
    if (strcmp(r->path, "/add-checkpoint") != 0) {
        a->code = 404;
        return;
    }
    if (strcmp(r->method, "POST") != 0) {
        a->code = 405;
        return;
    }
    if (apex_witness_answer(context, r->body ? r->body : "", r->body_len, &a->code, &reply,
                            &e) != APEX_OK)
        fprintf(stderr, "apex witness: %s; %s\n", e.what, e.not_done);
    a->type = a->code == 409 ? "text/x.tlog.size" : "text/plain; charset=utf-8";
    a->bytes = reply;
    a->len = reply ? strlen(reply) : 0;
}

static int key_print(struct cli *cli, struct apex_home *home)
{
    struct apex_witness *w = NULL;
    struct apex_error e;
    char vkey[APEX_VKEY_MAX];
    if (apex_witness_open(home, NULL, 0, &w, &e) != APEX_OK) return cli_fail(cli, &e);
    apex_witness_vkey(w, vkey);
    apex_witness_close(w);
    printf(cli->json ? "{\"vkey\": \"%s\"}\n" : "%s\n", vkey);
    return EXIT_OK;
}

static int witness_new(struct cli *cli, struct apex_home *home)
{
    struct apex_error e;
    if (cli->n_words != 2)
        return cli_usage(cli, "a witness needs a name",
                         "give one, such as `apex witness new witness.example.com/w1`");
    if (apex_witness_new(home, cli->word[1], &e) != APEX_OK) return cli_fail(cli, &e);
    return key_print(cli, home);
}

static int witness_serve(struct cli *cli, struct apex_home *home)
{
    struct apex_witness *w = NULL;
    struct apex_error e;
    if (cli->n_words < 2)
        return cli_usage(cli, "a witness needs the keys of the logs it cosigns",
                         "take them from `apex ledger key`, or from the logs' operators");
    if (apex_witness_open(home, &cli->word[1], cli->n_words - 1, &w, &e) != APEX_OK)
        return cli_fail(cli, &e);
    int code = serve(cli, "apex witness", cli->listen, on_request, w);
    apex_witness_close(w);
    return code;
}

int cmd_witness(struct cli *cli)
{
    struct apex_home *home = NULL;
    const char *what = cli->word[0];
    int code = cli_home(cli, &home);
    if (code != EXIT_OK) return code;
    if (strcmp(what, "new") == 0)
        code = witness_new(cli, home);
    else if (strcmp(what, "key") == 0)
        code = key_print(cli, home);
    else if (strcmp(what, "serve") == 0)
        code = witness_serve(cli, home);
    else
        code =
            cli_usage(cli, "this is not something a witness does", "see `apex witness --help`");
    apex_home_close(home);
    return code;
}
