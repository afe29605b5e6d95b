/* A small HTTP server for what the command line serves: one handler, bodies gathered up to a
 * limit, answers from memory. */
#ifndef CLIENT_CLI_SERVE_H
#define CLIENT_CLI_SERVE_H

#include "client/cli/cli.h"

enum { SERVE_BODY_MAX = 64 * 1024 };

struct serve_request {
    const char *method, *path;
    const void *body;
    size_t body_len;
};
struct serve_answer {
    unsigned code;
    const char *type; /* content type; fixed text */
    void *bytes;      /* ours to free() */
    size_t len;
};
/* Called from several threads. */
typedef void (*serve_fn)(void *context, const struct serve_request *request,
                         struct serve_answer *answer);
/* Serves on ADDRESS:PORT (numeric; port 0 takes a free one), prints `NAME: listening on
 * http://…`, and returns when the process is told to stop. Exit code. */
int serve(const struct cli *cli, const char *name, const char *listen, serve_fn handle,
          void *context);

#endif
